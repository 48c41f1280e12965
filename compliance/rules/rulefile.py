"""What a rule author writes, as pydantic models: rule files, `pack.yaml`, an agency's parameter file; and into the model.

Strict and closed: an unknown key is a mistake. The JSON Schemas that editors read are generated from here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from compliance import model
from compliance.dates import dated
from compliance.errors import nearest
from compliance.files.strict import (
    Day,
    LimitText,
    Line,
    Loc,
    Name,
    Problems,
    Slug,
    Strict,
    path_of,
    validated,
)
from compliance.findings.grouping import AREAS, Grouping

Expression = Annotated[str, Field(min_length=1, description="An expression; see docs/language.md")]
Within = LimitText | dict[Day, LimitText]
Workstream = Slug
Area = Annotated[
    Literal["experiences", "protection", "leadership"],
    Field(description="One of the three areas of the inspection framework"),
]


Past = Annotated[
    Literal[True] | Expression,
    Field(description="True, or true where this holds: it lies in the past and nobody can put it right any more"),
]
Remedy = Annotated[str, Field(min_length=1, max_length=1000)]


class PutRightModel(Strict):
    """By when and by whom a finding is put right."""

    within: LimitText
    by: Line
    workstream: Workstream


class RegimeModel(Strict):
    """A limit, and when it counts; the last of several has no `if`."""

    if_: Expression | None = Field(None, alias="if")
    within: Within
    cites: list[str] = []


class DeadlineModel(Strict):
    """Something that must happen within a time of something else, or by a day."""

    start: Expression | None = None
    by: Expression | None = None
    done: Expression
    within: Within | list[RegimeModel] | None = None
    what: Line | None = None


class EveryModel(Strict):
    """Something that must keep happening."""

    from_: Expression = Field(alias="from")
    done: Expression
    within: Within | list[RegimeModel]
    until: Expression | None = None
    what: Line | None = None


class SpanModel(Strict):
    """Dates in force, both inclusive."""

    from_: Day = Field(alias="from")
    to: Day | None = None


class ConditionModel(Strict):
    """A condition of `require` that says more than what must hold."""

    that: Expression
    done_since: Annotated[
        Expression | None, Field(description="True: what was asked was done after all, too late; `never`: nothing is")
    ] = None
    past: Past | None = None
    cites: Annotated[list[str], Field(description="The duties that ask this, of those that the rule cites")] = []


class TitlesModel(Strict):
    """What a finding is called, by what happened."""

    open: Line | None = None
    late: Line | None = None
    past: Line | None = None
    not_evidenced: Line | None = None


class RemediesModel(Strict):
    """What puts a finding right, by what happened; of what is late or past, what is to be learned."""

    open: Remedy | None = None
    late: Remedy | None = None
    past: Remedy | None = None
    not_evidenced: Remedy | None = None


class DangerModel(Strict):
    """Why a child may be in danger while a finding is open: a breach, or what is not evidenced; and under which condition."""

    open: Line | None = None
    not_evidenced: Line | None = None
    if_: Expression | None = Field(None, alias="if")


class CaseModel(BaseModel):
    """A small example; records stand under the names of kinds and links."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    name: Line
    as_at: Day | None = None
    outcome: Literal["compliant", "breach", "not_evidenced", "pending", "not_applicable"]
    late: str | None = None
    due_on: Day | None = None
    failed: list[str] | None = None
    missing: list[str] | None = None
    parameters: dict[str, str | int | dict[Day, str | int]] = {}
    part: str | None = None
    standing: Literal["open", "late", "past"] | None = None
    danger: bool | None = None


class EquivalentModel(Strict):
    """A mutant that no case can notice, by the name under which `rules test --mutants` prints it."""

    mutant: Annotated[str, Field(min_length=1)]
    because: Line


class RuleModel(Strict):
    """A rule file; docs/rules.md says what everything means."""

    id: Slug
    title: Line | TitlesModel
    cites: Annotated[list[str], Field(min_length=1)] | Name
    record: Name
    when: Expression | None = None
    judged_on: Expression | None = None
    require: dict[str, Expression | ConditionModel] | None = None
    deadline: DeadlineModel | None = None
    every: EveryModel | None = None
    past: Past | None = None
    danger: Line | DangerModel | None = None
    severity: Literal["requirement", "recommendation", "advice"]
    put_right: PutRightModel
    remedy: Remedy | RemediesModel
    show: list[str] = []
    note: str | None = None
    part_of: Annotated[
        dict[str, Line],
        Field(description="Duties of which the rule asks a part, each with what it does not ask"),
    ] = {}
    repeats: Annotated[
        list[Slug],
        Field(
            description="Rules that ask the same of the same record; where one of them has a finding, this one's is told with it"
        ),
    ] = []
    judgement: Area | None = None
    in_force: SpanModel | None = None
    unmet: Literal["breach", "not_evidenced"] = "breach"
    each: Annotated[dict[Name, Expression], Field(min_length=1, max_length=1)] | None = None
    cases: list[CaseModel] = []
    equivalent: list[EquivalentModel] = []


class ParameterModel(Strict):
    """A figure that the law leaves to judgement."""

    title: Line
    value: str | int | dict[Day, str | int]
    unit: (
        Literal[
            "days", "weeks", "months", "years", "working_days", "count", "references", "people", "pounds", "percent"
        ]
        | None
    ) = None
    basis: Literal["law", "standard", "good practice", "local policy"]
    source: Line
    note: str | None = None


ListModel = Annotated[list[str] | list[int], Field(min_length=1)]
EntryModel = str | int | ListModel | Annotated[dict[Day, str | int | ListModel], Field(min_length=1)]


class FactModel(Strict):
    """What the law makes of several fields of a kind."""

    title: Line
    is_: Expression = Field(alias="is")


class DutyQueryModel(Strict):
    """Which duties of a catalogue stand on a list; each while it is in force."""

    instrument: Line
    checkable: Literal["machine", "attestation", "judgement"]
    layer: model.Layer | None = None


class DutiesModel(Strict):
    """A list made of a catalogue: the ids of the duties that can be fallen short of."""

    duties: DutyQueryModel


class PackModel(Strict):
    """`pack.yaml`."""

    pack: Slug
    title: Line
    cases_as_at: Day
    only_with: Annotated[
        list[Name], Field(description="Asked only of exports that hold one of these record kinds; empty: of all")
    ] = []
    parameters: dict[Name, ParameterModel] = {}
    lists: dict[Name, ListModel | DutiesModel | Annotated[dict[Day, ListModel], Field(min_length=1)]] = {}
    tables: dict[Name, dict[str, EntryModel]] = {}
    periods: dict[Name, SpanModel] = {}
    facts: dict[Name, dict[Name, FactModel]] = {}


class ReadingModel(Strict):
    """Which records are read to answer a duty that only reading can settle."""

    subjects: dict[Name, Name] = {}
    duties: dict[str, Name] = {}


class GroupingModel(Strict):
    """What findings are grouped by."""

    names: dict[str, Line] = {}
    schedules: dict[str, dict[str, Line]] = {}
    judgements: dict[Workstream, Area] = {}
    otherwise: Area = "leadership"


class OverridesModel(Strict):
    """An agency's own figures."""

    source: Line
    parameters: dict[Name, str | int | dict[Day, str | int]] = {}
    limits: dict[Slug, LimitText] = {}


def pack(
    document: object, file: str, problems: Problems, duties: Mapping[str, model.Duty] = MappingProxyType({})
) -> tuple[model.Pack, date] | None:
    """A pack without its rules, and the as-at date of its cases."""
    written = validated(PackModel, document, problems)
    if written is None:
        return None
    parameters = {}
    for name, p in written.parameters.items():
        value = problems.value(("parameters", name, "value"), p.value)
        is_length = value is not None and isinstance(value.versions[0][1], model.Limit)
        if value is not None and not is_length and p.unit is None:
            problems.add(("parameters", name), f"parameter '{name}' is a number, so it needs a unit")
        unit = "length" if is_length else (p.unit or "").replace("count", "")
        parameters[name] = model.Parameter(name, p.title, value, unit, p.basis, p.source, p.note or "")
    tables = {
        name: {key: _entry(("tables", name, key), v, problems) for key, v in entries.items()}
        for name, entries in written.tables.items()
    }
    for name, entries in tables.items():
        shapes = {type(v).__name__ for entry in entries.values() for _, v in entry.versions}
        if len(shapes) > 1:
            problems.add(("tables", name), f"table '{name}': all entries must be of one kind: lists, texts or numbers")
    periods = {
        name: model.Period(
            problems.day(("periods", name, "from"), p.from_),
            problems.day(("periods", name, "to"), p.to) if p.to is not None else None,
        )
        for name, p in written.periods.items()
    }
    for name, period in periods.items():
        if period.to_on is not None and period.to_on < period.from_on:
            problems.add(("periods", name, "to"), f"period '{name}' ends before it begins")
    declared = Counter([*parameters, *written.lists, *tables, *periods])
    for name in (n for n, times in declared.items() if times > 1):
        problems.add((), f"'{name}' is declared twice among parameters, lists, tables and periods")
    found = model.Pack(
        name=written.pack,
        title=written.title,
        rules=(),
        parameters=parameters,
        lists=cast(
            Mapping[str, model.Dated[model.Items]],
            {
                name: _of_duties(("lists", name), items.duties, duties, problems)
                if isinstance(items, DutiesModel)
                else _entry(("lists", name), items, problems)
                for name, items in written.lists.items()
            },
        ),
        tables=cast(Mapping[str, Mapping[str, model.Entry]], tables),
        periods=periods,
        facts=tuple(
            model.FactText(name, kind, fact.title, fact.is_)
            for kind, its in written.facts.items()
            for name, fact in its.items()
        ),
        only_with=tuple(written.only_with),
    )
    return found, problems.day(("cases_as_at",), written.cases_as_at)


def _of_duties(
    loc: Loc, asked: DutyQueryModel, duties: Mapping[str, model.Duty], problems: Problems
) -> model.Dated[model.Items]:
    """The duties that a query finds, in the order of the catalogue, as a list that changes when one begins or ends."""
    its = [
        d
        for d in duties.values()
        if d.instrument == asked.instrument
        and d.checkable == asked.checkable
        and d.modality in model.OWED
        and asked.layer in (None, d.layer)
    ]
    if not its:
        known = sorted({d.instrument for d in duties.values()})
        help_ = "" if asked.instrument in known else f"The catalogues are {', '.join(known)}"
        problems.add(loc, f"list '{loc[-1]}': no duty of '{asked.instrument}' is such a one", help_)
    edges = {d.from_on for d in its} | {d.to_on + timedelta(days=1) for d in its if d.to_on is not None}
    return dated({e: tuple(d.id for d in its if model.in_force(d, e)) for e in edges or {date.min}})


def _entry(loc: Loc, written: Any, problems: Problems) -> model.Dated[Any]:
    """A list or an entry of a table, with its dates."""
    if not isinstance(written, dict):
        written = {None: written}
    found = {
        date.min if d is None else problems.day((*loc, d), d): tuple(v) if isinstance(v, list) else v
        for d, v in written.items()
    }
    return dated(found)


@dataclass(frozen=True)
class Overrides:
    """An agency's own figures.

    Args:
      parameters: all, with the agency's where it has its own.
      limits: by rule, stricter than the law's own.
    """

    source: str
    parameters: Mapping[str, model.Parameter]
    limits: Mapping[str, model.Limit]


def overrides(document: object, known: Mapping[str, model.Parameter], problems: Problems) -> Overrides:
    """The agency's own figures: in place of the defaults, but beside those of law and of standards."""
    written = validated(OverridesModel, document, problems)
    if written is None:
        return Overrides("", known, {})
    changed = dict(known)
    for name, v in written.parameters.items():
        loc = ("parameters", name)
        if name not in known:
            problems.add(loc, f"there is no parameter '{name}'{nearest(name, known)}")
            continue
        value = problems.value(loc, v)
        is_length = value is not None and isinstance(value.versions[0][1], model.Limit)
        old = known[name]
        if value is not None and is_length != (old.unit == "length"):
            expected = "a length of time, such as '28 days'" if old.unit == "length" else f"a number ({old.unit})"
            problems.add(loc, f"parameter '{name}' is {expected}, or off")
            continue
        if old.basis in ("law", "standard"):
            if value is None:
                problems.add(loc, f"parameter '{name}' is a figure of {old.basis} and cannot be switched off")
            changed[name] = replace(old, local=value, overridden_by=written.source)
        else:
            changed[name] = replace(old, value=value, basis="local policy", overridden_by=written.source)
    limits = {rule: problems.limit(("limits", rule), text) for rule, text in written.limits.items()}
    return Overrides(written.source, changed, limits)


def reading(
    document: object, duties: Mapping[str, model.Duty], kinds: Collection[str], problems: Problems
) -> dict[str, str]:
    """The record kind to be read for each duty that only reading can settle."""
    written = validated(ReadingModel, document, problems)
    if written is None:
        return {}
    for key, named in (("subjects", written.subjects), ("duties", written.duties)):
        for name, kind in named.items():
            if kind not in kinds:
                problems.add((key, name), f"there is no record kind '{kind}'{nearest(kind, kinds)}")
    asked = {d.id: d for d in duties.values() if d.checkable == "judgement" and d.modality in model.OWED}
    for name in written.duties:
        if name not in asked:
            problems.add(("duties", name), f"no catalogue has a duty '{name}' to be judged{nearest(name, asked)}")
    found = {}
    for duty in asked.values():
        read = written.duties.get(duty.id) or written.subjects.get(duty.subject)
        if read is None:
            problems.add(("subjects",), f"nothing says what to read for {duty.id}, whose subject is '{duty.subject}'")
        else:
            found[duty.id] = read
    return found


def grouping(document: object, problems: Problems) -> Grouping:
    """What findings are grouped by."""
    written = validated(GroupingModel, document, problems)
    return Grouping() if written is None else Grouping(**written.model_dump())


def rule(
    document: object,
    file: str,
    stem: str,
    pack_name: str,
    cases_as_at: date,
    duties: Mapping[str, model.Duty],
    groups: Grouping,
    problems: Problems,
    lists: Mapping[str, model.Dated[model.Items]] = MappingProxyType({}),
) -> model.Rule | None:
    """A rule; expressions are not looked into here.

    Args:
      lists: those of its pack, for a rule that cites all duties of one.
    """
    written = validated(RuleModel, document, problems)
    if written is None:
        return None
    if written.id != stem:
        problems.add(("id",), f"id is '{written.id}', but the file is called '{stem}'; they must be the same")
    cites = _cited(written.cites, duties, lists, problems)
    if written.in_force is not None:
        from_on = problems.day(("in_force", "from"), written.in_force.from_)
        to_on = problems.day(("in_force", "to"), written.in_force.to) if written.in_force.to else None
        if to_on is not None and to_on < from_on:
            problems.add(("in_force", "to"), "in_force ends before it begins")
    else:
        from_on = min((d.from_on for d in cites), default=date.min)
        ends = [d.to_on for d in cites]
        to_on = None if None in ends or not ends else max(e for e in ends if e is not None)
    for id_ in written.part_of:
        if id_ not in (ids := [d.id for d in cites]):
            problems.add(("part_of", id_), f"the rule does not cite '{id_}'{nearest(id_, ids)}")
    check = _check(written, problems)
    put_right = model.PutRight(
        problems.limit(("put_right", "within"), written.put_right.within),
        written.put_right.by,
        written.put_right.workstream,
    )
    names = [c.name for c in written.cases]
    for i, name in enumerate(names):
        if names.index(name) != i:
            problems.add(("cases", i, "name"), f"two cases are called '{name}'")
    title, titles = _wordings(written.title, ("title",), problems)
    remedy, remedies = _wordings(written.remedy, ("remedy",), problems)
    danger = _danger(written.danger, problems)
    if check is None or not cites or problems.found:
        return None
    return model.Rule(
        id=written.id,
        pack=pack_name,
        title=title,
        titles=titles,
        cites=tuple(cites),
        record=written.record,
        when=written.when or "",
        judged_on=written.judged_on or "",
        check=check,
        severity=written.severity,
        put_right=put_right,
        remedy=remedy,
        remedies=remedies,
        past=_past(written.past),
        danger=danger,
        show=tuple(written.show),
        note=(written.note or "").strip(),
        part_of=tuple((id_, lacking.strip()) for id_, lacking in written.part_of.items()),
        repeats=tuple(written.repeats),
        from_on=from_on,
        to_on=to_on,
        file=file,
        regulation=groups.regulation(cites),
        standard=groups.standard(cites),
        under=tuple((groups.regulation([d]), groups.standard([d])) for d in cites),
        cites_list=written.cites if isinstance(written.cites, str) else "",
        area=AREAS[groups.area(written.judgement or "", written.put_right.workstream)],
        cases=tuple(case(c, i, cases_as_at, problems) for i, c in enumerate(written.cases)),
        unmet=written.unmet,
        each=next(iter(written.each.items())) if written.each else None,
        equivalent=tuple(model.Equivalent(e.mutant, e.because) for e in written.equivalent),
    )


def _wordings(written: str | TitlesModel | RemediesModel, loc: Loc, problems: Problems) -> tuple[str, model.Wordings]:
    """What is said of the rule as a whole, and by what happened."""
    if isinstance(written, str):
        return written.strip(), model.Wordings()
    texts = model.Wordings(*(text.strip() if text else "" for text in dict(written).values()))
    if not any(texts):
        problems.add(loc, f"{path_of(loc)} says nothing", "Name one of: open, late, past, not_evidenced")
    return next((text for text in texts if text), ""), texts


def _danger(written: str | DangerModel | None, problems: Problems) -> model.Danger | None:
    if written is None:
        return None
    if isinstance(written, str):
        return model.Danger(model.Wordings(open=written))
    reasons = model.Wordings(open=written.open or "", not_evidenced=written.not_evidenced or "")
    if not any(reasons):
        problems.add(("danger",), "danger gives no reason", "Say why under 'open', 'not_evidenced' or both")
    return model.Danger(reasons, written.if_ or "")


def _past(written: Literal[True] | str | None) -> str:
    return "True" if written is True else written or ""


def _cited(
    written: list[str] | str,
    duties: Mapping[str, model.Duty],
    lists: Mapping[str, model.Dated[model.Items]],
    problems: Problems,
) -> list[model.Duty]:
    if isinstance(written, str):
        if written not in lists:
            problems.add(("cites",), f"the pack has no list '{written}'{nearest(written, lists)}")
            return []
        ids = dict.fromkeys(str(i) for _, items in lists[written].versions for i in items)
        unknown = [i for i in ids if i not in duties]
        if unknown:
            problems.add(("cites",), f"list '{written}' holds '{unknown[0]}', which is no duty of a catalogue")
        return [d for d in duties.values() if d.id in ids]
    cites = []
    for i, cited in enumerate(written):
        if cited in duties:
            cites.append(duties[cited])
        else:
            problems.add(("cites", i), f"no catalogue has a duty '{cited}'{nearest(cited, duties)}")
    if len(set(written)) != len(written):
        problems.add(("cites",), "a duty is cited twice")
    return cites


def _regimes(
    problems: Problems, loc: Loc, written: str | dict[str, str] | list[RegimeModel]
) -> tuple[model.Regime, ...]:
    """A limit, or several with the conditions under which they count."""
    if not isinstance(written, list):
        return (model.Regime(problems.within(loc, written)),)
    last = len(written) - 1
    for i, regime in enumerate(written):
        if (regime.if_ is None) != (i == last):
            what = (
                "the last limit counts in every other case and has no 'if'"
                if i == last
                else "every limit but the last has an 'if'"
            )
            problems.add((*loc, i), f"{path_of(loc)}: {what}")
    if not written:
        problems.add(loc, f"{path_of(loc)} has no limit")
    return tuple(
        model.Regime(problems.within((*loc, i, "within"), r.within), r.if_ or "", tuple(r.cites))
        for i, r in enumerate(written)
    )


def _check(written: RuleModel, problems: Problems) -> tuple[model.Condition, ...] | model.Deadline | model.Every | None:
    given = [n for n in ("require", "deadline", "every") if getattr(written, n) is not None]
    if len(given) != 1:
        found = " and ".join(given) if given else "none"
        problems.add((), f"a rule asks in one of three ways: require, deadline or every; this one has {found}")
        return None
    if written.require is not None:
        if not written.require:
            problems.add(("require",), "require has no condition")
        return tuple(_condition(label, condition) for label, condition in written.require.items())
    if written.unmet != "breach":
        problems.add(("unmet",), "unmet goes with 'require'; a day that has passed is a breach")
    if written.deadline is not None:
        d = written.deadline
        if (d.start is None) != (d.within is None) or (d.by is None) == (d.start is None):
            problems.add(("deadline",), "a deadline has either 'start' and 'within', or 'by'")
            return None
        within = _regimes(problems, ("deadline", "within"), d.within) if d.within is not None else ()
        return model.Deadline(d.done, d.start or "", d.by or "", within, d.what or "")
    e = cast(EveryModel, written.every)
    within = _regimes(problems, ("every", "within"), e.within)
    return model.Every(e.from_, e.done, within, e.until or "", e.what or "")


def _condition(label: str, written: str | ConditionModel) -> model.Condition:
    if isinstance(written, str):
        return model.Condition(label, written)
    return model.Condition(label, written.that, written.done_since or "", _past(written.past), tuple(written.cites))


def case(c: CaseModel, i: int, as_at: date, problems: Problems) -> model.Case:
    """An example as the model has it; `i` is its place in the file."""
    return model.Case(
        name=c.name,
        as_at=problems.day(("cases", i, "as_at"), c.as_at) if c.as_at else as_at,
        records=cast(Mapping[str, object], c.model_extra or {}),
        outcome=c.outcome,
        late=c.late or "",
        due_on=problems.day(("cases", i, "due_on"), c.due_on) if c.due_on else None,
        failed=tuple(c.failed) if c.failed is not None else None,
        missing=tuple(c.missing) if c.missing is not None else None,
        parameters={n: problems.value(("cases", i, "parameters", n), v) for n, v in c.parameters.items()},
        part=c.part or "",
        as_at_given=c.as_at is not None,
        standing=c.standing,
        danger=c.danger,
    )
