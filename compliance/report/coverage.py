"""Which duties are answered, told to people: tables, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date

from compliance.dates import english
from compliance.files.documents import json_text
from compliance.report.grid import grid
from compliance.rules.coverage import Answered, Coverage

BY = {
    "rule": "rule",
    "partly": "a rule, partly",
    "attestation": "attestation",
    "judgement": "reading",
    "none": "nothing yet",
}
LONGEST = 30
"""Lines about what an export lacks."""


def write(found: Coverage, data: str, unaccounted: bool, format_: str, width: int) -> Iterator[str]:
    """The coverage, piece by piece.

    Args:
      data: what the export is called; empty: there is none.
      unaccounted: list only the duties that nothing answers.
    """
    if format_ == "json":
        yield json_text(_plain(found, data, unaccounted), indent=1) + "\n"
        return
    width = max(width, 80)
    which = f"in force on {english(found.as_at)}" if found.as_at else "in all versions that there have been"
    yield f"Duties {which}, and what answers them\n{_numbers(found)}\n"
    n = len(found.not_duties)
    if n:
        entries = f"{n:,} {'entry' if n == 1 else 'entries'}"
        yield f"Not counted: {entries} that allow, define or set a condition, and cannot be fallen short of.\n\n"
    shown = [a for a in found.duties if a.by == "none" or not unaccounted]
    if shown:
        yield (
            ("Duties that nothing answers yet\n" if unaccounted else "Every duty\n")
            + _duties(shown, data, width)
            + "\n"
        )
    elif unaccounted:
        yield "Every duty is answered.\n\n"
    if not unaccounted:
        yield "Every rule, and what it answers\n" + _rules(found, width) + "\n"
    if found.unlocks is not None:
        yield from _unlocks(found, data, width)


def _numbers(found: Coverage) -> str:
    whole = found.instruments
    rows = [
        [c.instrument, *(f"{n:,}" for n in (c.duties, c.rule, c.partly, c.attestation, c.judgement, c.unaccounted))]
        for c in (*whole, *([found.total] if len(whole) > 1 else []))
    ]
    headers = ["Instrument", "Duties", "By a rule", "Partly", "By attestation", "By reading", "Unaccounted"]
    return grid(rows, headers, [None] * 7, right=range(1, 7))


def _duties(shown: list[Answered], data: str, width: int) -> str:
    headers = ["Duty", "Title (citation)", "Answered by", "Rules"]
    left = width - 16 - 12 - 6 - (11 if data else 0)
    widths: list[int | None] = [16, left // 2, 12, left - left // 2]
    rows = []
    for a in shown:
        title = "\n".join([f"{a.duty.title} ({a.duty.ref})", *(f"Not asked: {lacking}" for lacking in a.not_asked)])
        cells = [a.duty.id, title, BY[a.by], "\n".join(a.rules)]
        if data:
            asked_of = "" if a.tested_on is None or not a.rules else f"{a.tested_on:,}"
            cells.append("not run" if a.rules and len(a.not_run) == len(a.rules) else asked_of)
        rows.append(cells)
    if data:
        headers, widths = [*headers, "Tested on"], [*widths, 9]
    return grid(rows, headers, widths, right=(4,) if data else ())


def _rules(found: Coverage, width: int) -> str:
    left = width - 2
    rows = [[rule, ", ".join(cites)] for rule, cites in found.rules]
    return grid(rows, ["Rule", "Duties"], [left * 2 // 5, left - left * 2 // 5])


def _unlocks(found: Coverage, data: str, width: int) -> Iterator[str]:
    unlocks = found.unlocks or ()
    if not unlocks:
        yield f"Every rule could run on {data}.\n"
        return
    rows = [[u.missing, f"{len(u.rules):,}", f"{len(u.alone):,}", ", ".join(u.duties)] for u in unlocks[:LONGEST]]
    left = width - 32 - 9 - 9 - 6
    headers = ["Missing", "Rules\nlack it", "and lack\nno other", "Duties that no rule was asked about"]
    yield f"What {data} lacks, and what it would unlock\n{grid(rows, headers, [32, 9, 9, left], right=(1, 2))}"
    if len(unlocks) > LONGEST:
        yield f"and {len(unlocks) - LONGEST:,} more; --format json lists all.\n"


def _day(day: date | None) -> str | None:
    return None if day is None or day == date.min else day.isoformat()


def _plain(found: Coverage, data: str, unaccounted: bool) -> dict[str, object]:
    return {
        "as_at": _day(found.as_at),
        "data": data or None,
        "instruments": [asdict(c) for c in found.instruments],
        "duties": [
            {
                "id": a.duty.id,
                "ref": a.duty.ref,
                "title": a.duty.title,
                "instrument": a.duty.instrument,
                "modality": a.duty.modality,
                "checkable": a.duty.checkable,
                "in_force": {"from": _day(a.duty.from_on), "to": _day(a.duty.to_on)},
                "by": a.by,
                "not_asked": list(a.not_asked),
                "rules": list(a.rules),
                "tested_on": a.tested_on,
                "not_run": list(a.not_run) if data else None,
            }
            for a in found.duties
            if a.by == "none" or not unaccounted
        ],
        "not_duties": [
            {"id": d.id, "ref": d.ref, "title": d.title, "instrument": d.instrument, "modality": d.modality}
            for d in found.not_duties
        ],
        "rules": [{"id": rule, "cites": list(cites)} for rule, cites in found.rules],
        "unlocks": None if found.unlocks is None else [asdict(u) for u in found.unlocks],
    }
