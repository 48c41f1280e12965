"""Signs as record kinds declare them: conditions of the language, taken apart so that reading an export needs no language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compliance.language import tree
from compliance.language.check import Names, condition
from compliance.model import Cell, Clue, ClueTest, RecordKind, RecordKinds, Sign, Step

WHAT_IT_MAY_SAY = (
    "a sign may say, joined by `and`: DATE <= as_at, FIELD is not None, a yes or no or its `not`, FIELD == 'code',"
    " FIELD in ['code'] or not in, one date compared with another, and any(… for … in …) of these"
)


class NoSign(Exception):
    """Something that a sign cannot say."""


def signs(kinds: RecordKinds, kind: RecordKind, field: str, written: Mapping[str, str]) -> Iterator[Sign | str]:
    """The signs of a field, or what is wrong with one.

    Args:
      written: conditions on a record of the kind, by their labels.
    """
    for label, text in written.items():
        node, mistakes = condition(text, kind.name, Names(kinds))
        at = f"x-shown-by of '{field}', '{label}':"
        yield from (f"{at} {m.what}{f'. {m.help}' if m.help else ''}" for m in mistakes)
        if node is None or mistakes:
            continue
        steps: list[Step] = []
        try:
            clues = tuple(_clues(node, {0: 0}, steps))
        except NoSign:
            yield f"{at} {WHAT_IT_MAY_SAY}"
            continue
        if any(
            c is not None and not c.path and (c.place, c.field) == (0, field) for x in clues for c in (x.cell, x.other)
        ):
            yield f"{at} it names the field itself, which is empty where it is asked"
        yield Sign(label, text, tuple(steps), clues)


def _clues(node: tree.Node, places: Mapping[int, int], steps: list[Step]) -> Iterator[Clue]:
    """What must be so for a condition to be true, none of which can become untrue; `places` of the scopes in sight."""
    match node:
        case tree.And(items=items):
            for item in items:
                yield from _clues(item, places, steps)
        case tree.Aggregate(fn="any", source=source, condition=only, value=value) if value is not None:
            steps.append(Step(places[source.scope], source.path, source.link))
            inside = {**places, max(places) + 1: len(steps)}
            for part in (only, value):
                if part is not None:
                    yield from _clues(part, inside, steps)
        case tree.Not(item=tree.IsNone(item=tree.FieldOf() as f)):
            yield Clue("filled", _cell(f, places))
        case tree.FieldOf(type=tree.BOOLEAN):
            yield Clue("is", _cell(node, places), ("true",))
        case tree.Not(item=tree.FieldOf(type=tree.BOOLEAN) as f):
            yield Clue("is not", _cell(f, places), ("true",))
        case tree.Member(item=tree.FieldOf() as f, options=tuple() as codes):
            yield Clue("is", _text(f, places), tuple(map(str, codes)))
        case tree.Not(item=tree.Member(item=tree.FieldOf() as f, options=tuple() as codes)):
            yield Clue("is not", _text(f, places), tuple(map(str, codes)))
        case tree.Compare(op="==" | "!=" as op, left=tree.FieldOf() as f, right=tree.Literal(value=str() as code)):
            yield Clue("is" if op == "==" else "is not", _text(f, places), (code,))
        case tree.Compare(op="<=", left=tree.FieldOf() as f, right=tree.AsAt()):
            yield Clue("come", _cell(f, places))
        case tree.Compare(op=op, left=tree.FieldOf(type=tree.DATE) as f, right=tree.FieldOf(type=tree.DATE) as g):
            yield Clue(_test(op), _cell(f, places), other=_cell(g, places))
        case _:
            raise NoSign


def _cell(f: tree.FieldOf, places: Mapping[int, int]) -> Cell:
    if f.previous:
        raise NoSign
    return Cell(places[f.scope], f.path, f.kind, f.field)


def _text(f: tree.FieldOf, places: Mapping[int, int]) -> Cell:
    if f.type.name != "text":
        raise NoSign
    return _cell(f, places)


def _test(op: str) -> ClueTest:
    match op:
        case "==" | "!=" | "<" | "<=" | ">" | ">=":
            return op
    raise NoSign
