"""Findings listed under a regulation, a standard, an area of inspection, a workstream, a record, a rule or a team."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result
from conftest import ROOT

from compliance.findings.grouping import AREAS, BY, OWNERS, in_order, ways_to_owners
from compliance.jobs import planning

AGENCY = ROOT / "fixtures" / "agency"
AS_AT = "2021-09-20"
Cli = Callable[..., Result]


def told(cli: Cli, data: Path, *more: object) -> dict[str, Any]:
    result = cli("audit", data, "--as-at", AS_AT, "--format", "json", *more)
    assert result.exit_code < 2, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def small(folder: Path) -> Path:
    """Two workers in a team, one in none; households, children and what hangs on them."""
    folder.mkdir()
    files = {
        "staff": "staff_id,team,started_on\nS1,Blue,2015-01-01\nS2,Amber,2015-01-01\nS3,,2015-01-01\n",
        "supervision": "supervision_id,staff_id,held_on,signed\nV1,S1,2021-03-01,no\nV2,S3,2021-03-01,no\nV3,,2021-03-01,no\n",
        "household": "household_id,worker_id,approved_on\nH1,S1,2016-01-01\nH2,S2,2016-01-01\nH3,,2016-01-01\n",
        "child": "child_id,looked_after_on\nC1,2019-01-01\nC2,2019-01-01\nC3,2019-01-01\n",
        "placement": (
            "placement_id,child_id,household_id,started_on\n"
            "P1,C1,H1,2019-01-01\nP2,C1,H2,2020-01-01\nP3,C1,H1,2022-01-01\nP4,C2,H3,2020-01-01\n"
        ),
        "visit": (
            "visit_id,child_id,placement_id,held_on\n"
            "W1,,P1,2021-01-01\nW2,C2,,2021-01-01\nW3,C3,,2021-01-01\nW4,,,2021-01-01\n"
        ),
        "foster_parent": "foster_parent_id,household_id\nF1,H2\n",
        "check": "check_id,foster_parent_id,staff_id\nK1,F1,\nK2,,S2\nK3,,\n",
    }
    for kind, text in files.items():
        (folder / f"{kind}.csv").write_text(text, encoding="utf-8")
    return folder


RULE = """\
id: {id}
title: Made up
cites: [{cites}]
record: {kind}
{more}
require: {{it is so: "{kind}_id is None"}}
severity: {severity}
put_right: {{within: 7 days, by: nobody, workstream: {workstream}}}
remedy: None.
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A rule on each of some record kinds that nothing meets."""
    folder = tmp_path / "rules" / "pack"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text("pack: pack\ntitle: Made up\ncases_as_at: 2021-09-20\n", encoding="utf-8")
    for id_, cites, kind, severity, workstream, more in (
        ("on-visits", "CPR-28-2-a, NMS-31-3", "visit", "requirement", "visits-and-reviews", ""),
        ("on-checks", "FSR-S1-3", "check", "requirement", "safer-recruitment", "judgement: leadership"),
        ("on-households", "NMS-10-1", "household", "recommendation", "something-else", ""),
        ("on-children", "FSR-11-a, FSR-12-1-a", "child", "requirement", "safeguarding", ""),
        ("on-supervision", "SAFER-IND-4", "supervision", "recommendation", "support-and-supervision", ""),
        ("on-placements", "FSR-36-1", "placement", "advice", "notifications", ""),
    ):
        text = RULE.format(id=id_, cites=cites, kind=kind, severity=severity, workstream=workstream, more=more)
        (folder / f"{id_}.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "rules"


@pytest.fixture
def groups(cli: Cli, tmp_path: Path, rules: Path) -> Callable[[str], dict[str, set[str]]]:
    """The subjects in each group, in order."""
    data = small(tmp_path / "data")

    def ask(by: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for f in told(cli, data, "--rules", rules, "--by", by)["findings"]:
            found.setdefault(f["group"], set()).add(f["subject"]["key"])
        return found

    return ask


Groups = Callable[[str], dict[str, set[str]]]
VISITS, CHECKS = {"W1", "W2", "W3", "W4"}, {"K1", "K2", "K3"}
CHILDREN, HOUSEHOLDS, PLACEMENTS, SUPERVISION = (
    {"C1", "C2", "C3"},
    {"H1", "H2", "H3"},
    {"P1", "P2", "P4"},
    {"V1", "V2", "V3"},
)


def test_by_regulation_a_schedule_stands_under_the_regulation_that_gives_it_force(groups: Groups) -> None:
    found = groups("regulation")
    assert found == {
        "Care Planning Regulations 2010, reg 28": VISITS,
        "Fostering Regulations 2011, reg 11": CHILDREN,
        "Fostering Regulations 2011, reg 20": CHECKS,
        "Fostering Regulations 2011, reg 36": PLACEMENTS,
        "no regulation": HOUSEHOLDS | SUPERVISION,
    }
    assert list(found)[-1] == "no regulation"


def test_by_standard_one_that_another_catalogue_repeats_included(groups: Groups) -> None:
    assert groups("standard") == {
        "Minimum Standards 2011, standard 10": HOUSEHOLDS,
        "Minimum Standards 2011, standard 24": SUPERVISION,
        "Minimum Standards 2011, standard 31": VISITS,
        "no standard": CHECKS | CHILDREN | PLACEMENTS,
    }


def test_by_judgement_a_rule_may_name_its_area_itself(groups: Groups) -> None:
    found = groups("judgement")
    assert list(found) == list(AREAS.values())
    assert found == {
        AREAS["experiences"]: VISITS | SUPERVISION,
        AREAS["protection"]: CHILDREN,
        AREAS["leadership"]: CHECKS | HOUSEHOLDS | PLACEMENTS,
    }


def test_by_subject_everything_about_a_child_a_household_or_a_worker_stands_together(groups: Groups) -> None:
    assert groups("subject") == {
        "check K3": {"K3"},
        "child C1": {"C1", "W1", "P1", "P2"},
        "child C2": {"C2", "W2", "P4"},
        "child C3": {"C3", "W3"},
        "household H1": {"H1"},
        "household H2": {"H2", "K1"},
        "household H3": {"H3"},
        "staff S1": {"V1"},
        "staff S2": {"K2"},
        "staff S3": {"V2"},
        "supervision V3": {"V3"},
        "visit W4": {"W4"},
    }


def test_by_team_of_the_worker_who_answers_for_it(groups: Groups) -> None:
    found = groups("team")
    assert found == {
        "Amber": {"C1", "W1", "P1", "P2", "H2", "K1", "K2"},  # where the child was placed last, as at the day
        "Blue": {"H1", "V1"},
        "no team": {"C2", "C3", "W2", "W3", "W4", "P4", "H3", "V2", "V3", "K3"},
    }
    assert list(found)[-1] == "no team"


def test_without_teams_in_the_export_all_are_in_none(cli: Cli, tmp_path: Path, rules: Path) -> None:
    data = small(tmp_path / "data")
    (data / "staff.csv").write_text("staff_id\nS1\n", encoding="utf-8")
    assert [g["group"] for g in told(cli, data, "--rules", rules, "--by", "team")["groups"]] == ["no team"]


@pytest.mark.parametrize("by", BY)
def test_groups_lose_and_gain_nothing_and_their_numbers_are_those_of_their_findings(kept: Cli, by: str) -> None:
    plain, grouped = told(kept, AGENCY), told(kept, AGENCY, "--by", by)
    jsonschema.validate(grouped, json.loads((ROOT / "schemas" / "findings.schema.json").read_text(encoding="utf-8")))
    assert (plain["by"], plain["groups"], {f["group"] for f in plain["findings"]}) == (None, [], {None})
    without = [{**f, "group": None} for f in grouped["findings"]]
    assert sorted(without, key=json.dumps) == sorted(plain["findings"], key=json.dumps)
    assert [r["outcomes"] for r in grouped["rules"]] == [r["outcomes"] for r in plain["rules"]]
    order = list(dict.fromkeys(f["group"] for f in grouped["findings"]))
    assert [g["group"] for g in grouped["groups"]] == order
    counted = Counter((f["group"], f["rule"]) for f in grouped["findings"])
    assert {(g["group"], r["id"]): r["findings"] for g in grouped["groups"] for r in g["rules"]} == counted
    for g in grouped["groups"]:
        its = Counter(f["severity"] for f in grouped["findings"] if f["group"] == g["group"])
        assert {s: n for s, n in g["findings"].items() if n} == its
    places = [order.index(f["group"]) for f in grouped["findings"]]
    assert places == sorted(places)


def test_the_spreadsheet_and_the_table_have_the_groups_too(kept: Cli) -> None:
    said = kept("audit", AGENCY, "--as-at", AS_AT, "--by", "team", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(said)))
    grouped = told(kept, AGENCY, "--by", "team")
    assert [(r["group"], r["rule"], r["subject"]) for r in rows] == [
        (f["group"], f["rule"], f["subject"]["key"]) for f in grouped["findings"]
    ]
    lines = kept("audit", AGENCY, "--as-at", AS_AT, "--by", "team").stdout.splitlines()
    assert "Findings by team, in numbers" in lines
    below = lines[lines.index("Findings by team, first things first") :]
    headings = [line for line in below if line in {g["group"] for g in grouped["groups"]}]
    assert headings == [g["group"] for g in grouped["groups"]]


@pytest.mark.parametrize("width", [80, 120, 160])
def test_the_grouped_table_fits_the_terminal(kept: Cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for by in ("regulation", "subject"):
        lines = kept("audit", AGENCY, "--as-at", AS_AT, "--by", by).stdout.splitlines()
        table = [line for line in lines if not line.startswith(("  ", "Audit of")) and not line.endswith(".")]
        assert max(map(len, table)) <= width


def test_grouping_by_what_there_is_not(cli: Cli) -> None:
    result = cli("audit", AGENCY, "--as-at", AS_AT, "--by", "weather")
    assert result.exit_code == 2
    assert "'weather' is not one of" in result.stderr


def test_labels_are_in_the_order_in_which_a_person_lists_them() -> None:
    labels = ["A, reg 20", "A, reg 3", "no regulation", "A, reg 25A", "A, reg 25", "B, reg 1"]
    assert in_order(labels) == ["A, reg 3", "A, reg 20", "A, reg 25", "A, reg 25A", "B, reg 1", "no regulation"]


def test_every_kind_that_leads_to_a_child_a_household_or_a_worker_is_found_to() -> None:
    kinds = planning.record_kinds()
    followed = {name: list(kind.links) for name, kind in kinds.kinds.items()}
    leads = {name: [owner for owner, _ in ways_to_owners(kind, kinds, followed)] for name, kind in kinds.kinds.items()}
    assert leads["notification"] == ["child", "household", "staff"]
    assert leads["interviewer"][0] == "staff"
    assert leads["placement"] == ["child", "household"]
    assert leads["document"] == []
    assert all(leads[o] == [o] for o in OWNERS)
