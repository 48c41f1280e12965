"""How a rule came out for a record, condition by condition, whatever the outcome. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from compliance.findings import words
from compliance.findings.argument import Argument
from compliance.model import Outcome, Standing


@dataclass(frozen=True)
class Explained:
    """How a rule came out for one record.

    Args:
      applies: true, false, or None: nobody can tell.
      margin: days left from what was done (or from the as-at date) to the day due; None without one.
      conditions: label, truth (None: not evidenced), and the values it rests on.
    """

    outcome: Outcome
    applies: bool | None
    due_on: str
    margin: int | None
    argument: str
    conditions: tuple[tuple[str, bool | None, str], ...]


def explained(
    argument: Argument, outcome: Outcome, standing: Standing, values: words.Values, near: words.Values, as_at: date
) -> Explained:
    """The explanation of an outcome, from the values that the rule's argument rests on; `near`: as `words.Wording.argued` has it."""
    argued = words.Wording(argument, as_at).argued(values, near, outcome == "not_evidenced", standing)
    return Explained(
        outcome,
        words.applies(argument, values),
        argued.due_on,
        words.margin(argument, values, as_at),
        argued.sentence if outcome in ("breach", "not_evidenced") else "",
        words.conditions(argument, values),
    )
