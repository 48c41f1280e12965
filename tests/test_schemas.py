"""What editors and other programs read of us: schemas in step with the models, SQL that its dialect parses, templates."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import python_calamine
import sqlglot
from click.testing import Result
from conftest import ROOT, shipped_book

from compliance.errors import RulesError
from compliance.files.documents import load_yaml
from compliance.jobs import planning, schemas
from compliance.jobs.statements import statements
from compliance.records.kinds import read_kinds

SCHEMAS, RULES = ROOT / "schemas", ROOT / "rules"


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return found


def test_generated_schemas_are_those_of_this_version() -> None:
    assert list(schemas.stale(SCHEMAS)) == []


def test_a_stale_schema_is_told_and_written_anew(cli: Callable[..., Result], tmp_path: Path) -> None:
    for path in SCHEMAS.rglob("*.json"):
        target = tmp_path / path.relative_to(SCHEMAS)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    (tmp_path / "rule.schema.json").write_text("{}", encoding="utf-8")
    told = cli("schemas", "check", tmp_path)
    assert (told.exit_code, told.stdout.count("is out of date")) == (1, 1)
    assert cli("schemas", "write", tmp_path).exit_code == 0
    assert cli("schemas", "check", tmp_path).exit_code == 0


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.schema.json")), ids=lambda p: p.name)
def test_schemas_are_of_a_draft_that_editors_read(path: Path) -> None:
    found = schema(path.name)
    assert found["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "$defs" not in json.dumps(found)
    jsonschema.Draft7Validator.check_schema(found)


def test_record_kinds_and_catalogues_fit_their_schemas() -> None:
    assert list(schemas.unfit(SCHEMAS, RULES)) == []


def test_a_record_kind_that_does_not_fit_is_told_with_its_place(tmp_path: Path) -> None:
    kind = json.loads((SCHEMAS / "records" / "staff.json").read_text(encoding="utf-8"))
    kind["properties"]["name"]["personal"] = "yes"
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "staff.json").write_text(json.dumps(kind), encoding="utf-8")
    for name in ("record-kind.schema.json", "instrument.schema.json"):
        (tmp_path / name).write_bytes((SCHEMAS / name).read_bytes())
    said = list(schemas.unfit(tmp_path, RULES))
    assert len(said) == 1
    assert "staff.json: properties.name" in said[0]


def a_folder_of_kinds(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The record kind `training` alone, changed, with what it links to."""
    (folder / "records").mkdir()
    for name in ("training", "staff", "foster_parent", "household", "agency"):
        kind = json.loads((SCHEMAS / "records" / f"{name}.json").read_text(encoding="utf-8"))
        if name == "training":
            change(kind["properties"])
        (folder / "records" / f"{name}.json").write_text(json.dumps(kind), encoding="utf-8")
    for name in ("record-kind.schema.json", "instrument.schema.json"):
        (folder / name).write_bytes((SCHEMAS / name).read_bytes())
    return folder


def test_two_fields_of_a_kind_cannot_have_one_title(tmp_path: Path) -> None:
    folder = a_folder_of_kinds(tmp_path, lambda fields: fields["expires_on"].update(title=fields["course"]["title"]))
    with pytest.raises(RulesError) as told:
        read_kinds(folder / "records")
    (problem,) = told.value.problems
    assert "training.json: 'course' is the title of two fields, course and expires_on" in str(problem)


def test_a_field_without_a_title_is_told_by_the_schema_and_by_the_reader(tmp_path: Path) -> None:
    folder = a_folder_of_kinds(tmp_path, lambda fields: fields["course"].pop("title"))
    (told,) = schemas.unfit(folder, RULES)
    assert "training.json: properties.course: 'title' is a required property" in told
    with pytest.raises(RulesError, match=r"training\.json: this is no record schema: KeyError 'title'"):
        read_kinds(folder / "records")


@pytest.mark.parametrize(
    "title",
    ["Course", "completed_on", "course (its name)", "course: its name", "course.", "course ", "<course>", "c" * 65],
)
@pytest.mark.parametrize("keyword", ["title", "x-empty"])
def test_words_for_a_field_are_a_phrase_that_fits_into_a_sentence(tmp_path: Path, keyword: str, title: str) -> None:
    folder = a_folder_of_kinds(tmp_path, lambda fields: fields["course"].update({keyword: title}))
    (told,) = schemas.unfit(folder, RULES)
    assert f"properties.course.{keyword}: " in told


@pytest.mark.parametrize(
    "title", ["course", "DBS certificate", "Ofsted's own procedure", "Schedule 3 information held"]
)
def test_words_for_a_field_keep_the_capitals_of_names(tmp_path: Path, title: str) -> None:
    assert list(schemas.unfit(a_folder_of_kinds(tmp_path, lambda f: f["course"].update(title=title)), RULES)) == []


def _files() -> list[tuple[str, Path]]:
    rules = [p for p in sorted(RULES.glob("*/*.yaml")) if p.parent.name != "instruments"]
    found = [("pack.schema.json" if p.name == "pack.yaml" else "rule.schema.json", p) for p in rules]
    found += [(f"{n}.schema.json", RULES / "instruments" / f"{n}.yaml") for n in ("reading", "grouping")]
    mappings = [*sorted((ROOT / "fixtures").glob("*/mapping.yaml")), *sorted((SCHEMAS / "mappings").glob("*.yaml"))]
    found += [("plan.schema.json", p) for p in sorted((ROOT / "fixtures" / "plans").glob("*.yaml"))]
    return [*found, *(("mapping.schema.json", p) for p in mappings)]


@pytest.mark.parametrize(("name", "path"), _files(), ids=lambda v: v.name if isinstance(v, Path) else "")
def test_every_file_fits_the_schema_that_its_editor_reads(name: str, path: Path) -> None:
    validator = jsonschema.Draft7Validator(schema(name))
    assert [e.message for e in validator.iter_errors(load_yaml(path))] == []
    first = path.read_text(encoding="utf-8").splitlines()[0]
    modeline = "# yaml-language-server: $schema="
    assert first.startswith(modeline)
    assert (path.parent / first.removeprefix(modeline)).resolve() == SCHEMAS / name


@cache
def parses(statement: str) -> bool:
    """Many rules share statements; each is parsed once."""
    parsed = sqlglot.parse(statement, dialect="duckdb")
    return len(parsed) == 1 and parsed[0] is not None and not list(parsed[0].find_all(sqlglot.exp.Command))


@pytest.mark.xdist_group("statements")
@pytest.mark.parametrize("rule", [r.rule.id for r in shipped_book().rules])
def test_every_statement_parses_in_its_dialect(rule: str) -> None:
    book = shipped_book()
    for statement in statements(book, book.chosen((rule,))[0]):
        assert parses(statement), statement


# --- the data model -------------------------------------------------------------------------------------------------


def test_the_dictionary_says_key_links_personal_units_and_meaning(cli: Callable[..., Result]) -> None:
    told = json.loads(cli("data", "dictionary", "--format", "json").stdout)
    assert len(json.dumps(told)) > 20_000
    staff = cli("data", "dictionary", "staff").stdout
    for word in ("Key: staff_id", "Personal", "manager_id", "started_on"):
        assert word in staff
    assert 'Findings say "first day".' in " ".join(staff.split())
    assert 'Findings say "last day"; where it is empty, "still here".' in " ".join(staff.split())
    fields = told["staff"]["fields"]
    assert (fields["left_on"]["title"], fields["left_on"]["empty"]) == ("last day", "still here")
    assert (fields["started_on"]["title"], fields["started_on"]["empty"]) == ("first day", None)
    assert all(f.description and f.title for k in planning.record_kinds().kinds.values() for f in k.fields.values())


def test_words_for_an_empty_field_are_only_where_its_description_says_what_empty_means() -> None:
    fields = [f for k in planning.record_kinds().kinds.values() for f in k.fields.values()]
    assert [f.name for f in fields if f.empty and "Empty: " not in f.description] == []
    assert sum(bool(f.empty) for f in fields) > 50


def test_a_kind_that_is_not_there_names_the_nearest(cli: Callable[..., Result]) -> None:
    told = cli("data", "dictionary", "staf")
    assert told.exit_code == 2
    assert "did you mean 'staff'?" in told.stderr


def test_templates_have_every_kind_and_field(cli: Callable[..., Result], tmp_path: Path) -> None:
    kinds = planning.record_kinds()
    assert cli("data", "template", tmp_path / "csv").exit_code == 0
    for name, kind in kinds.kinds.items():
        with (tmp_path / "csv" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            assert list(csv.reader(file)) == [list(kind.fields)]
    assert cli("data", "template", tmp_path / "xlsx", "--format", "xlsx").exit_code == 0
    (path,) = (tmp_path / "xlsx").iterdir()
    book = python_calamine.CalamineWorkbook.from_path(path)
    assert {n for n in book.sheet_names if n in kinds.kinds} == set(kinds.kinds)
    assert book.get_sheet_by_name("staff").to_python()[0] == list(kinds["staff"].fields)


def test_an_empty_template_is_an_export_that_can_be_audited(cli: Callable[..., Result], tmp_path: Path) -> None:
    for format_ in ("csv", "xlsx"):
        cli("data", "template", tmp_path / format_, "--format", format_)
        told = json.loads(cli("audit", tmp_path / format_, "--as-at", "2021-09-20", "--format", "json").stdout)
        assert told["findings"] == []
        # A pack that is asked only of exports with records of its own is asked of no empty one.
        of_their_own = {"governance", "annex-a", "ssda903"}
        assert {r["pack"] for r in told["rules"] if r["status"] == "switched off"} == of_their_own
        asked = {r["status"] for r in told["rules"] if r["pack"] not in of_their_own}
        assert asked <= {"looked at nothing", "not in force"}


def test_a_template_never_writes_over_what_is_there(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text("staff_id\nS1\n", encoding="utf-8")
    told = cli("data", "template", tmp_path)
    assert told.exit_code == 2
    assert (tmp_path / "staff.csv").read_text(encoding="utf-8") == "staff_id\nS1\n"
