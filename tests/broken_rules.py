"""Reads one broken rule file of the corpus in a small world of its own, and gives the message that its author would see."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from compliance.errors import ComplianceError, Problem
from compliance.files import documents
from compliance.files.strict import Problems
from compliance.findings.grouping import Grouping
from compliance.model import Dated, Duty, FactText, Field, Limit, Link, Pack, Parameter, Period, RecordKind, RecordKinds
from compliance.rules import rulefile
from compliance.rules.checking import check_fact, check_rule, names_of


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


T = TypeVar("T")


def _always(value: T) -> Dated[T]:
    return Dated(((date.min, value),))


DUTIES = {
    "FSR-S1-3": _duty("FSR-S1-3", "Sch 1 para 3", "statute"),
    "NMS-19-1-a": _duty("NMS-19-1-a", "standard 19.1", "standard"),
    "FSR-26-3": replace(_duty("FSR-26-3", "reg 26(3)", "statute"), modality="may"),
}
PARAMETERS = {
    "gap_allowed": Parameter("gap_allowed", "", Dated(((date.min, 31),)), "days", "local policy", ""),
    "renewal_time": Parameter(
        "renewal_time", "", Dated(((date.min, Limit(3, "years")),)), "length", "local policy", ""
    ),
}
LEVELS: dict[str, Dated[Any]] = {"team manager": _always("enhanced"), "administrator": _always("standard")}
PACK = Pack(
    "test",
    "Test",
    (),
    PARAMETERS,
    {"care_roles": _always(("supervising social worker", "team manager")), "levels": _always((1, 2))},
    {"level_for": LEVELS},
    {"lockdown": Period(date(2020, 4, 24), date(2020, 9, 24))},
)
FACTS = {
    "staff": {
        "due_to_leave_on": FactText("due_to_leave_on", "staff", "Day of leaving", "left_on + days(1)"),
        "endless": FactText("endless", "staff", "It never ends", "endless + days(1)"),
        "torn": FactText("torn", "staff", "It is no expression", "started_on left_on"),
    }
}
NAMES = names_of(PACK, KINDS, PARAMETERS, FACTS)


def message(path: Path) -> str:
    """Everything that is wrong, as the program would print it, with the file's name alone."""
    try:
        document = documents.load_yaml(path)
    except ComplianceError as e:
        return _told(e.problems, path)
    own = Problems(lambda loc: documents.locate(path, loc))
    if isinstance(document, dict) and "pack" in document:
        pack = rulefile.pack(document, str(path), own)
        for fact in pack[0].facts if pack else ():
            for mistake in check_fact(fact, KINDS, PARAMETERS, FACTS):
                own.add(("facts", fact.kind, fact.name, "is"), mistake.what, mistake.help)
        return _told(own.found, path)
    rule = rulefile.rule(document, str(path), path.stem, "test", date(2021, 9, 20), DUTIES, Grouping(), own)
    found = list(own.found)
    if rule is not None:
        _, wrong = check_rule(rule, NAMES, lambda file, loc, offset: documents.locate_in(Path(file), loc, offset))
        found += wrong
    return _told(found, path)


def _told(problems: list[Problem] | tuple[Problem, ...], path: Path) -> str:
    return "".join(f"{p}\n" for p in sorted(set(problems))).replace(str(path), path.name)
