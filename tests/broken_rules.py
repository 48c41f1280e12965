"""Reads one broken rule file of the corpus in a small world of its own, and gives the message that its author would see."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from compliance import documents, rulefile
from compliance.checking import check_rule, names_of
from compliance.errors import ComplianceError, Problem
from compliance.model import Dated, Duty, Field, Limit, Link, Pack, Parameter, RecordKind, RecordKinds


def _kind(name: str, day: str, fields: list[tuple[str, Any, dict[str, Any]]], *links: Link) -> RecordKind:
    made = {n: Field(n, t, "", **more) for n, t, more in fields}
    return RecordKind(name, name, "", "staff", f"{name}_id", day, (), made, {x.name: x for x in links})


KINDS = RecordKinds(
    {
        "staff": _kind(
            "staff",
            "",
            [
                ("staff_id", "text", {"required": True}),
                ("manager_id", "text", {}),
                ("name", "text", {"personal": True}),
                ("date_of_birth", "date", {"personal": True}),
                ("role", "text", {"codes": ("supervising social worker", "team manager", "administrator")}),
                ("started_on", "date", {}),
                ("left_on", "date", {}),
                ("previously_employed", "boolean", {}),
                ("hours_per_week", "number", {"unit": "hours"}),
                ("languages", "list", {}),
            ],
            Link("manager", "staff", "staff", "manager_id", "team"),
        ),
        "reference": _kind(
            "reference",
            "received_on",
            [
                ("reference_id", "text", {"required": True}),
                ("staff_id", "text", {}),
                ("kind", "text", {"codes": ("employer", "character")}),
                ("requested_on", "date", {}),
                ("received_on", "date", {}),
                ("written", "boolean", {}),
            ],
            Link("staff", "reference", "staff", "staff_id", "references"),
        ),
    }
)


def _duty(id_: str, ref: str, layer: Any) -> Duty:
    return Duty(id_, "test", ref, id_, layer, "must", "machine", date(2011, 4, 1), None, "high")


DUTIES = {
    "FSR-S1-3": _duty("FSR-S1-3", "Sch 1 para 3", "statute"),
    "NMS-19-1-a": _duty("NMS-19-1-a", "standard 19.1", "standard"),
}
PARAMETERS = {
    "gap_allowed": Parameter("gap_allowed", "", Dated(((date.min, 31),)), "days", "local policy", ""),
    "renewal_time": Parameter(
        "renewal_time", "", Dated(((date.min, Limit(3, "years")),)), "length", "local policy", ""
    ),
}
PACK = Pack(
    "test",
    "Test",
    (),
    PARAMETERS,
    {"care_roles": ("supervising social worker", "team manager")},
    {"level_for": {"team manager": "enhanced", "administrator": "standard"}},
)
NAMES = names_of(PACK, KINDS, PARAMETERS)


def message(path: Path) -> str:
    """Everything that is wrong, as the program would print it, with the file's name alone."""
    try:
        document = documents.load_yaml(path)
    except ComplianceError as e:
        return _told(e.problems, path)
    own = rulefile.Problems(lambda loc: documents.locate(path, loc))
    rule = rulefile.rule(document, str(path), path.stem, "test", date(2021, 9, 20), DUTIES, own)
    found = list(own.found)
    if rule is not None:
        _, wrong = check_rule(rule, NAMES, lambda file, loc, offset: documents.locate_in(Path(file), loc, offset))
        found += wrong
    return _told(found, path)


def _told(problems: list[Problem] | tuple[Problem, ...], path: Path) -> str:
    return "".join(f"{p}\n" for p in sorted(set(problems))).replace(str(path), path.name)
