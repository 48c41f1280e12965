"""An export into the engine: which file is which record kind, translated and checked there, row by row nothing (I/O: the export).

Tables made: `t_<kind>` (`rid`, `src`, `row`, the fields, `doubt__<field>` where a field is in doubt somewhere, `link__<link>` with the
parent's `rid`), and `quarantine` with everything that did not fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.engine.sidebyside import execute_all, run_jobs, workers
from compliance.errors import DataError, nearest
from compliance.model import Link, Quarantined, RecordKind, RecordKinds, Source, Table, Tables
from compliance.records import reading
from compliance.records.mapping import Column, SourceOf, plain
from compliance.records.mapping import Mapping as ExportMapping
from compliance.records.reading import Empty, Sheet, Workbook
from compliance.sql import loading as sql
from compliance.sql import privacy as hashing
from compliance.sql.text import literal, name

if TYPE_CHECKING:
    import duckdb

    from compliance.engine.sidebyside import Job

OWN_FILES = ("mapping.yaml", "parameters.yaml", "mapping.yml")
"""Files beside the data that are ours to read."""


OURS = ExportMapping(())
"""What the columns of our own files mean: what they are called."""


@dataclass
class Loaded:
    """One source in the engine, not yet joined with the others of its kind."""

    kind: RecordKind
    source: SourceOf
    sheet: Sheet
    table: str
    cells: tuple[sql.Cell, ...]
    constants: Mapping[str, str]
    counts: tuple[Any, ...] = ()
    rows: int = 0
    bad: int = 0
    keyless: int = 0
    repeated: int = 0
    lacking: list[str] = field(default_factory=list)
    offset: int = 0

    @property
    def shown(self) -> str:
        """File and sheet as reports name them."""
        return self.sheet.file + (f" [{self.sheet.sheet}]" if self.sheet.sheet else "")

    @property
    def row(self) -> str:
        """SQL of the row's number."""
        return sql.row_number(self.sheet.numbered)

    @property
    def fields(self) -> list[str]:
        """The fields that it supplies."""
        return [*(c.field.name for c in self.cells), *self.constants]

    @property
    def required(self) -> list[str]:
        """Required fields that it supplies, but for the key."""
        return [f for f in self.fields if self.kind.fields[f].required and f != self.kind.key]

    def column(self, f: str) -> str:
        """What the export calls a field."""
        return next((c.column for c in self.cells if c.field.name == f), "")


@dataclass
class Files:
    """The export's files; each is read once for every header row that is asked for."""

    folder: Path
    paths: Mapping[str, Path]
    only: Path | None
    encoding: str
    delimiter: str
    scratch: Path
    books: dict[Path, Workbook] = field(default_factory=dict)
    read: dict[tuple[Path, str, int, bool], Sheet] = field(default_factory=dict)

    def path(self, file: str, sheet: str) -> Path | None:
        """The file of this name, whatever its case; without a name: the only one, or the CSV file that is called as the sheet is."""
        if file:
            return next((p for n, p in self.paths.items() if n.lower() == file.lower()), None)
        return self.only or next((p for p in self.paths.values() if is_sheet(p, sheet)), None)

    def sheets(self, path: Path) -> list[str]:
        """The sheets of a workbook; of a CSV file: one without a name."""
        if path.suffix.lower() == ".csv":
            return [""]
        if path not in self.books:
            self.books[path] = Workbook(path)
        return self.books[path].sheets

    def sheet(self, path: Path, sheet: str, header: int, as_it_is: bool = True) -> Sheet:
        """One of them, read."""
        key = (path, sheet, header, as_it_is)
        if key not in self.read:
            if path.suffix.lower() == ".csv":
                self.read[key] = reading.read_csv(path, self.encoding, self.delimiter, header, self.scratch, as_it_is)
            else:
                self.sheets(path)
                self.read[key] = self.books[path].read(sheet, header, self.scratch)
        return self.read[key]


def load_tables(
    con: duckdb.DuckDBPyConnection,
    data: Path,
    mapping: ExportMapping | None,
    kinds: RecordKinds,
    scratch: Path,
    threads: int = 0,
    personal: bool = False,
) -> Tables:
    """Reads, translates and checks an export.

    Args:
      personal: tell of personal cells that do not fit what stands in them.
      mapping: None: files and columns bear the names of record kinds and fields.
      threads: how many files are read at a time; 0: as many as are good.

    Raises:
      DataError: there is nothing to read, or a file cannot be read.
    """
    folder, paths, others = reading.export_files(data)
    answers = [p for p in paths if reading.answered(p) in kinds]
    paths = [p for p in paths if p not in answers]
    by_name = {p.name: p for p in paths}
    given = mapping or ExportMapping(())
    files = Files(folder, by_name, paths[0] if len(paths) == 1 else None, given.encoding, given.delimiter, scratch)
    notes: list[str] = []
    absent: dict[str, str] = {}
    if mapping is None:
        wanted = _by_names(files, kinds, notes, absent)
    else:
        wanted = _by_mapping(files, mapping, notes, absent)
        unused = {plain(u) for u in mapping.unused}
        notes += [f"{p.name} is neither CSV nor XLSX; it was not read." for p in others if _stray(p, unused)]
    ours = Files(folder, {p.name: p for p in answers}, None, "utf-8-sig", ",", scratch)
    notes += [f"{absent[k]}; only {p.name} was read." for p in answers if (k := reading.answered(p)) in absent]
    each = [(files, given, *its) for its in wanted] + [(ours, OURS, *its) for its in _answered(ours, kinds, absent)]
    con.execute(sql.QUARANTINE)
    loaded: list[Loaded] = []
    jobs: list[Job] = []
    for i, (of, meaning, source, sheet, path) in enumerate(each):
        one = _prepared(source, sheet, meaning, kinds, f"s_{i}", notes, absent, personal)
        if one is not None:
            jobs.append(partial(_read, one=one, files=of, path=path, empty=meaning.empty))
            loaded.append(one)
    n_at_a_time = workers(threads)
    run_jobs(con, jobs, n_at_a_time)
    if not loaded:
        told = "\n    ".join(f"{kind}: {why}" for kind, why in sorted(absent.items())) or "\n    ".join(notes)
        raise DataError(f"Nothing in {data} could be read as records.{'' if not told else f'{chr(10)}    {told}'}")
    for one in loaded:
        absent.pop(one.source.record, None)
    _count(loaded, notes)
    return _joined(con, loaded, kinds, absent, notes, given.empty, n_at_a_time)


def _stray(path: Path, unused: set[str]) -> bool:
    return (
        path.name.lower() not in OWN_FILES
        and plain(path.name) not in unused
        and path.suffix.lower() not in (".yaml", ".yml")
    )


def is_sheet(path: Path, sheet: str) -> bool:
    """Whether a CSV file is a sheet that was saved by itself."""
    return path.suffix.lower() == ".csv" and plain(path.stem) == plain(sheet)


# --- which file is what ---------------------------------------------------------------------------------------------

Wanted = list[tuple[SourceOf, Sheet, Path]]


def _by_names(files: Files, kinds: RecordKinds, notes: list[str], absent: dict[str, str]) -> Wanted:
    """Files and sheets named after record kinds."""
    names = {plain(k): k for k in kinds.kinds}
    wanted: Wanted = []
    for file, path in files.paths.items():
        for sheet in files.sheets(path):
            label = sheet or path.stem
            kind = names.get(plain(label))
            shown = f"{file} [{sheet}]" if sheet else file
            if kind is None:
                near = nearest(label, kinds.kinds)
                notes.append(f"{shown} was not read: its name is no record kind{near}. A mapping can say what it is.")
                continue
            try:
                read = files.sheet(path, sheet, 1)
            except Empty:
                absent[kind] = f"{shown} is empty: it has not even a header"
                continue
            columns = {f: Column((f,)) for f in kinds[kind].fields}
            wanted.append((SourceOf(kind, file, sheet, columns), read, path))
    return wanted


def _answered(files: Files, kinds: RecordKinds, absent: dict[str, str]) -> Wanted:
    """Files in which `data import` keeps answers; their columns bear the names of fields, whatever the mapping."""
    wanted: Wanted = []
    for path in files.paths.values():
        kind = reading.answered(path)
        try:
            read = files.sheet(path, "", 1)
        except Empty:
            absent[kind] = f"{path.name} is empty: it has not even a header"
            continue
        wanted.append((SourceOf(kind, path.name, "", {f: Column((f,)) for f in kinds[kind].fields}), read, path))
    return wanted


def _by_mapping(files: Files, mapping: ExportMapping, notes: list[str], absent: dict[str, str]) -> Wanted:
    wanted: Wanted = []
    used: set[tuple[str, str]] = set()
    for source in mapping.sources:
        path = files.path(source.file, source.sheet)
        if path is None:
            what = source.file or source.sheet
            absent[source.record] = f"the export has no file {what}{nearest(what, files.paths)}"
            continue
        sheets = files.sheets(path)
        sheet = source.sheet or (sheets[0] if len(sheets) == 1 else "")
        found = next((s for s in sheets if plain(s) == plain(sheet) or is_sheet(path, sheet)), None)
        if found is None:
            asked = f"no sheet '{sheet}'" if sheet else "several sheets, and the mapping names none"
            absent[source.record] = f"{path.name} has {asked}{nearest(sheet, sheets)}"
            continue
        used.add((path.name, found))
        try:
            read = files.sheet(path, found, source.header)
        except Empty:
            shown = f"{path.name} [{found}]" if found else path.name
            absent[source.record] = f"{shown} is empty: it has not even a header"
            continue
        wanted.append((source, read, path))
    unused = {plain(u) for u in mapping.unused}
    for file, path in files.paths.items():
        for sheet in files.sheets(path):
            if (file, sheet) not in used and not {plain(file), plain(sheet)} & unused:
                notes.append(f"{f'{file} [{sheet}]' if sheet else file} was not read: the mapping does not mention it.")
    _columns_unread(wanted, unused, notes)
    return wanted


def _columns_unread(wanted: Wanted, unused: set[str], notes: list[str]) -> None:
    read: dict[tuple[str, str], tuple[Sheet, set[str]]] = {}
    for source, sheet, _ in wanted:
        _, names = read.setdefault((sheet.file, sheet.sheet), (sheet, set()))
        for column in source.columns.values():
            names.update(plain(n) for n in column.names)
        if source.only_where:
            names.add(plain(source.only_where[0]))
    for (file, name_), (sheet, names) in read.items():
        left = [c for c in sheet.header if c and plain(c) not in names | unused]
        shown = f"{file} [{name_}]" if name_ else file
        if left and len(left) == sum(map(bool, sheet.header)):
            notes.append(_no_header(shown, len(left)))
        elif left:
            notes.append(f"{shown}: nothing reads the column{'s' * (len(left) > 1)} {', '.join(left)}.")


def _no_header(shown: str, n: int) -> str:
    """Of a row in which no column is known, which may be a record's: its cells are not told."""
    return f"{shown}: none of its {n:,} columns is known; does its first row hold their names?"


# --- one source -----------------------------------------------------------------------------------------------------


def _prepared(
    source: SourceOf,
    sheet: Sheet,
    mapping: ExportMapping,
    kinds: RecordKinds,
    table: str,
    notes: list[str],
    absent: dict[str, str],
    personal: bool,
) -> Loaded | None:
    kind = kinds[source.record]
    shown = f"{sheet.file} [{sheet.sheet}]" if sheet.sheet else sheet.file
    by_names = not mapping.sources
    cells: list[sql.Cell] = []
    for f, column in sorted(source.columns.items(), key=lambda c: bool(c[1].fields)):
        raw = _of_fields(column, cells) if column.fields else _raw(column, sheet, mapping.empty, shown)
        if raw is None:
            if not by_names and not column.fields:
                notes.append(f"{shown}: no column {' or '.join(repr(n) for n in column.names)} for {kind.name}.{f}.")
            continue
        text, called = raw
        dates = column.dates or mapping.dates
        like = (column.codes, dates, column.split, column.fields, column.strip)
        cells.append(sql.Cell(kind.fields[f], text, called, *like, hidden=kind.fields[f].personal and not personal))
    if by_names:
        known = {plain(f) for f in kind.fields}
        left = [c for c in sheet.header if c and plain(c) not in known]
        if left and len(left) == sum(map(bool, sheet.header)):
            notes.append(_no_header(shown, len(left)))
            left = []
        for c in left:
            notes.append(f"{shown}: nothing reads the column {c}{nearest(c, kind.fields)}")
    if not any(c.field.name == kind.key for c in cells):
        key = source.columns[kind.key].fields or (kind.key,)
        lacking = " and ".join(f for f in key if not any(c.field.name == f for c in cells))
        absent[kind.name] = f"{shown} has no column for {lacking}, which names a {kind.name} record"
        return None
    constants = {f: sql.constant(kind.fields[f], v) for f, v in source.set.items()}
    return Loaded(kind, source, sheet, table, tuple(cells), constants)


def _position(sheet: Sheet, column: str, shown: str) -> int | None:
    found = sheet.position(column)
    if len(found) > 1:
        raise DataError(f"{shown} has {len(found)} columns called '{column}'; rename all but one in the export.")
    return found[0] if found else None


def _raw(column: Column, sheet: Sheet, empty: tuple[str, ...], shown: str) -> tuple[str, str] | None:
    """SQL of the cleaned text, and what the export calls the column."""
    found = [(n, _position(sheet, n, shown)) for n in column.names]
    there = {n: at for n, at in found if at is not None}
    if column.template:
        if len(there) < len(set(column.names)):
            return None
        return sql.templated(column.template, {n: sql.cleaned(at, empty) for n, at in there.items()}), column.template
    for at in there.values():
        return sql.cleaned(at, empty), sheet.header[at]
    return None


def _of_fields(column: Column, cells: list[sql.Cell]) -> tuple[str, str] | None:
    """The columns of the fields that a field is made of; none if one of them is not there."""
    called = {c.field.name: c.column for c in cells}
    return ("", " + ".join(called[f] for f in column.fields)) if called.keys() >= set(column.fields) else None


def _statement(one: Loaded, empty: tuple[str, ...], listing: bool = False) -> str:
    sheet, source = one.sheet, one.source
    scanned = sql.scan(str(sheet.path), sheet.delimiter, len(sheet.header), sheet.numbered)
    where = ""
    if source.only_where:
        at = _position(sheet, source.only_where[0], one.shown)
        if at is None:
            raise DataError(f"{one.shown} has no column '{source.only_where[0]}', by which the mapping picks its rows.")
        cell = sql.cleaned(at, empty)
        where = f"lower({cell}) IN ({', '.join(literal(v.strip().lower()) for v in source.only_where[1])})"
    key = name("v_" + one.kind.key)
    if_ = [name("v_" + f) for f in source.only_if if f in {c.field.name for c in one.cells}]
    skip = sql.skipped(key, len(sheet.header), where, if_)
    table = f"{one.table}_bad" if listing else one.table
    width, typed = len(sheet.header), sheet.sheet != ""
    return sql.source(table, scanned, one.cells, one.constants, skip, width, sheet.numbered, typed, listing)


def _read(con: duckdb.DuckDBPyConnection, one: Loaded, files: Files, path: Path, empty: tuple[str, ...]) -> None:
    """Into the engine. A file that the engine does not take as it is, is looked at row by row to say which rows and why."""
    import duckdb

    try:
        con.execute(_statement(one, empty))
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        try:
            if not one.sheet.numbered:
                one.sheet = files.sheet(path, "", one.source.header, as_it_is=False)
            con.execute(_statement(one, empty))
        except (duckdb.InvalidInputException, duckdb.ConversionException):
            # The engine quotes the row.
            raise DataError(f"{one.shown} cannot be read: a row of it is longer than any record, or no text.") from None
    counts = con.execute(sql.counted(one.table, one.kind.key, one.required)).fetchone()
    assert counts is not None
    one.counts = counts
    if one.sheet.ragged:
        con.execute(sql.rejected(one.shown, one.source.record, one.sheet.ragged))


# --- all sources of a kind together ---------------------------------------------------------------------------------


def _count(loaded: list[Loaded], notes: list[str]) -> None:
    """How many rows each source gave, and what was left out."""
    offsets: dict[str, int] = {}
    for one in loaded:
        total, blank, elsewhere, empty, bad, keyless, repeated, lacking = one.counts
        one.rows, one.bad, one.keyless, one.repeated = total - blank - elsewhere - empty, bad, keyless, repeated
        one.lacking = [f for f, n in zip(one.required, lacking, strict=True) if n]
        one.offset = offsets.get(one.kind.name, 0)
        offsets[one.kind.name] = one.offset + total
        blank += one.sheet.blank
        if blank:
            notes.append(f"{one.shown}: {_rows(blank)} without any content.")
        if elsewhere:
            notes.append(f"{one.shown}: {_rows(elsewhere)} left out of {one.kind.name} by only_where.")
        if empty:
            notes.append(f"{one.shown}: {_rows(empty)} left out of {one.kind.name} by only_if.")


def _rows(n: int) -> str:
    return f"{n:,} {'row' if n == 1 else 'rows'}"


@dataclass
class Gathered:
    """The records of one kind before their links are followed."""

    kind: RecordKind
    sources: list[Loaded]
    view: str
    fields: list[str]
    doubts: list[str]

    def column(self, f: str) -> str:
        """What the export calls a field."""
        return next((c for c in (s.column(f) for s in self.sources) if c), f)


def _joined(
    con: duckdb.DuckDBPyConnection,
    loaded: list[Loaded],
    kinds: RecordKinds,
    absent: dict[str, str],
    notes: list[str],
    empty: tuple[str, ...],
    n_at_a_time: int,
) -> Tables:
    shown = [one.shown for one in loaded]
    files = sql.file_case(shown)
    gathered = {k: _gathered(con, kinds[k], loaded, empty) for k in dict.fromkeys(one.kind.name for one in loaded)}
    _without_repeats(con, gathered, files)
    for g in gathered.values():
        _required(con, g, files)
    tables: dict[str, Table] = {}
    followed = {
        k: [x for x in g.kind.links.values() if x.to in gathered and x.field in g.fields] for k, g in gathered.items()
    }
    finals = []
    for k, g in gathered.items():
        links = [(x.name, x.field, gathered[x.to].view, gathered[x.to].kind.key) for x in followed[k]]
        finals.append(sql.final(f"t_{k}", g.view, [*g.fields, *(f"doubt__{f}" for f in g.doubts)], links))
    execute_all(con, finals, n_at_a_time)
    _orphans(con, gathered, followed, files)
    doubted = {k: set(g.doubts) for k, g in gathered.items()}
    for record, f in con.execute(sql.DOUBTED).fetchall():
        if f != kinds[record].key:
            doubted[record].add(f)
            for statement in sql.add_doubt(f"t_{record}", record, f):
                con.execute(statement)
    n_of = {k: sum(one.rows for one in g.sources) for k, g in gathered.items()}
    for k, g in gathered.items():
        if g.view.startswith("m_"):
            n_of[k] = _number(con, sql.n_rows(f"t_{k}"))
        links_ = frozenset(x.name for x in followed[k])
        tables[k] = Table(n_of[k], frozenset(g.fields), frozenset(doubted[k]), links_)
    con.execute("".join(sql.drop(one.table, g.view) for g in gathered.values() for one in g.sources))
    sources = tuple(Source(one.sheet.file, one.sheet.sheet, one.kind.name, one.rows) for one in loaded)
    services = frozenset[str]()
    if "agency" in tables and "kind" in tables["agency"].columns:
        services = frozenset(str(kind) for (kind,) in con.execute(sql.SERVICES).fetchall())
    n_bad = _number(con, sql.N_QUARANTINED)
    without = frozenset(k for k, n in n_of.items() if not n)
    covers = {k: _covers(g.sources) for k, g in gathered.items()}
    whole = {k: c for k, c in covers.items() if c is not None}
    return Tables(tables, sources, absent, tuple(dict.fromkeys(notes)), n_bad, services, without, whole)


def _covers(sources: list[Loaded]) -> tuple[date, date] | None:
    """The days whose events all sources of a kind hold; None: there is no end to them."""
    its = [s.source.covers for s in sources if s.source.covers is not None]
    days = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in its]
    return (max(first for first, _ in days), min(last for _, last in days)) if days else None


def _number(con: duckdb.DuckDBPyConnection, asked: str) -> int:
    row = con.execute(asked).fetchone()
    assert row is not None
    return int(row[0])


def _gathered(
    con: duckdb.DuckDBPyConnection, kind: RecordKind, loaded: list[Loaded], empty: tuple[str, ...]
) -> Gathered:
    its = [one for one in loaded if one.kind is kind]
    fields = [f for f in kind.fields if any(f in one.fields for one in its)]
    # A field that only some of the sources have is not empty in the others: nobody can tell.
    doubts = [f for f in fields if any(f not in one.fields for one in its)]
    selects = []
    for one in its:
        columns = [(f, name(f) if f in one.fields else sql.constant(kind.fields[f], None)) for f in fields]
        columns += [(f"doubt__{f}", literal(f not in one.fields)) for f in doubts]
        src = loaded.index(one)
        own_key = f"concat('row-', {one.row})" if len(its) == 1 else f"concat('source-{src + 1}-row-', {one.row})"
        selects.append(sql.base(one.table, one.offset, src, kind.key, own_key, one.row, columns))
        if one.keyless:
            column = one.column(kind.key)
            con.execute(sql.no_key(one.table, one.offset, one.shown, kind.name, one.row, kind.key, column, own_key))
        if one.bad:
            called = {c.field.name: c.column for c in one.cells}
            reasons = {c.field.name: sql.reason(c) for c in one.cells}
            listed = f"{one.table}_bad"
            con.execute(_statement(one, empty, listing=True))
            con.execute(sql.bad_cells(listed, one.offset, one.shown, kind.name, one.row, called, reasons))
            con.execute(sql.drop_table(listed))
    view = f"b_{kind.name}"
    con.execute(sql.view(view, " UNION ALL ".join(selects)))
    return Gathered(kind, its, view, fields, doubts)


def _without_repeats(con: duckdb.DuckDBPyConnection, gathered: Mapping[str, Gathered], files: str) -> None:
    for k, g in gathered.items():
        if len(g.sources) == 1:
            n = g.sources[0].repeated
        else:
            n = _number(con, sql.repeated(g.view, g.kind.key))
        if not n:
            continue
        con.execute(sql.repeats(g.view, g.kind.key, g.fields, k, files, g.column(g.kind.key)))
        merged = f"m_{k}"
        con.execute(sql.temporary(merged, sql.merged(g.view, g.kind.key, g.fields, g.doubts)))
        others = [f for f in g.fields if f != g.kind.key]
        found = con.execute(sql.any_true(merged, [f"doubt__{f}" for f in others])).fetchone() if others else ()
        g.doubts = [f for f, doubt in zip(others, found or (), strict=True) if doubt]
        g.view = merged


def _required(con: duckdb.DuckDBPyConnection, g: Gathered, files: str) -> None:
    for f in dict.fromkeys(f for one in g.sources for f in one.lacking):
        con.execute(sql.empty_required(g.view, g.kind.name, files, f, g.column(f)))


def _orphans(
    con: duckdb.DuckDBPyConnection,
    gathered: Mapping[str, Gathered],
    followed: Mapping[str, list[Link]],
    files: str,
) -> None:
    every = [(k, x) for k, links in followed.items() for x in links]
    if not every:
        return
    asked = " UNION ALL ".join(sql.n_orphans(i, f"t_{k}", x.field, x.name) for i, (k, x) in enumerate(every))
    for i, n in con.execute(asked).fetchall():
        if n:
            k, x = every[i]
            column = gathered[k].column(x.field)
            con.execute(sql.orphans(f"t_{k}", k, files, x.name, x.field, column, x.to))


# --- pseudonyms -----------------------------------------------------------------------------------------------------


def pseudonymised(
    con: duckdb.DuckDBPyConnection, tables: Tables, kinds: RecordKinds, pads: Mapping[str, bytes]
) -> Tables:
    """Puts pseudonyms in the place of all ids; from here on the engine knows no other, so nothing that is told can hold one.

    Args:
      pads: the keys of the two hashes.
    """
    made = {}
    for k, table in tables.tables.items():
        fields = [f for f in kinds[k].fields.values() if f.kind_in and f.name in table.columns]
        # Where nothing says of which kind it is, it is nobody's.
        of_any = {f.name: f.kind_in if f.kind_in in table.columns else f.name for f in fields}
        con.execute(hashing.pseudonymised(f"t_{k}", kinds[k].key, _ids(kinds[k], table), of_any), pads)
        made[k] = replace(table, order=hashing.ORDER)
    if tables.n_quarantined:
        told = [(k, f, of) for k, t in tables.tables.items() for f, of in _ids(kinds[k], t).items()]
        # A row that stands there as a whole stands there by its key.
        con.execute(hashing.quarantine([*told, *((k, "", k) for k in tables.tables)]), pads)
    return replace(tables, tables=made)


def turned_back(
    con: duckdb.DuckDBPyConnection,
    tables: Tables,
    kinds: RecordKinds,
    pads: Mapping[str, bytes],
    pseudonyms: Collection[str],
) -> dict[str, str]:
    """The ids of an export whose pseudonyms these are; those of other exports are left out."""
    ids = [(f"t_{k}", f, of) for k, t in tables.tables.items() for f, of in _ids(kinds[k], t).items()]
    if not ids or not pseudonyms:
        return {}
    return dict(con.execute(hashing.turned_back(ids), {**pads, "wanted": sorted(pseudonyms)}).fetchall())


def _ids(kind: RecordKind, table: Table) -> dict[str, str]:
    return {f.name: f.id_of for f in kind.fields.values() if f.id_of and f.name in table.columns}


# --- what did not fit -----------------------------------------------------------------------------------------------


def quarantined(con: duckdb.DuckDBPyConnection) -> Iterator[Quarantined]:
    """Everything that did not fit, by file and row."""
    result = con.cursor().execute(sql.QUARANTINED)
    while rows := result.fetchmany(10_000):
        for row in rows:
            yield Quarantined(*row)


def folded(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Everything that did not fit, a line for all that is equal: where, how often, examples."""
    lines = []
    for file, record, f, column, why, n, first, listed in con.execute(sql.FOLDED).fetchall():
        values = ", ".join(f"'{v[:40]}'" for v in sql.examples(listed))
        called = f", column {column}" if column else ""
        what = f"{record}.{f}" if f else record
        times = f"row {first}" if n == 1 else f"{n:,} times, first in row {first}"
        lines.append(f"{file}{called} ({what}): {why}; {times}{f'; such as {values}' if values else ''}")
    return lines
