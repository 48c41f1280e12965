"""An audit's trend as CSV: one row a rule and day. No cell can be taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from compliance.files.cells import safe
from compliance.findings.trend import Trend
from compliance.model import OUTCOMES
from compliance.report.words import printable


def write(trend: Trend, width: int) -> Iterator[str]:
    """Every rule on every day."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(("as_at", "rule", "own_policy", "severity", "title", "status", *OUTCOMES))
    for day, results in zip(trend.days, trend.results, strict=True):
        for r in results:
            said = [r.rule.id, r.rule.own_policy, r.rule.severity, r.rule.title, r.status]
            out.writerow(
                [day.isoformat(), *(safe(printable(s)) for s in said), *(str(getattr(r, o)) for o in OUTCOMES)]
            )
    yield buffer.getvalue()
