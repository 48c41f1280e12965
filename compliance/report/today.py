"""What to do today: at most ten sentences in three heaps, before anything else is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from compliance.dates import english
from compliance.findings.report import Report
from compliance.report.causes import Cause, Causes, joined
from compliance.report.words import subject_text

SENTENCES = 10
NAMED = 3
"""Records that a sentence names."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One cause: who it is about, what is wrong, what to do, who does it and by when.

    Args:
      cause: what the table of findings is asked for to show its findings alone.
    """

    who: str
    what: str
    remedy: str
    by: str
    on: date
    cause: str

    @property
    def in_full(self) -> str:
        """All of it, for a format that has no parts of a line."""
        return f"{self.what}: {self.who}. {self.remedy} {self.whose}."

    @property
    def whose(self) -> str:
        """`Registered manager, by 20 September 2021`."""
        return f"{self.by[:1].upper()}{self.by[1:]}, by {english(self.on)}"


@dataclass(frozen=True, slots=True)
class Heap:
    """Some of the causes that stand alike.

    Args:
      n_causes, n_findings: of all of them.
    """

    title: str
    sentences: tuple[Sentence, ...]
    n_causes: int
    n_findings: int

    @property
    def more(self) -> int:
        """How many causes are not told."""
        return self.n_causes - len(self.sentences)


def today(report: Report) -> tuple[Heap, ...]:
    """The heaps that hold something; the findings are read through."""
    causes = Causes.of(report)
    for f in report.findings():
        causes.add(f)
    return heaps(causes.heaps())


def heaps(causes: Mapping[str, Sequence[Cause]]) -> tuple[Heap, ...]:
    """The heaps that hold something.

    Args:
      causes: in `causes.HEAPS`, each in the order in which they are to be told.
    """
    its = (
        ("Danger now", causes["danger"]),
        ("Still open", causes["open"]),
        ("Late but done, or past", [*causes["late"], *causes["past"]]),
    )
    alike = [(title, _alike(causes)) for title, causes in its]
    told = _shares([len(causes) for _, causes in alike])
    return tuple(
        Heap(title, tuple(_sentence(c) for c in causes[:n]), len(causes), sum(c.n for c in causes))
        for (title, causes), n in zip(alike, told, strict=True)
        if causes
    )


def _alike(causes: Sequence[Cause]) -> list[Cause]:
    """Those of one rule that are told in the same words as one, in the place of the first."""
    said: dict[tuple[str, str, str, str], list[Cause]] = {}
    for c in causes:
        said.setdefault((c.rule.id, c.title, c.finding.remedy, c.lacking), []).append(c)
    return [its[0] if len(its) == 1 else joined(its) for its in said.values()]


def _shares(sizes: Sequence[int]) -> list[int]:
    """How many of each heap are told: danger first, and of each heap at least one."""
    danger, still_open, done = sizes
    danger = min(danger, SENTENCES - min(still_open, 1) - min(done, 1))
    still_open = min(still_open, SENTENCES - danger - min(done, 1))
    return [danger, still_open, min(done, SENTENCES - danger - still_open)]


def _sentence(c: Cause) -> Sentence:
    right = c.rule.put_right
    return Sentence(_who(c), c.title, c.finding.remedy, right.by, c.finding.put_right_on, c.numbers)


def _who(c: Cause) -> str:
    kind = c.rule.record.replace("_", " ")
    if c.rules > 1:
        return f"{c.n:,} findings of {c.rules} rules come of it"
    if c.n == 1:
        return subject_text(c.finding)
    if c.n <= NAMED:
        return f"{kind} {_listed(c.subjects)}"
    return f"{c.n:,} {kind} records, among them {_listed(c.subjects[:NAMED])}"


def _listed(subjects: Sequence[str]) -> str:
    *rest, last = subjects
    return f"{', '.join(rest)} and {last}" if rest else last
