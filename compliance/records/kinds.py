"""Record kinds from their schema files, and empty files to fill in (I/O)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from compliance.errors import ComplianceError, Location, Problem, RulesError, nearest
from compliance.files.documents import load_json, write_private
from compliance.model import RECORDED_ON, Field, FieldType, Link, RecordKind, RecordKinds, Sign
from compliance.records.signs import signs

_TYPES: Mapping[tuple[str, str], FieldType] = {
    ("string", ""): "text",
    ("string", "date"): "date",
    ("integer", ""): "integer",
    ("number", ""): "number",
    ("boolean", ""): "boolean",
    ("array", ""): "list",
}
RECORDED = Field(
    RECORDED_ON,
    "date",
    "Day on which the record was written into the system. Empty: not known.",
    title="day it was recorded",
    shown_by_none="the record itself counts without it",
)
"""The field that a kind has without declaring it, unless it declares its own."""


def read_kinds(folder: Path) -> RecordKinds:
    """Every record kind of the folder; docs/records.md says what the files mean.

    Raises:
      RulesError: with every problem in every file.
    """
    problems: list[Problem] = []
    kinds: dict[str, RecordKind] = {}
    files: dict[str, Path] = {}
    shown: dict[str, dict[str, Mapping[str, str]]] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            schema = cast(dict[str, Any], load_json(path))
            kinds[path.stem] = _kind(path.stem, schema)
            files[path.stem] = path
            said = {f: its.get("x-shown-by") for f, its in schema["properties"].items()}
            shown[path.stem] = {f: its for f, its in said.items() if isinstance(its, dict)}
        except ComplianceError as e:
            problems += e.problems
        except (KeyError, TypeError, AttributeError) as e:
            what = f"this is no record schema: {type(e).__name__} {e}"
            problems.append(
                Problem(Location(str(path)), what, "See docs/records.md and schemas/record-kind.schema.json")
            )
    for name, kind in kinds.items():
        problems += (Problem(Location(str(files[name])), what) for what in _wrong(kind, kinds))
    if not kinds and not problems:
        problems.append(Problem(Location(str(folder)), "there are no record schemas here"))
    if not problems:
        # A sign is a condition over several kinds, and checked once these fit together.
        plain = RecordKinds(kinds)
        for name, of in shown.items():
            fields = dict(kinds[name].fields)
            for f, written in of.items():
                found = list(signs(plain, kinds[name], f, written))
                fields[f] = replace(fields[f], shown_by=tuple(s for s in found if isinstance(s, Sign)))
                problems += (Problem(Location(str(files[name])), what) for what in found if isinstance(what, str))
            kinds[name] = replace(kinds[name], fields=fields)
    if problems:
        raise RulesError("The record schemas cannot be used.", problems)
    return RecordKinds(kinds)


def _kind(name: str, schema: Mapping[str, Any]) -> RecordKind:
    required = set(schema.get("required", ()))
    named = {its["field"]: its["to"] for its in schema.get("x-links", {}).values()} | {schema["x-key"]: name}
    fields = {f: _field(f, its, f in required, named.get(f, "")) for f, its in schema["properties"].items()}
    fields.setdefault(RECORDED_ON, RECORDED)
    links = {
        link: Link(link, name, its["to"], its["field"], its["back"]) for link, its in schema.get("x-links", {}).items()
    }
    return RecordKind(
        name=name,
        title=schema["title"],
        description=schema["description"],
        group=schema["x-group"],
        key=schema["x-key"],
        date=schema.get("x-date", ""),
        counts_from=tuple(schema.get("x-counts-from", ())),
        fields=fields,
        links=links,
    )


def _field(name: str, its: Mapping[str, Any], required: bool, id_of: str) -> Field:
    codes = its.get("enum") or its.get("items", {}).get("enum") or ()
    shown = its.get("x-shown-by", "")
    return Field(
        name=name,
        type=_TYPES[its["type"], its.get("format", "")],
        description=its["description"],
        codes=tuple(codes),
        required=required,
        personal=its.get("x-personal", False),
        unit=its.get("x-unit", ""),
        may_lie_ahead=its.get("x-may-lie-ahead", False),
        known_from=its.get("x-known-from", ""),
        in_doubt_before=its.get("x-in-doubt-before", ""),
        minimum=its.get("minimum"),
        maximum=its.get("maximum"),
        pattern=its.get("pattern", ""),
        id_of=its.get("x-id-of", id_of),
        kind_in=its.get("x-id-of-kind-in", ""),
        title=its["title"],
        empty=its.get("x-empty", ""),
        sort=its.get("x-sort", False),
        not_before=tuple(its.get("x-not-before", ())),
        birth=its.get("x-birth", False),
        shown_by_none=shown if isinstance(shown, str) else "",
        absent_is_empty=its.get("x-absent-is-empty", False),
    )


def _wrong(kind: RecordKind, kinds: Mapping[str, RecordKind]) -> Iterator[str]:
    """What does not fit between the parts of a kind, and between it and the others."""

    def dates(keyword: str, names: tuple[str, ...]) -> Iterator[str]:
        for name in names:
            if name not in kind.fields:
                yield f"{keyword} names '{name}', which is no field{nearest(name, kind.fields)}"
            elif kind.fields[name].type != "date":
                yield f"{keyword} names '{name}', which is no date"

    if kind.key not in kind.fields or kind.fields[kind.key].type != "text":
        yield f"x-key names '{kind.key}', which is no text field"
    elif not kind.fields[kind.key].required:
        yield f"the key '{kind.key}' must be among the required fields"
    yield from dates("x-date", (kind.date,) if kind.date else ())
    yield from dates("x-counts-from", kind.counts_from)
    recorded = kind.fields[RECORDED_ON]
    if recorded.type != "date" or recorded.may_lie_ahead or recorded.required:
        yield f"'{RECORDED_ON}' is the day on which the record was written: a date that may be empty and may not lie ahead"
    for f in kind.fields.values():
        yield from dates(f"x-known-from of '{f.name}'", (f.known_from,) if f.known_from else ())
        yield from dates(f"x-in-doubt-before of '{f.name}'", (f.in_doubt_before,) if f.in_doubt_before else ())
        yield from dates(f"x-not-before of '{f.name}'", f.not_before)
        if (f.not_before or f.birth) and f.type != "date":
            yield f"'{f.name}' says when it may lie, and is no date"
        if f.kind_in and f.kind_in not in kind.fields:
            yield f"x-id-of-kind-in of '{f.name}' names '{f.kind_in}', which is no field{nearest(f.kind_in, kind.fields)}"
        if (f.id_of or f.kind_in) and (f.type != "text" or f.codes):
            yield f"'{f.name}' names a record and must be a text without codes"
    by_title: dict[str, list[str]] = {}
    for f in kind.fields.values():
        by_title.setdefault(f.title, []).append(f.name)
    for title, called in by_title.items():
        if len(called) > 1:
            yield f"'{title}' is the title of two fields, {called[0]} and {called[1]}: a sentence could mean either"
    for link in kind.links.values():
        if link.to not in kinds:
            yield f"link '{link.name}' goes to '{link.to}', which is no record kind{nearest(link.to, kinds)}"
        if link.field not in kind.fields:
            yield f"link '{link.name}' goes by '{link.field}', which is no field{nearest(link.field, kind.fields)}"
        if link.name in kind.fields:
            yield f"link '{link.name}' has the name of a field"
    names = [*kind.fields, *kind.links]
    names += [link.back for other in kinds.values() for link in other.links.values() if link.to == kind.name]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"'{name}' is the name of two things: fields, links and the links that lead back here share their names"


def template(kinds: RecordKinds, place: Path, format_: str) -> Iterator[Path]:
    """Writes an empty CSV file for each kind, or one workbook, with the fields as header, and what they are for; gives the paths.

    Args:
      place: the folder; of a workbook also the file, if it ends in `.xlsx`.

    Raises:
      ComplianceError: a file is there already, or cannot be written.
    """
    alone = format_ == "xlsx" and place.suffix.lower() == ".xlsx"
    folder = place.parent if alone else place
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise ComplianceError(f"{folder} cannot be made: {e.strerror or 'unknown cause'}") from e
    names = (
        [place.name if alone else "template.xlsx"]
        if format_ == "xlsx"
        else [README, *(f"{k}.csv" for k in kinds.kinds)]
    )
    paths = [folder / n for n in names]
    there = [p for p in paths if p.exists()]
    if there:
        raise ComplianceError(f"{there[0]} is there already; nothing was written. Name an empty folder.")
    if format_ == "xlsx":
        write_private(paths[0], [_workbook(kinds)])
        yield paths[0]
        return
    write_private(paths[0], [_what_is_what(kinds)])
    yield paths[0]
    for path, kind in zip(paths[1:], kinds.kinds.values(), strict=True):
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerow(kind.fields)
        # With a byte-order mark, without which Excel takes a CSV file for cp1252.
        write_private(path, [text.getvalue().encode("utf-8-sig")])
        yield path


README = "README.txt"
"""The page beside empty CSV files."""


def _what_is_what(kinds: RecordKinds) -> str:
    """What each file is for, by group, and what must be filled in."""
    lines = [
        "What each file is for. Fill in what you have and delete the rest: a file without rows says that there is nothing of its kind."
    ]
    for group in dict.fromkeys(k.group for k in kinds.kinds.values()):
        lines += ["", f"{group.capitalize()}:"]
        for kind in kinds.kinds.values():
            if kind.group == group:
                required = ", ".join(f.name for f in kind.fields.values() if f.required)
                lines.append(f"  {kind.name}.csv: {kind.description} Each row must have {required}.")
    return "\n".join([*lines, "", "compliance data dictionary KIND says what each column holds.", ""])


def _workbook(kinds: RecordKinds) -> bytes:
    import xlsxwriter

    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        head = book.add_format({"bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for kind in kinds.kinds.values():
            sheet = book.add_worksheet(kind.name)
            for column, f in enumerate(kind.fields.values()):
                sheet.set_column(column, column, max(12, len(f.name) + 2), day if f.type == "date" else None)
                sheet.write_string(0, column, f.name, head)
                sheet.write_comment(0, column, f.description)
                # Excel takes at most 255 characters for the list of choices.
                if (
                    f.codes
                    and f.type == "text"
                    and len(",".join(f.codes)) <= 255
                    and not any("," in c for c in f.codes)
                ):
                    sheet.data_validation(1, column, 10_000, column, {"validate": "list", "source": list(f.codes)})
            sheet.freeze_panes(1, 0)
    return content.getvalue()
