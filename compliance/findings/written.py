"""What `compliance audit --format json` wrote, as far as anything is made of it again; looked at once, before it is used. Pure."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from compliance.model import Severity

HOW = "Write one with: compliance audit EXPORT --as-at DATE --format json --out FILE"
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Text = Annotated[str, Field(min_length=1)]


class _Written(BaseModel):
    """Of no other type than an audit writes; what nothing is made of is not looked at."""

    model_config = ConfigDict(strict=True, frozen=True)


class WrittenSubject(_Written):
    """What a finding is about."""

    record: Text
    key: str
    part: str | None


class WrittenWhose(_Written):
    """Whose file a finding is in."""

    record: Text
    key: str


class WrittenFinding(_Written):
    """One finding."""

    fingerprint: Fingerprint
    rule: Text
    subject: WrittenSubject
    whose: WrittenWhose | None = None
    outcome: Literal["breach", "not_evidenced"]
    standing: Literal["open", "late", "past"]
    title: Text
    remedy: Text
    severity: Severity
    layer: Text
    cites: Annotated[list[str], Field(min_length=1)]
    failed: list[str]
    evidence: dict[str, Any]
    workstream: str
    requirement: str | None
    group: str | None
    waiver: dict[str, Any] | None


class WrittenPutRight(_Written):
    """By whom and by when findings are put right."""

    on: Annotated[date, Field(strict=False)]
    by: str


Count = Annotated[int, Field(ge=0)]


class WrittenOutcomes(_Written):
    """How often a rule came out in each way, as far as it counts."""

    compliant: Count
    breach: Count
    not_evidenced: Count


class WrittenRule(_Written):
    """What became of a rule."""

    id: Text
    status: Text
    cites: list[str]
    outcomes: WrittenOutcomes
    put_right: WrittenPutRight


class WrittenGone(_Written):
    """A finding of the audit before it that it no longer has."""

    fingerprint: Fingerprint
    became: str


class WrittenPrevious(_Written):
    """The audit before it."""

    no_longer_found: list[WrittenGone] = []


class WrittenAudit(_Written):
    """An audit."""

    as_at: Annotated[date, Field(strict=False)]
    personal: bool
    by: str | None
    rules: list[WrittenRule]
    findings: list[WrittenFinding]
    previous: WrittenPrevious | None


def written(document: object) -> WrittenAudit:
    """The JSON of an audit.

    Raises:
      ValueError: it is none; the message says where it is not as an audit writes it, and quotes nothing.
    """
    try:
        return WrittenAudit.model_validate(document)
    except ValidationError as e:
        loc = [str(part + 1) if isinstance(part, int) else part for part in e.errors(include_url=False)[0]["loc"]]
        known = [part for part in loc if part.isdigit() or part.isidentifier()]
        raise ValueError(f"{', '.join(known) or 'the whole'} is not as an audit of this version writes it") from e
