"""The sample agencies: nothing wrong in the clean one; in the other, exactly what its answer sheet says, both ways."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import Result
from conftest import ROOT
from defects import data_defects, plant_all
from generate import of_the_writing, write_plain
from layouts import Writer
from plants import PLANTS
from plants.plant import Answer
from world import World, build

from compliance.jobs.planning import record_kinds

FIXTURES = ROOT / "fixtures"
AS_AT = "2021-09-20"


@pytest.fixture
def agency(kept: Callable[..., Result]) -> dict[str, Any]:
    done = kept("audit", FIXTURES / "agency", "--as-at", AS_AT, "--format", "json")
    assert done.exit_code == 1, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def planted() -> tuple[World, list[Answer]]:
    """The sample agency with every defect in it, and what is to be found; read only."""
    world = build()
    return world, plant_all(world, record_kinds())


def test_the_clean_agency_has_no_finding_of_any_kind(kept: Callable[..., Result]) -> None:
    result = kept("audit", FIXTURES / "clean", "--as-at", AS_AT, "--format", "json")
    report = json.loads(result.stdout)
    assert report["findings"] == []
    assert report["quarantined"] == []
    assert report["summary"]["rules"]["could_not_run"] == 0
    assert result.exit_code == 0


def subject(finding: dict[str, Any]) -> str:
    """Its key, with the item for which the rule was asked where it is asked several times over."""
    its = finding["subject"]
    return f"{its['key']} / {its['part']}" if its["part"] else str(its["key"])


def test_findings_are_those_of_the_answer_sheet_and_no_other(agency: dict[str, Any]) -> None:
    sheet = yaml.safe_load((FIXTURES / "agency" / "ANSWERS.yaml").read_text(encoding="utf-8"))
    wanted = {(a["rule"], a["subject"], a["outcome"]) for a in sheet["findings"]}
    found = {(f["rule"], subject(f), f["outcome"]) for f in agency["findings"]}
    assert found - wanted == set()
    assert wanted - found == set()


def test_what_does_not_fit_is_what_the_answer_sheet_says(agency: dict[str, Any]) -> None:
    sheet = yaml.safe_load((FIXTURES / "agency" / "ANSWERS.yaml").read_text(encoding="utf-8"))
    wanted = Counter((q["file"], q["row"], q["record"], q["field"]) for q in sheet["quarantined"])
    found = Counter(
        (q["source"]["file"], q["source"]["row"], q["record"], q["field"] or "") for q in agency["quarantined"]
    )
    assert found == wanted


def test_every_rule_has_a_defect_in_it_unless_its_law_came_later_or_it_spoils_others(agency: dict[str, Any]) -> None:
    broken = {f["rule"] for f in agency["findings"]}
    can = {p.rule for p in PLANTS if p.as_at == date(2021, 9, 20) and not p.alone}
    assert can - broken == set()
    assert len(can) > 60


def test_the_findings_fit_their_schema(agency: dict[str, Any]) -> None:
    schema = json.loads((ROOT / "schemas" / "findings.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(agency)


def test_no_personal_field_is_in_any_output(
    agency: dict[str, Any], planted: tuple[World, list[Answer]], kept: Callable[..., Result]
) -> None:
    world, _ = planted
    kinds = record_kinds()
    personal = {
        str(row[f.name])
        for kind, rows in world.rows.items()
        for row in rows
        for f in kinds[kind].fields.values()
        if f.personal
        and not f.codes
        and row.get(f.name) is not None
        and isinstance(row[f.name], str)
        and len(str(row[f.name])) > 7
    }
    born = {
        str(r["date_of_birth"])
        for kind in ("staff", "household_member", "foster_parent", "child")
        for r in world.rows[kind]
    }
    told = json.dumps(agency["findings"]) + json.dumps(agency["quarantined"])
    told += kept("audit", FIXTURES / "agency", "--as-at", AS_AT).stdout
    assert len(personal) > 100
    assert [p for p in personal if p in told and p not in ("not stated",)] == []
    mentioned = {p for p in born if p in json.dumps([f["evidence"].get("date_of_birth") for f in agency["findings"]])}
    assert mentioned == set()


def test_the_generator_gives_the_files_that_are_kept(tmp_path: Path, planted: tuple[World, list[Answer]]) -> None:
    kinds = record_kinds()
    write_plain(build().rows, kinds, tmp_path / "clean")
    world, answers = planted
    Writer(world, kinds, tmp_path / "agency", data_defects()).write(sorted([*answers, *of_the_writing(world)]))
    for made in sorted(tmp_path.rglob("*.*")):
        if made.suffix != ".xlsx":
            kept = FIXTURES / made.relative_to(tmp_path)
            assert made.read_bytes() == kept.read_bytes(), made.name


def test_the_agency_has_the_size_of_the_one_that_was_inspected() -> None:
    rows = build().rows
    current = [h for h in rows["household"] if h["approved_on"] is not None and h["approval_ended_on"] is None]
    assert Counter(h["kind"] for h in current) == {"mainstream": 121, "connected persons": 136}
    assert len(rows["child"]) == 356
    assert sum(s["role"] == "agency decision maker" for s in rows["staff"]) == 13


def test_the_same_export_as_at_an_earlier_day_is_what_was_so_then(kept: Callable[..., Result]) -> None:
    report = json.loads(kept("audit", FIXTURES / "clean", "--as-at", "2020-03-31", "--format", "json").stdout)
    assert report["summary"]["rules"]["failed"] == 0
    late = {f["rule"] for f in report["findings"]}
    # What had not been asked for yet was not there yet, and nobody could have found it missing.
    assert "staff-references-incomplete" not in late
