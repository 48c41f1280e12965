"""Annex A and SSDA903 as case systems give them: every cell is read as it is meant, and nothing but what is planted does not fit."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import council
import council_duties
import council_exports
import pytest
import python_calamine
import yaml
from click.testing import Result
from conftest import ROOT
from test_reading import KINDS

from compliance.jobs import opening
from compliance.jobs.asked import Export
from compliance.model import Tables
from compliance.records import loading

FIXTURES = ROOT / "fixtures"
EXPORTS = ("annex-a", "ssda903")
Rows = dict[str, list[dict[str, Any]]]
Cli = Callable[..., Result]


@cache
def answers(export: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FIXTURES / export / "ANSWERS.yaml").read_text(encoding="utf-8"))
    return found


def load(data: Path, mapping: Path | None = None) -> tuple[Tables, Counter[tuple[str, int, str, str]], Rows]:
    """The export's tables, what did not fit, and every record in the order of the rows."""
    with opening.loaded(Export(data, mapping)) as read:
        con, tables = read.con, read.tables
        rows: Rows = {}
        for kind, table in tables.tables.items():
            fields = [f for f in KINDS[kind].fields if f in table.columns]
            listed = ", ".join(f'"{f}"' for f in fields)
            found = con.execute(f'SELECT {listed} FROM "t_{kind}" ORDER BY rid').fetchall()
            rows[kind] = [dict(zip(fields, row, strict=True)) for row in found]
        return tables, Counter((q.file, q.row, q.record, q.field) for q in loading.quarantined(con)), rows


@cache
def loaded(export: str) -> tuple[Tables, Counter[tuple[str, int, str, str]], Rows]:
    return load(FIXTURES / export)


@pytest.mark.parametrize("export", EXPORTS)
def test_what_does_not_fit_is_what_was_planted_and_nothing_else(export: str) -> None:
    wanted = Counter((q["file"], q["row"], q["record"], q["field"]) for q in answers(export)["quarantined"])
    assert loaded(export)[1] == wanted


def test_every_column_of_every_list_is_read_or_known_to_be_unused() -> None:
    assert loaded("annex-a")[0].notes == () and not loaded("annex-a")[0].absent
    tables = loaded("ssda903")[0]
    assert tables.notes == ("Missing.csv: 23 rows left out of missing_episode by only_where.",)
    assert set(tables.absent) == {"deprivation_of_liberty"}  # the return has had it since 2026/27


@pytest.mark.parametrize("export", EXPORTS)
def test_the_mapping_beside_the_export_is_the_one_of_that_name(export: str) -> None:
    tables, quarantined, rows = load(FIXTURES / export, Path(answers(export)["mapping"]))
    assert (tables, quarantined, rows) == loaded(export)


def test_lists_saved_as_csv_files_are_the_same_lists(tmp_path: Path) -> None:
    book = python_calamine.load_workbook(FIXTURES / "annex-a" / "annex-a.xlsx")
    for sheet in book.sheet_names:
        rows = [[_as_csv(c) for c in row] for row in book.get_sheet_by_name(sheet).to_python()]
        with (tmp_path / f"{sheet.replace(' ', '_').lower()}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    tables, quarantined, rows_ = load(tmp_path, Path(answers("annex-a")["mapping"]))
    assert (tables.notes, tables.absent, rows_) == ((), {}, loaded("annex-a")[2])
    assert quarantined.total() == loaded("annex-a")[1].total()
    (tmp_path / "list_3.csv").unlink()
    assert "no file List 3" in load(tmp_path, Path(answers("annex-a")["mapping"]))[0].absent["referral"]


def _as_csv(cell: object) -> object:
    return (
        cell.strftime("%d/%m/%Y")
        if isinstance(cell, date)
        else int(cell)
        if isinstance(cell, float) and cell.is_integer()
        else cell
    )


READ_AS = {"Yes": True, "No": False, "1": True, "0": False}


@pytest.mark.parametrize("one", council_exports.LISTS, ids=lambda o: o.record)
def test_days_numbers_and_answers_are_read_as_they_were_meant(one: council_exports.List) -> None:
    spoilt = {(kind, at, f) for kind, at, f, _ in council_exports.SPOILT}
    rows = loaded("annex-a")[2][one.record]
    world = council.build().rows[one.record]
    assert len(rows) == len(world) > 50
    compared = Counter[str]()
    for n, (row, meant) in enumerate(zip(rows, world, strict=True)):
        assert row["snapshot_on"] == council.AS_AT
        for _, f in one.columns:
            kind = KINDS[one.record].fields[f].type
            value = meant.get(f)
            if (one.record, n, f) in spoilt:
                assert row[f] is None
            elif kind == "boolean" and value in READ_AS:
                assert row[f] == READ_AS[str(value)], (n, f)
            elif kind in ("date", "integer"):
                assert row[f] == value, (n, f)
            elif f == "age" and isinstance(value, float):
                assert float(row[f]) == pytest.approx(value if one.exact else int(value), abs=1e-4)
            else:
                assert (row[f] is None) == (value in (None, "0", "Not stated/recorded")), (n, f, value)
            compared[kind] += row[f] is not None
    assert compared["date"] > len(rows)


def test_codes_come_out_in_words_with_letter_and_without() -> None:
    sources = {r["source"] for r in loaded("annex-a")[2]["contact"]}
    assert sources == {*KINDS["contact"].fields["source"].codes}
    assert {r["source"] for r in loaded("annex-a")[2]["referral"]} - {None} <= sources
    assert {r["ethnicity"] for r in loaded("annex-a")[2]["contact"]} <= set(council.ETHNICITIES)


def test_one_column_of_the_return_gives_where_a_care_leaver_lives_and_whether_that_is_suitable() -> None:
    world = council.build().rows["care_leaver_outcome"]
    for row, meant in zip(loaded("ssda903")[2]["care_leaver_outcome"], world, strict=True):
        code = str(meant["accommodation"])
        assert row["accommodation_suitable"] == {"1": True, "2": False, "0": None}[code[-1]]
        assert (row["accommodation"] is None) == (code == "0")


def test_a_date_of_which_parts_are_unknown_keeps_its_year() -> None:
    found = {(r["made_on"], r["made_in_year"]) for r in loaded("ssda903")[2]["previous_permanence"]}
    assert found == {(None, 2012), (None, 2014), (date(2015, 2, 14), 2015), (None, None)}


# --- KPIs -----------------------------------------------------------------------------------------------------------

PACK = """pack: tried
title: What the answer sheet names
cases_as_at: 2021-09-20
frameworks:
  tried: {title: The answer sheet, from: 2020-04-01, scheme: none, source: The generator}
"""


def worked_out(cli: Cli, tmp_path: Path, export: str, as_at: str) -> dict[str, dict[str, int]]:
    """The KPIs of the answer sheet by name, as the program counts them."""
    folder = tmp_path / "rules" / "kpi" / "tried"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text(PACK, encoding="utf-8")
    names = {}
    for n, k in enumerate(answers(export)["kpis"], 1):
        names[f"K-{n}"] = k["name"]
        asked = {f: k[f] for f in ("record", "direction", "denominator", "numerator")}
        written = {
            "id": f"k-{n}",
            "title": k["name"],
            "area": "Tried",
            "unit": "percent",
            "frequency": "month",
            "met": "as it should be",
        }
        written |= {**asked, "versions": {"tried": {"code": f"K-{n}"}}}
        (folder / f"k-{n}.yaml").write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    result = cli("kpi", FIXTURES / export, "--as-at", as_at, "--rules", tmp_path / "rules", "--format", "json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)["kpis"]
    return {names[k["code"]]: {f: k[f] for f in ("numerator", "denominator", "unknown")} for k in told}


@pytest.mark.parametrize("export", EXPORTS)
def test_kpis_come_to_what_the_generator_counted(cli: Cli, tmp_path: Path, export: str) -> None:
    wanted = {k["name"]: k["expected"] for k in answers(export)["kpis"]}
    # Each is asked for the last day that it holds.
    day = {"annex-a": "2021-09-20", "ssda903": "2021-03-31"}[export]
    assert worked_out(cli, tmp_path, export, day) == wanted
    assert all(0 < w["numerator"] < w["denominator"] for w in wanted.values())


def test_what_a_list_overwrites_is_unknown_as_at_an_earlier_day(cli: Cli, tmp_path: Path) -> None:
    day = date(2021, 8, 31)
    found = worked_out(cli, tmp_path, "annex-a", day.isoformat())
    spoilt = {at for kind, at, f, _ in council_exports.SPOILT if (kind, f) == ("child_protection", "last_visit_on")}
    wanted = Counter[str]()
    for n, r in enumerate(council.build().rows["child_protection"]):
        started, ended, visit = r["started_on"], r["ended_on"], r["last_visit_on"]
        assert isinstance(started, date)
        if started > day or (isinstance(ended, date) and ended <= day):
            continue
        unknown = n in spoilt or (isinstance(visit, date) and visit > day)
        wanted["unknown"] += unknown
        wanted["denominator"] += 1
        wanted["numerator"] += not unknown and isinstance(visit, date) and day - visit <= timedelta(days=20)
    assert found["children on a plan visited in 20 days"] == dict(wanted)
    assert wanted["unknown"] > 100
    # Who was responsible then, the list does not say at all.
    nobody = found["nobody allocated"]
    assert nobody["numerator"] == 0 and nobody["unknown"] == nobody["denominator"] > 100


# --- the files ------------------------------------------------------------------------------------------------------


def test_the_generator_gives_the_files_that_are_kept(tmp_path: Path) -> None:
    its = council.build()
    council_exports.write_annex_a(its, tmp_path / "annex-a")
    council_exports.write_ssda903(its, tmp_path / "ssda903")
    kept = {p.relative_to(FIXTURES) for e in EXPORTS for p in (FIXTURES / e).iterdir()}
    assert kept == {p.relative_to(tmp_path) for p in tmp_path.rglob("*.*")}
    for path in kept:
        if path.suffix != ".xlsx":
            assert (tmp_path / path).read_bytes() == (FIXTURES / path).read_bytes(), path
    made, found = (python_calamine.load_workbook(f / "annex-a" / "annex-a.xlsx") for f in (tmp_path, FIXTURES))
    for sheet in found.sheet_names:
        assert made.get_sheet_by_name(sheet).to_python() == found.get_sheet_by_name(sheet).to_python()


def test_the_workbook_is_as_odd_as_real_ones() -> None:
    book = python_calamine.load_workbook(FIXTURES / "annex-a" / "annex-a.xlsx")
    cells = [c for s in book.sheet_names for row in book.get_sheet_by_name(s).to_python() for c in row]
    headers = {str(h) for s in book.sheet_names for h in book.get_sheet_by_name(s).to_python()[0]}
    assert {type(c) for c in cells} >= {date, float, str}
    for cell in ("#N/A", "nope", "a) Male", "Male", "q) 6: Police", "6: Police", "p1) 5D: LA services"):
        assert cell in cells
    for header in ("Age", "Age of Child (Years)", "Date of Adoption Order ", "Allocated Team"):
        assert header in headers
    assert any("(UASC))" in h for h in headers) and any("‘Missing’" in h for h in headers)
    assert any(isinstance(c, float) and 40000 < c < 45000 for c in cells)


DUTIES = {"annex-a": council_duties.of_lists, "ssda903": council_duties.of_return}
SPOILT = {"annex-a": council_exports.SPOILT, "ssda903": council_exports.SPOILT_RETURN}


@pytest.mark.parametrize("export", EXPORTS)
def test_an_audit_finds_of_every_row_what_the_generator_makes_of_it(cli: Cli, export: str) -> None:
    its = council.build()
    its.bad = {(kind, at, f) for kind, at, f, _ in SPOILT[export]}
    wanted = DUTIES[export](its)
    sheet = answers(export)["findings"]
    assert sheet["rules"] == {rule: {said: len(rows) for said, rows in by.items()} for rule, by in wanted.items()}
    result = cli("audit", FIXTURES / export, "--as-at", sheet["as_at"], "--format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    ran = {r["id"] for r in report["rules"] if r["ran"]}
    asked = {"child-under-16-placed-in-other-arrangements"} if export == "ssda903" else set()
    assert ran - asked == set(wanted), "every rule that runs is counted by hand"
    found: dict[str, dict[str, list[str]]] = {rule: {said: [] for said in by} for rule, by in wanted.items()}
    for f in report["findings"]:
        found[f["rule"]][f["outcome"]].append(f["subject"]["key"].split(" ")[0])
    assert {r: {s: sorted(rows) for s, rows in by.items()} for r, by in found.items()} == {
        r: {s: sorted(rows) for s, rows in by.items()} for r, by in wanted.items()
    }


def test_a_list_with_the_latest_visit_alone_gives_no_finding_about_what_lies_before_it(
    cli: Cli, tmp_path: Path
) -> None:
    """A child in care for years, of whom the list has one visit and one review, both in time."""
    header = (
        "Child Unique ID,Date of Birth,Date Started to be Looked After,Child's Legal Status,Date of Latest Statutory Review,"
        "Date of Last Social Work Visit,Date of Last Health Assessment,Start Date of Most Recent Placement,Placement Type"
    )
    (tmp_path / "List 8.csv").write_text(
        f"{header}\nT1,2010-05-01,2015-02-02,C2,2021-08-02,2021-08-30,2021-05-04,2016-03-01,U4\n", encoding="utf-8"
    )
    mapping = "annex-a:snapshot_on=2021-09-20"
    asked = ("--mapping", mapping, "--as-at", "2021-09-20", "--format", "json")
    assert json.loads(cli("audit", tmp_path, *asked).stdout)["findings"] == []


def test_a_return_is_asked_about_a_day_that_it_covers_and_says_which(cli: Cli) -> None:
    result = cli("audit", FIXTURES / "ssda903", "--as-at", "2021-09-20")
    assert result.exit_code == 2
    assert (
        "The export holds what happened from 1 April 2020 to 31 March 2021: ask as at a day of that time."
        in " ".join(result.output.split())
    )


def test_what_binds_agencies_alone_is_not_asked_of_a_council_s_lists(cli: Cli) -> None:
    result = cli("audit", FIXTURES / "annex-a", "--as-at", "2021-09-20", "--format", "json", "--exit-zero")
    (rule,) = (r for r in json.loads(result.stdout)["rules"] if r["id"] == "allegation-follow-up-open")
    told = "binds independent fostering agency, and this is the export of: local authority service"
    assert (rule["status"], rule["why_not"]) == ("not in force", told)


def test_an_audit_of_a_council_s_export_says_what_it_cannot_ask_and_names_nobody(cli: Cli) -> None:
    for export in EXPORTS:
        result = cli("audit", FIXTURES / export, "--as-at", "2021-09-20", "--format", "json", "--exit-zero")
        # The return ends in March: an audit in which nothing could run is not green.
        assert result.exit_code == {"annex-a": 0, "ssda903": 2}[export]
        report = json.loads(result.stdout)
        assert len(report["quarantined"]) == len(answers(export)["quarantined"])
        assert report["summary"]["rules"]["could_not_run"] > 0
        assert not any(worker in result.output for worker in ("Worker 1", "Adviser 1", "ZZ99"))
