"""Rows that cannot be used, and links that lead to nobody, leave a doubt in what is counted over them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

Cli = Callable[..., Result]
ROOT = Path(__file__).parents[1]
STAFF = "staff_id,role,started_on,previously_employed,left_on,worker_kind\n"
REFERENCES = "reference_id,staff_id,written,received_on,from_latest_employer\n"
RULE = "staff-references-incomplete"
ASKED = ("--as-at", "2021-09-20", "--rule", RULE)


def export(folder: Path, staff: str, references: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "staff.csv").write_text(STAFF + staff, encoding="utf-8")
    (folder / "reference.csv").write_text(REFERENCES + references, encoding="utf-8")
    return folder


def person(key: str) -> str:
    return f"{key},supervising social worker,2021-03-01,true,,employee\n"


def reference(key: str, of: str, rest: str = "true,2021-02-01,true") -> str:
    return f"{key},{of},{rest}\n"


def audited(cli: Cli, folder: Path, *asked: str) -> dict[str, Any]:
    result = cli("audit", folder, *(asked or ASKED), "--format", "json")
    assert result.exit_code in (0, 1), result.output
    told: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(told, json.loads((ROOT / "schemas" / "findings.schema.json").read_text(encoding="utf-8")))
    return told


def findings(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f["subject"]["key"]: f for f in told["findings"]}


@pytest.mark.parametrize(
    ("mine", "named"),
    [
        ("00123", "123"),
        ("S7", "s7"),
        ("S7", "S 7"),
        ("S7", "S\u200b7"),
        ("S-7", "S\u20137"),
        ("12", "12.0"),
        ("S007", "S7"),
    ],
)
def test_a_link_that_nearly_names_one_record_leaves_its_count_open(
    cli: Cli, tmp_path: Path, mine: str, named: str
) -> None:
    rows = reference("R1", named) + reference("R2", named, "true,2021-02-01,false")
    folder = export(tmp_path, person(mine) + person("X99"), rows)
    told = findings(audited(cli, folder))
    assert told[mine]["outcome"] == "not_evidenced" and told["X99"]["outcome"] == "breach"
    assert "2 references (the first: row 2) may belong here" in told[mine]["argument"]
    assert "references.staff_id" in told[mine]["missing"]
    assert told["X99"]["missing"] == [] and "may belong" not in told["X99"]["argument"]
    assert "and nearly another" in cli("data", "check", folder).stdout


def test_a_row_that_would_not_count_anyway_opens_nothing(cli: Cli, tmp_path: Path) -> None:
    folder = export(tmp_path, person("S7"), reference("R1", "s7", "true,2021-05-01,false"))
    assert findings(audited(cli, folder))["S7"]["outcome"] == "breach"


def test_a_link_that_nearly_names_two_records_belongs_to_nobody(cli: Cli, tmp_path: Path) -> None:
    rows = reference("R1", "007") + reference("R2", "0 7", "true,2021-02-01,false")
    told = audited(cli, export(tmp_path, person("7") + person("07"), rows))
    assert {f["outcome"] for f in told["findings"]} == {"breach"}
    assert {f["unless"] for f in told["findings"]} == {"one of the 2 references that belong to nobody is theirs"}


def test_a_breach_that_a_record_of_nobody_would_lift_says_so_and_is_counted(cli: Cli, tmp_path: Path) -> None:
    rows = reference("R1", "S1") + reference("R2", "NOBODY", "true,2021-02-01,false")
    folder = export(tmp_path, person("S1") + person("S2"), rows)
    told = audited(cli, folder)
    # One more reference makes two for S1; S2 lacks two.
    assert findings(told)["S1"]["unless"] == "the one reference that belongs to nobody is theirs"
    assert findings(told)["S1"]["outcome"] == "breach"
    assert findings(told)["S2"]["unless"] is None
    said = cli("audit", folder, *ASKED).stdout
    assert "1 finding rests on a count that records which belong to nobody could change; it says which." in said
    flat = " ".join(said.split())
    assert "Unless the one reference that belongs to nobody is theirs." in flat


def test_records_of_nobody_that_came_later_excuse_nothing(cli: Cli, tmp_path: Path) -> None:
    rows = reference("R1", "S1") + reference("R2", "NOBODY", "true,2021-10-01,false")
    folder = export(tmp_path, person("S1"), rows)
    assert findings(audited(cli, folder))["S1"]["unless"] is None
    later = findings(audited(cli, folder, "--as-at", "2021-11-01", "--rule", RULE))
    # It came too late to count, but nothing is known of a record but whose it is not.
    assert later["S1"]["unless"] == "the one reference that belongs to nobody is theirs"


def test_a_row_that_cannot_be_used_opens_the_count_of_whom_it_names(cli: Cli, tmp_path: Path) -> None:
    folder = export(tmp_path, person("S1") + person("S2") + person("S3"), "")
    rows = "check_id,staff_id,completed_on,photo_held,kind\nK1,s1,2021-02-01\nK2,S2,2021-02-01,true,identity\n"
    (folder / "check.csv").write_text(rows, encoding="utf-8")
    told = findings(audited(cli, folder, "--as-at", "2021-09-20", "--rule", "staff-identity-not-proved"))
    assert told["S1"]["outcome"] == "not_evidenced" and "checks.staff_id" in told["S1"]["missing"]
    assert "1 check of this record cannot be read." in told["S1"]["argument"]
    assert told["S3"]["outcome"] == "breach" and told["S3"]["unless"] is None and "S2" not in told


def test_a_row_too_long_to_be_read_may_be_anybodys_and_a_total_is_nobodys(cli: Cli, tmp_path: Path) -> None:
    one = reference("R1", "S1")
    long = export(tmp_path / "long", person("S1"), one + "R2,S1,true,2021-02-01,false,,,,left over\n")
    assert findings(audited(cli, long))["S1"]["unless"] == "the one reference that belongs to nobody is theirs"
    total = export(tmp_path / "total", person("S1"), one + "Total,2,,,\n")
    assert findings(audited(cli, total))["S1"]["unless"] is None


def test_a_kpi_over_rows_that_cannot_be_used_is_a_range(cli: Cli, tmp_path: Path) -> None:
    listed = (ROOT / "tests" / "data" / "exports" / "short-row-kpi" / "List_8.csv").read_text(encoding="utf-8")
    whole = listed.replace("01/02/2021\n", "01/02/2021,\n")
    too_long = whole.splitlines()[1].replace("C1", "C4") + "left,over\n"
    asked = ("--mapping", "annex-a:snapshot_on=2021-09-20", "--as-at", "2021-09-20", "KPI-SC10", "--format", "json")
    for name, text, low, high in (("whole", whole, 66.7, 66.7), ("long", whole + too_long, 50, 75)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "List_8.csv").write_text(text, encoding="utf-8")
        (kpi,) = json.loads(cli("kpi", tmp_path / name, *asked).stdout)["kpis"]
        assert (kpi["history"][-1]["low"], kpi["history"][-1]["high"]) == (low, high), name
