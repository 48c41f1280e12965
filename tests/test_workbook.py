"""The workbook: nothing in it runs, values are what they are, it leads from one sheet to another, and what people fill in comes back."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import report_fixture
import xlsxwriter
from click.testing import Result
from conftest import ROOT, _run
from python_calamine import CalamineWorkbook
from test_attestations import owed

from compliance.findings.report import Report
from compliance.model import Prompt, Prompted, Reading
from compliance.records.filling import ATTESTATIONS, READINGS
from compliance.report import FORMATS
from compliance.report.whole import Whole
from compliance.report.xlsx import book
from compliance.report.xlsx.sheet import CUT, LONGEST

AGENCY = ROOT / "fixtures" / "agency"
AS_AT = "2021-09-20"
Cli = Callable[..., Result]
Cells = dict[str, list[list[Any]]]


def written(report: Report) -> bytes:
    return b"".join(FORMATS["xlsx"](report, 100))  # type: ignore[arg-type]


def read(content: bytes) -> Cells:
    its = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: its.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in its.sheet_names}


def xml(content: bytes, sheet: str) -> str:
    """The XML of a sheet."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        names = re.findall(r'<sheet name="([^"]*)"', packed.read("xl/workbook.xml").decode())
        return packed.read(f"xl/worksheets/sheet{names.index(sheet) + 1}.xml").decode()


def column(rows: list[list[Any]], name: str) -> list[Any]:
    at = rows[0].index(name)
    return [row[at] for row in rows[1:]]


@pytest.fixture(scope="module")
def fixture() -> bytes:
    return written(report_fixture.report())


# --- the findings ---------------------------------------------------------------------------------------------------


def test_nothing_in_it_is_a_formula_or_a_link_outwards_and_text_is_what_it_was(fixture: bytes) -> None:
    for key in (report_fixture.HOSTILE, "=1+1", "+44 20", "-1", "@SUM(A1)", "\t=1", "http://e.example", "0012"):
        odd = report_fixture.FINDINGS[0]._replace(key=key, argument=f"={key}", near=None)
        content = written(report_fixture.report((odd,)))
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            sheets = [n for n in packed.namelist() if n.startswith("xl/worksheets/sheet")]
            assert not any(re.search(r"<f[ >/]", packed.read(n).decode()) for n in sheets)
            assert not any(
                "http" in packed.read(n).decode() for n in packed.namelist() if n.startswith("xl/worksheets/_rels")
            )
        rows = read(content)["Findings"]
        assert column(rows, "Subject") == [key]
        assert column(rows, "Argument") == [f"={key}"]
    assert column(read(fixture)["Findings"], "Team")[0] == f"Team {report_fixture.HOSTILE}"


def test_the_same_report_gives_the_same_bytes(fixture: bytes) -> None:
    assert written(report_fixture.report()) == fixture


def test_every_finding_is_a_row_with_its_words_and_real_dates(fixture: bytes) -> None:
    rows = read(fixture)["Findings"]
    its = report_fixture.FINDINGS
    assert column(rows, "Fingerprint") == [f.fingerprint for f in its]
    assert column(rows, "Severity") == [f.rule.severity for f in its]
    assert column(rows, "Outcome") == [f.outcome.replace("_", " ") for f in its]
    assert column(rows, "Due")[:2] == [date(2021, 3, 14), ""]
    assert column(rows, "Put right by")[0] == date(2021, 10, 18)
    assert column(rows, "Found since")[1] == date(2020, 12, 17)
    assert column(rows, "Source row") == [f.row for f in its]
    assert column(rows, "Accepted")[-1] == "accepted until 31 March 2022 (long-sick)"


def test_a_text_that_no_cell_can_hold_is_cut_and_says_so() -> None:
    longest = report_fixture.FINDINGS[0]._replace(argument="\U0001f600" * 20_000)
    (said,) = column(read(written(report_fixture.report((longest,))))["Findings"], "Argument")
    assert said == "\U0001f600" * LONGEST + CUT


def test_links_lead_from_a_finding_to_its_rule_and_regulation_and_back(fixture: bytes) -> None:
    cells = read(fixture)

    def links(sheet: str) -> Iterator[tuple[Any, str, list[Any]]]:
        for at, target in re.findall(r'<hyperlink ref="(\w+)" location="([^"]*)"', xml(fixture, sheet)):
            to, row = re.fullmatch(r"'(.*)'!A(\d+)", target.replace("&apos;", "'")).groups()  # type: ignore[union-attr]
            letter, number = re.fullmatch(r"([A-Z]+)(\d+)", at).groups()  # type: ignore[union-attr]
            place = sum((ord(c) - 64) * 26**n for n, c in enumerate(reversed(letter))) - 1
            yield cells[sheet][int(number) - 1][place], to, cells[to][int(row) - 1]

    found = list(links("Findings"))
    assert sum(to == "Rules" for _, to, _ in found) == len(report_fixture.FINDINGS)
    assert all(said == row[0] for said, _, row in found)
    for sheet, rule_at in (("By regulation", 1), ("Rules", 0)):
        back = [(said, row) for said, to, row in links(sheet) if to == "Findings"]
        assert len(back) >= len({f.rule.id for f in report_fixture.FINDINGS}), (sheet, rule_at)
    assert {to for _, to, _ in links("Summary")} == set(cells) - {"Summary"}


@pytest.mark.parametrize("sheet", ["Findings", "By regulation", "Rules", "The data"])
def test_tables_filter_keep_their_header_in_sight_and_print_on_a4_with_it(fixture: bytes, sheet: str) -> None:
    its = xml(fixture, sheet)
    assert "<autoFilter " in its
    assert re.search(r'<pane [^>]*ySplit="1"[^>]*state="frozen"', its)
    assert re.search(r'<pageSetup paperSize="9"[^>]*orientation="landscape"', its)
    with zipfile.ZipFile(io.BytesIO(fixture)) as packed:
        book_ = packed.read("xl/workbook.xml").decode()
    assert re.search(rf"Print_Titles[^>]*>'?{sheet}'?!\$1:\$1<", book_)


def test_a_rule_that_did_not_run_never_looks_like_a_pass(fixture: bytes) -> None:
    cells = read(fixture)
    became = dict(zip(column(cells["Rules"], "Rule"), column(cells["Rules"], "What became of it"), strict=True))
    assert (became["broken"], became["absent"], became["idle"]) == ("failed", "could not run", "looked at nothing")
    standing = {row[1]: row[3] for row in cells["By regulation"][1:] if row[1]}
    assert (standing["broken"], standing["absent"], standing["idle"]) == (
        "could not run",
        "could not run",
        "nothing to look at",
    )


def test_accepted_risks_and_what_is_no_longer_found_have_their_sheets() -> None:
    cells = read(written(report_fixture.against_a_baseline()))
    (accepted,) = cells["Accepted risks"][1:]
    assert accepted[:8] == [
        "in force",
        "long-sick",
        "small",
        "advice",
        "H6",
        "",
        report_fixture.AS_AT,
        date(2022, 3, 31),
    ]
    assert [row[:4] for row in cells["No longer found"][1:]] == [["put right", "review-late", "household", "H9"]]


def test_a_terminal_is_spared_and_a_pipe_gets_the_bytes(tmp_path: Path) -> None:
    data = small(tmp_path / "data")
    args = [
        sys.executable,
        "-m",
        "compliance",
        "audit",
        str(data),
        "--as-at",
        AS_AT,
        "--rule",
        "regulation-not-attested",
    ]
    done = subprocess.run([*args, "--format", "xlsx"], capture_output=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "Findings" in read(done.stdout)
    shown = subprocess.run(
        ["script", "-qec", " ".join([*args, "--format", "xlsx"]), "/dev/null"],
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    assert b"--out FILE" in shown.stdout
    assert b"PK" not in shown.stdout


# --- what falls due, KPIs, and everything together ------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The sample agency's audit, forecast, KPIs and plan in one workbook."""
    folder = tmp_path_factory.mktemp("whole")
    plan = ROOT / "fixtures" / "plans" / "fostering-2021.yaml"
    who = ("--role", "registered manager", "--name", "a test")
    assert _run("plan", "new", plan, *who, "--on", "2021-09-01", "--db", folder / "p.sqlite").exit_code == 0
    result = _run("report", AGENCY, "--as-at", AS_AT, "--db", folder / "p.sqlite", "--out", folder / "report.xlsx")
    assert result.exit_code == 0, result.stderr
    assert stat.S_IMODE((folder / "report.xlsx").stat().st_mode) == 0o600
    return (folder / "report.xlsx").read_bytes()


def test_the_workbook_of_the_whole_agrees_with_what_each_part_says(whole: bytes, kept: Cli) -> None:
    cells = read(whole)
    found = json.loads(kept("audit", AGENCY, "--as-at", AS_AT, "--format", "json").stdout)
    assert column(cells["Findings"], "Fingerprint") == [f["fingerprint"] for f in found["findings"]]
    # The record that came nearest follows the argument.
    told = zip(column(cells["Findings"], "Argument"), found["findings"], strict=True)
    assert all(str(cell).startswith(f["argument"]) for cell, f in told)
    due = json.loads(kept("forecast", AGENCY, "--as-at", AS_AT, "--format", "json").stdout)["due"]
    its = column(cells["Falls due"], "Due")
    assert sorted(d["due_on"] for d in due) == [day.isoformat() for day in its]
    assert len(column(cells["Plan actions"], "Action")) == 40
    asked = [f for f in found["findings"] if f["rule"].endswith("-not-attested")]
    rows = filled_rows(cells["Attestations"])
    assert sorted((row[0], row[3]) for row in rows) == sorted(
        (f["subject"]["part"], f["subject"]["key"]) for f in asked
    )
    drawn = {(p["duty"], r["key"]) for p in found["prompts"] for r in p["read"]}
    sheets = [filled_rows(rows) for name, rows in cells.items() if name.startswith("Read ")]
    assert {(row[0], row[4]) for rows in sheets for row in rows} == drawn


def filled_rows(sheet: list[list[Any]]) -> list[list[Any]]:
    header = next(n for n, row in enumerate(sheet) if row[0] == "Duty")
    return sheet[header + 1 :]


def test_kpis_are_numbers_and_their_charts_draw_the_values_of_the_sheet(whole: bytes, kept: Cli) -> None:
    cells = read(whole)
    told = json.loads(kept("kpi", AGENCY, "--as-at", AS_AT, "--format", "json").stdout)["kpis"]
    now = {row[0]: dict(zip(cells["KPIs"][0], row, strict=True)) for row in cells["KPIs"][1:]}
    for k in told:
        wanted = k["value"] if k["value"] is not None else ""
        assert now[k["code"]]["Value"] == (pytest.approx(float(wanted)) if wanted != "" else "")
    assert now["FOS-10"]["Remark"] == "no cases"
    rows = cells["KPI values"]
    with zipfile.ZipFile(io.BytesIO(whole)) as packed:
        charts = [packed.read(n).decode() for n in packed.namelist() if n.startswith("xl/charts/chart")]
    assert len(charts) == len({row[0] for row in rows[1:] if isinstance(row[rows[0].index("Value")], float)})
    for chart in charts:
        code = re.search(r"<a:t>([\w-]+):", chart)[1]  # type: ignore[index]
        # A period without a value is a gap, which is what spreadsheets make of blanks unless a chart says otherwise.
        assert 'dispBlanksAs val="zero"' not in chart
        names = re.findall(r"<c:tx><c:v>([^<]*)</c:v>", chart)
        assert "Value" in names
        assert "Target" in names
        for letter, first, last in re.findall(r"'KPI values'!\$([A-Z])\$(\d+):\$[A-Z]\$(\d+)", chart):
            its = rows[int(first) - 1 : int(last)]
            assert {row[0] for row in its} == {code}, letter
            # Text in a range would be drawn as nought.
            if letter != "C":
                assert all(isinstance(row[ord(letter) - 65], float) or row[ord(letter) - 65] == "" for row in its)


def test_small_numbers_that_are_suppressed_are_in_no_cell(tmp_path: Path) -> None:
    out = tmp_path / "kpi.xlsx"
    result = _run("kpi", AGENCY, "FOS-1", "FOS-8", "--as-at", AS_AT, "--suppress", 5, "--format", "xlsx", "--out", out)
    assert result.exit_code == 0, result.stderr
    cells = read(out.read_bytes())
    assert "suppressed" in column(cells["KPIs"], "Remark")
    for sheet in ("KPIs", "KPI values"):
        rows = dict(zip(cells[sheet][0], zip(*cells[sheet][1:], strict=True), strict=True))
        for counted, of in zip(rows["Counted"], rows["Of"], strict=True):
            assert (counted, of) == ("", "") or not 0 < of - counted < 5


def test_a_plan_is_a_workbook_of_its_own_with_days_as_dates(tmp_path: Path) -> None:
    plan = ROOT / "fixtures" / "plans" / "fostering-2021.yaml"
    who = ("--role", "registered manager", "--name", "a test")
    assert _run("plan", "new", plan, *who, "--on", "2021-09-01", "--db", tmp_path / "p.sqlite").exit_code == 0
    asked = ("plan", "report", "page", "--as-at", AS_AT, "--db", tmp_path / "p.sqlite", "--out")
    assert _run(*asked, tmp_path / "plan.xlsx").exit_code == 0
    cells = read((tmp_path / "plan.xlsx").read_bytes())
    assert list(cells) == ["Summary", "Plan on a page", "Plan actions", "Plan measures"]
    assert set(column(cells["Plan actions"], "Status since")) == {date(2021, 9, 1)}
    assert any("Level One" in row for row in cells["Plan on a page"])


def test_a_file_name_says_the_format_and_one_that_does_not_is_asked_about(cli: Cli, tmp_path: Path) -> None:
    data = small(tmp_path / "data")
    result = cli("report", data, "--as-at", AS_AT, "--out", tmp_path / "report.pdf")
    assert (result.exit_code, ".html, .htm, .xlsx" in result.stderr) == (2, True)
    assert not (tmp_path / "report.pdf").exists()


# --- what people fill in --------------------------------------------------------------------------------------------


def small(folder: Path, mapped: bool = False, attestations: bool = True) -> Path:
    """An agency with a few children and no statement; `mapped`: its files and columns have a system's own names."""
    folder.mkdir()
    names = ("Firm.csv", "Kids.csv", "Vouched.csv") if mapped else ("agency.csv", "child.csv", "attestation.csv")
    texts = (
        "agency_id,kind,opened_on\nA1,independent fostering agency,2011-04-01\n",
        "child_id,looked_after_on\n" + "".join(f"C{n},2019-01-01\n" for n in range(1, 4)),
        "attestation_id,agency_id,duty,made_on,valid_until,role,document\n",
    )
    for name, text in zip(names[: 3 if attestations else 2], texts, strict=False):
        (folder / name).write_text(text.replace("_", " ") if mapped else text, encoding="utf-8")
    if mapped:
        kinds = ("agency", "child", "attestation")
        headers = (text.split("\n")[0].split(",") for text in texts)
        sources = [
            {"record": kind, "file": name, "columns": {f: f.replace("_", " ") for f in fields}}
            for kind, name, fields in zip(kinds, names, headers, strict=True)
        ]
        (folder / "mapping.yaml").write_text(
            json.dumps({"title": "Made up", "dates": ["YYYY-MM-DD"], "sources": sources}), encoding="utf-8"
        )
    return folder


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the workbook of a small agency's audit."""
    folder = tmp_path_factory.mktemp("asked")
    result = _run(
        "audit",
        small(folder / "data"),
        "--as-at",
        AS_AT,
        "--format",
        "xlsx",
        "--out",
        folder / "asked.xlsx",
        "--exit-zero",
    )
    assert result.exit_code == 0, result.stderr
    return folder


Change = Callable[[Cells], None]
ERROR, NO_RESULT = "#REF!", "=TODAY()"
"""Cells that `saved` writes as an error, and as a formula whose result nobody has worked out."""


def saved(source: Path, target: Path, change: Change) -> Path:
    """The workbook as another program would save it after somebody changed cells in it."""
    cells = read(source.read_bytes())
    change(cells)
    with xlsxwriter.Workbook(target, {"strings_to_formulas": False}) as made:
        days = made.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in cells.items():
            sheet = made.add_worksheet(name)
            for n, row in enumerate(rows):
                for m, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(n, m, datetime(cell.year, cell.month, cell.day), days)
                    elif cell == ERROR:
                        sheet.write_formula(n, m, "=#REF!", value=ERROR)
                    elif cell == NO_RESULT:
                        sheet.write_formula(n, m, cell, value="")
                    elif cell != "":
                        sheet.write(n, m, cell)
    return target


def fill(rows: list[list[Any]], where: Callable[[list[Any]], bool], *said: Any) -> int:
    """Fills in the rows that are meant, and says how many."""
    header = next(n for n, row in enumerate(rows) if row[0] == "Duty")
    at = rows[header].index("Answer")
    its = [row for row in rows[header + 1 :] if where(row)]
    for row in its:
        row[at : at + 4] = said
    return len(its)


def met_all(cells: Cells) -> None:
    fill(cells["Attestations"], lambda row: True, "Met", date(2021, 9, 22), "registered manager", "Folder 7")


def first_child(cells: Cells) -> tuple[str, str]:
    row = filled_rows(cells["Read child"])[0]
    return row[0], row[4]


def audited(cli: Cli, data: Path, as_at: str = "2021-09-30") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cli("audit", data, "--as-at", as_at, "--format", "json", "--exit-zero").stdout)
    return found


def not_attested(found: dict[str, Any]) -> set[str]:
    return {f["subject"]["part"] for f in found["findings"] if f["rule"].endswith("-not-attested")}


@pytest.mark.parametrize("kind", ["plain", "mapped", "without any statement"])
def test_what_is_filled_in_is_evidence_in_the_next_audit_and_importing_again_changes_nothing(
    cli: Cli, tmp_path: Path, kind: str
) -> None:
    data = small(tmp_path / "data", mapped=kind == "mapped", attestations=kind != "without any statement")
    book_ = tmp_path / "asked.xlsx"
    before = cli("audit", data, "--as-at", AS_AT, "--format", "xlsx", "--out", book_, "--exit-zero")
    # Without any statement there is nothing that a rule could ask of.
    assert before.exit_code == (2 if kind == "without any statement" else 0), before.stderr
    cells = read(book_.read_bytes())
    duty, key = first_child(cells)
    assert {row[0] for row in filled_rows(cells["Attestations"])} == {d.id for d in owed(AS_AT)}

    def change(cells: Cells) -> None:
        met_all(cells)
        one = lambda row: (row[0], row[4]) == (duty, key)  # noqa: E731
        assert fill(cells["Read child"], one, "not met", "2021-09-23", "team manager", "=see file") == 1

    done = saved(book_, tmp_path / "filled.xlsx", change)
    own = {p: p.read_bytes() for p in data.iterdir()}
    result = cli("data", "import", done, "--into", data, "--as-at", "2021-09-30")
    assert result.exit_code == 0, result.stderr
    assert "rows are still to be answered" in result.stdout
    assert {p: p.read_bytes() for p in own} == own
    written_ = {p.name: p for p in data.iterdir() if p not in own}
    assert set(written_) == {"attestation.answers.csv", "sample_reading.answers.csv"}
    assert {stat.S_IMODE(p.stat().st_mode) for p in written_.values()} == {0o600}

    after = audited(cli, data)
    assert not_attested(after) == set()
    assert next(r for r in after["rules"] if r["id"] == "regulation-not-attested")["status"] == "ran"
    (unmet,) = [r for r in after["readings"] if r["answer"] == "not met"]
    told = {
        "duty": duty,
        "subject": {"record": "child", "key": key},
        "answer": "not met",
        "read_on": "2021-09-23",
        "role": "team manager",
    }
    assert unmet == told
    assert after["quarantined"] == []
    # As at a day before, nobody had said it yet.
    assert not_attested(audited(cli, data, "2021-09-21")) != set() or kind == "without any statement"
    table = cli("audit", data, "--as-at", "2021-09-30", "--exit-zero").stdout
    assert "Read, and not found met" in table
    assert f"{duty}, child {key}, read on 23 September 2021 by the team manager: not met" in " ".join(table.split())
    assert "see file" not in table

    content = {p: p.read_bytes() for p in data.iterdir()}
    again = cli("data", "import", done, "--into", data, "--as-at", "2021-10-30")
    assert again.exit_code == 0
    assert "had been imported before; nothing was changed" in again.stdout
    assert {p: p.read_bytes() for p in data.iterdir()} == content


def test_a_later_answer_takes_the_place_of_an_earlier_one_and_another_of_the_same_day_is_refused(
    cli: Cli, asked: Path, tmp_path: Path
) -> None:
    data = small(tmp_path / "data")
    duty, key = first_child(read((asked / "asked.xlsx").read_bytes()))

    def answering(answer: str, day: date) -> Change:
        one = lambda row: (row[0], row[4]) == (duty, key)  # noqa: E731
        return lambda cells: assert_one(fill(cells["Read child"], one, answer, day, "team manager", ""))

    def imported(n: int, answer: str, day: date) -> Result:
        done = saved(asked / "asked.xlsx", tmp_path / f"{n}.xlsx", answering(answer, day))
        return cli("data", "import", done, "--into", data, "--as-at", "2021-09-30")

    assert imported(1, "not met", date(2021, 9, 22)).exit_code == 0
    refused = imported(2, "met", date(2021, 9, 22))
    assert refused.exit_code == 2
    assert "answer 'not met' (now 'met')" in refused.stderr
    assert imported(3, "met", date(2021, 9, 24)).exit_code == 0
    (found,) = audited(cli, data)["readings"]
    assert (found["answer"], found["read_on"]) == ("met", "2021-09-24")


def test_the_same_answer_out_of_the_workbook_of_a_later_audit_is_no_other_answer(
    cli: Cli, asked: Path, tmp_path: Path
) -> None:
    data = small(tmp_path / "data")
    later = tmp_path / "later.xlsx"
    assert cli("audit", data, "--as-at", "2021-09-27", "--format", "xlsx", "--out", later, "--exit-zero").exit_code == 0
    for n, book_ in enumerate((asked / "asked.xlsx", later)):
        done = saved(book_, tmp_path / f"{n}.xlsx", met_all)
        assert cli("data", "import", done, "--into", data, "--as-at", "2021-09-30").exit_code == 0
    files = [p.read_text(encoding="utf-8").splitlines() for p in sorted(data.glob("*.answers.csv"))]
    assert {len(lines) for lines in files} == {1 + len(owed(AS_AT))}


def test_a_rule_of_ones_own_that_asks_otherwise_for_what_a_person_vouches_for_is_no_row_to_fill_in(
    cli: Cli, tmp_path: Path
) -> None:
    data, pack = small(tmp_path / "data"), tmp_path / "rules" / "pack"
    pack.mkdir(parents=True)
    (pack / "pack.yaml").write_text("pack: pack\ntitle: Made up\ncases_as_at: 2021-09-20\n", encoding="utf-8")
    (pack / "no-name.yaml").write_text(
        "id: no-name\ntitle: Made up\ncites: [FSR-8-3]\nrecord: agency\nrequire: {it is old: opened_on is None}\n"
        "severity: advice\nput_right: {within: 7 days, by: nobody, workstream: none}\nremedy: None.\n",
        encoding="utf-8",
    )
    asked_ = (
        "audit",
        data,
        "--rules",
        tmp_path / "rules",
        "--as-at",
        AS_AT,
        "--format",
        "xlsx",
        "--out",
        tmp_path / "a.xlsx",
    )
    result = cli(*asked_)
    assert result.exit_code == 0, result.stderr
    cells = read((tmp_path / "a.xlsx").read_bytes())
    assert column(cells["Findings"], "Rule") == ["no-name"]
    assert "Attestations" not in cells


def assert_one(n: int) -> None:
    assert n == 1


def test_a_duty_that_is_not_met_is_no_statement_that_it_is(cli: Cli, asked: Path, tmp_path: Path) -> None:
    data = small(tmp_path / "data")
    duty = filled_rows(read((asked / "asked.xlsx").read_bytes())["Attestations"])[0][0]
    mine = lambda row: row[0] == duty  # noqa: E731
    done = saved(
        asked / "asked.xlsx",
        tmp_path / "filled.xlsx",
        lambda cells: assert_one(
            fill(cells["Attestations"], mine, "not met", date(2021, 9, 22), "registered manager", "")
        ),
    )
    assert cli("data", "import", done, "--into", data, "--as-at", "2021-09-30").exit_code == 0
    found = audited(cli, data)
    assert duty in not_attested(found)
    assert [(r["duty"], r["subject"]["record"], r["answer"]) for r in found["readings"]] == [
        (duty, "agency", "not met")
    ]


def test_everything_that_is_wrong_is_told_at_once_with_sheet_and_cell_and_nothing_is_written(
    cli: Cli, asked: Path, tmp_path: Path
) -> None:
    data = small(tmp_path / "data")

    def spoil(cells: Cells) -> None:
        met_all(cells)
        rows = filled_rows(cells["Attestations"])
        at = len(ATTESTATIONS.fixed)
        rows[0][at] = "mett"
        rows[1][at] = ""
        rows[2][at + 1] = "22/09/2021"
        rows[3][at + 1] = date(2021, 10, 1)
        rows[4][at + 2] = ""
        rows[5][at + 3] = ""
        rows[6][2] = "Something easier"
        rows[7][0] = rows[8][0]
        rows[9][at + 1] = date(1921, 9, 22)
        cells["Attestations"].append(["FSR-1", "reg 1", "Added", "A1", "met", date(2021, 9, 22), "somebody", "here"])
        cells["Attestations"].append(list(rows[10]))

    done = saved(asked / "asked.xlsx", tmp_path / "filled.xlsx", spoil)
    own = {p: p.read_bytes() for p in data.iterdir()}
    result = cli("data", "import", done, "--into", data, "--as-at", "2021-09-30")
    assert result.exit_code == 2
    said = result.stderr
    first = 6
    for cell, what in (
        (f"cell E{first}", "'mett' is no answer; did you mean 'met'?"),
        (f"cell E{first + 1}", "an answer is missing"),
        (f"cell F{first + 2}", "'22/09/2021' is no date"),
        (f"cell F{first + 3}", "2021-10-01 lies after the day of the import, 2021-09-30"),
        (f"cell G{first + 4}", "the role is missing"),
        (f"cell H{first + 5}", "needs its evidence"),
        (f"row {first + 6}", "in columns A to D was changed"),
        (f"row {first + 7}", "in columns A to D was changed"),
        (f"cell F{first + 9}", "1921-09-22 is before 2000-01-01"),
        ("row ", "the audit did not ask this: the row was added"),
        ("row ", f"the row stands twice, first in filled.xlsx, sheet 'Attestations', row {first + 10}"),
    ):
        assert re.search(rf"filled\.xlsx, sheet 'Attestations', {cell}\w*: .*{re.escape(what)}", said), (
            cell,
            what,
            said,
        )
    assert said.count("sheet 'Attestations'") == 12
    assert {p: p.read_bytes() for p in data.iterdir()} == own


def test_an_error_or_a_formula_without_its_result_in_a_filled_sheet_is_refused_with_its_cell_and_never_read_as_empty(
    cli: Cli, asked: Path, tmp_path: Path
) -> None:
    data = small(tmp_path / "data")

    def spoil(cells: Cells) -> None:
        met_all(cells)
        rows = filled_rows(cells["Attestations"])
        at = len(ATTESTATIONS.fixed)
        # A row of which nothing else is filled in, one whose answer it is, and one that would do without the cell.
        rows[0][at : at + 4] = [ERROR, "", "", ""]
        rows[1][at] = ERROR
        rows[2][at + 3] = NO_RESULT

    done = saved(asked / "asked.xlsx", tmp_path / "filled.xlsx", spoil)
    own = {p: p.read_bytes() for p in data.iterdir()}
    result = cli("data", "import", done, "--into", data, "--as-at", "2021-09-30")
    assert result.exit_code == 2
    for cell, what in (("E6", "the error #REF! of a spreadsheet"), ("E7", "#REF!"), ("H8", "a formula whose result")):
        assert re.search(rf"filled\.xlsx, sheet 'Attestations', cell {cell}: .*{what}", result.stderr), result.stderr
    assert result.stderr.count("sheet 'Attestations'") == 3
    assert {p: p.read_bytes() for p in data.iterdir()} == own


def test_answers_about_records_that_the_export_does_not_hold_are_refused(cli: Cli, asked: Path, tmp_path: Path) -> None:
    data = small(tmp_path / "data")
    text = (data / "child.csv").read_text(encoding="utf-8")
    (data / "child.csv").write_text(re.sub(r"(?m)^C", "X", text), encoding="utf-8")
    done = saved(
        asked / "asked.xlsx",
        tmp_path / "filled.xlsx",
        lambda cells: assert_some(fill(cells["Read child"], lambda row: True, "met", date(2021, 9, 22), "reader", "")),
    )
    result = cli("data", "import", done, "--into", data, "--as-at", "2021-09-30")
    assert result.exit_code == 2
    assert "sheet 'Read child', row 10: there is no child 'C1'" in result.stderr
    assert not list(data.glob("*.answers.csv"))


def assert_some(n: int) -> None:
    assert n > 1


def test_what_is_no_workbook_of_ours_is_refused_in_one_sentence(cli: Cli, asked: Path, tmp_path: Path) -> None:
    data = small(tmp_path / "data")
    none, other = tmp_path / "none.xlsx", tmp_path / "other.xlsx"
    none.write_text("no workbook", encoding="utf-8")
    with xlsxwriter.Workbook(other) as made:
        made.add_worksheet("Sheet1").write_string(0, 0, "Shopping")
    for path, what in (
        (none, "this is not an XLSX workbook"),
        (other, "has no sheet to fill in"),
        (tmp_path / "gone.xlsx", "cannot be read"),
    ):
        result = cli("data", "import", path, "--into", data)
        assert (result.exit_code, what in result.stderr, "Nothing was changed" in result.stderr) == (2, True, True), (
            result.stderr
        )
    result = cli("data", "import", asked / "asked.xlsx", "--into", data)
    assert (result.exit_code, "Nothing is filled in." in result.stdout) == (0, True)
    result = cli("data", "import", asked / "asked.xlsx", "--into", data / "child.csv")
    assert (result.exit_code, "Put it into a folder of its own" in result.stderr) == (2, True)


def test_a_file_of_answers_that_was_changed_by_hand_is_not_written_over(cli: Cli, asked: Path, tmp_path: Path) -> None:
    data = small(tmp_path / "data")
    done = saved(asked / "asked.xlsx", tmp_path / "filled.xlsx", met_all)
    own = data / "attestation.answers.csv"
    own.write_text("id;duty\n1;2\n", encoding="utf-8")
    result = cli("data", "import", done, "--into", data, "--as-at", "2021-09-30")
    assert (result.exit_code, "expected the columns attestation_id, agency_id" in result.stderr) == (2, True)
    assert own.read_text(encoding="utf-8") == "id;duty\n1;2\n"
    assert not (data / "sample_reading.answers.csv").exists()


def test_answers_do_not_disturb_an_export_of_one_file_whose_mapping_names_none(cli: Cli, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with xlsxwriter.Workbook(data / "system.xlsx") as made:
        sheet = made.add_worksheet("People")
        sheet.write_row(0, 0, ["No", "From"])
        sheet.write_row(1, 0, ["C1", "2019-01-01"])
    mapping = {
        "title": "Made up",
        "sources": [{"record": "child", "sheet": "People", "columns": {"child_id": "No", "looked_after_on": "From"}}],
    }
    (data / "mapping.yaml").write_text(json.dumps(mapping), encoding="utf-8")
    alone = cli("data", "check", data).stdout
    header = "sample_reading_id,duty,record,record_key,answer,read_on,role,note,sampled_on"
    row = "W1,FSR-11-a,child,C1,met,2021-09-22,reader,,2021-09-20"
    (data / "sample_reading.answers.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    both = cli("data", "check", data).stdout
    assert "system.xlsx [People]" in alone
    assert re.search(r"system\.xlsx \[People\] +child +1", both)
    assert re.search(r"sample_reading\.answers\.csv +sample_reading +1", both)
    assert "Everything could be used as written." in both


def test_only_what_is_to_be_filled_in_can_be_changed_and_answers_are_chosen_from_a_list(asked: Path) -> None:
    content = (asked / "asked.xlsx").read_bytes()
    for sheet, form in (("Attestations", ATTESTATIONS), ("Read child", READINGS)):
        its = xml(content, sheet)
        assert "<sheetProtection " in its
        assert f'<formula1>"{",".join(form.answers)}"</formula1>' in its
        assert 'type="date"' in its
        rows = read(content)[sheet]
        assert rows[0][0] == form.title
        assert rows[4][: len(form.headers)] == form.headers


def test_a_record_that_is_drawn_again_says_what_was_found_before() -> None:
    prompt = Prompt(
        "D-1",
        "reg 1",
        "A duty",
        "fsr2011",
        "Is it so?",
        "child",
        ("independent fostering agency",),
        date(2011, 4, 1),
        None,
    )
    before = Reading("D-1", "child", "C1", "not met", date(2021, 5, 1), "team manager")
    report = replace(
        report_fixture.report(),
        prompts=lambda: [Prompted(prompt, 2, (("C1", ("newest",)), ("=C2", ())))],
        readings=(before,),
    )
    cells = read(b"".join(book.write(Whole(report.as_at, report.data, audit=report))))
    rows = [row[:7] for row in filled_rows(cells["Read child"])]
    assert rows == [
        ["D-1", "reg 1", "Is it so?", "child", "=C2", "", ""],
        ["D-1", "reg 1", "Is it so?", "child", "C1", "newest", "read on 1 May 2021 by the team manager: not met"],
    ]
    assert any(
        "D-1, child C1, read on 1 May 2021 by the team manager: not met" in str(row[0]) for row in cells["Summary"]
    )


def test_what_a_spreadsheet_would_run_is_kept_as_text(cli: Cli, asked: Path, tmp_path: Path) -> None:
    data = small(tmp_path / "data")
    done = saved(
        asked / "asked.xlsx",
        tmp_path / "filled.xlsx",
        lambda cells: assert_some(
            fill(cells["Attestations"], lambda row: True, "met", date(2021, 9, 22), "@manager", "=1+1")
        ),
    )
    assert cli("data", "import", done, "--into", data, "--as-at", "2021-09-30").exit_code == 0
    for name in ("attestation", "sample_reading"):
        rows = list(csv.reader((data / f"{name}.answers.csv").read_text(encoding="utf-8").splitlines()))
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert not_attested(audited(cli, data)) == set()
