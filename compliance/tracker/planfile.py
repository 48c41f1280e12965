"""The plan file that people write, as pydantic models; into the model, and back to YAML (docs/plan.md says what everything means)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from compliance.errors import ComplianceError, Location, nearest
from compliance.files import documents
from compliance.files.strict import Day, Line, Loc, Problems, Slug, Strict, validated
from compliance.tracker import plain
from compliance.tracker.model import (
    Account,
    Action,
    Cadence,
    Concern,
    DueKind,
    Forum,
    Measure,
    MeasureKind,
    Plan,
    Said,
    Status,
    When,
    Workstream,
    when,
)

WhenText = Annotated[str, Field(description="2022-02-28, 2022-02, 2022, or 2022-02 to 2022-03")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]


class ActionModel(Strict):
    """What somebody is to do."""

    id: Id
    text: Text
    owner: Line | None = None
    start: WhenText | None = None
    due: WhenText | None = None
    due_kind: DueKind = "completion"
    status: Status = "open"
    answers: list[Line] = []
    about: list[Line] = []
    evidence: list[Text] = []
    every: Line | None = None
    themes: list[Line] = []
    note: Text | None = None


class MeasureModel(Strict):
    """How one sees that it has become better."""

    id: Id
    text: Text
    kind: MeasureKind = "narrative"
    of: Line | None = None
    target: Line | None = None
    cadence: Cadence | None = None


class WorkstreamModel(Strict):
    """A part of the plan."""

    id: Id
    title: Line
    long_title: Line | None = None
    regulations: list[Line] = []
    standards: list[Line] = []
    takes: list[Slug] = []
    leads: list[Line] = []
    managers: list[Line] = []
    members: list[Line] = []
    evidence: list[Line] = []
    actions: list[ActionModel] = []
    measures: list[MeasureModel] = []
    note: Text | None = None


class ForumModel(Strict):
    """Where progress is told."""

    name: Line
    cadence: Cadence | None = None
    does: Line | None = None
    escalate_after: Annotated[int, Field(ge=0, le=3660, description="Days overdue")] | None = None


class ConcernModel(Strict):
    """What the plan responds to."""

    id: Id
    text: Text
    kind: Line | None = None
    regulation: Line | None = None
    due: WhenText | None = None
    restated: bool = False
    points: list[Text] = []
    progress: Line | None = None
    workstreams: list[Id] = []
    note: Text | None = None


class SaidModel(Strict):
    """Something that an account says is completed."""

    text: Text
    workstream: Id | None = None
    actions: list[Id] = []


class AccountModel(Strict):
    """What somebody said of the plan, or of what it answers, at one time."""

    dated: WhenText
    by: Line
    text: Text | None = None
    completed: list[SaidModel] = []
    note: Text | None = None


class PlanModel(Strict):
    """A plan file."""

    plan: Slug
    title: Line
    sponsors: list[Line] = []
    roles: dict[Line, Line] = {}
    responds_to: Line | None = None
    overseen_by: list[Line] = []
    period: WhenText | None = None
    dates: dict[Line, Day] = {}
    regulations: list[Line] = []
    standards: list[Line] = []
    themes: list[Line] = []
    members: list[Line] = []
    forums: list[ForumModel] = []
    concerns: list[ConcernModel] = []
    accounts: list[AccountModel] = []
    workstreams: Annotated[list[WorkstreamModel], Field(min_length=1)]
    due_soon: Annotated[int, Field(ge=0, le=366, description="Days")] = 14
    stalled_after: Annotated[int, Field(ge=1, le=3660, description="Days")] = 28
    note: Text | None = None


def _when(problems: Problems, loc: Loc, text: str | None) -> When | None:
    if text is None:
        return None
    try:
        return when(text)
    except ValueError as e:
        problems.add(loc, f"{loc[-1]}: {e}")
        return None


def _action(a: ActionModel, loc: Loc, problems: Problems, themes: Iterable[str]) -> Action:
    start, due = _when(problems, (*loc, "start"), a.start), _when(problems, (*loc, "due"), a.due)
    if start is not None and due is not None and due.last < start.first:
        problems.add((*loc, "due"), f"action {a.id} would be due {a.due}, before its start {a.start}")
    for theme in a.themes:
        if theme not in themes:
            problems.add((*loc, "themes"), f"the plan has no theme '{theme}'{nearest(theme, themes)}")
    return Action(
        a.id,
        a.text.strip(),
        a.owner or "",
        start,
        due,
        a.due_kind,
        a.status,
        tuple(a.answers),
        tuple(a.about),
        tuple(a.evidence),
        a.every or "",
        tuple(a.themes),
        (a.note or "").strip(),
    )


def _accounts(written: PlanModel, workstreams: Iterable[Workstream], problems: Problems) -> Iterator[Account]:
    of = {w.id: [a.id for a in w.actions] for w in workstreams}
    every = [a for its in of.values() for a in its]
    for i, account in enumerate(written.accounts):
        for j, said in enumerate(account.completed):
            loc: Loc = ("accounts", i, "completed", j)
            if said.workstream is not None and said.workstream not in of:
                problems.add(
                    (*loc, "workstream"), f"there is no workstream '{said.workstream}'{nearest(said.workstream, of)}"
                )
            for name in said.actions:
                if name not in every:
                    problems.add((*loc, "actions"), f"there is no action '{name}'{nearest(name, every)}")
        dated = _when(problems, ("accounts", i, "dated"), account.dated)
        if dated is not None:
            completed = tuple(Said(s.text, s.workstream or "", tuple(s.actions)) for s in account.completed)
            yield Account(dated, account.by, (account.text or "").strip(), completed, (account.note or "").strip())


def plan(document: object, problems: Problems) -> Plan | None:
    """A plan; every mistake goes to `problems`."""
    written = validated(PlanModel, document, problems)
    if written is None:
        return None
    seen: set[str] = set()
    workstreams = []
    for i, w in enumerate(written.workstreams):
        loc: Loc = ("workstreams", i)
        for name, at in [
            (w.id, (*loc, "id")),
            *((a.id, (*loc, "actions", j, "id")) for j, a in enumerate(w.actions)),
            *((m.id, (*loc, "measures", j, "id")) for j, m in enumerate(w.measures)),
        ]:
            if name in seen:
                problems.add(at, f"the id '{name}' is given twice")
            seen.add(name)
        for j, m in enumerate(w.measures):
            if (m.kind in ("kpi", "rule")) != (m.of is not None):
                expected = "names it in 'of'" if m.of is None else "has no 'of'"
                problems.add((*loc, "measures", j), f"measure {m.id} is a {m.kind}, which {expected}")
        workstreams.append(
            Workstream(
                w.id,
                w.title,
                w.long_title or "",
                tuple(w.regulations),
                tuple(w.standards),
                tuple(w.takes),
                tuple(w.leads),
                tuple(w.managers),
                tuple(w.members),
                tuple(w.evidence),
                tuple(_action(a, (*loc, "actions", j), problems, written.themes) for j, a in enumerate(w.actions)),
                tuple(Measure(m.id, m.text, m.kind, m.of or "", m.target or "", m.cadence) for m in w.measures),
                (w.note or "").strip(),
            )
        )
    known = [w.id for w in written.workstreams]
    for i, c in enumerate(written.concerns):
        for name in c.workstreams:
            if name not in known:
                problems.add(("concerns", i, "workstreams"), f"there is no workstream '{name}'{nearest(name, known)}")
    found = Plan(
        id=written.plan,
        title=written.title,
        sponsors=tuple(written.sponsors),
        roles=written.roles,
        responds_to=written.responds_to or "",
        overseen_by=tuple(written.overseen_by),
        period=_when(problems, ("period",), written.period),
        dates={k: problems.day(("dates", k), d) for k, d in written.dates.items()},
        regulations=tuple(written.regulations),
        standards=tuple(written.standards),
        themes=tuple(written.themes),
        members=tuple(written.members),
        forums=tuple(Forum(f.name, f.cadence, f.does or "", f.escalate_after) for f in written.forums),
        concerns=tuple(
            Concern(
                c.id,
                c.text.strip(),
                c.kind or "",
                c.regulation or "",
                _when(problems, ("concerns", i, "due"), c.due),
                c.restated,
                tuple(c.points),
                c.progress or "",
                tuple(c.workstreams),
                (c.note or "").strip(),
            )
            for i, c in enumerate(written.concerns)
        ),
        accounts=tuple(_accounts(written, workstreams, problems)),
        workstreams=tuple(workstreams),
        due_soon=written.due_soon,
        stalled_after=written.stalled_after,
        note=(written.note or "").strip(),
    )
    return None if problems.found else found


def read(path: Path) -> Plan:
    """A plan file.

    Raises:
      ComplianceError: with every problem in it.
    """
    problems = Problems(lambda loc: documents.locate(path, loc))
    found = plan(documents.load_yaml(path), problems)
    if found is None:
        raise ComplianceError(f"{path.name} is no plan that can be used; nothing was changed.", problems.found)
    return found


def check(its: Plan, file: str) -> None:
    """Whether a plan that came from elsewhere could stand in a plan file, so that it can be given out and taken over again.

    Raises:
      ComplianceError: with everything that could not.
    """
    problems = Problems(lambda loc: Location(f"{file}, {'.'.join(map(str, loc))}"))
    plan(_document(its), problems)
    if problems.found:
        raise ComplianceError("Nothing was imported.", problems.found)


def check_id(plan_id: str) -> None:
    """The id of a plan that no file gives.

    Raises:
      ComplianceError: it is none.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", plan_id):
        raise ComplianceError(f"'{plan_id}' is no id of a plan; it has small letters, digits and '-' between them.")


class _Quoted(yaml.SafeDumper):
    """Quotes what another reader of YAML would take for a date or a number; ours does not."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """The items of a list stand deeper than its key."""
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """What could be obeyed stands in the quotes within which there are escapes, and in which no line begins with it."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, '"' if documents.is_obeyed(text) else None)


_Quoted.add_representer(str, _text)


def write(its: Plan) -> str:
    """The plan as a file, readable by `read` without loss."""
    said = _document(its)
    for workstream in said["workstreams"]:
        _without(workstream.get("actions", ()), "due_kind", "completion")
        _without(workstream.get("measures", ()), "kind", "narrative")
    text: str = yaml.dump(said, Dumper=_Quoted, allow_unicode=True, sort_keys=False, width=130)
    return documents.disarmed_json(text)


def _document(its: Plan) -> dict[str, Any]:
    said = plain.plain(its)
    return {"plan": said.pop("id"), **said}


def _without(parts: Iterable[dict[str, Any]], key: str, default: str) -> None:
    """Leaves out what the file need not say."""
    for part in parts:
        if part.get(key) == default:
            del part[key]
