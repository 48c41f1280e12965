"""The words of the project as types. Frozen; imports nothing of ours but the shape of a problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Generic, Literal, NamedTuple, TypeVar

T = TypeVar("T")

FieldType = Literal["text", "date", "integer", "number", "boolean", "list"]
Unit = Literal["days", "weeks", "months", "years", "working_days"]
Frequency = Literal["week", "month", "quarter", "term", "year"]
Outcome = Literal["compliant", "breach", "not_evidenced", "pending", "not_applicable"]
Standing = Literal["open", "late", "past"]
Severity = Literal["requirement", "recommendation", "advice"]
Layer = Literal["statute", "standard", "good practice", "local policy"]

OUTCOMES: tuple[Outcome, ...] = ("compliant", "breach", "not_evidenced", "pending", "not_applicable")
STANDINGS: tuple[Standing, ...] = ("open", "late", "past")
"""Of a finding, in the order in which they are told: still to be done or to be shown; done since, too late; behind, for good."""
LAYERS: tuple[Layer, ...] = ("statute", "standard", "good practice", "local policy")
"""Firmest first."""
SEVERITIES: tuple[Severity, ...] = ("requirement", "recommendation", "advice")
"""Most serious first."""


# --- record kinds ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record kind; the keywords are explained in docs/records.md.

    Args:
      id_of: the kind of what its value names: of the record itself, of the one that a link leads to, or of something of which there
        are no records; empty where it names nothing.
      kind_in: instead, the field that says of which kind that is.
      title: what a sentence calls it, a noun phrase that takes "the".
      empty: what a reader is told where it is empty and that is no lack: `still going on`; empty: that it is not recorded.
      sort: it says of which sort the record is; one of another sort is nothing near to what is asked.
      not_before: dates of the same record before which it cannot lie; `birth`: it is the day on which somebody was born.
      shown_by: what shows that it is not empty but lacking; `shown_by_none`: why nothing that is recorded could.
      absent_is_empty: an export without a column for it says that it is empty in every record.
    """

    name: str
    type: FieldType
    description: str
    codes: tuple[str, ...] = ()
    required: bool = False
    personal: bool = False
    unit: str = ""
    may_lie_ahead: bool = False
    known_from: str = ""
    in_doubt_before: str = ""
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    id_of: str = ""
    kind_in: str = ""
    title: str = ""
    empty: str = ""
    sort: bool = False
    not_before: tuple[str, ...] = ()
    birth: bool = False
    shown_by: tuple[Sign, ...] = ()
    shown_by_none: str = ""
    absent_is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Sign:
    """What shows that something has happened although the field that dates it is empty; see docs/records.md.

    Args:
      label: what a reader is told; `text`: the condition as it is written.
      steps: the records that it looks at beside its own: place 0 is the record itself, place n what the n-th step leads to.
      clues: what must all be so of one record at each place.
    """

    label: str
    text: str
    steps: tuple[Step, ...]
    clues: tuple[Clue, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """From the record at a place up `path`, then down `link`."""

    start: int
    path: tuple[Link, ...]
    link: Link


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of the record at a place, or above it by `path`."""

    place: int
    path: tuple[Link, ...]
    kind: str
    field: str


ClueTest = Literal["filled", "is", "is not", "come", "==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Clue:
    """One thing that must be so, from the day on which all that it names is known.

    Args:
      test: the cell is filled; is, or is not, one of `codes` (of a yes or no: `true`); its day has come; or how its day compares with that
        of `other`.
    """

    test: ClueTest
    cell: Cell
    codes: tuple[str, ...] = ()
    other: Cell | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link up from `kind` by `field` to the kind `to`, whose link down is called `back`."""

    name: str
    kind: str
    to: str
    field: str
    back: str


RECORDED_ON = "recorded_on"
"""The field of every record kind that says when a record was written into the system; as at an earlier day it is not there."""


@dataclass(frozen=True)
class RecordKind:
    """A table of records.

    Args:
      counts_from: the first of these that is filled is the day since which a record is there, unless it was `RECORDED_ON` a later one.
    """

    name: str
    title: str
    description: str
    group: str
    key: str
    date: str
    counts_from: tuple[str, ...]
    fields: Mapping[str, Field]
    links: Mapping[str, Link]


@dataclass(frozen=True)
class RecordKinds:
    """All record kinds, and the links down that the links up imply."""

    kinds: Mapping[str, RecordKind]

    @cached_property
    def down(self) -> Mapping[str, Mapping[str, Link]]:
        """For each kind, its links down by name; each is the child's link up."""
        found: dict[str, dict[str, Link]] = {name: {} for name in self.kinds}
        for kind in self.kinds.values():
            for link in kind.links.values():
                found[link.to][link.back] = link
        return found

    def __getitem__(self, name: str) -> RecordKind:
        return self.kinds[name]

    def __contains__(self, name: object) -> bool:
        return name in self.kinds


# --- what an export gave --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """One file or sheet read as one record kind; a table's `src` column is its position in `Tables.sources`.

    Args:
      rows: its records, as the engine counts them in the end.
      in_file: its rows below the header, as they were counted in the file: those above and the three that follow.
      left_out: those without content, and those that the mapping leaves out.
      unusable: those that are told as such that cannot be used.
      repeated: those whose key an earlier row bears.
    """

    file: str
    sheet: str
    record: str
    rows: int
    in_file: int = 0
    left_out: int = 0
    unusable: int = 0
    repeated: int = 0

    @property
    def label(self) -> str:
        """What findings call it."""
        return self.file + (f" [{self.sheet}]" if self.sheet else "")


@dataclass(frozen=True, slots=True)
class Table:
    """What the engine holds of one record kind, in `t_<kind>`.

    Args:
      rows: how many.
      columns: the fields that the export (or the mapping's `set`) supplies; the others do not exist.
      doubted: fields with unreadable cells; each has a boolean column `doubt__<field>`.
      links: links up that could be followed; each has a column `link__<name>` with the parent's `rid`.
      near: links whose cells name nobody in some row, but nearly the key of one record; each has a column `link__<name>?` with that `rid`.
      adrift: links by which some row belongs to nobody; each has a boolean column `adrift__<name>`.
      unusable: rows that cannot be used, though they may be records, in `t_<kind>?`; that has the columns `link__<name>` alone.
      shown: fields that are empty somewhere although their signs show that something happened; each has a column `sign__<field>`, which
        sign it is by its place, and `shown__<field>`, from which day on.
      order: a column that puts records of the same day in the order of their own ids, where pseudonyms stand for these; empty: the
        key does.
    """

    rows: int
    columns: frozenset[str]
    doubted: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()
    adrift: frozenset[str] = frozenset()
    unusable: int = 0
    order: str = ""
    shown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A cell (or a whole row, `field` empty) that did not fit. `value` is empty where the field is personal, unless that is asked for.

    Args:
      row: the row of the sheet, the header being row 1.
      column: what the export calls the field.
    """

    file: str
    row: int
    record: str
    field: str
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Empty cells of one file and field although one sign shows that something happened.

    Args:
      row: the first of them, the header being row 1; `rows`: how many.
      though: what shows it.
      rules: how many of those that ran read the field; 0: that was not asked.
    """

    file: str
    record: str
    field: str
    row: int
    rows: int
    though: str
    rules: int = 0

    @property
    def told(self) -> str:
        """In a sentence."""
        where = f"row {self.row:,}" if self.rows == 1 else f"{self.rows:,} rows, the first row {self.row:,}"
        read = f"; {self.rules:,} {'rule reads' if self.rules == 1 else 'rules read'} it" if self.rules else ""
        return f"{self.file}: {self.record}.{self.field} is empty in {where}, though {self.though}{read}."


LONG = 28
"""Days without a new record after which it is asked whether that is long for its kind."""
OFTEN = 24
"""Days of a year with records of a kind, from which on it can be told what is long for it."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest record of a kind by the day that is looked from, by its own date.

    Args:
      days: on how many days of the year up to it there were records; `apart`: the most days between two of these.
    """

    record: str
    on: date
    days: int
    apart: int

    def silent(self, day: date) -> bool:
        """Whether by `day` nothing has come for twice as long as ever in the year before."""
        return self.days >= OFTEN and (day - self.on).days > max(LONG, 2 * self.apart)


@dataclass(frozen=True)
class Tables:
    """An export in the engine.

    Args:
      absent: record kinds that the export lacks although a mapping or file was expected for them, with the reason.
      notes: what a person should know but nothing fails on: files and columns that nothing reads, rows left out.
      n_quarantined: cells and rows that did not fit; the engine's table `quarantine` holds them.
      unrecorded: fields that are empty although signs show by the day that is looked from that something happened.
      astray: where rows of the export went astray in the program, in sentences; none: every row is accounted for.
      newest: the newest record of each kind that has a date of its own, by the day that is looked from.
      later: which records were written into the system after the day that is looked from, in a sentence; empty: none.
      covers: the first and the last day whose events of a record kind the export has, where its mapping says that it has not all.
      services: which kinds of service the `agency` records name; empty where none is known.
      named: what they call the service; empty where there is no name, or several.
      empty: record kinds of which the export has a file or sheet, and no record in it.
      personal: what is personal is shown.
      pseudonyms: the mark of the key by which ids were made pseudonyms; empty: they are the export's own.
      remarks: what stands at the head of whatever is told of it.
    """

    tables: Mapping[str, Table]
    sources: tuple[Source, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    n_quarantined: int = 0
    services: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    covers: Mapping[str, tuple[date, date]] = field(default_factory=dict)
    later: str = ""
    astray: tuple[str, ...] = ()
    unrecorded: tuple[Unrecorded, ...] = ()
    newest: tuple[Newest, ...] = ()
    personal: bool = False
    pseudonyms: str = ""
    named: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """What a person should know of the data, line by line."""
        return (*self.notes, *(u.told for u in self.unrecorded))

    @property
    def void(self) -> str:
        """How many cells are empty although other records show that something happened, in a sentence; empty: none."""
        n = sum(u.rows for u in self.unrecorded)
        cells = (
            "cell is empty although another record shows" if n == 1 else "cells are empty although other records show"
        )
        return f"{n:,} {cells} that something happened." if n else ""

    def read_by(self, readers: Mapping[str, int]) -> Tables:
        """The same, once it is known how many rules read each field."""
        its = (replace(u, rules=readers.get(f"{u.record}.{u.field}", 0)) for u in self.unrecorded)
        return replace(self, unrecorded=tuple(its))

    @property
    def subjects(self) -> frozenset[str]:
        """Record kinds of which the export holds a record, or was meant to have a file."""
        # A kind that it was meant to hold and lacks is a fault to be told, not a subject that it leaves out.
        return frozenset({*self.tables, *self.absent} - self.empty)


# --- the law --------------------------------------------------------------------------------------------------------


OWED = ("must", "must_not", "should")
"""Modalities of duties that can be fallen short of; the others allow, define or set a condition."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One entry of an instrument's catalogue; dates in force are inclusive, None where no end is known.

    Args:
      title: what it is called; `summary`: what it asks, in our own words.
      subject: what it is about, in the catalogue's words; `duty_on`: who owes it.
      binds: which kinds of service: all, fostering_agency, independent_fostering_agency or local_authority_service.
    """

    id: str
    instrument: str
    ref: str
    title: str
    layer: Layer
    modality: str
    checkable: str
    from_on: date
    to_on: date | None
    confidence: str
    note: str = ""
    summary: str = ""
    subject: str = ""
    binds: str = "all"
    duty_on: str = ""
    verification: str = ""

    @property
    def hedge(self) -> str:
        """How sure it is, in a few words; empty: its text was read, and nothing is in doubt."""
        said = {"recalled": "recalled, not read", "secondary": "known from a secondary source"}.get(self.verification)
        return said or {"medium": "medium confidence", "low": "low confidence"}.get(self.confidence, "")


@dataclass(frozen=True)
class Instrument:
    """Law, a standard or guidance, as its catalogue has it.

    Args:
      looked_at_on: the day on which it, what amends it and what replaces it were last looked for; None: the catalogue does not say.
    """

    title: str
    looked_at_on: date | None = None


def in_force(duty: Duty, day: date) -> bool:
    """Whether a duty is in force on a day."""
    return duty.from_on <= day and (duty.to_on is None or day <= duty.to_on)


SERVICES: Mapping[str, frozenset[str]] = {
    "independent_fostering_agency": frozenset({"independent fostering agency"}),
    "fostering_agency": frozenset({"independent fostering agency", "voluntary fostering agency"}),
    "local_authority_service": frozenset({"local authority service"}),
    "all": frozenset({"independent fostering agency", "voluntary fostering agency", "local authority service"}),
}
"""Whom a duty binds, as the catalogues say it, in the codes of `agency.kind`."""


# --- rules ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """A length of time, `amount` not negative."""

    amount: int
    unit: Unit

    def __str__(self) -> str:
        unit = self.unit.replace("_", " ")
        return f"{self.amount} {unit[:-1] if self.amount == 1 else unit}"


Value = Limit | int
"""What a parameter may be."""
Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """Versions of a value, each holding from its day; in order of the days. The first holds before its day as well."""

    versions: tuple[tuple[date, T], ...]

    def on(self, day: date) -> T:
        """The version in force on `day`."""
        chosen = self.versions[0][1]
        for since, value in self.versions:
            if since <= day:
                chosen = value
        return chosen


Items = tuple[Scalar, ...]
"""What a list holds."""
Entry = Dated[Items] | Dated[Scalar]
"""What a table says for a key."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days that a pack names, both ends included; `to_on` None: still running."""

    from_on: date
    to_on: date | None


@dataclass(frozen=True, slots=True)
class FactText:
    """What the law makes of several fields of a kind, as written."""

    name: str
    kind: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A figure that the law leaves to judgement. `value` None: switched off.

    Args:
      local: the agency's own figure, where that does not take the place of one of law or of a standard.
    """

    name: str
    title: str
    value: Dated[Value] | None
    unit: str
    basis: str
    source: str
    note: str = ""
    overridden_by: str = ""
    local: Dated[Value] | None = None


@dataclass(frozen=True, slots=True)
class PutRight:
    """By when, counted from the audit, and by whom a finding is to be put right."""

    within: Limit
    by: str
    workstream: str


Within = Dated[Limit | None] | str
"""A limit by its dates (None: suspended), or the name of the parameter that holds it."""


@dataclass(frozen=True, slots=True)
class Regime:
    """A limit, and the condition (as written) under which it counts; the last of several has none.

    Args:
      cites: ids of the duties that set this limit, of those that the rule cites; empty: the rule's.
    """

    within: Within
    condition: str = ""
    cites: tuple[str, ...] = ()


NEVER = "never"
"""Written for `done_since`: nothing that is done later is what was asked, and the record stays to be put right."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A labelled condition of `require`; expressions as written.

    Args:
      done_since: whether what was asked was done after all, too late; empty: nobody says, and it stays open.
      past: whether it lies in the past and nobody can put it right any more; empty: no.
      cites: ids of the duties that ask this, of those that the rule cites; empty: the rule's.
    """

    label: str
    that: str
    done_since: str = ""
    past: str = ""
    cites: tuple[str, ...] = ()


class Wordings(NamedTuple):
    """What is said of a breach by its standing, and of what is not evidenced; empty: nothing of its own."""

    open: str = ""
    late: str = ""
    past: str = ""
    not_evidenced: str = ""

    def of(self, outcome: Outcome, standing: Standing) -> str:
        """What is said of one finding."""
        if outcome == "not_evidenced":
            return self.not_evidenced
        return {"open": self.open, "late": self.late, "past": self.past}[standing]


NOTHING_OWN = Wordings()


@dataclass(frozen=True, slots=True)
class Danger:
    """Why a child may be in danger while a finding is open, and the condition (as written) under which that is so; empty: always."""

    reasons: Wordings
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Expressions as written; `start` and `within`, or `by`."""

    done: str
    start: str = ""
    by: str = ""
    within: tuple[Regime, ...] = ()
    what: str = ""


@dataclass(frozen=True, slots=True)
class Every:
    """Expressions as written. `done` is a generator: `(r.held_on for r in reviews)`."""

    start: str
    done: str
    within: tuple[Regime, ...]
    until: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A small example with the outcome that it must give; `records` as written in the file."""

    name: str
    as_at: date
    records: Mapping[str, object]
    outcome: Outcome
    late: str = ""
    due_on: date | None = None
    failed: tuple[str, ...] | None = None
    missing: tuple[str, ...] | None = None
    parameters: Mapping[str, Dated[Value] | None] = field(default_factory=dict)
    part: str = ""
    as_at_given: bool = True
    standing: Standing | None = None
    danger: bool | None = None


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A small change of a rule that changes no outcome, and why; see `rules test --mutants`."""

    mutant: str
    because: str


@dataclass(frozen=True)
class Rule:
    """A rule as its file has it; expressions are still text.

    Args:
      title, remedy: of the rule as a whole; `titles`, `remedies`: as its file has them by outcome and standing, if it has.
      check: the conditions of `require`, else a Deadline or an Every.
      unmet: what a condition of `require` that does not hold makes of the record.
      each: a name and, as written, the list for each item of which the rule is asked.
      from_on, to_on: in force, inclusive; from the file, else the widest span of the duties cited.
      regulation, standard, area: what its findings are grouped under; empty: it cites none.
      under: of each duty cited, the regulation and the standard that findings about this duty alone are grouped under.
      period: of a KPI, the periods by which it is measured.
      cites_list: the list of the pack that it cites, where it cites one: then each finding is about one duty of the list.
      only_with: the record kinds of which an export must hold one for its pack to be asked; empty: it is always asked.
      past: whether what the rule asks lies in the past and nobody can do it any more, as written; empty: no.
      danger: whether a child may be in danger while a finding is open.
      part_of: of duties of which it asks a part the id, and what it does not ask.
      repeats: ids of rules that ask the same of the same record, whose finding comes first.
    """

    id: str
    pack: str
    title: str
    cites: tuple[Duty, ...]
    record: str
    when: str
    judged_on: str
    check: tuple[Condition, ...] | Deadline | Every
    severity: Severity
    put_right: PutRight
    remedy: str
    show: tuple[str, ...]
    note: str
    from_on: date
    to_on: date | None
    file: str
    cases: tuple[Case, ...] = ()
    regulation: str = ""
    standard: str = ""
    area: str = ""
    under: tuple[tuple[str, str], ...] = ()
    cites_list: str = ""
    only_with: tuple[str, ...] = ()
    part_of: tuple[tuple[str, str], ...] = ()
    repeats: tuple[str, ...] = ()

    def said(self, text: str, part: str) -> str:
        """A text with the item in its place: `{name}`; if it is a duty, `{name.title}`, `{name.ref}` and `{name.summary}` too.

        Args:
          part: the item; empty: the text speaks of any.
        """
        if self.each is None:
            return text
        name = self.each[0]
        duty = next((d for d in self.cites if d.id == part), None)
        words = {f"{{{name}}}": part or f"the {name.replace('_', ' ')}"}
        if duty is not None:
            of_duty = (duty.title, duty.ref, duty.summary.rstrip("."))
        else:
            of_duty = ("the duty", "its reference", "what the duty asks")
        words |= {f"{{{name}.{key}}}": said for key, said in zip(("title", "ref", "summary"), of_duty, strict=True)}
        for placeholder, said in words.items():
            if text.startswith(placeholder):
                said = said[:1].upper() + said[1:]
                text = said + text.removeprefix(placeholder)
            text = text.replace(placeholder, said)
        return text

    unmet: Literal["breach", "not_evidenced"] = "breach"
    each: tuple[str, str] | None = None
    equivalent: tuple[Equivalent, ...] = ()
    period: Frequency | None = None
    titles: Wordings = NOTHING_OWN
    remedies: Wordings = NOTHING_OWN
    past: str = ""
    danger: Danger | None = None


@dataclass(frozen=True)
class Pack:
    """The rules for one instrument or framework, and the figures and lists they share."""

    name: str
    title: str
    rules: tuple[Rule, ...]
    parameters: Mapping[str, Parameter]
    lists: Mapping[str, Dated[Items]]
    tables: Mapping[str, Mapping[str, Entry]]
    periods: Mapping[str, Period] = field(default_factory=dict)
    facts: tuple[FactText, ...] = ()
    only_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """A duty that only reading can settle, as an audit asks it; plain data, so that it can be cached.

    Args:
      question: what is to be answered.
      record: the record kind to be read.
      binds: which kinds of service, in the codes of `agency.kind`.
      from_on, to_on: in force, inclusive.
    """

    duty: str
    ref: str
    title: str
    instrument: str
    question: str
    record: str
    binds: tuple[str, ...]
    from_on: date
    to_on: date | None


@dataclass(frozen=True, slots=True)
class Prompted:
    """A prompt with what was drawn for it.

    Args:
      records: how many there are to draw from; None: the export has none of this kind.
      read: keys, each with what made it likelier to be drawn: findings, longest unseen, newest.
      left_out: why it is not asked; empty if it is.
    """

    prompt: Prompt
    records: int | None = None
    read: tuple[tuple[str, tuple[str, ...]], ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody who read a record found, for a duty that only reading can settle.

    Args:
      answer: met, not met or not evidenced.
      role: of the reader.
    """

    duty: str
    record: str
    key: str
    answer: str
    read_on: date
    role: str


# --- an audit -------------------------------------------------------------------------------------------------------

Status = Literal["ran", "looked at nothing", "could not run", "not in force", "switched off", "failed"]
RAN: tuple[Status, ...] = ("ran", "looked at nothing")
"""The rule was asked, and its findings are all that there are."""


def fingerprint_rest(part: str, own_policy: bool) -> str:
    """What a fingerprint is made of beside rule, kind and key."""
    return "".join(f"\x1f{x}" for x in (part, "own policy" if own_policy else "") if x)


def fingerprint(rule: str, record: str, key: str, rest: str) -> str:
    """What names a finding from audit to audit; the engine makes it in the same way."""
    return sha256(f"{rule}\x1f{record}\x1f{key}{rest}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What a reader of findings must know of a rule; plain data, so that it can be cached and written out.

    Args:
      cites, refs: duty ids and their references; the first is the one quoted.
      parameters: name, value as text, basis, and where the figure comes from.
      why: why it could not run, empty if it can.
      regulation, standard, area: what its findings are grouped under; empty: it cites none.
      lacking: what the export would have to supply for it to run: record kinds, and fields as `kind.field`.
      part: the item of a list for which it is asked; empty where it is asked once.
      own_policy: where the agency's own, stricter figure comes from, if this is the rule as read by that; else empty.
      titles, remedies: what a finding is called and what puts it right, where that is not `title` and `remedy`.
      dangers: why a child may be in danger while a finding is open.
      owed_by: who owes what it asks, where that is not the service; empty: the service does.
      repeats: ids of rules that ask the same of the same record, whose finding comes first.
    """

    id: str
    pack: str
    title: str
    record: str
    cites: tuple[str, ...]
    refs: tuple[str, ...]
    layer: Layer
    severity: Severity
    put_right: PutRight
    remedy: str
    note: str
    parameters: tuple[tuple[str, str, str, str], ...]
    status: Status
    why: str = ""
    lacking: tuple[str, ...] = ()
    regulation: str = ""
    standard: str = ""
    area: str = ""
    part: str = ""
    own_policy: str = ""
    titles: Wordings = NOTHING_OWN
    remedies: Wordings = NOTHING_OWN
    dangers: Wordings = NOTHING_OWN
    owed_by: str = ""
    repeats: tuple[str, ...] = ()

    @property
    def rest(self) -> str:
        """What its findings' fingerprints are made of beside rule, kind and key."""
        return fingerprint_rest(self.part, bool(self.own_policy))

    def fingerprint(self, key: str) -> str:
        """What names its finding about a record from audit to audit."""
        return fingerprint(self.id, self.record, key, self.rest)

    @property
    def requirement(self) -> str:
        """What a report of an inspection would head its findings with: the regulation, or the standard; empty for advice."""
        return {"requirement": self.regulation, "recommendation": self.standard}.get(self.severity, "")


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """What a rule asks, for formats that tell it beside what became of it; plain data.

    Args:
      sentences: what it asks; `conditions`: each that must hold by its label, with what it means.
    """

    cites: tuple[Duty, ...]
    sentences: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...]

    @property
    def vouched(self) -> bool:
        """Whether it asks for what a person vouches for, where no record can show it."""
        return bool(self.cites) and all(d.checkable == "attestation" for d in self.cites)


NOT_TOLD = WrittenRule((), (), ())
"""Of a rule of which nobody has said what it asks."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What became of a rule: how many records had each outcome; all 0 if it did not run."""

    rule: RuleInfo
    status: Status
    why: str
    compliant: int = 0
    breach: int = 0
    not_evidenced: int = 0
    pending: int = 0
    not_applicable: int = 0

    @property
    def checked(self) -> int:
        """Records that the rule applies to."""
        return self.compliant + self.breach + self.not_evidenced + self.pending


@dataclass(frozen=True, slots=True)
class Able:
    """Whether a rule can run on an export; `lacking` as in `RuleInfo`."""

    status: Status
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rules can run on an export as at any day from `valid_from` to `valid_to`, by their ids.

    Args:
      readers: how many of those that can read each field that is empty somewhere although signs show that something happened.
    """

    rules: Mapping[str, Able]
    readers: Mapping[str, int]
    valid_from: date
    valid_to: date


class Restated(NamedTuple):
    """Found by an earlier audit, and again.

    Args:
      since: the day of the first audit, of those that follow on each other, that found it.
      times: how many of them did, this one included.
    """

    since: str
    times: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a finding says of the waiver that is in force for it; it stays a finding.

    Args:
      id: the waiver's.
      until: inclusive.
      approved_by: a role.
    """

    id: str
    until: date
    reason: str
    approved_by: str


class Whose(NamedTuple):
    """Whose file a record belongs to: a child's, a household's or a member of staff's.

    Args:
      name: of whom; empty unless what is personal is shown.
    """

    record: str
    key: str
    name: str = ""


class Near(NamedTuple):
    """The linked record that came nearest to what a finding's duty asks, or that is what none may be.

    Args:
      source: its file or sheet; `row` there.
      named: it as a sentence begins; `why`: how that goes on, with what it has or lacks; `later`: a sentence on those after it.
    """

    record: str
    key: str
    source: Source
    row: int
    named: str
    why: str = ""
    later: str = ""

    def words(self, place: str = "") -> str:
        """What is said of it; `place`: where it stands."""
        return " ".join(x for x in (f"{self.named}{place}{self.why}.", self.later) if x)


NO_LABELS: Mapping[str, str] = MappingProxyType({})


class Finding(NamedTuple):
    """A breach, or something not evidenced. There may be millions: a tuple is made in a fifth of the time of a frozen dataclass.

    Args:
      standing: of a breach; what is not evidenced is open, for it is still to be shown.
      danger: why a child may be in danger now; empty: nobody says so.
      failed: labels of the conditions that do not hold or are not shown.
      missing: fields that would be needed to tell.
      evidence: names and values, as text; what is personal is only said to be recorded, unless it was asked for.
      due_on: the day the duty fell due, where it has one.
      late: how late, to the day: `304 days`; `late_words`: as a person would say it, `ten months`.
      put_right_on: by when to put it right, counted from the audit.
      clause: id and reference of each duty that it falls short of, where the rule says which of several.
      group: what it is listed under, if groups were asked for.
      restated: if an earlier audit was given, and found it already.
      waiver: if the risk is accepted on the day of the audit.
      near: the linked record that came nearest to what is asked.
      name: of the person or household that it is about; empty where it is about none, or what is personal is not shown.
      whose: whose file it is in; None: nobody's.
      labels: what people call what `evidence` names.
      unless: which records, of those that belong to nobody, would have to be this one's for it to be no breach; empty: none.
    """

    rule: RuleInfo
    outcome: Outcome
    key: str
    argument: str
    failed: tuple[str, ...]
    missing: tuple[str, ...]
    evidence: Mapping[str, object]
    file: str
    row: int
    due_on: str
    late: str
    put_right_on: date
    group: str = ""
    restated: Restated | None = None
    waiver: Accepted | None = None
    standing: Standing = "open"
    danger: str = ""
    clause: tuple[tuple[str, str], ...] = ()
    near: Near | None = None
    name: str = ""
    whose: Whose | None = None
    late_words: str = ""
    labels: Mapping[str, str] = NO_LABELS
    unless: str = ""

    @property
    def in_full(self) -> str:
        """The sentence that argues it, and the record that came nearest, with its place."""
        if self.near is None:
            return self.argument
        near = self.near
        sheet = f", sheet {near.source.sheet}" if near.source.sheet else ""
        return f"{self.argument} {near.words(f' ({near.source.file}{sheet}, row {near.row})')}"

    @property
    def title(self) -> str:
        """What it is called."""
        return self.rule.titles.of(self.outcome, self.standing) or self.rule.title

    @property
    def remedy(self) -> str:
        """What puts it right, or what is to be learned of it where nothing does any more."""
        return self.rule.remedies.of(self.outcome, self.standing) or self.rule.remedy

    @property
    def cites(self) -> tuple[str, ...]:
        """Ids of the duties, those that it falls short of first."""
        return tuple(dict.fromkeys((*(id_ for id_, _ in self.clause), *self.rule.cites)))

    @property
    def refs(self) -> tuple[str, ...]:
        """Their references, in the same order."""
        return tuple(dict.fromkeys((*(ref for _, ref in self.clause), *self.rule.refs)))

    @property
    def fingerprint(self) -> str:
        """What names it from audit to audit."""
        return self.rule.fingerprint(self.key)


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that are listed together.

    Args:
      rules: each rule that has findings in it, and how many.
    """

    label: str
    rules: tuple[tuple[RuleInfo, int], ...]

    @property
    def by_rule(self) -> Mapping[str, int]:
        """How many findings each rule has, by its id."""
        found: dict[str, int] = {}
        for rule, n in self.rules:
            found[rule.id] = found.get(rule.id, 0) + n
        return found

    def n(self, severity: Severity) -> int:
        """How many findings of this severity."""
        return sum(n for rule, n in self.rules if rule.severity == severity)
