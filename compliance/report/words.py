"""How values are said in every format that people read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from compliance.dates import english, english_iso
from compliance.findings.waivers import EXPIRING_DAYS, Judged
from compliance.model import Accepted, Finding, Reading

_COMMAND = re.compile(r"(?m)(?<!\S)::(?=\S)|##(?=\w*\[)")
"""What a CI server obeys: `::error::` at the start of a line, wherever a text is wrapped; `##[error]`, `##vso[...]` anywhere."""


def printable(text: str) -> str:
    """`text` on one line and without control characters: nothing in a record can steer a terminal, or be a command to a CI server."""
    return _disarmed(_without_controls(text))


def printable_lines(text: str) -> str:
    """`text` without control characters, with lines of its own, for a format that escapes what it must."""
    return _without_controls(text, "\n")


def for_log(text: str) -> str:
    """The same for a terminal or a log, where a line could be a command."""
    return _disarmed(printable_lines(text))


def _without_controls(text: str, but: str = "") -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == but else "�" for c in text)


def _disarmed(text: str) -> str:
    return _COMMAND.sub(lambda m: " ".join((m[0][0], m[0][1:])), text) if "::" in text or "##" in text else text


def evidence_text(f: Finding) -> str:
    """`role: team manager; first day: 1 March 2021`; an empty value is left out."""
    told = (f"{f.labels.get(name, name)}: {value_text(v)}" for name, v in f.evidence.items() if v is not None)
    return "; ".join(told)


def raw_evidence(evidence: Mapping[str, object]) -> str:
    """`role: team manager; started_on: 2021-03-01`: as fields are called and dates are written in data."""
    return "; ".join(f"{name}: {value_text(value, str)}" for name, value in evidence.items())


_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
"""A text of a record may look like a date and be none."""


def value_text(value: object, day: Callable[[str], str] = english_iso) -> str:
    """One value of a finding's evidence.

    Args:
      day: how a date is written.
    """
    match value:
        case str() if _DATE.fullmatch(value):
            return day(value)
        case None:
            return "not recorded"
        case bool():
            return "yes" if value else "no"
        case list():
            if value and isinstance(value[0], dict):
                gaps = [[day(g[k]) for k in ("from", "done_on", "due_on")] for g in value]
                return ", ".join(f"{since} to {done}, due {due}" for since, done, due in gaps)
            return ", ".join(str(v) for v in value) or "none"
        case Decimal():
            return str(float(value))
    return str(value)


def head(remarks: Sequence[str]) -> str:
    """What stands at the head of a text, a line each and a blank one after."""
    return "".join(f"{printable(r)}\n" for r in remarks) + ("\n" if remarks else "")


def on_one_line(text: str) -> str:
    """`text` for what ends at a line end."""
    return " ".join(printable_lines(text).split())


def subject_text(f: Finding) -> str:
    """`staff S0012 (the Chief Inspector)`: the record that a finding is about, with the name where names are shown."""
    named = ", ".join(x for x in (f.name, f.rule.part) if x)
    of = f", {whose_text(f)}" if f.whose and f.whose.record != f.rule.record else ""
    return f"{f.rule.record.replace('_', ' ')} {f.key}" + (f" ({named})" if named else "") + of


def whose_text(f: Finding) -> str:
    """`child C0012`, with the name where names are shown: whose file a finding is in; empty: nobody's."""
    if f.whose is None:
        return ""
    return f"{f.whose.record} {f.whose.key}" + (f" ({f.whose.name})" if f.whose.name else "")


STANDING_WORDS = {"open": "", "late": "done since, late", "past": "past"}


def standing_text(f: Finding) -> str:
    """`a child may be in danger`, `not evidenced`, `done since, late` or `past`; nothing of a breach that is open."""
    said = ["danger"] if f.danger else []
    said += ["not evidenced"] if f.outcome == "not_evidenced" else []
    return ", ".join([*said, *([STANDING_WORDS[f.standing]] if f.standing != "open" else [])])


def muted_text(f: Finding) -> str:
    """Why a finding that is left out of what fails a run is."""
    return accepted_text(f.waiver) if f.waiver else "in the baseline"


def accepted_text(a: Accepted) -> str:
    """`accepted until 31 March 2022 (late-visit)`."""
    return f"accepted until {english(a.until)} ({a.id})"


def reading_text(r: Reading) -> str:
    """`read on 25 September 2021 by the team manager: not met`."""
    return f"read on {english(r.read_on)}{f' by the {r.role}' if r.role else ''}: {r.answer}"


def read_text(r: Reading) -> str:
    """`NMS-7-1, child C0012, read on 25 September 2021 by the team manager: not met`."""
    return f"{r.duty}, {r.record.replace('_', ' ')} {r.key}, {reading_text(r)}"


def why_text(j: Judged) -> str:
    """Why a waiver is worth what it is worth."""
    named = {"breach": "a breach", "not_evidenced": "not evidenced"}
    match j.state:
        case "lapsed":
            said = []
            if j.outcome is not None and j.outcome != j.waiver.outcome:
                said.append(f"what was {named[j.waiver.outcome]} is now {named[j.outcome]}")
            if j.changes:
                told = "; ".join(f"{c.name} was {value_text(c.was)}, is {value_text(c.now)}" for c in j.changes)
                said.append(f"the facts changed: {told}")
            said += [f"not accepted: {label}" for label in j.further]
            return "; ".join(said)
        case "expired":
            return "the finding is still there" if j.found else "the finding is not there"
        case "expiring":
            return f"ends within {EXPIRING_DAYS} days"
        case "not begun":
            return f"begins on {english(j.waiver.from_on)}"
    return j.why
