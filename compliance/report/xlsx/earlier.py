"""What is no longer found, held against an earlier audit; and the risks that the agency has accepted."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.findings.previous import Gone
from compliance.findings.waivers import STATES, Judged
from compliance.report.words import why_text
from compliance.report.xlsx.findings import day
from compliance.report.xlsx.sheet import Cell, Column, Sheet

GONE = (
    Column("What became of it", 20),
    Column("Rule", 34),
    Column("Record", 16),
    Column("Subject", 16),
    Column("Part", 16),
    Column("Regulation or standard", 34),
    Column("Found since", 14),
    Column("In so many audits", 10),
    Column("Why", 50),
    Column("Fingerprint", 18),
)
ACCEPTED = (
    Column("Stands", 14),
    Column("Waiver", 24),
    Column("Rule", 30),
    Column("Severity", 15),
    Column("Subject", 16),
    Column("Part", 14),
    Column("From", 12),
    Column("Until", 12),
    Column("What it is worth, and why", 44),
    Column("Accepted because", 44),
    Column("Legal basis", 30),
    Column("Approved by", 22),
)


def write_gone(sheet: Sheet, its: Sequence[Gone]) -> None:
    """Writes what is no longer found."""
    sheet.table(GONE, (_gone(g) for g in its), stays=2)


def _gone(g: Gone) -> list[Cell]:
    f = g.finding
    return [
        g.became,
        f.rule,
        f.record.replace("_", " "),
        f.key,
        f.part,
        f.requirement,
        day(f.since),
        f.times,
        g.why,
        f.fingerprint,
    ]


def write_accepted(sheet: Sheet, its: Sequence[Judged]) -> None:
    """Writes the waivers, those first that ask for something to be done."""
    ordered = sorted(its, key=lambda j: (STATES.index(j.state), j.waiver.until, j.waiver.id))
    sheet.table(ACCEPTED, (_accepted(j) for j in ordered), stays=2)


def _accepted(j: Judged) -> list[Cell]:
    w = j.waiver
    return [
        j.state,
        w.id,
        j.rule.id if j.rule else w.rule or w.finding,
        j.rule.severity if j.rule else "",
        w.subject,
        w.part,
        w.from_on,
        w.until,
        why_text(j),
        w.reason,
        w.legal_basis,
        w.approved_by,
    ]
