"""Rules against the record kinds: every expression checked, or every mistake with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from compliance.errors import Location, Problem, nearest
from compliance.language import check, tree
from compliance.model import (
    NEVER,
    OWED,
    Condition,
    Dated,
    Deadline,
    Duty,
    Every,
    FactText,
    Items,
    Limit,
    Link,
    Pack,
    Parameter,
    RecordKinds,
    Regime,
    Rule,
    Within,
)

R = TypeVar("R")
Loc = Sequence[str | int]
LocateIn = Callable[[str, Loc, int], Location]
"""File, the way to a value in it, and an offset in that value's text -> its place."""


@dataclass(frozen=True, slots=True)
class CheckedRegime:
    """A limit, the checked condition under which it counts (the last of several has none), and the duties that set it."""

    within: Within
    condition: tree.Node | None
    cites: tuple[Duty, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedCondition:
    """A checked condition of `require`; the other parts as in `model.Condition`.

    Args:
      done_since: None: nobody says so, or it is never.
      never: nothing that is done later is what was asked.
    """

    label: str
    that: tree.Node
    done_since: tree.Node | None = None
    past: tree.Node | None = None
    cites: tuple[Duty, ...] = ()
    never: bool = False


@dataclass(frozen=True, slots=True)
class Conditions:
    """A checked `require`."""

    items: tuple[CheckedCondition, ...]


@dataclass(frozen=True, slots=True)
class CheckedDeadline:
    """A checked `deadline`; `start` is the day counted from, or the day due when `within` is empty."""

    start: tree.Node
    done: tree.Node
    within: tuple[CheckedRegime, ...]
    what: str


@dataclass(frozen=True, slots=True)
class CheckedEvery:
    """A checked `every`."""

    start: tree.Node
    done: tree.Sequence
    within: tuple[CheckedRegime, ...]
    until: tree.Node | None
    what: str


@dataclass(frozen=True)
class CheckedRule:
    """A rule whose expressions are known to be sound.

    Args:
      each: the name that stands for an item, and the list for each item of which the rule is asked.
      own_limit: a limit that the agency sets itself beside the law's, and where it comes from.
      past: whether what it asks lies in the past and nobody can do it any more; None: it does not.
      danger_if: whether a child may be in danger while a finding is open, where that depends.
    """

    rule: Rule
    when: tree.Node | None
    judged_on: tree.Node | None
    check: Conditions | CheckedDeadline | CheckedEvery
    show: tuple[tree.FieldOf, ...]
    parameters: tuple[str, ...]
    each: tuple[str, Dated[Items]] | None = None
    own_limit: tuple[Limit, str] | None = None
    past: tree.Node | None = None
    danger_if: tree.Node | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Every item for which it is asked at some time; one empty text if it is asked once."""
        if self.each is None:
            return ("",)
        return tuple(dict.fromkeys(str(i) for _, items in self.each[1].versions for i in items))

    def with_own_limit(self, limit: Limit, source: str) -> CheckedRule | None:
        """The rule with the agency's own limit beside the law's; None if it has no limit that could be stricter."""
        has_limit = not isinstance(self.check, Conditions) and bool(self.check.within)
        return replace(self, own_limit=(limit, source)) if has_limit else None

    def nodes(self) -> list[tree.Node]:
        """Every expression that decides the outcome, and all that is inside."""
        match self.check:
            case Conditions(items=items):
                tops = [c.that for c in items]
            case CheckedDeadline(start=s, done=d, within=w):
                tops = [s, d, *(r.condition for r in w if r.condition is not None)]
            case CheckedEvery(start=s, until=u, done=d, within=w):
                tops = [n for n in (s, u, d.condition, d.value, *(r.condition for r in w)) if n is not None]
        return [n for top in (self.when, self.judged_on, *tops, *self.show) for n in tree.walk(top)]

    def further(self) -> list[tree.Node]:
        """Every expression that tells only how a finding stands, and all that is inside; the rule runs without what they read."""
        conditions = self.check.items if isinstance(self.check, Conditions) else ()
        tops = [n for c in conditions for n in (c.done_since, c.past)]
        return [n for top in (*tops, self.past, self.danger_if) for n in tree.walk(top)]

    def sources(self) -> list[tree.Source]:
        """Every `for` of the rule."""
        found = sources_in(self.nodes())
        return [*found, self.check.done.source] if isinstance(self.check, CheckedEvery) else found


def sources_in(nodes: Sequence[tree.Node]) -> list[tree.Source]:
    """Every `for` among expressions."""
    return [n.source for n in nodes if isinstance(n, tree.Aggregate | tree.Spread)]


Facts = Mapping[str, Mapping[str, FactText]]


def names_of(pack: Pack, kinds: RecordKinds, parameters: Mapping[str, Parameter], facts: Facts) -> check.Names:
    """What a pack's expressions may name: every pack's figures and facts, and its own lists, tables and periods."""
    return check.Names(kinds, parameters, pack.lists, pack.tables, pack.periods, facts)


def check_fact(
    fact: FactText, kinds: RecordKinds, parameters: Mapping[str, Parameter], facts: Facts
) -> list[check.Mistake]:
    """What is wrong with a fact."""
    if fact.kind not in kinds:
        return [check.Mistake(0, f"there is no record kind '{fact.kind}'{nearest(fact.kind, kinds.kinds)}")]
    known = kinds[fact.kind]
    if fact.name in known.fields or fact.name in known.links or fact.name in kinds.down[fact.kind]:
        return [check.Mistake(0, f"{fact.kind} has a field or link '{fact.name}' already")]
    return check.value(fact.text, fact.kind, check.Names(kinds, parameters, facts=facts))[1]


def check_rule(rule: Rule, names: check.Names, locate: LocateIn) -> tuple[CheckedRule | None, list[Problem]]:
    """One rule; None if anything is wrong with it."""
    problems: list[Problem] = []

    def problem(loc: Loc, offset: int, what: str, help: str = "") -> None:
        problems.append(Problem(locate(rule.file, loc, offset), what, help))

    if rule.record not in names.kinds:
        problem(("record",), 0, f"there is no record kind '{rule.record}'{nearest(rule.record, names.kinds.kinds)}")
        return None, problems

    def cited(ids: Sequence[str], loc: Loc) -> tuple[Duty, ...]:
        """Duties of those that the rule cites."""
        known = {d.id: d for d in rule.cites}
        for i, id_ in enumerate(ids):
            if id_ not in known:
                problem(
                    (*loc, "cites", i), 0, f"'{id_}' is none of the duties that the rule cites{nearest(id_, known)}"
                )
        return tuple(known[id_] for id_ in ids if id_ in known)

    def checked(
        text: str,
        loc: Loc,
        how: Callable[[str, str, check.Names], tuple[R | None, list[check.Mistake]]],
        gaps: bool = False,
    ) -> R | None:
        node, mistakes = how(text, rule.record, replace(names, gaps=gaps))
        for m in mistakes:
            problem(loc, m.offset, m.what, m.help)
        return node

    names = replace(names, period=rule.period)
    each: tuple[str, Dated[Items]] | None = None
    if rule.each is not None:
        name, listed = rule.each
        versions = checked(listed, ("each", name), check.items)
        kind = names.kinds[rule.record]
        if name in kind.fields or name in kind.links or name in names.kinds.down[rule.record] or name in names.words:
            problem(("each",), 0, f"'{name}' already means something else here; choose another name")
        if versions is not None:
            each = (name, versions)
            items = dict.fromkeys(str(i) for _, its in versions.versions for i in its)
            names = replace(names, each=(name, tuple(items)))
    when = checked(rule.when, ("when",), check.condition) if rule.when else None
    judged_on = checked(rule.judged_on, ("judged_on",), check.day) if rule.judged_on else None
    used: list[str] = []

    def within(written: Within, loc: Loc) -> Within:
        if isinstance(written, str):
            parameter = names.parameters.get(written)
            if parameter is None:
                problem(loc, 0, f"there is no parameter '{written}'{nearest(written, names.parameters)}")
            elif parameter.unit != "length":
                problem(loc, 0, f"parameter '{written}' is a number, and a length of time is needed")
            used.append(written)
        return written

    def regimes(written: tuple[Regime, ...], loc: Loc, gaps: bool) -> tuple[CheckedRegime, ...]:
        found = []
        for i, regime in enumerate(written):
            here = (*loc, i) if len(written) > 1 else loc
            condition = checked(regime.condition, (*here, "if"), check.condition, gaps) if regime.condition else None
            limit = within(regime.within, (*here, "within") if len(written) > 1 else loc)
            found.append(CheckedRegime(limit, condition, cited(regime.cites, here)))
        return tuple(found)

    inner: Conditions | CheckedDeadline | CheckedEvery | None = None
    match rule.check:
        case Deadline() as d:
            start = checked(d.start or d.by, ("deadline", "start" if d.start else "by"), check.day)
            done = checked(d.done, ("deadline", "done"), check.day)
            limit = regimes(d.within, ("deadline", "within"), gaps=False)
            if start is not None and done is not None:
                inner = CheckedDeadline(start, done, limit, d.what or _what(done))
        case Every() as e:
            start = checked(e.start, ("every", "from"), check.day)
            every_done = checked(e.done, ("every", "done"), check.sequence)
            until = checked(e.until, ("every", "until"), check.day) if e.until else None
            every_within = regimes(e.within, ("every", "within"), gaps=True)
            if start is not None and every_done is not None:
                inner = CheckedEvery(start, every_done, every_within, until, e.what or _what(every_done.value))
        case conditions:
            sound = [_condition(c, checked, cited) for c in conditions]
            if all(c is not None for c in sound):
                inner = Conditions(tuple(c for c in sound if c is not None))
            for c in conditions:
                for key in ("done_since", "past"):
                    if getattr(c, key) and rule.unmet == "not_evidenced":
                        problem(
                            ("require", c.label, key),
                            0,
                            f"{key} goes with a breach, and what does not hold is none here",
                        )
    past = checked(rule.past, ("past",), _standing) if rule.past else None
    danger_if = None
    if rule.danger is not None and rule.danger.condition:
        danger_if = checked(rule.danger.condition, ("danger", "if"), check.condition)
    if judged_on is not None and isinstance(rule.check, Deadline | Every):
        first = "deadline" if isinstance(rule.check, Deadline) else "every"
        limits = [r.within for r in rule.check.within if isinstance(r.within, Dated)]
        if any(limit is None for dated in limits for _, limit in dated.versions):
            what = "a suspended limit goes with the day due, and 'judged_on' makes another day decide"
            problem((first, "within"), 0, what)
    _printed_dates(rule, inner, problem)
    show = []
    for i, name in enumerate(rule.show):
        node = checked(name, ("show", i), check.value)
        if isinstance(node, tree.FieldOf):
            show.append(node)
        elif node is not None:
            problem(("show", i), 0, f"show lists fields, and '{name}' is none")
    _citations(rule, problem)
    if problems or inner is None:
        return None, problems
    found = CheckedRule(rule, when, judged_on, inner, tuple(show), (), each, past=past, danger_if=danger_if)
    named = {n.name for n in (*found.nodes(), *found.further()) if isinstance(n, tree.ParameterOf)} | set(used)
    return replace(found, parameters=tuple(sorted(named))), []


How = Callable[[str, str, check.Names], tuple[tree.Node | None, list[check.Mistake]]]


def _condition(
    written: Condition,
    checked: Callable[[str, Loc, How], tree.Node | None],
    cited: Callable[[Sequence[str], Loc], tuple[Duty, ...]],
) -> CheckedCondition | None:
    loc = ("require", written.label)
    that = checked(written.that, (*loc, "that"), check.condition)
    never = written.done_since == NEVER
    asked = "" if never else written.done_since
    done_since = checked(asked, (*loc, "done_since"), check.condition) if asked else None
    past = checked(written.past, (*loc, "past"), _standing) if written.past else None
    cites = cited(written.cites, loc)
    return None if that is None else CheckedCondition(written.label, that, done_since, past, cites, never)


def _standing(text: str, record: str, names: check.Names) -> tuple[tree.Node | None, list[check.Mistake]]:
    """A condition, or that it is so always."""
    return (tree.Literal(tree.BOOLEAN, True), []) if text == "True" else check.condition(text, record, names)


def always(node: tree.Node | None) -> bool:
    """Whether it is written to be so always."""
    return isinstance(node, tree.Literal) and node.value is True


def _printed_dates(
    rule: Rule, inner: Conditions | CheckedDeadline | CheckedEvery | None, problem: Callable[..., None]
) -> None:
    """A deadline's dates are printed, and the day due would tell a date of birth to whoever can subtract."""
    parts: list[tuple[tuple[str, str], tree.Node | None]] = []
    match inner:
        case CheckedDeadline(start=s, done=d):
            first = "start" if isinstance(rule.check, Deadline) and rule.check.start else "by"
            parts = [(("deadline", first), s), (("deadline", "done"), d)]
        case CheckedEvery(start=s, until=u, done=d):
            parts = [(("every", "from"), s), (("every", "until"), u), (("every", "done"), d.value)]
    for loc, node in parts:
        for n in tree.walk(node):
            if isinstance(n, tree.FieldOf) and n.personal:
                what = f"'{n.field}' is personal, and the dates of a {loc[0]} are printed"
                problem(loc, 0, what, "Ask with 'require', whose evidence says only that it is recorded")


def _what(done: tree.Node) -> str:
    field = done.field if isinstance(done, tree.FieldOf) else getattr(done, "pick", "") or "it"
    if isinstance(done, tree.Aggregate) and isinstance(done.value, tree.FieldOf):
        field = done.value.field
    words = field.removesuffix("_on").replace("_", " ")
    return words[0].upper() + words[1:]


def _citations(rule: Rule, problem: Callable[..., None]) -> None:
    """Only a `must` or `must not` can be broken as a requirement; a standard can be fallen short of, no more."""
    worst = {"statute": 0, "standard": 1, "good practice": 2, "local policy": 2}
    order = {"requirement": 0, "recommendation": 1, "advice": 2}
    if rule.period is not None:
        # A KPI measures; it accuses nobody of a breach.
        return
    binding = [d for d in rule.cites if d.modality in OWED]
    if not binding:
        problem(
            ("cites",),
            0,
            f"none of the duties cited can be fallen short of: {', '.join(f'{d.id} ({d.modality})' for d in rule.cites)}",
            "Cite a duty that somebody must, must not or should do",
        )
        return
    layer = min(worst[d.layer] for d in binding)
    if order[rule.severity] < layer:
        names = ("a requirement", "a recommendation", "advice")
        problem(
            ("severity",),
            0,
            f"severity is '{rule.severity}', but the duties cited bear {names[layer]} at most",
            "A breach of law may be raised only from a duty of law",
        )


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a rule reads: a record kind, a field of it, or a link that it follows."""

    kind: str
    field: str = ""


def needs(rule: CheckedRule, kinds: RecordKinds) -> frozenset[Need]:
    """Everything that the export must supply for the rule to run."""
    return frozenset({Need(rule.rule.record), *needed(rule.nodes(), rule.sources(), kinds)})


def needed(nodes: Sequence[tree.Node], sources: Sequence[tree.Source], kinds: RecordKinds) -> frozenset[Need]:
    """Everything that the export must supply for these expressions, with all that is inside, to be worked out."""
    found: set[Need] = set()

    def path(links: tuple[Link, ...]) -> None:
        for link in links:
            found.update((Need(link.kind, link.field), Need(link.to)))

    for node in nodes:
        if isinstance(node, tree.FieldOf):
            path(node.path)
            found.update((Need(node.kind), Need(node.kind, node.field)))
            if node.previous:
                found.add(Need(node.kind, kinds[node.kind].date))
        elif isinstance(node, tree.Aggregate) and node.fn in ("latest", "earliest"):
            found.add(Need(node.source.link.kind, kinds[node.source.link.kind].date))
    for source in sources:
        path(source.path)
        found.update((Need(source.link.kind), Need(source.link.kind, source.link.field)))
    return frozenset(found)


def read_as_text(rule: CheckedRule, kinds: RecordKinds) -> str:
    """The first id that the rule reads as a text, `kind.field`; empty: it asks of ids only whether they are there or the same.

    What it makes of such an id it could not make of the pseudonym that stands for it.
    """

    def of(node: tree.Node) -> str:
        match node:
            case tree.FieldOf(kind=kind, field=field):
                return kinds[kind].fields[field].id_of or kinds[kind].fields[field].kind_in
            case tree.Aggregate(fn="latest" | "earliest", value=tree.Node() as value):
                return of(value)
        return ""

    nodes = [*rule.nodes(), *rule.further()]
    fit: list[tree.Node] = list(rule.show)
    for n in nodes:
        match n:
            case tree.IsNone(item=item):
                fit.append(item)
            case tree.Compare(op="==" | "!=", left=left, right=right) if of(left) == of(right):
                fit += [left, right]
    read = Counter(f"{n.kind}.{n.field}" for n in nodes if isinstance(n, tree.FieldOf) and of(n))
    for n in fit:
        n = n.value if isinstance(n, tree.Aggregate) and n.value is not None else n
        if isinstance(n, tree.FieldOf) and of(n):
            read[f"{n.kind}.{n.field}"] -= 1
    return next((field for field, n in read.items() if n > 0), "")
