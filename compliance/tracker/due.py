"""What is overdue, due soon, stalled, or to be brought to a forum, as at a day. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from compliance.tracker.model import CLAIMED, LIVE, Forum
from compliance.tracker.state import Raised, State, Tracked


@dataclass(frozen=True)
class Standing:
    """How an action stands as at a day.

    Args:
      overdue: days since it was due; 0: it is not.
      due_soon: whether it falls due within the days that the plan sets.
      idle: days since anything was said of it, where that is longer than the plan allows; 0: not so.
      escalate: the forum to which it is to be brought; None: none.
      unevidenced: it is said to be done, and nothing shows it.
      restated: what it answers was found by an earlier audit, and again: since when, and how many audits found it.
    """

    overdue: int = 0
    due_soon: bool = False
    idle: int = 0
    escalate: Forum | None = None
    unevidenced: bool = False
    restated: tuple[str, int] | None = None


def standing(state: State, tracked: Tracked, as_at: date) -> Standing:
    """How one action stands."""
    plan, action = state.plan, tracked.action
    overdue = idle = 0
    due_soon = False
    if action.status in LIVE:
        if action.due is not None:
            days = (as_at - action.due.last).days
            overdue, due_soon = max(days, 0), -plan.due_soon <= days <= 0
        quiet = (as_at - date.fromisoformat(tracked.changed)).days
        idle = quiet if quiet > plan.stalled_after else 0
    forums = [f for f in plan.forums if f.escalate_after is not None and overdue > f.escalate_after]
    # The longer a forum waits, the higher it is.
    escalate = max(forums, key=lambda f: f.escalate_after or 0, default=None)
    return Standing(
        overdue,
        due_soon,
        idle,
        escalate,
        action.status in CLAIMED and not action.evidence,
        _restated(state, tracked),
    )


def _restated(state: State, tracked: Tracked) -> tuple[str, int] | None:
    """The longest story of the findings that it answers, of those that the last audit found."""
    last = state.audits[-1] if state.audits else ""
    answers = tracked.action.answers
    found: list[Raised] = [state.findings[a] for a in answers if a in state.findings]
    # A plan may hold far more findings than an action answers: they are looked through only for a rule.
    if rules := {a for a in answers if a not in state.findings}:
        found += [r for r in state.findings.values() if r.rule in rules]
    its = [r for r in found if r.last == last and r.times > 1]
    if not its:
        return None
    oldest = min(its, key=lambda r: (r.since, -r.times))
    return oldest.since, oldest.times


def words(s: Standing) -> str:
    """It in a few words: overdue by 12 days; to the company executive."""
    said = []
    if s.overdue:
        said.append(f"overdue by {s.overdue:,} {'day' if s.overdue == 1 else 'days'}")
    if s.due_soon:
        said.append("due soon")
    if s.idle:
        said.append(f"stalled: nothing for {s.idle:,} days")
    if s.escalate is not None:
        said.append(f"for the {s.escalate.name}")
    if s.unevidenced:
        said.append("closed without evidence")
    if s.restated is not None:
        said.append(f"restated: found since {s.restated[0]}, {s.restated[1]} times")
    return "; ".join(said)
