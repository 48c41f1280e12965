"""What became of every rule, and what it asks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from compliance.dates import put_right_on
from compliance.findings.report import Report
from compliance.model import NOT_TOLD, RuleResult, WrittenRule
from compliance.report.regulations import heading
from compliance.report.xlsx.findings import Firsts
from compliance.report.xlsx.sheet import Cell, Column, Link, Sheet

COLUMNS = (
    Column("Rule", 28),
    Column("What is wrong if it is not met", 36),
    Column("Severity", 15),
    Column("Citation", 18),
    Column("What became of it", 16),
    Column("Why", 28),
    Column("Findings", 10),
    Column("Checked", 9),
    Column("Compliant", 10),
    Column("Breach", 9),
    Column("Not evidenced", 10),
    Column("Pending", 9),
    Column("Not applicable", 10),
    Column("Layer", 14),
    Column("Regulation or standard", 28),
    Column("What it asks", 64),
    Column("Remedy", 44),
    Column("Put right by", 12),
    Column("Responsible", 20),
    Column("Workstream", 20),
    Column("Figures", 36),
    Column("Own figure from", 24),
    Column("Note", 44),
)


def places(report: Report) -> dict[tuple[str, str], int]:
    """The row of each rule, by id and own figure, under a header in the first row."""
    return {(r.rule.id, r.rule.own_policy): row for r, row in zip(report.rules, count(1), strict=False)}


def write(
    sheet: Sheet, report: Report, written: Mapping[str, WrittenRule], firsts: Firsts, regulations: Mapping[str, int]
) -> None:
    """Writes the sheet.

    Args:
      firsts: where the first finding of each rule stands.
      regulations: the row of each regulation in its sheet.
    """
    sheet.table(
        COLUMNS,
        (_row(r, report, written.get(r.rule.id, NOT_TOLD), firsts, regulations) for r in report.rules),
        printed=13,
    )


def _row(
    r: RuleResult, report: Report, written: WrittenRule, firsts: Firsts, regulations: Mapping[str, int]
) -> list[Cell]:
    rule, n, under = r.rule, r.breach + r.not_evidenced, heading(r.rule)
    first = firsts.get((rule.id, rule.own_policy))
    return [
        rule.id,
        rule.title,
        rule.severity,
        "; ".join(rule.refs),
        r.status,
        r.why,
        n if first is None else Link(n, "Findings", first),
        *(r.checked, r.compliant, r.breach, r.not_evidenced, r.pending, r.not_applicable),
        rule.layer,
        Link(under, "By regulation", regulations[under]),
        "\n".join([*written.sentences, *(f"- {label}: {meaning}" for label, meaning in written.conditions)]),
        rule.remedy,
        put_right_on(report.as_at, rule.put_right.within),
        rule.put_right.by,
        rule.put_right.workstream,
        "\n".join(
            f"{name.replace('_', ' ')}: {value} ({basis}; {source})" for name, value, basis, source in rule.parameters
        ),
        rule.own_policy,
        rule.note,
    ]
