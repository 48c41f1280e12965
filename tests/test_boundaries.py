"""The engine is held against the oracle: an error in either shows, and is printed as a case with both answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from conftest import shipped_book as book
from test_mutants import FEW_CASES, INDUCTION, rule

from compliance.engine.calendar import closed_days
from compliance.findings import words
from compliance.proving import boundaries
from compliance.proving.mutants import Judge
from compliance.proving.variants import Variant
from compliance.rules.checking import CheckedRule
from compliance.sql import duckdb as dialect

Cli = Callable[..., Result]


def one(id_: str) -> CheckedRule:
    return book().chosen((id_,))[0]


def worlds(id_: str, seed: str = "1") -> list[Variant]:
    parameters = {n: p for names in book().names.values() for n, p in names.parameters.items()}
    judge = Judge(book().kinds, parameters, frozenset(closed_days()))
    return list(boundaries.worlds(one(id_), judge, seed))


def differ(*ids: str) -> list[boundaries.Difference]:
    return list(boundaries.differences(book(), book().chosen(ids), frozenset(closed_days()), boundaries.Count()))


def test_worlds_are_the_same_every_time() -> None:
    first, again, other = worlds("induction-late"), worlds("induction-late"), worlds("induction-late", "2")
    assert [(v.name, v.root, v.as_at) for v in first] == [(v.name, v.root, v.as_at) for v in again]
    assert [v.name for v in first] != [v.name for v in other]


def test_worlds_lie_on_both_sides_of_everything() -> None:
    its = worlds("induction-late")
    days = {v.root.get("induction_started_on") for v in its if v.root.get("started_on") == "2021-03-01"}
    # Seven working days from 1 March 2021.
    due = date(2021, 3, 10)
    assert {str(due + timedelta(days=n)) for n in (-1, 0, 1)} <= days
    cells = [x for v in its for x in v.root.values()]
    assert "2020-02-29" in cells and "2021-02-28" in cells
    assert "?" in cells
    assert {date(2011, 3, 31), date(2011, 4, 1)} <= {v.as_at for v in its}
    assert any("started_on" not in v.root for v in its)


def test_worlds_have_linked_records_twice_and_fewer_and_unknown() -> None:
    its = [v.root.get("references") for v in worlds("staff-references-incomplete")]
    assert any(r and any(r.count(x) > 1 for x in r) for r in its)
    assert any(r == [] or r is None for r in its)
    assert any(r and {} in r for r in its)


def test_engine_and_oracle_agree_and_it_is_said_how_often_that_was_tried(cli: Cli) -> None:
    result = cli(
        "rules",
        "test",
        "--boundaries",
        "induction-late",
        "staff-references-incomplete",
        "foster-parent-dbs-renewal-overdue",
    )
    assert result.exit_code == 0, result.stdout
    n = int(result.stdout.split(" worlds")[0].replace(",", ""))
    assert n > 500
    assert result.stdout.endswith("engine and oracle differ in 0.\n")


@pytest.mark.parametrize(
    ("operation", "wrong", "id_"),
    [
        ("le", "{0} < {1}", "induction-late"),
        ("add_months", "{0} + 30 * CAST({1} AS INTEGER)", "certificate-copy-kept-too-long"),
        ("ge", "{0} > {1}", "staff-references-incomplete"),
        ("is_null", "FALSE", "foster-parent-dbs-renewal-overdue"),
    ],
)
def test_a_planted_error_of_the_engine_is_found(
    monkeypatch: pytest.MonkeyPatch, operation: str, wrong: str, id_: str
) -> None:
    assert differ(id_) == []
    monkeypatch.setitem(dialect.TEMPLATES, operation, wrong)
    assert differ(id_)


def test_a_finding_that_does_not_say_what_is_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "missing", lambda argument, values: ())
    found = differ("staff-references-incomplete")
    assert found
    assert all(d.engine.outcome == d.oracle.outcome and d.oracle.missing and not d.engine.missing for d in found)


def test_a_difference_is_printed_as_a_case_with_both_answers(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = rule(tmp_path, "induction-late-here", "staff", INDUCTION, FEW_CASES)
    monkeypatch.setitem(dialect.TEMPLATES, "le", "{0} < {1}")
    result = cli("rules", "test", "--rules", tmp_path, "--boundaries")
    assert result.exit_code == 1
    told = result.stdout.split("\n\n")[0]
    assert told.startswith("induction-late-here\n  engine: ")
    assert "\n  oracle: " in told
    # The case is one, and gives what the oracle gives once the engine is right again.
    path.write_text(path.read_text(encoding="utf-8") + told[told.index("  - name:") :] + "\n", encoding="utf-8")
    assert cli("rules", "test", "--rules", tmp_path).exit_code == 1
    monkeypatch.undo()
    assert cli("rules", "test", "--rules", tmp_path).exit_code == 0
