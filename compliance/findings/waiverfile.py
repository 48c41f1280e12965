"""The file of accepted risks as people write it; read, checked, and added to without a word of it rewritten (I/O)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from compliance.errors import ComplianceError, Location, Problem, nearest
from compliance.files import documents
from compliance.files.strict import Day, Line, Problems, Slug, Strict, validated
from compliance.findings.waivers import Waiver, Wrong, too_long
from compliance.findings.written import HOW, WrittenFinding, written
from compliance.model import fingerprint, fingerprint_rest

ITEM = re.compile(r"^( *)- ", re.MULTILINE)
Key = Annotated[str, Field(min_length=1)] | int
HEAD = """\
# Risks that are accepted for a time. A finding that is accepted stays a finding, and a breach of law a breach.
waivers:
"""


class WaiverModel(Strict):
    """A finding whose risk is accepted for a time, and on whose authority."""

    id: Slug
    finding: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = Field(
        None, description="The finding's fingerprint; or name rule and subject"
    )
    rule: Slug | None = None
    subject: Key | None = Field(None, description="The key of the record")
    part: Key | None = Field(None, description="The item of a list, where the rule is asked once for each")
    own_policy: bool = Field(False, description="The finding by the agency's own, stricter figure")
    outcome: Literal["breach", "not_evidenced"] = Field(description="What is accepted; the other is another fact")
    reason: Line
    legal_basis: Line | None = Field(None, description="Required where the rule checks a requirement of law")
    approved_by: Line = Field(description="A role, not a name")
    from_: Day = Field(alias="from")
    until: Day = Field(description="The last day, inclusive; at most 12 months from the first")
    rests_on: dict[str, Any] = Field(
        {}, description="Names and values of the evidence as it was; the waiver lapses when one is not so any more"
    )
    failed: list[str] | None = Field(
        None, description="Conditions that were not met; the waiver lapses when another is not"
    )


class WaiversModel(Strict):
    """The risks that an agency has accepted."""

    waivers: list[WaiverModel] | None = Field(description="One for each finding and time")


def read(path: Path) -> tuple[Waiver, ...]:
    """The waivers of a file.

    Raises:
      ComplianceError: with every mistake that can be seen without the rules.
    """
    return _parsed(path, documents.load_yaml(path))


def _parsed(path: Path, document: object) -> tuple[Waiver, ...]:
    problems = Problems(lambda loc: documents.locate(path, loc))
    model = validated(WaiversModel, document, problems)
    found = [_waiver(n, w, problems) for n, w in enumerate((model.waivers if model else None) or ())]
    ids = set[str]()
    for n, waiver in enumerate(found):
        if waiver.id in ids:
            problems.add(("waivers", n, "id"), f"there is another waiver '{waiver.id}'", "Give each an id of its own")
        ids.add(waiver.id)
    if problems.found:
        raise ComplianceError(f"{path.name} cannot be used; nothing was audited.", problems.found)
    return tuple(found)


def refused(path: Path, wrong: Iterable[Wrong]) -> ComplianceError | None:
    """What is wrong with the waivers of a file, with its places; None: nothing."""
    problems = [
        Problem(documents.locate(path, ("waivers", n, key)), f"waivers.{n}.{key}: {what}", help_)
        for n, key, what, help_ in wrong
    ]
    return ComplianceError(f"{path.name} cannot be used.", problems) if problems else None


def _waiver(n: int, w: WaiverModel, problems: Problems) -> Waiver:
    at = ("waivers", n)
    if (w.rule is None) != (w.subject is None) or (w.finding is None and w.rule is None):
        what = f"waiver '{w.id}' does not say of which finding it is"
        problems.add(
            (*at, "id"), what, "Give finding: (a fingerprint), or rule: and subject: (and part:), or all of them"
        )
    elif w.rule is None and (w.part is not None or w.own_policy):
        problems.add((*at, "id"), f"waiver '{w.id}' has a part or own_policy of no rule", "Give rule: and subject: too")
    first, last = problems.day((*at, "from"), w.from_), problems.day((*at, "until"), w.until)
    wrong = too_long(first, last)
    if wrong:
        problems.add((*at, "until"), f"waiver '{w.id}': {wrong}")
    return Waiver(
        id=w.id,
        finding=w.finding or "",
        rule=w.rule or "",
        subject="" if w.subject is None else str(w.subject),
        part="" if w.part is None else str(w.part),
        own_policy=w.own_policy,
        outcome=w.outcome,
        reason=w.reason,
        legal_basis=w.legal_basis or "",
        approved_by=w.approved_by,
        from_on=first,
        until=last,
        rests_on=w.rests_on,
        failed=None if w.failed is None else tuple(w.failed),
    )


# --- accepting a finding --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Terms:
    """On what terms a finding is accepted.

    Args:
      id: empty: made of the rule's and the fingerprint.
      from_on: None: the day of the audit that found it.
    """

    reason: str
    legal_basis: str
    approved_by: str
    until: date
    from_on: date | None = None
    id: str = ""


def accept(findings: Path, named: Sequence[str], terms: Terms, to: Path) -> Waiver:
    """Adds a waiver of a finding to the end of a file, which is made if it is not there.

    Args:
      findings: the JSON of an audit.
      named: a fingerprint, or rule, subject and, if it has one, part.

    Raises:
      ComplianceError: there is no such finding, it may not be accepted so, or it is accepted then already.
    """
    as_at, finding = _finding(findings, named)
    rule, subject = finding.rule, finding.subject
    key, part, print_ = subject.key, subject.part or "", finding.fingerprint
    own = print_ == fingerprint(rule, subject.record, key, fingerprint_rest(part, True))
    first = terms.from_on or as_at
    wrong = too_long(first, terms.until)
    if first < as_at:
        wrong = f"it begins on {first}, before the audit as at {as_at} that found it"
    if finding.layer == "statute" and not terms.legal_basis.strip():
        wrong = f"'{rule}' checks a requirement of law; say with --legal-basis what in law allows for the departure"
    if wrong:
        raise ComplianceError(f"The risk cannot be accepted: {wrong}.")
    there = read(to) if to.exists() else ()
    waiver = Waiver(
        id=terms.id or _free(f"{rule}-{print_[:8]}", {w.id for w in there}),
        finding=print_,
        rule=rule,
        subject=key,
        part=part,
        own_policy=own,
        outcome=finding.outcome,
        reason=terms.reason,
        legal_basis=terms.legal_basis,
        approved_by=terms.approved_by,
        from_on=first,
        until=terms.until,
        rests_on=finding.evidence,
        failed=tuple(finding.failed),
    )
    unfit = Problems(lambda loc: Location(str(to)))
    validated(WaiverModel, _document(waiver), unfit)
    if unfit.found:
        raise ComplianceError(f"The risk cannot be accepted: {'; '.join(p.what for p in unfit.found)}.")
    if waiver.id in {w.id for w in there}:
        raise ComplianceError(f"There is another waiver '{waiver.id}' in {to}; give --id.")
    same = (rule, key, part, own)
    for other in there:
        named_too = other.finding == print_ or (other.rule, other.subject, other.part, other.own_policy) == same
        if named_too and other.runs_with(waiver):
            days = f"from {other.from_on} until {other.until}"
            raise ComplianceError(
                f"The finding is accepted {days} already: '{other.id}' in {to}. If that has lapsed, set its until to a day"
                f" before {waiver.from_on}; to go on after it, give --from."
            )
    _append(to, waiver, there)
    return waiver


def _free(id_: str, taken: set[str]) -> str:
    n, free = 1, id_
    while free in taken:
        n += 1
        free = f"{id_}-{n}"
    return free


def _finding(path: Path, named: Sequence[str]) -> tuple[date, WrittenFinding]:
    try:
        audit = written(documents.load_json(path))
    except ValueError as e:
        raise ComplianceError(f"{path} is not the JSON of an audit: {e}. {HOW}.") from e
    if audit.personal:
        what = "what a waiver rests on would hold what is personal"
        raise ComplianceError(f"{path} was made with --personal, and {what}. Make it without.")
    of: dict[tuple[str, ...], list[WrittenFinding]] = {}
    for f in audit.findings:
        whole = (f.rule, f.subject.key, *([f.subject.part] if f.subject.part else []))
        of.setdefault((f.fingerprint,), []).append(f)
        of.setdefault(whole, []).append(f)
    its = of.get(tuple(named), [])
    if len(its) == 1:
        return audit.as_at, its[0]
    said = " ".join(named)
    if its:
        prints = " and ".join(f"{f.fingerprint} ({f.layer})" for f in its)
        raise ComplianceError(f"{path} has {len(its)} findings '{said}': say which by its fingerprint, {prints}.")
    near = nearest(said, (" ".join(n) for n in of))
    raise ComplianceError(f"{path} has no finding '{said}'{near or '.'}")


def _append(path: Path, waiver: Waiver, there: tuple[Waiver, ...]) -> None:
    """Adds the waiver as text, having made sure that the file then says what it said, and this.

    Raises:
      ComplianceError: the file is written in a way that cannot be added to.
    """
    before = HEAD
    if path.exists():
        # Line ends and a byte-order mark stay as they are.
        before = path.read_bytes().decode("utf-8")
    end = "\r\n" if "\r\n" in before else "\n"
    item = ITEM.search(before)
    indent = item[1] if item else "  "
    text = before + ("" if before.endswith("\n") else end)
    if there:
        text += end
    text += end.join(f"{indent}{line}" for line in _lines(_document(waiver))) + end
    how = "Write its waivers as a list, each beginning with a dash on a line of its own, and nothing after them"
    try:
        whole = _parsed(path, documents.load_yaml(path, text.removeprefix("\ufeff")))
    except ComplianceError as e:
        said = "; ".join(p.what for p in e.problems)
        raise ComplianceError(f"{path} cannot be added to: with the new waiver, {said}. {how}.") from e
    if whole != (*there, waiver):
        raise ComplianceError(f"{path} cannot be added to. {how}.")
    documents.write_kept(path, text)


def _document(w: Waiver) -> dict[str, object]:
    """A waiver as its file has it."""
    whole: dict[str, object] = {
        "id": w.id,
        "finding": w.finding,
        "rule": w.rule,
        "subject": w.subject,
        "part": w.part or None,
        "own_policy": w.own_policy or None,
        "outcome": w.outcome,
        "reason": w.reason,
        "legal_basis": w.legal_basis or None,
        "approved_by": w.approved_by,
        "from": w.from_on.isoformat(),
        "until": w.until.isoformat(),
        "rests_on": dict(w.rests_on) or None,
        "failed": list(w.failed or ()),
    }
    return {name: value for name, value in whole.items() if value is not None}


def _lines(document: Mapping[str, object]) -> list[str]:
    lines = []
    for name, value in document.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {documents.yaml_text(k)}: {documents.yaml_value(v)}" for k, v in value.items())]
        else:
            lines.append(f"{name}: {documents.yaml_value(value)}")
    return [("- " if i == 0 else "  ") + line for i, line in enumerate(lines)]
