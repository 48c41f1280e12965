"""What a mapping can say of odd exports: what is stripped, serial dates, keys made of fields, mappings based on others."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from conftest import ROOT
from test_reading import KINDS, export, load, says

from compliance.files.documents import load_yaml
from compliance.jobs import opening, planning
from compliance.jobs.asked import Export
from compliance.model import Quarantined
from compliance.records import mappingfile
from compliance.records.kinds import RECORDED
from compliance.records.mapping import plain

MAPPINGS = ROOT / "schemas" / "mappings"
Rows = list[tuple[object, ...]]


def contacts(tmp_path: Path, content: str, columns: str, more: str = "") -> tuple[list[Quarantined], Rows]:
    """The contacts in a CSV file."""
    folder = export(tmp_path, content.encode(), "x.csv")
    path = folder / "mapping.yaml"
    key = "contact_id: {fields: [child_id, contacted_on]}, child_id: ID, contacted_on: Day"
    path.write_text(f"{more}sources:\n  - record: contact\n    file: x.csv\n    columns: {{{key}{columns}}}\n", "utf-8")
    _, quarantined, rows = load(folder, planning.mapping(path, KINDS, use_cache=False))
    return quarantined, rows["contact"]


CODED = ", source: {column: Who, codes: {'6': police, 5D: early help, '10': null}}"


@pytest.mark.parametrize("cell", ["q) 6: Police", "6: Police", "q) 6", "6", "Q) Police", "police", " q) 6 : Police "])
def test_a_code_is_the_same_with_and_without_letter_and_label(tmp_path: Path, cell: str) -> None:
    quarantined, rows = contacts(
        tmp_path, f"ID,Day,Who\nC1,2021-09-01,{cell}\n", CODED, "strip: ['^[a-z][0-9]?\\) ?', ':.*$']\n"
    )
    assert quarantined == []
    assert rows == [(2, "C1 2021-09-01", "C1", date(2021, 9, 1), "police")]


def test_what_is_stripped_of_codes_stays_in_text(tmp_path: Path) -> None:
    _, rows = contacts(tmp_path, "ID,Day,Eth\nC1,2021-09-01,a) x: y\n", ", ethnicity: Eth", "strip: ['^[a-z]\\) ?']\n")
    assert rows[0][-2:] == ("a) x: y", date(2021, 9, 1))


def test_a_column_may_be_stripped_in_its_own_way_or_not_at_all(tmp_path: Path) -> None:
    own = ", ethnicity: {column: Eth, strip: ['^[a-z]\\) ?']}, source: {column: Who, strip: []}"
    text = "ID,Day,Eth,Who\nC1,2021-09-01,a) WBRI,a) Police\n"
    quarantined, rows = contacts(tmp_path, text, own, "strip: ['^[a-z]\\) ?']\n")
    assert [(q.field, q.value) for q in quarantined] == [("source", "a) Police")]
    assert "WBRI" in rows[0]


def test_a_cell_of_which_nothing_is_left_is_empty(tmp_path: Path) -> None:
    quarantined, rows = contacts(tmp_path, "ID,Day,Who\nC1,2021-09-01,a) \n", CODED, "strip: ['^[a-z]\\)']\n")
    assert quarantined == [] and rows[0][-1] is None


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("44440", date(2021, 9, 1)),
        ("44440.75", date(2021, 9, 1)),
        ("01/09/2021", date(2021, 9, 1)),
        ("36585", date(2000, 2, 29)),
        ("04444", None),
        ("444400", None),
        ("44440.x", None),
    ],
)
def test_serial_dates_stand_beside_written_ones(tmp_path: Path, cell: str, day: date | None) -> None:
    quarantined, rows = contacts(tmp_path, f"ID,Day\nC1,{cell}\n", "", "dates: [DD/MM/YYYY, serial]\n")
    assert rows[0][-1] == day
    assert [q.reason for q in quarantined] == (
        [] if day else ["is not a date written DD/MM/YYYY or as a serial number"]
    )


def test_serial_dates_are_not_read_where_the_mapping_does_not_say_so(tmp_path: Path) -> None:
    quarantined, _ = contacts(tmp_path, "ID,Day\nC1,44440\n", "", "dates: [DD/MM/YYYY]\n")
    assert len(quarantined) == 1


def test_a_key_of_fields_is_the_same_however_its_date_is_written(tmp_path: Path) -> None:
    more = "dates: [DD/MM/YYYY, serial]\n"
    _, rows = contacts(tmp_path, "ID,Day\nC1,44440\nC2,01/09/2021\nC3,\n,44440\n", "", more)
    assert [r[1] for r in rows] == ["C1 2021-09-01", "C2 2021-09-01", "C3", "row-5"]


def test_numbers_of_a_spreadsheet_have_all_their_decimals(tmp_path: Path) -> None:
    quarantined, rows = contacts(tmp_path, "ID,Day,Age\nC1,2021-09-01,12.416666666666666\n", ", age: Age")
    assert quarantined == [] and rows[0][-2] == Decimal("12.4167")


def test_a_kind_whose_key_lacks_a_column_says_which(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = export(tmp_path, b"ID\nC1\n", "x.csv")
    (folder / "mapping.yaml").write_text(
        "sources:\n  - record: contact\n    file: x.csv\n"
        "    columns: {contact_id: {fields: [child_id, contacted_on]}, child_id: ID, contacted_on: Day}\n",
        encoding="utf-8",
    )
    assert "x.csv has no column for contacted_on, which names a contact record" in cli("data", "check", folder).stderr


def papers(tmp_path: Path, agreements: str, mapping: str = "") -> Path:
    """A household of one foster parent, with an agreement."""
    for name, rows in (
        ("household", "household_id,approved_on,approval_ended_on,resignation_received_on\nH1,2019-05-01,,\n"),
        ("foster_parent", "foster_parent_id,household_id,joined_on,left_on\nF1,H1,,\n"),
        ("agreement", agreements),
    ):
        (tmp_path / f"{name}.csv").write_text(rows, encoding="utf-8")
    if mapping:
        (tmp_path / "mapping.yaml").write_text(mapping, encoding="utf-8")
    return tmp_path


def test_an_export_without_a_column_for_whom_a_paper_is_about_says_that_it_is_about_the_household(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    folder = papers(tmp_path, "agreement_id,household_id,signed_on\nA1,H1,2019-05-02\n")
    asked = ("audit", folder, "--as-at", "2021-09-20", "--rule", "foster-care-agreement-missing", "--format", "json")
    [rule] = json.loads(cli(*asked).stdout)["rules"]
    assert (rule["status"], rule["outcomes"]["compliant"]) == ("ran", 1)


def test_a_column_that_the_mapping_names_and_the_export_lacks_is_not_taken_for_empty(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    mapping = "dates: [YYYY-MM-DD]\nsources:\n" + "".join(
        f"  - record: {kind}\n    file: {kind}.csv\n    columns: {{{', '.join(f'{f}: {f}' for f in fields.split())}}}\n"
        for kind, fields in (
            ("household", "household_id approved_on approval_ended_on resignation_received_on"),
            ("foster_parent", "foster_parent_id household_id joined_on left_on"),
            ("agreement", "agreement_id household_id signed_on foster_parent_id"),
        )
    )
    folder = papers(tmp_path, "agreement_id,household_id,signed_on\nA1,H1,2019-05-02\n", mapping)
    asked = ("audit", folder, "--as-at", "2021-09-20", "--rule", "foster-care-agreement-missing", "--format", "json")
    result = cli(*asked)
    assert result.exit_code == 2 and "agreement.foster_parent_id" in result.stdout + result.stderr


# --- mappings that came with the program -----------------------------------------------------------------------------


def test_a_mapping_based_on_another_says_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(
        "based_on: annex-a\nset: {snapshot_on: 2021-09-20}\nunused: [Extra]\nsources:\n"
        "  - record: contact\n    sheet: Contacts\n    columns: {contacted_on: Contact Day}\n    set: {source: other}\n",
        encoding="utf-8",
    )
    made = planning.mapping(path, KINDS, use_cache=False)
    base = planning.mapping(Path("annex-a:snapshot_on=2021-09-20"), KINDS, use_cache=False)
    assert made is not None and base is not None
    mine, its = made.sources[0], next(s for s in base.sources if s.record == "contact")
    assert (mine.sheets, its.sheets) == (("Contacts",), ("List 1",))
    assert mine.columns["contacted_on"].names == ("Contact Day",)
    assert mine.columns["child_id"] == its.columns["child_id"]
    assert mine.set == {"snapshot_on": "2021-09-20", "source": "other"} and "source" not in mine.columns
    assert {s.record for s in made.sources} == {s.record for s in base.sources}
    assert made.dates == base.dates and made.unused == (*base.unused, "Extra")


def test_a_name_alone_keeps_what_the_base_says_of_the_cells(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(
        "based_on: annex-a\nset: {snapshot_on: 2021-09-20}\nsources:\n  - record: child_in_care\n    columns:\n"
        "      legal_status: Legal Status\n      placement_type: {column: Placement}\n      child_id: Person\n",
        encoding="utf-8",
    )
    made = planning.mapping(path, KINDS, use_cache=False)
    assert made is not None
    its = next(s for s in made.sources if s.record == "child_in_care").columns
    legal, placement = its["legal_status"], its["placement_type"]
    assert legal.names == ("Legal Status",) and legal.codes is not None and legal.codes["c2"] == "care order"
    assert (placement.names, placement.codes, its["child_id"].names) == (("Placement",), None, ("Person",))


@pytest.mark.parametrize(
    ("rows", "services"), [("", "local authority service"), ("A1,independent fostering agency\n", "")]
)
def test_whose_export_it_is_the_mapping_says_where_no_record_does(tmp_path: Path, rows: str, services: str) -> None:
    (tmp_path / "child.csv").write_text("child_id\nC1\n", encoding="utf-8")
    (tmp_path / "agency.csv").write_text(f"agency_id,kind\n{rows}", encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(
        "service: local authority service\nsources:\n  - {record: child, file: child.csv, columns: {child_id: child_id}}\n"
        "  - {record: agency, file: agency.csv, columns: {agency_id: agency_id, kind: kind}}\n",
        encoding="utf-8",
    )
    with opening.loaded(Export(tmp_path, tmp_path / "mapping.yaml")) as read:
        assert read.tables.services == {services or "independent fostering agency"}


def test_what_a_mapping_asks_for_must_be_set(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = export(tmp_path, b"x\n", "x.csv")
    told = cli("data", "check", folder, "--mapping", "annex-a")
    says(told, "'snapshot_on' is not set: the day on which the lists were drawn", "annex-a.yaml")
    told = cli("data", "check", folder, "--mapping", "annex-a:snapshot_on=yesterday")
    says(told, "'yesterday' is not what 'snapshot_on' holds (date)")
    told = cli("data", "check", folder, "--mapping", "annex-a:snapshoton=2021-09-20")
    says(told, "no record kind of this mapping has a field 'snapshoton'; did you mean 'snapshot_on'?", "is not set")


def test_an_unknown_name_tells_the_nearest(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = export(tmp_path, b"x\n", "x.csv")
    says(cli("data", "check", folder, "--mapping", "anexa"), "There is no mapping 'anexa'; did you mean 'annex-a'?")
    (folder / "mapping.yaml").write_text("based_on: ssda93\n", encoding="utf-8")
    says(cli("data", "check", folder), "no mapping 'ssda93' to be based on; did you mean 'ssda903'?", "mapping.yaml:1")


def test_a_folder_of_the_same_name_does_not_hide_a_mapping(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ssda903").mkdir()
    (tmp_path / "ssda903" / "Header.csv").write_text("CHILD\nC1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert cli("data", "check", "ssda903", "--mapping", "ssda903:year_ended_on=2021-03-31").exit_code == 0


def test_what_is_set_is_part_of_what_is_kept(tmp_path: Path) -> None:
    days = ("2021-09-20", "2021-09-21", "2021-09-20")
    made = [planning.mapping(Path(f"annex-a:snapshot_on={day}"), KINDS) for day in days]
    assert [m.sources[0].set["snapshot_on"] for m in made if m is not None] == list(days)
    assert made[0] == planning.mapping(Path(f"annex-a:snapshot_on={days[0]}"), KINDS, use_cache=False)


def test_every_mistake_in_what_is_new_is_told(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = export(tmp_path, b"ID\n", "x.csv")
    (folder / "mapping.yaml").write_text(
        "strip: ['(']\nset: {nonesuch: x}\nsources:\n  - record: contact\n    file: x.csv\n    columns:\n"
        "      contact_id: {fields: [child_id, contacted_on]}\n      child_id: {column: ID, fields: [contact_id]}\n"
        "      source: {column: S, strip: ['(?=a)b']}\n",
        encoding="utf-8",
    )
    says(
        cli("data", "check", folder),
        "'(' is no regular expression",
        "no record kind of this mapping has a field 'nonesuch'",
        "'contacted_on' has no column here to be joined",
        "give one of column, template and fields",
        "'(?=a)b' looks ahead, looks behind or refers back",
    )
    (folder / "mapping.yaml").write_text("title: nothing\n", encoding="utf-8")
    says(cli("data", "check", folder), "a mapping without sources reads nothing")


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_mappings_shipped_fill_every_field_of_their_record_kinds(path: Path) -> None:
    document = load_yaml(path)
    assert isinstance(document, dict)
    made = mappingfile.read_mapping(path, KINDS, given=dict.fromkeys(document["ask"], "2021-03-31"))
    assert len({s.record for s in made.sources}) == len(made.sources) >= 11
    # Every field that a kind declares has a column or a value, but for those of which other systems have more than this export.
    shared = {"child", "child_review", "missing_episode"}
    for source in made.sources:
        declared = {f.name for f in KINDS[source.record].fields.values() if f != RECORDED}
        lacking = declared - source.columns.keys() - source.set.keys()
        assert source.record in shared or lacking == set()
        # Synonyms that are compared as equal would be one too many.
        for column in source.columns.values():
            assert len({plain(n) for n in column.names}) == len(column.names)
