"""Which actions are meant. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from compliance.tracker.due import Standing, standing
from compliance.tracker.model import Status
from compliance.tracker.state import State, Tracked


@dataclass(frozen=True)
class Filter:
    """What an action must be; what is empty asks nothing.

    Args:
      owners: roles, whatever their case.
    """

    workstreams: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    due_by: date | None = None
    overdue: bool = False


def chosen_actions(state: State, wanted: Filter, as_at: date) -> list[tuple[Tracked, Standing]]:
    """The actions that are meant, in the plan's order, with how they stand."""
    owners = {o.casefold() for o in wanted.owners}
    found = []
    for _, its in state.in_order():
        for tracked in its:
            action = tracked.action
            due = action.due.last if action.due else None
            how = standing(state, tracked, as_at)
            if (
                (not wanted.workstreams or tracked.workstream in wanted.workstreams)
                and (not owners or action.owner.casefold() in owners)
                and (not wanted.statuses or action.status in wanted.statuses)
                and (wanted.due_by is None or (due is not None and due <= wanted.due_by))
                and (not wanted.overdue or how.overdue)
            ):
                found.append((tracked, how))
    return found
