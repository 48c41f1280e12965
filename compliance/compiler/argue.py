"""What a rule's findings are worded from: the values that the engine must bring back for them, and the argument that names them by slot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from compliance.compiler.ir import FALSE, NULL, TRUE, AsAt, Ir, Ordinal, and_, case, const, is_null, op
from compliance.compiler.lower import Due, Lowered, Scope, consts
from compliance.findings.argument import NONE, Argument, Clause, Clock, Condition, Missing, Term
from compliance.language import tree
from compliance.language.describe import english_of, field_words, path_words, source_words, words
from compliance.model import LAYERS, Duty
from compliance.rules.checking import CheckedDeadline, CheckedEvery, CheckedRule, Conditions


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
class Arguing:
    """One rule's terms and their slots, for every item of its list alike."""

    lowered: Lowered
    slots: Slots
    terms: dict[Term, int] = field(default_factory=dict)
    clauses: dict[Clause, int] = field(default_factory=dict)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The record's row."""
        return (self.lowered.scope,)

    def places(self, terms: Iterable[Term]) -> tuple[int, ...]:
        """Where terms stand among all of the rule."""
        return tuple(self.terms.setdefault(t, len(self.terms)) for t in terms)

    def clause(self, duties: Sequence[Duty]) -> int:
        """The place of the clause that these duties are versions of; `NONE` where there are none, or the agency's own figure is asked."""
        if not duties or self.lowered.lawful is not None:
            return NONE
        return self.clauses.setdefault(_clause(duties, self), len(self.clauses))


WITHIN = {"statute": "Lawful", "standard": "Within the standard", "good practice": "Within good practice"}
"""What is said of a record that keeps the figure of a layer, but not the agency's own."""


def argue(lowered: Lowered, parts: Iterable[str]) -> tuple[tuple[Ir, ...], dict[str, Argument]]:
    """The values that the findings of a rule need, in the order of their slots, and what is said for each of `parts`."""
    making = Arguing(lowered, Slots())
    slots, checked = making.slots, lowered.rule
    empty = _may_be_empty(checked)
    when_terms = _terms([checked.when] if checked.when else [], making, empty)
    shown = _terms(checked.show, making, empty)
    when = Condition(
        "" if checked.when is None else english_of(checked.when),
        slots.maybe(lowered.when, TRUE),
        making.places(when_terms),
    )
    truths = [slots.of(truth) for _, truth in lowered.conditions]
    making.clauses[_whole_clause(making)] = 0
    if isinstance(checked.check, Conditions):
        of_each = [_terms([c.that], making, empty) for c in checked.check.items]
        own_clauses = [making.clause(c.cites) for c in checked.check.items]
    else:
        of_each, own_clauses = [_clock_terms(checked.check, making, empty)], [NONE]
    conditions = [
        Condition(label, truth, making.places(terms), clause)
        for (label, _), truth, terms, clause in zip(lowered.conditions, truths, of_each, own_clauses, strict=True)
    ]
    clock = None if lowered.due is None else _clock(checked.check, lowered.due, making)
    told = {t.name: t for t in (*shown, *when_terms, *(t for terms in of_each for t in terms))}
    evidence = making.places(told.values())
    arguments = {}
    for part in parts:
        about = next((d for d in checked.rule.cites if d.id == part), None)
        own = lowered.lawful is not None
        local = checked.rule.cites and all(d.layer == "local policy" for d in checked.rule.cites)
        of_part = tuple(making.clauses) if about is None or own else (Clause((about.id,), (about.ref,)),)
        named = checked.rule.each is None or any("{" + checked.rule.each[0] in c.label for c in conditions)
        said = [
            c._replace(label=checked.rule.said(c.label, part), clause=c.clause if about is None else NONE)
            for c in conditions
        ]
        arguments[part] = Argument(
            when=when,
            conditions=tuple(said),
            clock=None if clock is None else _clock_of_part(clock, checked.rule.said(clock.what, part), about),
            clauses=of_part,
            whose="local policy, not law; " if local and not own else "",
            part="" if named else part,
            lawful=NONE if lowered.lawful is None else slots.of(lowered.lawful),
            within="" if not own else WITHIN[min((d.layer for d in checked.rule.cites), key=LAYERS.index)],
            terms=tuple(making.terms),
            evidence=evidence,
        )
    return tuple(slots.values), arguments


def _whole_clause(making: Arguing) -> Clause:
    """What a finding quotes where nothing says which of the rule's duties it falls short of."""
    lowered = making.lowered
    if lowered.lawful is not None:
        return Clause((), (f"own policy; {lowered.source}",))
    return _clause(lowered.rule.rule.cites, making) if lowered.rule.rule.cites else Clause((), ("KPI",))


def _clause(duties: Sequence[Duty], making: Arguing) -> Clause:
    """Of the duties that weigh as much as the first, the one in force on the day that decides."""
    lowered, first = making.lowered, duties[0]
    clocked = lowered.rule.judged_on is None and lowered.due is not None
    day = lowered.due.due if clocked and lowered.due is not None else lowered.lowerer.judged
    whens: list[Ir] = []
    versions: dict[str, str] = {}
    for duty in (d for d in duties if d.instrument == first.instrument and d.layer == first.layer):
        conditions = _in_force(duty, day, lowered)
        versions.setdefault(duty.ref, duty.id)
        whens += [and_(*conditions), const(list(versions).index(duty.ref))]
        if not conditions:
            break
    cites, refs = tuple(versions.values()), tuple(versions)
    return Clause(cites, refs, NONE if len(refs) == 1 else making.slots.of(case(*whens, const(0))))


def _in_force(duty: Duty, day: Ir, lowered: Lowered) -> list[Ir]:
    found: list[Ir] = []
    if duty.from_on > lowered.rule.rule.from_on:
        found.append(op("ge", day, const(duty.from_on)))
    if duty.to_on is not None:
        found.append(op("le", day, const(duty.to_on)))
    return found


# --- the two clocks ---


def _clock_terms(check: CheckedDeadline | CheckedEvery, making: Arguing, empty: frozenset[tree.Node]) -> list[Term]:
    limits = [r.condition for r in check.within if r.condition]
    if isinstance(check, CheckedDeadline):
        return _terms([check.start, check.done], making, empty) + _terms(limits, making, empty)
    terms = _terms([check.start, *limits], making, empty)
    # An empty end is no end; it is missing from nothing.
    terms += [t._replace(missing=()) for t in _terms([check.until] if check.until else [], making, empty)]
    inside = _inner_fields(
        check.done.source, [check.done.value, *([check.done.condition] if check.done.condition else [])]
    )
    truth, due = making.slots.of(making.lowered.conditions[0][1]), making.lowered.due
    assert due is not None and due.gaps is not None
    gaps = Term("gaps", "late_gaps", "", making.slots.of(due.gaps))
    return [*terms, gaps._replace(missing=tuple(Missing(name, "empty", truth) for name in inside))]


def _clock(check: Conditions | CheckedDeadline | CheckedEvery, due: Due, making: Arguing) -> Clock:
    assert not isinstance(check, Conditions)
    slots = making.slots
    until = due.end if due.end is not None else op("coalesce", due.done.node, AsAt())
    working = due.units == {"working_days"}
    late = op("sub", Ordinal(until), Ordinal(due.due)) if working else op("days_between", due.due, until)
    given = "" if check.within else "constant" if isinstance(check.start, tree.Literal) else "day"
    clock = Clock(
        what=check.what,
        start_words=_start_words(check.start),
        given=given,  # type: ignore[arg-type]
        due=slots.of(due.due),
        start=slots.of(due.start.node),
        done=slots.of(due.done.node),
        late=slots.of(late),
        working=working,
        limits=due.limits,
        limit=slots.maybe(due.limit, NULL),
        regime=slots.maybe(due.regime, NULL),
        by_regime=() if due.regime == NULL else tuple(making.clause(r.cites) for r in check.within),
    )
    if due.end is None:
        return clock
    assert due.n_late is not None and due.gaps is not None
    return clock._replace(recurring=True, end=slots.of(due.end), n_late=slots.of(due.n_late), gaps=slots.of(due.gaps))


def _clock_of_part(clock: Clock, what: str, about: Duty | None) -> Clock:
    """The clock of one item of a list; of an item that is a duty, that duty alone is quoted."""
    return clock._replace(what=what) if about is None else clock._replace(what=what, regime=NONE, by_regime=())


def _start_words(node: tree.Node) -> str:
    if isinstance(node, tree.FieldOf):
        return field_words(node).removesuffix(" on")
    return english_of(node)


# --- terms ---


def _leaves(node: tree.Node) -> list[tree.Node]:
    if isinstance(node, tree.FieldOf | tree.Aggregate | tree.Gap | tree.HasAll):
        return [node]
    return [leaf for child in tree.children(node) for leaf in _leaves(child)]


def _may_be_empty(rule: CheckedRule) -> frozenset[tree.Node]:
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


def _terms(nodes: Iterable[tree.Node], making: Arguing, may_be_empty: frozenset[tree.Node]) -> list[Term]:
    found: dict[str, Term] = {}
    for node in nodes:
        for leaf in _leaves(node):
            term = _term(leaf, making, may_be_empty)
            # Of two questions about the same records one is told, but both may lack something.
            before = found.get(term.name)
            found[term.name] = term if before is None else before._replace(missing=(*before.missing, *term.missing))
            # What the filter of a `for` says of the record itself is evidence too.
            for inner in tree.walk(leaf)[1:]:
                if isinstance(inner, tree.FieldOf) and inner.scope == 0:
                    own = _term(inner, making, may_be_empty)
                    found.setdefault(own.name, own)
    return list(found.values())


def _term(node: tree.Node, making: Arguing, may_be_empty: frozenset[tree.Node]) -> Term:
    lowerer, slots = making.lowered.lowerer, making.slots
    value = lowerer.value(node, making.scopes)
    hidden = not lowerer.personal and _personal(node)

    def empty(names: Iterable[str], slot: int) -> tuple[Missing, ...]:
        return tuple(Missing(name, "empty", slot) for name in names)

    def shown(item: Ir) -> int:
        """Of what is personal it is brought back that it is there, and no more."""
        return slots.of(is_null(item) if hidden else item)

    match node:
        case tree.FieldOf():
            said = f"{path_words(node.path)}{words(node.field)}"
            name = _field_name(node)
            doubt = slots.maybe(value.doubt, FALSE)
            slot = shown(value.node)
            lacking: tuple[Missing, ...] = (Missing(name, "true" if hidden else "empty", slot),)
            if node in may_be_empty:
                lacking = () if doubt == NONE else (Missing(name, "true", doubt),)
            return Term("field", name, said, slot, node.type.name, doubt, hidden=hidden, missing=lacking)
        case tree.HasAll(item=item, options=options):
            said = english_of(item)
            listed = lowerer.value(item, making.scopes).node
            lists: list[tuple[str, ...]] = []

            def which(items: tuple[object, ...]) -> Ir:
                lists.append(tuple(str(c.value) for c in consts(items)))  # type: ignore[arg-type, attr-defined]
                return const(len(lists) - 1)

            asked = slots.of(lowerer.options(options, which, making.scopes))
            truth = slots.of(value.node)
            fields = [_field_name(f) for f in tree.walk(item) if isinstance(f, tree.FieldOf)]
            hidden = not lowerer.personal and _personal(item)
            return Term(
                "list",
                f"{said}, lacking",
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
            fields = [] if most == NONE else _inner_fields(node.source, [node.condition])
            unsure = tuple(Missing(f, "differs", least, most) for f in fields)
            return Term(
                "count", english_of(node), f"{source_words(node.source)} counted", least, other=most, missing=unsure
            )
        case tree.Aggregate(fn="any" | "all" as fn):
            n = slots.of(lowerer.count(node.source, making.scopes, TRUE))
            truth = slots.of(value.node)
            fields = _inner_fields(node.source, [node.condition, node.value])
            them = source_words(node.source)
            return Term(fn, f"{them} on record", them, truth, other=n, missing=empty(fields, truth))
        case tree.Aggregate():
            fields = _inner_fields(node.source, [node.condition, node.value])
            hidden = node.personal and not lowerer.personal
            slot, doubt = shown(value.node), slots.maybe(value.doubt, FALSE)
            missing = tuple(Missing(f, "true" if hidden else "empty", slot) for f in fields)
            return Term(
                "aggregate", english_of(node), _short(node), slot, node.type.name, doubt, hidden=hidden, missing=missing
            )
    assert isinstance(node, tree.Gap)
    fields = _inner_fields(node.source, [node.condition, node.start, node.end])
    slot = shown(value.node)
    missing = tuple(Missing(f, "true" if hidden else "empty", slot) for f in fields)
    return Term("gap", english_of(node), "largest gap", slot, hidden=hidden, missing=missing)


def _personal(node: tree.Node) -> bool:
    """Whether a value is, or is worked out from, something personal."""
    return any(isinstance(n, tree.FieldOf) and n.personal for n in tree.walk(node))


def _field_name(f: tree.FieldOf) -> str:
    return ".".join([*(link.name for link in f.path), f.field])


def _short(a: tree.Aggregate) -> str:
    """An aggregate in few words; the evidence has the whole."""
    if a.fn in ("latest", "earliest"):
        return f"{words(a.pick)} of the {a.fn} of the {source_words(a.source)}"
    value = words(a.value.field) if isinstance(a.value, tree.FieldOf) else "value"
    dates = a.type.name == "date"
    said = {"min": "earliest" if dates else "smallest", "max": "latest" if dates else "largest", "sum": "total"}[a.fn]
    return f"{said} {value} of the {source_words(a.source)}"


def _inner_fields(source: tree.Source, nodes: Iterable[tree.Node | None]) -> list[str]:
    """Fields of linked records that a `for` looks at, by the name of the link."""
    way = ".".join([*(link.name for link in source.path), source.link.back])
    found = []
    for node in nodes:
        for n in tree.walk(node):
            if isinstance(n, tree.FieldOf) and n.scope > 0:
                found.append(f"{way}.{_field_name(n)}")
    return list(dict.fromkeys(found))
