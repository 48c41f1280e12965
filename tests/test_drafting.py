"""`compliance data map`: what a draft of a mapping finds, asks, and never tells; and the lines that would let more rules run."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import odd_export
import pytest
from click.testing import Result
from conftest import ROOT

from compliance.files.documents import load_yaml
from compliance.jobs import drafting, planning
from compliance.jobs.asked import Export
from compliance.jobs.drafting import Draft
from compliance.jobs.opening import loaded
from compliance.jobs.runnable import Runnable, runnable
from compliance.records.mapping import Mapping, plain
from compliance.records.mappingfile import read_mapping

TODAY = date(2021, 9, 20)
KINDS = planning.record_kinds()
Lines = dict[tuple[str, str, str], str]


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
def test_layouts_of_others_are_drafted_and_their_own_mapping_is_named(name: str, tmp_path: Path) -> None:
    for path in (ROOT / "fixtures" / name).iterdir():
        if path.suffix in (".csv", ".xlsx"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    draft = drafting.draft(tmp_path, "", TODAY)
    meant = {
        (plain(str(s.get("sheet") or s["file"]).removesuffix(".csv")), s["record"], f): {plain(n) for n in names}
        for s in _sources(ROOT / "schemas" / "mappings" / f"{name}.yaml")
        for f, names in _columns(s).items()
    }
    drafted = {
        (plain((sheet or file).removesuffix(".csv")), g.kind.name, d.field.name): plain(d.column.name)
        for g in draft.guesses
        if g.kind is not None
        for file, sheet in g.place.places
        for d in g.columns
    }
    assert {k: c for k, c in drafted.items() if c not in meant.get(k, ())} == {}
    there = {k for k, names in meant.items() if names and any(k[0] == d[0] for d in drafted)}
    assert len(drafted) >= 0.9 * len(there)
    assert f"try --mapping {name}:" in draft.text


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
    assert re.search(r"\d+ of \d+ rules can run; 29 more are not asked of such an export\.", said)
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
