"""An audit as at each month's end, from the same dated records."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

AGENCY = Path(__file__).parent.parent / "fixtures" / "agency"


@pytest.fixture(scope="module")
def trend() -> dict[str, Any]:
    from click.testing import CliRunner

    from compliance.cli import main

    args = [
        "audit",
        str(AGENCY),
        "--as-at",
        "2021-09-20",
        "--every",
        "month",
        "--from",
        "2021-04-01",
        "--format",
        "json",
    ]
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 1, result.output
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return document


def test_the_days_are_month_ends_and_the_as_at_date(trend: dict[str, Any]) -> None:
    assert trend["days"] == ["2021-04-30", "2021-05-31", "2021-06-30", "2021-07-31", "2021-08-31", "2021-09-20"]


@pytest.mark.parametrize("place", [1, 5])
def test_each_day_is_what_an_audit_as_at_that_day_says(
    place: int, trend: dict[str, Any], cli: Callable[..., Result]
) -> None:
    result = cli("audit", AGENCY, "--as-at", trend["days"][place], "--format", "json", "--sample", "0", "--exit-zero")
    alone = {r["id"]: r for r in json.loads(result.stdout)["rules"]}
    different = []
    for rule in trend["rules"]:
        its = {o: counts[place] for o, counts in rule["outcomes"].items()}
        one = alone[rule["id"]]
        if one["status"] in ("ran", "looked at nothing") and its != one["outcomes"]:
            different.append((rule["id"], its, one["outcomes"]))
        if one["status"] == "not in force":
            assert its["breach"] == its["not_evidenced"] == its["pending"] == its["compliant"] == 0
    assert different == []


def test_the_json_fits_its_schema(trend: dict[str, Any]) -> None:
    from jsonschema import Draft7Validator

    schema = json.loads((AGENCY.parent.parent / "schemas" / "trend.schema.json").read_text(encoding="utf-8"))
    assert [e.message for e in Draft7Validator(schema).iter_errors(trend)] == []


def test_csv_has_a_row_for_every_rule_and_day(trend: dict[str, Any], cli: Callable[..., Result]) -> None:
    args = ("--as-at", "2021-09-20", "--every", "quarter", "--from", "2021-04-01", "--rule", "approval-review-overdue")
    result = cli("audit", AGENCY, *args, "--format", "csv", "--exit-zero")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [r["as_at"] for r in rows] == ["2021-06-30", "2021-09-20"]
    rule = next(r for r in trend["rules"] if r["id"] == "approval-review-overdue")
    assert [int(r["breach"]) for r in rows] == [rule["outcomes"]["breach"][2], rule["outcomes"]["breach"][5]]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--every", "month"], "go together"),
        (["--every", "month", "--from", "2021-01-01", "--by", "team"], "goes with none of --by"),
        (["--every", "week", "--from", "1990-01-01"], "are too many to look from at once"),
    ],
)
def test_a_mistake_in_the_call_is_told(args: list[str], said: str, cli: Callable[..., Result]) -> None:
    result = cli("audit", AGENCY, "--as-at", "2021-09-20", *args)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
