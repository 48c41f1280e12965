"""How old the law is that the rules ask, and how sure it is, stands in what people read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from conftest import ROOT, shipped_book

from compliance.findings.law import looked_at
from compliance.model import Instrument

CLEAN = ROOT / "fixtures" / "clean"
ONE, OTHER = Instrument("Act A", date(2026, 11, 29)), Instrument("Regulations B", date(2026, 10, 1))
UNKNOWN = Instrument("Policy C")


@pytest.mark.parametrize(
    ("law", "as_at", "told"),
    [
        ((ONE,), date(2026, 11, 29), ("The law was last looked at on 29 November 2026.",)),
        (
            (ONE, UNKNOWN),
            date(2026, 11, 30),
            (
                "The law was last looked at on 29 November 2026, before the day that is asked about: what has changed since is not asked.",
            ),
        ),
        (
            (ONE, OTHER),
            date(2021, 9, 20),
            ("The law was last looked at on 1 October 2026 (Regulations B) and on 29 November 2026 (Act A).",),
        ),
        ((UNKNOWN,), date(2021, 9, 20), ()),
    ],
)
def test_the_day_is_told_and_whether_it_lies_before_the_day_asked_about(
    law: tuple[Instrument, ...], as_at: date, told: tuple[str, ...]
) -> None:
    assert looked_at(law, as_at) == told


@pytest.mark.parametrize("format_", ["table", "markdown", "json", "html", "sarif"])
def test_every_report_says_when_the_law_was_looked_at(cli: Callable[..., Result], tmp_path: Path, format_: str) -> None:
    out = tmp_path / "report"
    asked = ("audit", CLEAN, "--as-at", "2021-09-20", "--rule", "child-visit-overdue", "--format", format_)
    assert cli(*asked, "--out", out).exit_code == 0
    assert "The law was last looked at on 29 November 2026" in out.read_text(encoding="utf-8")


def test_every_instrument_of_the_law_says_when_it_was_looked_at() -> None:
    book = shipped_book()
    of_law = {d.instrument for d in book.duties.values() if d.layer in ("statute", "standard")}
    assert [name for name in sorted(of_law - {"council"}) if book.instruments[name].looked_at_on is None] == []


def test_a_finding_says_of_a_duty_that_was_not_read_how_it_is_known(kept: Callable[..., Result]) -> None:
    asked = ("audit", ROOT / "fixtures" / "agency", "--as-at", "2021-09-20", "--format", "json")
    findings = json.loads(kept(*asked).stdout)["findings"]
    book = shipped_book()
    told = {
        d for f in findings for d in f["cites"][:1] if book.duties[d].hedge and book.duties[d].hedge in f["argument"]
    }
    assert len(told) > 5
    sure = [f for f in findings if not any(book.duties[d].hedge for d in f["cites"])]
    assert [
        f["rule"] for f in sure if "secondary source" in f["argument"] or "medium confidence" in f["argument"]
    ] == []
