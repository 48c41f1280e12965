"""The operations that rules are made of. Each dialect renders them from one table; nothing here knows SQL.

An expression stands in the context of one table's row. `Up`, `Group` and `Window` are *features*: they need other rows, so the planner
turns each into a column, once, however many rules ask for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple
from weakref import WeakValueDictionary

Constant = None | bool | int | Decimal | str | date


class _Made(type):
    """Makes each operation once: what is equal is the same object, so that large ones are compared and hashed at no cost."""

    known: ClassVar[WeakValueDictionary[tuple[object, ...], Any]] = WeakValueDictionary()

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        key = (cls, *(getattr(made, f) for f in made.__dataclass_fields__))
        return _Made.known.setdefault(key, made)


class Ir(metaclass=_Made):
    """Any operation."""

    __slots__ = ("__weakref__",)


@dataclass(frozen=True, slots=True, eq=False)
class Column(Ir):
    """A column of the row: a field, `doubt__<field>`, `link__<link>`, `rid`, `src`, `row`."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Const(Ir):
    """A constant. `kind` keeps True apart from 1."""

    value: Constant
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class AsAt(Ir):
    """The as-at date."""


@dataclass(frozen=True, slots=True, eq=False)
class Adrift(Ir):
    """How many rows of `table` belong to nobody by `link`, or cannot be used and may belong to anybody; as at the audit's day."""

    table: str
    link: str


@dataclass(frozen=True, slots=True, eq=False)
class Hole(Ir):
    """`since` or `first` of a gap, before it is known which gap. Only while lowering; the plan has none."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Op(Ir):
    """A plain operation on values of the row; the dialect's table of templates lists all names."""

    name: str
    args: tuple[Ir, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Up(Ir):
    """`item` in the row that `link` (a column `link__<link>`) leads to in `table`; NULL without one."""

    link: str
    table: str
    item: Ir


@dataclass(frozen=True, slots=True, eq=False)
class Outer(Ir):
    """`item` in the row around the innermost `for`. Only while lowering; the plan has none."""

    item: Ir


@dataclass(frozen=True, slots=True, eq=False)
class Group(Ir):
    """An aggregate `fn` over the rows of `table` whose `link` leads here, of those for which `where` is true."""

    table: str
    link: str
    fn: str
    args: tuple[Ir, ...]
    where: Ir | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Window(Ir):
    """`lag`: `item` in the row before; `running_max`: the greatest `item` in all rows before.

    In the order of `order` (NULLs last) then key, among the rows with the same `link`.
    """

    link: str
    fn: str
    order: Ir
    item: Ir


@dataclass(frozen=True, slots=True, eq=False)
class Ordinal(Ir):
    """How many working days there are up to and including `day`, since the calendar begins."""

    day: Ir


@dataclass(frozen=True, slots=True, eq=False)
class OpenDay(Ir):
    """The working day with ordinal `n`."""

    n: Ir


ITEM = Column("item__")
"""In a table of records with items: the item; never empty."""

NOT_APPLICABLE, PENDING, COMPLIANT = range(3)
DANGER, DANGER_NOT_EVIDENCED, BREACH, NOT_EVIDENCED, LATE, PAST = 3, 4, 5, 6, 7, 9
"""What a rule may say of a row. From `DANGER` on it is a finding, two of them to each rank in which findings are told: breaches are odd,
and what is not evidenced is even. `DANGER`: a child may be in danger; `BREACH` and `NOT_EVIDENCED` are open."""

FEATURES = (Up, Group, Window)

TRUE, FALSE, NULL = Const(True, "bool"), Const(False, "bool"), Const(None, "null")


def const(value: Constant) -> Const:
    """A constant of its own kind."""
    return Const(value, type(value).__name__)


def op(name: str, *args: Ir) -> Op:
    """`name` on `args`."""
    return Op(name, args)


def and_(*items: Ir | None) -> Ir:
    """Kleene's and; None and constants that change nothing fall away."""
    kept = tuple(dict.fromkeys(i for i in items if i is not None and i != TRUE))
    if FALSE in kept:
        return FALSE
    return kept[0] if len(kept) == 1 else Op("and", kept) if kept else TRUE


def or_(*items: Ir | None) -> Ir:
    """Kleene's or; None and constants that change nothing fall away."""
    kept = tuple(dict.fromkeys(i for i in items if i is not None and i != FALSE))
    if TRUE in kept:
        return TRUE
    return kept[0] if len(kept) == 1 else Op("or", kept) if kept else FALSE


def not_(item: Ir) -> Ir:
    """Kleene's not."""
    if isinstance(item, Op) and item.name == "not":
        return item.args[0]
    return {TRUE: FALSE, FALSE: TRUE}.get(item, Op("not", (item,))) if isinstance(item, Const) else Op("not", (item,))


def case(*parts: Ir) -> Ir:
    """`case(c1, a1, c2, a2, …, other)`: the first whose condition is true."""
    kept: list[Ir] = []
    for condition, then in zip(parts[:-1:2], parts[1:-1:2], strict=True):
        if condition in (FALSE, NULL):
            continue
        if condition == TRUE:
            return Op("case", (*kept, then)) if kept else then
        kept += [condition, then]
    return Op("case", (*kept, parts[-1])) if kept else parts[-1]


def is_null(item: Ir) -> Ir:
    """Is it empty? Never NULL."""
    return TRUE if item == NULL else FALSE if isinstance(item, Const) or item == ITEM else Op("is_null", (item,))


def parts(item: Ir) -> tuple[Ir, ...]:
    """What is directly inside, in whatever row it stands."""
    match item:
        case Op(args=args):
            return args
        case Up(item=i) | Outer(item=i):
            return (i,)
        case Group(args=args, where=w):
            return args if w is None else (*args, w)
        case Window(order=o, item=i):
            return (o, i)
        case Ordinal(day=d):
            return (d,)
        case OpenDay(n=n):
            return (n,)
    return ()


def rebuild(item: Ir, change: Callable[[Ir], Ir]) -> Ir:
    """`item` with `change` made to each of its parts."""
    match item:
        case Op(args=args):
            return Op(item.name, tuple(change(a) for a in args))
        case Up() | Outer():
            return replace(item, item=change(item.item))
        case Group(args=args, where=w):
            return replace(item, args=tuple(change(a) for a in args), where=None if w is None else change(w))
        case Window():
            return replace(item, order=change(item.order), item=change(item.item))
        case Ordinal():
            return Ordinal(change(item.day))
        case OpenDay():
            return OpenDay(change(item.n))
    return item


def inside(item: Ir) -> Iterator[Ir]:
    """`item` and everything inside it, each once: of what is said twice the ways to it are past counting."""
    seen, left = {item}, [item]
    while left:
        at = left.pop()
        yield at
        new = [p for p in parts(at) if p not in seen]
        seen.update(new)
        left += new


def has_outer(item: Ir) -> bool:
    """Whether an `Outer` is anywhere inside."""
    return any(isinstance(i, Outer) for i in inside(item))


def contains(item: Ir, part: Ir) -> bool:
    """Whether `part` is anywhere inside."""
    return any(i is part for i in inside(item))


def changed(item: Ir, change: Callable[[Ir], Ir | None]) -> Ir:
    """`item` with what `change` makes of each operation inside it, outermost first, each once; None: its parts are looked at."""
    made: dict[Ir, Ir] = {}

    def of(i: Ir) -> Ir:
        if i not in made:
            other = change(i)
            made[i] = rebuild(i, of) if other is None else other
        return made[i]

    return of(item)


def skipping(item: Ir, link: str) -> Ir:
    """`item`, said in the row that `link` leads to and no longer in the one from which it leads there."""
    return changed(item, lambda i: i.item if isinstance(i, Up) and i.link == link else None)


def in_gap(item: Ir, since: Ir, first: Ir, of_linked: bool) -> Ir:
    """`item`, said of the record, with the gap it speaks of.

    Args:
      of_linked: the gap ends at one of the linked rows, which is where the result stands.
    """

    def change(i: Ir) -> Ir | None:
        if isinstance(i, Hole):
            return since if i.name == "since" else first
        if any(isinstance(p, Hole) for p in inside(i)):
            return None
        return Outer(i) if of_linked and not isinstance(i, Const | AsAt) else i

    return changed(item, change)


def resolve_outer(item: Ir, link: str, table: str) -> Ir:
    """Every `Outer` of this row becomes `Up` by `link`; one that stands in another row (inside a `Group`) is left alone."""
    made: dict[tuple[Ir, int], Ir] = {}

    def change(i: Ir, level: int) -> Ir:
        if (i, level) not in made:
            below = level + (1 if isinstance(i, Group) else -1 if isinstance(i, Up) else 0)
            own = isinstance(i, Outer) and level == 0
            made[i, level] = Up(link, table, i.item) if own else rebuild(i, lambda x: change(x, below))  # type: ignore[attr-defined]
        return made[i, level]

    return change(item, 0)


LARGE = 5
"""Of so many operations on, what is said twice is worked out once; a column costs as much as they do, on its way up through all levels.
What has a name already is none of them."""


@dataclass
class Levels:
    """What `roots` say more than once, said once: names and what they stand for, level by level, each of the levels below it.

    Working days get a name too, for they need the calendar; but a count inside a count is made in one go.

    Args:
      named: of each level, what each name stands for; `said`: the roots, with columns of these names.
    """

    roots: Sequence[Ir]
    named: list[dict[str, Ir]] = field(default_factory=list)
    said: list[Ir] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Looks at everything that is said."""
        self._uses: Counter[Ir] = Counter()
        self._parent: dict[Ir, Ir] = {}
        self._names: dict[Ir, _Said] = {}
        self._changed: dict[Ir, _Said] = {}
        for root in self.roots:
            self._uses[root] += 1
            self._look(root)
        self.said = [self._change(root).item for root in self.roots]

    def _look(self, item: Ir) -> None:
        if self._uses[item] > 1:
            return
        for part in _own_parts(item):
            self._uses[part] += 1
            self._parent[part] = item
            self._look(part)

    def _is_named(self, item: Ir, size: int) -> bool:
        if isinstance(item, Op):
            return self._uses[item] > 1 and size >= LARGE
        return isinstance(item, Ordinal | OpenDay) and not self._inside_a_count(item)

    def _inside_a_count(self, item: Ir) -> bool:
        while self._uses[item] == 1 and item in self._parent:
            item = self._parent[item]
            if isinstance(item, Ordinal | OpenDay):
                return True
        return False

    def _change(self, item: Ir) -> _Said:
        if item in self._names:
            return self._names[item]
        if item not in self._changed:
            parts_said = {part: self._change(part) for part in _own_parts(item)}
            self._changed[item] = _Said(
                max((p.level for p in parts_said.values()), default=0),
                rebuild(item, lambda p: parts_said[p].item) if parts_said else item,
                1 + sum(parts_said[p].size for p in _own_parts(item)),
            )
        said = self._changed[item]
        if not self._is_named(item, said.size):
            return said
        while len(self.named) <= said.level:
            self.named.append({})
        column = Column(f"s{len(self._names)}")
        self.named[said.level][column.name] = said.item
        self._names[item] = _Said(said.level + 1, column, 1)
        return self._names[item]


class _Said(NamedTuple):
    """On which level something can be said, how, and by how many operations."""

    level: int
    item: Ir
    size: int


def _own_parts(item: Ir) -> tuple[Ir, ...]:
    """What is said of the same row inside it."""
    return parts(item) if isinstance(item, Op | Ordinal | OpenDay) else ()
