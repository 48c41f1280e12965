"""An earlier audit held against this one: what is restated, what is new, what is no longer found and why. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from compliance.model import RAN, Restated, RuleResult, fingerprint_rest

Became = Literal["put right", "pending", "no longer applies", "not in the export", "did not run", "not asked"]
Standing = Literal["restated", "new", "no longer found"]


@dataclass(frozen=True, slots=True)
class EarlierFinding:
    """A finding of the earlier audit, with since when and how often it had been found by then.

    Args:
      part: the item of a list that it is about; `local`: whether the agency's own policy made it.
    """

    fingerprint: str
    rule: str
    record: str
    key: str
    part: str
    local: bool
    requirement: str
    since: str
    times: int

    @property
    def asked(self) -> tuple[str, str]:
        """Its rule and `RuleInfo.rest`, which name what was asked."""
        return self.rule, fingerprint_rest(self.part, self.local)


@dataclass(frozen=True)
class Earlier:
    """What is needed of an earlier audit.

    Args:
      requirements: since when and how often the regulations and standards that had findings then had had some.
      pseudonyms: the mark of the key by which its ids were made pseudonyms; empty: they are the export's own.
    """

    as_at: date
    found: tuple[EarlierFinding, ...]
    requirements: Mapping[str, Restated]
    pseudonyms: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """A finding of the earlier audit that this one does not have.

    Args:
      became: `put right`: the rule was asked again and is met; `pending`: its time is running again; `no longer applies`: it asks
        nothing of the record now; `not in the export`: there is no such record; `did not run`: nobody can tell; `not asked`: the
        rule was left out.
      why: why the rule did not run.
    """

    finding: EarlierFinding
    became: Became
    why: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A regulation or standard then and now.

    Args:
      then, now: how many findings there were and are.
      since, times: as in `Restated`, for findings whoever they are about; of one no longer found, up to the earlier audit.
      asked: whether all its rules that had findings then ran now.
    """

    requirement: str
    standing: Standing
    since: str
    times: int
    then: int
    now: int
    asked: bool


@dataclass(frozen=True)
class Previous:
    """The comparison.

    Args:
      as_at: the day of the earlier audit.
      restated, new: how many of this audit's findings are.
      gone: those no longer found, in the order of the earlier audit.
    """

    as_at: date
    restated: int
    new: int
    gone: tuple[Gone, ...]
    requirements: tuple[Requirement, ...]


_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


def earlier(document: object) -> Earlier:
    """The JSON of an earlier audit.

    Raises:
      ValueError: it is none; the message says what is wrong.
    """
    if not isinstance(document, dict) or not {"as_at", "rules", "findings"} <= set(document):
        raise ValueError("it is not the JSON of an audit")
    as_at = _day(document["as_at"], "as_at")
    found = []
    findings = document["findings"]
    if not isinstance(findings, list):
        raise ValueError("its findings are no list")
    for i, f in enumerate(findings):
        try:
            before, subject = f.get("restated"), f["subject"]
            texts = (f["fingerprint"], f["rule"], subject["record"], subject["key"], subject.get("part") or "")
            requirement = f.get("requirement") or ""
            if not all(isinstance(t, str) for t in (*texts, requirement)) or not _FINGERPRINT.fullmatch(
                f["fingerprint"]
            ):
                raise TypeError
            since, times = _restated(before, as_at)
        except (KeyError, TypeError, AttributeError) as e:
            raise ValueError(f"its finding {i + 1} is not as an audit writes it") from e
        found.append(EarlierFinding(*texts, f.get("layer") == "local policy", requirement, since, times))
    known = document.get("previous")
    carried = _requirements(known, as_at) if known is not None else {}
    there = dict.fromkeys(f.requirement for f in found if f.requirement)
    since_then = {r: carried.get(r, Restated(as_at.isoformat(), 1)) for r in there}
    return Earlier(as_at, tuple(found), since_then, str(document.get("pseudonyms") or ""))


def _day(text: object, what: str) -> date:
    try:
        return date.fromisoformat(text)  # type: ignore[arg-type]
    except (TypeError, ValueError) as e:
        raise ValueError(f"its {what} is not a date") from e


def _restated(before: Any, as_at: date) -> tuple[str, int]:
    if before is None:
        return as_at.isoformat(), 1
    if not isinstance(before["times"], int) or before["times"] < 1:
        raise TypeError
    return _day(before["since"], "restated.since").isoformat(), before["times"]


def _requirements(known: Any, as_at: date) -> dict[str, Restated]:
    try:
        return {
            r["requirement"]: Restated(*_restated(r, as_at))
            for r in known["requirements"]
            if r["standing"] == "restated"
        }
    except (KeyError, TypeError, AttributeError) as e:
        raise ValueError("what it says of the audit before it is not as an audit writes it") from e


def requirements(
    before: Earlier, now: Mapping[str, int], results: Iterable[RuleResult], as_at: date
) -> tuple[Requirement, ...]:
    """Every regulation and standard that had or has findings.

    Args:
      now: how many findings each has now.
      results: what became of each rule now.
    """
    then = Counter(f.requirement for f in before.found if f.requirement)
    ran = {(r.rule.id, r.rule.rest) for r in results if r.status in RAN}
    silent = {f.requirement for f in before.found if f.asked not in ran}
    made = []
    for name in dict.fromkeys((*then, *now)):
        known = before.requirements.get(name)
        standing: Standing
        if known is not None and now.get(name):
            standing, since, times = "restated", known.since, known.times + 1
        elif known is not None:
            standing, since, times = "no longer found", known.since, known.times
        else:
            standing, since, times = "new", as_at.isoformat(), 1
        made.append(Requirement(name, standing, since, times, then[name], now.get(name, 0), name not in silent))
    return tuple(made)
