"""The values that a rule's sentences speak of, as phrases and as evidence: each a term, with the slots where the engine brings it back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from compliance.compiler.ir import FALSE, NULL, TRUE, Ir, and_, const, is_null
from compliance.compiler.lower import Lowered, Scope, consts
from compliance.findings.argument import NONE, Missing, Term
from compliance.language import tree
from compliance.language.describe import (
    english_of,
    field_words,
    key_of,
    one_of,
    path_words,
    picked_words,
    source_words,
    title_words,
    words,
)
from compliance.rules.checking import CheckedDeadline, CheckedRule


@dataclass
class Slots:
    """The values that the findings of a rule need, each once."""

    values: dict[Ir, int] = field(default_factory=dict)

    def of(self, item: Ir) -> int:
        """The slot of a value."""
        return self.values.setdefault(item, len(self.values))

    def maybe(self, item: Ir, never: Ir) -> int:
        """The slot of a value; none where it cannot be anything but `never`."""
        return NONE if item == never else self.of(item)


@dataclass
class Making:
    """Makes the terms of one rule out of values of a row: the record's, or that of a linked record inside it."""

    lowered: Lowered
    slots: Slots
    scopes: tuple[Scope, ...]
    _called: dict[str, str] = field(default_factory=dict)

    def called(self, f: tree.FieldOf) -> str:
        """What a sentence calls a field: whose it is in a word, or in full where two would be called the same."""
        name = ".".join([*(link.name for link in f.path), f.field])
        short = f"{path_words(f.path[-1:])}{title_words(f)}"
        return short if self._called.setdefault(short, name) == name else field_words(f)


def leaves(node: tree.Node) -> list[tree.Node]:
    """The fields, and what is asked of linked records, that an expression rests on."""
    if isinstance(node, tree.FieldOf | tree.Aggregate | tree.Spread | tree.HasAll):
        return [node]
    return [leaf for child in tree.children(node) for leaf in leaves(child)]


def asked_if_empty(rule: CheckedRule) -> frozenset[tree.Node]:
    """Fields of which the rule asks whether they are empty: then being empty is an answer, and nothing is missing."""
    asked = {inner for n in rule.nodes() if isinstance(n, tree.IsNone) for inner in _through_facts(n.item)}
    for n in rule.nodes():
        if isinstance(n, tree.Extreme) and n.fn in ("first_of", "last_of"):
            asked.update(inner for i in n.items for inner in _through_facts(i))
    if isinstance(rule.check, CheckedDeadline):
        asked.add(rule.check.done)
    return frozenset(asked)


def _through_facts(node: tree.Node) -> list[tree.Node]:
    return [node, *_through_facts(node.item)] if isinstance(node, tree.Fact) else [node]


def terms_of(nodes: Iterable[tree.Node], making: Making, may_be_empty: frozenset[tree.Node]) -> list[Term]:
    """The terms that expressions rest on, each once.

    Args:
      may_be_empty: as `asked_if_empty` has it.
    """
    found: dict[str, Term] = {}
    for node in nodes:
        for leaf in leaves(node):
            term = term_of(leaf, making, may_be_empty)
            # Of two questions about the same records one is told, but both may lack something.
            before = found.get(term.name)
            found[term.name] = term if before is None else before._replace(missing=(*before.missing, *term.missing))
            # What the filter of a `for` says of the record itself is evidence too.
            for inner in tree.walk(leaf)[1:]:
                if isinstance(inner, tree.FieldOf) and inner.scope == 0:
                    own = term_of(inner, making, may_be_empty)
                    found.setdefault(own.name, own)
    return list(found.values())


def term_of(node: tree.Node, making: Making, may_be_empty: frozenset[tree.Node]) -> Term:
    """The term of one of `leaves`."""
    lowerer, slots = making.lowered.lowerer, making.slots
    value = lowerer.value(node, making.scopes)
    hidden = not lowerer.personal and is_personal(node)

    def empty(names: Iterable[str], slot: int) -> tuple[Missing, ...]:
        return tuple(Missing(name, "empty", slot) for name in names)

    def shown(item: Ir) -> int:
        """Of what is personal it is brought back that it is there, and no more."""
        return slots.of(is_null(item) if hidden else item)

    match node:
        case tree.FieldOf():
            said = making.called(node)
            name = _field_name(node)
            doubt = slots.maybe(value.doubt, FALSE)
            slot = shown(value.node)
            lacking: tuple[Missing, ...] = (Missing(name, "true" if hidden else "empty", slot),)
            if node in may_be_empty:
                lacking = () if doubt == NONE else (Missing(name, "true", doubt),)
            sign = slots.maybe(lowerer.sign_of(node, making.scopes), NULL)
            signs = () if sign == NONE else lowerer.signs(node)
            return Term(
                "field",
                name,
                said,
                slot,
                node.type.name,
                doubt,
                hidden=hidden,
                missing=lacking,
                empty=node.empty,
                sign=sign,
                signs=signs,
            )
        case tree.HasAll(item=item, options=options):
            said = _short(item) if isinstance(item, tree.Aggregate) else english_of(item)
            listed = lowerer.value(item, making.scopes).node
            lists: list[tuple[str, ...]] = []

            def which(items: tuple[object, ...]) -> Ir:
                lists.append(tuple(str(c.value) for c in consts(items)))  # type: ignore[arg-type, attr-defined]
                return const(len(lists) - 1)

            asked = slots.of(lowerer.options(options, which, making.scopes))
            truth = slots.of(value.node)
            fields = [_field_name(f) for f in tree.walk(item) if isinstance(f, tree.FieldOf)]
            hidden = not lowerer.personal and is_personal(item)
            return Term(
                "list",
                f"{key_of(item)}, lacking",
                said,
                shown(listed),
                "list",
                truth,
                asked,
                hidden,
                empty(fields, truth),
                tuple(lists),
            )
        case tree.Aggregate(fn="count"):
            least = slots.of(value.node)
            most = NONE if value.most is None else slots.of(value.most)
            fields = [] if most == NONE else inner_fields(node.source, [node.condition])
            unsure = tuple(Missing(f, "differs", least, most) for f in fields)
            unsure += link_missing(node.source, is_null(value.exact().node), making)
            them = words(node.source.link.back) + ("" if node.condition is None else " that count")
            return Term("count", key_of(node), them, least, other=most, missing=unsure)
        case tree.Aggregate(fn="any" | "all" as fn):
            n = slots.of(lowerer.count(node.source, making.scopes, TRUE))
            truth = slots.of(value.node)
            fields = inner_fields(node.source, [node.condition, node.value])
            named = f"{source_words(node.source)} on record"
            them = words(node.source.link.back)
            missing = empty(fields, truth) + link_missing(node.source, is_null(value.node), making)
            return Term(fn, named, them, truth, other=n, missing=missing, one=one_of(node.source.link.back))
        case tree.Aggregate():
            fields = inner_fields(node.source, [node.condition, node.value])
            hidden = node.personal and not lowerer.personal
            slot, doubt = shown(value.node), slots.maybe(value.doubt, FALSE)
            missing = tuple(Missing(f, "true" if hidden else "empty", slot) for f in fields)
            missing += link_missing(node.source, is_null(value.node), making)
            return Term(
                "aggregate", key_of(node), _short(node), slot, node.type.name, doubt, hidden=hidden, missing=missing
            )
    assert isinstance(node, tree.Spread)
    fields = inner_fields(node.source, [node.condition, node.start, node.end])
    slot = shown(value.node)
    missing = tuple(Missing(f, "true" if hidden else "empty", slot) for f in fields)
    missing += link_missing(node.source, is_null(value.node), making)
    told = f"most days in any {english_of(node.within)}" if isinstance(node, tree.MostDays) else "largest gap"
    return Term("gap", key_of(node), told, slot, hidden=hidden, missing=missing)


def is_personal(node: tree.Node) -> bool:
    """Whether a value is, or is worked out from, something personal."""
    return any(isinstance(n, tree.FieldOf) and n.personal for n in tree.walk(node))


def _field_name(f: tree.FieldOf) -> str:
    return ".".join([*(link.name for link in f.path), f.field])


def _short(a: tree.Aggregate) -> str:
    """An aggregate in few words; the evidence has the whole."""
    them, one = words(a.source.link.back), one_of(a.source.link.back)
    if a.fn in ("latest", "earliest"):
        which = f"the {'first' if a.fn == 'earliest' else 'latest'} {one}"
        picked = picked_words(a)
        # What names the record itself says which one: the day of the latest review.
        return picked.replace(f"the {one}", which) if f"the {one}" in picked else f"{picked} of {which}"
    dates = a.type.name == "date"
    if isinstance(a.value, tree.Fact):
        value = english_of(a.value)
    else:
        value = title_words(a.value) if isinstance(a.value, tree.FieldOf) else "date" if dates else "value"
    if a.fn == "sum":
        return f"{value}, all {them} together"
    said = {"min": "earliest" if dates else "smallest", "max": "latest" if dates else "largest"}[a.fn]
    told = value if a.fn == "max" and value.startswith("last ") else f"{said} {value}"
    return told if f"the {one}" in value else f"{told} of any {one}"


def inner_fields(source: tree.Source, nodes: Iterable[tree.Node | None]) -> list[str]:
    """Fields of linked records that a `for` looks at, by the name of the link."""
    found = []
    for node in nodes:
        for n in tree.walk(node):
            if isinstance(n, tree.FieldOf) and n.scope > 0:
                found.append(f"{_way(source)}.{_field_name(n)}")
    return list(dict.fromkeys(found))


def link_missing(source: tree.Source, untold: Ir, making: Making) -> tuple[Missing, ...]:
    """The field of the link, where something is `untold` of a record and rows that may be its own are not linked to it."""
    perhaps = making.lowered.lowerer.perhaps(source, making.scopes)
    if perhaps == FALSE:
        return ()
    return (Missing(f"{_way(source)}.{source.link.field}", "true", making.slots.of(and_(untold, perhaps))),)


def _way(source: tree.Source) -> str:
    return ".".join([*(link.name for link in source.path), source.link.back])
