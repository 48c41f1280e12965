"""Checked expressions in plain English, for `rules explain`, evidence and the sentences that argue a finding."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any

from compliance.dates import english
from compliance.language import tree
from compliance.model import Link

COMPARED = {
    "==": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}
COMPARED_DATES = {
    "==": "is on",
    "!=": "is not on",
    "<": "is before",
    "<=": "is on or before",
    ">": "is after",
    ">=": "is on or after",
}


def words(name: str) -> str:
    """`started_on` -> started on."""
    return name.replace("_", " ")


def one_of(back: str) -> str:
    """What one of the records at the far end of a link is called: foster_parents -> foster parent, copies_given -> copy given."""
    them = words(back).split(" ")
    # The word that is plural is the last, or else the first.
    at = -1 if them[-1].endswith("s") else 0
    them[at] = f"{them[at][:-3]}y" if them[at].endswith("ies") else them[at].removesuffix("s")
    return " ".join(them)


def path_words(path: tuple[Link, ...]) -> str:
    """The links gone up, as a possessive: `household's `."""
    return "".join(f"{words(link.name)}'s " for link in path)


def source_words(source: tree.Source) -> str:
    """The records that a `for` goes through."""
    return f"{path_words(source.path)}{words(source.link.back)}"


def key_of(node: tree.Node) -> str:
    """The same in the names of fields: what a value of it is called in evidence, whatever the dictionary calls the fields."""
    return english_of(_untitled(node))


def _untitled(part: Any) -> Any:
    match part:
        case tree.FieldOf():
            return replace(part, title="")
        case tree.Node():
            return replace(part, **{f.name: _untitled(getattr(part, f.name)) for f in fields(part)})
        case tuple():
            return tuple(map(_untitled, part))
    return part


def title_words(f: tree.FieldOf) -> str:
    """What the dictionary calls a field."""
    return f.title or words(f.field)


def field_words(f: tree.FieldOf) -> str:
    """A field, with the way to it."""
    previous = "the previous one's " if f.previous else ""
    return f"{previous}{path_words(f.path)}{title_words(f)}"


def picked_words(a: tree.Aggregate) -> str:
    """The field that is taken of the latest or the earliest record."""
    return title_words(a.value) if isinstance(a.value, tree.FieldOf) else words(a.pick)


def english_of(node: tree.Node) -> str:
    """The whole expression as one phrase."""
    match node:
        case tree.Literal(value=v):
            return english(v) if isinstance(v, date) else ("yes" if v else "no") if isinstance(v, bool) else str(v)
        case tree.AsAt():
            return "the as-at date"
        case tree.PeriodStart(period=p):
            return f"the first day of the {p}"
        case tree.FieldOf():
            return field_words(node)
        case tree.Not(item=tree.IsNone(item=i)):
            return f"{english_of(i)} is recorded"
        case tree.Not(item=tree.Member(item=i, options=o)):
            return f"{english_of(i)} is not {_options(o)}"
        case tree.Not(item=i):
            return f"not ({english_of(i)})" if isinstance(i, tree.And | tree.Or) else f"not {_condition(i)}"
        case tree.And(items=items):
            return " and ".join(_inner(i, tree.Or) for i in items)
        case tree.Or(items=items):
            return " or ".join(_inner(i, tree.And) for i in items)
        case tree.Compare(op=op, left=a, right=b):
            said = COMPARED_DATES if "date" in (a.type.name, b.type.name) else COMPARED
            return f"{english_of(a)} {said[op]} {english_of(b)}"
        case tree.Member(item=i, options=o):
            return f"{english_of(i)} is {_options(o)}"
        case tree.IsNone(item=i):
            return f"{english_of(i)} is empty"
        case tree.IfElse(condition=c, then=a, other=b):
            return f"({english_of(a)} if {_condition(c)}, else {english_of(b)})"
        case tree.Arithmetic(op=op, left=a, right=b):
            return f"{english_of(a)} {'times' if op == '*' else op} {english_of(b)}"
        case tree.Length(amount=a, unit=u):
            unit = words(u)
            return f"{english_of(a)} {unit[:-1] if isinstance(a, tree.Literal) and a.value == 1 else unit}"
        case tree.ParameterOf(name=n):
            return f"the figure '{words(n)}'"
        case tree.Shift(day=d, length=n, sign=s):
            return f"{english_of(d)} {'+' if s > 0 else '-'} {english_of(n)}"
        case tree.Between(unit=u, start=a, end=b):
            return f"{words(u)} from {english_of(a)} to {english_of(b)}"
        case tree.Extreme(fn="first_of" | "last_of" as fn, items=items):
            which = "first" if fn == "first_of" else "last"
            return f"the {which} that is recorded of {' and '.join(english_of(i) for i in items)}"
        case tree.HasAll(item=i, options=o):
            return f"{english_of(i)} has all of {_options(o).removeprefix('one of ').removeprefix('among ')}"
        case tree.ListOf(name=n):
            return f"the list '{words(n)}'"
        case tree.Fact(title=t, path=path):
            return f"{path_words(path)}{t[0].lower()}{t[1:]}"
        case tree.EachItem(name=n):
            return f"the {words(n)}"
        case tree.Since():
            return "the day from which the gap runs"
        case tree.First():
            return "it is the first"
        case tree.Extreme(fn=fn, items=items):
            said_as = {"date": {"min": "earlier", "max": "later"}}.get(
                items[0].type.name, {"min": "smaller", "max": "larger"}
            )
            return f"the {said_as[fn]} of {' and '.join(english_of(i) for i in items)}"
        case tree.Aggregate():
            return _aggregate(node)
        case tree.Gap(source=s, condition=c):
            return f"the largest gap in the {source_words(s)}{_where(c)}"
        case tree.MostDays(source=s, condition=c, within=w):
            return f"the most days of {source_words(s)}{_where(c)} in any {english_of(w)}"
        case tree.TableEntry(table=t, key=k):
            return f"what '{words(t)}' says for {english_of(k)}"
        case tree.Text(fn=fn, item=a, part=b):
            return f"{english_of(a)} {words(fn).replace('starts', 'starts')} '{english_of(b)}'"
        case tree.Len(item=i):
            return f"number of {english_of(i)}"
    return "?"


def _condition(node: tree.Node) -> str:
    return english_of(node)


def _inner(node: tree.Node, looser: type[tree.Node]) -> str:
    return f"({english_of(node)})" if isinstance(node, looser) else english_of(node)


def _options(options: object) -> str:
    if isinstance(options, tuple):
        said = [str(o) for o in options]
        return "one of " + ", ".join(said) if len(said) > 1 else said[0]
    assert isinstance(options, tree.Node)
    return f"among {english_of(options)}"


def _where(condition: tree.Node | None) -> str:
    return "" if condition is None else f" where {english_of(condition)}"


def _aggregate(a: tree.Aggregate) -> str:
    of = source_words(a.source)
    match a.fn:
        case "count":
            return f"number of {of}{_where(a.condition)}"
        case "any" | "all":
            assert a.value is not None
            some = "any" if a.fn == "any" else "each"
            return f"for {some} of the {of}{_where(a.condition)}: {english_of(a.value)}"
        case "latest" | "earliest":
            return f"{picked_words(a)} of the {a.fn} of the {of}{_where(a.condition)}"
    assert a.value is not None
    said = {"sum": "total"}.get(a.fn)
    if said is None:
        dates = a.value.type.name == "date"
        said = {"min": "earliest" if dates else "smallest", "max": "latest" if dates else "largest"}[a.fn]
    return f"{said} {english_of(a.value)} of the {of}{_where(a.condition)}"
