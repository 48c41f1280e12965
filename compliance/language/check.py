"""Expression text -> checked tree, or every mistake in it with its place and the nearest right thing."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar, cast

from compliance.errors import nearest
from compliance.language import tree
from compliance.language.tree import ANY, BOOLEAN, DATE, INTEGER, LENGTH, LIST, NUMBER, TEXT, Node, Type
from compliance.model import (
    Dated,
    Entry,
    FactText,
    Field,
    Frequency,
    Items,
    Limit,
    Link,
    Parameter,
    Period,
    RecordKinds,
    Scalar,
    Unit,
)

LONGEST = 4_000
"""Characters in one expression."""
DEEPEST = 40
"""Levels of nesting in one expression."""

R = TypeVar("R")

UNITS: tuple[Unit, ...] = ("days", "weeks", "months", "years", "working_days")
AGGREGATES = ("count", "any", "all", "min", "max", "sum", "latest", "earliest", "largest_gap", "most_days")
OF_FILLED = ("first_of", "last_of")
FUNCTIONS = (*UNITS, *AGGREGATES, *OF_FILLED, "starts_with", "contains", "len", "has_all")
PERIOD_START = "period_start"
SINCE, FIRST = "since", "first"
"""What the condition of a limit may name besides: the day from which a gap runs, and whether it is the first."""
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong at character `offset` of an expression."""

    offset: int
    what: str
    help: str = ""


@dataclass(frozen=True)
class Names:
    """What an expression may name.

    Args:
      facts: by kind and name.
      each: the name that stands for an item of the list for which the rule is asked, and every item it may be.
      gaps: whether it may name the gap of an `every`.
      period: what `period_start` is the first day of; None: nothing, for only a KPI is measured by periods.
    """

    kinds: RecordKinds
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    lists: Mapping[str, Dated[Items]] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)
    periods: Mapping[str, Period] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, FactText]] = field(default_factory=dict)
    each: tuple[str, Items] | None = None
    gaps: bool = False
    period: Frequency | None = None

    @property
    def words(self) -> list[str]:
        """Everything but the record's own that stands for something."""
        named = [*self.parameters, *self.lists, *self.tables, *self.periods]
        named += [self.each[0]] if self.each else []
        return [*named, *((SINCE, FIRST) if self.gaps else ()), *((PERIOD_START,) if self.period else ())]


def condition(text: str, record: str, names: Names) -> tuple[Node | None, list[Mistake]]:
    """Checks a condition (true, false or unknown) on records of kind `record`."""
    return _check(text, record, names, lambda c, e: c.boolean(e))


def day(text: str, record: str, names: Names) -> tuple[Node | None, list[Mistake]]:
    """Checks an expression that gives a date."""
    return _check(text, record, names, lambda c, e: c.date(e))


def value(text: str, record: str, names: Names) -> tuple[Node | None, list[Mistake]]:
    """Checks an expression that gives any single value."""
    return _check(text, record, names, lambda c, e: c.visit(e))


def items(text: str, record: str, names: Names) -> tuple[Dated[Items] | None, list[Mistake]]:
    """Checks the name of a list of the pack, or an entry of a table that holds lists."""
    return _check(text, record, names, lambda c, e: c.items(e))


def sequence(text: str, record: str, names: Names) -> tuple[tree.Sequence | None, list[Mistake]]:
    """Checks a generator of dates: `(r.held_on for r in reviews if ...)`."""
    return _check(text, record, names, lambda c, e: c.sequence(e))


def _check(
    text: str, record: str, names: Names, what: Callable[[_Checker, ast.expr], R]
) -> tuple[R | None, list[Mistake]]:
    if len(text) > LONGEST:
        return None, [Mistake(0, f"the expression has {len(text):,} characters; at most {LONGEST:,} are allowed")]
    if not text.strip():
        return None, [Mistake(0, "the expression is empty")]
    if "\0" in text:
        return None, [Mistake(text.index("\0"), "the expression holds a character that has no place in it")]
    checker = _Checker(text, names, record)
    try:
        # Brackets around it, so that an expression may run over several lines.
        body = ast.parse("(" + text + "\n)", mode="eval").body
        if _depth(body) > DEEPEST:
            return None, [Mistake(0, f"the expression is nested more than {DEEPEST} deep")]
    except SyntaxError as e:
        offset = checker.offset(e.lineno or 1, max((e.offset or 1) - 1, 0))
        return None, [Mistake(min(offset, len(text) - 1), f"this is not an expression: {e.msg}", _syntax_help(text))]
    except (RecursionError, MemoryError):
        return None, [Mistake(0, f"the expression is nested more than {DEEPEST} deep")]
    result = what(checker, body)
    return (None if checker.mistakes else result), checker.mistakes


def _depth(node: ast.AST) -> int:
    deepest, level = 0, [node]
    while level and deepest <= DEEPEST:
        deepest += 1
        level = [c for n in level for c in ast.iter_child_nodes(n)]
    return deepest


def _syntax_help(text: str) -> str:
    if re.search(r"(?<![<>=!])=(?!=)", text):
        return "Equality is written =="
    if re.search(r"&&|\|\||(?<!\w)!(?!=)", text):
        return "Write and, or, not"
    return ""


class _Checker:
    def __init__(self, text: str, names: Names, record: str) -> None:
        self.names = names
        self.mistakes: list[Mistake] = []
        self.scopes: list[tuple[str, str, Link | None]] = [("", record, None)]
        # Whose fields a bare name means, and the first scope whose variable can be seen: a fact has its own.
        self.base: tuple[int, tuple[Link, ...], str] = (0, (), record)
        self.seen_from = 1
        self.facts_open: list[tuple[str, str]] = []
        self._lines = [0]
        for line in text.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._text = text

    # --- places and mistakes ---

    def offset(self, line: int, column: int) -> int:
        start = self._lines[min(line, len(self._lines)) - 1]
        row = self._text[start:].split("\n", 1)[0]
        shift = 1 if line == 1 else 0
        return start + len(row.encode()[: max(column - shift, 0)].decode(errors="ignore"))

    def bad(self, at: ast.AST, what: str, help: str = "") -> Node:
        line, column = getattr(at, "lineno", 1), getattr(at, "col_offset", 1)
        mistake = Mistake(self.offset(line, column), what, help)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)
        return Node(ANY)

    # --- what is asked of an expression ---

    def boolean(self, e: ast.expr) -> Node:
        node = self.visit(e)
        if node.type.name not in ("boolean", "any"):
            hint = "Write 'x is not None', or compare it with something"
            return self.bad(e, f"this is {_a(node.type)}, and a condition must be true or false", hint)
        return node

    def date(self, e: ast.expr) -> Node:
        node = self.as_date(e, self.visit(e))
        if node.type.name not in ("date", "any"):
            return self.bad(e, f"this is {_a(node.type)}, and a date is needed here")
        return node

    def as_date(self, e: ast.expr, node: Node) -> Node:
        if not (isinstance(node, tree.Literal) and isinstance(node.value, str)):
            return node
        try:
            if not ISO_DATE.fullmatch(node.value):
                raise ValueError
            return tree.Literal(DATE, date.fromisoformat(node.value))
        except ValueError:
            return self.bad(e, f"'{node.value}' is not a date", "Dates are written YYYY-MM-DD")

    def number(self, e: ast.expr) -> Node:
        node = self.visit(e)
        if node.type.name not in ("integer", "number", "any"):
            return self.bad(e, f"this is {_a(node.type)}, and a number is needed here")
        return node

    def sequence(self, e: ast.expr) -> tree.Sequence:
        if not isinstance(e, ast.GeneratorExp):
            self.bad(e, "this is not a sequence of dates", "Write (r.held_on for r in reviews)")
            return cast(tree.Sequence, None)
        source, cond, values = self.comprehension(e, lambda c: (c.date(e.elt),))
        return tree.Sequence(source, cond, values[0])

    # --- the constructs, one by one ---

    def visit(self, e: ast.expr) -> Node:
        match e:
            case ast.Constant():
                return self.constant(e)
            case ast.Name():
                return self.name(e)
            case ast.Attribute():
                return self.attribute(e)
            case ast.BoolOp(op=op, values=values):
                items = tuple(self.boolean(v) for v in values)
                return tree.And(BOOLEAN, items) if isinstance(op, ast.And) else tree.Or(BOOLEAN, items)
            case ast.UnaryOp(op=ast.Not(), operand=x):
                return tree.Not(BOOLEAN, self.boolean(x))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as v)) if not isinstance(
                v, bool
            ):
                number = self.constant(cast(ast.Constant, e.operand))
                return replace(number, value=-cast(int, number.value)) if isinstance(number, tree.Literal) else number
            case ast.Compare():
                return self.compare(e)
            case ast.BinOp():
                return self.binary(e)
            case ast.IfExp(test=c, body=a, orelse=b):
                return self.if_else(e, self.boolean(c), a, b)
            case ast.Call():
                return self.call(e)
            case ast.Subscript():
                return self.subscript(e)
            case ast.GeneratorExp():
                return self.bad(e, "a 'for' must stand inside count, any, all, min, max, sum, latest or earliest")
            case ast.Tuple() | ast.List():
                return self.bad(e, "a list may stand only after 'in'")
        return self.bad(e, f"{_construct(e)} is not part of the language", "See docs/language.md for what is")

    def constant(self, e: ast.Constant) -> Node:
        match e.value:
            case bool():
                return tree.Literal(BOOLEAN, e.value)
            case int():
                if abs(e.value) > 10**15:
                    return self.bad(e, "the number is too large")
                return tree.Literal(INTEGER, e.value)
            case float():
                text = repr(e.value)
                if not re.fullmatch(r"\d{1,12}\.\d{1,4}", text):
                    return self.bad(e, f"{text} has more than four decimal places, or is too large")
                return tree.Literal(NUMBER, Decimal(text))
            case str():
                return tree.Literal(TEXT, e.value)
            case None:
                return self.bad(e, "None may stand only after 'is' or 'is not'")
        return self.bad(e, f"{e.value!r} is not a value of the language")

    def field_of(self, e: ast.AST, scope: int, path: tuple[Link, ...], kind: str, name: str) -> Node:
        declared = self.names.kinds[kind].fields.get(name)
        if declared is None:
            fact = self.names.facts.get(kind, {}).get(name)
            if fact is not None:
                return self.fact(e, fact, scope, path)
            known = self.names.kinds[kind]
            if name in self.names.kinds.down[kind]:
                return self.bad(
                    e,
                    f"'{name}' is a link down from {kind} to many records; it may stand only after 'in'",
                    f"Write count(x for x in {name}) or any(... for x in {name})",
                )
            if name in known.links:
                return self.bad(e, f"'{name}' is a link to one {known.links[name].to}; name a field of it")
            facts = self.names.facts.get(kind, {})
            return self.bad(e, f"{kind} has no field '{name}'{nearest(name, [*known.fields, *known.links, *facts])}")
        came_by = self.scopes[scope][2] if not path else None
        return tree.FieldOf(
            _type_of(declared),
            scope,
            path,
            kind,
            name,
            declared.personal,
            False,
            came_by,
            declared.title,
            declared.empty,
            declared.birth,
        )

    def fact(self, e: ast.AST, fact: FactText, scope: int, path: tuple[Link, ...]) -> Node:
        """What the fact says, of the record that stands at the end of `path`."""
        if (fact.kind, fact.name) in self.facts_open:
            return self.bad(e, f"the fact '{fact.name}' of {fact.kind} goes round in a circle")
        kept = self.base, self.seen_from, self.mistakes
        self.base, self.seen_from, self.mistakes = (scope, path, fact.kind), len(self.scopes), []
        self.facts_open.append((fact.kind, fact.name))
        try:
            parsed: ast.expr | None = ast.parse(f"({fact.text}\n)", mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            parsed = None
        item = self.bad(e, "what it is said to be is no expression") if parsed is None else self.visit(parsed)
        self.facts_open.pop()
        wrong = self.mistakes
        self.base, self.seen_from, self.mistakes = kept
        if wrong:
            return self.bad(e, f"the fact '{fact.name}' of {fact.kind} cannot be used here: {wrong[0].what}")
        return tree.Fact(replace(item.type, codes=()), fact.name, fact.title, path, item)

    def name(self, e: ast.Name) -> Node:
        if e.id == "as_at":
            return tree.AsAt(DATE)
        if e.id == PERIOD_START and self.names.period is not None:
            return tree.PeriodStart(DATE, self.names.period)
        for var, _, _ in self.scopes[self.seen_from :]:
            if e.id == var:
                return self.bad(e, f"'{var}' is a record; name a field of it, such as {var}.{self.example(var)}")
        scope, path, record = self.base
        kind = self.names.kinds[record]
        own = e.id in kind.fields or e.id in kind.links or e.id in self.names.kinds.down[record]
        if own or e.id in self.names.facts.get(record, {}):
            return self.field_of(e, scope, path, record, e.id)
        if self.names.each is not None and e.id == self.names.each[0]:
            return tree.EachItem(replace(TEXT, codes=cast(tuple[str, ...], self.names.each[1])), e.id)
        if self.names.gaps and e.id in (SINCE, FIRST):
            if len(self.scopes) > 1:
                return self.bad(e, f"'{e.id}' belongs to the gap, and may not stand inside a 'for'")
            return tree.Since(DATE) if e.id == SINCE else tree.First(BOOLEAN)
        if (parameter := self.names.parameters.get(e.id)) is not None:
            return tree.ParameterOf(_parameter_type(parameter), e.id)
        if e.id in self.names.lists:
            return self.bad(e, f"'{e.id}' is a list; it may stand only after 'in'")
        if e.id in self.names.tables:
            return self.bad(e, f"'{e.id}' is a table; ask it for an entry: {e.id}[...]")
        if e.id in self.names.periods:
            return self.bad(e, f"'{e.id}' is a period; it may stand only after 'in'")
        if e.id in FUNCTIONS:
            return self.bad(e, f"'{e.id}' is a function; it wants brackets: {e.id}(...)")
        return self.bad(e, f"{record} has no field '{e.id}'{nearest(e.id, self.known())}")

    def example(self, var: str) -> str:
        kind = next(k for v, k, _ in self.scopes if v == var)
        return self.names.kinds[kind].date or self.names.kinds[kind].key

    def known(self) -> list[str]:
        record = self.base[2]
        kind = self.names.kinds[record]
        named = [*kind.fields, *kind.links, *self.names.kinds.down[record], *self.names.facts.get(record, {})]
        variables = (v for v, _, _ in self.scopes[self.seen_from :])
        return [*named, *FUNCTIONS, "as_at", *self.names.words, *variables]

    def attribute(self, e: ast.Attribute) -> Node:
        if isinstance(e.value, ast.Call):
            return self.picked(e, e.value)
        resolved = self.owner(e.value)
        if resolved is None:
            return Node(ANY)
        scope, path, kind, previous = resolved
        node = self.field_of(e, scope, path, kind, e.attr)
        if previous and isinstance(node, tree.FieldOf):
            return replace(node, previous=True)
        return node

    def owner(self, e: ast.expr) -> tuple[int, tuple[Link, ...], str, bool] | None:
        """The record that `e` (a variable, or links up from one) stands for."""
        if isinstance(e, ast.Name):
            for scope in range(len(self.scopes) - 1, self.seen_from - 1, -1):
                if self.scopes[scope][0] == e.id:
                    return scope, (), self.scopes[scope][1], False
            return self.up(e, (*self.base, False), e.id)
        if isinstance(e, ast.Attribute):
            inner = self.owner(e.value)
            if inner is None:
                return None
            if e.attr == "previous":
                scope, path, kind, _ = inner
                if scope == 0 or path or not self.names.kinds[kind].date:
                    self.bad(
                        e,
                        "'previous' needs a variable over records that have a date",
                        f"{kind} has no x-date" if scope and not path else "Use it on the variable of a 'for'",
                    )
                    return None
                return scope, path, kind, True
            if inner[3]:
                self.bad(e, "after 'previous' a field must follow")
                return None
            return self.up(e, inner, e.attr)
        self.bad(e, "only a record, a variable or a link may stand before the dot")
        return None

    def up(
        self, e: ast.AST, inner: tuple[int, tuple[Link, ...], str, bool], name: str
    ) -> tuple[int, tuple[Link, ...], str, bool] | None:
        scope, path, kind, _ = inner
        link = self.names.kinds[kind].links.get(name)
        if link is None:
            down = self.names.kinds.down[kind]
            if name in down:
                self.bad(
                    e,
                    f"'{name}' leads from {kind} down to many {down[name].kind} records, so it has no single field",
                    f"Write any(... for x in {name}) or latest(x for x in {name}).field",
                )
            elif name in self.names.kinds[kind].fields:
                self.bad(e, f"'{name}' is a field of {kind}, not a link; nothing may follow it")
            elif (scope, path) == self.base[:2]:
                known = [*self.names.kinds[kind].links, *(v for v, _, _ in self.scopes[self.seen_from :])]
                self.bad(e, f"{kind} has no link '{name}'{nearest(name, known)}")
            else:
                self.bad(e, f"{kind} has no link '{name}'{nearest(name, self.names.kinds[kind].links)}")
            return None
        return scope, (*path, link), link.to, False

    def compare(self, e: ast.Compare) -> Node:
        parts: list[Node] = []
        left_e = e.left
        for op, right_e in zip(e.ops, e.comparators, strict=True):
            parts.append(self.one_comparison(e, left_e, op, right_e))
            left_e = right_e
        return parts[0] if len(parts) == 1 else tree.And(BOOLEAN, tuple(parts))

    def one_comparison(self, e: ast.Compare, left_e: ast.expr, op: ast.cmpop, right_e: ast.expr) -> Node:
        if isinstance(op, ast.Is | ast.IsNot):
            if not (isinstance(right_e, ast.Constant) and right_e.value is None):
                return self.bad(right_e, "only None may stand after 'is'", "Use == to compare")
            asked = self.visit(left_e)
            held = (tree.FieldOf, tree.Aggregate, tree.IfElse, tree.TableEntry, tree.Fact)
            if asked.type.name == "boolean" and not (
                isinstance(asked, held) and getattr(asked, "fn", "") not in ("any", "all")
            ):
                return self.bad(
                    left_e, "this is a condition, not a field: it is true, false or unknown, and never empty"
                )
            node = tree.IsNone(BOOLEAN, asked)
            return tree.Not(BOOLEAN, node) if isinstance(op, ast.IsNot) else node
        if isinstance(op, ast.In | ast.NotIn):
            inside = self.member(left_e, right_e)
            return tree.Not(BOOLEAN, inside) if isinstance(op, ast.NotIn) else inside
        for side in (left_e, right_e):
            if isinstance(side, ast.Constant) and side.value is None:
                return self.bad(side, "nothing compares with None", "Write 'is None' or 'is not None'")
        left, right = self.visit(left_e), self.visit(right_e)
        if right.type.name == "date":
            left = self.as_date(left_e, left)
        if left.type.name == "date":
            right = self.as_date(right_e, right)
        symbol = OPERATORS[type(op)]
        self.comparable(e, left, right, symbol)
        self.code(left_e, left, right.type)
        self.code(right_e, right, left.type)
        return tree.Compare(BOOLEAN, symbol, left, right)

    def comparable(self, e: ast.AST, left: Node, right: Node, symbol: str) -> None:
        a, b = left.type, right.type
        if "any" in (a.name, b.name):
            return
        numbers = ("integer", "number")
        if a.name != b.name and not (a.name in numbers and b.name in numbers):
            self.bad(e, f"{_a(a)} cannot be compared with {_a(b)}")
        elif a.name == "list":
            self.bad(e, "lists do not compare", "Use 'in', or len(...)")
        elif a.name == "length":
            self.bad(e, "lengths of time do not compare", "Count instead: days(a, b) <= 28")
        elif a.unit and b.unit and a.unit != b.unit:
            self.bad(e, f"{a.unit.replace('_', ' ')} cannot be compared with {b.unit.replace('_', ' ')}")
        elif a.name in ("text", "boolean") and symbol not in ("==", "!="):
            self.bad(e, f"{_a(a)} has no order; only == and != compare it")

    def code(self, e: ast.AST, node: Node, other: Type) -> None:
        if isinstance(node, tree.EachItem) and other.codes and other.codes != node.type.codes:
            for item in node.type.codes:
                self.code(e, tree.Literal(TEXT, item), other)
        if other.codes and isinstance(node, tree.Literal) and node.value not in other.codes:
            self.bad(
                e,
                f"'{node.value}' is not one of the codes of this field{nearest(str(node.value), other.codes)}",
                f"Its codes: {', '.join(other.codes)}",
            )

    def member(self, left_e: ast.expr, right_e: ast.expr) -> Node:
        item = self.visit(left_e)
        options: Items
        if isinstance(right_e, ast.Tuple | ast.List | ast.Set):
            literals = [self.visit(x) for x in right_e.elts]
            for x, node in zip(right_e.elts, literals, strict=True):
                if not isinstance(node, tree.Literal | tree.Node) or (
                    not isinstance(node, tree.Literal) and node.type != ANY
                ):
                    return self.bad(x, "a list after 'in' may hold only constants")
            if not literals:
                return self.bad(right_e, "the list is empty")
            if item.type.name == "date":
                literals = [self.as_date(x, n) for x, n in zip(right_e.elts, literals, strict=True)]
            for x, node in zip(right_e.elts, literals, strict=True):
                self.comparable(x, item, node, "==")
                self.code(x, node, item.type)
            options = tuple(cast(Scalar, n.value) for n in literals if isinstance(n, tree.Literal))
            return tree.Member(BOOLEAN, item, options)
        if isinstance(right_e, ast.Name) and right_e.id in self.names.periods and not self.is_field(right_e.id):
            return self.in_period(left_e, self.as_date(left_e, item), self.names.periods[right_e.id])
        listed = self.listed(right_e)
        if listed is not None:
            possible = _possible(listed)
            if item.type.codes:
                for option in possible:
                    self.code(right_e, tree.Literal(TEXT, str(option)), item.type)
            self.comparable(right_e, item, _constant_type(possible), "==")
            return tree.Member(BOOLEAN, item, listed)
        node = self.visit(right_e)
        if node.type.name not in ("list", "any"):
            return self.bad(right_e, f"this is {_a(node.type)}; after 'in' a list must stand")
        if item.type.name not in ("text", "any"):
            return self.bad(left_e, f"{_a(item.type)} cannot be in a list of text")
        self.code(left_e, item, node.type)
        return tree.Member(BOOLEAN, item, node)

    def in_period(self, e: ast.expr, item: Node, period: Period) -> Node:
        if item.type.name not in ("date", "any"):
            return self.bad(e, f"this is {_a(item.type)}, and only a date lies in a period")
        since = tree.Compare(BOOLEAN, ">=", item, tree.Literal(DATE, period.from_on))
        if period.to_on is None:
            return since
        return tree.And(BOOLEAN, (since, tree.Compare(BOOLEAN, "<=", item, tree.Literal(DATE, period.to_on))))

    def listed(self, e: ast.expr) -> Items | Node | None:
        """A list of the pack or an entry of a table that holds lists; None: it is neither."""
        if isinstance(e, ast.Name) and e.id in self.names.lists and not self.is_field(e.id):
            return _list_of(e.id, self.names.lists[e.id])
        if isinstance(e, ast.Subscript):
            entry = self.subscript(e)
            if entry.type.name not in ("list", "any"):
                return self.bad(e, "this table holds single values, and a list is needed here")
            if isinstance(entry, tree.TableEntry) and isinstance(entry.key, tree.Literal):
                versions = cast(Dated[Items], dict(entry.entries)[str(entry.key.value)])
                return _list_of(f"{entry.table}, {entry.key.value}", versions)
            return entry
        return None

    def items(self, e: ast.expr) -> Dated[Items]:
        """The items for each of which a rule is asked."""
        found = self.listed(e)
        if isinstance(found, tree.ListOf):
            versions = found.versions
        elif isinstance(found, tuple):
            versions = Dated(((date.min, found),))
        else:
            if found is None or not self.mistakes:
                hint = f"Its lists: {', '.join(self.names.lists)}" if self.names.lists else ""
                self.bad(e, "this is no list of the pack, nor an entry, by its name, of a table that holds lists", hint)
            return Dated(((date.min, ()),))
        if not all(isinstance(i, str) for _, its in versions.versions for i in its):
            self.bad(e, "a rule is asked for texts only, and this list holds numbers")
        return versions

    def is_field(self, name: str) -> bool:
        return name in self.names.kinds[self.base[2]].fields

    def binary(self, e: ast.BinOp) -> Node:
        if not isinstance(e.op, ast.Add | ast.Sub | ast.Mult):
            return self.bad(e, f"{_construct(e.op)} is not part of the language", "Of arithmetic there are + - *")
        left, right = self.visit(e.left), self.visit(e.right)
        if right.type.name == "length":
            left = self.as_date(e.left, left)
        a, b = left.type.name, right.type.name
        if "any" in (a, b):
            return Node(ANY)
        if a == "date" and b == "length" and not isinstance(e.op, ast.Mult):
            return tree.Shift(DATE, left, right, 1 if isinstance(e.op, ast.Add) else -1)
        if a == "length" and b == "date" and isinstance(e.op, ast.Add):
            return tree.Shift(DATE, right, left, 1)
        if a == "date" and b == "date" and isinstance(e.op, ast.Sub):
            return self.bad(e, "dates are not subtracted", "Write days(a, b), months(a, b) or working_days(a, b)")
        if "date" in (a, b):
            other = right.type if a == "date" else left.type
            return self.bad(e, f"to a date only a length of time is added, not {_a(other)}", "Write d + days(28)")
        if a not in ("integer", "number") or b not in ("integer", "number"):
            return self.bad(e, f"{_a(left.type)} and {_a(right.type)} have no arithmetic")
        units = {u for u in (left.type.unit, right.type.unit) if u}
        if len(units) > 1:
            return self.bad(e, f"{left.type.unit} and {right.type.unit} do not go together")
        op = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}[type(e.op)]
        name = "number" if "number" in (a, b) else "integer"
        return tree.Arithmetic(Type(name, next(iter(units), "")), op, left, right)

    def if_else(self, e: ast.IfExp, test: Node, a: ast.expr, b: ast.expr) -> Node:
        then, other = self.visit(a), self.visit(b)
        if then.type.name == "date":
            other = self.as_date(b, other)
        if other.type.name == "date":
            then = self.as_date(a, then)
        self.comparable(e, then, other, "==")
        kind = then.type if then.type.name != "integer" else other.type
        return tree.IfElse(replace(kind, codes=()), test, then, other)

    def subscript(self, e: ast.Subscript) -> Node:
        if not isinstance(e.value, ast.Name) or e.value.id not in self.names.tables:
            shown = e.value.id if isinstance(e.value, ast.Name) else "this"
            return self.bad(e, f"'{shown}' is not a table of the pack{nearest(shown, self.names.tables)}")
        entries = self.names.tables[e.value.id]
        key = self.visit(e.slice)
        if key.type.name not in ("text", "any"):
            return self.bad(e.slice, f"this is {_a(key.type)}; tables are asked by a text")
        if isinstance(key, tree.Literal) and key.value not in entries:
            return self.bad(
                e.slice, f"table '{e.value.id}' has no entry '{key.value}'{nearest(str(key.value), entries)}"
            )
        values = [value for entry in entries.values() for _, value in entry.versions]
        if values and isinstance(values[0], tuple):
            kind = LIST
        else:
            kind = _constant_type(cast(Sequence[Scalar], values)).type
        return tree.TableEntry(kind, e.value.id, key, tuple(entries.items()))

    # --- functions ---

    def call(self, e: ast.Call) -> Node:
        if not isinstance(e.func, ast.Name):
            return self.bad(e, "only the language's own functions can be called", f"They are: {', '.join(FUNCTIONS)}")
        fn = e.func.id
        if fn not in FUNCTIONS:
            return self.bad(
                e, f"there is no function '{fn}'{nearest(fn, FUNCTIONS)}", f"There are: {', '.join(FUNCTIONS)}"
            )
        if any(isinstance(a, ast.Starred) for a in e.args):
            return self.bad(e, "* is not part of the language")
        if e.keywords and fn not in ("largest_gap", "most_days"):
            return self.bad(e, f"{fn} takes no named values")
        if fn in UNITS:
            return self.length(e, fn)
        if fn in ("starts_with", "contains"):
            return self.text_function(e, fn)
        if fn == "len":
            if len(e.args) != 1 or (node := self.visit(e.args[0])).type.name not in ("list", "any"):
                return self.bad(e, "len takes one list field")
            return tree.Len(INTEGER, node)
        if fn == "has_all":
            return self.has_all(e)
        if fn == "largest_gap":
            return self.largest_gap(e)
        if fn == "most_days":
            return self.most_days(e)
        if fn in OF_FILLED:
            return self.extreme(e, fn)
        if fn in ("latest", "earliest"):
            return self.bad(e, f"{fn}(...) is a record; name a field of it", f"Write {fn}(...).field")
        if fn in ("min", "max") and not (len(e.args) == 1 and isinstance(e.args[0], ast.GeneratorExp)):
            return self.extreme(e, fn)
        return self.aggregate(e, fn)

    def length(self, e: ast.Call, unit: Unit) -> Node:
        if len(e.args) == 2:
            start, end = self.date(e.args[0]), self.date(e.args[1])
            return tree.Between(Type("integer", unit), unit, start, end)
        if len(e.args) != 1:
            return self.bad(e, f"{unit} takes a number, or two dates")
        amount = self.number(e.args[0])
        if isinstance(amount, tree.Literal) and not (isinstance(amount.value, int) and 0 <= amount.value <= 36_600):
            return self.bad(e.args[0], f"{unit} takes a whole number from 0 to 36,600")
        if amount.type.name == "number":
            return self.bad(e.args[0], f"{unit} takes a whole number")
        if amount.type.unit not in ("", unit):
            return self.bad(
                e.args[0], f"this counts {amount.type.unit.replace('_', ' ')}, not {unit.replace('_', ' ')}"
            )
        return tree.Length(LENGTH, amount, unit)

    def text_function(self, e: ast.Call, fn: str) -> Node:
        if len(e.args) != 2:
            return self.bad(e, f"{fn} takes two texts")
        item, part = self.visit(e.args[0]), self.visit(e.args[1])
        for a, node in zip(e.args, (item, part), strict=True):
            if node.type.name not in ("text", "any"):
                self.bad(a, f"this is {_a(node.type)}, and {fn} takes texts")
        return tree.Text(BOOLEAN, fn, item, part)

    def has_all(self, e: ast.Call) -> Node:
        if len(e.args) != 2:
            return self.bad(e, "has_all takes a list field, and a list of the pack")
        item = self.visit(e.args[0])
        if item.type.name not in ("list", "any"):
            return self.bad(e.args[0], f"this is {_a(item.type)}, and has_all takes a list field")
        options = self.listed(e.args[1])
        if options is None:
            return self.bad(e.args[1], "the second of has_all is a list of the pack, or an entry of a table")
        for option in _possible(options):
            self.code(e.args[1], tree.Literal(TEXT, str(option)), item.type)
        return tree.HasAll(BOOLEAN, item, options)

    def extreme(self, e: ast.Call, fn: str) -> Node:
        if len(e.args) < 2:
            what = "two or more dates" if fn in OF_FILLED else "a 'for' over linked records, or two or more values"
            return self.bad(e, f"{fn} takes {what}")
        items = [self.visit(a) for a in e.args]
        if any(i.type.name == "date" for i in items):
            items = [self.as_date(a, i) for a, i in zip(e.args, items, strict=True)]
        for a, item in zip(e.args[1:], items[1:], strict=True):
            self.comparable(a, items[0], item, "==")
        if items[0].type.name not in (("date", "any") if fn in OF_FILLED else ("date", "integer", "number", "any")):
            allowed = "dates" if fn in OF_FILLED else "dates or numbers"
            return self.bad(e, f"{fn} takes {allowed}, not {_a(items[0].type)}")
        return tree.Extreme(replace(items[0].type, codes=()), fn, tuple(items))

    def comprehension(
        self, e: ast.GeneratorExp, inside: Callable[[_Checker], tuple[Node, ...]]
    ) -> tuple[tree.Source, Node | None, tuple[Node, ...]]:
        nothing = (cast(tree.Source, None), None, (Node(ANY),) * 3)
        if len(e.generators) != 1:
            self.bad(e, "one 'for' at a time", "Put a second any(...) or count(...) inside")
            return nothing
        g = e.generators[0]
        if not isinstance(g.target, ast.Name):
            self.bad(g.target, "after 'for' a single name must stand")
            return nothing
        var = g.target.id
        source = self.source(g.iter)
        if source is None:
            return nothing
        record = self.base[2]
        kind = self.names.kinds[record]
        taken = var in kind.fields or var in kind.links or var in self.names.kinds.down[record]
        taken = taken or var == "as_at" or (self.names.each is not None and var == self.names.each[0])
        if taken or any(var == v for v, _, _ in self.scopes[self.seen_from :]):
            self.bad(g.target, f"'{var}' already means something else here; choose another name")
        here = len(self.scopes)
        self.scopes.append((var, source.link.kind, source.link))
        conditions = tuple(self.boolean(c) for c in g.ifs)
        values = inside(self)
        self.scopes.pop()
        cond = conditions[0] if len(conditions) == 1 else tree.And(BOOLEAN, conditions) if conditions else None
        for node in (cond, *values):
            for n in tree.walk(node):
                if isinstance(n, tree.FieldOf) and source.scope < n.scope < here:
                    self.bad(
                        g.iter,
                        f"this 'for' starts outside '{self.scopes[n.scope][0]}' and yet asks about it",
                        f"Start it from the variable: for {var} in {self.scopes[n.scope][0]}.…",
                    )
        by_item = any(isinstance(n, tree.EachItem) for node in (cond, *values) for n in tree.walk(node))
        if source.path:
            self.no_way_back(g.iter, source, (cond, *values), "goes up to another record first")
        elif by_item and source.scope == 0:
            self.no_way_back(g.iter, source, (cond, *values), "asks about the item of a list")
        return source, cond, values

    def no_way_back(self, at: ast.expr, source: tree.Source, nodes: tuple[Node | None, ...], why: str) -> None:
        """Records that are reached over another record, or with an item, belong to it and not to the record from which the way began."""
        for node in nodes:
            for inner in tree.walk(node):
                if not isinstance(inner, tree.Aggregate | tree.Spread):
                    continue
                for n in tree.walk(inner):
                    back = isinstance(n, tree.FieldOf) and n.scope <= source.scope
                    if back or isinstance(n, tree.ParameterOf | tree.EachItem):
                        what = "a parameter" if isinstance(n, tree.ParameterOf) else "what is outside it"
                        self.bad(
                            at,
                            f"this 'for' {why}, so a 'for' inside it cannot ask about {what}",
                            "Ask it of records that are linked to the record itself",
                        )
                        return

    def source(self, e: ast.expr) -> tree.Source | None:
        owner: tuple[int, tuple[Link, ...], str, bool] | None
        if isinstance(e, ast.Name):
            owner, name = (*self.base, False), e.id
        elif isinstance(e, ast.Attribute):
            owner, name = self.owner(e.value), e.attr
        else:
            self.bad(e, "after 'in' a link down to records must stand")
            return None
        if owner is None:
            return None
        scope, path, kind, previous = owner
        link = self.names.kinds.down[kind].get(name)
        if link is None or previous:
            down = self.names.kinds.down[kind]
            if name in self.names.kinds[kind].links:
                up = self.names.kinds[kind].links[name]
                self.bad(
                    e,
                    f"'{name}' leads from {kind} up to one {up.to}, so there is nothing to go through",
                    f"Write {name}.field",
                )
            else:
                self.bad(e, f"{kind} has no link down '{name}'{nearest(name, down)}")
            return None
        return tree.Source(scope, path, link)

    def generator(self, e: ast.Call, fn: str) -> ast.GeneratorExp | None:
        if len(e.args) != 1 or not isinstance(e.args[0], ast.GeneratorExp):
            self.bad(e, f"{fn} goes through linked records", f"Write {fn}(... for x in ...)")
            return None
        return e.args[0]

    def aggregate(self, e: ast.Call, fn: str) -> Node:
        g = self.generator(e, fn)
        if g is None:
            return Node(ANY)
        if fn == "count":

            def counted(c: _Checker) -> tuple[Node, ...]:
                if not (isinstance(g.elt, ast.Name) and g.elt.id == c.scopes[-1][0]):
                    c.bad(g.elt, "count counts records", f"Write count({c.scopes[-1][0]} for … if <condition>)")
                return ()

            source, cond, _ = self.comprehension(g, counted)
            return tree.Aggregate(INTEGER, "count", source, cond, None)
        if fn in ("any", "all"):
            source, cond, values = self.comprehension(g, lambda c: (c.boolean(g.elt),))
            return tree.Aggregate(BOOLEAN, fn, source, cond, values[0])
        source, cond, values = self.comprehension(g, lambda c: (c.visit(g.elt),))
        value = values[0]
        allowed = ("integer", "number", "any") if fn == "sum" else ("date", "integer", "number", "any")
        if value.type.name not in allowed:
            return self.bad(g.elt, f"{fn} takes {'' if fn == 'sum' else 'dates or '}numbers, not {_a(value.type)}")
        return tree.Aggregate(
            value.type, fn, source, cond, value, personal=any(getattr(n, "personal", False) for n in tree.walk(value))
        )

    def picked(self, e: ast.Attribute, call: ast.Call) -> Node:
        fn = call.func.id if isinstance(call.func, ast.Name) else ""
        if fn not in ("latest", "earliest"):
            return self.bad(e, "a field may be taken only of latest(...) or earliest(...)")
        g = self.generator(call, fn)
        if g is None:
            return Node(ANY)
        if call.keywords:
            return self.bad(call, f"{fn} takes no named values")

        def chosen(c: _Checker) -> tuple[Node, ...]:
            if not (isinstance(g.elt, ast.Name) and g.elt.id == c.scopes[-1][0]):
                c.bad(g.elt, f"{fn} chooses a record", f"Write {fn}({c.scopes[-1][0]} for … if …).field")
                return (Node(ANY),)
            kind = c.scopes[-1][1]
            if not c.names.kinds[kind].date:
                c.bad(g.elt, f"{kind} records have no date of their own, so there is no {fn} one")
                return (Node(ANY),)
            return (c.field_of(e, len(c.scopes) - 1, (), kind, e.attr),)

        source, cond, values = self.comprehension(g, chosen)
        node = values[0]
        personal = isinstance(node, tree.FieldOf) and node.personal
        return tree.Aggregate(node.type, fn, source, cond, node, e.attr, personal)

    def largest_gap(self, e: ast.Call) -> Node:
        g = self.generator(e, "largest_gap")
        if g is None:
            return Node(ANY)
        ends: dict[str, Node] = {}
        for k in e.keywords:
            if k.arg not in ("since", "until"):
                return self.bad(k, f"largest_gap has no '{k.arg}'", "It has since= and until=")
            ends[k.arg] = self.date(k.value)

        def bounds(c: _Checker) -> tuple[Node, ...]:
            if isinstance(g.elt, ast.Tuple) and len(g.elt.elts) == 2:
                return tuple(c.date(x) for x in g.elt.elts)
            return (c.date(g.elt),)

        source, cond, values = self.comprehension(g, bounds)
        if len(values) == 1 and ends:
            return self.bad(e, "since= and until= go with periods: largest_gap(((a, b) for …), since=…, until=…)")
        end = values[1] if len(values) == 2 else None
        return tree.Gap(Type("integer", "days"), source, cond, values[0], end, ends.get("since"), ends.get("until"))

    def most_days(self, e: ast.Call) -> Node:
        form = "most_days(((a, b) for …), within=months(12))"
        g = self.generator(e, "most_days")
        if g is None:
            return Node(ANY)
        if [k.arg for k in e.keywords] != ["within"]:
            return self.bad(e, "most_days takes periods, and within=", f"Write {form}")
        if not (isinstance(g.elt, ast.Tuple) and len(g.elt.elts) == 2):
            return self.bad(g.elt, "most_days counts the days of periods: a first and a last day", f"Write {form}")
        bounds = g.elt.elts
        length = self.visit(e.keywords[0].value)
        if not isinstance(length, tree.Length):
            return self.bad(e.keywords[0].value, "within= takes a length of time", f"Write {form}")
        if length.unit == "working_days":
            return self.bad(e.keywords[0].value, "within= takes days, weeks, months or years")
        if not (
            isinstance(length.amount, tree.Literal) and isinstance(length.amount.value, int) and length.amount.value
        ):
            return self.bad(e.keywords[0].value, "within= takes a length of a fixed number, 1 or more")
        source, cond, (start, end) = self.comprehension(g, lambda c: tuple(c.date(x) for x in bounds))
        return tree.MostDays(Type("integer", "days"), source, cond, start, end, length)


def _type_of(f: Field) -> Type:
    return Type(f.type, f.unit, f.codes)


def _parameter_type(p: Parameter) -> Type:
    if p.value is not None and isinstance(p.value.versions[0][1], Limit):
        return LENGTH
    if p.value is None and not p.unit:
        return ANY
    return Type("integer", p.unit) if p.unit != "length" else LENGTH


def _list_of(name: str, versions: Dated[Items]) -> Items | Node:
    """A list as it stands, or with its dates."""
    return versions.versions[0][1] if len(versions.versions) == 1 else tree.ListOf(LIST, name, versions)


def _possible(listed: Items | Node) -> Items:
    """Every item that a list has at some time."""
    match listed:
        case tuple():
            return listed
        case tree.ListOf(versions=v):
            return tuple(dict.fromkeys(i for _, its in v.versions for i in its))
        case tree.TableEntry(entries=entries):
            lists = [cast(Items, its) for _, entry in entries for _, its in entry.versions]
            return tuple(dict.fromkeys(i for its in lists for i in its))
    return ()


def _constant_type(values: Sequence[Scalar]) -> Node:
    match values[0] if values else "":
        case bool():
            return Node(BOOLEAN)
        case int():
            return Node(INTEGER)
        case float():
            return Node(NUMBER)
    return Node(TEXT)


def _a(t: Type) -> str:
    words = {
        "boolean": "a true/false value",
        "date": "a date",
        "integer": f"a number of {t.unit.replace('_', ' ')}" if t.unit else "a whole number",
        "number": f"a number of {t.unit}" if t.unit else "a number",
        "text": "a text",
        "list": "a list",
        "length": "a length of time",
    }
    return words.get(t.name, "something unknown")


def _construct(e: ast.AST) -> str:
    words: dict[type[ast.AST], str] = {
        ast.Lambda: "a function of one's own",
        ast.ListComp: "a list in square brackets with 'for'",
        ast.SetComp: "a set with 'for'",
        ast.DictComp: "a dictionary",
        ast.Dict: "a dictionary",
        ast.JoinedStr: "an f-string",
        ast.Div: "division",
        ast.FloorDiv: "division",
        ast.Mod: "%",
        ast.Pow: "**",
        ast.NamedExpr: ":=",
        ast.UnaryOp: "a minus before anything but a number",
        ast.Set: "a set",
    }
    return words.get(type(e), type(e).__name__)
