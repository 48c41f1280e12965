"""The mapping file that an analyst writes, as pydantic models; read and checked against the record kinds (I/O: reads it)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from compliance import documents, mapping
from compliance.errors import ComplianceError, DataError, Location, Problem, nearest
from compliance.model import RecordKind, RecordKinds
from compliance.rulefile import Problems, Strict, validated

Scalar = str | bool | int | float
Text = Annotated[str, Field(min_length=1)]
TOKENS = re.compile(r"YYYY|YY|MMM|MM|DD|HH|mm|ss|[^A-Za-z]")
DateFormats = Annotated[list[Text], Field(min_length=1, description="Tokens: YYYY YY MM DD MMM HH mm ss")]


class ColumnModel(Strict):
    """Where a field comes from."""

    column: Text | list[Text] | None = Field(None, description="The column's name, or synonyms of it")
    template: Text | None = Field(None, description="Text with {column} in it")
    codes: dict[str, Scalar | None] | None = Field(None, description="What each cell means; null: nothing")
    dates: DateFormats | None = None
    split: Text | None = Field(None, description="What separates the items of a list")


class WhereModel(Strict):
    """Rows that belong to a source."""

    column: Text
    in_: list[Text] = Field(alias="in", min_length=1)


class SourceModel(Strict):
    """One file or sheet as one record kind."""

    record: Text
    file: Text | None = None
    sheet: Text | None = None
    header: Annotated[int, Field(ge=1, le=1000, description="The row that holds the column names")] = 1
    columns: dict[str, Text | list[Text] | ColumnModel]
    set: dict[str, Scalar | None] = {}
    only_if: list[Text] = []
    only_where: WhereModel | None = None


class MappingModel(Strict):
    """What an export's files and columns mean."""

    title: str | None = None
    dates: DateFormats = [mapping.ISO]
    empty: list[str] = []
    encoding: Text | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    sources: Annotated[list[SourceModel], Field(min_length=1)]
    unused: list[Text] = []


def read_mapping(path: Path, kinds: RecordKinds) -> mapping.Mapping:
    """Reads and checks a mapping.

    Raises:
      DataError: with every problem in it.
    """
    try:
        document = documents.load_yaml(path)
    except ComplianceError as e:
        raise DataError("The mapping cannot be used.", e.problems) from e
    own = Problems(lambda loc: documents.locate(path, loc))
    written = validated(MappingModel, document, own)
    if written is None:
        raise DataError("The mapping cannot be used.", own.found)
    problems = [
        Problem(documents.locate(path, loc) if loc else Location(str(path)), what, help_)
        for loc, what, help_ in _wrong(written, kinds)
    ]
    if problems:
        raise DataError("The mapping cannot be used.", problems)
    return mapping.Mapping(
        sources=tuple(_source(s) for s in written.sources),
        dates=tuple(written.dates),
        empty=tuple(written.empty),
        encoding=written.encoding or "",
        delimiter=written.delimiter or "",
        unused=tuple(written.unused),
    )


def _names(column: Text | list[Text] | None) -> tuple[str, ...]:
    return (column,) if isinstance(column, str) else tuple(column or ())


def _column(written: Text | list[Text] | ColumnModel) -> mapping.Column:
    if not isinstance(written, ColumnModel):
        return mapping.Column(_names(written))
    template = written.template or ""
    names = tuple(re.findall(r"\{([^{}]+)\}", template)) if template else _names(written.column)
    codes = None if written.codes is None else {k.strip().lower(): v for k, v in written.codes.items()}
    return mapping.Column(names, template, codes, tuple(written.dates or ()), written.split or ";")


def _source(s: SourceModel) -> mapping.SourceOf:
    where = (s.only_where.column, tuple(s.only_where.in_)) if s.only_where else None
    columns = {field: _column(c) for field, c in s.columns.items()}
    return mapping.SourceOf(
        s.record, s.file or "", s.sheet or "", columns, dict(s.set), tuple(s.only_if), where, s.header
    )


Wrong = tuple[tuple[str | int, ...], str, str]


def _wrong(written: MappingModel, kinds: RecordKinds) -> Iterator[Wrong]:
    if written.encoding is not None:
        try:
            codecs.lookup(written.encoding)
        except LookupError:
            yield ("encoding",), f"there is no encoding '{written.encoding}'", "Such as utf-8, utf-16, cp1252"
    yield from _dates(("dates",), written.dates)
    for i, source in enumerate(written.sources):
        at = ("sources", i)
        if source.record not in kinds:
            near = nearest(source.record, kinds.kinds)
            yield (*at, "record"), f"there is no record kind '{source.record}'{near}", ""
            continue
        if source.file is None and source.sheet is None:
            yield at, "a source needs a file, a sheet, or both", ""
        yield from _source_wrong(source, kinds[source.record], at)


def _source_wrong(source: SourceModel, kind: RecordKind, at: tuple[str | int, ...]) -> Iterator[Wrong]:
    for key, names in (("columns", source.columns), ("set", source.set)):
        for field in names:
            if field not in kind.fields:
                yield (*at, key, field), f"{kind.name} has no field '{field}'{nearest(field, kind.fields)}", ""
    for field in set(source.columns) & set(source.set):
        yield (*at, "set", field), f"'{field}' has a column already; it cannot be set as well", ""
    if kind.key not in source.columns:
        yield (*at, "columns"), f"no column is given for '{kind.key}', the key of {kind.name}", ""
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
        if (column.column is None) == (column.template is None):
            yield loc, "give either a column or a template", ""
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


def _dates(loc: tuple[str | int, ...], formats: list[str]) -> Iterator[Wrong]:
    for written in formats:
        left = TOKENS.sub("", written)
        days = all(any(t in written for t in part) for part in (("YYYY", "YY"), ("MM", "MMM"), ("DD",)))
        if left or not days:
            yield loc, f"'{written}' is not a date format", "Such as DD/MM/YYYY; tokens: YYYY YY MM DD MMM HH mm ss"
    shapes: dict[str, str] = {}
    for written in formats:
        shape = re.sub(r"DD|MM", "00", written)
        if shape in shapes and shapes[shape] != written:
            what = f"'{written}' and '{shapes[shape]}' read the same cell as different days"
            yield loc, what, "Keep the one in which this column is written"
        shapes.setdefault(shape, written)
