"""Sheets that people fill in: what stands in them, and how a row that comes back is known again. Pure.

A row's mark is made of everything that the sheet fixes: the audit's day, the export's name and every cell that asks. A cell that
was changed, or a row of another audit, does not fit its mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Literal

Purpose = Literal["attestation", "reading"]

MET, NOT_MET, NOT_EVIDENCED = "met", "not met", "not evidenced"
AS_AT, EXPORT, MARK = "As at", "Export", "Mark"
"""What stands before the audit's day and the export's name, and over the marks."""
EARLIEST = date(2000, 1, 1)
"""No answer is from before this day; an earlier date is a slip."""


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of sheet.

    Args:
      title: its first cell, by which it is known.
      fixed: the columns that ask; filled: those that are filled in, each with its width.
      answers: what the first of these may be.
    """

    purpose: Purpose
    title: str
    how: str
    fixed: tuple[tuple[str, int], ...]
    filled: tuple[tuple[str, int], ...]
    answers: tuple[str, ...]

    @property
    def headers(self) -> list[str]:
        """The names of all columns."""
        return [*(name for name, _ in (*self.fixed, *self.filled)), MARK]


ATTESTATIONS = Form(
    "attestation",
    "Attestations to complete",
    "One row for each duty that a person must vouch for and nobody has. Choose an answer; give the day of the statement, the role of"
    " whoever makes it (no name) and where the signed document is kept. Leave a row empty until it can be answered.",
    (("Duty", 14), ("Reference", 18), ("Is this so?", 62), ("Service", 12)),
    (("Answer", 14), ("On which day", 14), ("By whom (role)", 24), ("Where the evidence is", 34)),
    (MET, NOT_MET),
)
READINGS = Form(
    "reading",
    "Records to read and judge",
    "One row for each record that was drawn for a duty that only reading can settle. Read the record, choose an answer, and give the"
    " role of the reader (no name) and the day. A note stays with the export and is shown in no report"
    " unless asked for. Leave a row empty until it is read.",
    (
        ("Duty", 14),
        ("Reference", 18),
        ("Question", 62),
        ("Record kind", 16),
        ("Record", 14),
        ("Drawn because of", 20),
        ("Read before", 22),
    ),
    (("Answer", 14), ("Read on", 14), ("Reader's role", 24), ("Note", 34)),
    (MET, NOT_MET, NOT_EVIDENCED),
)
FORMS = (ATTESTATIONS, READINGS)


def mark(form: Form, as_at: str, export: str, fixed: Sequence[str]) -> str:
    """What a row is known by; how its texts are spaced and broken into lines does not matter."""
    said = (" ".join(text.split()) for text in (form.title, as_at, export, *fixed))
    return sha256("\x1f".join(said).encode("utf-8", "surrogatepass")).hexdigest()[:16]
