"""What a file says of a plan, held against the plan as it stands: each difference is a change, and what the file lacks stays. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any

from compliance.errors import ComplianceError, Location, Problem
from compliance.tracker import life, plain
from compliance.tracker.events import Draft, Who, chained
from compliance.tracker.model import Action, Plan, Workstream
from compliance.tracker.state import State, fold

PLAN = tuple(f.name for f in fields(Plan) if f.name not in ("id", "workstreams"))
WORKSTREAM = tuple(f.name for f in fields(Workstream) if f.name not in ("id", "actions"))
ACTION = tuple(f.name for f in fields(Action) if f.name != "id")


@dataclass(frozen=True)
class ActionSaid:
    """An action as a file has it.

    Args:
      id: empty: the file has none.
      said: the fields that the file speaks of, as JSON data; None: it says that there is nothing.
    """

    id: str
    said: Mapping[str, Any]
    where: Location


@dataclass(frozen=True)
class WorkstreamSaid:
    """A workstream as a file has it.

    Args:
      id: empty: the file has none, and the title tells which it is.
      measures: their texts; None: the file does not speak of them, or `said` has them whole.
    """

    id: str
    title: str
    said: Mapping[str, Any] = field(default_factory=dict)
    measures: Sequence[str] | None = None
    actions: Sequence[ActionSaid] = ()


@dataclass(frozen=True)
class Said:
    """What a file says."""

    file: str
    plan: Mapping[str, Any]
    workstreams: Sequence[WorkstreamSaid]


def whole(plan: Plan, file: str) -> Said:
    """A plan file speaks of everything: what it leaves empty is nothing."""
    where = Location(file)
    data = plain.plain(plan)
    return Said(
        file,
        {k: data.get(k) for k in PLAN},
        [
            WorkstreamSaid(
                w["id"],
                w["title"],
                {k: w.get(k) for k in WORKSTREAM},
                actions=[ActionSaid(a["id"], {k: a.get(k) for k in ACTION}, where) for a in w.get("actions", ())],
            )
            for w in data["workstreams"]
        ],
    )


def identified(said: Said, plan: Plan) -> Said:
    """With the plan's ids for what the file names by its title or text alone, and new ids for what is new."""
    taken = {a.id for _, a in plan.actions()} | {a.id for w in said.workstreams for a in w.actions if a.id}
    known = [w.id for w in plan.workstreams] + [w.id for w in said.workstreams if w.id]
    return Said(said.file, said.plan, [_identified(w, plan, taken, known) for w in said.workstreams])


def _identified(w: WorkstreamSaid, plan: Plan, taken: set[str], known: list[str]) -> WorkstreamSaid:
    there = next((p for p in plan.workstreams if _same(w.id, p.id)), None) if w.id else None
    if there is None and not w.id:
        there = next((p for p in plan.workstreams if any(_same(w.title, t) for t in _titles(p))), None)
    id_ = there.id if there else w.id or _free("WS", known)
    known.append(id_)
    by_text = {_bare(a.text): a.id for a in there.actions} if there else {}
    actions = []
    for a in w.actions:
        name = a.id or by_text.get(_bare(a.said["text"]), "") or _free(f"{id_}.", taken)
        taken.add(name)
        actions.append(ActionSaid(name, a.said, a.where))
    its = dict(w.said)
    if w.measures is not None:
        old = plain.plain(there).get("measures", []) if there else []
        ids, texts = [m["id"] for m in old], {_bare(m["text"]) for m in old}
        for text in w.measures:
            if _bare(text) not in texts:
                ids.append(_free(f"{id_}-m", ids))
                old = [*old, {"id": ids[-1], "text": text, "kind": "narrative"}]
        its["measures"] = old or None
    if there and any(_same(w.title, t) for t in _titles(there)):
        # A list of actions may have the long title alone.
        its.pop("title", None)
    return WorkstreamSaid(id_, w.title, its, None, actions)


def _titles(w: Workstream) -> tuple[str, ...]:
    """What a list may call a workstream: either title, and its id before it."""
    return (w.title, w.long_title, f"{w.id} {w.title}")


def _free(stem: str, taken: Iterable[str]) -> str:
    used = set(taken)
    n = 1
    while f"{stem}{n}" in used:
        n += 1
    return f"{stem}{n}"


def _bare(text: str) -> str:
    return " ".join(text.split()).casefold()


def _same(one: str, other: str) -> bool:
    return bool(one) and _bare(one) == _bare(other)


def as_plan(said: Said, id_: str, title: str) -> Plan:
    """A new plan of what a file says.

    Raises:
      ComplianceError: with everything that cannot be so.
    """
    ids: dict[str, Location] = {}
    problems = []
    for w in said.workstreams:
        for a in w.actions:
            if a.id in ids:
                problems.append(Problem(a.where, f"the id '{a.id}' is given twice, first at {ids[a.id]}"))
            ids[a.id] = a.where
            problems += _backwards(a)
    if problems:
        raise ComplianceError("Nothing was imported.", problems)
    data = [
        {
            "id": w.id,
            "title": w.title,
            **_filled(w.said),
            "actions": [{"id": a.id, **_filled(a.said)} for a in w.actions],
        }
        for w in said.workstreams
    ]
    return plain.plan({"title": title, **_filled(said.plan), "id": id_, "workstreams": data})


def _backwards(a: ActionSaid) -> Iterator[Problem]:
    start, due = (plain.field_of(k, a.said.get(k)) for k in ("start", "due"))
    if start and due and due.last < start.first:
        yield Problem(a.where, f"{a.id} would be due {due.text}, before its start {start.text}")


def _filled(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in data.items() if v is not None}


def after(state: State, drafts: Sequence[Draft]) -> Plan:
    """The plan as these changes would make it; the state stays as it is."""
    who = Who("", "")
    made = (chained(state.plan.id, state.number + i, "", "1970-01-01", who, d, "") for i, d in enumerate(drafts, 1))
    return fold(made, deepcopy(state)).as_plan()


def drafts(state: State, said: Said, why: str) -> list[Draft]:
    """One event for everything that differs in the plan, in each workstream and in each action.

    Raises:
      ComplianceError: with every change that cannot be made.
    """
    made: list[Draft] = []
    problems: list[Problem] = []
    if _differs(plain.plain(state.plan), said.plan):
        made.append(life.change_plan(state, said.plan, why))
    old = {w.id: plain.plain(w) for w in state.plan.workstreams}
    for w in said.workstreams:
        if w.id not in old:
            its = {"title": w.title, **_filled(w.said)}
            made.append(life.change_workstream(state, w.id, its, why))
        elif _differs(old[w.id], w.said):
            made.append(life.change_workstream(state, w.id, w.said, why))
    known = [*old, *(w.id for w in said.workstreams if w.id not in old)]
    seen: dict[str, Location] = {}
    for w in said.workstreams:
        for a in w.actions:
            if a.id in seen:
                problems.append(Problem(a.where, f"the id '{a.id}' is given twice, first at {seen[a.id]}"))
                continue
            seen[a.id] = a.where
            try:
                made += _action(state, w.id, a, why, known)
            except life.Refused as e:
                problems.append(Problem(a.where, str(e)))
    if problems:
        raise ComplianceError("Nothing was imported.", problems)
    return made


def _differs(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any(old.get(k) != v for k, v in new.items())


def _action(state: State, workstream: str, a: ActionSaid, why: str, known: Sequence[str]) -> Iterator[Draft]:
    tracked = state.actions.get(a.id)
    if tracked is None:
        yield life.add(state, workstream, plain.action({"id": a.id, **_filled(a.said)}), known)
        return
    old = {**plain.plain(tracked.action), "workstream": tracked.workstream}
    new = {k: v for k, v in {**a.said, "workstream": workstream}.items() if old.get(k) != v}
    if new:
        yield life.revise(state, a.id, new, why, known)


def left(state: State, said: Said) -> list[str]:
    """Actions of the plan that the file does not have: they stay."""
    there = {a.id for w in said.workstreams for a in w.actions}
    return [a for a in state.actions if a not in there]
