"""An earlier audit: its file, and how the findings of this one compare (I/O: that file)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.engine import comparing
from compliance.errors import ComplianceError
from compliance.files import documents
from compliance.findings.previous import Previous, earlier, requirements
from compliance.model import SEVERITIES, RuleResult, Severity

if TYPE_CHECKING:
    from compliance.engine.audited import Audited
    from compliance.findings.previous import Earlier
    from compliance.jobs.asked import Asked


def read(asked: Asked, path: Path | None) -> Earlier | None:
    """The earlier audit.

    Raises:
      ComplianceError: the file cannot be used, or not beside this audit.
    """
    if path is None:
        return None
    cannot = f"{path} cannot be held against this audit"
    try:
        audit = earlier(documents.load_json(path))
    except (ValueError, RecursionError) as e:
        how = "Write one with: compliance audit EXPORT --as-at DATE --format json --out FILE"
        raise ComplianceError(f"{cannot}: {e}. {how}.") from e
    mark = asked.export.privacy.mark
    if audit.pseudonyms != mark:
        raise ComplianceError(f"{cannot}: {_other_ids(audit, mark)}.")
    if audit.as_at > asked.as_at:
        what = f"it is an audit as at {audit.as_at}, later than this one as at {asked.as_at}"
        raise ComplianceError(f"{cannot}: {what}.")
    return audit


def _other_ids(audit: Earlier, mark: str) -> str:
    """Why the findings of an earlier audit cannot be told from those of this one, made with the key `mark`."""
    was = (
        f"its ids are pseudonyms, made with the key {audit.pseudonyms}"
        if audit.pseudonyms
        else "its ids are the export's own"
    )
    now = f"the key given is {mark}" if mark else "this audit has no --pseudonymise"
    return f"{was}, and {now}. Audits are held against each other that were made in the same way"


def compared(before: Earlier | None, audited: Audited, results: tuple[RuleResult, ...], as_at: date) -> Previous | None:
    """What is restated, what is new, and what is no longer found; None without an earlier audit."""
    if before is None:
        return None
    now: dict[str, int] = {}
    for r in results:
        if r.rule.requirement and r.breach + r.not_evidenced:
            now[r.rule.requirement] = now.get(r.rule.requirement, 0) + r.breach + r.not_evidenced
    restated = comparing.n_restated(audited)
    new = sum(r.breach + r.not_evidenced for r in results) - restated
    listed = requirements(before, now, results, as_at)
    return Previous(before.as_at, restated, new, comparing.gone(audited, before, results), listed)


def n_new(audited: Audited) -> dict[Severity, int]:
    """How many findings of each severity are new and not accepted."""
    counts = dict.fromkeys(SEVERITIES, 0)
    for rule, n in comparing.n_new(audited).items():
        counts[audited.rules[rule].severity] += n
    return counts
