"""A pack that is asked only of exports with records of its own stays out of the way of all others, and says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Cli = Callable[..., Result]

PACK = "pack: extra\ntitle: Extra\ncases_as_at: 2021-09-20\nonly_with: [monitoring, complaint]\n"
RULE = """
id: answer-missing
title: No answer
cites: [FSR-18-4]
record: complaint
require: {it was acknowledged: acknowledged_on is not None}
severity: requirement
put_right: {within: 28 days, by: registered manager, workstream: complaints}
remedy: Do it.
"""
COMPLAINTS = "complaint_id,acknowledged_on\nC1,\n"
STAFF = "staff_id\nS1\n"


@pytest.fixture
def audited(cli: Cli, tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Exit code, and what became of the one rule."""

    def run(files: dict[str, str], pack: str = PACK) -> tuple[int, dict[str, Any]]:
        folder, data = tmp_path / "rules" / "extra", tmp_path / "data"
        folder.mkdir(parents=True, exist_ok=True)
        data.mkdir()
        (folder / "pack.yaml").write_text(pack, encoding="utf-8")
        (folder / "answer-missing.yaml").write_text(RULE, encoding="utf-8")
        for name, text in files.items():
            (data / name).write_text(text, encoding="utf-8")
        args = ("--as-at", "2021-09-20", "--rules", tmp_path / "rules", "--format", "json", "--require-complete")
        result = cli("audit", data, *args)
        return result.exit_code, json.loads(result.stdout)["rules"][0]

    return run


def test_an_export_with_none_of_its_records_is_not_asked(
    audited: Callable[..., tuple[int, dict[str, Any]]],
) -> None:
    code, rule = audited({"staff.csv": STAFF})
    assert (code, rule["status"], rule["ran"]) == (2, "switched off", False)
    assert rule["why_not"] == "extra is asked only where there are records of its own, such as monitoring"


def test_a_template_file_that_nobody_filled_in_holds_no_record(
    audited: Callable[..., tuple[int, dict[str, Any]]],
) -> None:
    code, rule = audited({"staff.csv": STAFF, "complaint.csv": COMPLAINTS.splitlines()[0]})
    assert (code, rule["status"]) == (2, "switched off")


def test_one_of_its_records_is_enough(audited: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    code, rule = audited({"staff.csv": STAFF, "complaint.csv": COMPLAINTS})
    assert (code, rule["status"], rule["outcomes"]["breach"]) == (1, "ran", 1)


def test_what_the_rule_lacks_is_told_once_the_pack_is_asked(
    audited: Callable[..., tuple[int, dict[str, Any]]],
) -> None:
    code, rule = audited({"monitoring.csv": "monitoring_id\nM1\n"})
    assert (code, rule["status"], rule["why_not"]) == (2, "could not run", "the export has no complaint records")


def test_records_that_the_mapping_expects_and_the_export_lacks_are_a_fault(
    audited: Callable[..., tuple[int, dict[str, Any]]],
) -> None:
    mapping = (
        "sources:\n"
        "  - {record: staff, file: staff.csv, columns: {staff_id: staff_id}}\n"
        "  - {record: complaint, file: gone.csv, columns: {complaint_id: complaint_id}}\n"
    )
    code, rule = audited({"staff.csv": STAFF, "mapping.yaml": mapping})
    assert (code, rule["status"]) == (2, "could not run")


def test_a_pack_without_it_is_always_asked(audited: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    code, rule = audited({"staff.csv": STAFF}, PACK.partition("only_with")[0])
    assert (code, rule["status"]) == (2, "could not run")


def test_a_record_kind_that_is_not_there_names_the_nearest(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "rules" / "extra"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text(PACK.replace("complaint]", "complant]"), encoding="utf-8")
    (folder / "answer-missing.yaml").write_text(RULE, encoding="utf-8")
    result = cli("rules", "list", "--rules", tmp_path / "rules")
    assert result.exit_code == 2
    assert "there is no record kind 'complant'; did you mean 'complaint'?" in result.stderr
    assert "pack.yaml:4" in result.stderr.replace("\n", "")
