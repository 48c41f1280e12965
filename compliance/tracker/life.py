"""What may become of an action, and who may say so: proposed, open, completed, verified, signed off. Pure: gives drafts of events.

A person's claim is never proof: an action that answers findings is verified by an audit that no longer finds them, and only then signed
off, by the registered manager alone. An audit that finds it again opens it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from compliance.errors import nearest
from compliance.tracker import plain, targets
from compliance.tracker.events import Draft
from compliance.tracker.model import (
    CLAIMED,
    LIVE,
    REGISTERED_MANAGER,
    STATUSES,
    Action,
    Measure,
    Plan,
    Status,
    Workstream,
)
from compliance.tracker.state import State, Tracked


class Refused(ValueError):
    """A change that cannot be made; the message says why and what can be."""


CHANGEABLE = tuple(f.name for f in fields(Action) if f.name not in ("id", "status"))
"""What `update` may change of an action; its workstream as well."""


def begin(plan: Plan) -> Draft:
    """The first event of a plan."""
    seen: dict[str, str] = {}
    for workstream, action in plan.actions():
        if action.id in seen:
            raise Refused(f"action {action.id} stands in {seen[action.id]} and in {workstream.id}; ids are given once")
        seen[action.id] = workstream.id
    return Draft("plan begun", "", {"plan": plain.plain(plan)})


def find(state: State, action: str) -> Tracked:
    """An action by its id.

    Raises:
      Refused: there is none.
    """
    if action not in state.actions:
        raise Refused(f"there is no action '{action}'{nearest(action, state.actions)}")
    return state.actions[action]


def _change(tracked: Tracked, new: Mapping[str, Any], why: str = "", more: Mapping[str, Any] | None = None) -> Draft:
    """The changes that differ from what is there."""
    old = {**plain.plain(tracked.action), "workstream": tracked.workstream}
    changes = _differing(old, new)
    if not changes:
        raise Refused(f"{tracked.action.id} is like that already; nothing was changed")
    return Draft("action changed", tracked.action.id, {"changes": changes, **(more or {})}, why)


def _to(tracked: Tracked, status: Status, why: str = "", **more: Any) -> Draft:
    new: dict[str, Any] = {"status": status}
    if "evidence" in more:
        new["evidence"] = [*tracked.action.evidence, *more.pop("evidence")]
    return _change(tracked, new, why, more)


def _expect(tracked: Tracked, allowed: Sequence[Status], what: str) -> None:
    if tracked.status not in allowed:
        said = " or ".join(allowed)
        raise Refused(f"{tracked.action.id} is {tracked.status}; only what is {said} can be {what}")


def add(state: State, workstream: str, action: Action, known: Sequence[str] = ()) -> Draft:
    """A new action.

    Args:
      known: workstreams, where some are made in the same breath.
    """
    known = known or [w.id for w in state.plan.workstreams]
    if workstream not in known:
        raise Refused(f"there is no workstream '{workstream}'{nearest(workstream, known)}")
    if action.id in state.actions:
        raise Refused(f"there is an action '{action.id}' already")
    _sensible(action)
    return Draft("action added", action.id, {"workstream": workstream, "action": plain.plain(action)})


def add_with_workstream(state: State, workstream: Workstream, action: Action) -> Draft:
    """A new action in a workstream that the plan does not have yet."""
    its: dict[str, Any] = plain.plain(workstream)
    body = {"workstream": workstream.id, "workstream_added": its, "action": plain.plain(action)}
    return Draft("action added", action.id, body)


def _sensible(action: Action) -> None:
    if action.start is not None and action.due is not None and action.due.last < action.start.first:
        raise Refused(f"{action.id} would be due {action.due.text}, before its start {action.start.text}")
    if action.status in CLAIMED and not action.evidence:
        raise Refused(f"{action.id} would be {action.status} without evidence; say what shows it")


def update(state: State, action: str, new: Mapping[str, Any], why: str) -> Draft:
    """Fields of an action, by their names, as JSON data."""
    tracked = find(state, action)
    _checked(state, tracked, new)
    return _change(tracked, new, why)


def revise(state: State, action: str, new: Mapping[str, Any], why: str, known: Sequence[str] = ()) -> Draft:
    """The same, and its status with them, all in one event; nothing is allowed that `moved` and `complete` do not allow."""
    tracked = find(state, action)
    its = {k: v for k, v in new.items() if k != "status"}
    _checked(state, tracked, its, known)
    status = status_of(new["status"]) if "status" in new else tracked.status
    if status == "completed" != tracked.status:
        _expect(tracked, LIVE, "completed")
        if not its.get("evidence", tracked.action.evidence):
            raise Refused(f"{action} cannot be completed without evidence; say what shows that it is done")
    elif status != tracked.status:
        moved(state, action, status, why)
    return _change(tracked, new, why)


def _checked(state: State, tracked: Tracked, new: Mapping[str, Any], known: Sequence[str] = ()) -> None:
    """Stops what no action may become."""
    action = tracked.action.id
    if tracked.status in ("signed off", "rejected"):
        raise Refused(f"{action} is {tracked.status} and stays as it is; add another action")
    changed = {}
    for name, value in new.items():
        if name == "workstream":
            known = known or [w.id for w in state.plan.workstreams]
            if value not in known:
                raise Refused(f"there is no workstream '{value}'{nearest(str(value), known)}")
            continue
        if name not in CHANGEABLE:
            raise Refused(f"'{name}' is no field that can be changed{nearest(name, [*CHANGEABLE, 'workstream'])}")
        try:
            changed[name] = plain.field_of(name, value)
        except ValueError as e:
            raise Refused(f"{name}: {e}") from e
    its = {f.name: getattr(tracked.action, f.name) for f in fields(Action)}
    after = Action(**{**its, **changed})
    if after.start is not None and after.due is not None and after.due.last < after.start.first:
        raise Refused(f"{action} would be due {after.due.text}, before its start {after.start.text}")


def change_plan(state: State, new: Mapping[str, Any], why: str) -> Draft:
    """What the plan says of itself, field by field, as JSON data; not its workstreams."""
    return Draft("plan changed", "", {"changes": _differing(plain.plain(state.plan), new)}, why)


def change_workstream(state: State, workstream: str, new: Mapping[str, Any], why: str) -> Draft:
    """What the plan says of a workstream; not its actions. A workstream that is not there is added."""
    its = next((w for w in state.plan.workstreams if w.id == workstream), None)
    if its is None:
        return Draft("plan changed", workstream, {"changes": {}, "workstream_added": {"id": workstream, **new}}, why)
    return Draft("plan changed", workstream, {"changes": _differing(plain.plain(its), new)}, why)


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {k: {"from": old.get(k), "to": v} for k, v in new.items() if old.get(k) != v}


def accept(state: State, action: str, why: str = "") -> Draft:
    """What was proposed is to be done."""
    tracked = find(state, action)
    _expect(tracked, ("proposed",), "accepted")
    return _to(tracked, "open", why)


def reject(state: State, action: str, why: str) -> Draft:
    """What was proposed is not to be done, and why."""
    tracked = find(state, action)
    _expect(tracked, ("proposed",), "rejected")
    if not why.strip():
        raise Refused(f"say why {action} is rejected")
    return _to(tracked, "rejected", why)


def start(state: State, action: str, why: str = "") -> Draft:
    """Somebody has begun."""
    tracked = find(state, action)
    _expect(tracked, ("open",), "begun")
    return _to(tracked, "in progress", why)


def moved(state: State, action: str, status: Status, why: str) -> Draft:
    """To a state that needs nothing but the person's word.

    Raises:
      Refused: that state is reached in another way, or not from here.
    """
    match status:
        case "open":
            tracked = find(state, action)
            return accept(state, action, why) if tracked.status == "proposed" else reopen(state, action, why)
        case "in progress":
            return start(state, action, why)
        case "rejected":
            return reject(state, action, why)
    how = {"completed": "complete", "verified": "verify", "signed off": "sign-off"}.get(status, "propose")
    raise Refused(f"an action becomes {status} with: compliance plan {how}")


def complete(state: State, action: str, evidence: Sequence[str], why: str = "") -> Draft:
    """Somebody says that it is done, and what shows it."""
    tracked = find(state, action)
    _expect(tracked, LIVE, "completed")
    given = [e.strip() for e in evidence if e.strip()]
    if not given and not tracked.action.evidence:
        raise Refused(f"{action} cannot be completed without evidence; say what shows that it is done")
    return _to(tracked, "completed", why, evidence=given) if given else _to(tracked, "completed", why)


def reopen(state: State, action: str, why: str) -> Draft:
    """What was said to be done is not."""
    tracked = find(state, action)
    _expect(tracked, CLAIMED, "opened again")
    if not why.strip():
        raise Refused(f"say why {action} is opened again")
    return _to(tracked, "open", why)


def sign_off(state: State, action: str, role: str, why: str = "") -> Draft:
    """The registered manager's own word, after an audit has verified it; or at once, where it answers nothing that an audit can see."""
    tracked = find(state, action)
    if role.strip().casefold() != REGISTERED_MANAGER:
        raise Refused(f"only the {REGISTERED_MANAGER} signs an action off, and this is the {role}")
    if tracked.status == "completed" and tracked.action.answers:
        raise Refused(f"{action} answers findings, and no audit has verified it since; run: compliance plan verify")
    _expect(tracked, ("verified", "completed"), "signed off")
    if not tracked.action.evidence:
        raise Refused(f"{action} has no evidence; say what shows that it is done before it is signed off")
    return _to(tracked, "signed off", why)


def comment(state: State, subject: str, text: str) -> Draft:
    """A remark on an action, or on the plan."""
    if subject:
        find(state, subject)
    if not text.strip():
        raise Refused("the comment is empty")
    return Draft("comment", subject, {"text": text.strip()})


def measured(state: State, measure: str, value: str, why: str = "", met: bool | None = None, **more: str) -> Draft:
    """The value of a measure of the plan.

    Args:
      met: whether it meets its target, where whoever gives the value knows; else it is told from the two texts.
      more: `target`, where the measure has none of its own; `source`.
    """
    of = measures(state)
    if measure not in of:
        raise Refused(f"there is no measure '{measure}'{nearest(measure, of)}")
    value = value.strip()
    if not value:
        raise Refused("the value is empty")
    if of[measure].kind != "narrative" and targets.amount(value) is None:
        raise Refused(f"{measure} is a {of[measure].kind}, and '{value}' is no figure; write 12, 93.4 or 93.4 %")
    before = state.values.get(measure, ())
    target = of[measure].target or more.pop("target", "")
    if met is None:
        met = targets.met(target, value, before[-1].value if before else "")
    said = {"value": value, "target": target, "met": met, **more}
    return Draft("measure", measure, {k: v for k, v in said.items() if v not in ("", None)}, why)


def measures(state: State) -> dict[str, Measure]:
    """Every measure of the plan, in its order."""
    return {m.id: m for w in state.plan.workstreams for m in w.measures}


# --- what an audit says ---


@dataclass(frozen=True)
class Audit:
    """An audit's findings, as far as a plan needs them.

    Args:
      found: fingerprints by rule.
      ran: rules that looked at something or found nothing to look at.
      cites: duty ids of each rule that was in force.
      restated: of findings that an earlier audit had, since when and how many times.
      vanished: findings of the earlier audit that it was held against whose records are not in the export any more.
      pseudonyms: the mark of the key by which its ids were made pseudonyms; empty: they are the export's own.
    """

    as_at: date
    found: Mapping[str, Sequence[str]]
    ran: frozenset[str]
    cites: Mapping[str, Sequence[str]]
    restated: Mapping[str, tuple[str, int]]
    vanished: frozenset[str] = frozenset()
    pseudonyms: str = ""

    def still(self, answers: Iterable[str]) -> list[str]:
        """Which of these rules and findings it still finds; a duty is found where a rule that cites it has findings."""
        every = {f for its in self.found.values() for f in its}
        return [a for a in answers if a in every or self.found.get(a) or any(self.found.get(r) for r in self._of(a))]

    def untold(self, answers: Iterable[str], findings: Mapping[str, str]) -> list[str]:
        """Of which of these it says nothing: a rule did not run, or the record has gone. `findings`: the rule of each known finding."""
        return [
            a
            for a in answers
            if a in self.vanished or not (its := self._rules(a, findings)) or not self.ran.issuperset(its)
        ]

    def _of(self, duty: str) -> list[str]:
        return [r for r, duties in self.cites.items() if duty in duties]

    def _rules(self, answer: str, findings: Mapping[str, str]) -> list[str]:
        if answer in findings:
            return [findings[answer]]
        return [answer] if answer in self.cites else self._of(answer)


def audited(state: State, audit: Audit) -> list[Draft]:
    """The event that keeps what an audit found; none if the plan has it already.

    Raises:
      Refused: a later audit is recorded, or one whose findings are named otherwise.
    """
    if state.audits and audit.pseudonyms != state.pseudonyms:
        # Its findings would have other fingerprints, and all that the plan answers would look put right.
        was = f"were made with the key {state.pseudonyms}" if state.pseudonyms else "had the export's own ids"
        now = f"was made with the key {audit.pseudonyms}" if audit.pseudonyms else "has the export's own ids"
        raise Refused(f"the audits that the plan has {was}, and this one {now}: give one that was made as they were")
    on, last = audit.as_at.isoformat(), state.audits[-1] if state.audits else ""
    if on < last:
        raise Refused(
            f"the audit as at {on} is older than the last one that the plan has, as at {last}: it cannot say what is so since;"
            " give a later one"
        )
    known = {f for f, r in state.findings.items() if r.last == last}
    if on == last and known == {f for its in audit.found.values() for f in its}:
        return []
    body: dict[str, Any] = {"found": {r: list(its) for r, its in audit.found.items() if its}}
    if audit.restated:
        body["restated"] = {f: list(r) for f, r in audit.restated.items()}
    if silent := sorted({r.rule for r in state.findings.values() if r.reached == last} - audit.ran):
        body["did_not_run"] = silent
    if audit.pseudonyms:
        body["pseudonyms"] = audit.pseudonyms
    return [Draft("audit", "", body)]


@dataclass(frozen=True)
class Verdict:
    """What an audit says of an action.

    Args:
      draft: what is to be written; None: nothing changes.
    """

    action: str
    was: Status
    became: str
    why: str
    draft: Draft | None = None


def verify(state: State, audit: Audit) -> Iterator[Verdict]:
    """What an audit says of every action that is said to be done and answers something."""
    on = audit.as_at.isoformat()
    rule_of = {f: r.rule for f, r in state.findings.items()} | {f: r for r, its in audit.found.items() for f in its}
    for tracked in state.actions.values():
        name, was, answers = tracked.action.id, tracked.status, tracked.action.answers
        if was not in CLAIMED or not answers:
            continue
        if tracked.claimed_on > on:
            why = f"completed on {tracked.claimed_on}, after the audit as at {on}"
            yield Verdict(name, was, "cannot be told", why)
        elif still := audit.still(answers):
            n = f"{len(still):,} of {len(answers):,}"
            why = f"the audit as at {on} still finds {n} of what it answers: {', '.join(still[:5])}"
            yield Verdict(name, was, "reopened", why, _to(tracked, "open", why, audit=on))
        elif untold := audit.untold(answers, rule_of):
            why = (
                f"the audit as at {on} says nothing of {', '.join(untold[:5])}: its rule did not run, or its record is not in the"
                " export any more"
            )
            yield Verdict(name, was, "cannot be told", why)
        elif was == "completed":
            why = f"the audit as at {on} no longer finds what it answers"
            yield Verdict(name, was, "verified", why, _to(tracked, "verified", why, audit=on))


def status_of(text: str) -> Status:
    """A status as a person writes it.

    Raises:
      Refused: there is no such status.
    """
    said = text.strip().casefold().replace("_", " ").replace("-", " ")
    for status in STATUSES:
        if said == status:
            return status
    raise Refused(f"'{text}' is no status{nearest(said, STATUSES)}; there are {', '.join(STATUSES)}")
