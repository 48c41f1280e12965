"""The audit through its front door: exit codes, formats, files, and what each kind of fault gives."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import ROOT, shipped_book

from compliance.cli import main
from compliance.engine.audited import CHUNK
from compliance.jobs import asked, planning
from compliance.jobs.asked import Asked, Export
from compliance.jobs.audit import audit as audited
from compliance.report import FORMATS
from compliance.sql.planned import Prepared

CLEAN, AGENCY, RULES = ROOT / "fixtures" / "clean", ROOT / "fixtures" / "agency", ROOT / "rules"
AS_AT = "2021-09-20"
Cli = Callable[..., Result]


def small(tmp_path: Path, signed: str = "no") -> Path:
    """An export with one record of supervision."""
    folder = tmp_path / "small"
    folder.mkdir(exist_ok=True)
    (folder / "staff.csv").write_text("staff_id,started_on,left_on\nS1,2015-01-01,\n", encoding="utf-8")
    rows = f"supervision_id,staff_id,held_on,signed\nV1,S1,2021-03-01,{signed}\n"
    (folder / "supervision.csv").write_text(rows, encoding="utf-8")
    return folder


def audit(cli: Cli, data: Path, *more: object) -> Result:
    return cli("audit", data, "--as-at", AS_AT, *more)


# --- exit codes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signed", "more", "code"),
    [
        ("yes", (), 0),
        ("no", (), 0),  # a recommendation, below what fails a run unasked
        ("no", ("--fail-on", "recommendation"), 1),
        ("no", ("--fail-on", "advice"), 1),
        ("no", ("--fail-on", "advice", "--exit-zero"), 0),
        ("no", ("--fail-on", "never"), 0),
        ("no", ("--fail-on", "advice", "--require-complete"), 3),  # most rules lack their records here
        ("perhaps", ("--strict",), 2),
        ("yes", ("--rule", "supervision-unsined"), 2),
        ("yes", ("--memory", "much"), 2),
        ("yes", ("--format", "yaml"), 2),
    ],
)
def test_exit_codes(cli: Cli, tmp_path: Path, signed: str, more: tuple[str, ...], code: int) -> None:
    result = audit(cli, small(tmp_path, signed), *more)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("format_", sorted(FORMATS))
@pytest.mark.parametrize("fail_on", ["requirement", "recommendation"])
def test_the_format_never_changes_the_code(cli: Cli, tmp_path: Path, format_: str, fail_on: str) -> None:
    result = audit(cli, small(tmp_path), "--format", format_, "--fail-on", fail_on)
    assert result.exit_code == (fail_on == "recommendation")


@pytest.mark.parametrize("day", ["20/09/2021", "2021-02-30", "yesterday", "", "2021-09-20T00:00"])
def test_an_as_at_date_that_is_none(cli: Cli, tmp_path: Path, day: str) -> None:
    result = cli("audit", small(tmp_path), "--as-at", day)
    assert result.exit_code == 2
    assert "write it as YYYY-MM-DD" in result.stderr


def test_a_rule_that_is_not_there_names_the_nearest(cli: Cli, tmp_path: Path) -> None:
    result = audit(cli, small(tmp_path), "--rule", "supervision-unsined")
    assert "There is no rule 'supervision-unsined'; did you mean 'supervision-unsigned'?" in result.stderr


def test_one_run_writes_several_formats_each_as_it_would_alone(cli: Cli, tmp_path: Path) -> None:
    data = small(tmp_path)
    also = {f: tmp_path / f"report.{f}" for f in FORMATS}
    result = audit(cli, data, *(x for f, path in also.items() for x in ("--also", f"{f}={path}")))
    assert result.exit_code == 0
    for format_, path in also.items():
        assert path.read_bytes() == audit(cli, data, "--format", format_).stdout_bytes
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--also", "sarf=x"), "'sarf' is none of table, json, csv,"),
        (("--also", "sarf=x"), "did you mean 'sarif'?"),
        (("--also", "sarif"), "write it as sarif=findings.sarif"),
        (("--also", "json=x", "--also", "csv=x"), "name the same file twice"),
        (("--format", "json", "--out", "x", "--also", "csv=x"), "name the same file twice"),
        (("--format", "sarif", "--every", "month", "--from", "2021-08-01"), "--every is told as table, json, csv"),
    ],
)
def test_a_format_that_cannot_be_written_is_said_before_anything_runs(
    cli: Cli, tmp_path: Path, asked: tuple[str, ...], said: str
) -> None:
    result = audit(cli, small(tmp_path), "--sample", "0", *asked)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_the_formats_are_named_where_they_are_asked_for(cli: Cli) -> None:
    assert f"[{'|'.join(FORMATS)}]" in "".join(cli("audit", "--help").stdout.split())


# --- what became of every rule --------------------------------------------------------------------------------------


def test_every_rule_is_accounted_for_and_says_why_it_did_not_run(cli: Cli, tmp_path: Path) -> None:
    told = json.loads(audit(cli, small(tmp_path), "--format", "json").stdout)
    assert len(told["rules"]) == sum(p.parent.name != "instruments" for p in RULES.glob("*/*-*.yaml"))
    by_status: dict[str, list[dict[str, Any]]] = {}
    for rule in told["rules"]:
        by_status.setdefault(rule["status"], []).append(rule)
        assert rule["ran"] == (rule["status"] in ("ran", "looked at nothing"))
        assert (rule["why_not"] is None) == (rule["status"] == "ran")
    assert "no reference records" in next(
        r["why_not"] for r in by_status["could not run"] if r["id"] == "staff-references-incomplete"
    )


def test_without_anything_dated_before_the_as_at_date_rules_look_at_nothing(cli: Cli, tmp_path: Path) -> None:
    told = json.loads(cli("audit", small(tmp_path), "--as-at", "2014-01-01", "--format", "json").stdout)
    rule = next(r for r in told["rules"] if r["id"] == "supervision-unsigned")
    assert (rule["status"], rule["checked"], told["findings"]) == ("looked at nothing", 0, [])


@contextmanager
def _engine_cannot(rule: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Breaks one rule's statement, as a fault of ours would."""
    real = planning.plan

    def broken(*args: Any) -> Prepared:
        prepared = real(*args)
        at = next(i for i, r in enumerate(prepared.rules) if r.id == rule)
        fault = "error('this rule cannot be carried out')"
        records = [
            replace(
                record,
                answers=tuple(
                    fault if (0, at) in numbers else answer
                    for numbers, answer in zip(record.numbers, record.answers, strict=True)
                ),
            )
            for record in prepared.plan.records
        ]
        return replace(prepared, plan=replace(prepared.plan, records=tuple(records)))

    monkeypatch.setattr(planning, "plan", broken)
    yield


def test_a_rule_that_fails_is_said_and_takes_no_other_with_it(
    cli: Cli, kept: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.loads(audit(kept, AGENCY, "--format", "json").stdout)
    with _engine_cannot("staff-references-incomplete", monkeypatch):
        result = audit(cli, AGENCY, "--format", "json")
    told = json.loads(result.stdout)
    failed = [r for r in told["rules"] if r["status"] == "failed"]
    assert result.exit_code == 3
    assert [r["id"] for r in failed] == ["staff-references-incomplete"]
    assert failed[0]["why_not"] == "the engine cannot work with a value of some record (InvalidInputException)"
    assert "This is a fault of the program" in result.stderr
    assert told["findings"] == [f for f in whole["findings"] if f["rule"] != "staff-references-incomplete"]


def test_one_broken_rule_in_a_pack_stops_the_audit_and_is_named(cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    broken = tmp_path / "rules" / "safer-recruitment" / "supervision-unsigned.yaml"
    broken.write_text(broken.read_text(encoding="utf-8").replace(": signed\n", ": sined\n"), encoding="utf-8")
    result = audit(cli, CLEAN, "--rules", tmp_path / "rules")
    assert result.exit_code == 2
    assert "supervision-unsigned.yaml:10:" in result.stderr
    assert "did you mean 'signed'?" in result.stderr
    assert result.stdout == ""


def test_rules_of_ones_own_cite_the_shipped_catalogues(cli: Cli, tmp_path: Path) -> None:
    own = tmp_path / "mine" / "safer-recruitment"
    own.mkdir(parents=True)
    for file in ("pack.yaml", "supervision-unsigned.yaml"):
        shutil.copy(RULES / "safer-recruitment" / file, own)
    told = json.loads(audit(cli, small(tmp_path), "--rules", tmp_path / "mine", "--format", "json").stdout)
    assert [r["id"] for r in told["rules"]] == ["supervision-unsigned"]


# --- what is written ------------------------------------------------------------------------------------------------


def test_the_same_input_gives_the_same_bytes(cli: Cli, kept: Cli) -> None:
    asked = (AGENCY, "--format", "json")
    assert audit(kept, *asked).stdout == audit(cli, *asked, "--no-cache").stdout


def _shuffled(folder: Path, target: Path, seed: int) -> Path:
    """The same export with its rows, columns and files in another order."""
    chance = random.Random(seed)
    target.mkdir()
    paths = sorted(folder.glob("*.csv"))
    chance.shuffle(paths)
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        order = list(range(len(header)))
        chance.shuffle(order)
        chance.shuffle(rows)
        with (target / path.name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([row[i] for i in order] for row in [header, *rows])
    return target


def _in_order(told: dict[str, Any]) -> dict[str, Any]:
    """Without what has to differ: the rows that things stood in, and the order of the rules."""
    for listed in ("findings", "quarantined"):
        for f in told[listed]:
            f["source"].pop("row")
            if f.get("near"):
                f["near"].pop("row")
    for listed in ("rules", "findings", "quarantined"):
        told[listed].sort(key=json.dumps)
    told["summary"]["notes"] = [re.sub(r"\brow [\d,]+", "row", note) for note in told["summary"]["notes"]]
    return told


@pytest.fixture(scope="module")
def blemished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clean agency with every seventh cell of every fifth row emptied: many findings of many rules."""
    target = tmp_path_factory.mktemp("blemished") / "export"
    target.mkdir()
    kinds = planning.record_kinds()
    for path in sorted(CLEAN.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        kept = {header.index(kinds[path.stem].key), *(header.index(x.field) for x in kinds[path.stem].links.values())}
        for n, row in enumerate(rows):
            if n % 5 == 0:
                rows[n] = [c if (i + n) % 7 or i in kept else "" for i, c in enumerate(row)]
        with (target / path.name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    return target


@pytest.fixture(scope="module")
def blemished_told(blemished: Path) -> str:
    """Its audit as JSON, with a plan made anew."""
    asked = ("--as-at", AS_AT, "--format", "json", "--no-cache")
    return CliRunner().invoke(main, ["audit", str(blemished), *asked]).stdout


@pytest.mark.parametrize(("seed", "threads"), [(1, 1), (2, 2), (3, 5)])
def test_findings_are_the_same_whatever_the_order_of_rules_rows_files_and_threads(
    cli: Cli,
    blemished: Path,
    blemished_told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    threads: int,
) -> None:
    plain = json.loads(blemished_told)
    assert len(plain["findings"]) > 500
    book = shipped_book()
    rules = random.Random(seed).sample(book.rules, len(book.rules))
    monkeypatch.setattr(asked, "read_rulebook", lambda *_: replace(book, rules=tuple(rules)))
    moved = _shuffled(blemished, tmp_path / "shuffled", seed)
    told = json.loads(audit(cli, moved, "--format", "json", "--threads", threads, "--no-cache").stdout)
    assert [r["id"] for r in told["rules"]] == [r.rule.id for r in rules]
    assert _in_order(told) == _in_order(plain)


def test_the_rest_of_the_findings_is_the_same_when_rules_run_alone(
    cli: Cli, blemished: Path, blemished_told: str
) -> None:
    whole = json.loads(blemished_told)["findings"]
    for rule in random.Random(7).sample(sorted({f["rule"] for f in whole}), 6):
        alone = json.loads(audit(cli, blemished, "--format", "json", "--rule", rule).stdout)["findings"]
        assert alone == [f for f in whole if f["rule"] == rule]


def test_findings_come_first_things_first_then_by_severity_rule_and_subject(blemished_told: str) -> None:
    document = json.loads(blemished_told)
    on = {r["id"]: r["put_right"]["on"] for r in document["rules"]}
    standings, severities = ["open", "late", "past"], ["requirement", "recommendation", "advice"]
    places = [
        (
            f["danger"] is None,
            standings.index(f["standing"]),
            on[f["rule"]],
            severities.index(f["severity"]),
            f["rule"],
            f["subject"]["key"],
        )
        for f in document["findings"]
    ]
    assert places == sorted(places)
    assert {f["standing"] for f in document["findings"]} == set(standings)


def test_a_fingerprint_names_rule_and_subject_only(kept: Cli) -> None:
    def subject(f: dict[str, Any]) -> tuple[str, str, str | None]:
        return f["rule"], f["subject"]["key"], f["subject"]["part"]

    now = json.loads(audit(kept, AGENCY, "--format", "json").stdout)["findings"]
    later = json.loads(kept("audit", AGENCY, "--as-at", "2021-12-01", "--format", "json").stdout)["findings"]
    by = {subject(f): f["fingerprint"] for f in now}
    both = [f for f in later if subject(f) in by]
    assert len(both) > 50
    assert all(by[subject(f)] == f["fingerprint"] for f in both)
    assert len(set(by.values())) == len(by) == len(now)


def test_a_file_with_findings_is_its_owners_alone_and_the_screen_has_the_summary(cli: Cli, tmp_path: Path) -> None:
    result = audit(cli, small(tmp_path), "--format", "json", "--out", tmp_path / "findings.json")
    assert stat.S_IMODE((tmp_path / "findings.json").stat().st_mode) == 0o600
    assert len(json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))["findings"]) == 1
    assert result.stdout == ""
    assert "1 findings: 0 requirements, 1 recommendation" in result.stderr or "1 finding" in result.stderr


def test_an_output_that_cannot_be_written_is_said(cli: Cli, tmp_path: Path) -> None:
    result = audit(cli, small(tmp_path), "--out", tmp_path / "none" / "x.txt")
    assert result.exit_code == 2
    assert "cannot be written: No such file or directory" in result.stderr


def test_no_spreadsheet_runs_a_cell(cli: Cli, tmp_path: Path) -> None:
    folder = small(tmp_path)
    path = folder / "supervision.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("V1", "=cmd|' /C calc'!A0"), encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(audit(cli, folder, "--format", "csv").stdout)))
    assert [r["subject"] for r in rows] == ["'=cmd|' /C calc'!A0"]


def test_control_characters_of_a_record_do_not_reach_the_terminal(cli: Cli, tmp_path: Path) -> None:
    folder = small(tmp_path)
    path = folder / "supervision.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("V1", "V\x1b[2J1"), encoding="utf-8")
    assert "\x1b" not in audit(cli, folder).output


@pytest.mark.parametrize("width", [80, 100, 140, 200])
def test_the_table_fits_the_terminal(kept: Cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = audit(kept, AGENCY).stdout.splitlines()
    table = [line for line in lines if not line.startswith(("  ", "Audit of")) and not line.endswith(".")]
    assert 0.8 * width < max(map(len, table)) <= width


# --- the cache of plans ---------------------------------------------------------------------------------------------


def test_a_changed_rule_a_changed_figure_and_a_broken_entry_are_never_served_from_the_cache(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copytree(RULES, tmp_path / "rules")
    asked = (small(tmp_path, "no"), "--rules", tmp_path / "rules", "--format", "json")

    def found() -> int:
        return len(json.loads(audit(cli, *asked).stdout)["findings"])

    assert (found(), found()) == (1, 1)
    kept = list((tmp_path / "cache" / "compliance").glob("plan-*.json"))
    assert len(kept) == 1
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    for nonsense in (b"", b"{}", b"\xff", kept[0].read_bytes()[:1000]):
        kept[0].write_bytes(nonsense)
        assert found() == 1
    rule = tmp_path / "rules" / "safer-recruitment" / "supervision-unsigned.yaml"
    rule.write_text(
        rule.read_text(encoding="utf-8").replace("worker: signed\n", "worker: not signed\n"), encoding="utf-8"
    )
    assert found() == 0


def test_without_a_place_for_a_cache_nothing_is_lost(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert audit(cli, small(tmp_path)).exit_code == 0


# --- signals, pipes and size ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200,000 records of supervision, none of them signed."""
    folder = small(tmp_path_factory.mktemp("large"))
    with (folder / "supervision.csv").open("w", encoding="utf-8") as file:
        file.write("supervision_id,staff_id,held_on,signed\n")
        file.writelines(f"V{i},S1,2021-03-01,no\n" for i in range(200_000))
    return folder


def run(*args: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "compliance", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )


def test_ctrl_c_leaves_the_old_file_and_says_so(large: Path, tmp_path: Path) -> None:
    (tmp_path / "findings.json").write_text("the old one", encoding="utf-8")
    process = run("audit", large, "--as-at", AS_AT, "--format", "json", "--out", tmp_path / "findings.json")
    deadline = time.monotonic() + 30
    while not any(p.stat().st_size for p in tmp_path.glob(".*")) and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2, said
    assert said.decode().strip().splitlines()[0] == "Stopped."
    assert b"Traceback" not in said
    assert [p.name for p in tmp_path.iterdir()] == ["findings.json"]
    assert (tmp_path / "findings.json").read_text(encoding="utf-8") == "the old one"


def test_a_reader_that_stops_reading_is_no_fault(large: Path) -> None:
    with run("audit", large, "--as-at", AS_AT, "--format", "csv") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 2
    assert b"Traceback" not in said


def test_findings_pass_through_and_are_never_all_in_memory(large: Path) -> None:
    with audited(Asked(Export(large), date(2021, 9, 20), only=("supervision-unsigned",))) as report:
        before = sys.getallocatedblocks()
        held = []
        for n, _ in enumerate(report.findings(), 1):
            if not n % 5_000:
                held.append(sys.getallocatedblocks() - before)
    assert n == 200_000
    assert n >= 5 * CHUNK
    early, late = held[: len(held) // 2], held[len(held) // 2 :]
    assert max(late) < 1.3 * max(early)


def test_many_rows_in_little_memory_give_the_same(cli: Cli, large: Path) -> None:
    for threads in (1, 2):
        result = audit(cli, large, "--memory", "300MB", "--threads", threads, "--format", "json")
        assert len(json.loads(result.stdout)["findings"]) == 200_000


def test_nothing_is_left_behind_in_the_temporary_folder(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "compliance", "audit", str(AGENCY), "--as-at", AS_AT, "--exit-zero"],
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout
    assert list((tmp_path / "tmp").iterdir()) == []
