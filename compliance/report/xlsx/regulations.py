"""Each regulation and standard with what became of the checks under it, and below it its rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from compliance.findings.report import Report
from compliance.model import RuleResult, WrittenRule
from compliance.report.regulations import COLUMNS as CHECKS
from compliance.report.regulations import Under, became, heading, unders, vouched
from compliance.report.xlsx.findings import Firsts
from compliance.report.xlsx.sheet import Cell, Column, Link, Sheet

COLUMNS = (
    Column("Regulation or standard", 40),
    Column("Rule", 30),
    Column("What is wrong if it is not met", 44),
    Column("Stands", 18),
    Column("Findings", 10),
    *(Column(f"Checks {what}", 11) for what in CHECKS),
)


def listed(report: Report, written: Mapping[str, WrittenRule]) -> list[tuple[Under, list[RuleResult]]]:
    """Each regulation or standard with its rules."""
    of: dict[str, list[RuleResult]] = {}
    found: Counter[str] = Counter()
    for r in report.rules:
        of.setdefault(heading(r.rule), []).append(r)
    for r in report.parts:
        found[heading(r.rule)] += r.breach + r.not_evidenced
    return [(u, of.get(u.name, [])) for u in unders(report, written, found)]


def places(its: list[tuple[Under, list[RuleResult]]]) -> dict[str, int]:
    """The row of each regulation, under a header in the first row."""
    found, row = {}, 1
    for under, rules in its:
        found[under.name] = row
        row += 1 + len(rules)
    return found


def write(
    sheet: Sheet,
    written: Mapping[str, WrittenRule],
    its: list[tuple[Under, list[RuleResult]]],
    rules: Mapping[tuple[str, str], int],
    firsts: Firsts,
) -> None:
    """Writes the sheet.

    Args:
      its: as `listed` gives them.
      rules: the row of each rule in the sheet of rules; `firsts`: where first findings stand.
    """
    attested = vouched(written)

    def number(n: int, key: tuple[str, ...]) -> Cell:
        return Link(n, "Findings", firsts[key]) if key in firsts else n

    def rows() -> Iterator[list[Cell]]:
        for under, its_rules in its:
            sums = [under.checks.get(what) or None for what in CHECKS]
            yield [under.name, "", "", under.standing, number(under.findings, (under.name,)), *sums]
            for r in its_rules:
                key = (r.rule.id, r.rule.own_policy)
                standing = became([r], r.rule.id in attested)
                rule = Link(r.rule.id, "Rules", rules[key])
                yield [under.name, rule, r.rule.title, standing, number(r.breach + r.not_evidenced, key)]

    sheet.its.outline_settings(symbols_below=False)
    sheet.table(COLUMNS, rows(), stays=2, level=lambda cells: 1 if cells[1] else 0)
