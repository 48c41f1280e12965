"""The plan's reports: the real plans as people read them, and what happened between two meetings."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import ROOT

from compliance.tracker import life, planfile
from compliance.tracker.events import Who
from compliance.tracker.store import Store

PLANS = ROOT / "fixtures" / "plans"
GOLDEN = Path(__file__).parent / "data" / "plan-reports"
WHO = Who("analyst", "A. Nalyst")
WIDTH = 100


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real plans, each begun on 23 February 2022, in one database."""
    db = tmp_path_factory.mktemp("plans") / "real.sqlite"
    store = Store(str(db))
    for path in sorted(PLANS.glob("*.yaml")):
        plan = planfile.read(path)
        store.change(plan.id, "2022-02-23", WHO, lambda state, plan=plan: [life.begin(plan)])  # type: ignore[misc]
    store.close()
    return db


@pytest.fixture
def report(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("COLUMNS", str(WIDTH))

    def run(*args: object) -> str:
        done = cli("plan", "report", *args)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    return run


def check_golden(name: str, text: str) -> None:
    """Against the file that a person has read; GOLDEN=write keeps a new one to be read."""
    path = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def check_tables(text: str) -> None:
    """Every table of a Markdown text has a line under its header, and as many cells in every row."""
    block: list[int] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            if len(block) == 1:
                assert {c.strip() for c in cells} == {"---"}, line
            block.append(len(cells))
        else:
            assert len(set(block)) <= 1 and len(block) != 1 and len(block) != 2, block
            block = []


LEVELS = ["level-one", "level-two"]


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize(("format_", "ending"), [("table", "txt"), ("markdown", "md")])
def test_the_fostering_plan_is_told_as_at_23_february_2022(
    report: Callable[..., str], real: Path, name: str, format_: str, ending: str
) -> None:
    said = report(name, "--db", real, "--plan", "fostering-2021", "--as-at", "2022-02-23", "--format", format_)
    check_golden(f"fostering-2021-{name}.{ending}", said)


@pytest.mark.parametrize("plan", [p.stem for p in sorted(PLANS.glob("*.yaml"))])
@pytest.mark.parametrize("name", LEVELS)
def test_every_real_plan_fits_the_width_and_its_tables_are_whole(
    report: Callable[..., str], real: Path, name: str, plan: str
) -> None:
    of = (name, "--db", real, "--plan", plan, "--as-at", "2022-02-23")
    assert max(map(len, report(*of).splitlines())) <= WIDTH
    text = report(*of, "--format", "markdown")
    check_tables(text)
    if name == "level-two":
        assert all(f"| {a.id} | {a.text} |" in text for _, a in planfile.read(PLANS / f"{plan}.yaml").actions())


def covered(its: dict[str, Any]) -> dict[str, set[str]]:
    return {c["name"]: set(c["workstreams"]) for c in its["covers"]}


def test_the_matrix_has_what_level_one_of_the_source_has(report: Callable[..., str], real: Path) -> None:
    its = json.loads(report("level-one", "--db", real, "--plan", "fostering-2021", "--format", "json"))
    plan = planfile.read(PLANS / "fostering-2021.yaml")
    assert list(covered(its)) == [*plan.regulations, *plan.standards]
    assert covered(its)["11(a)"] == {"WS1", "WS2"}  # the plan names a part of what the workstreams name
    assert covered(its)["3.1"] == covered(its)["31"] == {"WS3"}
    of = {w.id: {*w.regulations, *w.standards} for w in plan.workstreams}
    said = {w: {n for c in its["covers"] for n in c["workstreams"].get(w, ())} for w in of}
    assert said == of


def test_a_day_before_the_plan_began_is_told(cli: Callable[..., Result], real: Path) -> None:
    done = cli("plan", "report", "level-two", "--db", real, "--plan", "fostering-2021", "--as-at", "2022-02-22")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "begins on 2022-02-23; nothing is known of it as at 2022-02-22" in done.stderr
