"""The inspection of September 2021, replayed: what the two audits find is what the sheet says, and it is what the inspectors found."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from conftest import ROOT, shipped_book
from inspection import INSPECTION, SHORTFALLS, VISIT, replay
from plants.picking import day
from replay import document, write_replay

from compliance.jobs.planning import record_kinds

FOLDER = ROOT / "fixtures" / "inspection-2021"
DAYS = ("2020-12-17", "2021-09-20")
RESTATED = {"reg 8", "reg 11", "reg 20", "reg 36"}

Report = dict[str, Any]


@pytest.fixture(scope="module")
def expected() -> Report:
    sheet: Report = yaml.safe_load((FOLDER / "EXPECTED.yaml").read_text(encoding="utf-8"))
    return sheet


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """The audit at the assurance visit, and the one at the inspection held against it."""
    from compliance.cli import main

    folder = tmp_path_factory.mktemp("replay")
    made: dict[str, Report] = {}
    for on in DAYS:
        out = folder / f"{on}.json"
        asked = ["audit", str(FOLDER / on), "--as-at", on, "--format", "json", "--out", str(out)]
        if made:
            asked += ["--previous", str(folder / f"{DAYS[0]}.json")]
        done = CliRunner().invoke(main, asked)
        assert done.exit_code == 1, done.output
        made[on] = json.loads(out.read_text(encoding="utf-8"))
    return made


def keys(report: Report) -> set[tuple[str, str, str]]:
    return {(f["rule"], subject(f), f["outcome"]) for f in report["findings"]}


def under(reports: dict[str, Report], when: str) -> set[str]:
    """The regulations of requirements and the standards of recommendations that were found `then` or `now`."""
    return {r["requirement"] for r in reports[DAYS[1]]["previous"]["requirements"] if r[when]}


def named(law: str) -> str:
    """A regulation or standard of fostering as findings are grouped under it."""
    return f"Fostering Regulations 2011, {law}" if law.startswith("reg") else f"Minimum Standards 2011, {law}"


def subject(finding: Report) -> str:
    its = finding["subject"]
    return f"{its['key']} / {its['part']}" if its.get("part") else str(its["key"])


@pytest.mark.parametrize("on", DAYS)
def test_each_audit_finds_what_the_sheet_says_and_nothing_else(
    reports: dict[str, Report], expected: Report, on: str
) -> None:
    wanted = {(f["rule"], s, f["outcome"]) for f in expected["findings"] if f["from"] <= on for s in f["subjects"]}
    found = keys(reports[on])
    assert found - wanted == set()
    assert wanted - found == set()
    assert reports[on]["quarantined"] == []
    assert reports[on]["summary"]["rules"]["could_not_run"] == 0


def test_nine_of_nine_requirements_and_four_of_four_recommendations(
    reports: dict[str, Report], expected: Report
) -> None:
    rules = {r["id"]: r for r in reports[DAYS[1]]["rules"]}
    broken = {f["rule"] for f in reports[DAYS[1]]["findings"]}
    for kind, n, severity in (("requirements", 9, "requirement"), ("recommendations", 4, "recommendation")):
        assert len(expected[kind]) == n
        for judged in expected[kind]:
            found = {r: d for r, d in judged["rules"].items() if r in broken and rules[r]["severity"] == severity}
            assert found, f"{judged['id']}: {judged['law']} is not found"
            for rule, duties in found.items():
                assert duties and set(duties) <= set(rules[rule]["cites"])


def test_what_is_found_stands_under_its_regulation_or_standard_and_nothing_under_another(
    reports: dict[str, Report], expected: Report
) -> None:
    stands = under(reports, "now")
    judged = {named(j["law"]) for j in (*expected["requirements"], *expected["recommendations"])}
    assert judged <= stands
    # Some shortfalls show under a law that the report makes no requirement of.
    assert stands == judged | set(expected["also_under"])
    assert all(of for of in expected["also_under"].values())


def test_the_assurance_visit_finds_the_four_that_are_restated(reports: dict[str, Report], expected: Report) -> None:
    assert {j["law"] for j in expected["requirements"] if j["restated"]} == RESTATED
    regulations = {law for law in under(reports, "then") if "Regulations" in law}
    assert regulations == {named(law) for law in RESTATED}
    since = {r["requirement"]: r for r in reports[DAYS[1]]["previous"]["requirements"]}
    restated = {law for law, r in since.items() if r["standing"] == "restated" and "Regulations" in law}
    assert restated == {named(law) for law in RESTATED}
    for law in restated:
        assert (since[law]["since"], since[law]["times"]) == (DAYS[0], 2)


def test_grouped_by_regulation_the_nine_are_there(reports: dict[str, Report], expected: Report) -> None:
    from compliance.cli import main

    asked = ["audit", str(FOLDER / DAYS[1]), "--as-at", DAYS[1], "--by", "regulation", "--format", "json"]
    groups = json.loads(CliRunner().invoke(main, asked).stdout)["groups"]
    broken = {g["group"]: {r["id"] for r in g["rules"]} for g in groups if g["findings"]["requirement"]}
    for judged in expected["requirements"]:
        assert broken[named(judged["law"])] & set(judged["rules"])


def test_each_shortfall_shows_or_says_why_it_cannot(expected: Report) -> None:
    shortfalls = expected["shortfalls"]
    assert [s["id"] for s in shortfalls] == [f"S{n:02d}" for n in range(1, 30)]
    for s in shortfalls:
        assert s.get("rules") or s.get("why_not"), s["id"]
    assert {s["id"] for s in shortfalls if "why_not" in s} == {s.id for s in SHORTFALLS if s.why_not}


def test_the_document_has_the_tables_of_the_sheet(expected: Report) -> None:
    assert document(expected) in (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")


def test_the_agency_has_the_numbers_of_the_one_that_was_inspected() -> None:
    rows = replay(record_kinds())[0][INSPECTION].rows
    fostering = [h for h in rows["household"] if h.get("approved_on") and not h.get("approval_ended_on")]
    assert Counter(h["kind"] for h in fostering) == {"mainstream": 121, "connected persons": 136}
    living = {p["child_id"] for p in rows["placement"] if not p.get("ended_on")}
    assert len(living) == 356
    assert sum(s["role"] == "agency decision maker" and not s["left_on"] for s in rows["staff"]) == 13
    assert sum(day(c["received_on"]) > VISIT for c in rows["complaint"]) == 9
    assert rows["agency"][0]["registered_on"] == date(2019, 10, 1)


def test_the_generator_gives_the_files_that_are_kept(tmp_path: Path) -> None:
    write_replay(record_kinds(), shipped_book(), tmp_path)
    made = {p.relative_to(tmp_path) for p in tmp_path.rglob("*.*")}
    assert made == {p.relative_to(FOLDER) for p in FOLDER.rglob("*.*")}
    for path in made:
        # A workbook holds the same cells in other bytes.
        assert path.suffix == ".xlsx" or (tmp_path / path).read_bytes() == (FOLDER / path).read_bytes(), path
