"""Nothing that a record says is obeyed, by a terminal or by a CI server."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import plan_making
import pytest
from click.testing import Result

from compliance.tracker import life
from compliance.tracker.store import Store

IDS = (
    "S1\n::error::injected",
    "S2\r\n::add-mask::x",
    "S3 ::stop-commands::x",
    "S4\x1b[2J\x1b]0;title\x07",
    "S5##[error]injected",
    "S" + "6" * 30 + "::error::injected" * 3,
    "::error::injected",
    "S8\u2028::error::injected\u202e",
)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    with (folder / "staff.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["staff_id", "role", "worker_kind", "started_on", "left_on", "odd\n::error::column"])
        writer.writerows([id_, f"role\n{id_}", "employee", "2015-01-01", "no\n::error::date", "x"] for id_ in IDS)
    (folder / "appraisal.csv").write_text("appraisal_id,staff_id,held_on\nA1,nobody,2016-01-01\n", encoding="utf-8")
    return folder


def _obeyed(text: str) -> list[str]:
    """Lines that a runner takes for commands, blanks before them or not; and characters that act."""
    acting = [repr(c) for c in text if not c.isprintable() and c not in "\r\n"]
    return [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line] + acting


@pytest.mark.parametrize("format_", ["table", "csv", "markdown", "junit"])
@pytest.mark.parametrize("width", ["80", "120"])
def test_no_line_of_a_report_is_a_command(
    cli: Callable[..., Result], export: Path, format_: str, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    asked = ("--as-at", "2021-09-20", "--rule", "appraisal-overdue", "--personal")
    result = cli("audit", export, *asked, "--format", format_)
    assert result.exit_code in (0, 1), result.output
    assert "S1" in result.stdout
    assert _obeyed(result.output) == []


@pytest.mark.parametrize("personal", [(), ("--personal",)])
def test_no_line_of_a_check_is_a_command(cli: Callable[..., Result], export: Path, personal: tuple[str, ...]) -> None:
    assert _obeyed(cli("data", "check", export, *personal).output) == []


def test_no_message_of_a_problem_is_a_command(cli: Callable[..., Result], export: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text('"a\\n::error::key": 1\n', encoding="utf-8")
    result = cli("data", "check", export, "--mapping", mapping)
    assert result.exit_code == 2 and _obeyed(result.output) == []


@pytest.mark.parametrize("format_", ["json", "sarif", "gitlab"])
def test_json_says_what_a_record_says_and_holds_no_command(
    cli: Callable[..., Result], export: Path, format_: str
) -> None:
    (export / "staff.csv").write_text(
        "staff_id,role,worker_kind,started_on,left_on\nS##[error]x\u009b2J\u202e,x,employee,2015-01-01,\n",
        encoding="utf-8",
    )
    asked = ("--as-at", "2021-09-20", "--rule", "appraisal-overdue", "--format", format_)
    result = cli("audit", export, *asked)
    assert result.exit_code in (0, 1), result.output
    assert _obeyed(result.stdout) == []
    assert "S##[error]x" in json.dumps(json.loads(result.stdout))


def test_no_line_of_a_drafted_mapping_is_a_command(cli: Callable[..., Result], export: Path, tmp_path: Path) -> None:
    names = ("x\u009b2J", "##[error]injected", "::error::x", "y\x1b[2J")
    (export / "staff.csv").write_text(
        f"staff_id,role ##[error]x,{','.join(names)}\nS1,manager,1,2,3,4\n", encoding="utf-8"
    )
    drafted = cli("data", "map", export)
    assert drafted.exit_code == 0 and _obeyed(drafted.output) == []
    assert "injected" in drafted.stdout
    (export / "mapping.yaml").write_text(drafted.stdout, encoding="utf-8")
    assert cli("data", "check", export).exit_code == 0, "what is drafted still means the columns that are there"


EVIL = "C1 ##[error]injected\n::error::y\x1b[2J\u202e " + "x" * 60 + "::error::z" * 30


@pytest.fixture
def plan(cli: Callable[..., Result], tmp_path: Path) -> str:
    """A plan in which every text is a command, from an audit and from people."""
    db = str(tmp_path / "plan.sqlite")
    store = Store(db)
    store.change("p", "2022-01-03", plan_making.MANAGER, lambda _: [life.begin(plan_making.small_plan())])
    store.close()
    document = plan_making.audit("2022-01-31", "review-late/K1", "complaint-open/K2")
    for finding in document["findings"]:
        finding["subject"]["key"] = finding["whose"]["key"] = EVIL
        finding.update(title=EVIL, remedy=EVIL)
    for rule in document["rules"]:
        rule["put_right"]["by"] = EVIL[:300]
    file = plan_making.kept(tmp_path, document)
    who = ("--role", EVIL[:300], "--name", EVIL[:300], "--db", db)
    for asked in (("plan", "propose", "--findings", file), ("plan", "comment", EVIL, "--action", "A-a1")):
        result = cli(*asked, *who)
        assert result.exit_code == 0 and _obeyed(result.output) == [], result.output
    return db


@pytest.mark.parametrize(
    "asked",
    [
        *(("plan", "list", "--format", f) for f in ("table", "markdown", "json")),
        *(("plan", "show", "A-a1", "--format", f) for f in ("table", "markdown", "json")),
        ("plan", "show"),
        ("plan", "history"),
        *(
            ("plan", "report", r, "--format", f)
            for r in ("level-one", "level-two", "progress")
            for f in ("table", "markdown")
        ),
        *(("plan", "export", "--format", f) for f in ("yaml", "csv", "jsonl", "oscal")),
    ],
    ids=" ".join,
)
def test_no_line_of_a_plan_is_a_command(cli: Callable[..., Result], plan: str, asked: tuple[str, ...]) -> None:
    result = cli(*asked, "--db", plan)
    assert result.exit_code == 0, result.output
    assert _obeyed(result.output) == []


@pytest.mark.parametrize("ending", ["yaml", "jsonl"])
def test_what_is_exported_comes_back_as_it_was(
    cli: Callable[..., Result], plan: str, tmp_path: Path, ending: str
) -> None:
    file, new = tmp_path / f"plan.{ending}", str(tmp_path / "new.sqlite")
    assert cli("plan", "export", "--format", ending, "--db", plan, "--out", file).exit_code == 0
    assert cli("plan", "import", file, "--role", "manager", "--name", "m", "--db", new).exit_code == 0
    stores = Store(plan), Store(new)
    before, after = (store.state(store.plans()[0]).as_plan() for store in stores)
    for store in stores:
        store.close()
    assert before == after
    assert any("##[error]injected" in a.text for w in before.workstreams for a in w.actions)


def test_why_a_measure_has_no_value_is_no_command(cli: Callable[..., Result], tmp_path: Path) -> None:
    db = str(tmp_path / "plan.sqlite")
    store = Store(db)
    store.change("p", "2022-01-03", plan_making.MANAGER, lambda _: [life.begin(plan_making.small_plan())])
    store.close()
    document = plan_making.audit("2022-01-31")
    document["rules"][0]["status"] = "\n::error::injected"
    file = plan_making.kept(tmp_path, document)
    result = cli("plan", "measures", "--from-audit", file, "--role", "manager", "--name", "m", "--db", db)
    assert result.exit_code == 0 and "injected" in result.stderr
    assert _obeyed(result.output) == []
