"""The statements that read, translate and check an export; one cell at a time they say what a column means."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from compliance.model import Field
from compliance.records.mapping import ISO, SERIAL, SHORT, UTC, has_two_digits
from compliance.sql.duckdb import COLUMN_TYPES
from compliance.sql.privacy import ANSWERS
from compliance.sql.text import literal, name

EARLIEST, LATEST = "1902-01-01", "2078-12-31"
"""Days outside are no days of anybody's records: systems write 0001-01-01, 1753-01-01, 1899-12-30, 1900-01-01 and 1901-01-01 for none, and
2079-06-06, 2099-12-31, 2999-12-31 and 9999-12-31 for none or never."""
EPOCH = "1970-01-01"
"""What systems that count seconds write for none; somebody may be born on it."""
REST = "rest"
"""The column that stands for what a row holds beside the values of its fields, while keys are made."""
UNKNOWN = "chr(30)"
"""Stands before why nobody can tell what is in a cell."""
TOTALS = r"(grand |sub[- ]?)?totals?([ :=(\-].*)?"
"""What stands in the key's column of a row that adds up others, in small letters."""
TOTAL = "reads as a total, no record; footer or skip_where of a mapping leaves it out"
TRUE_WORDS = ("true", "yes", "y", "1")
FALSE_WORDS = ("false", "no", "n", "0")
REAL = "\x1f%Y-%m-%d"
"""How the real dates of a workbook are written, whatever the mapping's formats."""
MOST_LETTERS = 5
"""A word of so many letters has 32 spellings, and the engine's reader compares each cell with every one."""
PLACE = "row_number() OVER () - 1 AS rid"
STRPTIME = (
    ("YYYY", "%Y"), ("YY", "%y"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"),
    ("SSS", "%f"),
)  # fmt: skip


@dataclass(frozen=True)
class File:
    """A CSV file with a header row, as the engine reads it.

    Args:
      width: how many columns it has.
      numbered: the row's number stands before them.
      trimmed: no cell has blanks around it.
      marked: columns in which real dates bear `REAL` in front; `unknown`: in which cells bear `UNKNOWN`.
      empty: what means nothing besides an empty cell.
    """

    path: str
    delimiter: str
    width: int
    numbered: bool
    trimmed: bool
    marked: frozenset[int] = frozenset()
    empty: tuple[str, ...] = ()
    unknown: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Matched:
    """Rows whose cell in a column is one of some words, in small letters, or matches a regular expression."""

    at: int
    words: tuple[str, ...]
    pattern: str

    def sql(self, empty: Sequence[str]) -> str:
        """SQL of whether a row is one of them; its columns are t0, t1 and so on."""
        text = f"lower({cleaned(f't{self.at}', empty)})"
        found = [f"{text} IN ({', '.join(map(literal, self.words))})"] if self.words else []
        found += [f"regexp_matches({text}, {literal(self.pattern)}, 'i')"] if self.pattern else []
        return f"({' OR '.join(found)}) IS TRUE"


@dataclass(frozen=True)
class Cell:
    """How a field is made from a source's columns.

    Args:
      at: the positions of the columns that it is made from, by what the template calls them.
      column: what the export calls it.
      template: text with columns in it; empty: the one column as it is.
      codes, dates, split, strip: as the mapping has them.
      fields: other fields that it is made of; then there are no columns.
      hidden: of a cell that does not fit it is not told what stands in it.
      latest: the last day that it can be, by which the century of a two-digit year is told; empty: there is none.
    """

    field: Field
    at: Mapping[str, int]
    column: str
    template: str = ""
    codes: Mapping[str, str | bool | int | float | None] | None = None
    dates: tuple[str, ...] = (ISO,)
    split: str = ";"
    fields: tuple[str, ...] = ()
    strip: tuple[str, ...] = ()
    hidden: bool = False
    latest: str = ""

    @property
    def alone(self) -> int | None:
        """The position of the only column that it is, if nothing is done to that first."""
        return None if self.template or self.strip or self.fields else next(iter(self.at.values()))

    def marked(self, file: File) -> bool:
        """Whether real dates among its texts bear a mark."""
        return not self.template and not file.marked.isdisjoint(self.at.values())

    def unknown(self, file: File, text: Callable[[int], str]) -> str:
        """SQL of why nobody can tell what is in it, NULL where that is no question; empty where it never is."""
        marked = [text(at) for at in dict.fromkeys(self.at.values()) if at in file.unknown]
        cases = [f"CASE WHEN starts_with({t}, {UNKNOWN}) THEN substr({t}, 2) END" for t in marked]
        return f"coalesce({', '.join(cases)})" if len(cases) > 1 else "".join(cases)

    def raw(self, text: Callable[[int], str], empty: Sequence[str]) -> str:
        """SQL of the cleaned text, NULL where it means nothing; `text` gives that of a column without blanks around it."""
        columns = {written: cleaned(text(at), empty) for written, at in self.at.items()}
        return templated(self.template, columns) if self.template else next(iter(columns.values()), "")


def cleaned(text: str, empty: Sequence[str]) -> str:
    """A cell without blanks around it; NULL if it means nothing."""
    if not empty:
        return f"nullif({text}, '')"
    means_nothing = ", ".join(map(literal, _nothing(empty)))
    return f"CASE WHEN lower({text}) NOT IN ({means_nothing}) THEN {text} END"


def _nothing(empty: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(["", *(e.strip().lower() for e in empty)]))


def _spelled(file: File) -> list[str] | None:
    """Every way to write what means nothing in this file; None: there are too many, or the engine's reader cannot know them."""
    found: list[str] = []
    for word in _nothing(file.empty):
        # A number may be that of a row.
        if len(word) > MOST_LETTERS or not word.isascii() or word.isdigit() or {*word} & {file.delimiter, *'"\n\r'}:
            return None
        found += map("".join, product(*({c, c.upper()} for c in word)))
    return sorted(found)


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


def value(cell: Cell, v: str, marked: bool, exact: bool = False) -> str:
    """SQL of the field from the cleaned text `v`.

    Args:
      marked: real dates bear a mark in front.
      exact: a text that does not fit is an error of the statement, and not NULL.
    """
    f = cell.field
    # The error of NULL is NULL.
    otherwise = f" ELSE error({v})" if exact else ""
    if marked and f.type != "date":
        v = f"ltrim({v}, chr(31))"
    if cell.codes is not None and f.type != "list":
        return _cases(v, _meanings(cell), f.type, otherwise)
    match f.type:
        case "date":
            return _date(cell, v, marked, exact)
        case "integer":
            shape = "[-+]?[0-9]{1,15}"
            return _bounded(
                f, f"CASE WHEN regexp_full_match({v}, '{shape}') THEN TRY_CAST({v} AS BIGINT){otherwise} END", otherwise
            )
        case "number":
            # A share may be written in per cent, which is how the record kinds have it.
            shape = "[-+]?[0-9]{1,13}([.][0-9]{1,20})?" + ("" if f.unit else " ?%?")
            digits = v if f.unit else f"rtrim({v}, ' %')"
            made = (
                f"CASE WHEN regexp_full_match({v}, '{shape}') THEN TRY_CAST({digits} AS DECIMAL(18, 4)){otherwise} END"
            )
            return _bounded(f, made, otherwise)
        case "boolean":
            true, false = ", ".join(map(literal, TRUE_WORDS)), ", ".join(map(literal, FALSE_WORDS))
            return f"CASE WHEN lower({v}) IN ({true}) THEN TRUE WHEN lower({v}) IN ({false}) THEN FALSE{otherwise} END"
        case "list":
            items = f"list_filter(list_transform(string_split({v}, {literal(cell.split)}), lambda i: trim(i)), lambda i: i <> '')"
            if cell.codes is not None or f.codes:
                items = f"list_transform({items}, lambda i: {_cases('i', _meanings(cell), 'text')})"
                unknown = f"error({v})" if exact else "NULL"
                return f"CASE WHEN list_contains(list_transform({items}, lambda i: i IS NULL), TRUE) THEN {unknown} ELSE {items} END"
            return f"CASE WHEN {v} IS NOT NULL THEN {items} END"
    if f.codes:
        return _cases(v, {c.lower(): c for c in f.codes}, "text", otherwise)
    if f.pattern:
        return f"CASE WHEN regexp_full_match({v}, {literal(f.pattern)}) THEN {v}{otherwise} END"
    return v


def _plain(cell: Cell) -> bool:
    """Whether every text fits."""
    return cell.field.type == "text" and not cell.field.codes and not cell.field.pattern and cell.codes is None


def _narrow(cell: Cell) -> bool:
    """Whether no text fits that is blank, or fits only without the blanks around it."""
    f = cell.field
    return f.type != "list" and (cell.codes is not None or f.type != "text" or bool(f.codes))


def _formats(cell: Cell, marked: bool) -> list[str]:
    """The formats that the engine can try at once; none if one of them takes more than that."""
    if any(d == SERIAL or has_two_digits(d) or UTC in d for d in cell.dates):
        return []
    return [*([REAL] if marked else []), *map(strptime, cell.dates)]


def _date(cell: Cell, v: str, marked: bool, exact: bool) -> str:
    if formats := _formats(cell, marked):
        shown = literal(formats[0] if len(formats) == 1 else formats)
        return f"CAST({'' if exact else 'try_'}strptime({v}, {shown}) AS DATE)"
    tries = [_serial(v) if d == SERIAL else _tried(cell, v, d) for d in cell.dates]
    if marked:
        tries.insert(0, f"CASE WHEN starts_with({v}, chr(31)) THEN try_strptime({v}, {literal(REAL)}) END")
    return f"CAST(coalesce({', '.join([*tries, *([f'error({v})'] if exact else [])])}) AS DATE)"


def _tried(cell: Cell, v: str, written: str) -> str:
    """SQL of the day of a text in one format."""
    parsed = f"try_strptime({v}, {literal(strptime(written))})"
    if UTC in written:
        parsed = f"list_transform([{parsed}], lambda t: {_in_britain('t')})[1]"
    if has_two_digits(written) and cell.latest:
        earlier = f"t - CASE WHEN t > DATE {literal(cell.latest)} THEN INTERVAL 100 YEAR ELSE INTERVAL 0 YEAR END"
        parsed = f"list_transform([{parsed}], lambda t: {earlier})[1]"
    return parsed


def _in_britain(t: str) -> str:
    """SQL of a time in UTC as British clocks show it: an hour later from the last Sunday of March, at 1, to that of October."""
    changes = []
    for month in (3, 10):
        last = f"make_date(year({t}), {month}, 31)"
        changes.append(f"{last} - CAST(dayofweek({last}) AS INTEGER) + INTERVAL 1 HOUR")
    summer = f"{t} >= {changes[0]} AND {t} < {changes[1]}"
    return f"{t} + CASE WHEN {summer} THEN INTERVAL 1 HOUR ELSE INTERVAL 0 HOUR END"


def _serial(v: str) -> str:
    shape = "[1-9][0-9]{4}([.][0-9]+)?"
    return f"CASE WHEN regexp_full_match({v}, '{shape}') THEN DATE '1899-12-30' + TRY_CAST(string_split({v}, '.')[1] AS INTEGER) END"


def _bounded(f: Field, made: str, otherwise: str) -> str:
    bounds = [f"({made}) >= {literal(f.minimum)}"] if f.minimum is not None else []
    bounds += [f"({made}) <= {literal(f.maximum)}"] if f.maximum is not None else []
    return f"CASE WHEN {' AND '.join(bounds)} THEN {made}{otherwise} END" if bounds else made


def _cases(v: str, meanings: Mapping[str, object], type_: str, otherwise: str = "") -> str:
    """What each word means. Most mean themselves, which is said in one list: a word said twice is parsed twice."""
    if type_ == "date":
        meanings = {k: None if m is None else f"{m}" for k, m in meanings.items()}
    same = [k for k, m in meanings.items() if k == m]
    whens = " ".join(f"WHEN {literal(k)} THEN {literal(m)}" for k, m in meanings.items() if k != m)
    if not same:
        made = f"CASE lower({v}) {whens}{otherwise} END"
    else:
        alike = f"CASE WHEN lower({v}) IN ({', '.join(map(literal, same))}) THEN lower({v}){otherwise} END"
        made = f"CASE lower({v}) {whens} ELSE {alike} END" if whens else alike
    return made if same and type_ == "text" else f"CAST({made} AS {COLUMN_TYPES[type_]})"


def _meanings(cell: Cell) -> dict[str, object]:
    own: dict[str, object] = {c.lower(): c for c in cell.field.codes}
    if cell.field.type == "boolean":
        own = {**dict.fromkeys(TRUE_WORDS, True), **dict.fromkeys(FALSE_WORDS, False)}
    return {**own, **(cell.codes or {})}


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


def _scan(file: File, types: Mapping[int, str], nulls: Sequence[str], dates: str = "") -> str:
    """All columns of a file, named c0, c1, …, as text but for `types`; before them r, the row's number."""
    columns = ["'r': 'BIGINT'"] if file.numbered else []
    columns += [f"'c{i}': '{types.get(i, 'VARCHAR')}'" for i in range(file.width)]
    written = f", dateformat = {literal(dates)}" if dates else ""
    return (
        f"read_csv({literal(file.path)}, header = true, auto_detect = false, delim = {literal(file.delimiter)}, quote = '\"',"
        f" escape = '\"', nullstr = {literal([*nulls])}, max_line_size = 4194304{written}, columns = {{{', '.join(columns)}}})"
    )


def exact(
    file: File, src: int, cells: Sequence[Cell], others: Mapping[str, str], order: Sequence[str], alone: bool
) -> str:
    """The rows of a source in which every cell fits, as rows of their kind; another cell makes an error of the statement.

    One layer, and no work for a cell that the engine's own reader can do: that takes half the time of lenient reading, of statements
    and of rows. A date of any century and a row without a key pass; `counted` tells of them.

    Args:
      others: SQL of the fields that are no cells.
      order: the fields, as the table has them.
      alone: the kind has no other source, and a row's place is its place here.
    """
    nulls = _spelled(file)
    own = Counter(at for c in cells for at in c.at.values())
    dated = {
        c.alone: formats[0]
        for c in cells
        if c.field.type == "date" and c.codes is None and c.alone is not None and own[c.alone] == 1
        if len(formats := _formats(c, c.marked(file))) == 1
    }
    # A file has one format for all dates that its reader makes.
    format_ = Counter(dated.values()).most_common(1)[0][0] if dated and nulls is not None else ""
    types = {at: "DATE" for at, its in dated.items() if its == format_}

    def text(at: int) -> str:
        return f"c{at}" if file.trimmed else f"trim(c{at})"

    def made(cell: Cell) -> str:
        if cell.fields:
            return value(cell, _joined([values[f] for f in cell.fields]), False, exact=True)
        if cell.alone in types:
            return f"c{cell.alone}"
        if cell.alone is not None and nulls is not None and (file.trimmed or _narrow(cell)):
            v = f"c{cell.alone}"
        else:
            v = stripped(cell.raw(text, file.empty), cell.strip)
        return value(cell, v, cell.marked(file), exact=True)

    values = dict(others)
    for c in sorted(cells, key=lambda c: bool(c.fields)):
        values[c.field.name] = made(c)
    row = "r" if file.numbered else "row_number() OVER () + 1"
    listed = "".join(f", {values[f]} AS {name(f)}" for f in order)
    place = f"{PLACE}, " if alone else ""
    return f'SELECT {place}{src} AS src, {row} AS "row"{listed} FROM {_scan(file, types, nulls or [""], format_)}'


def together(selects: Sequence[str]) -> str:
    """The rows of several sources, one after the other, each with its place among them."""
    return f"SELECT {PLACE}, * FROM ({' UNION ALL '.join(selects)})"


def lenient(
    table: str,
    file: File,
    cells: Sequence[Cell],
    constants: Mapping[str, str],
    rows: Rows,
    made_on: str,
    with_rest: bool,
) -> str:
    """All rows of a source in the types of its kind, what does not fit being NULL and listed in `bad`; `rows` says which are left out.

    Layer upon layer, for the engine takes its time to read a statement that says the same thing twice.

    Args:
      made_on: the day on which the export was made; empty: not known.
      with_rest: a column stands for all that the row holds beside the values of its fields.
    """
    trimmed = ", ".join(f"trim(c{i}) AS t{i}" for i in range(file.width))
    row = "r, " if file.numbered else ""
    raw = {c.field.name: c.raw("t{}".format, file.empty) for c in cells}
    unknown = {c.field.name: u for c in cells if (u := c.unknown(file, "t{}".format))}
    raws = "".join(f", {u} AS {name('u_' + f)}" for f, u in unknown.items())
    for c in cells:
        if not c.fields:
            v = stripped(raw[c.field.name], c.strip)
            if c.field.name in unknown:
                v = f"CASE WHEN {name('u_' + c.field.name)} IS NULL THEN {v} END"
            raws += f", {v} AS {name('v_' + c.field.name)}"
    values, fields, bads = [], [], []
    days = impossible_days(cells, made_on)
    # Those made of other fields come last, for they name what stands before them.
    for c in sorted(cells, key=lambda c: bool(c.fields)):
        v, f = name("v_" + c.field.name), name(c.field.name)
        if c.fields:
            values.append(f"{_joined([name(x) for x in c.fields])} AS {v}")
        values.append(f"{value(c, v, c.marked(file))} AS {f}")
        bad = why = ""
        if c.field.name in days:
            why = f"CASE {' '.join(f'WHEN {wrong} THEN {literal(told)}' for wrong, told in days[c.field.name])} END"
            fields.append(f"CASE WHEN {why} IS NULL THEN {f} END AS {f}")
            bad = f"{v} IS NOT NULL AND ({f} IS NULL OR {why} IS NOT NULL)"
        else:
            fields.append(f)
            if not _plain(c):
                nothing = means_nothing(c, v)
                bad = f"{v} IS NOT NULL AND {f} IS NULL{f' AND NOT {nothing}' if nothing else ''}"
        shown = raw[c.field.name] if c.strip else v
        shown = "NULL" if c.hidden else f"ltrim({shown}, chr(31))" if c.marked(file) else shown
        whens = (
            _listed(c, f"{name('u_' + c.field.name)} IS NOT NULL", "NULL", name("u_" + c.field.name))
            if c.field.name in unknown
            else ""
        )
        whens += _listed(c, bad, shown, why or "NULL") if bad else ""
        if whens:
            bads.append(f"CASE {whens}END")
    fields += [f"{sql} AS {name(f)}" for f, sql in constants.items()]
    listed = f"list_filter([{', '.join(bads)}], lambda e: e IS NOT NULL)" if bads else "[]"
    numbers = 'r AS "row", ' if file.numbered else ""
    if with_rest:
        used = {at for c in cells for at in c.at.values()}
        rest = [f"t{i}" for i in range(file.width) if i not in used]
        # Of what cannot be read it counts how it is written.
        rest += [
            f"CASE WHEN {name(c.field.name)} IS NULL THEN {name('v_' + c.field.name)} END"
            for c in cells
            if not _plain(c)
        ]
        rest += [name("u_" + f) for f in unknown]
        numbers += f"md5(concat_ws(chr(31), ''{''.join(f', coalesce({r}, {chr(39) * 2})' for r in rest)})) AS {REST}, "
    return (
        f"CREATE TABLE {name(table)} AS SELECT {numbers}{', '.join(fields)}, {rows.lost(file, unknown)} AS lost,"
        f" CAST({rows.skipped(file, unknown)} AS TINYINT) AS skip, {listed} AS bad"
        f" FROM (SELECT *, {', '.join(values)} FROM (SELECT *{raws} FROM (SELECT {row}{trimmed} FROM {_scan(file, {}, [''])})))"
    )


def _listed(c: Cell, when: str, shown: str, why: str) -> str:
    return f"WHEN {when} THEN {{'f': {literal(c.field.name)}, 'v': CAST({shown} AS VARCHAR), 'w': CAST({why} AS VARCHAR)}} "


def impossible_days(cells: Sequence[Cell], made_on: str) -> dict[str, list[tuple[str, str]]]:
    """By field, SQL of what makes its date one that cannot be, and what is told then.

    Args:
      made_on: the day on which the export was made; empty: not known.
    """
    dated = {c.field.name: c for c in cells if c.field.type == "date" and c.codes is None}
    found: dict[str, list[tuple[str, str]]] = {}

    def before(earlier: str, later: str) -> str:
        # What stands for no day lies before or after nothing.
        proper = " AND ".join(f"NOT ({_no_day(dated[f])})" for f in (earlier, later))
        return f"{name(later)} < {name(earlier)} AND {proper}"

    for f, c in dated.items():
        found[f] = [(_no_day(c), "stands for no day that anybody means")]
        if made_on and not c.field.may_lie_ahead:
            found[f].append(
                (f"{name(f)} > DATE {literal(made_on)}", f"lies after {made_on}, on which the export was made")
            )
    for f, c in dated.items():
        for start in c.field.not_before:
            if start in dated:
                found[f].append((before(start, f), f"lies before {dated[start].column}, which it cannot"))
                found[start].append((before(start, f), f"lies after {c.column}, which it cannot"))
    return found


def _no_day(c: Cell) -> str:
    f = name(c.field.name)
    epoch = "" if c.field.birth else f" OR {f} = DATE '{EPOCH}'"
    return f"{f} NOT BETWEEN DATE '{EARLIEST}' AND DATE '{LATEST}'{epoch}"


def looks_impossible(fields: Sequence[Field], key: str, made_on: str) -> str:
    """SQL of whether a kind's table may hold a date that cannot be, or a total among its records: looked at row by row then; NULL: no.

    Args:
      fields: those that are dates from cells.
      made_on: as in `impossible_days`; empty: not known.
    """
    names = {f.name for f in fields}

    def extreme(which: str, among: list[str]) -> str:
        return (
            f"{which}({'least' if which == 'min' else 'greatest'}({', '.join(among)}))"
            if len(among) > 1
            else f"{which}({among[0]})"
        )

    # Nobody records an event of before 1970, so all that is early is looked at.
    births, events = ([name(f.name) for f in fields if f.birth is birth] for birth in (True, False))
    found = [f"{extreme('min', births)} < DATE '{EARLIEST}'"] if births else []
    found += [f"{extreme('min', events)} <= DATE '{EPOCH}'"] if events else []
    found += [f"{extreme('max', [*births, *events])} > DATE '{LATEST}'"] if names else []
    behind = [name(f.name) for f in fields if not f.may_lie_ahead]
    found += [f"{extreme('max', behind)} > DATE {literal(made_on)}"] if made_on and behind else []
    pairs = [(f.name, start) for f in fields for start in f.not_before if start in names]
    found += [f"bool_or({' OR '.join(f'{name(f)} < {name(start)}' for f, start in pairs)})"] if pairs else []
    # What looks for more than one word takes several times as long.
    found.append(f"bool_or(contains(lower({key}), 'total'))")
    return " OR ".join(found)


def _is_total(key: str) -> str:
    return f"regexp_full_match(lower({key}), {literal(TOTALS)})"


@dataclass(frozen=True)
class Rows:
    """Which rows of a source are records of its kind.

    Args:
      key: the field that names them; `required`: fields of cells without which there is none.
      only_where, skip_where: those that the mapping wants, and those that it does not.
      only_if: fields of which one must be filled.
    """

    key: str
    required: tuple[str, ...]
    only_where: Matched | None = None
    skip_where: Matched | None = None
    only_if: tuple[str, ...] = ()

    def lost(self, file: File, unknown: Collection[str]) -> str:
        """SQL of why a row cannot be used at all, though it may be a record; `unknown`: the fields whose cells may bear a mark."""
        whens = [(_is_total(name("v_" + self.key)), literal(TOTAL))]
        for f in self.required:
            if f in unknown:
                short = f"starts_with({name('u_' + f)}, {literal(SHORT)})"
                whens.append((short, f"substr({name('u_' + f)}, {len(SHORT) + 1})"))
        for where in (self.only_where, self.skip_where):
            if where is not None and where.at in file.unknown:
                told = literal("nobody can tell whether the mapping leaves it out: the cell that says so ")
                whens.append((f"starts_with(t{where.at}, {UNKNOWN})", f"concat({told}, substr(t{where.at}, 2))"))
        return f"CASE {' '.join(f'WHEN {when} THEN {why}' for when, why in whens)} END"

    def skipped(self, file: File, unknown: Collection[str]) -> str:
        """SQL: 1: the row is blank; 2, 3: it is not among those that the mapping wants; 4: it cannot be used; 0: it is read."""
        texts = ", ".join(f"t{i}" for i in range(file.width))
        whens = f"WHEN {name('v_' + self.key)} IS NULL AND concat({texts}) = '' THEN 1 "
        for where, wanted in ((self.only_where, False), (self.skip_where, True)):
            if where is not None:
                whens += f"WHEN starts_with(t{where.at}, {UNKNOWN}) THEN 4 " if where.at in file.unknown else ""
                whens += f"WHEN {'' if wanted else 'NOT '}({where.sql(file.empty)}) THEN 2 "
        if self.only_if:
            nothing = [f"{name('v_' + f)} IS NULL" for f in self.only_if]
            nothing += [f"{name('u_' + f)} IS NULL" for f in self.only_if if f in unknown]
            whens += f"WHEN {' AND '.join(nothing)} THEN 3 "
        return f"CASE {whens}WHEN lost IS NOT NULL THEN 4 ELSE 0 END"


def _joined(fields: Sequence[str]) -> str:
    """The values with a space between; those that are empty left out, and nothing if the first is."""
    texts = ", ".join(f"CAST({f} AS VARCHAR)" for f in fields)
    return f"CASE WHEN {fields[0]} IS NOT NULL THEN concat_ws(' ', {texts}) END"


def n_skipped(table: str, key: str) -> str:
    """Of a source that was read leniently: all rows; how many are blank, left out, of no use, odd, without key."""
    return (
        "SELECT count(*), count(*) FILTER (WHERE skip = 1), count(*) FILTER (WHERE skip = 2), count(*) FILTER (WHERE skip = 3),"
        " count(*) FILTER (WHERE skip = 4),"
        f" count(*) FILTER (WHERE skip = 0 AND len(bad) > 0), count(*) FILTER (WHERE skip = 0 AND {name(key)} IS NULL)"
        f" FROM {name(table)}"
    )


def n_rows(table: str) -> str:
    """How many rows a table has."""
    return f"SELECT count(*) FROM {name(table)}"


def counted(table: str, key: str, columns: Sequence[str], odd: str) -> str:
    """Whether something is odd, all rows, different keys, and filled cells of each column, in one look at the table."""
    listed = "".join(f", count({name(c)})" for c in columns)
    return f"SELECT {odd}, count(*), count(DISTINCT {name(key)}){listed} FROM {name(table)}"


def rows_by_source(table: str) -> str:
    """How many rows each source gave."""
    return f"SELECT src, count(*) FROM {name(table)} GROUP BY src"


QUARANTINE = (
    'CREATE TABLE quarantine (file VARCHAR, "row" BIGINT, record VARCHAR, rid BIGINT, field VARCHAR, "column" VARCHAR,'
    " value VARCHAR, reason VARCHAR)"
)


def kept(table: str, offset: int, src: int, key: str, own_key: str, row: str, columns: Mapping[str, str]) -> str:
    """The rows of a source that was read leniently, as rows of their kind; `own_key` stands where the key is empty."""
    listed = "".join(
        f", {f'coalesce({name(c)}, {own_key})' if c == key else sql} AS {name(c)}" for c, sql in columns.items()
    )
    return f'SELECT rowid + {offset} AS rid, {src} AS src, {row} AS "row"{listed} FROM {name(table)} WHERE skip = 0'


def row_number(numbered: bool) -> str:
    """The row of the sheet, the header being row 1."""
    return '"row"' if numbered else "rowid + 2"


def bad_cells(
    table: str, offset: int, file: str, record: str, row: str, columns: Mapping[str, str], reasons: Mapping[str, str]
) -> str:
    """What does not fit, into the quarantine; `table` was read leniently."""
    column = " ".join(f"WHEN {literal(f)} THEN {literal(c)}" for f, c in columns.items())
    why = " ".join(f"WHEN {literal(f)} THEN {literal(r)}" for f, r in reasons.items())
    return (
        f"INSERT INTO quarantine SELECT {literal(file)}, at_row, {literal(record)}, rid, b.f, CASE b.f {column} END, b.v,"
        f" coalesce(b.w, CASE b.f {why} END) FROM (SELECT rowid + {offset} AS rid, {row} AS at_row, unnest(bad) AS b FROM {name(table)}"
        f" WHERE skip = 0)"
    )


def unusable(table: str, file: str, record: str, row: str) -> str:
    """Rows that cannot be used at all, into the quarantine; `table` was read leniently."""
    return (
        f"INSERT INTO quarantine SELECT {literal(file)}, {row}, {literal(record)}, NULL, '', '', NULL, lost FROM {name(table)}"
        f" WHERE skip = 4"
    )


def no_key(table: str, offset: int, file: str, record: str, row: str, key: str, column: str, own_key: str) -> str:
    """Records without a key, into the quarantine."""
    return (
        f"INSERT INTO quarantine SELECT {literal(file)}, {row}, {literal(record)}, rowid + {offset}, {literal(key)},"
        f" {literal(column)}, NULL, concat({literal(ANSWERS)}, {own_key}) FROM {name(table)}"
        f" WHERE skip = 0 AND {name(key)} IS NULL"
    )


def empty_required(table: str, record: str, files: str, f: str, column: str) -> str:
    """Records in which a required field is empty, into the quarantine, unless it is there already."""
    return (
        f'INSERT INTO quarantine SELECT {files}, "row", {literal(record)}, rid, {literal(f)}, {literal(column)}, NULL,'
        f" 'is required and empty' FROM {name(table)} b WHERE {name(f)} IS NULL AND NOT EXISTS (SELECT 1 FROM quarantine q"
        f" WHERE q.record = {literal(record)} AND q.rid = b.rid AND q.field = {literal(f)})"
    )


LOST_IDS = 'CREATE TABLE lost_ids (file VARCHAR, "row" BIGINT, record VARCHAR, field VARCHAR, id VARCHAR)'
"""What rows that cannot be used say of whose they are."""
_LOST = f"rid IS NULL AND field = '' AND reason <> {literal(TOTAL)}"
N_LOST = f"SELECT record, count(*) FROM quarantine WHERE {_LOST} GROUP BY record"
"""Of each kind the rows that cannot be used, though they may be records."""


def lost_ids(table: str, file: str, record: str, row: str, f: str) -> str:
    """What the rows of a source that cannot be used say in a field; `table` was read leniently."""
    return (
        f"INSERT INTO lost_ids SELECT {literal(file)}, {row}, {literal(record)}, {literal(f)}, {name(f)} FROM {name(table)}"
        f" WHERE skip = 4 AND {name(f)} IS NOT NULL"
    )


def bare(key: str) -> str:
    """A key without what systems change in it on the way: blanks, signs that are not seen, capitals, sorts of dash, zeros in front."""
    for pattern, put in ((r"[\s\pZ\pC]", ""), (r"\p{Pd}", "-"), (r"(^|[^0-9])0+([0-9])", r"\1\2"), (r"[.]0+$", "")):
        key = f"regexp_replace({key}, {literal(pattern)}, {literal(put)}, 'g')"
    return f"lower({key})"


def _nearly(table: str, key: str) -> str:
    """The records whose key, so reduced, is that of no other."""
    return f'SELECT min(rid) AS rid, min("row") AS at_row, {bare(name(key))} AS bare FROM {name(table)} GROUP BY ALL HAVING count(*) = 1'


def unusable_rows(made: str, record: str, links: Sequence[tuple[str, str, str, str]]) -> str:
    """Rows that cannot be used, each with the records that it names or nearly names; links as in `final`."""
    led = "".join(f", l{i}.rid AS {name('link__' + link)}" for i, (link, *_) in enumerate(links))
    joined = "".join(
        f' LEFT JOIN lost_ids i{i} ON i{i}.file = q.file AND i{i}."row" = q."row" AND i{i}.record = q.record AND i{i}.field = {literal(f)}'
        f" LEFT JOIN ({_nearly(to, key)}) l{i} ON l{i}.bare = {bare(f'i{i}.id')}"
        for i, (_, f, to, key) in enumerate(links)
    )
    return (
        f"CREATE TABLE {name(made)} AS SELECT row_number() OVER () - 1 AS rid{led}"
        f" FROM (SELECT * FROM quarantine WHERE record = {literal(record)} AND {_LOST}) q{joined}"
    )


def near(table: str, record: str, link: str, f: str, to: str, key: str, to_kind: str) -> tuple[str, ...]:
    """Columns with the record that a row nearly names by a link, and whether it belongs to nobody; and the first is told.

    Args:
      f: the field of the link; `to`, `key`: the table that it leads to, and the key there.
    """
    column, adrift, mine = name(f"link__{link}?"), name(f"adrift__{link}"), name(f"link__{link}")
    told = literal(f"names a {to_kind} record that is not there")
    return (
        f"ALTER TABLE {name(table)} ADD COLUMN {column} BIGINT",
        f"ALTER TABLE {name(table)} ADD COLUMN {adrift} BOOLEAN DEFAULT FALSE",
        # Only what names nobody is reduced: to reduce all the keys of a large table would take longer than to read it.
        f"UPDATE {name(table)} SET {column} = n.rid FROM (SELECT rid AS lost, {bare(name(f))} AS bare FROM {name(table)}"
        f" WHERE {mine} IS NULL AND {name(f)} IS NOT NULL) JOIN ({_nearly(to, key)}) n USING (bare) WHERE {name(table)}.rid = lost",
        f"UPDATE {name(table)} SET {adrift} = TRUE WHERE {mine} IS NULL AND {column} IS NULL AND rid IN (SELECT rid FROM quarantine"
        f" WHERE record = {literal(record)} AND field = {literal(f)})",
        f"UPDATE quarantine SET reason = concat(reason, ', and nearly the one in row ', o.\"row\", ': {NEARLY}') FROM {name(table)} t"
        f" JOIN {name(to)} o ON o.rid = t.{column} WHERE record = {literal(record)} AND field = {literal(f)} AND quarantine.rid = t.rid"
        f" AND reason = {told}",
    )


NEARLY = "blanks, capitals, dashes, zeros in front or signs that are not seen differ"


def n_near(table: str, link: str) -> str:
    """How many rows nearly name a record by a link, and how many belong to nobody by it."""
    return (
        f"SELECT count({name(f'link__{link}?')}), count(*) FILTER (WHERE {name(f'adrift__{link}')}) FROM {name(table)}"
    )


def n_without(table: str, link: str) -> str:
    """How many rows that cannot be used say of nobody by a link that they are theirs."""
    return f"SELECT count(*) FROM {name(table)} WHERE {name(f'link__{link}')} IS NULL"


def file_case(files: Mapping[int, str]) -> str:
    """The file of a row by its `src`."""
    if len(files) == 1:
        return literal(next(iter(files.values())))
    return "CASE src " + " ".join(f"WHEN {i} THEN {literal(f)}" for i, f in files.items()) + " END"


def drop_table(table: str) -> str:
    """Away with a table."""
    return f"DROP TABLE {name(table)}"


def drop_table_if_there(table: str) -> str:
    """Away with a table that may not have been made."""
    return f"DROP TABLE IF EXISTS {name(table)}"


def any_true(table: str, columns: Sequence[str]) -> str:
    """Which of the columns are true anywhere."""
    return f"SELECT {', '.join(f'coalesce(bool_or({name(c)}), FALSE)' for c in columns)} FROM {name(table)}"


def merged(made: str, table: str, key: str, fields: Sequence[str], doubts: Sequence[str]) -> str:
    """One row for each key: the first; a field in which the rows differ is NULL and in doubt."""
    found = f'min(rid) AS rid, arg_min(src, rid) AS src, arg_min("row", rid) AS "row", {name(key)}'
    listed = f'rid, src, "row", {name(key)}'
    for i, f in enumerate(x for x in fields if x != key):
        # Counting different values would keep all of them.
        found += f", min({name(f)}) AS v{i}, count({name(f)}) IN (0, count(*)) AND min({name(f)}) IS NOT DISTINCT FROM max({name(f)})"
        found += f" AS same{i}" + (f", bool_or({name('doubt__' + f)}) AS doubt{i}" if f in doubts else "")
        listed += f", CASE WHEN same{i} THEN v{i} END AS {name(f)}"
        listed += f", NOT same{i}{f' OR doubt{i}' if f in doubts else ''} AS {name('doubt__' + f)}"
    return f"CREATE TABLE {name(made)} AS SELECT {listed} FROM (SELECT {found} FROM {name(table)} GROUP BY {name(key)})"


def repeats(table: str, key: str, fields: Sequence[str], record: str, files: str, column: str) -> str:
    """Rows whose key an earlier row bears, into the quarantine, with the fields in which they differ from it."""
    differing = ", ".join(
        f"CASE WHEN b.{name(f)} IS DISTINCT FROM o.{name(f)} THEN {literal(f)} END" for f in fields if f != key
    )
    differs = f"concat_ws(', ', {differing})" if differing else "''"
    return (
        f"INSERT INTO quarantine SELECT {files}, \"row\", {literal(record)}, o_rid, '', {literal(column)}, {name(key)},"
        f" CASE WHEN d = '' THEN concat('stands on row ', o_row, ' already, with the same content')"
        f" ELSE concat('stands on row ', o_row, ' already, and differs in ', d, '; these fields are not used') END"
        f' FROM (SELECT b.*, {differs} AS d, o.rid AS o_rid, o."row" AS o_row FROM {name(table)} b'
        f" JOIN (SELECT * FROM {name(table)} QUALIFY row_number() OVER (PARTITION BY {name(key)} ORDER BY rid) = 1) o"
        f" ON o.{name(key)} = b.{name(key)} AND o.rid < b.rid)"
    )


def of_first(table: str, key: str, record: str) -> str:
    """Entries of the quarantine about cells of a row become those of the first row with its key."""
    first = f"min(rid) OVER (PARTITION BY {name(key)}) AS first_rid"
    return (
        f"UPDATE quarantine SET rid = o.first_rid FROM (SELECT rid, {first} FROM {name(table)}) o"
        f" WHERE record = {literal(record)} AND field <> '' AND quarantine.rid = o.rid AND o.rid > o.first_rid"
    )


def _apart(table: str, key: str, fields: Sequence[str]) -> str:
    # By what stands in them, so that the order of rows makes no other keys.
    content = ", ".join(name(f) for f in fields if f != key)
    order = f"{content}, {REST}" if content else REST
    return f"(SELECT *, dense_rank() OVER (PARTITION BY {name(key)} ORDER BY {order}) AS n FROM {name(table)})"


def n_apart(table: str, key: str, fields: Sequence[str]) -> str:
    """How many rows differ in content from another one with the same key, but for the first; and the row of the first of these."""
    return f'SELECT count(DISTINCT ({name(key)}, n)), min("row") FROM {_apart(table, key, fields)} WHERE n > 1'


def told_apart(table: str, key: str, fields: Sequence[str]) -> str:
    """Rows with the same key and another content, given keys of their own."""
    own = f"CASE WHEN n > 1 THEN concat({name(key)}, ' (', n, ')') ELSE {name(key)} END AS {name(key)}"
    rows = _apart(table, key, fields)
    return f"CREATE OR REPLACE TABLE {name(table)} AS SELECT * EXCLUDE (n) REPLACE ({own}) FROM {rows} ORDER BY rid"


def without_rest(table: str) -> str:
    """The column of what else stands in a row, away."""
    return f"ALTER TABLE {name(table)} DROP COLUMN {REST}"


def listed(table: str, columns: Sequence[str]) -> str:
    """The rows of a kind, with these of its columns."""
    return f'SELECT rid, src, "row", {", ".join(map(name, columns))} FROM {name(table)}'


def final(table: str, select: str, links: Sequence[tuple[str, str, str, str]]) -> str:
    """A kind's table. Each link: its name, its field here, the table and the key that it leads to."""
    if not links:
        return f"CREATE TABLE {name(table)} AS {select}"
    led = "".join(f", l{i}.rid AS {name('link__' + link)}" for i, (link, *_) in enumerate(links))
    joined = "".join(
        f" LEFT JOIN {name(to)} l{i} ON l{i}.{name(key)} = b.{name(f)}" for i, (_, f, to, key) in enumerate(links)
    )
    return f"CREATE TABLE {name(table)} AS SELECT b.*{led} FROM ({select}) b{joined}"


def orphans(table: str, record: str, files: str, link: str, f: str, column: str, to: str) -> str:
    """Rows whose link leads to nobody, into the quarantine."""
    return (
        f'INSERT INTO quarantine SELECT {files}, "row", {literal(record)}, rid, {literal(f)}, {literal(column)}, {name(f)},'
        f" {literal(f'names a {to} record that is not there')} FROM {name(table)}"
        f" WHERE {name(f)} IS NOT NULL AND {name('link__' + link)} IS NULL"
    )


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


_SHAPE = ((r"\p{N}", "9"), (r"\p{Lu}", "A"), (r"[\p{Ll}\p{Lt}\p{Lm}\p{Lo}\p{M}]", "a"), (r"[^ -~]", "?"))
"""What each character of a cell is shown as; blanks and signs stay."""


def shapes() -> str:
    """In the quarantine, of what stands in a cell its shape alone: `9999-99-99`, `Aaaa Aaaa`."""
    shape = "value"
    for characters, shown in _SHAPE:
        shape = f"regexp_replace({shape}, {literal(characters)}, {literal(shown)}, 'g')"
    return f"UPDATE quarantine SET value = {shape}"


LEFT_OUT = "SELECT current_setting('disabled_optimizers')"
JOINS = "join_order,build_side_probe_side"
"""What makes joins otherwise than they are written."""
DOUBTED = "SELECT DISTINCT record, field FROM quarantine WHERE field <> '' AND rid IS NOT NULL ORDER BY ALL"
SERVICES = "SELECT DISTINCT kind FROM t_agency WHERE kind IS NOT NULL ORDER BY kind"
NAMED = "SELECT DISTINCT name FROM t_agency WHERE name <> '' ORDER BY name"
N_QUARANTINED = "SELECT count(*) FROM quarantine"
N_REPEATED = "SELECT file, record, count(*) FROM quarantine WHERE field = '' AND rid IS NOT NULL GROUP BY file, record"
QUARANTINED = (
    'SELECT file, "row", record, field, "column", coalesce(value, \'\'), reason FROM quarantine'
    ' ORDER BY file, "row", record, field, reason'
)
FOLDED = (
    'SELECT file, record, field, "column", reason, count(*), min("row"),'
    " to_json(list_slice(list_sort("
    "list(DISTINCT value) FILTER (WHERE value IS NOT NULL)), 1, 3))"
    " FROM (SELECT * REPLACE (regexp_replace(regexp_replace(regexp_replace(reason, 'row [0-9]+ already', 'another row already'),"
    " 'nearly the one in row [0-9]+', 'nearly another'), 'reported as .*', 'reported by its row') AS reason) FROM quarantine)"
    ' GROUP BY file, record, field, "column", reason ORDER BY file, record, min("row"), field, reason'
)


def examples(listed: str | None) -> list[str]:
    """The values of a folded line."""
    return [str(v) for v in json.loads(listed or "[]") or []]
