"""The findings of an audit held against an earlier one, which was made ready when it ran (I/O: the database)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compliance.findings.previous import Gone
from compliance.model import RAN, RuleResult
from compliance.sql import reporting

if TYPE_CHECKING:
    from compliance.engine.audited import Audited
    from compliance.findings.previous import Became, Earlier, EarlierFinding


def n_new(audited: Audited) -> dict[int, int]:
    """How many findings of each rule the earlier audit did not have and nobody has accepted."""
    return dict(audited.con.execute(reporting.NEW).fetchall())


def n_restated(audited: Audited) -> int:
    """How many findings the earlier audit had as well."""
    row = audited.con.execute(reporting.RESTATED).fetchone()
    assert row is not None
    return int(row[0])


def gone(audited: Audited, earlier: Earlier, results: Sequence[RuleResult]) -> tuple[Gone, ...]:
    """The earlier audit's findings that this one does not have, and why."""
    numbers = [n for (n,) in audited.con.execute(reporting.GONE).fetchall()]
    asked = {earlier.found[n].asked for n in numbers}
    ran = {i for i, r in enumerate(results) if r.status in RAN and (r.rule.id, r.rule.rest) in asked}
    became = audited.became(reporting.EARLIER_GONE, ran)
    result_of = {(r.rule.id, r.rule.rest): r for r in results} | {(r.rule.id, ""): r for r in results}

    def why(finding: EarlierFinding, became: Became | None) -> Gone:
        if became is not None:
            return Gone(finding, became)
        result = result_of.get(finding.asked) or result_of.get((finding.rule, ""))
        if result is not None and result.status not in RAN:
            return Gone(finding, "did not run", f"{result.status}: {result.why}")
        return Gone(finding, "not asked")

    return tuple(why(earlier.found[n], became.get(n)) for n in numbers)
