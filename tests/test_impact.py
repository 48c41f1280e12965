"""What a change of rules or figures changes is told record by record: which way, and by which rule."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import ROOT

Cli = Callable[..., Result]
RULES = ROOT / "rules"
STAFF = """staff_id,role,started_on,previously_employed,left_on,worker_kind
S1,supervising social worker,2021-03-01,false,,employee
S2,supervising social worker,2021-03-01,false,,employee
"""
REFERENCES = """reference_id,staff_id,written,received_on,from_latest_employer
R1,S1,true,2021-02-01,true
"""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "staff.csv").write_text(STAFF, encoding="utf-8")
    (folder / "reference.csv").write_text(REFERENCES, encoding="utf-8")
    return folder


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The shipped rules, of which one asks for one reference only and another is gone."""
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    rule = folder / "safer-recruitment" / "staff-references-incomplete.yaml"
    if not rule.is_file():
        (rule,) = folder.glob("*/staff-references-incomplete.yaml")
    text = rule.read_text(encoding="utf-8")
    asked = "count(r for r in references if r.written and r.received_on <= started_on) >= 2"
    assert asked in text
    head, _, _ = text.replace(asked, asked.replace(">= 2", ">= 1")).partition("cases:")
    rule.write_text(f"{head}cases: []\n", encoding="utf-8")
    return folder


def told(cli: Cli, *asked: object) -> dict[str, Any]:
    result = cli("rules", "impact", *asked, "--as-at", "2021-09-20", "--format", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_changed_rule_says_which_records_change_and_which_way(cli: Cli, export: Path, changed: Path) -> None:
    (change,) = told(cli, export, "--new", changed)["changes"]
    assert change == {
        "rule": "staff-references-incomplete",
        "part": None,
        "own_policy": False,
        "record": "staff",
        "was": "breach",
        "becomes": "compliant",
        "records": 1,
        "keys": ["S1"],
    }
    (back,) = told(cli, export, "--old", changed)["changes"]
    assert (back["was"], back["becomes"], back["keys"]) == ("compliant", "breach", ["S1"])
    said = " ".join(cli("rules", "impact", export, "--as-at", "2021-09-20", "--new", changed).stdout.split())
    assert "1 outcome of 1 rule change" in said and "breach compliant 1 staff S1" in said


def test_a_rule_that_is_gone_is_told_and_its_records_are_not_asked_any_more(
    cli: Cli, export: Path, changed: Path
) -> None:
    (gone,) = changed.glob("*/staff-references-incomplete.yaml")
    gone.unlink()
    found = told(cli, export, "--new", changed)
    assert found["rules_gone"] == ["staff-references-incomplete"] and found["rules_new"] == []
    assert [(c["was"], c["becomes"], c["records"]) for c in found["changes"]] == [("breach", None, 2)]


def test_changed_figures_alone_can_be_asked_about(cli: Cli, tmp_path: Path) -> None:
    figures = tmp_path / "parameters.yaml"
    figures.write_text("source: Ours\nparameters: {dbs_renewal: 2 years}\n", encoding="utf-8")
    listed = told(cli, ROOT / "fixtures" / "agency", "--new-parameters", figures)["changes"]
    assert {c["rule"] for c in listed} >= {"staff-dbs-renewal-overdue", "foster-parent-dbs-renewal-overdue"}
    assert {c["becomes"] for c in listed} == {"breach"}
    assert cli("rules", "impact", ROOT / "fixtures" / "agency", "--as-at", "2021-09-20").exit_code == 2
