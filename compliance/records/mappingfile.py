"""The mapping file that an analyst writes, as pydantic models; read and checked against the record kinds (I/O: reads it)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field

from compliance.dates import day_before, parse_date, parse_limit
from compliance.errors import ComplianceError, DataError, Location, Problem, nearest
from compliance.files import documents
from compliance.files.strict import LimitText, Problems, Strict, validated
from compliance.model import RecordKind, RecordKinds
from compliance.records import mapping

Scalar = str | bool | int | float
Service = Literal["independent fostering agency", "voluntary fostering agency", "local authority service"]
Text = Annotated[str, Field(min_length=1)]
TOKENS = re.compile(r"YYYY|YY|MMM|MM|DD|HH|mm|ss|SSS|T|Z|[^A-Za-z]")
UNKNOWN_TO_THE_ENGINE = re.compile(r"\(\?(<?[=!]|P?=|P=|>|\()|\\[1-9]|[*+?}]\+")
DateFormats = Annotated[
    list[Text], Field(min_length=1, description="Tokens: YYYY YY MM DD MMM HH mm ss SSS T Z; or serial")
]
Patterns = Annotated[list[Text], Field(description="Regular expressions of what is taken out of a cell first")]
Names = Text | Annotated[list[Text], Field(min_length=1)]
M = TypeVar("M", bound=BaseModel)


class ColumnModel(Strict):
    """Where a field comes from."""

    column: Text | list[Text] | None = Field(None, description="The column's name, or synonyms of it")
    template: Text | None = Field(None, description="Text with {column} in it")
    codes: dict[str, Scalar | None] | None = Field(None, description="What each cell means; null: nothing")
    dates: DateFormats | None = None
    split: Text | None = Field(None, description="What separates the items of a list")
    strip: Patterns | None = None
    fields: Annotated[list[Text], Field(min_length=1)] | None = Field(
        None, description="Other fields of the record, joined by spaces"
    )


class WhereModel(Strict):
    """Rows by what stands in one of their columns."""

    column: Text
    in_: list[Text] | None = Field(None, alias="in", min_length=1, description="The cell is one of these")
    matches: list[Text] | None = Field(
        None, min_length=1, description="One of these regular expressions is found in the cell"
    )


class CoversModel(Strict):
    """The time whose events an export holds: so long up to a day, or to the one that is set for a field."""

    last: LimitText
    to: Text


class SourceModel(Strict):
    """Files or sheets as one record kind."""

    record: Text
    file: Names | None = Field(None, description="Its name, or several, or a pattern with * or ?")
    sheet: Names | None = Field(None, description="Its name, or several, or a pattern with * or ?")
    header: Annotated[int, Field(ge=1, le=1000, description="The row that holds the column names")] = 1
    columns: dict[str, Text | list[Text] | ColumnModel] = {}
    set: dict[str, Scalar | None] = {}
    only_if: list[Text] = []
    only_where: WhereModel | None = None
    skip_where: WhereModel | None = Field(None, description="Rows that are no records: totals and remarks")
    footer: Annotated[int, Field(ge=0, le=1000, description="So many rows at the end are no records")] = 0
    covers: CoversModel | None = None


class MappingModel(Strict):
    """What an export's files and columns mean."""

    title: str | None = None
    based_on: Text | None = Field(None, description="A mapping that came with the program; this one says what differs")
    covers: CoversModel | None = None
    made_on: Text | None = Field(
        None,
        description="The day on which the export was made, or the field that is set to it: what lies later cannot be",
    )
    service: Service | None = Field(
        None, description="Whose export it is, where it has no agency records: duties of other services are not asked"
    )
    ask: dict[str, Text] = Field({}, description="Fields that whoever uses this mapping must set, and what they are")
    set: dict[str, Scalar | None] = Field(
        {}, description="The same value for every row of every kind with this field, or as `kind.field` of one kind"
    )
    dates: DateFormats = [mapping.ISO]
    empty: list[str] = []
    encoding: Text | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    strip: Patterns = Field([], description="The same for every column of codes and of yes or no")
    sources: list[SourceModel] = []
    unused: list[Text] = []


def read_mapping(
    path: Path, kinds: RecordKinds, shipped: Path | None = None, given: Mapping[str, str] | None = None
) -> mapping.Mapping:
    """Reads and checks a mapping.

    Args:
      shipped: the folder of the mappings that others may be based on.
      given: what whoever uses the mapping sets besides.

    Raises:
      DataError: with every problem in it.
    """
    own = _read(path)
    written, base = own, None
    if own.based_on is not None:
        names = {p.stem: p for p in sorted(shipped.glob("*.yaml"))} if shipped is not None else {}
        base = names.get(own.based_on)
        if base is None:
            what = f"there is no mapping '{own.based_on}' to be based on{nearest(own.based_on, names)}"
            help_ = f"There are: {', '.join(names)}"
            raise DataError(
                "The mapping cannot be used.", [Problem(documents.locate(path, ("based_on",)), what, help_)]
            )
        written = _upon(own, _read(base))
    written = written.model_copy(update={"set": {**written.set, **(given or {})}})

    def located(loc: tuple[str | int, ...]) -> Location:
        # Sources of the base that the mapping does not mention stand behind its own.
        if base is not None and loc[:1] == ("sources",) and isinstance(loc[1], int) and loc[1] >= len(own.sources):
            return Location(str(base))
        return documents.locate(path, loc) if loc else Location(str(path))

    problems = [Problem(located(loc), what, help_) for loc, what, help_ in _wrong(written, kinds)]
    if problems:
        raise DataError("The mapping cannot be used.", problems)
    return mapping.Mapping(
        sources=tuple(_source(s, written, kinds[s.record]) for s in written.sources),
        dates=tuple(written.dates),
        empty=tuple(written.empty),
        encoding=written.encoding or "",
        delimiter=written.delimiter or "",
        unused=tuple(written.unused),
        made_on=_made_on(written),
        service=written.service or "",
    )


def _read(path: Path) -> MappingModel:
    try:
        document = documents.load_yaml(path)
    except ComplianceError as e:
        raise DataError("The mapping cannot be used.", e.problems) from e
    problems = Problems(lambda loc: documents.locate(path, loc))
    written = validated(MappingModel, document, problems)
    if written is None:
        raise DataError("The mapping cannot be used.", problems.found)
    return written


def _upon(own: MappingModel, base: MappingModel) -> MappingModel:
    """What the mapping says, and where it is silent, what its base says; fields of a source one by one."""
    mine = {s.record for s in own.sources}
    of_base = {s.record: s for s in base.sources}
    sources = [_source_upon(s, of_base[s.record]) if s.record in of_base else s for s in own.sources]
    sources += [s for s in base.sources if s.record not in mine]
    joined = {"set": {**base.set, **own.set}, "unused": [*base.unused, *own.unused], "ask": {**base.ask, **own.ask}}
    return _over(own, base, {**joined, "sources": sources})


def _source_upon(own: SourceModel, base: SourceModel) -> SourceModel:
    columns = {f: c for f, c in base.columns.items() if f not in own.set}
    columns |= {f: _column_upon(c, columns.get(f)) for f, c in own.columns.items()}
    values = {f: v for f, v in base.set.items() if f not in own.columns} | own.set
    return _over(own, base, {"columns": columns, "set": values})


def _column_upon(
    own: Text | list[Text] | ColumnModel, base: Text | list[Text] | ColumnModel | None
) -> Text | list[Text] | ColumnModel:
    """A name alone: what its cells mean, the base has said."""
    if isinstance(own, ColumnModel) or not isinstance(base, ColumnModel) or base.column is None:
        return own
    return base.model_copy(update={"column": own})


def _over(own: M, base: M, joined: dict[str, object]) -> M:
    return base.model_copy(update={**{f: getattr(own, f) for f in own.model_fields_set}, **joined})


def _names(written: Names | None) -> tuple[str, ...]:
    return (written,) if isinstance(written, str) else tuple(written or ())


def _column(written: Text | list[Text] | ColumnModel, strip: list[Text], coded: bool) -> mapping.Column:
    if not isinstance(written, ColumnModel):
        return mapping.Column(_names(written), strip=tuple(strip) if coded else ())
    template = written.template or ""
    names = tuple(re.findall(r"\{([^{}]+)\}", template)) if template else _names(written.column)
    codes = None if written.codes is None else {k.strip().lower(): v for k, v in written.codes.items()}
    if written.strip is None and not (coded or codes):
        strip = []
    return mapping.Column(
        names,
        template,
        codes,
        tuple(written.dates or ()),
        written.split or ";",
        tuple(strip if written.strip is None else written.strip),
        tuple(written.fields or ()),
    )


def _source(s: SourceModel, whole: MappingModel, kind: RecordKind) -> mapping.SourceOf:
    coded = {f.name for f in kind.fields.values() if f.codes or f.type == "boolean"}
    columns = {f: _column(c, whole.strip, f in coded) for f, c in s.columns.items()}
    given = {f: v for f, v in whole.set.items() if f in kind.fields}
    given |= {f.partition(".")[2]: v for f, v in whole.set.items() if f.startswith(f"{kind.name}.")}
    values = {f: v for f, v in given.items() if f not in columns} | s.set
    return mapping.SourceOf(
        s.record,
        _names(s.file),
        _names(s.sheet),
        columns,
        values,
        tuple(s.only_if),
        _where(s.only_where),
        s.header,
        _covers(s.covers or whole.covers, whole.set),
        _where(s.skip_where),
        s.footer,
    )


def _where(written: WhereModel | None) -> mapping.Where | None:
    if written is None:
        return None
    words = tuple(word.strip().lower() for word in written.in_ or [])
    return mapping.Where(written.column, words, "|".join(f"(?:{p})" for p in written.matches or []))


def _made_on(written: MappingModel) -> str:
    """The day on which the export was made; empty: not known.

    Raises:
      ValueError: it is no day.
    """
    if written.made_on is None:
        return ""
    return parse_date(str(written.set.get(written.made_on, written.made_on))).isoformat()


def _covers(written: CoversModel | None, given: Mapping[str, object]) -> tuple[str, str] | None:
    """The first and the last day that are covered.

    Raises:
      ValueError: no such day is set, or the time is none.
    """
    if written is None:
        return None
    last = parse_date(given.get(written.to, written.to))
    first = day_before(last, parse_limit(written.last)) + timedelta(days=1)
    return first.isoformat(), last.isoformat()


Wrong = tuple[tuple[str | int, ...], str, str]


def _wrong(written: MappingModel, kinds: RecordKinds) -> Iterator[Wrong]:
    if written.encoding is not None:
        try:
            # A codec of bytes, as hex, is none of text, and some of text say so only when they are used.
            "Aa\u00a3".encode(written.encoding, "ignore").decode(written.encoding)
        except (LookupError, ValueError):
            yield ("encoding",), f"there is no encoding of text '{written.encoding}'", "Such as utf-8, utf-16, cp1252"
    yield from _dates(("dates",), written.dates)
    yield from _patterns(("strip",), written.strip)
    if not written.sources:
        yield (
            (),
            "a mapping without sources reads nothing",
            "Name the export's files or sheets, or a mapping to be based on",
        )
    for field, what in written.ask.items():
        if field not in written.set:
            example = f"Such as set: {{{field}: 2021-09-20}} in the mapping, or --mapping NAME:{field}=2021-09-20"
            yield ("set",), f"'{field}' is not set: {what}", example
    if written.made_on is not None and written.made_on not in {f for f in written.ask if f not in written.set}:
        try:
            _made_on(written)
        except ValueError as e:
            what = f"the day on which the export was made cannot be told: {e}"
            yield ("made_on",), what, "Such as made_on: 2021-09-20, or made_on: snapshot_on where that is set"
    formats = [*written.dates, *(d for s in written.sources for c in s.columns.values() for d in _formats_of(c))]
    if written.made_on is None and any(map(mapping.has_two_digits, formats)):
        what = "years of two digits are read, and nothing says of which century"
        yield (
            ("dates",),
            what,
            "Say when the export was made, such as made_on: 2021-09-20: no day that is past lies later",
        )
    named = [
        (("covers",), written.covers),
        *((("sources", i, "covers"), s.covers) for i, s in enumerate(written.sources)),
    ]
    for loc, covers in named:
        # What must be set and is not is told above.
        if covers is not None and covers.to not in {f for f in written.ask if f not in written.set}:
            try:
                _covers(covers, written.set)
            except ValueError as e:
                yield (
                    loc,
                    f"what is covered cannot be told: {e}",
                    "Such as covers: {last: 6 months, to: 2021-09-30}, or to: snapshot_on where that is set",
                )
    for name, value in written.set.items():
        of, _, field = name.rpartition(".")
        named_kinds = {s.record: kinds[s.record] for s in written.sources if s.record in kinds}
        its = [k for k in named_kinds.values() if field in k.fields and of in ("", k.name)]
        if not its:
            fields = [f"{of}.{f}" if of else f for k in named_kinds.values() if of in ("", k.name) for f in k.fields]
            yield ("set", name), f"no record kind of this mapping has a field '{name}'{nearest(name, fields)}", ""
        elif value is not None:
            yield from _value(("set", name), its[0], field, value)
    for i, source in enumerate(written.sources):
        at = ("sources", i)
        if source.record not in kinds:
            near = nearest(source.record, kinds.kinds)
            yield (*at, "record"), f"there is no record kind '{source.record}'{near}", ""
            continue
        if source.file is None and source.sheet is None:
            yield at, "a source needs a file, a sheet, or both", ""
        yield from _source_wrong(source, kinds[source.record], at)


def _formats_of(column: Text | list[Text] | ColumnModel) -> list[str]:
    return (column.dates or []) if isinstance(column, ColumnModel) else []


def _source_wrong(source: SourceModel, kind: RecordKind, at: tuple[str | int, ...]) -> Iterator[Wrong]:
    for key, names in (("columns", source.columns), ("set", source.set)):
        for field in names:
            if field not in kind.fields:
                yield (*at, key, field), f"{kind.name} has no field '{field}'{nearest(field, kind.fields)}", ""
    for field in set(source.columns) & set(source.set):
        yield (*at, "set", field), f"'{field}' has a column already; it cannot be set as well", ""
    if kind.key not in source.columns:
        yield (*at, "columns"), f"no column is given for '{kind.key}', the key of {kind.name}", ""
    for key, where in (("only_where", source.only_where), ("skip_where", source.skip_where)):
        if where is not None and (where.in_ is None) is (where.matches is None):
            yield (*at, key), f"{key} takes either `in` or `matches`", "Such as {column: Status, in: [Live]}"
        if where is not None:
            yield from _patterns((*at, key, "matches"), where.matches or [])
    for field in source.only_if:
        if field not in source.columns:
            yield (*at, "only_if"), f"only_if names '{field}', which has no column here", ""
    for field, value in source.set.items():
        if field in kind.fields and value is not None:
            yield from _value((*at, "set", field), kind, field, value)
    for field, column in source.columns.items():
        if field not in kind.fields or not isinstance(column, ColumnModel):
            continue
        loc = (*at, "columns", field)
        if sum(given is not None for given in (column.column, column.template, column.fields)) != 1:
            yield loc, "give one of column, template and fields", ""
        for part in column.fields or []:
            its = source.columns.get(part)
            if its is None or part == field or (isinstance(its, ColumnModel) and its.fields is not None):
                yield (*loc, "fields"), f"'{part}' has no column here to be joined", ""
        if column.fields is not None and kind.fields[field].type != "text":
            yield (*loc, "fields"), f"'{field}' is no text", ""
        yield from _patterns((*loc, "strip"), column.strip or [])
        if column.template is not None and "{" not in column.template:
            yield loc, "a template names at least one column in {}", ""
        if column.dates is not None and kind.fields[field].type != "date":
            yield (*loc, "dates"), f"'{field}' is no date", ""
        yield from _dates((*loc, "dates"), column.dates or [])
        for cell, value in (column.codes or {}).items():
            if value is not None:
                yield from _value((*loc, "codes", cell), kind, field, value)


def _value(loc: tuple[str | int, ...], kind: RecordKind, field: str, value: Scalar) -> Iterator[Wrong]:
    f = kind.fields[field]
    fits = {
        "text": isinstance(value, str),
        "list": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "date": isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None,
    }[f.type]
    if not fits:
        yield loc, f"{value!r} is not what '{field}' holds ({f.type})", ""
    elif f.codes and f.type == "text" and value not in f.codes:
        yield loc, f"'{value}' is no code of '{field}'{nearest(str(value), f.codes)}", f"One of: {', '.join(f.codes)}"


def _patterns(loc: tuple[str | int, ...], patterns: list[str]) -> Iterator[Wrong]:
    for i, pattern in enumerate(patterns):
        try:
            re.compile(pattern)
        except re.error as e:
            yield (*loc, i), f"'{pattern}' is no regular expression: {e}", ""
            continue
        if UNKNOWN_TO_THE_ENGINE.search(pattern):
            yield (*loc, i), f"'{pattern}' looks ahead, looks behind or refers back, which the engine cannot do", ""


def _dates(loc: tuple[str | int, ...], formats: list[str]) -> Iterator[Wrong]:
    for written in formats:
        if written == mapping.SERIAL:
            continue
        left = TOKENS.sub("", written)
        days = all(any(t in written for t in part) for part in (("YYYY", "YY"), ("MM", "MMM"), ("DD",)))
        if left or not days:
            yield (
                loc,
                f"'{written}' is not a date format",
                "Such as DD/MM/YYYY; tokens: YYYY YY MM DD MMM HH mm ss SSS T Z; or serial",
            )
    shapes: dict[str, str] = {}
    for written in formats:
        shape = re.sub(r"DD|MM", "00", written)
        if shape in shapes and shapes[shape] != written:
            what = f"'{written}' and '{shapes[shape]}' read the same cell as different days"
            yield loc, what, "Keep the one in which this column is written"
        shapes.setdefault(shape, written)
