"""The findings, a row each; where the first of each rule, and of each regulation, stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice

from compliance.findings.report import Report
from compliance.model import Finding
from compliance.report.regulations import heading
from compliance.report.words import accepted_text, evidence_text, whose_text
from compliance.report.xlsx.sheet import MOST_ROWS, Cell, Column, Link, Sheet

COLUMNS = (
    Column("Severity", 15),
    Column("Outcome", 14),
    Column("Standing", 10),
    Column("Record", 14),
    Column("Subject", 14),
    Column("Argument", 64),
    Column("Due", 12),
    Column("Put right by", 12),
    Column("Responsible", 20),
    Column("Rule", 26),
    Column("What is wrong", 34),
    Column("Workstream", 20),
    Column("Part", 14),
    Column("Danger", 34),
    Column("Late", 12),
    Column("Team", 16),
    Column("In the file of", 18),
    Column("Regulation or standard", 28),
    Column("Citation", 18),
    Column("Evidence", 44),
    Column("Not recorded", 20),
    Column("Remedy", 44),
    Column("Group", 18),
    Column("Found since", 12),
    Column("Accepted", 24),
    Column("Source file", 24),
    Column("Source row", 10),
    Column("Fingerprint", 18),
)
Firsts = Mapping[tuple[str, ...], int]
"""The row of the first finding of each rule, and of what it is listed under."""


def write(sheet: Sheet, report: Report, rules: Mapping[tuple[str, str], int], regulations: Mapping[str, int]) -> Firsts:
    """Writes the sheet.

    Args:
      rules: the row of each rule in the sheet of rules, by id and own figure; `regulations`: of each regulation in its sheet.
    """
    firsts: dict[tuple[str, ...], int] = {}

    def rows() -> Iterator[list[Cell]]:
        for f, team in islice(zip(report.findings(), report.teams(), strict=True), MOST_ROWS):
            owner = whose_text(f)
            for key in ((f.rule.id, f.rule.own_policy), (heading(f.rule),)):
                firsts.setdefault(key, sheet.row)
            yield _row(f, owner, team, rules, regulations)

    sheet.table(COLUMNS, rows(), stays=5, printed=10)
    return firsts


def _row(
    f: Finding, owner: str, team: str, rules: Mapping[tuple[str, str], int], regulations: Mapping[str, int]
) -> list[Cell]:
    under = heading(f.rule)
    return [
        f.rule.severity,
        f.outcome.replace("_", " "),
        f.standing,
        f.rule.record.replace("_", " "),
        f.key,
        f.in_full,
        day(f.due_on),
        f.put_right_on,
        f.rule.put_right.by,
        Link(f.rule.id, "Rules", rules[f.rule.id, f.rule.own_policy]),
        f.title,
        f.rule.put_right.workstream,
        f.rule.part,
        f.danger,
        f.late_words,
        team,
        owner,
        Link(under, "By regulation", regulations[under]),
        "; ".join(f.refs),
        evidence_text(f),
        ", ".join(name.replace("_", " ") for name in f.missing),
        f.remedy,
        f.group,
        day(f.restated.since) if f.restated else None,
        accepted_text(f.waiver) if f.waiver else "",
        f.file,
        f.row,
        f.fingerprint,
    ]


def day(text: str) -> date | None:
    """2021-09-20 as a date; nothing where there is none."""
    return date.fromisoformat(text) if text else None
