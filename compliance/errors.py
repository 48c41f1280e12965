"""What can be wrong in something that a person wrote or supplied, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SHOWN = 20
"""Problems written out in full before the rest are only counted."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; line and column count from 1, 0 where unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong: where, what, and what would be right."""

    where: Location
    what: str
    help: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}"
        return f"{text}\n    {self.help}" if self.help else text


class ComplianceError(Exception):
    """We cannot go on, and a person can mend it. Carries every problem that was found.

    Args:
      message: one sentence on what could not be done.
      problems: all of them; sorted and without duplicates when written out.
    """

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        # By a key, for a file can have as many mistakes as it has words, and comparing two of these is slow.
        self.problems = tuple(
            sorted(set(problems), key=lambda p: (p.where.file, p.where.line, p.where.column, p.what, p.help))
        )

    def __str__(self) -> str:
        lines = [str(p) for p in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"... and {len(self.problems) - SHOWN:,} more")
        return "\n".join([*lines, self.message])


class RulesError(ComplianceError):
    """A rule, a pack, a record schema or a catalogue cannot be used."""


class DataError(ComplianceError):
    """An export or its mapping cannot be read."""


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the known word most like `word`, or an empty text."""
    words = list(known)
    if not words:
        return ""
    from difflib import get_close_matches

    close = get_close_matches(word, words, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
