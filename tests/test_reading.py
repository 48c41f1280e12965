"""Exports as they come: encodings, delimiters, blank and broken rows, workbooks; bad input gets a clear error and nothing is lost."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.engine import database
from compliance.errors import DataError
from compliance.jobs import planning
from compliance.model import Quarantined, Tables
from compliance.records import loading
from compliance.records.mapping import Column, Mapping, SourceOf

HEADER = "staff_id,name,started_on,recruits,worker_kind,manager_id\n"
ROWS = "S1,Zoë Madeupham,2020-01-31,yes,employee,\nS2,Ünal Fixtureby,2020-02-29,no,volunteer,S1\n"
STAFF = HEADER + ROWS
KINDS = planning.record_kinds()


def load(
    folder: Path, mapping: Mapping | None = None
) -> tuple[Tables, list[Quarantined], dict[str, list[tuple[object, ...]]]]:
    """The export's tables, what did not fit, and the rows of staff by key."""
    scratch = folder.parent / f"scratch-{folder.name}"
    scratch.mkdir(exist_ok=True)
    con = database.connect(scratch, threads=1)
    try:
        tables = loading.load_tables(con, folder, mapping, KINDS, scratch)
        rows = {}
        for kind, table in tables.tables.items():
            columns = [c for c in KINDS[kind].fields if c in table.columns]
            listed = ", ".join(f'"{c}"' for c in ["row", *columns])
            rows[kind] = con.execute(f'SELECT {listed} FROM "t_{kind}" ORDER BY rid').fetchall()
        return tables, list(loading.quarantined(con)), rows
    finally:
        con.close()


def export(tmp_path: Path, content: bytes, name: str = "staff.csv") -> Path:
    folder = tmp_path / "export"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_encoding_delimiter_and_line_end_gives_the_same_records(
    tmp_path: Path, encoding: str, delimiter: str, end: str
) -> None:
    text = STAFF.replace(",", delimiter).replace("\n", end)
    _, quarantined, rows = load(export(tmp_path, text.encode(encoding)))
    assert quarantined == []
    assert rows["staff"] == [
        (2, "S1", "Zoë Madeupham", "employee", True, None, date(2020, 1, 31)),
        (3, "S2", "Ünal Fixtureby", "volunteer", False, "S1", date(2020, 2, 29)),
    ]


def test_rows_are_numbered_as_the_sheet_has_them_whatever_stands_between(tmp_path: Path) -> None:
    text = (
        HEADER
        + 'S1,"Ann\nNobodyson",2020-01-31,yes,employee,\n\n,,,,,\n'
        + "S2,Ben,2020-02-29,no,volunteer,S1\nS3,Cy\nS4,Di,2020-03-01,no,,,\n"
    )
    tables, quarantined, rows = load(export(tmp_path, text.encode()))
    assert [(r[0], r[1]) for r in rows["staff"]] == [(2, "S1"), (5, "S2"), (7, "S4")]
    assert [(q.row, q.field, q.reason) for q in quarantined] == [(6, "", "the row has 2 cells, the header 6")]
    assert any("2 rows without any content" in n for n in tables.notes)


def test_what_does_not_fit_is_quarantined_with_file_row_column_value_and_reason(tmp_path: Path) -> None:
    text = HEADER + "S1,Ann,31/01/2020,perhaps,Boss,S9\n,Ben,2020-02-29,no,volunteer,S1\n"
    _, quarantined, rows = load(export(tmp_path, text.encode()))
    assert [(q.file, q.row, q.column, q.value, q.reason) for q in quarantined] == [
        ("staff.csv", 2, "manager_id", "S9", "names a staff record that is not there"),
        ("staff.csv", 2, "recruits", "perhaps", "is neither yes nor no"),
        ("staff.csv", 2, "started_on", "31/01/2020", "is not a date written YYYY-MM-DD"),
        (
            "staff.csv",
            2,
            "worker_kind",
            "Boss",
            "is no code (employee, agency worker, contractor, volunteer, panel member)",
        ),
        ("staff.csv", 3, "staff_id", "", "is empty; the record is reported as row-3"),
    ]
    assert [r[1] for r in rows["staff"]] == ["S1", "row-3"]


def test_a_personal_value_that_does_not_fit_is_not_told(tmp_path: Path) -> None:
    text = "staff_id,date_of_birth\nS1,1 April 1980\n"
    _, quarantined, _ = load(export(tmp_path, text.encode()))
    assert [(q.field, q.value) for q in quarantined] == [("date_of_birth", "")]


def test_a_key_that_stands_twice_merges_and_the_fields_that_differ_are_not_used(tmp_path: Path) -> None:
    text = (
        HEADER
        + "S1,Ann,2020-01-31,yes,employee,\nS1,Ann,2020-02-01,yes,employee,\nS2,Ben,2020-02-29,no,,\nS2,Ben,2020-02-29,no,,\n"
    )
    tables, quarantined, rows = load(export(tmp_path, text.encode()))
    assert rows["staff"] == [
        (2, "S1", "Ann", "employee", True, None, None),
        (4, "S2", "Ben", None, False, None, date(2020, 2, 29)),
    ]
    assert [(q.row, q.reason) for q in quarantined] == [
        (3, "stands on row 2 already, and differs in started_on; these fields are not used"),
        (5, "stands on row 4 already, with the same content"),
    ]
    assert tables.tables["staff"].doubted == {"started_on"}
    assert tables.tables["staff"].rows == 2


@pytest.mark.parametrize(
    "day", ["2021-02-29", "2021-13-01", "21-01-01", "1821-01-01", "2021/01/02", "2021-01-02 10:00", "44275"]
)
def test_a_date_that_is_none_is_refused_and_not_guessed(tmp_path: Path, day: str) -> None:
    _, quarantined, rows = load(export(tmp_path, f"staff_id,started_on\nS1,{day}\n".encode()))
    assert [(q.field, q.value) for q in quarantined] == [("started_on", day)]
    assert rows["staff"] == [(2, "S1", None)]


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> None:
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"}) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, value in enumerate(row):
                    if value is not None:
                        page.write(r, c, value)


def test_a_workbook_gives_what_a_csv_file_gives(tmp_path: Path) -> None:
    head: list[object] = ["staff_id", "name", "started_on", "recruits", "worker_kind", "manager_id"]
    rows: list[list[object]] = [
        head,
        [1001, "Zoë Madeupham", datetime(2020, 1, 31), True, "Employee", None],
        [None] * 6,
        ["S2", "Ünal", "2020-02-29", "no", "volunteer", "1001"],
    ]
    folder = tmp_path / "export"
    folder.mkdir()
    workbook(folder / "hr.xlsx", {"staff": rows, "Notes": [["nothing"]]})
    tables, quarantined, found = load(folder)
    assert quarantined == []
    assert found["staff"] == [
        (2, "1001", "Zoë Madeupham", "employee", True, None, date(2020, 1, 31)),
        (4, "S2", "Ünal", "volunteer", False, "1001", date(2020, 2, 29)),
    ]
    assert any("[Notes] was not read" in n for n in tables.notes)


cell = st.text(st.sampled_from('ab ,;"\n\t|-é'), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(cell, min_size=3, max_size=3), max_size=6))
def test_the_engine_reads_a_file_as_pythons_csv_module_does(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("export") / "e"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["staff_id", "role", "name"])
    writer.writerows([f"K{i}{row[0]}", *row[1:]] for i, row in enumerate(cells))
    folder.mkdir()
    (folder / "staff.csv").write_bytes(text.getvalue().encode())
    _, _, rows = load(folder)
    expected = []
    for i, row in enumerate(csv.reader(io.StringIO(text.getvalue(), newline=""), skipinitialspace=True)):
        if i:
            key, role, name = (c.strip(" \u00a0") or None for c in row)
            expected.append((key, name, role))
    assert [r[1:] for r in rows["staff"]] == expected


FITS = {
    "staff_id": ["S1", "S2", "S3", " S4", "5"],
    "name": ["Ann", " Ann ", "N/a", " n/a ", "2", "", "O'Zoë"],
    "started_on": ["31/01/2020", "1/2/2020", "n/a", ""],
    "left_on": ["31/01/2020", "44000", "44000.5", "3", ""],
    "recruits": ["yes", "YES", "0", "N/A", "n/a", ""],
    "worker_kind": ["employee", "EMPLOYEE", "a) Emp", "b) emp ", "none", "N/a", ""],
    "role": ["lead", "Team Q", "n/A", ""],
    "manager_id": ["S1", "S9", " S1", ""],
}
ODD = {
    "staff_id": ["", " ", "n/A"],
    "started_on": ["2020-01-31", " 31/01/2020", "31/01/1820", "epoch", "31/02/2020", " "],
    "left_on": ["99999", "31/01/2320", "440000"],
    "recruits": ["t", "never", " no", " "],
    "worker_kind": ["boss", " employee"],
}
"""What does not fit, or only once the blanks around it are gone."""
STRANGE = Mapping(
    sources=(
        SourceOf(
            "staff",
            ("staff.csv",),
            (),
            {
                **{f: Column((f,)) for f in FITS},
                "left_on": Column(("left_on",), dates=("serial", "DD/MM/YYYY")),
                "worker_kind": Column(("worker_kind",), codes={"emp": "employee", "none": None}, strip=(r"^[a-z]\) ",)),
                "role": Column(("role", "name"), template="{role}: {name}"),
                "team": Column((), fields=("staff_id", "started_on")),
            },
            set={"social_worker": True},
        ),
    ),
    dates=("DD/MM/YYYY",),
    empty=("N/A", "3"),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(*map(st.sampled_from, FITS.values())), max_size=4),
    st.one_of(st.none(), st.tuples(*(st.sampled_from(ODD.get(f, fits)) for f, fits in FITS.items()))),
    st.sampled_from(["utf-8", "cp1252"]),
)
def test_a_file_is_read_at_once_as_it_is_read_cell_by_cell(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], odd: tuple[str, ...] | None, encoding: str
) -> None:
    """What fits is read strictly, in one statement; the tables are those of the lenient reading, which is for what does not."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[*FITS], *rows, *([odd] if odd else [])])
    folder = export(tmp_path_factory.mktemp("export"), text.getvalue().encode(encoding))
    at_once = load(folder, STRANGE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "_exact", lambda *_: None)
        assert load(folder, STRANGE) == at_once


def test_rows_of_nothing_but_a_key_may_stand_twice(tmp_path: Path) -> None:
    _, quarantined, rows = load(export(tmp_path, b"staff_id\nS1\nS2\nS1\n"))
    assert sorted(rows["staff"]) == [(2, "S1"), (3, "S2")]
    assert [(q.row, q.reason) for q in quarantined] == [(4, "stands on row 2 already, with the same content")]


# --- bad input ---


def says(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    for word in words:
        assert word in result.stderr, result.stderr


def audit(cli: Callable[..., Result], data: Path, *more: object) -> Result:
    return cli("audit", data, "--as-at", "2021-09-20", *more)


def test_no_such_export(cli: Callable[..., Result], tmp_path: Path) -> None:
    says(audit(cli, tmp_path / "nowhere"), "There is no folder or file")


def test_an_empty_folder(cli: Callable[..., Result], tmp_path: Path) -> None:
    says(audit(cli, tmp_path), "holds no CSV file and no XLSX workbook")


def test_an_empty_file(cli: Callable[..., Result], tmp_path: Path) -> None:
    says(audit(cli, export(tmp_path, b"")), "staff.csv is empty")


def test_a_header_alone_is_an_export_without_records(cli: Callable[..., Result], tmp_path: Path) -> None:
    result = audit(cli, export(tmp_path, HEADER.encode()))
    assert result.exit_code == 2  # nothing could run
    assert "No findings." in result.stdout


def test_a_file_that_is_no_record_kind(cli: Callable[..., Result], tmp_path: Path) -> None:
    says(audit(cli, export(tmp_path, STAFF.encode(), "staf.csv")), "its name is no record kind; did you mean 'staff'?")


def test_a_missing_key_column(cli: Callable[..., Result], tmp_path: Path) -> None:
    says(audit(cli, export(tmp_path, b"name,role\nAnn,x\n")), "no column for staff_id")


def test_a_column_that_stands_twice(cli: Callable[..., Result], tmp_path: Path) -> None:
    says(audit(cli, export(tmp_path, b"staff_id,role,Role\nS1,a,b\n")), "2 columns called 'role'")


def test_a_missing_column_switches_its_rules_off_and_says_so(cli: Callable[..., Result], tmp_path: Path) -> None:
    result = audit(cli, export(tmp_path, STAFF.encode()), "--require-complete")
    assert result.exit_code == 2
    assert "could not run" in result.stdout and "no field staff.left_on" in " ".join(result.stdout.split())


def test_a_quotation_mark_that_is_never_closed(cli: Callable[..., Result], tmp_path: Path) -> None:
    says(
        audit(cli, export(tmp_path, (HEADER + 'S1,"Ann,2020-01-31\n').encode())),
        "a quotation mark is opened and never closed",
    )


def test_bytes_that_are_no_text(cli: Callable[..., Result], tmp_path: Path) -> None:
    says(audit(cli, export(tmp_path, HEADER.encode() + b"S1,\x81\x8d,2020-01-31\n")), "means nothing in it")


def test_a_workbook_that_is_none(cli: Callable[..., Result], tmp_path: Path) -> None:
    says(audit(cli, export(tmp_path, b"not a workbook", "hr.xlsx")), "this is not an XLSX workbook")


def test_a_workbook_that_would_fill_the_disk(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    with zipfile.ZipFile(folder / "hr.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (60 << 20))
    says(audit(cli, folder), "it was not opened")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="file permissions do not bind this user")
def test_a_file_that_may_not_be_read(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = export(tmp_path, STAFF.encode())
    (folder / "staff.csv").chmod(0)
    says(audit(cli, folder), "cannot be read")


MAPPED = """
sources:
  - {record: staff, file: %s, columns: {staff_id: [No, EmpNo], started_on: Start}}
"""


def test_a_mapping_with_a_wrong_sheet_names_the_nearest(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    workbook(folder / "hr.xlsx", {"People": [["No"], ["S1"]], "Other": [["x"]]})
    (folder / "mapping.yaml").write_text(MAPPED % "hr.xlsx, sheet: Peple", encoding="utf-8")
    says(audit(cli, folder), "hr.xlsx has no sheet 'Peple'; did you mean 'People'?")


def test_a_mapping_with_a_missing_file(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = export(tmp_path, STAFF.encode())
    (folder / "mapping.yaml").write_text(MAPPED % "Staff_list.csv", encoding="utf-8")
    says(audit(cli, folder), "the export has no file Staff_list.csv")


SPLIT = {
    "Staff 2020 [old].csv": "No,Start\nS1,2020-01-31\nS2,2020-02-29\n",
    "Staff 2021 [new].csv": "No,Start\nS2,2020-02-29\nS3,2021-01-31\n",
    "Starters.csv": "No,Start\nX1,2021-01-31\n",
}


def split(tmp_path: Path, file: str) -> Path:
    """A table that an export holds in several files."""
    folder = tmp_path / "export"
    folder.mkdir()
    for name, text in SPLIT.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "mapping.yaml").write_text(MAPPED % file, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "file",
    ["'Staff 202?*.csv'", "'staff_202* [*].CSV'", "['Staff 2020 [old].csv', 'Staff 2021 [new].csv']"],
    ids=["pattern", "whatever the case", "list"],
)
def test_a_table_in_several_files_is_one_table(tmp_path: Path, file: str) -> None:
    folder = split(tmp_path, file)
    tables, quarantined, rows = load(folder, planning.mapping(folder / "mapping.yaml", KINDS, use_cache=False))
    assert [r[1:] for r in rows["staff"]] == [
        ("S1", date(2020, 1, 31)),
        ("S2", date(2020, 2, 29)),
        ("S3", date(2021, 1, 31)),
    ]
    assert [(q.file, q.field) for q in quarantined] == [("Staff 2021 [new].csv", "")]
    assert [n for n in tables.notes if "was not read" in n] == [
        "Starters.csv was not read: the mapping does not mention it."
    ]


@pytest.mark.parametrize("file", ["['Staff 2020 [old].csv', Staff_2022.csv]", "['Staff 2020*', 'Staff 2022*']"])
def test_a_part_of_a_table_that_is_missing_is_told(cli: Callable[..., Result], tmp_path: Path, file: str) -> None:
    said = " ".join(cli("data", "check", split(tmp_path, file)).stdout.split())
    assert "the export has no file " in said and "2022" in said
    assert "the staff records are those of Staff 2020 [old].csv alone." in said


def test_sheets_of_one_table_are_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    sheets: dict[str, list[list[object]]] = {
        f"People {year}": [["No", "Start"], [f"S{year}", f"{year}-01-31"]] for year in (2020, 2021)
    }
    workbook(folder / "hr.xlsx", sheets | {"Other": [["No"], ["S1"]]})
    (folder / "mapping.yaml").write_text(MAPPED % "hr.xlsx, sheet: people 20*", encoding="utf-8")
    _, quarantined, rows = load(folder, planning.mapping(folder / "mapping.yaml", KINDS, use_cache=False))
    assert (quarantined, [r[1] for r in rows["staff"]]) == ([], ["S2020", "S2021"])


def test_every_mistake_in_a_mapping_is_told_at_once(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = export(tmp_path, STAFF.encode())
    text = (
        "dates: [DD/MM/YYYY, MM/DD/YYYY]\nsources:\n  - record: staff\n    file: staff.csv\n"
        "    columns: {stafid: No, recruits: {column: R, codes: {A: maybe}}}\n"
    )
    (folder / "mapping.yaml").write_text(text, encoding="utf-8")
    says(
        audit(cli, folder),
        "read the same cell as different days",
        "staff has no field 'stafid'; did you mean 'staff_id'?",
        "'maybe' is not what 'recruits' holds",
        "no column is given for 'staff_id'",
    )


def test_synonyms_match_without_case_spaces_and_underscores(tmp_path: Path) -> None:
    from compliance.records.mappingfile import read_mapping

    folder = export(tmp_path, b" emp no ,START\nS1,2020-01-31\n", "x.csv")
    (folder / "mapping.yaml").write_text(MAPPED % "X.CSV", encoding="utf-8")
    _, quarantined, rows = load(folder, read_mapping(folder / "mapping.yaml", KINDS))
    assert quarantined == [] and rows["staff"] == [(2, "S1", date(2020, 1, 31))]


def test_strict_makes_what_does_not_fit_fail_the_run(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = export(tmp_path, (HEADER + "S1,Ann,31/01/2020,yes,employee,\n").encode())
    says(audit(cli, folder, "--strict"), "started_on", "nothing was audited")
    assert "could not be used as written" in audit(cli, folder, "--exit-zero").stdout
    assert cli("data", "check", folder, "--strict").exit_code == 2


def test_a_thousand_equal_errors_are_one_line(cli: Callable[..., Result], tmp_path: Path) -> None:
    rows = "".join(f"S{i},31/01/2020\n" for i in range(1000))
    told = cli("data", "check", export(tmp_path, ("staff_id,started_on\n" + rows).encode())).stdout
    lines = [line for line in told.splitlines() if "started_on" in line]
    lines = [line for line in lines if "null" not in line]
    assert len(lines) == 1 and "1,000 times" in lines[0] and "99/99/9999" in lines[0]


def test_a_field_that_one_of_two_sources_lacks_is_in_doubt_there(tmp_path: Path) -> None:
    from compliance.records.mappingfile import read_mapping

    folder = export(tmp_path, b"No,Start\nS1,2020-01-31\n", "a.csv")
    (folder / "b.csv").write_bytes(b"No\nS2\n")
    (folder / "mapping.yaml").write_text(
        "sources:\n  - {record: staff, file: a.csv, columns: {staff_id: No, started_on: Start}}\n"
        "  - {record: staff, file: b.csv, columns: {staff_id: No}}\n",
        encoding="utf-8",
    )
    tables, _, rows = load(folder, read_mapping(folder / "mapping.yaml", KINDS))
    assert tables.tables["staff"].doubted == {"started_on"}
    assert [r[1] for r in rows["staff"]] == ["S1", "S2"]


def test_load_tables_names_every_reason_why_nothing_could_be_read(tmp_path: Path) -> None:
    folder = export(tmp_path, b"", "staff.csv")
    (folder / "reference.csv").write_bytes(b"x\n")
    with pytest.raises(DataError, match=r"(?s)reference.csv has no column.*staff.csv is empty"):
        load(folder)


def test_a_plain_file_however_large_is_the_engines_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of gigabytes never passes through Python row by row; only its header does."""

    def row_by_row(*_: object) -> None:
        raise AssertionError("read row by row")

    monkeypatch.setattr("compliance.records.reading._written", row_by_row)
    for end in ("\n", "\r\n"):
        _, _, rows = load(export(tmp_path, STAFF.replace("\n", end).encode("utf-8-sig")))
        assert len(rows["staff"]) == 2
