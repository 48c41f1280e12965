"""A council's own policies: its published tables give the findings of the sheet and no other, and each rule of the pack finds something."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from conftest import ROOT, shipped_book

FOLDER = ROOT / "fixtures" / "governance"
SHEET = yaml.safe_load((FOLDER / "EXPECTED.yaml").read_text(encoding="utf-8"))
MINE = {r.rule.id for r in shipped_book().rules if r.rule.pack == "governance"}
Cli = Callable[..., Result]


@pytest.fixture
def told(cli: Cli) -> dict[str, Any]:
    result = cli("audit", FOLDER, "--as-at", str(SHEET["as_at"]), "--format", "json")
    assert result.exit_code == 0, result.output  # local policy is advice, and advice fails no run by default
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_findings_are_those_of_the_sheet_and_no_other(told: dict[str, Any]) -> None:
    wanted = {(f["rule"], f["subject"], f["outcome"]) for f in SHEET["findings"]}
    found = {(f["rule"], f["subject"]["key"], f["outcome"]) for f in told["findings"] if f["rule"] in MINE}
    assert found - wanted == set()
    assert wanted - found == set()
    assert told["quarantined"] == []


def test_each_rule_of_the_pack_finds_something_in_it(told: dict[str, Any]) -> None:
    assert {f["rule"] for f in SHEET["findings"]} == MINE


def test_every_finding_says_that_it_is_no_law(told: dict[str, Any]) -> None:
    mine = [f for f in told["findings"] if f["rule"] in MINE]
    assert {(f["layer"], f["severity"]) for f in mine} == {("local policy", "advice")}
    assert all("local policy, not law" in f["argument"].lower() for f in mine)


def test_comments_stay_out_of_the_report(told: dict[str, Any]) -> None:
    with (FOLDER / "Budget_P4_2019-20.csv").open(encoding="utf-8", newline="") as file:
        comments = [r["Comment"] for r in csv.DictReader(file) if r["Comment"]]
    assert len(comments) == 16
    assert not [c for c in comments if c in json.dumps(told, ensure_ascii=False)]


def test_the_printed_totals_are_those_of_the_published_savings() -> None:
    """The table as extracted had shifted columns; this is what says that the cells stand where they stood."""

    def rows(name: str) -> list[dict[str, str]]:
        with (FOLDER / name).open(encoding="utf-8", newline="") as file:
            return [r for r in csv.DictReader(file) if r["Programme"] == "P4-2019-20"]

    (printed,) = rows("Savings_totals.csv")
    for column in ("Target", "Delivered", "On target", "Amber", "Red"):
        name = f"{column} (£000)"
        assert sum(int(r[name]) for r in rows("Savings_2019-20.csv")) == int(printed[name])


def test_a_councils_own_limit_takes_the_place_of_the_published_one(cli: Cli, tmp_path: Path) -> None:
    own = tmp_path / "parameters.yaml"
    own.write_text("source: Financial regulations (invented)\nparameters: {budget_variance_comment: 500000}\n", "utf-8")
    args = ("--as-at", SHEET["as_at"], "--parameters", own, "--rule", "budget-variance-uncommented", "--format", "json")
    breached = {
        f["subject"]["key"]
        for f in json.loads(cli("audit", FOLDER, *args).stdout)["findings"]
        if f["outcome"] == "breach"
    }
    wanted = {
        f["subject"]
        for f in SHEET["findings"]
        if f["rule"] == "budget-variance-uncommented" and f["outcome"] == "breach"
    }
    assert len(wanted - breached) == 1 and breached < wanted  # Early Help and Partnerships: 474
