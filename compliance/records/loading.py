"""An export into the engine: which file is which record kind, translated and checked there, row by row nothing (I/O: the export).

Tables made: `t_<kind>` (`rid`, `src`, `row`, the fields, `doubt__<field>` where a field is in doubt somewhere, `link__<link>` with the
parent's `rid`; where a link leads to nobody in some row, `link__<link>?` with the record that it nearly names and `adrift__<link>`),
`t_<kind>?` with the links of rows that cannot be used, and `quarantine` with everything that did not fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.engine.sidebyside import run_jobs, workers
from compliance.errors import DataError, nearest
from compliance.files.names import readable
from compliance.model import Link, Quarantined, RecordKind, RecordKinds, Source, Table, Tables
from compliance.records import reading
from compliance.records.mapping import Column, SourceOf, Where, is_pattern, plain
from compliance.records.mapping import Mapping as ExportMapping
from compliance.records.reading import Empty, Layout, Sheet, Workbook
from compliance.sql import loading as sql
from compliance.sql import privacy as hashing
from compliance.sql.duckdb import LEAVE_OUT
from compliance.sql.text import literal, name

if TYPE_CHECKING:
    from compliance.engine.database import Connection

OWN_FILES = ("mapping.yaml", "parameters.yaml", "mapping.yml", "readme.txt")
"""Files beside the data that are ours to read, or to write."""


OURS = ExportMapping(())
"""What the columns of our own files mean: what they are called."""


@dataclass
class Loaded:
    """One source, and what came of it.

    Args:
      src: its place among all sources.
      again: the sheet, looked at row by row to say which rows the engine does not take, and why.
      made_on: the day on which the export was made, YYYY-MM-DD; empty: not known.
      key_made_up: the mapping makes its keys of several columns, for the export numbers no rows; they may be too few.
      total: rows that the engine had of it; `rows`: those of them that are records.
      blank, elsewhere, unasked, unusable: those that are blank, left out by `only_where` or `skip_where` and by `only_if`, and that are
        told as such that cannot be used.
    """

    kind: RecordKind
    source: SourceOf
    sheet: Sheet
    src: int
    cells: tuple[sql.Cell, ...]
    constants: Mapping[str, str]
    empty: tuple[str, ...]
    again: Callable[[], Sheet]
    made_on: str = ""
    key_made_up: bool = False
    rows: int = 0
    total: int = 0
    blank: int = 0
    elsewhere: int = 0
    unasked: int = 0
    unusable: int = 0

    @property
    def shown(self) -> str:
        """File and sheet as reports name them."""
        return self.sheet.file + (f" [{self.sheet.sheet}]" if self.sheet.sheet else "")

    @property
    def file(self) -> sql.File:
        """What the engine reads."""
        its = self.sheet
        return sql.File(
            str(its.path),
            its.delimiter,
            len(its.header),
            its.numbered,
            its.trimmed,
            its.marked,
            self.empty,
            its.unknown,
        )

    @property
    def fields(self) -> list[str]:
        """The fields that it supplies."""
        return [*(c.field.name for c in self.cells), *self.constants]

    def column(self, f: str) -> str:
        """What the export calls a field."""
        return next((c.column for c in self.cells if c.field.name == f), "")


@dataclass
class Gathered:
    """The records of one kind, from all its sources.

    Args:
      fields: those that any source supplies; `doubts`: those that are in doubt somewhere.
      links: those that lead to a kind that the export has.
      rows: how many.
      notes: what a person should know of them.
    """

    kind: RecordKind
    sources: list[Loaded]
    fields: list[str]
    doubts: list[str]
    links: list[Link]
    rows: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def keys_made_up(self) -> bool:
        """Whether rows that differ may bear the same key, because a mapping made it."""
        return any(one.key_made_up for one in self.sources)

    @property
    def table(self) -> str:
        """Where they are in the end."""
        return f"t_{self.kind.name}"

    @property
    def files(self) -> str:
        """SQL of the file of a row."""
        return sql.file_case({one.src: one.shown for one in self.sources})

    @property
    def columns(self) -> list[str]:
        """Those of the table, but for row and links."""
        return [*self.fields, *(f"doubt__{f}" for f in self.doubts)]

    def column(self, f: str) -> str:
        """What the export calls a field."""
        return next((c for c in (s.column(f) for s in self.sources) if c), f)


@dataclass
class Files:
    """The export's files; each is read once for every header row that is asked for."""

    folder: Path
    paths: Mapping[str, Path]
    only: Path | None
    encoding: str
    delimiter: str
    scratch: Path
    meant: frozenset[str] = frozenset()
    books: dict[Path, Workbook] = field(default_factory=dict)
    read: dict[tuple[Path, str, Layout, bool], Sheet] = field(default_factory=dict)

    def named(self, file: str, sheet: str) -> list[Path]:
        """The files of this name or pattern; without a name: the only one, or the CSV files that are called as the sheet is."""
        if file:
            return [self.paths[n] for n in like(file, self.paths)]
        if self.only is not None:
            return [self.only]
        single = {p.stem: p for p in self.paths.values() if p.suffix.lower() == ".csv"}
        return [single[n] for n in like(sheet, single)]

    def sheets(self, path: Path) -> list[str]:
        """The sheets of a workbook; of a CSV file: one without a name."""
        if path.suffix.lower() == ".csv":
            return [""]
        if path not in self.books:
            self.books[path] = Workbook(path)
        return self.books[path].sheets

    def sheet(self, path: Path, sheet: str, header: int = 1, footer: int = 0, as_it_is: bool = True) -> Sheet:
        """One of them, read."""
        layout = Layout(header, footer, self.meant)
        key = (path, sheet, layout, as_it_is)
        if key not in self.read:
            if path.suffix.lower() == ".csv":
                self.read[key] = reading.read_csv(path, self.encoding, self.delimiter, layout, self.scratch, as_it_is)
            else:
                self.sheets(path)
                self.read[key] = self.books[path].read(sheet, layout, self.scratch)
        return self.read[key]


def load_tables(
    con: Connection,
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
    only = paths[0] if len(paths) == 1 else None
    files = Files(folder, by_name, only, given.encoding, given.delimiter, scratch, given.meant)
    notes: list[str] = []
    absent: dict[str, str] = {}
    if mapping is None:
        wanted = _by_names(files, kinds, notes, absent)
    else:
        wanted = _by_mapping(files, mapping, notes, absent)
    unused = {plain(u) for u in given.unused}
    notes += [_unread(p) for p in others if _stray(p, unused)]
    ours = Files(folder, {p.name: p for p in answers}, None, "utf-8-sig", ",", scratch)
    each = [(files, given, *its) for its in wanted] + [(ours, OURS, *its) for its in _answered(ours, kinds, absent)]
    loaded: list[Loaded] = []
    for of, meaning, source, sheet, path in each:
        again = partial(of.sheet, path, "", source.header, source.footer, as_it_is=False)
        one = _prepared(source, sheet, meaning, kinds, len(loaded), again, notes, absent, personal)
        if one is not None:
            loaded.append(one)
    _where_absent_is_empty(loaded, by_mapping=mapping is not None)
    gathered = {k: _gathered(kinds[k], loaded) for k in dict.fromkeys(one.kind.name for one in loaded)}
    con.execute(sql.QUARANTINE)
    con.execute(sql.LOST_IDS)
    _every_table(con, gathered, workers(threads))
    if not loaded:
        told = "\n    ".join(f"{kind}: {why}" for kind, why in sorted(absent.items())) or "\n    ".join(notes)
        raise DataError(f"Nothing in {data} could be read as records.{'' if not told else f'{chr(10)}    {told}'}")
    notes += [note for g in gathered.values() for note in g.notes]
    for k in sorted(gathered.keys() & absent.keys()):
        there = ", ".join(one.shown for one in gathered[k].sources)
        notes.append(f"{absent.pop(k)}; the {k} records are those of {there} alone.")
    for one in loaded:
        notes += _left_out(one)
    tables = _outcome(con, gathered, loaded, absent, notes)
    return tables if tables.services or not given.service else replace(tables, services=frozenset({given.service}))


def _stray(path: Path, unused: set[str]) -> bool:
    return (
        path.name.lower() not in OWN_FILES
        and plain(path.name) not in unused
        and path.suffix.lower() not in (".yaml", ".yml")
    )


def like(wanted: str, names: Iterable[str]) -> list[str]:
    """The one of these names that is meant, or all of a pattern with `*` and `?`; if none, once spaces and `_` are gone."""
    names = list(names)
    for bare in (str.lower, plain):
        # Brackets stand in names of files; here they mean nothing else.
        pattern = bare(wanted).replace("[", "[[]")
        if found := [n for n in names if bare(n) == bare(wanted)][:1] or [
            n for n in names if fnmatchcase(bare(n), pattern)
        ]:
            return found
    return []


def _unread(path: Path) -> str:
    """What is said of something beside the export's files that nobody reads."""
    if path.is_dir():
        return f"{readable(path.name)} is a folder; nothing in it was read."
    return f"{readable(path.name)} is neither CSV nor XLSX; it was not read."


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
                read = files.sheet(path, sheet)
            except Empty:
                absent[kind] = f"{shown} is empty: it has not even a header"
                continue
            columns = {f: Column((f,)) for f in kinds[kind].fields}
            wanted.append((SourceOf(kind, (file,), (sheet,), columns), read, path))
    return wanted


def _answered(files: Files, kinds: RecordKinds, absent: dict[str, str]) -> Wanted:
    """Files in which `data import` keeps answers; their columns bear the names of fields, whatever the mapping."""
    wanted: Wanted = []
    for path in files.paths.values():
        kind = reading.answered(path)
        try:
            read = files.sheet(path, "")
        except Empty:
            absent[kind] = f"{path.name} is empty: it has not even a header"
            continue
        wanted.append((SourceOf(kind, (path.name,), (), {f: Column((f,)) for f in kinds[kind].fields}), read, path))
    return wanted


def _by_mapping(files: Files, mapping: ExportMapping, notes: list[str], absent: dict[str, str]) -> Wanted:
    wanted: Wanted = []
    used: set[tuple[str, str]] = set()
    for source in mapping.sources:
        missing: list[str] = []
        for path, found in _places(files, source, missing):
            used.add((path.name, found))
            try:
                wanted.append((source, files.sheet(path, found, source.header, source.footer), path))
            except Empty:
                shown = f"{path.name} [{found}]" if found else path.name
                missing.append(f"{shown} is empty: it has not even a header")
        if missing:
            absent[source.record] = "; ".join(filter(None, (absent.get(source.record), *missing)))
    unused = {plain(u) for u in mapping.unused}
    for file, path in files.paths.items():
        for sheet in files.sheets(path):
            if (file, sheet) not in used and not {plain(file), plain(sheet)} & unused:
                notes.append(f"{f'{file} [{sheet}]' if sheet else file} was not read: the mapping does not mention it.")
    _columns_unread(wanted, unused, notes)
    return wanted


def _places(files: Files, source: SourceOf, missing: list[str]) -> list[tuple[Path, str]]:
    """The files and sheets of a source, each once; what is not there is added to `missing`."""
    places: list[tuple[Path, str]] = []
    for file, sheet in product(source.files or ("",), source.sheets or ("",)):
        paths = files.named(file, sheet)
        if not paths:
            what = file or sheet
            missing.append(f"the export has no file {_asked(what, what, files.paths)}")
        for path in paths:
            sheets = files.sheets(path)
            if sheets == [""]:
                # A CSV file is the sheet that it was saved from; of a file that the mapping names, the name of the file.
                found = sheets if not sheet or like(sheet, [path.stem]) else []
            else:
                found = like(sheet, sheets) if sheet else sheets if len(sheets) == 1 else []
            if not found:
                asked = (
                    f"no sheet {_asked(sheet, repr(sheet), sheets)}"
                    if sheet
                    else "several sheets, and the mapping names none"
                )
                missing.append(f"{path.name} has {asked}")
            places += ((path, one) for one in found)
    return list(dict.fromkeys(places))


def _asked(name_: str, shown: str, names: Iterable[str]) -> str:
    return f"like {shown}" if is_pattern(name_) else f"{shown}{nearest(name_, names)}"


def _columns_unread(wanted: Wanted, unused: set[str], notes: list[str]) -> None:
    read: dict[tuple[str, str], tuple[Sheet, set[str]]] = {}
    for source, sheet, _ in wanted:
        _, names = read.setdefault((sheet.file, sheet.sheet), (sheet, set()))
        for column in source.columns.values():
            names.update(plain(n) for n in column.names)
        names.update(plain(where.column) for where in (source.only_where, source.skip_where) if where)
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
    src: int,
    again: Callable[[], Sheet],
    notes: list[str],
    absent: dict[str, str],
    personal: bool,
) -> Loaded | None:
    kind = kinds[source.record]
    shown = f"{sheet.file} [{sheet.sheet}]" if sheet.sheet else sheet.file
    by_names = not mapping.sources
    cells: list[sql.Cell] = []
    for f, column in sorted(source.columns.items(), key=lambda c: bool(c[1].fields)):
        found = _of_fields(column, cells) if column.fields else _columns(column, sheet, shown)
        if found is None:
            if not by_names and not column.fields:
                notes.append(f"{shown}: no column {' or '.join(repr(n) for n in column.names)} for {kind.name}.{f}.")
            continue
        at, called = found
        dates = column.dates or mapping.dates
        like = (column.template, column.codes, dates, column.split, column.fields, column.strip)
        hidden = kind.fields[f].personal and not personal
        latest = "" if kind.fields[f].may_lie_ahead else mapping.made_on
        cells.append(sql.Cell(kind.fields[f], at, called, *like, hidden=hidden, latest=latest))
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
    named_by = source.columns[kind.key]
    key_made_up = len(named_by.fields) > 1 or (bool(named_by.template) and len(set(named_by.names)) > 1)
    constants = {f: sql.constant(kind.fields[f], v) for f, v in source.set.items()}
    return Loaded(kind, source, sheet, src, tuple(cells), constants, mapping.empty, again, mapping.made_on, key_made_up)


def _where_absent_is_empty(loaded: list[Loaded], by_mapping: bool) -> None:
    """Sets empty the fields of which that is certain where no source of their kind has a column for them, nor a mapping that names one."""
    for kind in {one.kind.name: one.kind for one in loaded}.values():
        sources = [one for one in loaded if one.kind is kind]
        there = {f for one in sources for f in (*one.fields, *(one.source.columns if by_mapping else ()))}
        for f in kind.fields.values():
            if f.absent_is_empty and f.name not in there:
                for one in sources:
                    one.constants = {**one.constants, f.name: sql.constant(f, None)}


def _position(sheet: Sheet, column: str, shown: str) -> int | None:
    found = sheet.position(column)
    if len(found) > 1:
        raise DataError(f"{shown} has {len(found)} columns called '{column}'; rename all but one in the export.")
    return found[0] if found else None


def _columns(column: Column, sheet: Sheet, shown: str) -> tuple[dict[str, int], str] | None:
    """The positions of the columns by the mapping's names, and what the export calls them."""
    found = [(n, _position(sheet, n, shown)) for n in column.names]
    there = {n: at for n, at in found if at is not None}
    if column.template:
        return (there, column.template) if len(there) == len(set(column.names)) else None
    return next((({n: at}, sheet.header[at]) for n, at in there.items()), None)


def _of_fields(column: Column, cells: list[sql.Cell]) -> tuple[dict[str, int], str] | None:
    """The columns of the fields that a field is made of; none if one of them is not there."""
    called = {c.field.name: c.column for c in cells}
    return ({}, " + ".join(called[f] for f in column.fields)) if called.keys() >= set(column.fields) else None


def _left_out(one: Loaded) -> Iterator[str]:
    """What became of rows that are no records, and what was read otherwise than it stands there."""
    if blank := one.blank + one.sheet.blank:
        yield f"{one.shown}: {_rows(blank)} without any content."
    if one.sheet.footer:
        yield f"{one.shown}: {_rows(one.sheet.footer)} left out at the end by footer."
    if one.elsewhere:
        by = " and ".join(k for k in ("only_where", "skip_where") if getattr(one.source, k))
        yield f"{one.shown}: {_rows(one.elsewhere)} left out of {one.kind.name} by {by}."
    if one.unasked:
        yield f"{one.shown}: {_rows(one.unasked)} left out of {one.kind.name} by only_if."
    yield from (f"{one.shown}: {remark}" for remark in one.sheet.remarks)


def _rows(n: int) -> str:
    return f"{n:,} {'row' if n == 1 else 'rows'}"


# --- one kind -------------------------------------------------------------------------------------------------------


def _gathered(kind: RecordKind, loaded: list[Loaded]) -> Gathered:
    its = [one for one in loaded if one.kind is kind]
    fields = [f for f in kind.fields if any(f in one.fields for one in its)]
    # A field that only some of the sources have is not empty in the others: nobody can tell.
    doubts = [f for f in fields if any(f not in one.fields for one in its)]
    there = {one.kind.name for one in loaded}
    return Gathered(kind, its, fields, doubts, [x for x in kind.links.values() if x.to in there and x.field in fields])


def _every_table(con: Connection, gathered: Mapping[str, Gathered], n_at_a_time: int) -> None:
    """Every kind's table, after those that its links lead to; the largest as early as that allows, while little else is held."""
    before = {k: {x.to for x in g.links} - {k} for k, g in gathered.items()}
    order: list[str] = []

    def place(k: str) -> None:
        if k not in order:
            for other in sorted(before[k]):
                place(other)
            order.append(k)

    for k in sorted(gathered, key=lambda k: -sum(one.sheet.path.stat().st_size for one in gathered[k].sources)):
        place(k)
    after = [{order.index(other) for other in before[k]} for k in order]
    # The engine takes any CSV file for one of 42 rows: it would hash a million visits rather than their children, and mix up the rows.
    ((left_out,),) = con.execute(sql.LEFT_OUT).fetchall()
    con.execute(LEAVE_OUT.format(names=",".join(filter(None, (left_out, sql.JOINS)))))
    run_jobs(con, [partial(_table, g=gathered[k], gathered=gathered) for k in order], n_at_a_time, after)
    con.execute(LEAVE_OUT.format(names=left_out))


def _table(con: Connection, g: Gathered, gathered: Mapping[str, Gathered]) -> None:
    """A kind's table, and in the quarantine what did not fit in it."""
    k, key = g.kind.name, g.kind.key
    own = any(x.to == k for x in g.links)
    # Who leads to their own kind cannot be joined before all are there and no key stands twice.
    table = f"b_{k}" if own else g.table
    links = [] if own else _led(g, gathered, table)
    exact = _exact(con, g, table, links)
    counted = exact or _lenient(con, g, table, links)
    if exact is None and g.keys_made_up:
        counted = _told_apart(con, g, table, counted, g.links if links else [])
    g.rows = counted.rows
    lacking = [f for f in _required(g) if counted.filled[f] < sum(one.rows for one in g.sources if f in one.fields)]
    made = ""
    if counted.rows > counted.keys:
        made = f"m_{k}"
        con.execute(sql.repeats(table, key, g.fields, k, g.files, g.column(key)))
        # What cannot be read in a row that goes into an earlier one cannot be read in that.
        con.execute(sql.of_first(table, key, k))
        con.execute(sql.merged(made, table, key, g.fields, g.doubts))
        con.execute(sql.drop_table(table))
        others = [f for f in g.fields if f != key]
        found = con.execute(sql.any_true(made, [f"doubt__{f}" for f in others])).fetchone() if others else ()
        g.doubts = [f for f, doubt in zip(others, found or (), strict=True) if doubt]
    elif own:
        made = table
    if made:
        con.execute(sql.final(g.table, sql.listed(made, g.columns), _led(g, gathered, made)))
        con.execute(sql.drop_table(made))
        counted = _counted(con, g, g.table, g.links)
        g.rows = counted.rows
    for f in lacking:
        con.execute(sql.empty_required(g.table, k, g.files, f, g.column(f)))
    for x in g.links:
        if counted.filled[f"link__{x.name}"] < counted.filled[x.field]:
            con.execute(sql.orphans(g.table, k, g.files, x.name, x.field, g.column(x.field), x.to))


def _told_apart(con: Connection, g: Gathered, table: str, counted: Counted, links: Sequence[Link]) -> Counted:
    """Rows that differ and bear the same key, because a mapping made it of too little, are given keys of their own."""
    if counted.rows > counted.keys:
        ((n, first),) = con.execute(sql.n_apart(table, g.kind.key, g.fields)).fetchall()
        con.execute(sql.told_apart(table, g.kind.key, g.fields))
        if n:
            differ = f"row {first:,} differs" if n == 1 else f"{n:,} rows, the first row {first:,}, differ"
            labels = " and ".join(dict.fromkeys(one.shown for one in g.sources))
            same = f"from another with the same {g.column(g.kind.key)}"
            g.notes.append(f"{labels}: {differ} {same}; each is a {g.kind.name} record of its own.")
        counted = _counted(con, g, table, links)
    con.execute(sql.without_rest(table))
    return counted


def _led(g: Gathered, gathered: Mapping[str, Gathered], own: str) -> list[tuple[str, str, str, str]]:
    """Links as statements need them; `own` is where the kind itself is by now."""
    to = {x.to: own if x.to == g.kind.name else gathered[x.to].table for x in g.links}
    return [(x.name, x.field, to[x.to], gathered[x.to].kind.key) for x in g.links]


def _required(g: Gathered) -> list[str]:
    """Required fields that a source supplies, but for the key."""
    return [f for f in g.fields if g.kind.fields[f].required and f != g.kind.key]


@dataclass(frozen=True)
class Counted:
    """What one look at a table tells: its rows and different keys, how many cells of some columns are filled, and whether it looks odd."""

    rows: int
    keys: int
    filled: Mapping[str, int]
    odd: bool


def _counted(con: Connection, g: Gathered, table: str, links: Sequence[Link], odd: str = "FALSE") -> Counted:
    columns = list(
        dict.fromkeys([g.kind.key, *_required(g), *(x.field for x in links), *(f"link__{x.name}" for x in links)])
    )
    ((is_odd, rows, keys, *filled),) = con.execute(sql.counted(table, g.kind.key, columns, odd)).fetchall()
    return Counted(rows, keys, dict(zip(columns, filled, strict=True)), bool(is_odd))


def _exact(con: Connection, g: Gathered, table: str, links: list[tuple[str, str, str, str]]) -> Counted | None:
    """The table, straight from its files; None, and no table, if any row or cell in them is not as it should be.

    A source of which rows are left out is not read so, for these would have to be counted in the file once more.
    """
    if any(s.source.only_where or s.source.skip_where or s.source.only_if or s.sheet.unknown for s in g.sources):
        return None
    alone = len(g.sources) == 1
    selects = [sql.exact(one.file, one.src, one.cells, _others(g, one), g.columns, alone) for one in g.sources]
    if not con.reads(sql.final(table, selects[0] if alone else sql.together(selects), links)):
        return None
    of_cells = {c.field.name for one in g.sources for c in one.cells if c.codes is None}
    dates = [f for f in g.kind.fields.values() if f.type == "date" and f.name in of_cells]
    odd = sql.looks_impossible(dates, name(g.kind.key), max(one.made_on for one in g.sources))
    counted = _counted(con, g, table, g.links if links else [], odd)
    n_of = {g.sources[0].src: counted.rows} if alone else dict(con.execute(sql.rows_by_source(table)).fetchall())
    all_there = all(n_of.get(one.src, 0) == one.sheet.n for one in g.sources)
    merge = g.keys_made_up and counted.keys < counted.rows
    if counted.odd or merge or not all_there or counted.filled[g.kind.key] < counted.rows:
        con.execute(sql.drop_table(table))
        return None
    for one in g.sources:
        one.rows = one.total = n_of.get(one.src, 0)
        _rejected(con, one)
    return counted


def _others(g: Gathered, one: Loaded) -> dict[str, str]:
    """SQL of what a source has no cells for: constants, nothing, and that nobody can tell."""
    absent = {f: sql.constant(g.kind.fields[f], None) for f in g.fields}
    return absent | {f"doubt__{f}": literal(f not in one.fields) for f in g.doubts} | dict(one.constants)


def _lenient(con: Connection, g: Gathered, table: str, links: list[tuple[str, str, str, str]]) -> Counted:
    """The table, of sources of which each is read by itself; what does not fit in one goes into the quarantine."""
    selects, offset = [], 0
    for one in g.sources:
        _read(con, one)
        selects.append(_kept(con, g, one, offset))
        offset += one.total
    con.execute(sql.final(table, " UNION ALL ".join(selects), links))
    for one in g.sources:
        con.execute(sql.drop_table(f"s_{one.src}"))
    return _counted(con, g, table, g.links if links else [])


def _read(con: Connection, one: Loaded) -> None:
    """Into the engine. A file that the engine does not take as it is, or of which it loses a row, is looked at row by row."""
    if not _taken(con, one):
        if not one.sheet.numbered:
            one.sheet = one.again()
            con.execute(sql.drop_table_if_there(f"s_{one.src}"))
            if _taken(con, one):
                return
        if not one.total:
            raise DataError(f"{one.shown} cannot be read: a row of it is longer than any record, or no text.")


def _taken(con: Connection, one: Loaded) -> bool:
    """Whether all rows of a source are in the engine now."""
    if not con.reads(_statement(one)):
        return False
    ((one.total,),) = con.execute(sql.n_rows(f"s_{one.src}")).fetchall()
    return one.total == one.sheet.n


def _rejected(con: Connection, one: Loaded) -> None:
    if one.sheet.ragged:
        con.execute(sql.rejected(one.shown, one.source.record, one.sheet.ragged))


def _statement(one: Loaded) -> str:
    of_cells = {c.field.name for c in one.cells}
    rows = sql.Rows(
        one.kind.key,
        tuple(f for f, its in one.kind.fields.items() if its.required and f in of_cells),
        _matched(one, one.source.only_where, "picks its rows"),
        _matched(one, one.source.skip_where, "leaves rows out"),
        tuple(f for f in one.source.only_if if f in of_cells),
    )
    return sql.lenient(f"s_{one.src}", one.file, one.cells, one.constants, rows, one.made_on, one.key_made_up)


def _matched(one: Loaded, where: Where | None, what: str) -> sql.Matched | None:
    if where is None:
        return None
    at = _position(one.sheet, where.column, one.shown)
    if at is None:
        raise DataError(f"{one.shown} has no column '{where.column}', by which the mapping {what}.")
    return sql.Matched(at, where.words, where.pattern)


def _kept(con: Connection, g: Gathered, one: Loaded, offset: int) -> str:
    """SQL of a source's records, once it is in the engine; what did not fit in them goes into the quarantine."""
    table, kind, row = f"s_{one.src}", g.kind, sql.row_number(one.sheet.numbered)
    (counts,) = con.execute(sql.n_skipped(table, kind.key)).fetchall()
    one.total, one.blank, one.elsewhere, one.unasked, one.unusable, bad, keyless = counts
    one.rows = one.total - one.blank - one.elsewhere - one.unasked - one.unusable
    own_key = f"concat('row-', {row})" if len(g.sources) == 1 else f"concat('source-{one.src + 1}-row-', {row})"
    _rejected(con, one)
    if one.unusable:
        con.execute(sql.unusable(table, one.shown, kind.name, row))
        for link in g.links:
            if one.column(link.field):
                con.execute(sql.lost_ids(table, one.shown, kind.name, row, link.field))
    if keyless:
        at = (table, offset, one.shown, kind.name, row)
        con.execute(sql.no_key(*at, kind.key, one.column(kind.key), own_key))
    if bad:
        called = {c.field.name: c.column for c in one.cells}
        reasons = {c.field.name: sql.reason(c) for c in one.cells}
        con.execute(sql.bad_cells(table, offset, one.shown, kind.name, row, called, reasons))
    columns = {c: name(c) for c in g.columns} | {c: x for c, x in _others(g, one).items() if c not in one.fields}
    if g.keys_made_up:
        columns[sql.REST] = sql.REST if one.key_made_up else "''"
    return sql.kept(table, offset, one.src, kind.key, own_key, row, columns)


# --- all kinds together ---------------------------------------------------------------------------------------------


def _outcome(
    con: Connection,
    gathered: Mapping[str, Gathered],
    loaded: list[Loaded],
    absent: dict[str, str],
    notes: list[str],
) -> Tables:
    doubted = {k: set(g.doubts) for k, g in gathered.items()}
    unreadable = con.execute(sql.DOUBTED).fetchall()
    for record, f in unreadable:
        if f != gathered[record].kind.key:
            doubted[record].add(f)
            for statement in sql.add_doubt(gathered[record].table, record, f):
                con.execute(statement)
    tables = {
        k: Table(g.rows, frozenset(g.fields), frozenset(doubted[k]), frozenset(x.name for x in g.links))
        for k, g in gathered.items()
    }
    n_lost: dict[str, int] = dict(con.execute(sql.N_LOST).fetchall())
    for k, table in tables.items():
        tables[k] = _with_lost(
            con, table, gathered, k, {f for record, f in unreadable if record == k}, n_lost.get(k, 0)
        )
    sources, astray = _accounted(con, gathered, loaded)
    notes += astray
    services = frozenset[str]()
    if "agency" in tables and "kind" in tables["agency"].columns:
        services = frozenset(str(kind) for (kind,) in con.execute(sql.SERVICES).fetchall())
    names: list[str] = []
    if "agency" in tables and "name" in tables["agency"].columns:
        names = [str(name) for (name,) in con.execute(sql.NAMED).fetchall()]
    ((n_bad,),) = con.execute(sql.N_QUARANTINED).fetchall()
    without = frozenset(k for k, g in gathered.items() if not g.rows)
    covers = {k: _covers(g.sources) for k, g in gathered.items()}
    whole = {k: c for k, c in covers.items() if c is not None}
    told = tuple(dict.fromkeys(notes))
    named = names[0] if len(names) == 1 else ""
    return Tables(tables, sources, absent, told, n_bad, services, without, whole, astray=astray, named=named)


def _with_lost(
    con: Connection,
    table: Table,
    gathered: Mapping[str, Gathered],
    k: str,
    unreadable: Collection[str],
    n_unusable: int,
) -> Table:
    """What is known of a kind's rows that belong to nobody, or cannot be used: whose they may be.

    Args:
      unreadable: fields of which some cell does not fit.
    """
    g = gathered[k]
    led = _led(g, gathered, g.table)
    near, adrift, unusable = set(), set(), f"{g.table}?"
    if n_unusable:
        con.execute(sql.unusable_rows(unusable, k, led))
    for link, f, to, key in led:
        n_adrift = 0
        if f in unreadable or n_unusable:
            for statement in sql.near(g.table, k, link, f, to, key, g.kind.links[link].to):
                con.execute(statement)
            ((n_near, n_adrift),) = con.execute(sql.n_near(g.table, link)).fetchall()
            near |= {link} if n_near else set()
        if n_unusable:
            ((n_without,),) = con.execute(sql.n_without(unusable, link)).fetchall()
            n_adrift += n_without
        adrift |= {link} if n_adrift else set()
    return replace(table, near=frozenset(near), adrift=frozenset(adrift), unusable=n_unusable)


def _accounted(
    con: Connection, gathered: Mapping[str, Gathered], loaded: list[Loaded]
) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """What became of the rows of each source, and where they do not add up.

    What is held against each other was counted apart: rows in the file before the engine read it, rows that it had, rows of the tables in
    the end, and entries of the quarantine.
    """
    there: dict[int, int] = {}
    for g in gathered.values():
        alone = len(g.sources) == 1
        there |= {g.sources[0].src: g.rows} if alone else dict(con.execute(sql.rows_by_source(g.table)).fetchall())
    told = {(f, k): n for f, k, n in con.execute(sql.N_REPEATED).fetchall()}
    sources, astray, repeated = [], [], Counter[tuple[str, str]]()
    for one in loaded:
        its, n = one.sheet, there.get(one.src, 0)
        in_file = its.n + its.blank + its.footer + len(its.ragged)
        left_out = its.blank + its.footer + one.blank + one.elsewhere + one.unasked
        again = one.rows - n
        sources.append(
            Source(its.file, its.sheet, one.kind.name, n, in_file, left_out, len(its.ragged) + one.unusable, again)
        )
        repeated[one.shown, one.kind.name] += again
        if one.total != its.n:
            astray.append(
                f"{one.shown}: {_rows(its.n)} were counted in it as {one.kind.name}, and the engine had {one.total:,}."
            )
    for (label, kind), n in repeated.items():
        if n != told.get((label, kind), 0):
            what = f"{_rows(n)} came to no {kind} record, and {told.get((label, kind), 0):,} are told as repetitions"
            astray.append(f"{label}: {what}.")
    return tuple(sources), tuple(astray)


def _covers(sources: list[Loaded]) -> tuple[date, date] | None:
    """The days whose events all sources of a kind hold; None: there is no end to them."""
    its = [s.source.covers for s in sources if s.source.covers is not None]
    days = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in its]
    return (max(first for first, _ in days), min(last for _, last in days)) if days else None


# --- pseudonyms -----------------------------------------------------------------------------------------------------


def pseudonymised(con: Connection, tables: Tables, kinds: RecordKinds, pads: Mapping[str, bytes]) -> Tables:
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


def shaped(con: Connection, tables: Tables) -> None:
    """Of what does not fit, shows what it looks like and not what it says: where columns are shifted by one, a name stands anywhere."""
    if tables.n_quarantined:
        con.execute(sql.shapes())


def turned_back(
    con: Connection,
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


def quarantined(con: Connection) -> Iterator[Quarantined]:
    """Everything that did not fit, by file and row."""
    result = con.cursor().execute(sql.QUARANTINED)
    while rows := result.fetchmany(10_000):
        for row in rows:
            yield Quarantined(*row)


def folded(con: Connection) -> list[str]:
    """Everything that did not fit, a line for all that is equal: where, how often, examples."""
    lines = []
    for file, record, f, column, why, n, first, listed in con.execute(sql.FOLDED).fetchall():
        values = ", ".join(f"'{v[:40]}'" for v in sql.examples(listed))
        called = f", column {column}" if column else ""
        what = f"{record}.{f}" if f else record
        times = f"row {first}" if n == 1 else f"{n:,} times, first in row {first}"
        lines.append(f"{file}{called} ({what}): {why}; {times}{f'; such as {values}' if values else ''}")
    return lines
