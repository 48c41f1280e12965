"""What a manager reads first: at most ten sentences, who it is about, what to do, who does it and by when."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from test_own_rules import AS_AT, RULE, export, own, write

from compliance.jobs.asked import Asked, Export
from compliance.jobs.audit import audit
from compliance.model import Finding
from compliance.report import today
from compliance.report.causes import Causes

Cli = Callable[..., Result]
AGENCY = ROOT / "fixtures" / "agency"
INSPECTED = ROOT / "fixtures" / "inspection-2021" / "2021-09-20"
DAY = date(2021, 9, 20)
__all__ = ["export", "own"]


def told_today(text: str) -> str:
    return re.sub(r"\s+", " ", text[text.index("\nToday\n") : text.index("\nWhat became of every rule")])


def test_the_terminal_begins_with_ten_sentences_danger_first(kept: Cli) -> None:
    said = told_today(kept("audit", AGENCY, "--as-at", "2021-09-20").stdout)
    assert re.findall(r"(Danger now|Still open|Late but done, or past) 1\. ", said) == [
        "Danger now",
        "Still open",
        "Late but done, or past",
    ]
    assert len(re.findall(r" \d{1,2}\. [A-Z]", said)) == 10
    assert (
        "A person on the children's barred list works with children: staff S0019. Take the person out of work with children"
        " today, and tell the designated officer and the barring service. Registered manager, by 21 September 2021."
    ) in said
    assert re.search(r"\d+ more causes\.", said)


def test_what_nobody_has_recorded_at_all_is_one_sentence_and_not_a_thousand_findings(kept: Cli) -> None:
    said = kept("audit", INSPECTED, "--as-at", "2021-09-20").stdout
    assert "There is no register entry on record at all: 424 foster parent records" in told_today(said)
    assert re.search(r"requirements under 10 regulations", said)


def test_what_is_lacking_only_for_some_is_not_told_as_lacking_altogether(kept: Cli) -> None:
    assert "on record at all" not in told_today(kept("audit", AGENCY, "--as-at", "2021-09-20").stdout)


@given(st.lists(st.integers(0, 300), min_size=3, max_size=3))
def test_the_heaps_share_ten_sentences_and_none_is_silent(sizes: list[int]) -> None:
    told = today._shares(sizes)
    assert sum(told) == min(sum(sizes), today.SENTENCES)
    assert all((n > 0) == (size > 0) and n <= size for n, size in zip(told, sizes, strict=True))
    danger = told[0]
    assert danger == sizes[0] or danger == today.SENTENCES - sum(size > 0 for size in sizes[1:])


def test_a_standards_finding_is_folded_only_where_the_regulations_stands_for_the_same_event_and_body() -> None:
    with audit(Asked(Export(AGENCY), DAY)) as report:
        causes, findings = Causes.of(report), list(report.findings())
        for f in findings:
            causes.add(f)
        counted = sum(c.n for its in causes.heaps().values() for c in its)

    def repeats(f: Finding) -> bool:
        return any(o.rule.id in f.rule.repeats and (o.key, o.rule.part) == (f.key, f.rule.part) for o in findings)

    folded = [f for f in findings if repeats(f)]
    alone = [f for f in findings if f.rule.repeats and not repeats(f)]
    assert folded and {f.rule.layer for f in folded} == {"standard"}
    assert causes.folded == len(folded)
    assert counted == len(findings) - len(folded)
    assert {f.rule.id for f in alone} <= {f.rule.id for f in findings if f.rule.repeats}


@pytest.mark.parametrize(
    ("repeats", "told"),
    [
        ("supervision-unsignd", "there is no other rule 'supervision-unsignd'; did you mean 'supervision-unsigned'?"),
        ("supervision-note-unsigned", "there is no other rule 'supervision-note-unsigned'"),
        ("placement-left-open", "rule 'placement-left-open' is asked of placement records, this one of supervision"),
    ],
    ids=["misspelt", "itself", "another kind of record"],
)
def test_a_rule_that_repeats_what_cannot_be_repeated_is_told_where_it_stands(
    cli: Cli, own: Path, export: Path, repeats: str, told: str
) -> None:
    write(own, RULE.format(cites="OUR-1").replace("severity:", f"repeats: [{repeats}]\nseverity:"))
    result = cli("audit", export, *AS_AT, "--add-rules", own)
    assert (result.exit_code, told in result.output) == (2, True), result.output
    assert re.search(r"supervision-note-unsigned\.yaml:\d+:\d+", result.output)
