"""An export that changes while it is read is no export: code 2 and a sentence, whatever had been read by then."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from compliance.records import loading

STAFF = "staff_id,role\n" + "".join(f"S{i},social worker\n" for i in range(100))


def _gone(folder: Path) -> None:
    (folder / "staff.csv").unlink()


def _cut(folder: Path) -> None:
    os.truncate(folder / "staff.csv", 20)


def _replaced(folder: Path) -> None:
    """By a file of the same size and time, as a copy that keeps times makes it."""
    path = folder / "staff.csv"
    there = path.stat()
    new = folder / ".new"
    new.write_text(STAFF.replace("social", "family"), encoding="utf-8")
    os.utime(new, ns=(there.st_atime_ns, there.st_mtime_ns))
    new.replace(path)


def _joined(folder: Path) -> None:
    (folder / "household.csv").write_text("household_id\nH1\n", encoding="utf-8")


def _folder_gone(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize("change", [_gone, _cut, _replaced, _joined, _folder_gone])
@pytest.mark.parametrize("when", ["_by_names", "_every_table", "_outcome"])
@pytest.mark.parametrize("command", ["check", "audit"])
def test_an_export_that_changes_while_it_is_read_is_2(
    cli: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    when: str,
    command: str,
) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "staff.csv").write_text(STAFF, encoding="utf-8")
    stage = getattr(loading, when)

    def changing(*args: Any) -> Any:
        change(folder)
        return stage(*args)

    monkeypatch.setattr(loading, when, changing)
    asked = ("data", "check", folder)
    if command == "audit":
        asked = ("audit", folder, "--as-at", "2021-09-20", "--rule", "appraisal-overdue")  # type: ignore[assignment]
    result = cli(*asked)
    assert (result.exit_code, "Traceback" in result.output) == (2, False), result.output
    assert "export" in result.stderr
