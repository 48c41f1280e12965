"""Coverage: which duties are answered, and by what."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from compliance.errors import ComplianceError, nearest
from compliance.jobs import audit
from compliance.jobs.asked import Asked, Export, Timings
from compliance.jobs.book import RuleFolders, read_rulebook
from compliance.jobs.opening import opened
from compliance.model import RuleResult
from compliance.rules.coverage import Coverage
from compliance.rules.coverage import coverage as coverage_of


def coverage(
    rules: RuleFolders,
    parameters: Path | None,
    as_at: date | None,
    instruments: tuple[str, ...] = (),
    export: Export | None = None,
) -> Coverage:
    """Which duties the rules answer, and of an export, on how many of its records.

    Args:
      as_at: the day whose law is counted; None: every version ever; must be given with `export`.

    Raises:
      ComplianceError: the rules or the export cannot be used, or there is no such instrument.
    """
    book = read_rulebook(rules, parameters)
    known = sorted({d.instrument for d in book.duties.values()})
    for name in instruments:
        if name not in known:
            raise ComplianceError(
                f"There is no instrument '{name}'{nearest(name, known)}; there are {', '.join(known)}."
            )
    results = None
    if export is not None and as_at is not None:
        results = _results(Asked(export, as_at, parameters, rules))
    infos = [r.rule for r in book.rules]
    return coverage_of(book.duties.values(), infos, book.reading, as_at, instruments, results)


def _results(asked: Asked) -> tuple[RuleResult, ...]:
    with (
        opened(asked.export, asked.as_at, Timings()) as export,
        audit.outcomes(export, asked) as (_, results),
    ):
        return results
