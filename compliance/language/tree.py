"""Checked expressions. Every node knows its type; scope 0 is the rule's record, scope n the variable of the n-th `for`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from compliance.model import Dated, Entry, Frequency, Items, Link, Unit


@dataclass(frozen=True, slots=True)
class Type:
    """What a value is. `name` is boolean, date, integer, number, text, list, length or any (nothing is known).

    Args:
      unit: of a number; empty: none given.
      codes: of a text or list that is limited to codes.
    """

    name: str
    unit: str = ""
    codes: tuple[str, ...] = ()


BOOLEAN, DATE, INTEGER, NUMBER, TEXT, LIST, LENGTH, ANY = (
    Type(n) for n in ("boolean", "date", "integer", "number", "text", "list", "length", "any")
)


@dataclass(frozen=True, slots=True)
class Node:
    """Any checked expression."""

    type: Type


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant."""

    value: str | int | Decimal | bool | date


@dataclass(frozen=True, slots=True)
class PeriodStart(Node):
    """The first day of the period that the as-at date is in."""

    period: Frequency


@dataclass(frozen=True, slots=True)
class AsAt(Node):
    """The as-at date."""


@dataclass(frozen=True, slots=True)
class FieldOf(Node):
    """A field of the record in `scope`, after going up the links in `path`; or of the record before it.

    Args:
      title, empty: what a reader is told that it is, and where it is empty; see `model.Field`.
      birth: it is the day on which somebody was born.
    """

    scope: int
    path: tuple[Link, ...]
    kind: str
    field: str
    personal: bool = False
    previous: bool = False
    came_by: Link | None = None
    title: str = ""
    empty: str = ""
    birth: bool = False


@dataclass(frozen=True, slots=True)
class Not(Node):
    """Kleene's not."""

    item: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    """Kleene's and."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """Kleene's or."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`op` is one of == != < <= > >=."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`item` is one of constants, an entry of a table that holds lists, or an item of a list field."""

    item: Node
    options: Items | Node


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """A list of the pack that has dates."""

    name: str
    versions: Dated[Items]


@dataclass(frozen=True, slots=True)
class HasAll(Node):
    """A list field has every one of constants, or of a list with dates, or of an entry of a table."""

    item: Node
    options: Items | Node


@dataclass(frozen=True, slots=True)
class Fact(Node):
    """What the law makes of several fields, by its name."""

    name: str
    title: str
    path: tuple[Link, ...]
    item: Node


@dataclass(frozen=True, slots=True)
class EachItem(Node):
    """The item of the list for which the rule is asked."""

    name: str


@dataclass(frozen=True, slots=True)
class Since(Node):
    """The day from which a gap of an `every` runs."""


@dataclass(frozen=True, slots=True)
class First(Node):
    """Whether it is the first gap of an `every`."""


@dataclass(frozen=True, slots=True)
class IsNone(Node):
    """Is it empty?"""

    item: Node


@dataclass(frozen=True, slots=True)
class IfElse(Node):
    """`then if condition else other`."""

    condition: Node
    then: Node
    other: Node


def is_birth(node: Node) -> bool:
    """Whether a date is the day on which somebody was born, from which years are an age."""
    match node:
        case FieldOf(birth=birth):
            return birth
        case IfElse(then=then, other=other):
            return is_birth(then) and is_birth(other)
    return False


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`op` is + - or *, on numbers."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Length(Node):
    """A length of time written out: `days(28)`."""

    amount: Node
    unit: Unit


@dataclass(frozen=True, slots=True)
class ParameterOf(Node):
    """A parameter of the pack: a whole number or a length of time, by its date."""

    name: str


@dataclass(frozen=True, slots=True)
class Shift(Node):
    """A date and a length of time; `sign` is 1 or -1."""

    day: Node
    length: Node
    sign: int


@dataclass(frozen=True, slots=True)
class Between(Node):
    """Whole units from one date to another."""

    unit: Unit
    start: Node
    end: Node


@dataclass(frozen=True, slots=True)
class Extreme(Node):
    """The smallest (`min`) or largest (`max`) of two or more values; `first_of` and `last_of`: of those that are filled."""

    fn: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """The linked records that a `for` goes through: from the record in `scope`, up `path`, down `link`."""

    scope: int
    path: tuple[Link, ...]
    link: Link


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """count, any, all, min, max, sum, latest or earliest over linked records.

    Args:
      value: what is looked at (None for count, latest, earliest).
      condition: the filter, or None.
      pick: for latest and earliest, the field taken.
    """

    fn: str
    source: Source
    condition: Node | None
    value: Node | None
    pick: str = ""
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Spread(Node):
    """What is asked of how dates (`end` None) or periods of linked records lie beside each other."""

    source: Source
    condition: Node | None
    start: Node
    end: Node | None


@dataclass(frozen=True, slots=True)
class Gap(Spread):
    """The largest gap, in days, between dates or periods."""

    since: Node | None
    until: Node | None


@dataclass(frozen=True, slots=True)
class MostDays(Spread):
    """The most days that periods cover within any stretch of a fixed length."""

    within: Length


@dataclass(frozen=True, slots=True)
class TableEntry(Node):
    """What a pack's table says for a key."""

    table: str
    key: Node
    entries: tuple[tuple[str, Entry], ...]


@dataclass(frozen=True, slots=True)
class Text(Node):
    """starts_with or contains."""

    fn: str
    item: Node
    part: Node


@dataclass(frozen=True, slots=True)
class Len(Node):
    """Items in a list field."""

    item: Node


@dataclass(frozen=True, slots=True)
class Sequence:
    """A checked `every.done`: dates of linked records that pass a filter."""

    source: Source
    condition: Node | None
    value: Node


def children(node: Node | None) -> tuple[Node, ...]:
    """The expressions directly inside `node`."""
    match node:
        case Not(item=i) | IsNone(item=i) | Len(item=i) | Fact(item=i):
            return (i,)
        case And(items=items) | Or(items=items) | Extreme(items=items):
            return items
        case Compare(left=a, right=b) | Arithmetic(left=a, right=b):
            return (a, b)
        case Member(item=i, options=o) | HasAll(item=i, options=o):
            return (i, o) if isinstance(o, Node) else (i,)
        case IfElse(condition=c, then=a, other=b):
            return (c, a, b)
        case Length(amount=a):
            return (a,)
        case Shift(day=d, length=n):
            return (d, n)
        case Between(start=a, end=b):
            return (a, b)
        case Aggregate(condition=c, value=v):
            return tuple(x for x in (c, v) if x is not None)
        case Gap(condition=c, start=a, end=b, since=s, until=u):
            return tuple(x for x in (c, a, b, s, u) if x is not None)
        case MostDays(condition=c, start=a, end=b, within=w):
            return tuple(x for x in (c, a, b, w) if x is not None)
        case TableEntry(key=k):
            return (k,)
        case Text(item=i, part=p):
            return (i, p)
    return ()


def walk(node: Node | None) -> list[Node]:
    """`node` and everything inside it, outside first."""
    if node is None:
        return []
    return [node, *(n for c in children(node) for n in walk(c))]
