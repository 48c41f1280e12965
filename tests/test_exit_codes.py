"""However a command ends, its exit code is true: a crash of ours is no finding, and what was not written is not told as written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import Result

from compliance.cli import main
from compliance.engine import database
from compliance.errors import ComplianceError

STAFF = "staff_id,role,started_on\nS1,social worker,2020-01-01\n"
RUN = [sys.executable, "-m", "compliance"]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "staff.csv").write_text(STAFF, encoding="utf-8")
    return folder


def test_a_crash_of_ours_has_its_own_code_and_quotes_no_record(
    cli: Callable[..., Result], export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "".join(["Can", "ary"])

    def fail(*_: object) -> None:
        try:
            raise ValueError(name)
        except ValueError as e:
            raise KeyError(name) from e

    monkeypatch.setattr("compliance.records.loading.load_tables", fail)
    result = cli("data", "check", export)
    assert result.exit_code == 4
    assert "KeyError" in result.stderr and "test_exit_codes.py" in result.stderr and "please report" in result.stderr
    assert "Canary" not in result.output


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (FileNotFoundError(2, "No such file or directory", "gone.csv"), "gone.csv"),
        (MemoryError(), "memory"),
        (KeyboardInterrupt(), "Stopped."),
        (BrokenPipeError(32, "Broken pipe"), ""),
    ],
)
def test_what_the_machine_denies_is_2_and_a_sentence(
    cli: Callable[..., Result], export: Path, monkeypatch: pytest.MonkeyPatch, raised: BaseException, told: str
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr("compliance.records.loading.load_tables", fail)
    result = cli("data", "check", export)
    assert (result.exit_code, "Traceback" in result.output) == (2, False)
    assert told in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the machine has no full device")
@pytest.mark.parametrize(
    "asked",
    [
        "--help",
        "data check {export}",
        "audit {export} --as-at 2021-09-20 --rule appraisal-overdue",
    ],
)
def test_a_full_output_is_2(export: Path, asked: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*RUN, *asked.format(export=export).split()], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "No space left on device" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="no shell")
@pytest.mark.parametrize("closed", ["1>&-", "1>&- 2>&-", "2>/dev/full 1>/dev/full"])
def test_a_closed_output_is_2(export: Path, closed: str) -> None:
    command = f'"{sys.executable}" -m compliance data check "{export}" {closed}'
    assert subprocess.run(command, shell=True, stderr=subprocess.PIPE).returncode == 2


def test_a_reader_that_has_had_enough_is_2(export: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*RUN, "--help"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (2, "")


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_not_utf8_are_2_and_a_sentence(export: Path) -> None:
    odd = Path(os.fsdecode(b"\xff"))
    (export / os.fsdecode(b"appraisal\xff.csv")).write_text("appraisal_id\nA1\n", encoding="utf-8")
    asked = ["audit", str(export), "--as-at", "2021-09-20", "--rule", "appraisal-overdue", "--format", "json"]
    done = subprocess.run([*RUN, *asked], capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "appraisal\\xff.csv" in done.stderr and "UTF-8" in done.stderr
    other = export.rename(export.parent / odd)
    done = subprocess.run([*RUN, "data", "check", os.fsencode(other)], capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "\\xff" in done.stderr and "UTF-8" in done.stderr


@pytest.mark.parametrize("error", ["IOException", "OutOfMemoryException"])
def test_what_the_engine_is_denied_by_the_machine_is_no_fault_of_a_rule(error: str) -> None:
    def fail() -> None:
        raise getattr(duckdb, error)("could not write block: No space left on device")

    with pytest.raises(ComplianceError, match="No space left"):
        database._call(fail)


def test_an_output_that_takes_no_utf8_is_2_and_a_sentence() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "iso8859-1", "PYTHONUTF8": "0"}
    done = subprocess.run([*RUN, "plan", "new", "--help"], env=env, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "PYTHONUTF8=1" in done.stderr


def test_what_click_itself_refuses_is_2() -> None:
    done = subprocess.run([*RUN, "no-such-command"], capture_output=True, text=True)
    assert done.returncode == 2


def test_a_caller_in_python_gets_our_errors_as_they_are() -> None:
    import click

    with pytest.raises(click.UsageError):
        main.main(["no-such-command"], standalone_mode=False)


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [("KeyboardInterrupt", 2, "Stopped."), ("ModuleNotFoundError('click')", 4, "ModuleNotFoundError")],
)
def test_a_program_that_cannot_begin_has_found_nothing(raised: str, code: int, told: str) -> None:
    """Python ends such a program with 1, which is the code of findings."""
    stopping = f"""
import sys

class Stopping:
    def find_spec(self, name, *_):
        if name == "compliance.cli.data":
            raise {raised}

sys.meta_path.insert(0, Stopping())
from compliance.__main__ import run
run()
"""
    done = subprocess.run([sys.executable, "-c", stopping, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1][: len(told)]) == (code, told)
