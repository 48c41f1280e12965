"""`compliance data map`: what a draft of a mapping finds, asks, and never tells; and the lines that would let more rules run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import odd_export
import pytest
import python_calamine
import xlsxwriter
from click.testing import Result
from conftest import ROOT

from compliance.files.documents import load_yaml
from compliance.jobs import drafting, planning
from compliance.jobs.asked import Export
from compliance.jobs.drafting import Draft
from compliance.jobs.opening import loaded
from compliance.jobs.runnable import Runnable, runnable
from compliance.records.drafting import Guesser
from compliance.records.mapping import Mapping, plain
from compliance.records.mappingfile import read_mapping
from compliance.records.vocabulary import read_vocabulary

TODAY = date(2021, 9, 20)
KINDS = planning.record_kinds()
LAYOUTS = ROOT / "schemas" / "mappings"
Lines = dict[tuple[str, str, str], str]


def copied(name: str, folder: Path) -> Path:
    """A fixture without its mapping."""
    for path in (ROOT / "fixtures" / name).iterdir():
        if path.suffix in (".csv", ".xlsx"):
            shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Lines, Draft]:
    """The odd export, what each of its columns is, and a draft of its mapping."""
    folder = tmp_path_factory.mktemp("odd") / "export"
    meant: Lines = {}
    for file, (table, called) in odd_export.write(folder).items():
        source = next(s for s in _sources(ROOT / "fixtures" / "agency" / "mapping.yaml") if _is(s, table))
        for f, names in _columns(source).items():
            meant.update({(file, str(source["record"]), f): o for o, name in called.items() if name in names})
    return folder, meant, drafting.draft(folder, "fostering", TODAY)


def _sources(path: Path) -> list[dict[str, object]]:
    document = load_yaml(path)
    assert isinstance(document, dict)
    return list(document["sources"])


def _is(source: dict[str, object], table: str) -> bool:
    file, _, sheet = table.partition("/")
    return source["file"] == file and source.get("sheet", "") == sheet


def _columns(source: dict[str, object]) -> dict[str, list[str]]:
    columns = source["columns"]
    assert isinstance(columns, dict)
    named = {f: c.get("column", []) if isinstance(c, dict) else c for f, c in columns.items()}
    return {f: [c] if isinstance(c, str) else c for f, c in named.items()}


def _drafted(draft: Draft) -> Lines:
    return {
        (file, g.kind.name, d.field.name): d.column.name
        for g in draft.guesses
        if g.kind is not None
        for file, _ in g.place.places
        for d in g.columns
    }


def _read(folder: Path, text: str, tmp_path: Path) -> tuple[Mapping, Runnable, int]:
    """The draft as a mapping, what it lets run, and how many cells it cannot read."""
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    export = Export(folder, path)
    with loaded(export) as read:
        return read_mapping(path, KINDS), runnable(read, export, TODAY), read.tables.n_quarantined


def test_nine_lines_in_ten_of_an_odd_export_are_drafted_and_none_is_wrong(odd: tuple[Path, Lines, Draft]) -> None:
    _, meant, draft = odd
    drafted = _drafted(draft)
    assert {k: c for k, c in drafted.items() if meant.get(k) != c} == {}
    assert len(drafted) >= 0.9 * len(meant)


def test_a_draft_reads_split_tables_titles_totals_and_serials(odd: tuple[Path, Lines, Draft], tmp_path: Path) -> None:
    folder, _, draft = odd
    mapping, _, unread = _read(folder, draft.text, tmp_path)
    by_kind = {s.record: s for s in mapping.sources}
    assert by_kind["visit"].files == ("SW Visits 2021.csv", "SW Visits to 2020.csv")
    assert (by_kind["carer_review"].header, by_kind["staff"].header) == (3, 1)
    footers = {s.record for s in mapping.sources if s.footer == 1}
    assert footers == {"household", "child_review", "training"}
    assert set(mapping.dates) == {"DD-MMM-YYYY", "YYYY-MM-DD", "DD/MM/YYYY", "serial"}
    # Codes that nobody can tell are asked for, and a few cells of the sample are wrong on purpose; nothing else is lost.
    assert "Initial:" in draft.text and unread < 3_000


def test_the_lines_for_what_is_never_recorded_free_as_many_rules_as_they_say(
    odd: tuple[Path, Lines, Draft], tmp_path: Path
) -> None:
    folder, _, draft = odd
    _, before, _ = _read(folder, draft.text, tmp_path)
    text = draft.text + "set:\n" + "".join(f"  {line}\n" for line in before.lines(10_000))
    _, after, _ = _read(folder, text, tmp_path)
    assert before.able < 15 and before.more > 50
    assert (after.able, after.freed) == (before.able + before.more, ())


def test_a_draft_tells_no_name_no_id_and_no_free_text(odd: tuple[Path, Lines, Draft]) -> None:
    _, _, draft = odd
    told = set(re.findall(r"[\w/-]{4,}", draft.text))
    for g in draft.guesses:
        known = {d.column.name: d.field for d in g.columns}
        for column in g.place.table.columns:
            field = known.get(column.name)
            if field is None or field.personal or not (field.codes or field.type == "boolean"):
                whole = {v for v in column.counts if v in told and v not in odd_export.CALLED}
                assert whole <= {plain(c) for c in known} | set(KINDS.kinds), f"{g.place.label}: {column.name}"


def test_a_draft_is_the_same_every_time(odd: tuple[Path, Lines, Draft]) -> None:
    folder, _, draft = odd
    assert drafting.draft(folder, "fostering", TODAY).text == draft.text


@pytest.mark.parametrize("name", ["annex-a", "ssda903"])
def test_columns_of_layouts_of_others_are_known_by_themselves(name: str, tmp_path: Path) -> None:
    vocabulary = read_vocabulary(ROOT / "schemas" / "synonyms.yaml", KINDS, sorted(LAYOUTS.glob("*.yaml")))
    places, _ = drafting.tables(copied(name, tmp_path), KINDS, vocabulary.parts)
    meant = {
        (plain(str(s.get("sheet") or s["file"]).removesuffix(".csv")), s["record"], f): {plain(n) for n in names}
        for s in _sources(LAYOUTS / f"{name}.yaml")
        for f, names in _columns(s).items()
    }
    drafted = {
        (plain((sheet or file).removesuffix(".csv")), g.kind.name, d.field.name): plain(d.column.name)
        for g in Guesser(KINDS, vocabulary, frozenset(KINDS.kinds)).guesses(places)
        if g.kind is not None
        for file, sheet in g.place.places
        for d in g.columns
    }
    assert {k: c for k, c in drafted.items() if c not in meant.get(k, ())} == {}
    there = {k for k, names in meant.items() if names and any(k[0] == d[0] for d in drafted)}
    assert len(drafted) >= 0.9 * len(there)


@pytest.mark.parametrize(("name", "asked"), [("annex-a", "snapshot_on"), ("ssda903", "year_ended_on")])
def test_an_export_in_a_known_layout_is_drafted_upon_it_and_asked_for_its_day_alone(
    name: str, asked: str, tmp_path: Path
) -> None:
    draft = drafting.draft(copied(name, tmp_path), "council", TODAY)
    assert f"\nbased_on: {name}\n" in draft.text and f"# set: {{{asked}: YYYY-MM-DD}}" in draft.text
    assert (draft.known, draft.tables, draft.questions) == (11, 11, 1)
    assert "sources:" not in draft.text


CALLED_OTHERWISE = {
    "Child Unique ID": "Person ID", "Date Started to be Looked After": "CLA Start", "Date of Latest Statutory Review": "Last CLA Review",
    "Date of Last Social Work Visit": "Last Visit Date", "Start Date of Most Recent Placement": "Placement Start",
    "Latest Pathway Plan": "Pathway Plan Date", "Allocated Personal Advisor": "PA", "Date of Last Health Assessment": "Last IHA/RHA",
    "Child's Legal Status": "Legal Status", "Date Ceased to be Looked After": "CLA End",
}  # fmt: skip
"""Columns of Annex A by names that a case system gave them."""
SHEETS = (
    "Contacts", "Early Help", "Referrals", "Assessments", "S47 and ICPC", "CIN", "CP", "Children Looked After", "Care Leavers",
    "Adoption", "Adopters",
)  # fmt: skip


def test_lists_with_names_of_their_own_are_audited_in_two_drafts_as_the_lists_they_are(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    folder, before = tmp_path / "export", tmp_path / "before"
    folder.mkdir()
    before.mkdir()
    book = python_calamine.load_workbook(copied("annex-a", before) / "annex-a.xlsx")
    with xlsxwriter.Workbook(folder / "lists.xlsx") as made:
        day = made.add_format({"num_format": "dd/mm/yyyy"})
        for name, sheet in zip(SHEETS, book.sheet_names, strict=True):
            page = made.add_worksheet(name)
            for n, row in enumerate(book.get_sheet_by_name(sheet).to_python()):
                for m, cell in enumerate(row):
                    if isinstance(cell, date):
                        page.write_datetime(n, m, cell, day)
                    elif cell != "":
                        page.write(n, m, CALLED_OTHERWISE.get(str(cell), cell) if n == 0 else cell)
    path = folder / "mapping.yaml"
    assert cli("data", "map", folder, "--for", "council", "--out", path).exit_code == 0
    first = path.read_text("utf-8")
    meant = {f for s in _sources(LAYOUTS / "annex-a.yaml") for f in _columns(s)}
    drafted = [line.split("#")[0].split(":", 1) for line in first.splitlines() if re.match(r"      \w+: ", line)]
    assert len(drafted) == 19 and all(f.strip() in meant for f, _ in drafted)
    assert {column.strip() for _, column in drafted} == set(CALLED_OTHERWISE.values())
    # It is not used before its day is said; with that it is the second draft, and the last.
    refused = cli("audit", folder, "--as-at", "2021-09-20")
    assert refused.exit_code == 2 and "snapshot_on" in refused.stderr
    path.write_text(first.replace("# set: {snapshot_on: YYYY-MM-DD}", "set: {snapshot_on: 2021-09-20}"), "utf-8")

    def told(data: Path) -> list[tuple[str, str, str]]:
        found = json.loads(cli("audit", data, "--as-at", "2021-09-20", "--format", "json").stdout)["findings"]
        return sorted((f["rule"], f["subject"]["key"], f["outcome"]) for f in found)

    its = told(ROOT / "fixtures" / "annex-a")
    # An error of a spreadsheet is none any more where a library writes it as a text; nothing asks for it.
    assert len(its) > 100 and told(folder) == its


def test_a_file_without_a_header_is_asked_about_and_no_cell_of_it_is_told(tmp_path: Path) -> None:
    rows = "".join(f"{n},Sampla Inventwood,1{n % 10}/01/2010,Quite Private\n" for n in range(1000, 1030))
    (tmp_path / "Children.csv").write_text(rows, encoding="utf-8")
    text = drafting.draft(tmp_path, "", TODAY).text
    assert "does row 1 hold the names of the columns?" in text
    assert "Inventwood" not in text and "1000" not in text and "Private" not in text and "2010" not in text


def test_words_of_a_column_of_names_are_never_told_as_codes(tmp_path: Path) -> None:
    rows = "".join(f"V{n},C{n % 7},{('Sampla Inventwood', 'Testa Nowhere')[n % 2]}\n" for n in range(60))
    (tmp_path / "Visits.csv").write_text(f"Visit No,Child Ref,Not Made Reason\n{rows}", encoding="utf-8")
    assert "Inventwood" not in drafting.draft(tmp_path, "", TODAY).text


def test_a_draft_is_written_to_a_new_file_only(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "Carers.csv").write_text("Carer Ref,Household Ref\nF1,H1\nF2,H1\n", encoding="utf-8")
    path = tmp_path / "mapping.yaml"
    first = cli("data", "map", tmp_path, "--for", "fostering", "--out", path)
    assert first.exit_code == 0 and "1 of 1 tables are known" in first.stderr
    assert "foster_parent_id: Carer Ref" in path.read_text("utf-8")
    again = cli("data", "map", tmp_path, "--out", path)
    assert again.exit_code == 2 and "is there already" in again.stderr


def test_a_check_ends_with_the_rules_that_can_run_and_lines_to_paste(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "staff.csv").write_text("staff_id,started_on,role\nS1,2020-01-31,mentor\n", encoding="utf-8")
    (tmp_path / "reference.csv").write_text("reference_id,staff_id,received_on,written\nR1,S1,,yes\n", encoding="utf-8")
    said = cli("data", "check", tmp_path).stdout
    assert re.search(r"\d+ of \d+ rules can run; 47 more are not asked of such an export\.", said)
    assert "Records that are not there" in said and "household (" in said
    assert re.search(r"(?m)^set:\n  \w+\.\w+: null", said)


def test_a_value_may_be_set_for_one_kind_alone(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    sources = "sources:\n  - {record: staff, file: a.csv, columns: {staff_id: No}}\n"
    sources += "  - {record: reference, file: b.csv, columns: {reference_id: No}}\n"
    path.write_text(f"set: {{reference.staff_id: null, recorded_on: null}}\n{sources}", encoding="utf-8")
    staff, reference = read_mapping(path, KINDS).sources
    assert (staff.set, reference.set) == ({"recorded_on": None}, {"recorded_on": None, "staff_id": None})


def test_a_template_for_a_service_has_what_that_service_has(cli: Callable[..., Result], tmp_path: Path) -> None:
    made = cli("data", "template", tmp_path / "f", "--for", "fostering").stdout.split()
    names = {Path(p).stem for p in made}
    assert {"household", "visit", "staff", "panel_decision"} <= names
    assert not {"budget_line", "adopter", "care_leaver", "contact"} & names
    page = (tmp_path / "f" / "README.txt").read_text("utf-8")
    assert "household.csv: A household that applies to foster" in page and "budget_line" not in page
    council = {Path(p).stem for p in cli("data", "template", tmp_path / "c", "--for", "council").stdout.split()}
    assert {"contact", "care_episode", "budget_line", "child"} <= council and "household" not in council


def test_a_template_that_is_to_be_one_workbook_is_one_file(cli: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "export.xlsx"
    assert cli("data", "template", path, "--format", "xlsx", "--for", "fostering").exit_code == 0
    assert path.is_file()
