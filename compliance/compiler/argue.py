"""What a rule's findings are worded from: the values that the engine must bring back for them, and the argument that names them by slot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from compliance.compiler.ir import NULL, TRUE, Adrift, AsAt, Ir, Ordinal, and_, case, const, is_null, not_, op
from compliance.compiler.lower import NO_MORE, Due, Lowered
from compliance.compiler.near import asked_of_linked, near_of, needed
from compliance.compiler.terms import Making, Slots, asked_if_empty, inner_fields, link_missing, terms_of
from compliance.findings.argument import NONE, Argument, Clause, Clock, Condition, Lost, Missing, Term
from compliance.language import tree
from compliance.language.describe import english_of, field_words, one_of, words
from compliance.model import LAYERS, Duty
from compliance.rules.checking import CheckedDeadline, CheckedEvery, Conditions


@dataclass
class Arguing(Making):
    """One rule's terms and their slots, for every item of its list alike."""

    terms: dict[Term, int] = field(default_factory=dict)
    clauses: dict[Clause, int] = field(default_factory=dict)

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


@dataclass(frozen=True)
class Values:
    """Values of a record's row that findings are worded from, each in the order of its slots.

    Args:
      near: the linked records that are named; asked for findings alone.
    """

    own: tuple[Ir, ...]
    near: tuple[Ir, ...] = ()


def argue(lowered: Lowered, parts: Iterable[str], with_near: bool = True) -> tuple[Values, dict[str, Argument]]:
    """The values that the findings of a rule need, and what is said for each of `parts`.

    Args:
      with_near: name the linked record that came nearest.
    """
    making = Arguing(lowered, Slots(), (lowered.scope,))
    slots, checked = making.slots, lowered.rule
    empty = asked_if_empty(checked)
    when_terms = terms_of([checked.when] if checked.when else [], making, empty)
    shown = terms_of(checked.show, making, empty)
    when = Condition(
        "" if checked.when is None else english_of(checked.when),
        slots.maybe(lowered.when, TRUE),
        making.places(when_terms),
    )
    truths = [slots.of(truth) for _, truth in lowered.conditions]
    making.clauses[_whole_clause(making)] = 0
    if isinstance(checked.check, Conditions):
        of_each = [terms_of([c.that], making, empty) for c in checked.check.items]
        own_clauses = [making.clause(c.cites) for c in checked.check.items]
    else:
        of_each, own_clauses = [_clockterms_of(checked.check, making, empty)], [NONE]
    conditions = [
        Condition(label, truth, making.places(terms), clause, needs=needs)
        for (label, _), truth, terms, clause, needs in zip(
            lowered.conditions, truths, of_each, own_clauses, needed(checked.check), strict=True
        )
    ]
    clock = None if lowered.due is None else _clock(checked.check, lowered.due, making)
    of_linked = Slots()
    if with_near:
        conditions = [
            c._replace(near=near_of(asked, lowered, of_linked, empty))
            for c, asked in zip(conditions, asked_of_linked(checked.check), strict=True)
        ]
    told = {t.name: t for t in (*shown, *when_terms, *(t for terms in of_each for t in terms))}
    evidence = making.places(told.values())
    lost = tuple(_lost(making))
    arguments = {}
    for part in parts:
        about = next((d for d in checked.rule.cites if d.id == part), None)
        own = lowered.lawful is not None
        local = checked.rule.cites and all(d.layer == "local policy" for d in checked.rule.cites)
        of_part = tuple(making.clauses) if about is None or own else (Clause((about.id,), (about.ref,)),)
        in_label = checked.rule.each is None or any("{" + checked.rule.each[0] in c.label for c in conditions)
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
            part="" if in_label else part,
            lawful=NONE if lowered.lawful is None else slots.of(lowered.lawful),
            within="" if not own else WITHIN[min((d.layer for d in checked.rule.cites), key=LAYERS.index)],
            terms=tuple(making.terms),
            evidence=evidence,
            lost=lost,
            hedges=tuple((d.id, d.hedge) for d in checked.rule.cites if d.hedge),
        )
    return Values(tuple(slots.values), tuple(of_linked.values)), arguments


def _lost(making: Arguing) -> Iterator[Lost]:
    """Of each link of the record by which the rule counts rows, those that may be missing."""
    lowered, slots = making.lowered, making.slots
    if_theirs = {(link.kind, link.name): verdict for link, verdict in lowered.adrift}
    for source in dict.fromkeys(s for s in lowered.rule.sources() if s.scope == 0):
        link = source.link
        near, row, unusable = lowered.lowerer.lost(source, making.scopes)
        found = Lost(
            one_of(link.back),
            words(link.back),
            slots.maybe(near, NO_MORE),
            slots.maybe(row, NULL),
            slots.maybe(unusable, NO_MORE),
        )
        verdict = if_theirs.pop((link.kind, link.name), lowered.verdict)
        if verdict != lowered.verdict:
            holds = slots.of(and_(not_(lowered.verdict), is_null(verdict)))
            found = found._replace(holds=holds, adrift=slots.of(Adrift(link.kind, link.name)))
        if {found.near, found.unusable, found.holds} != {NONE}:
            yield found


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


def _clockterms_of(check: CheckedDeadline | CheckedEvery, making: Arguing, empty: frozenset[tree.Node]) -> list[Term]:
    limits = [r.condition for r in check.within if r.condition]
    if isinstance(check, CheckedDeadline):
        return terms_of([check.start, check.done], making, empty) + terms_of(limits, making, empty)
    terms = terms_of([check.start, *limits], making, empty)
    # An empty end is no end; it is missing from nothing.
    terms += [t._replace(missing=()) for t in terms_of([check.until] if check.until else [], making, empty)]
    inside = inner_fields(
        check.done.source,
        [check.done.value, *([check.done.condition] if check.done.condition else [])],
    )
    truth, due = making.slots.of(making.lowered.conditions[0][1]), making.lowered.due
    assert due is not None and due.gaps is not None
    gaps = Term("gaps", "late_gaps", "", making.slots.of(due.gaps))
    lacking = tuple(Missing(name, "empty", truth) for name in inside)
    lacking += link_missing(check.done.source, is_null(making.lowered.conditions[0][1]), making)
    return [*terms, gaps._replace(missing=lacking)]


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
        return field_words(node)
    return english_of(node)
