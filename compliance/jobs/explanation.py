"""An explanation: how one rule came out for one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compliance.engine.explaining import explain
from compliance.jobs import audit
from compliance.jobs.asked import Asked, Timings
from compliance.jobs.opening import opened
from compliance.model import RAN, RuleResult

if TYPE_CHECKING:
    from compliance.findings.explained import Explained


def explanation(asked: Asked, key: str) -> list[tuple[RuleResult, Explained | None]]:
    """How the one rule of `asked.only` came out for a record, in each way in which it is asked; None if there is no such record then.

    Raises:
      ComplianceError: the rules, the mapping or the export cannot be used.
    """
    with (
        opened(asked.export, asked.as_at, Timings()) as export,
        audit.outcomes(export, asked) as (audited, results),
    ):
        return [(r, explain(audited, n, key) if r.status in RAN else None) for n, r in enumerate(results)]
