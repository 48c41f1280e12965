"""An export that holds only some months is not asked about others: what it lacks then is no breach and no pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Cli = Callable[..., Result]
RULE = ("--rule", "supervision-unsigned")
MAPPING = """\
covers: {last: 6 months, to: 2021-09-30}
sources:
  - record: staff
    file: staff.csv
    columns: {staff_id: staff_id, role: role, worker_kind: worker_kind, started_on: started_on, left_on: left_on}
  - record: supervision
    file: supervision.csv
    columns: {supervision_id: supervision_id, staff_id: staff_id, held_on: held_on, signed: signed}
  - {record: appraisal, file: appraisal.csv, columns: {appraisal_id: appraisal_id, staff_id: staff_id, held_on: held_on}}
"""
HELD = "from 31 March 2021 to 30 September 2021"


@pytest.fixture
def half_a_year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six months of supervision to 30 September 2021, one of them unsigned; plans are kept in a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "mapping.yaml").write_text(MAPPING, "utf-8")
    (folder / "staff.csv").write_text(
        "staff_id,role,worker_kind,started_on,left_on\nS1,social worker,employee,2015-01-01,\n", "utf-8"
    )
    (folder / "appraisal.csv").write_text("appraisal_id,staff_id,held_on\nA1,S1,2021-06-01\n", "utf-8")
    (folder / "supervision.csv").write_text(
        "supervision_id,staff_id,held_on,signed\nV1,S1,2021-04-20,no\nV2,S1,2021-05-20,yes\n", "utf-8"
    )
    return folder


def became(cli: Cli, folder: Path, as_at: str) -> tuple[str, str]:
    found = json.loads(cli("audit", str(folder), "--as-at", as_at, *RULE, "--format", "json").stdout)
    (rule,) = found["rules"]
    return rule["status"], rule["why_not"] or ""


@pytest.mark.parametrize(
    ("as_at", "status"),
    [
        ("2021-03-30", "could not run"),
        ("2021-05-31", "ran"),
        ("2021-09-30", "ran"),
        ("2021-10-01", "could not run"),
    ],
)
def test_a_day_that_the_export_does_not_cover_is_not_audited(
    cli: Cli, half_a_year: Path, as_at: str, status: str
) -> None:
    said, why = became(cli, half_a_year, as_at)
    assert said == status
    if status != "ran":
        assert why == f"the export has staff records only {HELD}, supervision records only {HELD}"


def test_a_plan_kept_from_a_day_that_is_covered_is_not_used_for_one_that_is_not(cli: Cli, half_a_year: Path) -> None:
    assert [became(cli, half_a_year, d)[0] for d in ("2021-09-30", "2021-10-01", "2021-09-30", "2021-03-30")] == [
        "ran",
        "could not run",
        "ran",
        "could not run",
    ]


def test_a_trend_that_leaves_the_months_that_are_covered_does_not_count_what_is_not_there(
    cli: Cli, half_a_year: Path
) -> None:
    def trend(first: str) -> str:
        asked = ("--as-at", "2021-09-30", "--every", "month", "--from", first, *RULE, "--format", "json", "--exit-zero")
        (rule,) = json.loads(cli("audit", str(half_a_year), *asked).stdout)["rules"]
        return str(rule["status"])

    assert (trend("2021-04-01"), trend("2021-01-01")) == ("ran", "could not run")


def test_a_pipeline_that_requires_completeness_fails_for_a_day_that_is_not_covered(cli: Cli, half_a_year: Path) -> None:
    # It is the one rule that is asked: an audit in which nothing could run.
    assert cli("audit", str(half_a_year), "--as-at", "2021-10-01", *RULE, "--require-complete").exit_code == 2


def test_a_forecast_from_a_covered_day_may_look_beyond_it_and_from_another_may_not(cli: Cli, half_a_year: Path) -> None:
    def status(as_at: str) -> str:
        asked = ("--as-at", as_at, "--days", "90", "--rule", "appraisal-overdue", "--format", "json")
        (rule,) = json.loads(cli("forecast", str(half_a_year), *asked).stdout)["rules"]
        return str(rule["status"])

    assert (status("2021-09-30"), status("2021-10-01")) == ("ran", "could not run")
