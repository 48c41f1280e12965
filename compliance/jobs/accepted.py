"""The risks that an agency has accepted: its file, held against what an audit finds (I/O: that file)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.engine import waiving
from compliance.jobs import planning
from compliance.model import RAN, RuleResult
from compliance.privacy.pseudonyms import PSEUDONYM

if TYPE_CHECKING:
    from compliance.engine.audited import Audited
    from compliance.findings.waivers import Judged, Waiver
    from compliance.jobs.asked import Asked

WAIVERS = "waivers.yaml"


@dataclass(frozen=True)
class Accepted:
    """The accepted risks that an audit can judge.

    Args:
      numbers: the place of each in its file.
      left_out: how many others the file holds, which name records otherwise than this audit does.
    """

    path: Path
    waivers: tuple[Waiver, ...]
    numbers: tuple[int, ...]
    left_out: int

    def remarks(self, asked: Asked) -> tuple[str, ...]:
        """That some are not applied, and why."""
        n = self.left_out
        if not n:
            return ()
        own_ids = "by their own ids, or a finding by its fingerprint alone"
        ids = "by pseudonyms" if asked.export.privacy.key is None else own_ids
        risks = f"{n:,} accepted {'risk' if n == 1 else 'risks'} in {self.path.name}"
        return (f"{risks} {'names' if n == 1 else 'name'} records {ids}, and {'is' if n == 1 else 'are'} not applied.",)


def read(asked: Asked, path: Path | None) -> Accepted | None:
    """The risks that the agency has accepted.

    Args:
      path: None: `waivers.yaml` beside the data, if there.

    Raises:
      ComplianceError: the file cannot be used.
    """
    path = path or asked.export.beside(WAIVERS)
    if path is None:
        return None
    from compliance.findings import waiverfile
    from compliance.findings.waivers import unknown_rules

    waivers = waiverfile.read(path)
    refused = waiverfile.refused(path, unknown_rules(waivers, planning.rule_ids(asked.rules)))
    if refused is not None:
        raise refused
    # A fingerprint alone may be made of an id, and whoever knows what ids look like finds it by trying.
    with_key = asked.export.privacy.key is not None
    numbers = tuple(n for n, w in enumerate(waivers) if bool(PSEUDONYM.fullmatch(w.subject)) == with_key)
    return Accepted(path, tuple(waivers[n] for n in numbers), numbers, len(waivers) - len(numbers))


def judged(
    accepted: Accepted | None, audited: Audited, results: tuple[RuleResult, ...], asked: Asked
) -> tuple[Judged, ...]:
    """What each waiver is worth; the findings of those in force are marked.

    Raises:
      ComplianceError: a waiver cannot be meant as it is written.
    """
    if accepted is None or not accepted.waivers:
        return ()
    from compliance.findings import waiverfile, waivers

    written = accepted.waivers
    places = [waivers.place(w, audited.rules) if w.rule else -1 for w in written]
    named = [(n, w.subject, "" if w.rule else w.finding) for n, w in zip(places, written, strict=True)]
    findings, became = waiving.waived(audited, named, results)
    rules = [
        findings[i][1].rule if i in findings else audited.rules[n] if n >= 0 else None for i, n in enumerate(places)
    ]
    mistakes = waivers.mistakes(written, audited.rules, rules)
    refused = waiverfile.refused(
        accepted.path, ((accepted.numbers[n], key, what, how) for n, key, what, how in mistakes)
    )
    if refused is not None:
        raise refused
    silent = len(set(planning.rule_ids(asked.rules)) - {r.rule.id for r in results if r.status in RAN})
    verdicts = []
    for i, (waiver, n) in enumerate(zip(written, places, strict=True)):
        result = results[n] if n >= 0 else next((r for r in results if r.rule.id == waiver.rule), None)
        finding = findings[i][1] if i in findings else None
        without = waivers.gone(waiver, result, became.get(i, ""), silent)
        verdicts.append(waivers.judged(waiver, asked.as_at, rules[i], finding, without))
    waiving.accept(audited, {findings[i][0]: v.waiver.accepted for i, v in enumerate(verdicts) if v.mutes})
    return tuple(verdicts)
