"""Plan files: the real plans are held without loss, and what is wrong in a file is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from conftest import ROOT

from compliance.errors import ComplianceError
from compliance.tracker import life, planfile
from compliance.tracker.events import Who
from compliance.tracker.model import Plan
from compliance.tracker.store import Store

PLANS = ROOT / "fixtures" / "plans"
WHO = Who("analyst", "A. Nalyst")
FOSTERING = PLANS / "fostering-2021.yaml"


@pytest.fixture(params=sorted(PLANS.glob("*.yaml")), ids=lambda p: p.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def kept(plan: Plan, db: Path) -> Plan:
    """The plan after it has been in a database."""
    store = Store(str(db))
    try:
        store.change(plan.id, "2022-02-23", WHO, lambda state: [life.begin(plan)])
        return store.state(plan.id).as_plan()
    finally:
        store.close()


def test_a_plan_is_the_same_after_file_database_and_file(path: Path, tmp_path: Path) -> None:
    plan = planfile.read(path)
    assert kept(plan, tmp_path / "plan.sqlite") == plan
    (tmp_path / "again.yaml").write_text(planfile.write(plan), encoding="utf-8")
    assert planfile.read(tmp_path / "again.yaml") == plan


def test_the_kept_files_are_as_the_program_writes_them(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    written = planfile.write(planfile.read(path))
    assert text.endswith("\n" + written)
    assert all(line.startswith("#") for line in text.removesuffix(written).splitlines())


def test_the_fostering_plan_has_its_workstreams_actions_and_what_it_answers() -> None:
    plan = planfile.read(FOSTERING)
    actions = [a for _, a in plan.actions()]
    assert [len(w.actions) for w in plan.workstreams] == [4, 6, 6, 8, 5, 5, 6]
    assert [len(w.measures) for w in plan.workstreams] == [2, 3, 4, 5, 4, 4, 7]
    assert (len(actions), sum(a.status == "completed" for a in actions)) == (40, 14)
    assert {a.status for a in actions} == {"completed", "in progress"}
    requirements = [c for c in plan.concerns if c.kind == "requirement"]
    assert len(requirements) == 9
    assert {c.due.text for c in requirements if c.due} == {"2021-11-28"}
    assert [c.id for c in requirements if c.restated] == ["R2", "R3", "R5", "R9"]
    assert sum(c.kind == "recommendation" for c in plan.concerns) == 4
    assert all(c.workstreams for c in plan.concerns)
    assert [(a.id, a.due_kind) for a in actions if a.due_kind != "completion"] == [
        ("WS4.7", "start"),
        ("WS6.5", "launch"),
    ]
    assert [(a.id, a.every) for a in actions if a.every] == [("WS5.5", "12 weeks"), ("WS7.1", "12 months")]


def test_one_action_of_forty_is_due_when_the_requirements_are() -> None:
    plan = planfile.read(FOSTERING)
    last = max(c.due.last for c in plan.concerns if c.due)
    assert [a.id for _, a in plan.actions() if a.due and a.due.first <= last] == ["WS2.1"]


def test_the_summary_of_february_2022_is_held_and_where_it_differs_is_told(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    (summary,) = planfile.read(FOSTERING).accounts
    of = [[s.text for s in summary.completed if s.workstream == f"WS{n}"] for n in range(1, 8)]
    assert [len(its) for its in of] == [1, 2, 4, 2, 2, 4, 3]
    assert summary.text == "All other actions are in progress."
    said = cli("plan", "new", FOSTERING, "--role", "analyst", "--db", tmp_path / "plan.sqlite")
    assert said.stderr.splitlines() == [
        "WS5.5 is in progress, but said to be completed by: Covering report to the scrutiny panel, paragraph 16 (2022-02-23): "
        "Practice standard for regular direct work implemented"
    ]


def test_the_four_area_plan_answers_four_of_the_twelve_weaknesses() -> None:
    plan = planfile.read(PLANS / "send-accelerated-progress.yaml")
    assert [len(w.actions) for w in plan.workstreams] == [9, 5, 10, 14]
    assert [len(w.measures) for w in plan.workstreams] == [8, 5, 11, 5]
    by = {p: [c for c in plan.concerns if c.progress == p] for p in ("sufficient", "insufficient")}
    assert {p: len(its) for p, its in by.items()} == {"sufficient": 8, "insufficient": 4}
    assert [(c.id, c.workstreams) for c in by["insufficient"]] == [(f"W{n + 4}", (f"{n}",)) for n in range(1, 5)]
    assert all(a.due is None and a.status == "open" for _, a in plan.actions())


def test_nought_days_are_not_the_usual_days(tmp_path: Path) -> None:
    text = FOSTERING.read_text(encoding="utf-8").replace("due_soon: 14", "due_soon: 0")
    text = text.replace("cadence: quarterly", "cadence: quarterly\n    escalate_after: 0")
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    plan = kept(planfile.read(tmp_path / "plan.yaml"), tmp_path / "plan.sqlite")
    assert (plan.due_soon, plan.forums[-1].escalate_after) == (0, 0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("status: completed", "status: complete", "'completed'"),
        ("due: 2022-02\n", "due: Feb 2022\n", "'Feb 2022' is no day, month, year or range; write 2022-02-28"),
        (
            "due: 2022-02\n",
            "due: 2022-02\n        start: 2022-03\n",
            "action WS1.1 would be due 2022-02, before its start",
        ),
        ("id: WS1.2", "id: WS1.1", "the id 'WS1.1' is given twice"),
        ("- WS5.5", "- WS5.6", "there is no action 'WS5.6'; did you mean"),
        ("workstream: WS1", "workstream: WS9", "there is no workstream 'WS9'"),
    ],
)
def test_what_is_wrong_in_a_plan_file_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = FOSTERING.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "plan.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ComplianceError) as e:
        planfile.read(tmp_path / "plan.yaml")
    assert said in str(e.value)
    assert "plan.yaml:" in str(e.value)


def test_the_plan_in_the_document_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    plan = planfile.read(tmp_path / "plan.yaml")
    assert plan.roles and plan.accounts and plan.concerns and plan.forums
    assert [a.due.text for _, a in plan.actions() if a.due] == ["2022-02 to 2022-03"]
