"""What only reading can settle: every such duty asks its question of a few records, drawn by a seed and weighted to risk."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result
from conftest import ROOT

AGENCY, CLEAN = ROOT / "fixtures" / "agency", ROOT / "fixtures" / "clean"
AS_AT = "2021-09-20"
Cli = Callable[..., Result]


def told(cli: Cli, data: Path, *more: object, as_at: str = AS_AT) -> dict[str, Any]:
    result = cli("audit", data, "--as-at", as_at, "--format", "json", *more)
    assert result.exit_code in (0, 1), result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def drawn(found: dict[str, Any]) -> dict[str, list[str]]:
    return {p["duty"]: [r["key"] for r in p["read"]] for p in found["prompts"]}


def duties() -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted((ROOT / "rules" / "instruments").glob("*.json")):
        for d in json.loads(path.read_text(encoding="utf-8"))["duties"]:
            if d["checkable"] == "judgement" and d["modality"] in ("must", "must_not", "should"):
                found[d["id"]] = d
    return found


@pytest.fixture
def agency_told(kept: Cli) -> dict[str, Any]:
    return told(kept, AGENCY)


def test_every_duty_to_be_judged_is_asked_or_said_to_be_left_out(agency_told: dict[str, Any]) -> None:
    jsonschema.validate(
        agency_told, json.loads((ROOT / "schemas" / "findings.schema.json").read_text(encoding="utf-8"))
    )
    asked, left_out = drawn(agency_told), {p["duty"]: p["why"] for p in agency_told["prompts_left_out"]}
    wanted = duties()
    assert set(asked) | set(left_out) == set(wanted)
    assert not set(asked) & set(left_out)
    assert set(left_out) == {i for i, d in wanted.items() if d["in_force"]["to"] and d["in_force"]["to"] < AS_AT}
    assert left_out["FSR-23-7-cv20"] == "in force until 24 September 2020"
    assert agency_told["seed"] == 20210920
    for p in agency_told["prompts"]:
        assert wanted[p["duty"]]["summary"] in p["question"]
        assert len(p["read"]) == min(5, p["records"] or 0)
        assert len({r["key"] for r in p["read"]}) == len(p["read"])


def test_the_law_of_the_day_is_asked(kept: Cli) -> None:
    then = told(kept, CLEAN, as_at="2012-06-30")
    assert "FSR-26-3-a-v2011" in drawn(then)
    assert "FSR-26-2-b" in {p["duty"] for p in then["prompts_left_out"]}
    assert then["seed"] == 20120630


def export(folder: Path, kind: str = "independent fostering agency") -> Path:
    """Two hundred children, a fifth of whom has a finding about something that hangs on them."""
    folder.mkdir()
    (folder / "agency.csv").write_text(f"agency_id,kind\nA1,{kind}\n", encoding="utf-8")
    children = ["child_id,looked_after_on"]
    placements, visits = ["placement_id,child_id,started_on"], ["visit_id,placement_id,held_on"]
    for i in range(200):
        children.append(f"C{i:03},{'2021-08-01' if i % 20 == 19 else '2015-01-01'}")
        placements.append(f"P{i:03},C{i:03},2016-01-01")
        visits.append(f"V{i:03},P{i:03},{'' if i % 5 == 0 else '2020-01-01'}")
    children.append("C999,2022-01-01")  # not yet
    for name, lines in (("child", children), ("placement", placements), ("visit", visits)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules" / "pack"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text("pack: pack\ntitle: Made up\ncases_as_at: 2021-09-20\n", encoding="utf-8")
    text = """\
id: day-missing
title: Made up
cites: [CPR-28-2-a]
record: visit
require: {the day is known: held_on is not None}
severity: requirement
put_right: {within: 7 days, by: nobody, workstream: none}
remedy: None.
"""
    (folder / "day-missing.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "rules"


def test_the_same_seed_draws_the_same_whatever_the_order_of_rows_and_threads(
    cli: Cli, tmp_path: Path, rules: Path
) -> None:
    data = export(tmp_path / "data")
    first = told(cli, data, "--rules", rules)["prompts"]
    path = data / "child.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    random.Random(1).shuffle(rows)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    assert told(cli, data, "--rules", rules, "--threads", 3, "--no-cache")["prompts"] == first
    assert told(cli, data, "--rules", rules, "--seed", 20210920)["prompts"] == first
    assert told(cli, data, "--rules", rules, "--seed", 7)["prompts"] != first


def test_each_duty_draws_by_itself_and_more_are_the_same_and_more(cli: Cli, tmp_path: Path, rules: Path) -> None:
    data = export(tmp_path / "data")
    five, nine = (drawn(told(cli, data, "--rules", rules, "--sample", n)) for n in (5, 9))
    children = {duty: keys for duty, keys in five.items() if keys and keys[0].startswith("C")}
    assert len({tuple(keys) for keys in children.values()}) == len(children) > 10
    assert all(nine[duty][: len(keys)] == keys for duty, keys in five.items())


def _place(seed: int, duty: str, key: str, weight: int) -> float:
    chance = (int(hashlib.md5(f"{seed}/{duty}/{key}".encode()).hexdigest()[:13], 16) + 0.5) / 2**52
    return -math.log(chance) / weight


def test_the_draw_can_be_worked_out_by_hand(cli: Cli, tmp_path: Path, rules: Path) -> None:
    """Efraimidis and Spirakis, weights 1 + 4 for findings + 2 for longest unseen + 1 for newest."""
    data = export(tmp_path / "data")
    found = told(cli, data, "--rules", rules, "--seed", 11, "--sample", 200)
    prompt = next(p for p in found["prompts"] if p["duty"] == "FSR-11-a")
    assert (prompt["records"], len(prompt["read"])) == (200, 200)
    because = {r["key"]: set(r["because"]) for r in prompt["read"]}
    # What is found about a visit counts for the child whose placement it was in.
    assert {k for k, why in because.items() if "findings" in why} == {f"C{i:03}" for i in range(0, 200, 5)}
    assert {k for k, why in because.items() if "newest" in why} == {f"C{i:03}" for i in range(19, 200, 20)}
    extra = {"findings": 4, "longest unseen": 2, "newest": 1}
    weights = {k: 1 + sum(extra[w] for w in why) for k, why in because.items()}
    by_hand = sorted(because, key=lambda k: _place(11, "FSR-11-a", k, weights[k]))
    assert [r["key"] for r in prompt["read"]] == by_hand


def test_records_with_findings_are_read_more_often(cli: Cli, tmp_path: Path, rules: Path) -> None:
    data = export(tmp_path / "data")
    n: Counter[bool] = Counter()
    for seed in range(8):
        for keys in drawn(told(cli, data, "--rules", rules, "--seed", seed)).values():
            n.update(int(k[1:]) % 5 == 0 for k in keys if k.startswith("C"))
    # A fifth of the children weigh five times as much as the others: more than half of the draw.
    assert 0.4 < n[True] / n.total() < 0.75


def test_a_council_is_not_asked_what_binds_agencies(cli: Cli, tmp_path: Path, rules: Path) -> None:
    agency = told(cli, export(tmp_path / "agency"), "--rules", rules)
    council = told(cli, export(tmp_path / "council", "local authority service"), "--rules", rules)
    out = {p["duty"]: p["why"] for p in council["prompts_left_out"]}
    assert "FSR-8-1" in drawn(agency)
    assert out["FSR-8-1"] == "binds independent fostering agency and voluntary fostering agency"
    assert "NMS-1-1" in drawn(council)


def test_what_the_export_lacks_is_said(cli: Cli, tmp_path: Path, rules: Path) -> None:
    data = export(tmp_path / "data")
    found = told(cli, data, "--rules", rules)
    complaint = next(p for p in found["prompts"] if p["record"] == "complaint")
    assert (complaint["records"], complaint["read"]) == (None, [])
    (data / "complaint.csv").write_text("complaint_id,received_on\n", encoding="utf-8")
    found = told(cli, data, "--rules", rules)
    assert next(p for p in found["prompts"] if p["record"] == "complaint")["records"] == 0
    assert "the export has no complaint records" in cli("audit", data, "--as-at", AS_AT, "--rules", rules).stdout


def test_none_are_drawn_if_none_are_asked_for(kept: Cli) -> None:
    for more in (("--sample", 0), ("--rule", "supervision-unsigned")):
        found = told(kept, CLEAN, *more)
        assert (found["seed"], found["prompts"], found["prompts_left_out"]) == (None, [], [])
        assert "To be read and judged" not in kept("audit", CLEAN, "--as-at", AS_AT, *more).stdout
    for more in (("--sample", -1), ("--sample", "many"), ("--seed", -1)):
        assert kept("audit", CLEAN, "--as-at", AS_AT, *more).exit_code == 2


@pytest.mark.parametrize("width", [80, 120, 160])
def test_the_table_prints_seed_question_and_keys(kept: Cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    result = kept("audit", CLEAN, "--as-at", AS_AT, "--seed", 42)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    below = lines[lines.index("To be read and judged") :]
    assert below[1].startswith("Drawn with --seed 42;")
    assert max(len(line) for line in below if not line.endswith(".")) <= width
    said = " ".join(below)
    keys = {r["key"] for p in told(kept, CLEAN, "--seed", 42)["prompts"] for r in p["read"]}
    assert all(key in said for key in keys)
    assert "Do these records show it?" in said


def test_no_finding_is_changed_by_the_draw(kept: Cli) -> None:
    with_, without = told(kept, AGENCY, "--seed", 3), told(kept, AGENCY, "--sample", 0)
    assert with_["findings"] == without["findings"]
    rows = list(csv.DictReader(kept("audit", AGENCY, "--as-at", AS_AT, "--format", "csv").stdout.splitlines()))
    assert len(rows) == len(with_["findings"])
