"""Findings and the actions that answer them, held together for a report that tells both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from compliance.model import Finding
from compliance.tracker.about import subject
from compliance.tracker.state import State, Tracked


class Answering:
    """Which of a plan's actions answer which findings.

    Args:
      state: None: there is no plan, and nothing answers anything.

    Attributes:
      actions: those that answer something, in the plan's order.
      found: how many of the findings that were asked about each action answers, by its id.
    """

    def __init__(self, state: State | None) -> None:
        of_plan = [t for _, its in state.in_order() for t in its] if state is not None else []
        self.actions: Sequence[Tracked] = [t for t in of_plan if t.action.answers]
        self.found: Counter[str] = Counter()
        self._by: dict[str, list[int]] = {}
        for place, t in enumerate(self.actions):
            for answer in t.action.answers:
                self._by.setdefault(answer, []).append(place)

    def of(self, f: Finding) -> tuple[int, ...]:
        """Places in `actions` of those that answer a finding: itself, its rule, or a duty that it falls short of."""
        if not self._by:
            return ()
        its = {place for a in (f.fingerprint, f.rule.id, *f.cites) for place in self._by.get(a, ())}
        self.found.update(self.actions[place].action.id for place in its)
        return tuple(sorted(its))


def named(f: Finding) -> tuple[str, str]:
    """What an action is about that answers a finding, as a plan keeps it, and the same with names, where the audit shows names."""
    whose = None if f.whose is None else (f.whose.record, f.whose.key)
    names = (f.name, f.whose.name if f.whose is not None else "")
    return subject(f.rule.record, f.key, whose), subject(f.rule.record, f.key, whose, names)


def shown(about: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Whom an action is about, with the names that `named` gave."""
    return [names.get(subject, subject) for subject in about]
