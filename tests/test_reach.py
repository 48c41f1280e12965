"""An audit in which nothing, or next to nothing, could run does not look like a pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from conftest import ROOT, shipped_book

NOTHING_FITS = "child_id,allocated_team\nC1,north\n"
AS_AT = ("--as-at", "2021-09-20")


@pytest.fixture
def useless(tmp_path: Path) -> Path:
    """An export from which no rule can be answered."""
    (tmp_path / "care_leaver.csv").write_text(f"care_leaver_id,{NOTHING_FITS}".replace("C1", "L1,C1"), encoding="utf-8")
    return tmp_path


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("option", [(), ("--exit-zero",), ("--fail-on", "never"), ("--format", "json")])
def test_an_audit_in_which_no_rule_could_run_ends_with_2_whatever_is_asked(
    cli: Callable[..., Result], useless: Path, option: tuple[str, ...]
) -> None:
    result = cli("audit", useless, *AS_AT, *option)
    assert result.exit_code == 2
    said = words(result.stdout + result.stderr)
    asked = sum(not r.rule.only_with or "care_leaver" in r.rule.only_with for r in shipped_book().rules)
    assert f"None of the {asked:,} rules" in said and "compliance data check says what is lacking" in said


def test_a_report_and_a_forecast_of_nothing_end_with_2_and_are_written(
    cli: Callable[..., Result], useless: Path, tmp_path: Path
) -> None:
    out = tmp_path / "made" / "report.html"
    out.parent.mkdir()
    assert cli("report", useless, *AS_AT, "--out", out).exit_code == 2
    assert "could run: what the others ask is not answered here" in words(out.read_text("utf-8"))
    assert cli("forecast", useless, *AS_AT).exit_code == 2


def test_an_audit_of_a_small_part_says_so_before_it_counts_findings(cli: Callable[..., Result], tmp_path: Path) -> None:
    staff = "staff_id,started_on,role,left_on\nS1,2020-01-31,mentor,\n"
    (tmp_path / "staff.csv").write_text(staff, encoding="utf-8")
    (tmp_path / "supervision.csv").write_text(
        "supervision_id,staff_id,held_on,signed\nV1,S1,2020-02-28,yes\n", encoding="utf-8"
    )
    lines = words(cli("audit", tmp_path, *AS_AT).stdout)
    assert lines.index("Only 1 of 2") < lines.index(" findings: ")


def test_an_audit_of_most_rules_says_nothing_of_the_kind(kept: Callable[..., Result]) -> None:
    assert "is not answered here" not in words(kept("audit", ROOT / "fixtures" / "agency", *AS_AT).stdout)


def test_min_rules_ends_with_3_one_rule_short_and_not_at_the_number(
    cli: Callable[..., Result], kept: Callable[..., Result]
) -> None:
    rule = ("--rule", "staff-references-incomplete", "--exit-zero")
    assert cli("audit", "fixtures/agency", *AS_AT, *rule, "--min-rules", "1").exit_code == 0
    short = cli("audit", "fixtures/agency", *AS_AT, *rule, "--min-rules", "2")
    assert short.exit_code == 3
    assert "1 of 1 rules could run, and at least 2 were to (--min-rules)." in words(short.stderr)


@pytest.mark.parametrize("format_", ["sarif", "gitlab", "github"])
def test_an_audit_from_outside_warns_that_code_scanning_will_refuse_it(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    export = ROOT / "fixtures" / "agency"
    rule = ("--rule", "staff-references-incomplete", "--exit-zero")
    for folder, warned in ((tmp_path, True), (ROOT, False)):
        monkeypatch.chdir(folder)
        result = cli("audit", export, *AS_AT, *rule, "--also", f"{format_}={tmp_path / 'findings'}")
        assert ("code scanning refuses them" in words(result.stderr)) is warned, result.output
