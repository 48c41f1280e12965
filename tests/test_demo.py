"""`compliance demo`: the whole on the sample agency, in one command."""

from __future__ import annotations

import json
import re
import shlex
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import ROOT

from compliance.cli import main

AGENCY = ROOT / "fixtures" / "agency"
pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder, and what was said."""
    folder = tmp_path_factory.mktemp("demo") / "shown"
    result = CliRunner().invoke(main, ["demo", "--out", str(folder)], catch_exceptions=False, env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    return folder, result.output


def test_it_finds_what_an_audit_of_the_sample_agency_finds(
    shown: tuple[Path, str], kept: Callable[..., Result]
) -> None:
    folder, said = shown
    audit = kept("audit", AGENCY, "--as-at", "2021-09-20", "--by", "regulation", "--format", "json")
    wanted, found = json.loads(audit.stdout), json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    assert found == wanted
    assert f"{len(wanted['findings']):,} findings" in said


def test_an_action_answers_every_finding(shown: tuple[Path, str], cli: Callable[..., Result]) -> None:
    folder, said = shown
    audit = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    db = folder / "improvement-plan.sqlite"
    listed = json.loads(cli("plan", "list", "--db", db, "--as-at", audit["as_at"], "--format", "json").stdout)
    answered = {a for action in listed["actions"] for a in action["answers"]}
    assert answered == {f["fingerprint"] for f in audit["findings"]}
    assert f"{len(listed['actions']):,} actions are proposed" in said
    assert {a["workstream"] for a in listed["actions"]} == set("ABCDEFG"), "each has its place in the plan"


def test_every_file_that_it_names_is_there_and_for_its_owner_alone(shown: tuple[Path, str]) -> None:
    folder, said = shown
    named = re.findall(r"([\w-]+(?:\.\w+|/))(?=[ ;])", said.partition("Written to")[2].partition("Go on with")[0])
    assert len(named) > 8
    assert [n for n in named if not (folder / n).exists() and not (folder / "sample-agency" / n).exists()] == []
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_page_has_the_audit_what_falls_due_the_kpis_and_every_proposed_action(
    shown: tuple[Path, str], cli: Callable[..., Result]
) -> None:
    folder, _ = shown
    page = (folder / "report.html").read_text(encoding="utf-8")
    for part in ("first", "findings", "regulations", "ahead", "kpis", "plan"):
        assert f'<section id="{part}"' in page, part
    db = folder / "improvement-plan.sqlite"
    actions = json.loads(cli("plan", "list", "--db", db, "--as-at", "2021-09-20", "--format", "json").stdout)["actions"]
    plan = page[page.index('<section id="plan"') :]
    assert [a["id"] for a in actions if f">{a['id']}</th>" not in plan] == []


def test_what_it_says_to_go_on_with_can_be_done(
    shown: tuple[Path, str], cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [line.split("compliance ", 1)[1] for line in shown[1].partition("Go on with")[2].splitlines() if line]
    assert len(commands) == 3
    for command in commands:
        assert cli(*shlex.split(command)).exit_code == 0, command


def test_the_days_are_those_of_the_sample_not_of_the_clock(shown: tuple[Path, str], cli: Callable[..., Result]) -> None:
    folder, _ = shown
    history = cli("plan", "history", "--db", folder / "improvement-plan.sqlite").stdout
    assert set(re.findall(r"^\d+\. (\S+),", history, re.MULTILINE)) == {"2021-09-20"}


def test_what_is_there_already_is_not_touched(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    result = cli("demo", "--out", tmp_path)
    assert result.exit_code == 2
    assert "something in" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
