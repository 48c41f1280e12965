"""What a rule's findings are called and what puts them right, by outcome and standing; and which standings they can have. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from compliance.dates import english
from compliance.language import tree
from compliance.model import STANDINGS, Parameter, Standing, Wordings
from compliance.rules.checking import CheckedCondition, CheckedDeadline, CheckedEvery, CheckedRule, Conditions, always

LEARN = "record why and what came of it, and change what let it happen"
UNSHOWN = "Find out what is missing and put it on record."


def figure(p: Parameter) -> str:
    """The value of a figure, each version with the day that it holds from."""
    if p.value is None:
        return "off"
    versions = [(d, f"{v} {p.unit}".rstrip() if isinstance(v, int) else str(v)) for d, v in p.value.versions]
    return ", ".join(v if d == date.min else f"{v} from {english(d)}" for d, v in versions)


def standings(rule: CheckedRule) -> tuple[Standing, ...]:
    """The standings that a breach of the rule can have."""
    if rule.rule.unmet == "not_evidenced":
        return ()
    match rule.check:
        case Conditions(items=items):
            found = {standing for c in items for standing in _of_condition(rule, c)}
        case CheckedDeadline():
            found = {"late", *_undone(rule.past)}
        case CheckedEvery():
            found = {"past", *_undone(rule.past)}
    return tuple(s for s in STANDINGS if s in found)


def _of_condition(rule: CheckedRule, condition: CheckedCondition) -> set[Standing]:
    found: set[Standing] = {"late"} if condition.done_since is not None else set()
    both = _undone(condition.past) | _undone(rule.past)
    return found | ({"past"} if always(condition.past) or always(rule.past) else both)


def _undone(past: tree.Node | None) -> set[Standing]:
    """The standings of what is not done."""
    return {"open"} if past is None else {"past"} if always(past) else {"open", "past"}


def titles(rule: CheckedRule, part: str) -> Wordings:
    """What findings about an item of the rule's list are called; empty: as the rule is."""
    r = rule.rule
    if any(r.titles):
        breach = _breach(r.titles)
        unshown = r.titles.not_evidenced or _either_way(breach)
        found = Wordings(breach, r.titles.late or breach, r.titles.past or breach, unshown)
    elif r.unmet == "not_evidenced":
        found = Wordings(not_evidenced=r.title)
    else:
        found = Wordings(r.title, r.title, r.title, _either_way(r.title))
    return _besides(r.said(r.title, ""), found, rule, part)


def _either_way(title: str) -> str:
    return f"{title}: this cannot be told" if title else ""


def _first_lower(text: str) -> str:
    """As the middle of a sentence has it; names keep their capital."""
    first = text.split(" ", 1)[0]
    return text if not (first[1:].islower() or first == "A") or first == "Ofsted" else text[:1].lower() + text[1:]


def remedies(rule: CheckedRule, part: str) -> Wordings:
    """What puts findings about an item of the rule's list right; empty: what the rule says.

    What is written as one text puts right what it can: of what is open or, where nothing can be, of what was late or is past.
    """
    r = rule.rule
    written = r.remedies
    if not any(written):
        base = next(iter(standings(rule)), "open")
        written = Wordings()._replace(**{base: r.remedy})
        if r.unmet == "not_evidenced":
            written = Wordings(not_evidenced=r.remedy)
    found = Wordings(
        written.open,
        written.late or _late(rule),
        written.past or _past(rule),
        written.not_evidenced or f"{UNSHOWN} If the duty was not met: {_first_lower(_breach(written))}",
    )
    return _besides(r.said(r.remedy, ""), found, rule, part)


def _late(rule: CheckedRule) -> str:
    what = rule.check.what if isinstance(rule.check, CheckedDeadline) else "What was asked"
    return f"{what}: done, but late. {LEARN[0].upper()}{LEARN[1:]}."


def _past(rule: CheckedRule) -> str:
    if isinstance(rule.check, CheckedEvery):
        learn = f"{LEARN[0].upper()}{LEARN[1:]}"
        return (
            f"{rule.check.what}: the gap lies in the past and cannot be filled. {learn}, so that the next is in time."
        )
    return f"It lies in the past and can no longer be done: {LEARN}."


def dangers(rule: CheckedRule, part: str) -> Wordings:
    """Why a child may be in danger while a finding about an item of the rule's list is open."""
    if rule.rule.danger is None:
        return Wordings()
    return Wordings(*(rule.rule.said(text, part) for text in rule.rule.danger.reasons))


def _breach(texts: Wordings) -> str:
    """What is said of a breach, whatever its standing."""
    return texts.open or texts.late or texts.past or texts.not_evidenced


def _besides(general: str, texts: Wordings, rule: CheckedRule, part: str) -> Wordings:
    """Those that are not what is said of the rule as a whole, with the item in its place."""
    said = (rule.rule.said(text, part) for text in texts)
    return Wordings(*("" if text == general else text for text in said))


# --- what the words of a rule lack ----------------------------------------------------------------------------------


def lacking(rule: CheckedRule) -> Iterator[str]:
    """What `rules lint` asks of the standing of a rule's findings, and of what is said of each."""
    r, possible = rule.rule, standings(rule)
    if not isinstance(rule.check, Conditions) and not _has_name(rule.check.start):
        yield "the day that its clock counts from is worked out and has no name; make it a fact of the pack, with a title"
    if isinstance(rule.check, Conditions) and r.unmet == "breach" and r.period is None and rule.past is None:
        for c in rule.check.items:
            if c.done_since is None and c.past is None and not c.never and looks_back(c.that):
                yield (
                    f"'{c.label}' had to come before a day of a record, and nothing says what counts as done since; write"
                    " done_since (or never), or past"
                )
    for key, texts in (("title", r.titles), ("remedy", r.remedies)):
        for standing in STANDINGS:
            if getattr(texts, standing) and standing not in possible:
                yield f"{key} has a text for what is {standing}, and no finding of this rule ever is"
    if isinstance(rule.check, Conditions) and len(possible) > 1:
        for standing in possible:
            if not getattr(r.remedies, standing):
                yield f"a finding can be {' or '.join(possible)}, and no remedy is for what is {standing}"
    for standing in ("late", "past"):
        if r.remedies.open and getattr(r.remedies, standing) == r.remedies.open:
            yield f"the remedy for what is {standing} orders what is ordered where it is open"
    if r.danger is not None and r.danger.reasons.open and "open" not in possible:
        yield "danger has a reason for what is open, and no breach of this rule ever is"


def _has_name(day: tree.Node) -> bool:
    """Whether a sentence can say which day it is: a field or a fact has a title, and a day that is written out is itself."""
    return isinstance(day, tree.FieldOf | tree.Fact | tree.Literal)


def looks_back(node: tree.Node) -> bool:
    """Whether a condition asks that a day of a record be no later than another: what comes after that can come only too late."""
    match node:
        case tree.And(items=items) | tree.Or(items=items):
            return any(looks_back(i) for i in items)
        case tree.Compare(op="<" | "<=", left=tree.Node(type=tree.DATE) as left, right=right):
            return _day_of_record(left) and _day_of_record(right)
        case tree.Compare(op=">" | ">=", left=tree.Aggregate(fn="count", condition=tree.Node() as condition)):
            return looks_back(condition)
        case tree.Aggregate(fn="any", condition=condition, value=tree.Node() as value):
            return looks_back(value) or (condition is not None and looks_back(condition))
        case tree.Aggregate(fn="all", value=tree.Node() as value):
            return looks_back(value)
        case tree.IfElse(then=then, other=other):
            return looks_back(then) or looks_back(other)
        case tree.Fact(item=item):
            return looks_back(item)
    return False


def _day_of_record(node: tree.Node) -> bool:
    parts = tree.walk(node)
    dates = any(isinstance(n, tree.FieldOf) and n.type.name == "date" for n in parts) or any(
        isinstance(n, tree.Aggregate) and n.type.name == "date" for n in parts
    )
    return dates and not any(isinstance(n, tree.AsAt) for n in parts)


def expected(rule: CheckedRule) -> tuple[Standing, ...]:
    """The standings that the cases of the rule must show, where expressions of its own tell them."""
    possible = standings(rule)
    told = isinstance(rule.check, Conditions) or rule.past is not None
    return possible if told and len(possible) > 1 and rule.rule.period is None else ()
