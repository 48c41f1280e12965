"""Where an account of a plan differs from the plan's own list of actions. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.tracker.model import CLAIMED, Plan


def differences(plan: Plan) -> Iterator[str]:
    """Each in one line, for neither is taken to be right."""
    status = {a.id: a.status for _, a in plan.actions()}
    for account in plan.accounts:
        said = {a: s.text for s in account.completed for a in s.actions}
        who = f"{account.by} ({account.dated.text})"
        for action, text in said.items():
            if status[action] not in CLAIMED:
                yield f"{action} is {status[action]}, but said to be completed by: {who}: {text}"
        for action, its in status.items():
            if said and its in CLAIMED and action not in said:
                yield f"{action} is {its}, but not named among what is completed by: {who}"
