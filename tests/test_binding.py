"""Whom a duty binds, and who owes it, decide what is asked of an export and how a shortfall is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from compliance.compiler.binding import bound, owed_by
from compliance.jobs.shipped import folders
from compliance.model import SERVICES
from compliance.rules import rulebook
from compliance.rules.checking import CheckedRule

Cli = Callable[..., Result]
ROOT = Path(__file__).parents[1]
AGENCY, COUNCIL = "independent fostering agency", "local authority service"


@pytest.fixture(scope="module")
def rules() -> dict[str, CheckedRule]:
    return {r.rule.id: r for r in rulebook.read(*folders()).rules}


def as_a(kind: str, folder: Path) -> Path:
    """The sample agency, with another kind of service."""
    shutil.copytree(ROOT / "fixtures" / "agency", folder)
    (path,) = [p for p in folder.glob("*.csv") if "agency" in p.stem.lower()]
    text = path.read_text(encoding="utf-8-sig")
    assert AGENCY in text
    path.write_text(text.replace(AGENCY, kind), encoding="utf-8")
    return folder


def told(cli: Cli, folder: Path) -> dict[str, Any]:
    result = cli("audit", folder, "--as-at", "2021-09-20", "--format", "json")
    assert result.exit_code in (0, 1), result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def of_rule(audit: dict[str, Any], rule: str) -> Iterator[dict[str, Any]]:
    return (f for f in audit["findings"] if f["rule"] == rule)


def test_in_an_agencys_audit_the_authoritys_shortfall_is_told_as_the_authoritys(cli: Cli) -> None:
    late = list(of_rule(told(cli, ROOT / "fixtures" / "agency"), "child-visit-overdue"))
    assert late
    for f in late:
        assert f["owed_by"] == "responsible authority" and f["severity"] == "recommendation"
        assert f["title"].endswith("(owed by the responsible authority)")
        assert f["requirement"] is None or not f["requirement"].startswith("regulation")


def test_in_a_councils_audit_the_same_shortfall_is_its_own(cli: Cli, tmp_path: Path) -> None:
    audit = told(cli, as_a(COUNCIL, tmp_path / "council"))
    late = list(of_rule(audit, "child-visit-overdue"))
    assert late and {(f["owed_by"], f["severity"]) for f in late} == {(None, "requirement")}
    # Regulation 11 binds agencies alone; of the rule that cites it, a standard is left.
    assert {f["severity"] for f in of_rule(audit, "risk-assessment-not-current")} <= {"recommendation"}
    assert not any("reg 11" in f["argument"] for f in of_rule(audit, "risk-assessment-not-current"))


@pytest.mark.parametrize("service", [AGENCY, COUNCIL, "voluntary fostering agency"])
def test_no_rule_quotes_a_duty_that_does_not_bind_the_service(rules: dict[str, CheckedRule], service: str) -> None:
    # Of a list of duties each finding is about one, and those of others are not asked.
    for rule in (r for r in rules.values() if not r.rule.cites_list):
        asked = bound(rule, {service})
        binding = [d for d in rule.rule.cites if service in SERVICES[d.binds]]
        assert not binding or all(service in SERVICES[d.binds] for d in asked.rule.cites), rule.rule.id
        parts = asked.check.items if hasattr(asked.check, "items") else asked.check.within
        assert {d.id for p in parts for d in p.cites} <= {d.id for d in asked.rule.cites}, rule.rule.id


def test_a_service_owes_what_is_its_own_and_a_council_owes_everything(rules: dict[str, CheckedRule]) -> None:
    theirs = {r.rule.id for r in rules.values() if owed_by(bound(r, {AGENCY}), {AGENCY})}
    assert {"child-visit-overdue", "case-review-overdue", "placement-plan-late"} <= theirs
    # The service's own duty, beside one of the authority, is what is asked of it.
    assert "placement-after-approval-ended" not in theirs and "late-placement-plan-not-chased" not in theirs
    assert not any(owed_by(bound(r, {COUNCIL}), {COUNCIL}) for r in rules.values())
    assert not any(owed_by(bound(r, ()), ()) for r in rules.values())


def test_where_nobody_knows_the_service_every_rule_is_what_it_is(rules: dict[str, CheckedRule]) -> None:
    assert all(bound(r, ()) is r for r in rules.values())
