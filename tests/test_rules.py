"""The law packs: every case in every rule file gives what it must, and nothing that a machine can check is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from click.testing import Result
from conftest import shipped_book as book

from compliance.jobs.book import SHIPPED, read_rulebook
from compliance.model import Deadline, Limit
from compliance.proving.cases import CaseResult, lacking, run_cases

RULES = Path(__file__).parent.parent / "rules"
FOLDERS = [p.parent for p in sorted(RULES.glob("*/pack.yaml"))]


@cache
def results() -> dict[tuple[str, str], CaseResult]:
    """What became of every case; they are run together, so their tests are one worker's."""
    return {(r.rule.rule.id, r.case.name): r for r in run_cases(book(), book().every)}


def _cases() -> list[tuple[str, str]]:
    return [(rule.rule.id, case.name) for rule in book().every for case in rule.rule.cases]


@pytest.mark.xdist_group("cases")
@pytest.mark.parametrize(("rule", "case"), _cases(), ids=lambda v: str(v).replace(" ", "-"))
def test_case(rule: str, case: str) -> None:
    result = results()[rule, case]
    assert not result.wrong, result.verdict


@pytest.mark.xdist_group("cases")
@pytest.mark.parametrize("rule", [r.rule.id for r in book().every])
def test_cases_try_every_outcome_and_both_sides_of_every_limit(rule: str) -> None:
    mine = [r for (r_id, _), r in results().items() if r_id == rule]
    assert lacking(book().with_cases((rule,))[0], mine) == []


def _duties(file: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((RULES / "instruments" / file).read_text(encoding="utf-8"))["duties"]
    return found


def test_every_machine_checkable_duty_of_safer_recruitment_has_a_rule() -> None:
    wanted = [d["id"] for d in _duties("safer.json") if d["checkable"] == "machine"]
    for file, before in (("fsr2011.json", ("FSR-20-", "FSR-S1-")), ("nms2011.json", ("NMS-19-",))):
        wanted += [d["id"] for d in _duties(file) if d["id"].startswith(before) and d["checkable"] == "machine"]
    cited = {d.id for rule in book().rules for d in rule.rule.cites}
    assert len(wanted) == 93
    assert sorted(set(wanted) - cited) == []


def test_policy_is_labelled_as_policy() -> None:
    """A figure that no law sets is a parameter with its basis; a rule that only good practice bears is advice."""
    for pack in book().packs.values():
        for parameter in pack.parameters.values():
            assert parameter.basis in ("law", "standard", "good practice", "local policy")
            assert parameter.source
    for rule in book().rules:
        if all(d.layer in ("good practice", "local policy") for d in rule.rule.cites):
            assert rule.rule.severity == "advice", rule.rule.id


def test_lateness_by_a_figure_that_is_ours_is_a_recommendation_at_most() -> None:
    """What was never done may be a requirement, whoever set the day from which it counts as lacking; lateness only by a limit of the law.

    A requirement whose limit is ours takes what was done at all as done in time, and says so in `done`.
    """
    own = {
        n for pack in book().packs.values() for n, p in pack.parameters.items() if p.basis not in ("law", "standard")
    }
    late = set()
    for checked in book().rules:
        deadline = checked.rule.check
        if not isinstance(deadline, Deadline) or checked.rule.severity != "requirement":
            continue
        if not any(name in str(regime.within) for regime in deadline.within for name in own):
            continue
        done = " ".join(deadline.done.split())
        if not done.startswith((f"min({deadline.start}", f"{deadline.start} if ")):
            late.add(checked.rule.id)
    assert late == set()


def test_what_a_source_leaves_in_doubt_is_said_in_the_rule() -> None:
    files = ("fsr2011.json", "nms2011.json", "cpr2010.json", "safer.json", "local.json", "council.json", "ca1989.json")
    doubtful = {
        d["id"]
        for f in files
        for d in _duties(f)
        if d["confidence"] != "high" or d.get("verification") in ("recalled", "secondary")
    }
    assert len(doubtful) > 100
    for rule in book().rules:
        assert rule.rule.note or not {d.id for d in rule.rule.cites} & doubtful, rule.rule.id


def test_rules_are_in_force_only_while_their_law_is() -> None:
    for rule in book().rules:
        # The duty to refer to the barring service is older than the Regulations.
        older = {"SAFER-REFER-1", "SAFER-REFER-2"} & {d.id for d in rule.rule.cites}
        assert rule.rule.from_on >= (date(2009, 10, 12) if older else date(2011, 4, 1))


def test_catalogues_hold_every_duty_once() -> None:
    counts = {p.name: len(_duties(p.name)) for p in (RULES / "instruments").glob("*.json")}
    assert counts == {
        "fsr2011.json": 468,
        "nms2011.json": 252,
        "cpr2010.json": 211,
        "safer.json": 75,
        "local.json": 32,
        "council.json": 5,
        "ca1989.json": 3,
    }
    ids = [d["id"] for f in counts for d in _duties(f)]
    assert len(ids) == len(set(ids))


def test_an_agency_overrides_a_figure_and_the_report_says_whose_it_is(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "parameters.yaml").write_text(
        "source: Invented policy, version 2\nparameters: {dbs_renewal: 1 year, medical_renewal: off}\n",
        encoding="utf-8",
    )
    own = read_rulebook(SHIPPED, tmp_path / "parameters.yaml")
    figures = own.names["safer-recruitment"].parameters
    value = figures["dbs_renewal"].value
    assert value is not None and value.on(date(2021, 1, 1)) == Limit(1, "years")
    assert figures["dbs_renewal"].overridden_by
    assert figures["medical_renewal"].value is None


def test_a_wrong_override_names_the_nearest_figure(cli: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("source: Policy\nparameters: {dbs_renewl: 1 year}\n", encoding="utf-8")
    result = cli("audit", RULES.parent / "fixtures" / "clean", "--as-at", "2021-09-20", "--parameters", path)
    assert result.exit_code == 2
    assert "did you mean 'dbs_renewal'?" in result.stderr


def test_rules_commands(cli: Callable[..., Result]) -> None:
    assert "staff-references-incomplete" in cli("rules", "list", "--as-at", "2021-09-20", "--format", "json").stdout
    assert cli("rules", "show", "staff-references-incomplete").stdout.startswith("# yaml-language-server")
    assert "passed." in cli("rules", "test", "induction-late").stdout
    assert cli("rules", "lint", "induction-late").exit_code == 0
    told = cli("rules", "explain", "induction-late").stdout
    assert "7 working days" in told and "standard 23.3" in told
    assert "SELECT" in cli("rules", "sql", "induction-late").stdout
    wrong = cli("rules", "show", "induction-lat")
    assert wrong.exit_code == 2 and "did you mean 'induction-late'?" in wrong.stderr


def test_explain_says_how_each_condition_came_out_for_a_record(
    cli: Callable[..., Result], kept: Callable[..., Result]
) -> None:
    agency = RULES.parent / "fixtures" / "agency"
    found = json.loads(kept("audit", agency, "--as-at", "2021-09-20", "--format", "json").stdout)["findings"]
    finding = next(f for f in found if f["rule"] == "staff-references-incomplete" and f["outcome"] == "breach")
    told = cli(
        "rules",
        "explain",
        finding["rule"],
        "--record",
        finding["subject"]["key"],
        "--data",
        agency,
        "--as-at",
        "2021-09-20",
    ).stdout
    assert finding["subject"]["key"] in told
    assert "two written references had come before the first day" in told
