"""Exports as people who work with them have told of them: what is lost on the way is told, and is never nothing.

The folders under `data/exports` are small and made up, each after one public report.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from click.testing import Result

from compliance.files import sheets
from compliance.jobs.asked import Export
from compliance.jobs.opening import loaded
from compliance.sql import loading as statements

CASES = Path(__file__).parent / "data" / "exports"
Cli = Callable[..., Result]


def figure(result: Result, code: str) -> str:
    """What stands beside a KPI in the table, its value first."""
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(code))
    return " ".join(" ".join(line[38:].split()) for line in lines[at : at + 3])


def checked(cli: Cli, export: Path, *more: object) -> Result:
    return cli("data", "check", export, *more)


def put(folder: Path, **files: str) -> Path:
    """A folder with CSV files of these names."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_bytes(text.encode())
    return folder


def held(export: Path, question: str) -> list[tuple[object, ...]]:
    """What the engine holds of an export."""
    with loaded(Export(export)) as read:
        return read.con.execute(question).fetchall()


CHILD = "child_id,date_of_birth,ceased_on\nC1,2012-03-04,\n"


def with_child(book: Path, folder: Path) -> Path:
    """The workbook, whose third sheet is `CHILD`: what the rules on placements know of the child beside the sheets of the report."""
    rows = "".join(
        f'<row r="{y}">'
        + "".join(
            f'<c r="{x}{y}" t="inlineStr"><is><t>{v}</t></is></c>' for x, v in zip("ABC", line.split(","), strict=True)
        )
        + "</row>"
        for y, line in enumerate(CHILD.splitlines(), 1)
    )
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(folder / book.name, "w") as new:
        for part in old.namelist():
            content = old.read(part).decode()
            if part == "xl/worksheets/sheet3.xml":
                content = re.sub("<dimension[^>]*>", "", content)
                content = re.sub("<sheetData>.*</sheetData>", f"<sheetData>{rows}</sheetData>", content)
            new.writestr(part, content)
    return folder / book.name


# --- one sum ---


def test_a_line_break_in_a_header_loses_no_row(cli: Cli) -> None:
    result = checked(cli, CASES / "header-line-break")
    assert "staff.csv      staff           2        2" in result.stdout
    assert "Rows in all: 2 = 2 records." in result.stdout


def test_a_line_break_in_a_header_of_a_workbook_loses_no_row(cli: Cli) -> None:
    book = CASES / "header-line-break" / "workbook" / "list7.xlsx"
    said = figure(
        cli("kpi", book, "--mapping", "annex-a:snapshot_on=2021-09-20", "--as-at", "2021-09-20", "KPI-SC7"), "KPI-SC7"
    )
    assert "0.0 %" in said and "0 of 2" in said


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n", "\u2028", "\x0b"])
def test_whatever_breaks_the_line_of_a_header_the_rows_are_there(cli: Cli, tmp_path: Path, end: str) -> None:
    export = put(tmp_path / "e", staff=f'"staff_id","worker{end}kind","role"\nS1,employee,ssw\nS2,"em\rployee",ssw\n')
    result = checked(cli, export)
    assert "Rows in all: 2 = 2 records." in result.stdout
    assert "nothing reads" not in result.stdout


def test_rows_are_counted_before_the_engine_has_them_and_after(cli: Cli, tmp_path: Path) -> None:
    text = 'staff_id,role\nS1,ssw\n\nS2,ssw\nS1,ssw\n,\nS3,"a\nb",c\nTotal: 3,\n'
    result = checked(cli, put(tmp_path / "e", staff=text))
    assert "Rows in all: 7 = 2 records + 2 left out + 2 not usable + 1 repeated." in result.stdout


@pytest.mark.parametrize("header", ["staff_id,role,started_on,left_on", "staff_id,role,started_on,left_on,"])
def test_a_row_that_goes_astray_makes_every_run_incomplete_and_is_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    signed = "supervision_id,staff_id,held_on,signed\nV1,S1,2021-09-01,yes\n"
    rows = "S1,ssw,2019-04-01,\nS2,ssw,2019-04-01,\n"
    figures = "reported_figure_id\n1\n"
    export = put(tmp_path / "e", staff=f"{header}\n{rows}", supervision=signed, reported_figure=figures)
    scan = statements._scan
    monkeypatch.setattr(statements, "_scan", lambda *a, **k: f"(FROM {scan(*a, **k)} LIMIT 1)")
    at = ("--as-at", "2021-09-20")
    for command in (
        ("data", "check", export),
        ("audit", export, *at, "--fail-on", "never"),
        ("audit", export, *at, "--fail-on", "never", "--every", "month", "--from", "2021-08-01"),
        ("kpi", export, *at),
        ("forecast", export, *at),
        ("report", export, *at, "--out", tmp_path / "r.html"),
    ):
        result = cli(*command)
        assert result.exit_code == 3, (command, result.output)
        assert "staff.csv: 2 rows were counted in it as staff, and the engine had 1." in result.stderr


# --- what a sheet shows and its values do not say ---


def test_an_error_in_a_cell_is_told_and_is_not_an_empty_date(cli: Cli, tmp_path: Path) -> None:
    book = with_child(CASES / "error-cells" / "export.xlsx", tmp_path)
    told = "export.xlsx [household], column approval_ended_on (household.approval_ended_on): is the error #REF! of a spreadsheet; row 2"
    assert told in checked(cli, book).stdout
    twin = shutil.copytree(CASES / "error-cells" / "same-as-csv", tmp_path / "twin")
    (twin / "child.csv").write_text(CHILD, encoding="utf-8")
    for export in (book, twin):
        result = cli("audit", export, "--as-at", "2021-09-20", "--rule", "placement-after-approval-ended")
        assert result.exit_code == 1
        assert "(0 breached, 1 not evidenced)" in result.stdout


def test_a_formula_without_a_stored_result_is_told_and_is_not_an_empty_date(cli: Cli, tmp_path: Path) -> None:
    book = with_child(CASES / "formula-without-value" / "export.xlsx", tmp_path)
    assert "holds a formula whose result is not stored" in checked(cli, book).stdout
    result = cli("audit", book, "--as-at", "2021-09-20", "--rule", "placement-after-approval-ended")
    assert (result.exit_code, "(0 breached, 1 not evidenced)" in result.stdout) == (1, True)


@pytest.mark.parametrize("word", ["#REF!", "#N/A", "#DIV/0!", "#NAME?"])
def test_the_errors_of_a_spreadsheet_are_no_text_in_a_csv_file_either(cli: Cli, tmp_path: Path, word: str) -> None:
    result = checked(cli, put(tmp_path / "e", staff=f"staff_id,role,name\nS1,{word},x\nS2,ssw,x #N/A y\n"))
    assert f"column role (staff.role): is the error {word} of a spreadsheet; row 2" in result.stdout
    assert "1 entry could not be used" in result.stdout


def test_merged_cells_are_read_in_each_of_their_rows(cli: Cli) -> None:
    book = CASES / "merged-cells" / "export.xlsx"
    result = cli("audit", book, "--as-at", "2021-09-20", "--rule", "staff-references-incomplete")
    assert (result.exit_code, "0 findings" in result.stdout) == (0, True)
    assert (
        "export.xlsx [reference]: merged cells, such as A2:A3, are read in each of their rows."
        in checked(cli, book).stdout
    )


def test_of_cells_merged_across_only_the_first_is_known(cli: Cli, tmp_path: Path) -> None:
    book = tmp_path / "e.xlsx"
    with xlsxwriter.Workbook(book) as made:
        sheet = made.add_worksheet("staff")
        sheet.write_row(0, 0, ["staff_id", "role", "name"])
        sheet.write_row(1, 0, ["S1", "ssw", "Ann"])
        sheet.write(2, 0, "S2")
        sheet.merge_range(2, 1, 2, 2, "ssw")
    assert "column name (staff.name): is one of the merged cells B3:C3; row 3" in checked(cli, book).stdout


def test_a_share_is_read_as_the_cell_shows_it(cli: Cli) -> None:
    book = CASES / "percent-cell" / "export.xlsx"
    said = figure(cli("kpi", book, "--as-at", "2023-12-31", "--framework", "v2023_24", "KPI-SC10"), "KPI-SC10")
    assert "84.3 % (reported)" in said and "amber" in said


def test_a_share_in_a_csv_file_may_be_written_in_per_cent_and_an_age_may_not(cli: Cli, tmp_path: Path) -> None:
    head = "reported_figure_id,framework,code,period_end,value,numerator\n"
    export = put(tmp_path / "e", reported_figure=f"{head}1,v2023_24,KPI-SC10,2023-12-31,84.3%,5 %\n")
    said = figure(cli("kpi", export, "--as-at", "2023-12-31", "--framework", "v2023_24", "KPI-SC10"), "KPI-SC10")
    assert "84.3 % (reported)" in said
    assert "column numerator (reported_figure.numerator): is not a whole number" in checked(cli, export).stdout


def test_a_number_shown_with_zeros_in_front_is_the_id_that_it_shows(cli: Cli) -> None:
    book = CASES / "leading-zeros" / "export.xlsx"
    result = cli("audit", book, "--as-at", "2021-09-20", "--rule", "staff-references-incomplete")
    assert (result.exit_code, "1 of 1 rules ran" in result.stdout, "0 findings" in result.stdout) == (0, True, True)


def test_what_is_hidden_is_read_and_told(cli: Cli, tmp_path: Path) -> None:
    book = tmp_path / "e.xlsx"
    with xlsxwriter.Workbook(book) as made:
        made.add_worksheet("child").write_column(0, 0, ["child_id", "C1"])
        sheet = made.add_worksheet("staff")
        sheet.write_column(0, 0, ["staff_id", "S1", "S2", "S3"])
        sheet.write_column(0, 1, ["role", "ssw", "ssw", "ssw"])
        sheet.set_row(2, None, None, {"hidden": True})
        sheet.set_column(1, 1, None, None, {"hidden": True})
        sheet.hide()
    said = checked(cli, book).stdout
    assert "Rows in all: 4 = 4 records." in said
    assert "e.xlsx [staff]: the sheet is hidden; it is read like the others." in said
    assert "e.xlsx [staff]: row 3 is hidden and read like the others." in said
    assert "e.xlsx [staff]: hidden columns are read like the others: B." in said


def in_xml(tmp_path: Path, rows: str) -> Path:
    """A workbook whose sheet `staff` has these rows, with the prefix `x:`."""
    plain, book = tmp_path / "plain.xlsx", tmp_path / "e.xlsx"
    with xlsxwriter.Workbook(plain) as made:
        made.add_worksheet("staff").write_row(0, 0, ["staff_id"])
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = f'<x:worksheet xmlns:x="{namespace}"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(book, "w") as new:
        for part in old.namelist():
            new.writestr(part, xml if part.endswith("sheet1.xml") else old.read(part))
    return book


def texts(*cells: str) -> str:
    return "".join(f'<x:c t="inlineStr"><x:is><x:t>{cell}</x:t></x:is></x:c>' for cell in cells)


def test_a_sheet_of_a_writer_that_names_no_cells_says_where_its_errors_are(cli: Cli, tmp_path: Path) -> None:
    rows = f"<x:row>{texts('staff_id', 'role')}</x:row>" + "".join(
        f"<x:row>{texts(f'S{i}', 'ssw')}</x:row>" for i in range(9)
    )
    error = "<x:c t='e'><x:v>#NUM!</x:v></x:c>"
    said = checked(cli, in_xml(tmp_path, f"{rows}<x:row>{texts('S9 t=&quot;e&quot;')}{error}</x:row>")).stdout
    assert "column role (staff.role): is the error #NUM! of a spreadsheet; row 11" in said
    assert "1 entry could" in said


def test_errors_are_found_wherever_the_pieces_of_a_large_sheet_end(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = in_xml(
        tmp_path,
        f'<x:row r="1">{texts("staff_id", "role")}</x:row><x:row>{texts("S1", "ssw")}</x:row>'
        "<x:row>" + texts("S2") + '<x:c t="e"><x:v>#NUM!</x:v></x:c></x:row>'
        '<x:row hidden="1">' + texts("S3") + "<x:c><x:f>1+1</x:f></x:c></x:row>",
    )
    told = set()
    for size in (20, 50, 64, 101, 350, 1 << 20):
        monkeypatch.setattr(sheets, "PIECE", size)
        facts = sheets.facts(book, sheets.book(book), "staff")
        told.add((*facts.errors.items(), *facts.uncalculated, *facts.hidden_rows))
    assert told == {(((3, 1), "#NUM!"), (4, 1), 4)}


def test_a_formula_that_comes_to_an_empty_text_is_empty(cli: Cli, tmp_path: Path) -> None:
    formula = '<x:c t="str"><x:f>IF(A2="S1","",A2)</x:f><x:v></x:v></x:c>'
    book = in_xml(tmp_path, f"<x:row>{texts('staff_id', 'role')}</x:row><x:row>{texts('S1')}{formula}</x:row>")
    assert "Everything could be used as written." in checked(cli, book).stdout


# --- rows that end early, and columns without a name ---


def test_a_row_that_lacks_its_last_cell_counts_and_what_stood_there_is_open(cli: Cli) -> None:
    mapped = ("--mapping", "annex-a:snapshot_on=2021-09-20", "--as-at", "2021-09-20")
    result = cli("kpi", CASES / "short-row-kpi", *mapped, "KPI-SC8", "KPI-SC10")
    assert "66.7 to 100.0 %" in figure(result, "KPI-SC8 ")
    assert "66.7 to 100.0 %" in figure(result, "KPI-SC10")
    assert "column Date Ceased to be Looked After" in checked(cli, CASES / "short-row-kpi", *mapped[:2]).stdout


def test_a_header_that_ends_in_a_delimiter_loses_no_row(cli: Cli, tmp_path: Path) -> None:
    assert "Rows in all: 2 = 2 records." in checked(cli, CASES / "header-ends-in-delimiter").stdout
    rows = put(tmp_path / "e", staff="staff_id,role\nS1,ssw,\nS2,ssw,\n")
    assert "Rows in all: 2 = 2 records." in checked(cli, rows).stdout
    both = put(tmp_path / "f", staff="staff_id,role,\nS1,ssw,\nS2,ssw,left behind\n")
    said = checked(cli, both).stdout
    assert "Rows in all: 2 = 2 records." in said
    assert "staff.csv: cells under no column name were not read, in row 3." in said


def test_a_remark_below_the_table_is_no_record(cli: Cli, tmp_path: Path) -> None:
    said = checked(cli, put(tmp_path / "e", staff="staff_id,role,left_on\nS1,ssw,\nPrinted on Monday\n")).stdout
    assert "Rows in all: 2 = 1 record" in said and "1 not usable" in said


# --- keys that a mapping makes ---


def test_rows_that_differ_stay_two_though_the_mapping_gives_them_one_key(cli: Cli) -> None:
    mapped = ("--mapping", "annex-a:snapshot_on=2020-04-30")
    result = cli("kpi", CASES / "same-day", *mapped, "--as-at", "2020-04-30", "--framework", "covid", "COV-FD1")
    assert "4.0 a week" in figure(result, "COV-FD1")
    said = checked(cli, CASES / "same-day", *mapped).stdout
    assert "Rows in all: 5 = 4 records + 1 repeated." in said
    assert (
        "row 3 differs from another with the same Child Unique ID + Date of Contact; each is a contact record of its own."
        in said
    )


def test_keys_that_a_mapping_makes_do_not_follow_the_order_of_rows(tmp_path: Path, cli: Cli) -> None:
    lines = (CASES / "same-day" / "List_1.csv").read_text().splitlines(keepends=True)
    keys = []
    for name, text in (("a", lines), ("b", [lines[0], *reversed(lines[1:])])):
        export = put(tmp_path / name, List_1="".join(text))
        result = cli(
            "kpi",
            export,
            "--mapping",
            "annex-a:snapshot_on=2020-04-30",
            "--as-at",
            "2020-04-30",
            "--cases",
            "SC1",
            "--format",
            "json",
        )
        keys.append(sorted(re.findall(r'"key": "([^"]+)"', result.stdout)))
    assert keys[0] == keys[1]


def test_what_cannot_be_read_in_a_repeated_row_is_not_empty_in_the_record(cli: Cli, tmp_path: Path) -> None:
    export = put(
        tmp_path / "e",
        household="household_id,kind,approved_on,approval_ended_on,resignation_received_on\n"
        "H1,mainstream,2018-03-01,,\nH1,mainstream,2018-03-01,someday,\n",
        child=CHILD,
        placement="placement_id,child_id,household_id,started_on,ended_on\nP1,C1,H1,2021-06-01,\n",
    )
    result = cli("audit", export, "--as-at", "2021-09-20", "--rule", "placement-after-approval-ended")
    assert "(0 breached, 1 not evidenced)" in result.stdout


# --- nothing unread is unsaid ---


def test_folders_and_other_files_beside_the_export_are_told(cli: Cli, tmp_path: Path) -> None:
    said = checked(cli, CASES / "subfolder").stdout
    assert "2021-Q2 is a folder; nothing in it was read." in said
    assert "references.txt is neither CSV nor XLSX; it was not read." in said
    mapped = tmp_path / "e"
    shutil.copytree(CASES / "subfolder", mapped)
    sources = [f"- {{record: {k}, file: {k}.csv, columns: {{{k}_id: {k}_id}}}}" for k in ("staff", "reference")]
    (mapped / "mapping.yaml").write_text("unused: [references.txt]\nsources:\n" + "\n".join(sources) + "\n")
    said = checked(cli, mapped).stdout
    assert "2021-Q2 is a folder" in said and "references.txt" not in said and "mapping.yaml" not in said


def test_a_reported_figure_that_no_kpi_can_use_is_told(cli: Cli, tmp_path: Path) -> None:
    rows = (
        "1,v2023_24,KPI-SC10,2024-02-28,84\n2,v2023_24,KPI-SC10,2024-02-29,85\n"
        "3,v2023_24,KPI-SC99,2024-02-29,85\n4,v2023,KPI-SC10,2024-02-29,85\n5,v2023,KPI-SC10,2024-03-31,85\n"
    )
    export = put(tmp_path / "e", reported_figure="reported_figure_id,framework,code,period_end,value\n" + rows)
    kpis = cli("kpi", export, "--as-at", "2024-03-31", "--framework", "v2023_24", "KPI-SC10")
    for said in (checked(cli, export).stdout, kpis.stdout):
        assert (
            "reported_figure.csv: the reported figure in row 2 is not used: KPI-SC10 is measured by the month" in said
        )
        assert "whose last day is 2024-02-29, not 2024-02-28." in said
        assert "row 4 is not used: v2023_24 has no KPI 'KPI-SC99'; did you mean 'KPI-SC9'?" in said
        assert "2 reported figures, the first in row 5, are not used: there is no framework 'v2023'" in said


@pytest.mark.parametrize(
    "again", [("--rules", "a"), ("--rules=a",), ("--as-at", "2021-09-21"), ("--mapping", "annex-a")]
)
def test_an_option_with_one_value_is_not_given_twice(cli: Cli, tmp_path: Path, again: tuple[str, ...]) -> None:
    once = ("audit", tmp_path, "--rules", "b", "--as-at", "2021-09-20", "--mapping", "ssda903")
    result = cli(*once, *again)
    assert result.exit_code == 2
    assert f"{again[0].partition('=')[0]} is given twice; give it once" in result.output


@pytest.mark.parametrize("last", ["Total,39", "Total: 2,", "GRAND TOTAL,", "Sub-total,2", "Totals (2),"])
def test_a_total_is_no_record_and_is_told_as_one(cli: Cli, tmp_path: Path, last: str) -> None:
    said = checked(cli, put(tmp_path / "e", staff=f"staff_id,role\nS1,ssw\nTotalis 7,ssw\n{last}\n")).stdout
    assert "Rows in all: 3 = 2 records + 1 not usable." in said
    assert "reads as a total, no record; footer or skip_where of a mapping leaves it out; row 4" in said


def mapped(folder: Path, **more: str) -> Path:
    keys = "".join(f"    {k}: {v}\n" for k, v in more.items())
    (folder / "mapping.yaml").write_text(
        f"sources:\n  - record: staff\n    file: staff.csv\n{keys}    columns: {{staff_id: staff_id, role: role}}\n"
    )
    return folder


@pytest.mark.parametrize(
    "more",
    [
        {"footer": "2"},
        {"skip_where": "{column: staff_id, matches: ['^total', '^printed']}"},
        {"skip_where": "{column: staff_id, in: ['Total: 2', Printed on Monday]}"},
    ],
)
def test_a_mapping_leaves_out_what_stands_below_the_table(cli: Cli, tmp_path: Path, more: dict[str, str]) -> None:
    export = put(tmp_path / "e", staff="staff_id,role\nS1,ssw\nS2,ssw\n\nTotal: 2,\nPrinted on Monday,\n\n")
    said = checked(cli, mapped(export, **more), "--strict")
    assert said.exit_code == 0, said.output
    assert "Rows in all: 6 = 2 records + 4 left out." in said.stdout
    assert f"2 rows left out {'at the end by footer' if 'footer' in more else 'of staff by skip_where'}." in said.stdout


def test_a_mapping_says_either_words_or_patterns(cli: Cli, tmp_path: Path) -> None:
    export = put(tmp_path / "e", staff="staff_id,role\nS1,ssw\n")
    result = checked(cli, mapped(export, skip_where="{column: staff_id}", only_where="{column: role, matches: ['(']}"))
    assert result.exit_code == 2
    assert "skip_where takes either `in` or `matches`" in result.stderr and "is no regular expression" in result.stderr


# --- meanings ---


def test_older_codes_of_training_or_employment_count_as_it(cli: Cli) -> None:
    mapped = ("--mapping", "ssda903:year_ended_on=2021-03-31", "--as-at", "2021-03-31", "--framework", "national")
    said = figure(cli("kpi", CASES / "care-leaver-f3", *mapped, "NI-CL3"), "NI-CL3")
    assert "66.7 %" in said and "2 of 3" in said


def test_a_label_may_stand_behind_a_dash_and_brackets_may_be_doubled(cli: Cli) -> None:
    said = checked(cli, CASES / "dash-labels", "--mapping", "annex-a:snapshot_on=2021-09-20").stdout
    assert "Everything could be used as written." in said
    assert "nothing reads" not in said


# --- dates that cannot be ---


STAFF = "staff_id,date_of_birth,started_on,left_on\n"


def told_dates(cli: Cli, tmp_path: Path, rows: str, mapping: str = "") -> str:
    export = put(tmp_path / "e", staff=STAFF + rows)
    if mapping:
        columns = ", ".join(f"{f}: {f}" for f in STAFF.strip().split(","))
        source = f"  - {{record: staff, file: staff.csv, columns: {{{columns}}}}}\n"
        (export / "mapping.yaml").write_text(f"{mapping}\nsources:\n{source}")
    result = checked(cli, export)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    "day",
    [
        "1900-01-01",
        "1899-12-30",
        "1753-01-01",
        "0001-01-01",
        "1901-01-01",
        "1970-01-01",
        "2099-12-31",
        "9999-12-31",
        "2079-06-06",
    ],
)
def test_a_day_that_systems_write_for_none_is_told_and_is_no_day(cli: Cli, tmp_path: Path, day: str) -> None:
    said = told_dates(cli, tmp_path, f"S1,1971-02-03,2020-01-01,{day}\n")
    assert "column left_on (staff.left_on): stands for no day that anybody means; row 2" in said
    assert "1 entry could" in said


def test_somebody_may_be_born_on_the_day_from_which_computers_count(cli: Cli, tmp_path: Path) -> None:
    assert "Everything could be used" in told_dates(
        cli, tmp_path, "S1,1970-01-01,1965-01-01,\n".replace("1965", "1995")
    )


def test_an_end_before_its_start_is_told_of_both_and_both_are_unknown(cli: Cli, tmp_path: Path) -> None:
    said = told_dates(
        cli, tmp_path, "S1,1971-02-03,2020-01-01,2012-06-30\nS2,2020-05-06,2019-01-01,\nS3,,9999-12-31,2012-06-30\n"
    )
    assert "column left_on (staff.left_on): lies before started_on, which it cannot; row 2" in said
    assert "column started_on (staff.started_on): lies after left_on, which it cannot; row 2" in said
    assert "column started_on (staff.started_on): lies before date_of_birth, which it cannot; row 3" in said
    assert "column date_of_birth (staff.date_of_birth): lies after started_on, which it cannot; row 3" in said
    assert "5 entries could" in said
    assert "2020-05-06" not in said


def test_a_placement_that_ended_before_it_began_is_not_evidenced(cli: Cli, tmp_path: Path) -> None:
    export = put(
        tmp_path / "e",
        household="household_id,kind,approved_on,approval_ended_on,resignation_received_on\nH1,mainstream,2018-03-01,2021-05-01,\n",
        child=CHILD,
        placement="placement_id,child_id,household_id,started_on,ended_on\nP1,C1,H1,2021-06-01,2012-06-30\n",
    )
    result = cli("audit", export, "--as-at", "2021-09-20", "--rule", "placement-after-approval-ended")
    assert "(0 breached, 1 not evidenced)" in result.stdout


def test_nothing_that_is_past_lies_after_the_day_on_which_the_export_was_made(cli: Cli, tmp_path: Path) -> None:
    said = told_dates(cli, tmp_path, "S1,2021-10-01,,\nS2,,2021-10-01,\n", "made_on: 2021-09-20")
    assert "(staff.date_of_birth): lies after 2021-09-20, on which the export was made; row 2" in said
    assert "1 entry could" in said


def test_a_year_of_two_digits_is_of_the_century_that_its_field_means(cli: Cli, tmp_path: Path) -> None:
    mapping = "made_on: 2021-09-20\ndates: [DD/MM/YY, DD/MM/YYYY]"
    rows = "S1,12/05/61,12/05/19,01/02/22\nS2,12/05/1961,12/05/68,\nS3,01/01/03,12/05/2068,\n"
    said = told_dates(cli, tmp_path, rows, mapping)
    assert "Rows in all: 3 = 3 records." in said and "Everything could be used" in said
    days = held(tmp_path / "e", "SELECT date_of_birth, started_on, left_on FROM t_staff ORDER BY staff_id")
    assert days == [
        (date(1961, 5, 12), date(2019, 5, 12), date(2022, 2, 1)),
        (date(1961, 5, 12), date(2068, 5, 12), None),
        (date(2003, 1, 1), date(2068, 5, 12), None),
    ]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2021-06-28T22:59:59Z", date(2021, 6, 28)),
        ("2021-06-28T23:00:00Z", date(2021, 6, 29)),
        ("2021-01-28T23:30:00Z", date(2021, 1, 28)),
        ("2021-03-27T23:30:00Z", date(2021, 3, 27)),
        ("2021-03-28T23:30:00Z", date(2021, 3, 29)),
        ("2021-10-30T23:30:00Z", date(2021, 10, 31)),
        ("2021-10-31T23:30:00Z", date(2021, 10, 31)),
        ("2021-06-28 23:30", date(2021, 6, 28)),
        ("2021-06-28T23:30:00.125Z", date(2021, 6, 29)),
    ],
)
def test_a_time_in_utc_is_on_the_day_that_british_clocks_show(tmp_path: Path, written: str, day: date) -> None:
    export = put(tmp_path / "e", staff=f"staff_id,started_on\nS1,{written}\n")
    source = "{record: staff, file: staff.csv, columns: {staff_id: staff_id, started_on: started_on}}"
    formats = "'YYYY-MM-DDTHH:mm:ssZ', 'YYYY-MM-DDTHH:mm:ss.SSSZ', 'YYYY-MM-DD HH:mm'"
    (export / "mapping.yaml").write_text(f"dates: [{formats}]\nsources: [{source}]\n")
    assert held(export, "SELECT started_on FROM t_staff") == [(day,)]


def test_years_of_two_digits_take_a_day_on_which_the_export_was_made(cli: Cli, tmp_path: Path) -> None:
    export = put(tmp_path / "e", staff="staff_id,role\nS1,ssw\n")
    (export / "mapping.yaml").write_text(
        "dates: [DD/MM/YY]\nsources: [{record: staff, file: staff.csv, columns: {staff_id: staff_id}}]\n"
    )
    result = checked(cli, export)
    assert result.exit_code == 2 and "years of two digits are read, and nothing says of which century" in result.stderr
    (export / "mapping.yaml").write_text(
        "made_on: today\nsources: [{record: staff, file: staff.csv, columns: {staff_id: staff_id}}]\n"
    )
    result = checked(cli, export)
    assert result.exit_code == 2 and "the day on which the export was made cannot be told" in result.stderr


@pytest.mark.parametrize(
    ("born", "joined", "of_age"),
    [
        ("2004-02-29", "2022-02-28", False),
        ("2004-02-29", "2022-03-01", True),
        ("2004-02-28", "2022-02-28", True),
        ("2004-03-01", "2022-02-28", False),
        ("2004-03-01", "2022-03-01", True),
    ],
)
def test_who_was_born_on_29_february_is_of_age_on_1_march_where_there_is_none(
    cli: Cli, tmp_path: Path, born: str, joined: str, of_age: bool
) -> None:
    export = put(
        tmp_path / "e",
        household="household_id,kind,applied_on,approved_on,approval_ended_on\nH1,mainstream,2015-01-01,2015-06-01,\n",
        household_member=f"household_member_id,household_id,date_of_birth,joined_on,left_on\nM1,H1,{born},{joined},\n",
        check="check_id,household_member_id,kind,requested_on,completed_on\n",
    )
    result = cli("audit", export, "--as-at", "2023-09-20", "--rule", "new-adult-not-checked", "--format", "json")
    (rule,) = json.loads(result.stdout)["rules"]
    assert (rule["status"], rule["outcomes"]["not_applicable"]) == ("ran", 0) if of_age else ("looked at nothing", 1)
