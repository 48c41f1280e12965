"""What findings say: one of every rule in every outcome and standing that its cases come to, kept in `data/findings.md` to be read.

`python tests/test_words.py` writes it anew; whoever changes words reads the difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from test_rules import results

from compliance.findings.words import long_time
from compliance.model import Outcome, Standing
from compliance.proving.cases import CaseResult
from compliance.rules import wording

KEPT = Path(__file__).parent / "data" / "findings.md"
HEAD = """# What findings say

One finding of every rule in every outcome and standing that its cases come to: title, sentence, and what is to be done.
Written by `python tests/test_words.py` from the cases of the rules, whose records have made-up numbers.
"""


def told(results: Iterable[CaseResult]) -> Iterator[str]:
    """The first case of each outcome and standing of each rule."""
    yield HEAD
    last = ""
    seen: set[tuple[str, str, str]] = set()
    for r in results:
        rule, verdict = r.rule.rule, r.verdict
        if not verdict.standing or (rule.id, verdict.outcome, verdict.standing) in seen:
            continue
        seen.add((rule.id, verdict.outcome, verdict.standing))
        if rule.id != last:
            last = rule.id
            yield f"\n## {rule.id}\n"
        standing = "not evidenced" if verdict.outcome == "not_evidenced" else verdict.standing
        happened: tuple[Outcome, Standing] = (verdict.outcome, verdict.standing)  # type: ignore[assignment]
        title = wording.titles(r.rule, r.case.part).of(*happened) or rule.said(rule.title, r.case.part)
        remedy = wording.remedies(r.rule, r.case.part).of(*happened) or rule.said(rule.remedy, r.case.part)
        danger = " **A child may be in danger.**" if verdict.danger else ""
        yield f"\n**{standing}: {title}.**{danger}\n{tidied(verdict.argument)}\n*{remedy}*\n"


def tidied(sentence: str) -> str:
    """Without what a case's place among others makes of its records' numbers and rows."""
    return re.sub(r"row \d+\)", "row n)", re.sub(r"\b\d+/[\w/*.>-]+", "X1", sentence))


@pytest.mark.xdist_group("cases")
def test_every_rule_says_what_is_kept_to_be_read() -> None:
    assert "".join(told(results().values())) == KEPT.read_text("utf-8")


BRACKETED = re.compile(r"[\[\]{}<>]|_| \(\(|\bNot met\b")


@pytest.mark.xdist_group("cases")
def test_no_sentence_has_brackets_field_names_or_a_duty_said_to_be_not_met() -> None:
    odd = {
        rule: r.verdict.argument
        for (rule, _), r in results().items()
        if r.verdict.standing and BRACKETED.search(tidied(r.verdict.argument))
    }
    assert not odd


@pytest.mark.parametrize(
    ("days", "said"),
    [(61, "two months"), (304, "ten months"), (700, "23 months"), (731, "two years"), (2029, "five and a half years")],
)
def test_long_times_are_told_as_a_person_would(days: int, said: str) -> None:
    since = date(2015, 3, 1)
    assert long_time(since, since + timedelta(days=days)) == said


if __name__ == "__main__":
    KEPT.write_text("".join(told(results().values())), "utf-8")
