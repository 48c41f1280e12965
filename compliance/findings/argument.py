"""What the sentence and the evidence of a rule's findings are made of, as plain data.

The compiler makes it of a rule; a kept plan holds it; `findings.words` reads it beside the values that the engine brought back. A *slot* is
the place of one of these values in a row; `NONE`: there is no such value.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

NONE = -1


class Missing(NamedTuple):
    """A field that somebody would need to see, and when: a value is empty, is true, or is not the same as another."""

    name: str
    when: Literal["empty", "true", "differs"]
    slot: int
    other: int = NONE


class Term(NamedTuple):
    """A value that a condition rests on: as a phrase, and as evidence.

    Args:
      kind: `field` of a record; `list`, of which all `options` are asked; `count`; something true of `any` or of `all` linked records;
        `aggregate`; `gap`, in days; the `gaps` of a recurring duty that were too long, which no phrase tells.
      name: in evidence; `words`: in a phrase.
      value: of `any` and `all`, whether it is true; where the term is `hidden`, whether the value is empty.
      type: of the value, as record kinds name types.
      doubt: whether nobody can tell what the value is; of a `list` whether it has all.
      other: of `count` the most that it may be; of `any` and `all` how many records there are; of a `list` which of `options` are asked.
      hidden: it is personal, and only said to be recorded.
      empty: what is said where it is empty and that is no lack; empty: that it is not recorded.
      sign: which of `signs` shows that something happened although the field is empty.
      one: of `any` and `all`, what one of the linked records is called.
    """

    kind: Literal["field", "list", "count", "any", "all", "aggregate", "gap", "gaps"]
    name: str
    words: str
    value: int
    type: str = ""
    doubt: int = NONE
    other: int = NONE
    hidden: bool = False
    missing: tuple[Missing, ...] = ()
    options: tuple[tuple[str, ...], ...] = ()
    empty: str = ""
    one: str = ""
    sign: int = NONE
    signs: tuple[str, ...] = ()


class Asked(NamedTuple):
    """One thing that is asked of each of some linked records; the places are in the values of the record that is named.

    Args:
      truth: whether it is so.
      terms: the record's own values that it rests on.
      day: where a date of the record is held against another: its place, and what it is called; `NONE`: it is not.
      other: the place of that other date; `other_words`: what it is called; `after`: the record's must not lie before it.
    """

    truth: int
    terms: tuple[Term, ...]
    day: int = NONE
    day_words: str = ""
    other: int = NONE
    other_words: str = ""
    after: bool = False


class Near(NamedTuple):
    """Of linked records that a condition asks about, the one to be named.

    Args:
      record: their kind; `them`: what they are called together.
      what: `nearest` to what is asked, where none is it; the latest `offending` one, which is what none may be; the latest `failing`
        what all must be; the `candidate` for what was to be done.
      values: where the values of that record are: its key, source, row and own date, and what `asked` rests on; `NONE` in them: no
        such record.
      day_words: what its own date is called; empty: it has none.
      later: the date of the latest that is as asked but for a date; `NONE`: nobody asks.
    """

    record: str
    them: str
    what: Literal["nearest", "offending", "failing", "candidate"]
    values: int
    day_words: str
    asked: tuple[Asked, ...]
    later: int = NONE


class Clause(NamedTuple):
    """What a finding quotes: of several versions of a duty the one in force on the day that decides.

    Args:
      cites, refs: id and reference of each version; `which` says which of them, `NONE`: the first.
    """

    cites: tuple[str, ...]
    refs: tuple[str, ...]
    which: int = NONE


class Condition(NamedTuple):
    """Something that must hold.

    Args:
      truth: whether it does; `terms`: the places of the terms that it rests on.
      clause: the place of the clause that asks it, where that is its own; `NONE`: it is the argument's.
      near: the linked record that is named where it does not hold.
      needs: the kind of linked records of which it asks that there be one; empty: it asks for none.
    """

    label: str
    truth: int
    terms: tuple[int, ...]
    clause: int = NONE
    near: Near | None = None
    needs: str = ""


class Clock(NamedTuple):
    """The dates of a deadline or a recurring duty.

    Args:
      what: what is to be done; `start_words`: what the day due is counted from.
      given: the record gives the day due itself, in `start_words`; and whether that is worth naming.
      due, start, done: days; of a recurring duty `done` is the last time.
      late: days from the day due to when it was done (or is judged); working days if `working`.
      limits: how long after, in words; `limit` says which.
      regime: which limit made the day due; `by_regime`: the place of the clause of each limit, `NONE`: it is the argument's.
      recurring: then `end` is the day until which it is owed, `n_late` how many gaps were too long, and `gaps` these.
    """

    what: str
    start_words: str
    given: Literal["", "day", "constant"]
    due: int
    start: int
    done: int
    late: int
    working: bool
    limits: tuple[str, ...]
    limit: int
    recurring: bool = False
    end: int = NONE
    n_late: int = NONE
    gaps: int = NONE
    regime: int = NONE
    by_regime: tuple[int, ...] = ()


class Lost(NamedTuple):
    """Rows that may be the record's, though nothing links them; each is the slot of a number, `NONE`: there are none.

    Args:
      one, them: what a row is called, and all of them.
      near: rows that name nobody, but nearly the record; `row`: of the first of them, in its file.
      unusable: rows that name the record and cannot be used.
      holds: whether it could not be told that the record falls short, if any number of the `adrift`, who belong to nobody, were its own.
    """

    one: str
    them: str
    near: int = NONE
    row: int = NONE
    unusable: int = NONE
    holds: int = NONE
    adrift: int = NONE


class Argument(NamedTuple):
    """What the findings of one rule, asked for one item of its list, are worded from.

    Args:
      when: whether the rule applies; in words, and the terms that it rests on. Its truth is `NONE` where it always does.
      conditions: of `require`; of a clock the one that it stands for.
      clauses: what may be quoted; the first where nothing else is said.
      whose: what is said before the clause of whose figure it is.
      part: the item, if the sentence must name it.
      lawful, within: where the agency's own figure is asked: whether the layer's is kept, and what is said then.
      terms: each once; `evidence`: the places of those that are told, in order.
      lost: rows of each link that the rule counts, where some may be missing.
      hedges: of duties that are in doubt the id, and in a few words how sure it is.
    """

    when: Condition
    conditions: tuple[Condition, ...]
    clock: Clock | None
    clauses: tuple[Clause, ...]
    whose: str
    part: str
    lawful: int
    within: str
    terms: tuple[Term, ...]
    evidence: tuple[int, ...]
    lost: tuple[Lost, ...] = ()
    hedges: tuple[tuple[str, str], ...] = ()
