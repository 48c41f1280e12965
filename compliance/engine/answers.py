"""What the answers of rules stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from compliance.compiler import ir

if TYPE_CHECKING:
    from compliance.model import Outcome, Standing


class Meaning(NamedTuple):
    """What an answer says of a record; standing and danger mean something of findings alone."""

    outcome: Outcome
    standing: Standing = "open"
    danger: bool = False


MEANINGS: Mapping[int, Meaning] = {
    ir.NOT_APPLICABLE: Meaning("not_applicable"),
    ir.PENDING: Meaning("pending"),
    ir.COMPLIANT: Meaning("compliant"),
    ir.DANGER: Meaning("breach", danger=True),
    ir.DANGER_NOT_EVIDENCED: Meaning("not_evidenced", danger=True),
    ir.BREACH: Meaning("breach"),
    ir.NOT_EVIDENCED: Meaning("not_evidenced"),
    ir.LATE: Meaning("breach", "late"),
    ir.PAST: Meaning("breach", "past"),
}
