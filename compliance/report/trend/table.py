"""An audit's trend as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from compliance.dates import english
from compliance.findings.trend import Trend
from compliance.model import SEVERITIES
from compliance.report.grid import grid
from compliance.report.kpi.words import bars
from compliance.report.words import head, printable

NARROWEST = 80


def write(trend: Trend, width: int) -> Iterator[str]:
    """Findings by day, then each rule that had any."""
    width = max(width, NARROWEST)
    yield f"Trend of {printable(trend.data)}, {english(trend.days[0])} to {english(trend.days[-1])}\n\n{head(trend.tables.remarks)}"
    rows = []
    for n, day in enumerate(trend.days):
        its = [trend.by_severity(n, s) for s in SEVERITIES]
        rows.append([day.isoformat(), *(f"{x:,}" for x in its), f"{sum(its):,}"])
    yield grid(rows, ["As at", "Requirements", "Recommendations", "Advice", "Findings"], [None] * 5, right=(1, 2, 3, 4))
    rows = []
    for n, result in enumerate(trend.results[-1]):
        its = trend.findings(n)
        if any(its):
            rule = result.rule.id + (" (own policy)" if result.rule.own_policy else "")
            spark = bars([Decimal(x) for x in its])
            rows.append([rule, result.rule.severity, spark, *(f"{x:,}" for x in (its[0], min(its), max(its), its[-1]))])
    if not rows:
        yield "\nNo findings on any of these days.\n"
        return
    spark_width = max(5, len(trend.days))
    left = width - 14 - spark_width - 4 * 6 - 12
    widths: list[int | None] = [max(left, 20), 14, None, 6, 6, 6, 6]
    heads = ["Rule", "Severity", "Trend", "First", "Least", "Most", "Last"]
    yield f"\nRules with findings, over the days\n{grid(rows, heads, widths, right=(3, 4, 5, 6))}"
    lacking = [r for r in trend.results[-1] if r.status not in ("ran", "looked at nothing")]
    n = len(trend.results[-1])
    yield f"\n{n - len(lacking):,} of {n:,} rules ran; compliance audit says why the others did not.\n"
    if trend.tables.later:
        yield trend.tables.later + "\n"
