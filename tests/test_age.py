"""How old the records are: an audit long after the export says so, and how many findings that explains."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from click.testing import Result
from conftest import ROOT

from compliance.dates import english_iso
from compliance.model import LONG, OFTEN, Newest

Cli = Callable[..., Result]
CLEAN = ROOT / "fixtures" / "clean"
SILENT = "Nothing new has come for more than twice as long as ever in the year before"


def audited(cli: Cli, day: str) -> dict[str, Any]:
    result = cli(
        "audit", CLEAN, "--as-at", day, "--rule", "foster-supervision-overdue", "--format", "json", "--exit-zero"
    )
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def remarks(report: dict[str, Any]) -> list[str]:
    return [n for n in report["summary"]["notes"] if SILENT in n]


def test_the_newest_record_of_each_kind_is_that_of_the_day_that_is_looked_from(cli: Cli) -> None:
    rows = (CLEAN / "foster_supervision.csv").read_text(encoding="utf-8").splitlines()
    at = rows[0].split(",").index("held_on")
    held = [row.split(",")[at] for row in rows[1:]]
    for day in ("2021-09-20", "2021-03-06"):
        newest = audited(cli, day)["summary"]["newest"]["foster_supervision"]
        assert newest == max(h for h in held if "" < h <= day)


def test_an_audit_long_after_the_newest_record_says_so_with_what_fell_due_since(cli: Cli) -> None:
    report = audited(cli, "2021-12-20")
    newest = report["summary"]["newest"]["foster_supervision"]
    since = [f for f in report["findings"] if f["due_on"] > newest]
    assert len(since) > 100, "so many households, and nobody has visited since"
    [said] = remarks(report)
    explained = f"{len(since):,} findings are of what fell due after the newest records: "
    assert said.startswith(f"{explained}it was not done, or the export is older than 20 December 2021.")
    assert "foster supervision" in said and f"(the newest of {english_iso(newest)})" in said


@pytest.mark.parametrize("day", ["2021-09-20", "2021-10-11"])
def test_an_audit_soon_after_the_newest_record_says_nothing_of_it(cli: Cli, day: str) -> None:
    assert not remarks(audited(cli, day))


@pytest.mark.parametrize(
    ("days", "apart", "gap", "silent"),
    [
        (OFTEN, 1, LONG, False),
        (OFTEN, 1, LONG + 1, True),
        (OFTEN, 20, 40, False),
        (OFTEN, 20, 41, True),
        (OFTEN - 1, 20, 400, False),
    ],
)
def test_what_is_long_depends_on_how_often_records_of_the_kind_come(
    days: int, apart: int, gap: int, silent: bool
) -> None:
    on = date(2021, 1, 1)
    assert Newest("visit", on, days, apart).silent(on + timedelta(days=gap)) is silent


def test_data_check_lists_the_kinds_that_lag_first(cli: Cli) -> None:
    said = " ".join(cli("data", "check", CLEAN).stdout.split())
    _, _, listed = said.partition("Newest records, oldest first: ")
    days = [" ".join(one.split()[-3:]) for one in listed.partition(". ")[0].rstrip(".").split(", ")]
    order = [datetime.strptime(day, "%d %B %Y").date() for day in days]
    assert len(order) > 20 and order == sorted(order)
