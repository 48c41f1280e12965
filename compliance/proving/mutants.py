"""Rules changed in small ways, to see whether their cases notice.

A mutant that gives every case what the case demands is alive: the cases miss something. The oracle judges, because it needs no plan;
that it agrees with the engine is shown by the cases themselves and by `boundaries`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property, partial
from itertools import islice, pairwise
from typing import Any, cast

from compliance.dates import english
from compliance.language import tree
from compliance.language.describe import key_of, source_words
from compliance.model import Case, Dated, Limit, Parameter, RecordKinds
from compliance.proving import oracle, variants
from compliance.proving.cases import World as Told
from compliance.proving.variants import Variant, as_yaml
from compliance.rules.checking import (
    CheckedCondition,
    CheckedDeadline,
    CheckedEvery,
    CheckedRegime,
    CheckedRule,
    Conditions,
)
from compliance.rules.rulebook import Rulebook

LONGEST = 90
"""Characters of a phrase in a mutant's name."""
TRIED = 5_000
"""Variants of its cases that are tried for a mutant that is alive."""
TRIED_IF_MARKED = 250
"""The same for one that is said to be equivalent."""
ENOUGH = 8
"""Ways to kill a mutant among which one is chosen."""

SWAPPED: Mapping[str, tuple[str, ...]] = {
    "<": ("<=",), "<=": ("<",), ">": (">=",), ">=": (">",), "==": ("!=",), "!=": ("==",),
    "any": ("all",), "all": ("any",), "min": ("max",), "max": ("min",), "latest": ("earliest",), "earliest": ("latest",),
    "first_of": ("last_of",), "last_of": ("first_of",), "starts_with": ("contains",), "contains": ("starts_with",),
}  # fmt: skip
"""What stands for what in `op` and `fn`."""
STRICT = ("<", "<=", ">", ">=")

Said = tuple[str, Any]
"""What was changed, in words, and the changed value."""


@dataclass(frozen=True)
class Mutant:
    """A rule with one thing changed.

    Args:
      make: makes the changed rule; of the many uses of a fact few are ever tried.
      figures: the parameters that are changed with it.
    """

    name: str
    make: Callable[[], CheckedRule]
    figures: Mapping[str, Parameter] = field(default_factory=dict)

    @cached_property
    def rule(self) -> CheckedRule:
        """The changed rule."""
        return self.make()


# --- what can be changed --------------------------------------------------------------------------------------------


def mutants_of(rule: CheckedRule, parameters: Mapping[str, Parameter]) -> list[Mutant]:
    """Every small change of a rule, each with a name of its own."""
    found: list[Mutant] = []

    def add(place: str, changes: Iterator[Said], make: Callable[[Any], CheckedRule]) -> None:
        found.extend(Mutant(f"{place}: {said}", partial(make, new)) for said, new in changes)

    if rule.when is not None:
        found.append(Mutant("when: dropped", partial(replace, rule, when=None)))
        add("when", changes(rule.when), lambda new: replace(rule, when=new))
    if rule.judged_on is not None:
        found.append(Mutant("judged_on: dropped", partial(replace, rule, judged_on=None)))
        add("judged_on", changes(rule.judged_on), lambda new: replace(rule, judged_on=new))
    if rule.each is not None:
        each = rule.each
        add(f"each {each[0]}", changes(each[1]), lambda new: replace(rule, each=(each[0], new)))
    match rule.check:
        case Conditions(items=items):
            for i, condition in enumerate(items):
                rest = (*items[:i], *items[i + 1 :])
                found.append(Mutant(f"{condition.label}: dropped", partial(replace, rule, check=Conditions(rest))))
                for part, place in (
                    ("that", condition.label),
                    ("done_since", f"{condition.label}, done since"),
                    ("past", f"{condition.label}, past"),
                ):

                    def in_place(
                        new: Any, i: int = i, condition: CheckedCondition = condition, part: str = part
                    ) -> CheckedRule:
                        changed = replace(condition, **{part: new})
                        return replace(rule, check=Conditions((*items[:i], changed, *items[i + 1 :])))

                    add(place, changes(getattr(condition, part)), in_place)
        case CheckedDeadline() | CheckedEvery() as check:
            for f in fields(check):
                value = getattr(check, f.name)

                def in_field(new: Any, name: str = f.name) -> CheckedRule:
                    return replace(rule, check=replace(check, **{name: new}))

                if f.name == "within":
                    add("within", _regimes(value), in_field)
                elif f.name == "until" and value is not None:
                    found.append(Mutant("until: dropped", partial(in_field, None)))
                    add("until", changes(value), in_field)
                elif isinstance(value, tree.Node | tree.Sequence):
                    add(f.name, changes(value), in_field)
    if rule.past is not None:
        add("past", changes(rule.past), lambda new: replace(rule, past=new))
    if rule.danger_if is not None:
        found.append(Mutant("danger: whatever the record", partial(replace, rule, danger_if=None)))
        add("danger", changes(rule.danger_if), lambda new: replace(rule, danger_if=new))
    found += _in_force(rule)
    for name in rule.parameters:
        figure = parameters[name]
        if figure.value is not None:
            changed = ((said, replace(figure, value=new)) for said, new in changes(figure.value))
            found += [Mutant(f"{name}: {said}", partial(replace, rule), {name: new}) for said, new in changed]
    return _named(found)


def _named(found: list[Mutant]) -> list[Mutant]:
    """Those of one name are numbered."""
    often = Counter(m.name for m in found)
    seen: Counter[str] = Counter()
    named = []
    for m in found:
        seen[m.name] += 1
        named.append(replace(m, name=f"{m.name} ({seen[m.name]})") if often[m.name] > 1 else m)
    return named


def _in_force(rule: CheckedRule) -> Iterator[Mutant]:
    """The rule's own dates a day earlier and later, where it has dates that are not just those of the duties that it cites."""
    r = rule.rule
    if not r.cites:
        return
    widest = (
        min(d.from_on for d in r.cites),
        None if None in {d.to_on for d in r.cites} else max(d.to_on or date.min for d in r.cites),
    )
    for name, day, plain in (("from_on", r.from_on, widest[0]), ("to_on", r.to_on, widest[1])):
        if day is None or day == date.min or (rule.judged_on is None and day == plain):
            continue
        for n in (-1, 1):
            new = day + timedelta(days=n)
            said = f"in_force: {name.removesuffix('_on')} {english(new)} for {english(day)}"
            yield Mutant(said, partial(replace, rule, rule=replace(r, **cast(Any, {name: new}))))


def _regimes(within: tuple[CheckedRegime, ...]) -> Iterator[Said]:
    """The limits: one left out, and whatever can be changed in each."""
    for i, regime in enumerate(within):
        if len(within) > 1:
            rest = [*within[:i], *within[i + 1 :]]
            rest[-1] = replace(rest[-1], condition=None)
            yield f"without the {_nth(i)} limit ({_within(regime.within)})", tuple(rest)
        for said, new in changes(regime):
            where = f" in the {_nth(i)} limit" if len(within) > 1 else ""
            yield said + where, (*within[:i], new, *within[i + 1 :])


def _nth(i: int) -> str:
    return ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")[i] if i < 8 else f"{i + 1}th"


def _within(within: Dated[Limit | None] | str) -> str:
    return within if isinstance(within, str) else ", ".join(str(v or "suspended") for _, v in within.versions)


def changes(value: Any, context: str = "", negated: bool = False) -> Iterator[Said]:
    """Every small change of an expression, a limit, or anything made of them.

    Args:
      context: the phrase that it stands in.
      negated: whether it stands right after `not`.
    """
    if isinstance(value, tree.Node) and not isinstance(value, tree.Literal | tree.Length | tree.ParameterOf):
        context = key_of(value)
    if isinstance(value, tree.Sequence):
        context = key_of(value.value)
    yield from _own(value, context, negated)
    if isinstance(value, tree.Fact | tree.Type | tree.Source):
        # What a fact says is changed for all rules at once.
        return
    if isinstance(value, tree.TableEntry):
        for said, new in changes(value.key, context):
            yield said, replace(value, key=new)
        return
    if isinstance(value, tuple):
        for i, item in enumerate(value):
            for said, new in changes(item, context):
                yield said, (*value[:i], new, *value[i + 1 :])
    elif is_dataclass(value) and not isinstance(value, Dated | Limit):
        for f in fields(value):
            inner = getattr(value, f.name)
            if isinstance(inner, tuple) or is_dataclass(inner):
                for said, new in changes(inner, context, isinstance(value, tree.Not)):
                    yield said, replace(cast(Any, value), **{f.name: new})


def _own(value: Any, context: str, negated: bool) -> Iterator[Said]:
    """The changes of `value` itself, not of what is inside."""
    where = f" in '{_short(context)}'" if context else ""
    match value:
        case tree.Literal(value=bool() | str()):
            return
        case tree.Literal(value=int() | Decimal() as n):
            for new in (n - 1, n + 1):
                yield f"{new} for {n}{where}", replace(value, value=new)
        case tree.Literal(value=date() as day):
            for moved in (day - timedelta(days=1), day + timedelta(days=1)):
                yield f"{english(moved)} for {english(day)}{where}", replace(value, value=moved)
        case tree.Length(amount=tree.Literal(value=0)):
            yield f"1 for 0{where}", replace(value, amount=replace(cast(tree.Literal, value.amount), value=1))
        case tree.Not(item=item):
            yield f"'{_short(key_of(item))}' for '{_short(context)}'", item
        case tree.IsNone() | tree.Member() | tree.HasAll() if not negated:
            no = tree.Not(tree.BOOLEAN, value)
            yield f"'{_short(key_of(no))}' for '{_short(context)}'", no
        case tree.And(items=items) | tree.Or(items=items):
            other, said = (tree.Or, "or for and") if isinstance(value, tree.And) else (tree.And, "and for or")
            yield f"{said}{where}", other(value.type, items)
        case tree.IfElse(condition=c, then=a, other=b):
            yield f"always '{_short(key_of(a))}', whatever '{_short(key_of(c))}'", a
            yield f"always '{_short(key_of(b))}', whatever '{_short(key_of(c))}'", b
        case Limit(amount=n, unit=unit):
            for new in (n - 1, n + 1):
                if new >= 0:
                    yield f"{replace(value, amount=new)} for {value}", replace(value, amount=new)
            if unit == "working_days" and n:
                yield f"{replace(value, unit='days')} for {value}", replace(value, unit="days")
        case Dated():
            yield from _versions(value)
        case tree.TableEntry(entries=entries):
            for i, (key, entry) in enumerate(entries):
                for said, new in _versions(entry, dropped_only=True):
                    yield f"'{key}' {said}", replace(value, entries=(*entries[:i], (key, new), *entries[i + 1 :]))
    if isinstance(value, tree.Length | tree.Between) and value.unit == "working_days":
        yield f"days for working days{where}", replace(value, unit="days")
    inner = getattr(value, "items", None)
    if isinstance(value, tree.Node) and isinstance(inner, tuple) and len(inner) > 1:
        for i, item in enumerate(inner):
            rest = (*inner[:i], *inner[i + 1 :])
            yield (
                f"without '{_short(key_of(item))}'",
                rest[0] if len(rest) == 1 else replace(cast(Any, value), items=rest),
            )
    if isinstance(value, tree.Aggregate | tree.Spread | tree.Sequence) and value.condition is not None:
        said = f"of {source_words(value.source)} without the filter '{_short(key_of(value.condition))}'"
        yield said, replace(value, condition=None)
    if isinstance(value, tree.Gap):
        for end in ("since", "until"):
            if getattr(value, end) is not None:
                yield f"without {end}{where}", replace(value, **cast(Any, {end: None}))
    for name in ("op", "fn"):
        now = getattr(value, name, None)
        if isinstance(value, tree.Compare) and now in STRICT and _counts(value):
            continue
        for other_word in SWAPPED.get(now, ()) if isinstance(now, str) else ():
            yield f"{other_word} for {now}{where}", replace(value, **cast(Any, {name: other_word}))


def _counts(c: tree.Compare) -> bool:
    """A whole number against a constant: there the next number says the same as strictness."""
    sides = (c.left, c.right)
    return any(isinstance(s, tree.Literal) for s in sides) and all(s.type.name == "integer" for s in sides)


def _versions(value: Dated[Any], dropped_only: bool = False) -> Iterator[Said]:
    """A version dropped, its first day a day off, or what is inside changed."""
    versions = value.versions

    def sound(its: Sequence[tuple[date, Any]]) -> bool:
        # Before and after a suspension there is a limit.
        values = [v for _, v in its]
        pairs = pairwise(values)
        return values[0] is not None and values[-1] is not None and not any(a is None and b is None for a, b in pairs)

    for i, (since, item) in enumerate(versions):
        of = f"the version from {english(since)}" if since != date.min else "the first version"
        if len(versions) > 1:
            rest = (*versions[:i], *versions[i + 1 :])
            if sound(rest):
                yield f"without {of}", Dated(rest)
        if dropped_only:
            continue
        if i:
            for n in (-1, 1):
                day = since + timedelta(days=n)
                if versions[i - 1][0] < day and (i + 1 == len(versions) or day < versions[i + 1][0]):
                    moved = (*versions[:i], (day, item), *versions[i + 1 :])
                    yield f"from {english(day)} for {english(since)}", Dated(moved)
        if isinstance(item, int) and not isinstance(item, bool):
            for new in (item - 1, item + 1):
                if new >= 0:
                    said = f"{new} for {item}"
                    yield (
                        said + (f" in {of}" if len(versions) > 1 else ""),
                        Dated((*versions[:i], (since, new), *versions[i + 1 :])),
                    )
        elif isinstance(item, Limit):
            for said, new in _own(item, "", negated=False):
                where = f" in {of}" if len(versions) > 1 else ""
                yield said + where, Dated((*versions[:i], (since, new), *versions[i + 1 :]))


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST * 2 // 3].rstrip()} … {text[-LONGEST // 3 :].lstrip()}"


# --- facts: changed for every rule that uses them -------------------------------------------------------------------


def _facts_in(value: Any) -> Iterator[tree.Fact]:
    for part in variants.inside(value):
        if isinstance(part, tree.Fact):
            yield part


def _with_fact(value: Any, name: str, new: Callable[[tree.Fact], tree.Fact]) -> Any:
    """`value` with every use of a fact changed; facts are told apart by name and title."""
    if isinstance(value, tree.Fact) and _fact_name(value) == name:
        return new(value)
    if isinstance(value, tuple):
        return tuple(_with_fact(x, name, new) for x in value)
    if is_dataclass(value) and not isinstance(value, type | tree.Type | tree.Source):
        inner = {f.name: getattr(value, f.name) for f in fields(value)}
        made = {n: _with_fact(x, name, new) for n, x in inner.items() if isinstance(x, tuple) or is_dataclass(x)}
        return replace(cast(Any, value), **made)
    return value


def _fact_name(fact: tree.Fact) -> str:
    return f"{fact.name} ({fact.title})"


Changed = tuple[CheckedRule, Mutant]
"""A rule as it is, and with one thing changed."""


def fact_mutants(rules: Sequence[CheckedRule]) -> list[list[Changed]]:
    """Every change of every fact: for each, all rules that use the fact."""
    uses: dict[str, list[tuple[CheckedRule, tree.Fact]]] = defaultdict(list)
    for rule in rules:
        for fact in _facts_in((rule.when, rule.judged_on, rule.check, rule.past, rule.danger_if)):
            if not any(r is rule for r, _ in uses[_fact_name(fact)]):
                uses[_fact_name(fact)].append((rule, fact))
    found: list[list[Changed]] = []
    for key, users in uses.items():
        # The same text at each place, so its changes come in the same order; the nearest place names them.
        model = min((fact for _, fact in users), key=lambda f: len(f.path))
        names = [
            m.name
            for m in _named(
                [Mutant(f"fact {model.name}: {w}", partial(replace, users[0][0])) for w, _ in changes(model.item)]
            )
        ]
        for k, name in enumerate(names):

            def other(fact: tree.Fact, k: int = k) -> tree.Fact:
                return replace(fact, item=next(islice(changes(fact.item), k, None))[1])

            def with_it(
                rule: CheckedRule, key: str = key, other: Callable[[tree.Fact], tree.Fact] = other
            ) -> CheckedRule:
                parts = {
                    n: _with_fact(getattr(rule, n), key, other)
                    for n in ("when", "judged_on", "check", "past", "danger_if")
                }
                return replace(rule, **cast(Any, parts))

            found.append([(rule, Mutant(name, partial(with_it, rule))) for rule, _ in users])
    return found


# --- judging --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tried:
    """A case, or something near it, as records."""

    variant: Variant
    rows: Mapping[str, list[dict[str, Any]]]
    key: str
    overrides: Mapping[str, Parameter]


@dataclass
class Judge:
    """What a rule gives for records, by the oracle."""

    kinds: RecordKinds
    parameters: Mapping[str, Parameter]
    closed: frozenset[date]

    def tell(self, rule: CheckedRule, v: Variant, prefix: str = "") -> Tried | None:
        """The records of a variant; None if they cannot be."""
        told = Told(self.kinds)
        key = told.add(rule.rule.record, v.root, prefix, rule.rule.record)
        if told.problems:
            return None
        own = {n: replace(self.parameters[n], value=p) for n, p in v.case.parameters.items() if n in self.parameters}
        return Tried(v, told.rows, key, own)

    def verdict(self, rule: CheckedRule, t: Tried, figures: Mapping[str, Parameter] | None = None) -> oracle.Verdict:
        """What `rule` gives; with other figures, where there are such."""
        parameters = (
            {**self.parameters, **(figures or {}), **t.overrides} if figures or t.overrides else self.parameters
        )
        r, day = rule.rule, t.variant.as_at
        if any(parameters[n].value is None for n in rule.parameters):
            return NOTHING_ASKED
        if rule.judged_on is None and not (r.from_on <= day and (r.to_on is None or day <= r.to_on)):
            return NOTHING_ASKED
        world = oracle.World(self.kinds, cast(Any, t.rows), day, self.closed, parameters)
        key = self.kinds[r.record].key
        row = next((x for x in world.all(r.record) if x[key] == t.key), None)
        if row is None:
            return NOTHING_ASKED
        return oracle.Evaluator(world, rule, row, t.variant.part).verdict()


NOTHING_ASKED = oracle.Verdict("not_applicable")


def fits(case: Case, got: oracle.Verdict) -> bool:
    """Whether a verdict is what the case demands."""
    return (
        got.outcome == case.outcome
        and (case.due_on is None or got.due_on == case.due_on)
        and (not case.late or got.late == case.late.replace("_", " "))
        and (case.failed is None or not got.failed or set(case.failed) == set(got.failed))
        and (case.standing is None or got.standing == case.standing)
        and (case.danger is None or got.danger == case.danger)
    )


@dataclass
class _Bench:
    """A rule with its cases told, and with what is near them, as far as anybody has looked."""

    rule: CheckedRule
    judge: Judge
    seed: str
    cases: list[Tried] = field(default_factory=list)
    pool: list[tuple[Tried, oracle.Verdict]] = field(default_factory=list)
    _more: Iterator[Variant] | None = None

    def __post_init__(self) -> None:
        told = (self.judge.tell(self.rule, variants.of_case(self.rule.rule, c)) for c in self.rule.rule.cases)
        self.cases = [t for t in told if t is not None]

    def wrong(self) -> Iterator[str]:
        """Cases in which the oracle gives something else than they demand."""
        for t in self.cases:
            got = self.judge.verdict(self.rule, t)
            if not fits(t.variant.case, got):
                yield f"case '{t.variant.case.name}': the oracle gives {got.outcome}"

    def killed(self, m: Mutant) -> bool:
        """Whether a case notices; the one that does is asked first next time."""
        for i, t in enumerate(self.cases):
            if not fits(t.variant.case, self.judge.verdict(m.rule, t, m.figures)):
                self.cases.insert(0, self.cases.pop(i))
                return True
        return False

    def near(self, most: int) -> Iterator[tuple[Tried, oracle.Verdict]]:
        """What is near the cases, with what the rule gives."""
        if self._more is None:
            self._more = variants.near(self.rule, self.judge.kinds, self.judge.parameters, self.judge.closed, self.seed)
        yield from self.pool[:most]
        for v in islice(self._more, max(0, most - len(self.pool))):
            t = self.judge.tell(self.rule, v)
            if t is not None:
                self.pool.append((t, self.judge.verdict(self.rule, t)))
                yield self.pool[-1]

    def killers(self, m: Mutant, most: int) -> list[Killer]:
        """Some variants that tell rule and mutant apart: by the outcome, or else by what more a case may state."""
        found: list[Killer] = []
        lesser: list[Killer] = []
        for t, right in self.near(most):
            killer = self.tells_apart(m, t, right)
            if killer is None:
                continue
            if killer.states:
                lesser.append(killer)
                continue
            found.append(self.plainer(m, killer))
            if len(found) >= ENOUGH:
                break
        return found or [self.plainer(m, k) for k in lesser[:ENOUGH]]

    def tells_apart(self, m: Mutant, t: Tried, right: oracle.Verdict) -> Killer | None:
        """Whether a case made of this would notice the mutant, and what it must state."""
        got = self.judge.verdict(m.rule, t, m.figures)
        if got.outcome != right.outcome:
            return Killer(t, right, ())
        told = [
            name
            for name in ("due_on", "late", "failed", "standing", "danger")
            if getattr(got, name) != getattr(right, name) and (getattr(right, name) or name == "danger")
        ]
        return Killer(t, right, (told[0],)) if told else None

    def plainer(self, m: Mutant, killer: Killer) -> Killer:
        """The same without the changes that it does not need."""
        for change in killer.tried.variant.changes:
            its = killer.tried.variant.changes
            v = variants.with_changes(self.rule.rule, killer.tried.variant.case, [c for c in its if c is not change])
            t = self.judge.tell(self.rule, v) if v is not None and len(its) > 1 else None
            less = self.tells_apart(m, t, self.judge.verdict(self.rule, t)) if t is not None else None
            if less is not None and len(less.states) <= len(killer.states):
                killer = less
        return killer


@dataclass(frozen=True)
class Killer:
    """A variant that tells a rule from a mutant, and what must be stated for it to do so besides the outcome."""

    tried: Tried
    right: oracle.Verdict
    states: tuple[str, ...]

    @property
    def cost(self) -> int:
        """The plainest is best."""
        return self.tried.variant.cost + {"not_evidenced": 4, "not_applicable": 1}.get(self.right.outcome, 0)

    def kills(self, judge: Judge, m: Mutant) -> bool:
        """Whether it would notice this mutant too."""
        got = judge.verdict(m.rule, self.tried, m.figures)
        return got.outcome != self.right.outcome or any(getattr(got, n) != getattr(self.right, n) for n in self.states)

    def case(self, rule: CheckedRule, kinds: RecordKinds) -> str:
        """As YAML, to paste."""
        v = self.tried.variant
        expected: dict[str, object] = {"outcome": self.right.outcome}
        for name in self.states:
            expected[name] = getattr(self.right, name)
        return as_yaml(v, rule, kinds, v.name, expected)


@dataclass(frozen=True)
class Alive:
    """Mutants that no case notices, and one case (of the rule `of`) that all of them would be noticed by; empty: none was found."""

    of: str
    case: str
    mutants: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """What became of the mutants of one rule.

    Args:
      alive: mutants that no case notices.
      wrong: what is wrong with the rule's marks, or with its cases.
    """

    rule: CheckedRule
    tried: int
    equivalent: int
    alive: tuple[Alive, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def n_alive(self) -> int:
        """How many mutants no case notices."""
        return sum(len(a.mutants) for a in self.alive)


class Run:
    """Tries the mutants of rules."""

    def __init__(self, book: Rulebook, closed: frozenset[date], seed: str = "1") -> None:
        self.book, self.seed = book, seed
        self.parameters = book.figures
        self.judge = Judge(book.kinds, self.parameters, closed)
        self._benches: dict[str, _Bench] = {}

    def bench(self, rule: CheckedRule) -> _Bench:
        """A rule as it is, with its cases."""
        return self._benches.setdefault(rule.rule.id, _Bench(rule, self.judge, self.seed))

    def results(self, rules: Sequence[CheckedRule]) -> Iterator[Result]:
        """What became of every mutant; those of a fact stand with the first of `rules` that uses it."""
        of_facts: dict[str, list[list[Changed]]] = defaultdict(list)
        chosen = {r.rule.id for r in rules}
        in_facts = fact_mutants(self.book.every)
        for its in in_facts:
            first = next((r.rule.id for r, _ in its if r.rule.id in chosen), None)
            if first is not None:
                of_facts[first].append(its)
        names = {its[0][1].name for its in in_facts}
        marked = {e.mutant for r in self.book.every for e in r.rule.equivalent}
        for rule in rules:
            yield self._result(rule, of_facts[rule.rule.id], names, marked)

    def _result(self, rule: CheckedRule, of_facts: list[list[Changed]], facts: set[str], marked: set[str]) -> Result:
        every = [[(rule, m)] for m in mutants_of(rule, self.parameters)] + of_facts
        wrong = list(self.bench(rule).wrong())
        known = facts | {its[0][1].name for its in every}
        for e in rule.rule.equivalent:
            if e.mutant not in known:
                wrong.append(f"marked as equivalent, but there is no such mutant: {e.mutant}")
        alive: list[list[Changed]] = []
        n_equivalent = 0
        for its in every:
            name = its[0][1].name
            dead = any(self.bench(r).killed(m) for r, m in its)
            # A fact's mark stands in any rule that uses it.
            if name not in (
                {e.mutant for e in rule.rule.equivalent} if len(its) == 1 and name not in facts else marked
            ):
                if not dead:
                    alive.append(its)
                continue
            n_equivalent += 1
            if dead:
                wrong.append(f"marked as equivalent, but a case notices it: {name}")
            elif found := self._killers(its, TRIED_IF_MARKED):
                by, killer = min(found, key=lambda k: k[1].cost)
                shown = killer.case(by, self.book.kinds)
                wrong.append(f"marked as equivalent, but this case of {by.rule.id} tells it apart: {name}\n{shown}")
        return Result(rule, len(every), n_equivalent, tuple(self._cover(alive)), tuple(wrong))

    def _killers(self, its: list[Changed], most: int) -> list[tuple[CheckedRule, Killer]]:
        for rule, m in its:
            found = self.bench(rule).killers(m, most)
            if found:
                return [(rule, k) for k in found]
        return []

    def _cover(self, alive: list[list[Changed]]) -> Iterator[Alive]:
        """Few cases that kill all of them."""
        left = {its[0][1].name: its for its in alive}
        killers: dict[tuple[str, int, tuple[str, ...]], tuple[CheckedRule, Killer]] = {}
        for its in alive:
            for by, k in self._killers(its, TRIED):
                killers[by.rule.id, id(k.tried), k.states] = (by, k)
        notice = {
            key: {n for n, its in left.items() if any(r is by and k.kills(self.judge, m) for r, m in its)}
            for key, (by, k) in killers.items()
        }
        while left:
            key = max(notice, key=lambda n: (len(notice[n] & left.keys()), -killers[n][1].cost), default=None)
            if key is None or not notice[key] & left.keys():
                yield Alive("", "", tuple(left))
                return
            by, k = killers[key]
            noticed = [n for n in left if n in notice[key]]
            yield Alive(by.rule.id, k.case(by, self.book.kinds), tuple(noticed))
            for n in noticed:
                del left[n]
