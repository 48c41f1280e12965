"""An export whose columns have moved shows nobody's name: of a cell that does not fit its shape alone is told."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from compliance.jobs import planning

KINDS = ("child", "staff", "appraisal", "household", "foster_parent", "household_member", "placement")
FORMATS = ("table", "json", "csv", "html", "sarif", "junit", "github", "gitlab", "markdown", "xlsx")


def _canary(kind: str, field: str, row: int) -> str:
    """A name that stands nowhere else, of letters alone."""
    letters = "".join(chr(ord("a") + (ord(c) * 7 + i) % 26) for i, c in enumerate(f"{kind}{field}{row}"))
    return f"Zanary{letters}"


def _export(folder: Path, by: int) -> list[str]:
    """Records of which every cell is a canary, shifted to the right; and the canaries."""
    folder.mkdir()
    kinds, canaries = planning.record_kinds(), []
    for kind in KINDS:
        fields = list(kinds[kind].fields)
        with (folder / f"{kind}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(fields)
            for row in range(2):
                cells = [_canary(kind, f, row) for f in fields]
                canaries += cells
                writer.writerow([*(["x"] * by), *cells][: len(fields)])
    return canaries


def _text(path: Path) -> str:
    """All that a report says, whatever it is packed in."""
    if not zipfile.is_zipfile(path):
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as book:
        return "".join(book.read(name).decode("utf-8") for name in book.namelist())


@pytest.mark.parametrize("by", [1, 2])
def test_no_format_shows_what_stands_in_a_cell_that_does_not_fit(
    cli: Callable[..., Result], tmp_path: Path, by: int
) -> None:
    data = tmp_path / "export"
    personal = _export(data, by)
    also = [x for f in FORMATS for x in ("--also", f"{f}={tmp_path / f}")]
    asked = ("audit", data, "--as-at", "2021-09-20", "--rule", "appraisal-overdue", *also)
    result = cli(*asked)
    assert result.exit_code in (0, 1), result.output
    checked = cli("data", "check", data)
    written = [result.output, checked.output, *(_text(tmp_path / f) for f in FORMATS)]
    assert "Aaaaaaa" in checked.output
    for text in written:
        assert not [c for c in personal if c in text]
    assert "Zanary" in cli("data", "check", data, "--personal").output


def test_a_link_to_nobody_and_a_key_twice_show_no_name(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "household.csv").write_text("household_id\nH1\n", encoding="utf-8")
    (tmp_path / "foster_parent.csv").write_text(
        "foster_parent_id,household_id\nMary Canary,Mary Canary\nMary Canary,Zo\u00eb \u5f20\n", encoding="utf-8"
    )
    said = cli("data", "check", tmp_path).output
    assert "Canary" not in said and "Aaaa Aaaaaa" in said and "Zo\u00eb" not in said
    assert "Canary" in cli("data", "check", tmp_path, "--personal").output
