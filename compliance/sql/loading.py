"""The statements that read, translate and check an export; one cell at a time they say what a column means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compliance.model import Field
from compliance.records.mapping import ISO, SERIAL
from compliance.sql.duckdb import COLUMN_TYPES
from compliance.sql.privacy import ANSWERS
from compliance.sql.text import literal, name

EARLIEST, LATEST = "1900-01-01", "2199-12-31"
TRUE_WORDS = ("true", "yes", "y", "1")
FALSE_WORDS = ("false", "no", "n", "0")
STRPTIME = (
    ("YYYY", "%Y"), ("YY", "%y"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"),
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """How a field is made from a source's columns.

    Args:
      raw: SQL of the cleaned text, NULL where it means nothing.
      column: what the export calls it.
      codes, dates, split, strip: as the mapping has them.
      fields: other fields that it is made of; then there is no `raw`.
      hidden: of a cell that does not fit it is not told what stands in it.
    """

    field: Field
    raw: str
    column: str
    codes: Mapping[str, str | bool | int | float | None] | None = None
    dates: tuple[str, ...] = (ISO,)
    split: str = ";"
    fields: tuple[str, ...] = ()
    strip: tuple[str, ...] = ()
    hidden: bool = False


def cleaned(position: int, empty: Sequence[str]) -> str:
    """The cell of a column without blanks around it; NULL if it means nothing."""
    text = f"t{position}"
    if not empty:
        return f"nullif({text}, '')"
    means_nothing = ", ".join(literal(e) for e in dict.fromkeys(["", *(e.strip().lower() for e in empty)]))
    return f"CASE WHEN lower({text}) NOT IN ({means_nothing}) THEN {text} END"


def stripped(text: str, patterns: Sequence[str]) -> str:
    """`text` without what the patterns match; NULL if nothing is left."""
    for p in patterns:
        text = f"regexp_replace({text}, {literal(p)}, '', 'gi')"
    return f"nullif(trim({text}), '')" if patterns else text


def templated(template: str, columns: Mapping[str, str]) -> str:
    """Text with columns in it; NULL if one of them is."""
    parts: list[str] = []
    rest = template
    for written, sql in columns.items():
        before, _, rest = rest.partition("{" + written + "}")
        parts += [literal(before), f"ltrim(({sql}), chr(31))"]
    parts.append(literal(rest))
    return "(" + " || ".join(parts) + ")"


def strptime(format_: str) -> str:
    """`DD/MM/YYYY` -> `%d/%m/%Y`."""
    made, i = "", 0
    while i < len(format_):
        token = next(((t, p) for t, p in STRPTIME if format_.startswith(t, i)), None)
        made += token[1] if token else format_[i].replace("%", "%%")
        i += len(token[0]) if token else 1
    return made


def value(cell: Cell, v: str, typed: bool) -> str:
    """SQL of the field from the cleaned text `v`; NULL where it does not fit.

    Args:
      typed: real dates bear a mark in front.
    """
    f = cell.field
    if typed and f.type != "date":
        v = f"ltrim({v}, chr(31))"
    if cell.codes is not None and f.type != "list":
        return _translated(cell, v)
    match f.type:
        case "date":
            return _date(cell, v, typed)
        case "integer":
            made = f"CASE WHEN regexp_full_match({v}, '[-+]?[0-9]{{1,15}}') THEN TRY_CAST({v} AS BIGINT) END"
            return _bounded(f, made)
        case "number":
            shape = "[-+]?[0-9]{1,13}([.][0-9]{1,20})?"
            made = f"CASE WHEN regexp_full_match({v}, '{shape}') THEN TRY_CAST({v} AS DECIMAL(18, 4)) END"
            return _bounded(f, made)
        case "boolean":
            true, false = ", ".join(map(literal, TRUE_WORDS)), ", ".join(map(literal, FALSE_WORDS))
            return f"CASE WHEN lower({v}) IN ({true}) THEN TRUE WHEN lower({v}) IN ({false}) THEN FALSE END"
        case "list":
            items = f"list_filter(list_transform(string_split({v}, {literal(cell.split)}), lambda i: trim(i)), lambda i: i <> '')"
            if cell.codes is not None or f.codes:
                items = f"list_transform({items}, lambda i: {_item(cell)})"
                return f"CASE WHEN list_contains(list_transform({items}, lambda i: i IS NULL), TRUE) THEN NULL ELSE {items} END"
            return f"CASE WHEN {v} IS NOT NULL THEN {items} END"
    if f.codes:
        return _cases(v, {c.lower(): c for c in f.codes}, "text")
    if f.pattern:
        return f"CASE WHEN regexp_full_match({v}, {literal(f.pattern)}) THEN {v} END"
    return v


def _date(cell: Cell, v: str, typed: bool) -> str:
    tries = [_serial(v) if d == SERIAL else f"try_strptime({v}, {literal(strptime(d))})" for d in cell.dates]
    parsed = tries[0] if len(tries) == 1 else f"coalesce({', '.join(tries)})"
    if typed:
        real = f"try_strptime(substr({v}, 2), '%Y-%m-%d')"
        parsed = f"CASE WHEN starts_with({v}, chr(31)) THEN {real} ELSE {parsed} END"
    return f"CAST({parsed} AS DATE)"


def _serial(v: str) -> str:
    shape = "[1-9][0-9]{4}([.][0-9]+)?"
    return f"CASE WHEN regexp_full_match({v}, '{shape}') THEN DATE '1899-12-30' + TRY_CAST(string_split({v}, '.')[1] AS INTEGER) END"


def _bounded(f: Field, made: str) -> str:
    bounds = [f"({made}) >= {literal(f.minimum)}"] if f.minimum is not None else []
    bounds += [f"({made}) <= {literal(f.maximum)}"] if f.maximum is not None else []
    return f"CASE WHEN {' AND '.join(bounds)} THEN {made} END" if bounds else made


def _cases(v: str, meanings: Mapping[str, object], type_: str) -> str:
    if type_ == "date":
        meanings = {k: None if m is None else f"{m}" for k, m in meanings.items()}
    whens = " ".join(f"WHEN {literal(k)} THEN {literal(m)}" for k, m in meanings.items())
    return f"CAST(CASE lower({v}) {whens} END AS {COLUMN_TYPES[type_]})"


def _meanings(cell: Cell) -> dict[str, object]:
    own: dict[str, object] = {c.lower(): c for c in cell.field.codes}
    if cell.field.type == "boolean":
        own = {**dict.fromkeys(TRUE_WORDS, True), **dict.fromkeys(FALSE_WORDS, False)}
    return {**own, **(cell.codes or {})}


def _translated(cell: Cell, v: str) -> str:
    return _cases(v, _meanings(cell), cell.field.type)


def _item(cell: Cell) -> str:
    return _cases("i", _meanings(cell), "text")


def means_nothing(cell: Cell, v: str) -> str:
    """Whether a code of the mapping says that the cell is empty, as SQL; empty where none does."""
    nothing = [k for k, m in (cell.codes or {}).items() if m is None]
    return f"lower({v}) IN ({', '.join(map(literal, nothing))})" if nothing else ""


def reason(cell: Cell) -> str:
    """What is wrong with a cell of this column that does not fit."""
    f = cell.field
    if cell.codes is not None and f.type != "list":
        return "is no code that the mapping or the schema knows"
    match f.type:
        case "date":
            return (
                f"is not a date written {' or '.join('as a serial number' if d == SERIAL else d for d in cell.dates)}"
            )
        case "boolean":
            return "is neither yes nor no"
        case "integer" | "number":
            what = "is not a whole number" if f.type == "integer" else "is not a number"
            bounds = [f"at least {f.minimum:g}"] if f.minimum is not None else []
            bounds += [f"at most {f.maximum:g}"] if f.maximum is not None else []
            return f"{what} {' and '.join(bounds)}".strip()
        case "list":
            return "has an item that is no code"
    if f.codes:
        shown = ", ".join(f.codes[:6]) + (", …" if len(f.codes) > 6 else "")
        return f"is no code ({shown})"
    return "is not written as it must be"


def constant(f: Field, given: str | bool | int | float | None) -> str:
    """The same value for every row."""
    if given is None:
        return f"CAST(NULL AS {COLUMN_TYPES[f.type]})"
    shown = literal([given]) if f.type == "list" else literal(given)
    return f"CAST({shown} AS {COLUMN_TYPES[f.type]})"


# --- statements -----------------------------------------------------------------------------------------------------


def scan(path: str, delimiter: str, width: int, numbered: bool) -> str:
    """All columns of a CSV file with a header row, as text, named c0, c1, …; before them, the row's number."""
    columns = ", ".join([*(["'r': 'VARCHAR'"] if numbered else []), *(f"'c{i}': 'VARCHAR'" for i in range(width))])
    return (
        f"read_csv({literal(path)}, header = true, auto_detect = false, delim = {literal(delimiter)}, quote = '\"',"
        f" escape = '\"', nullstr = '', max_line_size = 4194304, columns = {{{columns}}})"
    )


def source(
    table: str,
    scanned: str,
    cells: Sequence[Cell],
    constants: Mapping[str, str],
    skip: str,
    width: int,
    numbered: bool,
    typed: bool,
    listing: bool = False,
) -> str:
    """The rows of one source in the types of its kind, and which of them have a cell that does not fit.

    Layer upon layer, for the engine takes its time to read a statement that says the same thing twice.

    Args:
      width: how many columns the file has.
      numbered: the file's first column is the row's number.
      typed: real dates bear a mark in front.
      listing: list the cells that do not fit instead; asked only of a file that has some.
    """
    trimmed = ", ".join(f"trim(c{i}) AS t{i}" for i in range(width))
    row = "r, " if numbered else ""
    raws = "".join(f", {stripped(c.raw, c.strip)} AS {name('v_' + c.field.name)}" for c in cells if not c.fields)
    values, fields, bads, listed = [], [], [], []
    # Those made of other fields come last, for they name what stands before them.
    for c in sorted(cells, key=lambda c: bool(c.fields)):
        v, f = name("v_" + c.field.name), name(c.field.name)
        if c.fields:
            values.append(f"{_joined(c.fields)} AS {v}")
        values.append(f"{value(c, v, typed)} AS {f}")
        if c.field.type == "date" and c.codes is None:
            fits = f"{f} BETWEEN DATE '{EARLIEST}' AND DATE '{LATEST}'"
            fields.append(f"CASE WHEN {fits} THEN {f} END AS {f}")
            bad = f"({v} IS NOT NULL AND ({fits}) IS NOT TRUE)"
        elif c.field.type == "text" and not c.field.codes and not c.field.pattern and c.codes is None:
            fields.append(f)
            continue
        else:
            fields.append(f)
            nothing = means_nothing(c, v)
            bad = f"({v} IS NOT NULL AND {f} IS NULL{f' AND NOT {nothing}' if nothing else ''})"
        bads.append(bad)
        shown = c.raw if c.strip else v
        shown = "NULL" if c.hidden else f"ltrim({shown}, chr(31))" if typed else shown
        listed.append(f"CASE WHEN {bad} THEN {{'f': {literal(c.field.name)}, 'v': CAST({shown} AS VARCHAR)}} END")
    fields += [f"{sql} AS {name(f)}" for f, sql in constants.items()]
    any_bad = " OR ".join(bads) or "FALSE"
    if listing:
        any_bad = f"CASE WHEN {any_bad} THEN list_filter([{', '.join(listed)}], lambda e: e IS NOT NULL) END"
    numbers = 'CAST(r AS BIGINT) AS "row", ' if numbered else ""
    return (
        f"CREATE TABLE {name(table)} AS SELECT {numbers}{', '.join(fields)}, CAST({skip} AS TINYINT) AS skip, {any_bad} AS bad"
        f" FROM (SELECT *, {', '.join(values)} FROM (SELECT *{raws} FROM (SELECT {row}{trimmed} FROM {scanned})))"
    )


def _joined(fields: Sequence[str]) -> str:
    """The fields with a space between; those that are empty left out, and nothing if the first is."""
    texts = ", ".join(f"CAST({name(f)} AS VARCHAR)" for f in fields)
    return f"CASE WHEN {name(fields[0])} IS NOT NULL THEN concat_ws(' ', {texts}) END"


def skipped(key: str, width: int, only_where: str, only_if: Sequence[str]) -> str:
    """1: the row is blank; 2, 3: it is not among those that the mapping wants; 0: it is read."""
    whens = f"WHEN {key} IS NULL AND concat({', '.join(f't{i}' for i in range(width))}) = '' THEN 1 "
    if only_where:
        whens += f"WHEN ({only_where}) IS NOT TRUE THEN 2 "
    if only_if:
        whens += f"WHEN {' AND '.join(f'{v} IS NULL' for v in only_if)} THEN 3 "
    return f"CASE {whens}ELSE 0 END"


def counted(table: str, key: str, required: Sequence[str]) -> str:
    """Counts of a source's rows.

    All, blank ones, those left out, those with cells that do not fit, without key, with a key that an earlier row bears, and how many
    lack each required field.
    """
    listed = ", ".join(f"count(*) FILTER (WHERE skip = 0 AND {name(f)} IS NULL)" for f in required)
    kept = f"CASE WHEN skip = 0 THEN {name(key)} END"
    return (
        f"SELECT count(*), count(*) FILTER (WHERE skip = 1), count(*) FILTER (WHERE skip = 2),"
        " count(*) FILTER (WHERE skip = 3), count(*) FILTER (WHERE bad AND skip = 0),"
        f" count(*) FILTER (WHERE skip = 0 AND {name(key)} IS NULL), count({kept}) - count(DISTINCT {kept}),"
        f" CAST([{listed}] AS BIGINT[]) FROM {name(table)}"
    )


QUARANTINE = (
    'CREATE TABLE quarantine (file VARCHAR, "row" BIGINT, record VARCHAR, rid BIGINT, field VARCHAR, "column" VARCHAR,'
    " value VARCHAR, reason VARCHAR)"
)


def base(
    table: str, offset: int, src: int, key: str, own_key: str, row: str, columns: Sequence[tuple[str, str]]
) -> str:
    """The rows of a source as rows of their kind; `own_key` stands where the key is empty."""
    listed = "".join(f", {f'coalesce({name(c)}, {own_key})' if c == key else sql} AS {name(c)}" for c, sql in columns)
    return (
        f'SELECT rowid + {offset} AS rid, CAST({src} AS INTEGER) AS src, {row} AS "row"{listed}'
        f" FROM {name(table)} WHERE skip = 0"
    )


def row_number(numbered: bool) -> str:
    """The row of the sheet, the header being row 1."""
    return '"row"' if numbered else "rowid + 2"


def bad_cells(
    table: str, offset: int, file: str, record: str, row: str, columns: Mapping[str, str], reasons: Mapping[str, str]
) -> str:
    """What does not fit, into the quarantine; `table` was made with `listing`."""
    column = " ".join(f"WHEN {literal(f)} THEN {literal(c)}" for f, c in columns.items())
    why = " ".join(f"WHEN {literal(f)} THEN {literal(r)}" for f, r in reasons.items())
    return (
        f"INSERT INTO quarantine SELECT {literal(file)}, at_row, {literal(record)}, rid, b.f, CASE b.f {column} END, b.v,"
        f" CASE b.f {why} END FROM (SELECT rowid + {offset} AS rid, {row} AS at_row, unnest(bad) AS b FROM {name(table)}"
        f" WHERE skip = 0 AND bad IS NOT NULL)"
    )


def no_key(table: str, offset: int, file: str, record: str, row: str, key: str, column: str, own_key: str) -> str:
    """Records without a key, into the quarantine."""
    return (
        f"INSERT INTO quarantine SELECT {literal(file)}, {row}, {literal(record)}, rowid + {offset}, {literal(key)},"
        f" {literal(column)}, NULL, concat({literal(ANSWERS)}, {own_key}) FROM {name(table)}"
        f" WHERE skip = 0 AND {name(key)} IS NULL"
    )


def empty_required(view: str, record: str, files: str, f: str, column: str) -> str:
    """Records in which a required field is empty, into the quarantine, unless it is there already."""
    return (
        f'INSERT INTO quarantine SELECT {files}, "row", {literal(record)}, rid, {literal(f)}, {literal(column)}, NULL,'
        f" 'is required and empty' FROM {name(view)} b WHERE {name(f)} IS NULL AND NOT EXISTS (SELECT 1 FROM quarantine q"
        f" WHERE q.record = {literal(record)} AND q.rid = b.rid AND q.field = {literal(f)})"
    )


def file_case(files: Sequence[str]) -> str:
    """The file of a row by its `src`."""
    return "CASE src " + " ".join(f"WHEN {i} THEN {literal(f)}" for i, f in enumerate(files)) + " END"


def view(what: str, select: str) -> str:
    """A view for the time of loading."""
    return f"CREATE VIEW {name(what)} AS {select}"


def temporary(what: str, select: str) -> str:
    """A table for the time of loading."""
    return f"CREATE TABLE {name(what)} AS {select}"


def drop(table: str, view: str) -> str:
    """Away with what only loading needed."""
    return f"DROP {'TABLE' if view.startswith('m_') else 'VIEW'} IF EXISTS {name(view)}; DROP TABLE {name(table)};"


def drop_table(table: str) -> str:
    """Away with a table."""
    return f"DROP TABLE {name(table)}"


def n_rows(table: str) -> str:
    """How many rows a table has."""
    return f"SELECT count(*) FROM {name(table)}"


def any_true(table: str, columns: Sequence[str]) -> str:
    """Which of the columns are true anywhere."""
    return f"SELECT {', '.join(f'coalesce(bool_or({name(c)}), FALSE)' for c in columns)} FROM {name(table)}"


def repeated(view: str, key: str) -> str:
    """How many rows bear a key that an earlier row bears."""
    return f"SELECT count(*) - count(DISTINCT {name(key)}) FROM {name(view)}"


def merged(view: str, key: str, fields: Sequence[str], doubts: Sequence[str]) -> str:
    """One row for each key: the first; a field in which the rows differ is NULL and in doubt."""
    listed = ""
    for f in fields:
        if f != key:
            same = f"count(DISTINCT {name(f)}) + CAST(count({name(f)}) < count(*) AS INTEGER) <= 1"
            doubt = f"bool_or({name('doubt__' + f)})" if f in doubts else "FALSE"
            listed += f", CASE WHEN {same} THEN any_value({name(f)}) END AS {name(f)}"
            listed += f", NOT ({same}) OR {doubt} AS {name('doubt__' + f)}"
    return (
        f'SELECT min(rid) AS rid, arg_min(src, rid) AS src, arg_min("row", rid) AS "row", {name(key)}{listed}'
        f" FROM {name(view)} GROUP BY {name(key)}"
    )


def repeats(view: str, key: str, fields: Sequence[str], record: str, files: str, column: str) -> str:
    """Rows whose key an earlier row bears, into the quarantine, with the fields in which they differ from it."""
    differing = ", ".join(
        f"CASE WHEN b.{name(f)} IS DISTINCT FROM o.{name(f)} THEN {literal(f)} END" for f in fields if f != key
    )
    return (
        f"INSERT INTO quarantine SELECT {files}, \"row\", {literal(record)}, o_rid, '', {literal(column)}, {name(key)},"
        f" CASE WHEN d = '' THEN concat('stands on row ', o_row, ' already, with the same content')"
        f" ELSE concat('stands on row ', o_row, ' already, and differs in ', d, '; these fields are not used') END"
        f" FROM (SELECT b.*, concat_ws(', ', {differing}) AS d, o.rid AS o_rid, o.\"row\" AS o_row FROM {name(view)} b"
        f" JOIN (SELECT * FROM {name(view)} QUALIFY row_number() OVER (PARTITION BY {name(key)} ORDER BY rid) = 1) o"
        f" ON o.{name(key)} = b.{name(key)} AND o.rid < b.rid)"
    )


def final(table: str, view: str, columns: Sequence[str], links: Sequence[tuple[str, str, str, str]]) -> str:
    """A kind's table. Each link: its name, its field here, the view and the key that it leads to."""
    listed = "".join(f", b.{name(c)}" for c in columns)
    joined = ""
    for i, (link, field, to, key) in enumerate(links):
        listed += f", l{i}.rid AS {name('link__' + link)}"
        joined += f" LEFT JOIN {name(to)} l{i} ON l{i}.{name(key)} = b.{name(field)}"
    return f'CREATE TABLE {name(table)} AS SELECT b.rid, b.src, b."row"{listed} FROM {name(view)} b{joined}'


def orphans(table: str, record: str, files: str, link: str, f: str, column: str, to: str) -> str:
    """Rows whose link leads to nobody, into the quarantine."""
    return (
        f'INSERT INTO quarantine SELECT {files}, "row", {literal(record)}, rid, {literal(f)}, {literal(column)}, {name(f)},'
        f" {literal(f'names a {to} record that is not there')} FROM {name(table)}"
        f" WHERE {name(f)} IS NOT NULL AND {name('link__' + link)} IS NULL"
    )


def n_orphans(i: int, table: str, f: str, link: str) -> str:
    """How many links of a kind lead to nobody."""
    return f"SELECT {i}, count(*) FROM {name(table)} WHERE {name(f)} IS NOT NULL AND {name('link__' + link)} IS NULL"


def add_doubt(table: str, record: str, f: str) -> tuple[str, str]:
    """A column that says where a field is in doubt, from the quarantine."""
    column = name("doubt__" + f)
    return (
        f"ALTER TABLE {name(table)} ADD COLUMN IF NOT EXISTS {column} BOOLEAN DEFAULT FALSE",
        f"UPDATE {name(table)} SET {column} = TRUE WHERE rid IN (SELECT rid FROM quarantine WHERE record = {literal(record)}"
        f" AND field = {literal(f)})",
    )


def rejected(file: str, record: str, rows: Sequence[tuple[int, str]]) -> str:
    """Rows that could not be read at all, into the quarantine."""
    listed = ", ".join(
        f"({literal(file)}, {n}, {literal(record)}, NULL, '', '', NULL, {literal(why)})" for n, why in rows
    )
    return f"INSERT INTO quarantine VALUES {listed}"


DOUBTED = "SELECT DISTINCT record, field FROM quarantine WHERE field <> '' AND rid IS NOT NULL ORDER BY ALL"
SERVICES = "SELECT DISTINCT kind FROM t_agency WHERE kind IS NOT NULL ORDER BY kind"
N_QUARANTINED = "SELECT count(*) FROM quarantine"
QUARANTINED = (
    'SELECT file, "row", record, field, "column", coalesce(value, \'\'), reason FROM quarantine'
    ' ORDER BY file, "row", record, field, reason'
)
FOLDED = (
    'SELECT file, record, field, "column", reason, count(*), min("row"),'
    " to_json(list_slice(list_sort("
    "list(DISTINCT value) FILTER (WHERE value IS NOT NULL)), 1, 3))"
    " FROM (SELECT * REPLACE (regexp_replace(regexp_replace(reason, 'row [0-9]+ already', 'another row already'),"
    " 'reported as .*', 'reported by its row') AS reason) FROM quarantine)"
    ' GROUP BY file, record, field, "column", reason ORDER BY file, record, min("row"), field, reason'
)


def examples(listed: str | None) -> list[str]:
    """The values of a folded line."""
    return [str(v) for v in json.loads(listed or "[]") or []]
