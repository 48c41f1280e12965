"""The linked record that is named where a condition does not hold: which one came nearest to what is asked, or is what none may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from compliance.compiler.ir import NULL, AsAt, Column, Ir, and_, case, const, is_null, not_, op, or_
from compliance.compiler.lower import Lowered
from compliance.compiler.terms import Making, Slots, leaves, term_of
from compliance.findings.argument import NONE, Asked, Near
from compliance.language import tree
from compliance.language.describe import title_words, words
from compliance.rules.checking import CheckedDeadline, CheckedEvery, Conditions


class Linked(NamedTuple):
    """What is asked of linked records.

    Args:
      what: as `Near` has it.
      filters: what must hold of a record for it to be asked at all.
      asked: what is asked of it.
      earliest: of several that come as near the earliest is named, else the latest.
      too_few: there are some of what is asked, but not enough: one of the others is named.
    """

    what: Literal["nearest", "offending", "failing", "candidate"]
    source: tree.Source
    filters: tuple[tree.Node, ...]
    asked: tuple[tree.Node, ...]
    earliest: bool = False
    too_few: bool = False


AT_LEAST, AT_MOST = (">=", ">"), ("<=", "<")


def asked_of_linked(check: Conditions | CheckedDeadline | CheckedEvery) -> list[Linked | None]:
    """For each condition of a rule, what it asks of linked records first."""
    match check:
        case Conditions(items=items):
            return [next(_of_condition(c.that, wanted=True), None) for c in items]
        case CheckedDeadline(done=done):
            found = (a for a in tree.walk(done) if isinstance(a, tree.Aggregate) and a.source.scope == 0)
            return [next((_of_aggregate("candidate", a) for a in found), None)]
        case CheckedEvery(done=every):
            # Without a condition there is nothing that a record could fall short of.
            asked = _conjuncts(every.condition)
            return [Linked("candidate", every.source, (), asked) if asked else None]


def needed(check: Conditions | CheckedDeadline | CheckedEvery) -> list[str]:
    """For each condition of a rule, the kind of linked records of which it asks that there be one; empty: it asks for none."""
    match check:
        case Conditions(items=items):
            asked = [_of_condition(c.that, wanted=True, whatever=True) for c in items]
            return [next((a.source.link.kind for a in its if a.what == "nearest"), "") for its in asked]
        case CheckedDeadline(done=done):
            found = (a for a in tree.walk(done) if isinstance(a, tree.Aggregate) and a.source.scope == 0)
            return [next((a.source.link.kind for a in found), "")]
        case CheckedEvery(done=every):
            return [every.source.link.kind]


def _of_condition(node: tree.Node, wanted: bool, whatever: bool = False) -> Iterator[Linked]:
    """What a condition asks of linked records.

    Args:
      wanted: it is to hold.
      whatever: where it asks that there be some, whatever they are, that counts as well.
    """
    match node:
        case tree.Fact(item=item):
            yield from _of_condition(item, wanted, whatever)
        case tree.Not(item=item):
            yield from _of_condition(item, not wanted, whatever)
        case tree.And(items=items) | tree.Or(items=items):
            for item in items:
                yield from _of_condition(item, wanted, whatever)
        case tree.IfElse(then=then, other=other):
            yield from _of_condition(then, wanted, whatever)
            yield from _of_condition(other, wanted, whatever)
        case tree.Aggregate(fn="any"):
            yield _of_aggregate("nearest" if wanted else "offending", node)
        case tree.Aggregate(fn="all", source=source, condition=condition, value=value) if wanted:
            yield Linked("failing", source, _conjuncts(condition), _conjuncts(value))
        case tree.Compare(op=symbol, left=tree.Aggregate(fn="count") as count) if symbol in AT_LEAST + AT_MOST:
            nearest = (symbol in AT_LEAST) == wanted
            if count.condition is not None or not nearest or whatever:
                yield _of_aggregate("nearest" if nearest else "offending", count)
        case tree.Compare(op="==", left=tree.Aggregate(fn="count") as count, right=tree.Literal(value=0)) if wanted:
            yield _of_aggregate("offending", count)
        case tree.Compare(left=a, right=b):
            for side in (a, b):
                if isinstance(side, tree.Aggregate) and side.fn not in ("count", "sum") and wanted:
                    yield _of_aggregate("nearest", side)
        case tree.IsNone(item=tree.Aggregate() as chosen):
            yield _of_aggregate("offending" if wanted else "nearest", chosen)


def _of_aggregate(what: Literal["nearest", "offending", "candidate"], a: tree.Aggregate) -> Linked:
    value = a.value if a.fn == "any" else None
    asked = (*_conjuncts(a.condition), *_conjuncts(value))
    return Linked(what, a.source, (), asked, a.fn in ("min", "earliest"), a.fn == "count" and what == "nearest")


def _conjuncts(node: tree.Node | None) -> tuple[tree.Node, ...]:
    match node:
        case None:
            return ()
        case tree.Fact(item=item):
            return _conjuncts(item)
        case tree.And(items=items):
            return tuple(c for item in items for c in _conjuncts(item))
    return (node,)


def near_of(linked: Linked | None, lowered: Lowered, slots: Slots, may_be_empty: frozenset[tree.Node]) -> Near | None:
    """The record that is named; its values, and what else is asked of linked records, get slots among the record's.

    Args:
      may_be_empty: as `terms.asked_if_empty` has it.
    """
    if linked is None or linked.source.scope != 0:
        return None
    lowerer, outer = lowered.lowerer, (lowered.scope,)
    making = Making(lowered, Slots(), lowerer.enter(linked.source, outer))
    kind = lowerer.kinds[linked.source.link.kind]
    # An export need not have a column that the rule does not ask for.
    dated = kind.date in lowerer.tables[kind.name].columns
    own_date = lowerer.value(_own_date(kind.name, kind.date, lowered), making.scopes).node if dated else NULL
    # The key, the source, the row and the date of the record stand first.
    for column in (Column(kind.key), Column("src"), Column("row"), own_date):
        making.slots.of(column)
    asked = tuple(_asked(node, making, may_be_empty) for node in linked.asked)
    truths = [lowerer.value(node, making.scopes).node for node in linked.asked]
    filters = and_(*(lowerer.value(node, making.scopes).node for node in linked.filters))
    hit = and_(*truths)
    match linked.what:
        case "offending":
            where = hit
        case "failing":
            where = and_(filters, or_(not_(hit), is_null(hit)))
        case _:
            where = and_(*(t for t, node in zip(truths, linked.asked, strict=True) if _asks_the_sort(node, making)))
            if linked.too_few:
                where = and_(where, or_(not_(hit), is_null(hit)))
    score: Ir = const(0)
    far: Ir = const(0)
    for truth, said in zip(truths, asked, strict=True):
        score = op("add", score, case(truth, const(2), is_null(truth), const(1), const(0)))
        if said.day != NONE:
            days = list(making.slots.values)
            early, late = (days[said.day], days[said.other])[:: -1 if said.after else 1]
            # So many days on the wrong side of the other date.
            far = op("add", far, case(truth, const(0), op("coalesce", op("days_between", late, early), const(0))))
    day = op("coalesce", op("days_between", AsAt(), own_date), const(-100_000)) if dated else const(0)
    order = op("neg", day) if linked.earliest else day
    key = Column(lowerer.tables[kind.name].order or kind.key)
    rank = (
        op("row", score, op("neg", far), order, key)
        if linked.what in ("nearest", "candidate")
        else op("row", order, key)
    )
    values = op("row", *making.slots.values)
    near = slots.of(lowerer.group(linked.source, outer, "arg_max", (values, rank), where))
    later = NONE
    but_for_dates = [truth for truth, said in zip(truths, asked, strict=True) if said.day == NONE]
    if linked.what == "nearest" and dated and len(but_for_dates) < len(truths):
        later = slots.of(lowerer.group(linked.source, outer, "max", (own_date,), and_(*but_for_dates)))
    titles = kind.fields[kind.date].title or words(kind.date) if kind.date else ""
    return Near(kind.name, words(linked.source.link.back), linked.what, near, titles, asked, later)


def _own_date(kind: str, date: str, lowered: Lowered) -> tree.Node:
    return tree.FieldOf(tree.DATE, lowered.scope.index + 1, (), kind, date)


def _asks_the_sort(node: tree.Node, making: Making) -> bool:
    """Whether it asks of which sort a record is."""
    kinds = making.lowered.lowerer.kinds
    fields = [f for f in tree.walk(node) if isinstance(f, tree.FieldOf) and f.scope == making.scopes[-1].index]
    return isinstance(node, tree.Compare | tree.Member) and any(kinds[f.kind].fields[f.field].sort for f in fields)


ORDERED = {"<": False, "<=": False, ">": True, ">=": True}


def _asked(node: tree.Node, making: Making, may_be_empty: frozenset[tree.Node]) -> Asked:
    """One thing that is asked of each record."""
    own = making.scopes[-1].index
    slots, lowerer = making.slots, making.lowered.lowerer
    truth = slots.of(lowerer.value(node, making.scopes).node)

    def is_own(n: tree.Node) -> bool:
        return any(isinstance(f, tree.FieldOf) and f.scope == own for f in tree.walk(n))

    terms = tuple(
        term_of(leaf, making, may_be_empty)
        for leaf in dict.fromkeys(leaves(node))
        if isinstance(leaf, tree.FieldOf | tree.HasAll) and is_own(leaf)
    )
    if not isinstance(node, tree.Compare) or node.op not in ORDERED or node.left.type != tree.DATE:
        return Asked(truth, terms)
    swapped = not is_own(node.left)
    day, other = (node.right, node.left) if swapped else (node.left, node.right)
    same = isinstance(day, tree.FieldOf) and any(
        isinstance(n, tree.FieldOf) and (n.kind, n.field) == (day.kind, day.field) for n in tree.walk(other)
    )
    if not isinstance(day, tree.FieldOf) or same or _is_hidden(day, making) or _is_hidden(other, making):
        return Asked(truth, terms)
    return Asked(
        truth,
        terms,
        slots.of(lowerer.value(day, making.scopes).exact().node),
        making.called(day),
        slots.of(lowerer.value(other, making.scopes).exact().node),
        _words_of_day(other),
        ORDERED[node.op] != swapped,
    )


def _words_of_day(node: tree.Node) -> str:
    match node:
        case tree.FieldOf():
            return title_words(node)
        case tree.Fact(title=title):
            return f"{title[:1].lower()}{title[1:]}"
        case tree.AsAt():
            return ""
    # What is worked out is told by the day that it comes to.
    return ""


def _is_hidden(node: tree.Node, making: Making) -> bool:
    personal = any(isinstance(f, tree.FieldOf) and f.personal for f in tree.walk(node))
    return personal and not making.lowered.lowerer.personal
