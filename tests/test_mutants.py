"""Mutants: what the cases of a rule miss is found, and printed with a case that misses it no more."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from conftest import shipped_book as book

from compliance.language import check, tree
from compliance.model import Dated, Limit
from compliance.proving import mutants

Cli = Callable[..., Result]

PACK = """pack: own
title: A pack of one rule
cases_as_at: 2021-09-20
parameters:
  notice: {title: Notice, value: {2011-04-01: 10 days, 2015-04-01: 5 working_days}, basis: local policy, source: Invented}
"""
HEAD = """id: {id}
title: Something invented
cites: [FSR-S1-3]
record: {record}
{asks}
severity: requirement
put_right: {{within: 28 days, by: registered manager, workstream: safer-recruitment}}
remedy: Do it.
"""


def rule(folder: Path, id_: str, record: str, asks: str, cases: str) -> Path:
    """A folder of rules with one rule in it; gives the rule's file."""
    (folder / "own").mkdir(exist_ok=True)
    (folder / "own" / "pack.yaml").write_text(PACK, encoding="utf-8")
    path = folder / "own" / f"{id_}.yaml"
    path.write_text(HEAD.format(id=id_, record=record, asks=asks) + "cases:\n" + cases, encoding="utf-8")
    return path


INDUCTION = """when: worker_kind == 'employee' and started_on <= as_at
deadline: {start: started_on, done: induction_started_on, within: 10 working_days, what: Induction}"""
FEW_CASES = """  - name: in time
    staff: {worker_kind: employee, started_on: 2021-03-01, induction_started_on: 2021-03-08}
    outcome: compliant
  - name: much too late
    staff: {worker_kind: employee, started_on: 2021-03-01, induction_started_on: 2021-06-01}
    outcome: breach
  - name: nobody knows since when
    staff: {worker_kind: employee}
    outcome: not_evidenced
"""


def printed(text: str) -> list[str]:
    """The cases that a run prints."""
    return re.findall(r"^(  - name: .*\n(?:    .*\n)+)", text, re.M)


def test_what_no_case_notices_is_printed_with_a_case_that_kills_it(cli: Cli, tmp_path: Path) -> None:
    path = rule(tmp_path, "induction-late-here", "staff", INDUCTION, FEW_CASES)
    assert cli("rules", "test", "--rules", tmp_path).exit_code == 0
    first = cli("rules", "test", "--rules", tmp_path, "--mutants")
    assert first.exit_code == 1
    for name in (
        "within: 9 working days for 10 working days",
        "within: 11 working days for 10 working days",
        "within: 10 days for 10 working days",
        "when: dropped",
        "when: < for <= in 'started on is on or before the as-at date'",
    ):
        assert f"induction-late-here: alive: {name}\n" in first.stdout
    path.write_text(path.read_text(encoding="utf-8") + "".join(printed(first.stdout)), encoding="utf-8")
    assert cli("rules", "test", "--rules", tmp_path).stdout.endswith("cases passed.\n")
    second = cli("rules", "test", "--rules", tmp_path, "--mutants")
    assert (second.exit_code, second.stdout) == (0, second.stdout), second.stdout
    assert ", 0 alive, 0 remarks." in second.stdout


def test_a_case_that_states_the_day_due_kills_what_the_outcome_alone_does_not(cli: Cli, tmp_path: Path) -> None:
    asks = "every: {from: started_on, done: (s.held_on for s in supervisions), within: 1 month, what: Supervision}"
    cases = """  - name: held a month before
    staff: {started_on: 2021-07-20}
    supervisions: [{held_on: 2021-08-20}]
    outcome: compliant
"""
    path = rule(tmp_path, "unsupervised", "staff", asks, cases)
    alive = "within: 2 months for 1 month"
    assert alive in cli("rules", "test", "--rules", tmp_path, "--mutants").stdout
    path.write_text(path.read_text(encoding="utf-8") + "    due_on: 2021-09-20\n", encoding="utf-8")
    assert cli("rules", "test", "--rules", tmp_path).exit_code == 0
    assert alive not in cli("rules", "test", "--rules", tmp_path, "--mutants").stdout


# An approval that ends after the as-at date reads as not ended, so the second half says nothing that the first does not.
NEEDLESS = """when: approval_ended_on is None or approval_ended_on > as_at
require:
  it was approved: approved_on is not None"""
NEEDLESS_CASES = """  - name: approved
    household: {approved_on: 2020-01-01}
    outcome: compliant
  - name: not approved
    household: {}
    outcome: breach
  - name: ended today
    household: {approval_ended_on: 2021-09-20}
    outcome: not_applicable
  - name: nobody can read when
    household: {approved_on: '?'}
    outcome: not_evidenced
"""
WITHOUT = "when: without 'approval ended on is after the as-at date'"


def marked(mutant: str) -> str:
    return f'equivalent:\n  - mutant: "{mutant}"\n    because: It is invented.\n'


def test_a_truly_equivalent_mutant_is_marked_with_its_reason(cli: Cli, tmp_path: Path) -> None:
    path = rule(tmp_path, "needless", "household", NEEDLESS, NEEDLESS_CASES)
    before = cli("rules", "test", "--rules", tmp_path, "--mutants")
    assert before.exit_code == 1
    assert f"alive: {WITHOUT}\nNo case was found that would" in before.stdout
    path.write_text(path.read_text(encoding="utf-8") + marked(WITHOUT), encoding="utf-8")
    after = cli("rules", "test", "--rules", tmp_path, "--mutants")
    assert after.exit_code == 0, after.stdout
    assert "1 marked as equivalent, 0 alive, 0 remarks." in after.stdout


@pytest.mark.parametrize(
    ("mutant", "said"),
    [
        ("when: without 'no such thing'", "there is no such mutant: when: without 'no such thing'"),
        ("when: dropped", "a case notices it: when: dropped"),
    ],
)
def test_a_mark_that_marks_nothing_is_refused(cli: Cli, tmp_path: Path, mutant: str, said: str) -> None:
    path = rule(tmp_path, "needless", "household", NEEDLESS, NEEDLESS_CASES)
    path.write_text(path.read_text(encoding="utf-8") + marked(WITHOUT) + marked(mutant)[12:], encoding="utf-8")
    result = cli("rules", "test", "--rules", tmp_path, "--mutants")
    assert result.exit_code == 1
    assert f"needless: marked as equivalent, but {said}" in result.stdout


def test_a_mark_is_not_believed_where_a_case_near_by_tells_the_mutant_apart(cli: Cli, tmp_path: Path) -> None:
    path = rule(tmp_path, "induction-late-here", "staff", INDUCTION, FEW_CASES)
    path.write_text(path.read_text(encoding="utf-8") + marked("when: dropped"), encoding="utf-8")
    result = cli("rules", "test", "--rules", tmp_path, "--mutants")
    assert (
        "marked as equivalent, but this case of induction-late-here tells it apart: when: dropped\n  - name:"
        in result.stdout
    )


def test_a_mark_needs_a_reason(cli: Cli, tmp_path: Path) -> None:
    path = rule(tmp_path, "needless", "household", NEEDLESS, NEEDLESS_CASES)
    path.write_text(path.read_text(encoding="utf-8") + f'equivalent: [{{mutant: "{WITHOUT}"}}]\n', encoding="utf-8")
    result = cli("rules", "test", "--rules", tmp_path, "--mutants")
    assert result.exit_code == 2
    assert "because is missing" in result.stderr


def test_any_rule_that_uses_a_fact_may_notice_its_mutants(cli: Cli, tmp_path: Path) -> None:
    fact = "facts:\n  staff:\n    here: {title: Works here, is: started_on <= as_at}\n"
    asks = "when: here\nrequire:\n  a description is held: job_description_on is not None"
    cases = """  - name: held
    staff: {started_on: 2021-03-01, job_description_on: 2021-03-01}
    outcome: compliant
  - name: starts tomorrow
    staff: {started_on: 2021-09-21}
    outcome: not_applicable
  - name: not held
    staff: {started_on: 2021-03-01}
    outcome: breach
"""
    today = "  - name: starts today\n    staff: {started_on: 2021-09-20}\n    outcome: breach\n"
    rule(tmp_path, "one", "staff", asks, cases)
    rule(tmp_path, "two", "staff", asks, cases)
    (tmp_path / "own" / "pack.yaml").write_text(PACK + fact, encoding="utf-8")
    name = "fact here: < for <= in 'started on is on or before the as-at date'"
    alone = cli("rules", "test", "--rules", tmp_path, "--mutants")
    assert alone.stdout.count(f"alive: {name}") == 1
    rule(tmp_path, "two", "staff", asks, cases + today)
    (tmp_path / "own" / "pack.yaml").write_text(PACK + fact, encoding="utf-8")
    assert cli("rules", "test", "--rules", tmp_path, "--mutants").exit_code == 0
    # A rule is tried with the cases of all that use its facts.
    assert cli("rules", "test", "one", "--rules", tmp_path, "--mutants").exit_code == 0


# --- what is changed ---


def changes_of(text: str, record: str = "staff") -> set[str]:
    node, mistakes = check.condition(text, record, check.Names(book().kinds))
    assert node is not None, mistakes
    return {said for said, _ in mutants.changes(node)}


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("started_on <= left_on", {"< for <= in 'started on is on or before left on'"}),
        ("worker_kind == 'employee'", {"!= for == in 'worker kind is employee'"}),
        ("left_on is not None", {"'left on is empty' for 'left on is recorded'"}),
        (
            "social_worker and teaching_role",
            {"or for and in 'social worker and teaching role'", "without 'social worker'", "without 'teaching role'"},
        ),
        ("started_on >= '2011-04-01'", {"2 April 2011 for 1 April 2011 in 'started on is on or after 1 April 2011'"}),
        (
            "started_on + working_days(5) >= left_on",
            {
                "4 for 5 in 'started on + 5 working days'",
                "6 for 5 in 'started on + 5 working days'",
                "days for working days in 'started on + 5 working days'",
            },
        ),
        (
            "count(r for r in references if r.written) >= 2",
            {
                "1 for 2 in 'number of references where written is at least 2'",
                "3 for 2 in 'number of references where written is at least 2'",
                "of references without the filter 'written'",
            },
        ),
        (
            "any(r.written for r in references)",
            {"all for any in 'for any of the references: written'"},
        ),
        (
            "latest(c for c in checks).barred",
            {"earliest for latest in 'barred of the latest of the checks'"},
        ),
    ],
)  # fmt: skip
def test_small_changes(text: str, some: set[str]) -> None:
    assert some <= changes_of(text)


def test_a_count_is_changed_by_one_and_not_by_strictness_too() -> None:
    assert not any(said.startswith("> for >=") for said in changes_of("count(r for r in references) >= 2"))


def test_versions_are_dropped_and_moved_and_keep_a_limit_around_a_suspension() -> None:
    year, none = Limit(1, "years"), None
    dated: Dated[Limit | None] = Dated(
        ((date.min, year), (date(2020, 4, 24), none), (date(2020, 9, 25), Limit(9, "months")))
    )
    said = {what for what, _ in mutants.changes(dated)}
    assert {
        "without the version from 24 April 2020",
        "from 25 April 2020 for 24 April 2020",
        "from 24 September 2020 for 25 September 2020",
        "2 years for 1 year in the first version",
        "10 months for 9 months in the version from 25 September 2020",
    } <= said
    # Without the last, a suspension would never end; without the first, nothing would be suspended.
    assert "without the version from 25 September 2020" not in said
    assert "without the first version" not in said


@dataclass(frozen=True, slots=True)
class Perhaps(tree.Node):
    """An expression that the language does not have."""

    item: tree.Node


def test_a_new_kind_of_expression_is_gone_through_without_being_known() -> None:
    node, _ = check.condition("started_on <= left_on", "staff", check.Names(book().kinds))
    assert node is not None
    changed = dict(mutants.changes(Perhaps(tree.BOOLEAN, node)))
    inner = changed["< for <= in 'started on is on or before left on'"]
    assert isinstance(inner, Perhaps)
    assert isinstance(inner.item, tree.Compare) and inner.item.op == "<"


def test_each_mutant_of_a_rule_has_a_name_of_its_own() -> None:
    parameters = {n: p for names in book().names.values() for n, p in names.parameters.items()}
    for r in book().rules:
        often = Counter(m.name for m in mutants.mutants_of(r, parameters))
        assert not [name for name, n in often.items() if n > 1], r.rule.id
