"""The sentence that argues a finding, its evidence and what is missing: made of the values of the record, rule by rule. Pure.

No rule brings a sentence of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from compliance.dates import english, english_iso
from compliance.findings.argument import NONE, Argument, Asked, Clock, Condition, Lost, Missing, Near, Term
from compliance.model import Standing

Values = Sequence[Any]
"""Of one record, by slot."""
DAYS = 65_536
"""So many days, and lengths of time in days, are kept as they are told: the same few thousand come again and again."""


class Named(NamedTuple):
    """A linked record that is named.

    Args:
      source: the place of its file among all; `row` there.
      said: `named`, `why` and `later` of `model.Near`.
    """

    record: str
    key: str
    source: int
    row: int
    said: tuple[str, str, str]


class Argued(NamedTuple):
    """What is said of one record.

    Args:
      near: the linked record that came nearest to what is asked, or that is what none may be.
      failed: labels of the conditions that do not hold or are not shown.
      missing: fields that would be needed to tell; means something only where nobody can tell.
      due_on: the day the duty fell due, YYYY-MM-DD; empty without one.
      late: how late, to the day; empty if it is not. `late_words`: as a person would say it.
      clause: id and reference of each duty that it falls short of; empty: it cites none.
      unless: which records would have to be the record's own for it not to be so; empty: none.
    """

    sentence: str
    near: Named | None
    failed: tuple[str, ...]
    missing: tuple[str, ...]
    evidence: dict[str, object]
    due_on: str
    late: str
    late_words: str
    clause: tuple[tuple[str, str], ...]
    unless: str


class Shortfall(NamedTuple):
    """What follows from how the conditions of a rule came out alone.

    Args:
      applies: whether the rule applies; None: nobody can tell.
      broken, unshown: the conditions that do not hold, and those of which nobody can tell.
      failed: labels, as `Argued` has them.
      clauses: the places of those that the record falls short of; of a clock they hang on its dates as well.
    """

    applies: bool | None
    broken: tuple[Condition, ...]
    unshown: tuple[Condition, ...]
    failed: tuple[str, ...]
    clauses: tuple[int, ...]


class Quoted(NamedTuple):
    """What a finding quotes.

    Args:
      clause: id (never empty) and reference of each duty; `ref`: the references as a sentence has them.
    """

    clause: tuple[tuple[str, str], ...]
    ref: str


class Wording:
    """The words for the findings of one rule as at one day: what is the same for many of them is made once."""

    def __init__(self, argument: Argument, as_at: date) -> None:
        a, clock = argument, argument.clock
        self._argument, self._as_at = a, as_at
        self._truths = picking([c.truth for c in (a.when, *a.conditions) if c.truth != NONE])
        self._shortfalls: dict[tuple[bool | None, ...], Shortfall] = {}
        self._versions = picking([c.which for c in a.clauses if c.which != NONE])
        self._quoted: dict[tuple[tuple[int, ...], tuple[int, ...]], Quoted] = {}
        evidence = [(a.terms[n], _as_it_is(a.terms[n])) for n in a.evidence]
        self._names = [term.name for term, _ in evidence]
        # What is worked out, and days as text, take the place of what stands there.
        self._values = picking([term.value if slot == NONE else slot for term, slot in evidence])
        self._worked_out = [term for term, slot in evidence if slot == NONE]
        self._days = [(term.name, slot) for term, slot in evidence if slot != NONE and term.type == "date"]
        if clock is not None and clock.recurring:
            self._days += [("last_on", clock.done), ("next_due_on", clock.due)]
        elif clock is not None:
            self._days.append(("due_on", clock.due))

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """What people call what the evidence names."""
        a = self._argument
        of_clock = {
            "last_on": "last time",
            "next_due_on": "next due",
            "due_on": "day due",
            "late_gaps": "gaps too long",
        }
        return {**of_clock, **{a.terms[n].name: a.terms[n].words for n in a.evidence if a.terms[n].words}}

    def argued(self, values: Values, near: Values, unknown: bool, standing: Standing) -> Argued:
        """What is said of a record for which the rule does not hold.

        Args:
          near: what was asked of linked records; empty: nothing was.
          unknown: nobody can tell whether it holds.
        """
        a, clock, as_at = self._argument, self._argument.clock, self._as_at
        shortfall = self.shortfall(values)
        quoted = self.quoted(shortfall, values)
        due_on = late = late_words = ""
        if clock is not None:
            due_on = _iso(values[clock.due])
            late = _late(clock, values, a.conditions[0].truth)
            done = values[clock.end] if clock.recurring else values[clock.done]
            late_words = _length(clock, values, values[clock.due], as_at if done is None else done) if late else ""
        sentence = _sentence(a, values, shortfall, as_at, standing, quoted.ref)
        apart = ""
        if a.lost:
            apart = unless(a, values)
            sentence += f" Unless {apart}." if apart else " ".join(["", *_nearly(a, values)]) if unknown else ""
        return Argued(
            sentence,
            nearest(a, values, near) if near else None,
            shortfall.failed,
            missing(a, values) if unknown else (),
            self.evidence(values),
            due_on,
            late,
            late_words,
            quoted.clause,
            apart,
        )

    def shortfall(self, values: Values) -> Shortfall:
        """What follows from how the conditions came out."""
        truths = self._truths(values)
        shortfall = self._shortfalls.get(truths)
        if shortfall is None:
            shortfall = self._shortfalls[truths] = _shortfall(self._argument, values)
        return shortfall

    def quoted(self, shortfall: Shortfall, values: Values) -> Quoted:
        """The clauses that the record falls short of, in the versions that hold for it."""
        a, clauses = self._argument, shortfall.clauses
        if a.clock is not None and shortfall.applies is not None:
            clauses = tuple(dict.fromkeys(_clauses_of_clock(a.clock, values)))
        key = clauses, self._versions(values)
        quoted = self._quoted.get(key)
        if quoted is None:
            quoted = self._quoted[key] = _quoted(a, clauses, values)
        return quoted

    def evidence(self, values: Values) -> dict[str, object]:
        """Names and values, as JSON has them."""
        evidence: dict[str, object] = dict(zip(self._names, self._values(values), strict=True))
        for term in self._worked_out:
            evidence[term.name] = _shown_as_evidence(term, values)
        for name, slot in self._days:
            day = values[slot]
            evidence[name] = None if day is None else _iso(day)
        return evidence


def unless(a: Argument, values: Values) -> str:
    """Which records that belong to nobody would have to be the record's own for a breach to be none; empty: none."""
    them = [_some_of(lost, values[lost.adrift]) for lost in a.lost if lost.holds != NONE and values[lost.holds]]
    belong = "belongs" if len(them) == 1 and them[0].startswith("the one ") else "belong"
    return f"{' or '.join(them)} that {belong} to nobody is theirs" if them else ""


def _some_of(lost: Lost, n: int) -> str:
    return f"the one {lost.one}" if n == 1 else f"one of the {n:,} {lost.them}"


def _nearly(a: Argument, values: Values) -> Iterator[str]:
    """The rows that may be the record's, where nobody can tell."""
    for lost in a.lost:
        if lost.near != NONE and (n := values[lost.near]):
            row = f"row {values[lost.row]:,}"
            which = f"{lost.one} ({row})" if n == 1 else f"{lost.them} (the first: {row})"
            yield (
                f"{n:,} {which} may belong here: the id named there differs only in blanks, capitals, dashes, zeros in front"
                " or signs that are not seen."
            )
        if lost.unusable != NONE and (n := values[lost.unusable]):
            yield f"{n:,} {lost.one if n == 1 else lost.them} of this record cannot be read."


def picking(places: Sequence[int]) -> Callable[[Values], tuple[Any, ...]]:
    """What picks the values at some places."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)


def _shortfall(a: Argument, values: Values) -> Shortfall:
    """What follows from the truths among the values, whatever the others are."""
    whether = applies(a, values)
    broken = tuple(c for c in a.conditions if values[c.truth] is False)
    unshown = tuple(c for c in a.conditions if values[c.truth] is None)
    failed = tuple(c.label for c in a.conditions if values[c.truth] is not True or a.clock is not None)
    clauses = () if whether is None or a.clock is not None else tuple(c.clause for c in (*broken, *unshown))
    return Shortfall(whether, broken, unshown, failed, clauses)


def _quoted(a: Argument, clauses: Sequence[int], values: Values) -> Quoted:
    """What is quoted of clauses at some places, `NONE`: the rule's own; of none it is the rule's own."""
    found: dict[str, str] = {}
    hedges = dict(a.hedges)
    for place in dict.fromkeys(max(place, 0) for place in clauses) or {0: None}:
        clause = a.clauses[place]
        which = 0 if clause.which == NONE else values[clause.which]
        found.setdefault(clause.refs[which], clause.cites[which] if clause.cites else "")
    told = [f"{ref}, {hedges[id_]}" if id_ in hedges else ref for ref, id_ in found.items()]
    return Quoted(tuple((id_, ref) for ref, id_ in found.items() if id_), a.whose + " and ".join(told))


def _clauses_of_clock(clock: Clock, values: Values) -> Iterator[int]:
    """The places of the clauses of the limits that were not kept."""
    if clock.regime == NONE:
        return
    late_now = not clock.recurring or _after(values[clock.end], values[clock.due])
    if late_now and values[clock.regime] is not None:
        yield clock.by_regime[values[clock.regime]]
    if clock.recurring:
        yield from (clock.by_regime[gap["d"]] for gap in values[clock.gaps] or () if gap["d"] is not None)


def _as_it_is(term: Term) -> int:
    """The slot of what is evidence as it stands there, days apart; `NONE`: it has to be worked out."""
    if term.hidden:
        return NONE
    match term.kind:
        case "field" | "aggregate" | "gap":
            return term.value
        case "any" | "all":
            return term.other
        case "count" if term.other == NONE:
            return term.value
    return NONE


def missing(a: Argument, values: Values) -> tuple[str, ...]:
    """Fields that would be needed to tell what nobody can tell."""
    whether = applies(a, values) is None
    lacking: dict[str, bool] = {}
    for condition in (a.when,) if whether else a.conditions:
        untold = whether or values[condition.truth] is None
        for n in condition.terms:
            for m in a.terms[n].missing:
                lacking[m.name] = lacking.get(m.name, False) or (untold and _lacks(m, values))
    return tuple(name for name, lacks in lacking.items() if lacks)


def conditions(a: Argument, values: Values) -> tuple[tuple[str, bool | None, str], ...]:
    """Label, truth (None: not evidenced) and the values it rests on, of whether the rule applies and of each condition."""
    asked = (a.when, *a.conditions) if a.when.label else a.conditions
    return tuple((c.label, True if c.truth == NONE else values[c.truth], phrases(a, c, values)) for c in asked)


def phrases(a: Argument, condition: Condition, values: Values) -> str:
    """The values that a condition rests on."""
    terms = [a.terms[n] for n in condition.terms if a.terms[n].kind != "gaps"]
    # Where it is told what a list lacks, what it has is not told too.
    lists = {t.words for t in terms if t.kind == "list"}
    told = [_phrase(t, values) for t in terms if t.kind != "field" or t.words not in lists]
    return "; ".join(dict.fromkeys(told))


def applies(a: Argument, values: Values) -> bool | None:
    """Whether the rule applies to the record; None: nobody can tell."""
    return True if a.when.truth == NONE else values[a.when.truth]


def margin(a: Argument, values: Values, as_at: date) -> int | None:
    """Days left from what was done (of a recurring duty: from its end), or else from the as-at date, to the day due; None without one."""
    if a.clock is None:
        return None
    due, on = values[a.clock.due], values[a.clock.end if a.clock.recurring else a.clock.done] or as_at
    return (due - on).days if isinstance(due, date) and isinstance(on, date) else None


# --- the sentence ---


def _sentence(a: Argument, values: Values, shortfall: Shortfall, as_at: date, standing: Standing, ref: str) -> str:
    if shortfall.applies is None:
        sentence = _of_whether(a, values, ref)
    elif a.clock is None:
        sentence = _of_conditions(a, values, shortfall, ref) + SETTLED[standing]
    elif a.clock.recurring:
        sentence = _of_recurring(a.clock, values, values[a.conditions[0].truth], ref)
    else:
        sentence = _of_deadline(a.clock, values, values[a.conditions[0].truth], ref, as_at)
    if a.part:
        sentence = f"{_first_upper(a.part)}: {_first_lower(sentence)}"
    if a.lawful != NONE and shortfall.applies:
        own = (
            "Breaks your own policy as well" if values[a.lawful] is False else f"{a.within}, but breaks your own policy"
        )
        sentence = f"{own}: {sentence}"
    return sentence


SETTLED = {
    "open": "",
    "late": " It has been done since.",
    "past": " It lies in the past and can no longer be put right.",
}
"""What is said of conditions that do not hold, by standing."""


def _of_conditions(a: Argument, values: Values, shortfall: Shortfall, ref: str) -> str:
    broken, unshown = shortfall.broken, shortfall.unshown
    # What rests on the same values is told together.
    expected: dict[str, list[str]] = {}
    for c in broken or unshown:
        expected.setdefault(phrases(a, c, values), []).append(c.label)
    told = []
    for rests_on, names in expected.items():
        shown = "On record" if broken else "Not shown"
        told.append(f"Expected: {'; '.join(names)}. {f'{shown}: {rests_on}' if rests_on else 'It is not so'}.")
    if broken and unshown:
        # Of what hangs on what is missing anyway the label is enough.
        told.append(f"Not shown either: {'; '.join(c.label for c in unshown)}.")
    return f"{' '.join(told)} {_first_upper(ref)}."


def _of_whether(a: Argument, values: Values, ref: str) -> str:
    """Of a record of which nobody can tell whether it is asked: first what is missing, then what is known."""
    lacking, known = [], []
    for n in a.when.terms:
        term = a.terms[n]
        if any(_lacks(m, values) for m in term.missing):
            lacking.append(_phrase(term, values))
        elif term.kind in ("any", "all"):
            known.append(f"{term.words}: {values[term.other]}" if values[term.other] else f"no {term.words}")
        else:
            known.append(_phrase(term, values))
    said = "; ".join(dict.fromkeys(lacking or known))
    told = f"Whether this duty applies cannot be told: {said}."
    if lacking and known:
        told += f" Known: {'; '.join(dict.fromkeys(known))}."
    return f"{told} {_first_upper(ref)}."


def _of_deadline(clock: Clock, values: Values, truth: bool | None, ref: str, as_at: date) -> str:
    due = values[clock.due]
    if truth is None and due is None:
        return _cannot_be_judged(clock, values, ref)
    if clock.given:
        start = "" if clock.given == "constant" else f"{clock.start_words}; "
        head = f"{clock.what} due by {day_text(due)} ({start}{ref}); "
    else:
        head = (
            f"{clock.what} due {day_text(due)} ({_since(clock, values, clock.start_words, values[clock.start])}{ref}); "
        )
    if truth is None:
        return f"{head}whether it was done in time cannot be told: a date, or the record itself, is missing or cannot be read."
    done = values[clock.done]
    until = as_at if done is None else done
    late = _length(clock, values, due, until)
    if done is None:
        return f"{head}none recorded; {late} late on {english(as_at)}."
    return f"{head}done {day_text(done)}; {late} late."


def _of_recurring(clock: Clock, values: Values, truth: bool | None, ref: str) -> str:
    due, last, end = values[clock.due], values[clock.done], values[clock.end]
    if truth is None and values[clock.start] is None:
        return _cannot_be_judged(clock, values, ref)
    told = []
    if _after(end, due):
        counted = (clock.start_words, values[clock.start]) if last is None else ("last", last)
        since = _since(clock, values, *counted)
        told.append(
            f"{clock.what} due {day_text(due)} ({since}{ref}); none since;"
            f" {_length(clock, values, due, end)} late on {day_text(end)}."
        )
    n = values[clock.n_late]
    if n:
        gaps = "; ".join(
            f"{day_text(g['a'])} to {day_text(g['c'])}, where it was due {day_text(g['b'])}" for g in values[clock.gaps]
        )
        what = "" if told else f"{clock.what}: "
        told.append(f"{what}{n} earlier gap{' was' if n == 1 else 's were'} too long: {gaps} ({ref}).")
    if truth is None and due is None:
        told.append(f"{clock.what}: which limit holds cannot be told. {_first_upper(ref)}.")
    elif truth is None:
        why = "A record without a readable date may fill a gap."
        told.append(why if told else f"{why} {_first_upper(ref)}.")
    return " ".join(told)


def _cannot_be_judged(clock: Clock, values: Values, ref: str) -> str:
    why = f"the {clock.start_words} is not recorded or cannot be read"
    if values[clock.start] is not None:
        start = f"the {clock.start_words}, {day_text(values[clock.start])}"
        why = f"by one limit that may hold it was in time, by another late (counted from {start})"
    return f"{clock.what}: whether it came in time cannot be told; {why}. {_first_upper(ref)}."


def _since(clock: Clock, values: Values, what: str, day: date | str | None) -> str:
    """How long after which day; of a day due itself no more than what it is called, and nothing of one that is written out."""
    which = NONE if clock.limit == NONE else values[clock.limit]
    on = day_text(day)
    if what == on:
        return ""
    if which is None:
        return f"counted from the {what}, {on}, by whichever limit holds; "
    limit = "" if which == NONE else clock.limits[which]
    if not limit or limit.startswith("0 "):
        return f"the {what}; " if on == day_text(values[clock.due]) else f"the {what}, {on}; "
    # A limit may go on: "6 weeks, suspended until 25 September 2020".
    length, comma, more = limit.partition(", ")
    return f"{length} after the {what}, {on}{comma}{more}; "


def _late(clock: Clock, values: Values, truth: int) -> str:
    """How many days late, in the unit of the limit where that is working days."""
    if values[truth] is not False or (clock.recurring and not _after(values[clock.end], values[clock.due])):
        return ""
    return _days(clock, values)


def _days(clock: Clock, values: Values) -> str:
    n = values[clock.late]
    unit = "working day" if clock.working else "day"
    return f"{'' if n is None else n} {unit}{'' if n == 1 else 's'}"


def _length(clock: Clock, values: Values, due: date | str, until: date | str) -> str:
    """How late, as a person would say it: days for two months, then months, then years."""
    if isinstance(due, date) and isinstance(until, date) and (until - due).days >= LONG:
        return long_time(due, until)
    return _days(clock, values)


LONG = 61
"""From so many days on a time is told in months."""
NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def long_time(since: date, until: date) -> str:
    """To the nearest month, from two years on to the nearest half year: `ten months`, `five and a half years`."""
    return _long_time((until - since).days)


@lru_cache(maxsize=DAYS)
def _long_time(days: int) -> str:
    months = round(days / 30.4369)
    if months < 24:
        return f"{_number(months)} months"
    halves = round(months / 6)
    years, half = divmod(halves, 2)
    return f"{_number(years)} and a half years" if half else f"{_number(years)} years"


def _number(n: int) -> str:
    return NUMBERS[n] if n < len(NUMBERS) else str(n)


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _first_lower(text: str) -> str:
    """As the middle of a sentence has it; DBS stays DBS, and I'm stays I'm."""
    first = text.split(" ", 1)[0].split("'", 1)[0]
    return text if not first[1:].islower() or first in PROPER else text[:1].lower() + text[1:]


PROPER = frozenset({"Ofsted"})
"""What keeps its capital in the middle of a sentence, of what our words begin with."""


# --- the linked record that is named ---


def nearest(a: Argument, values: Values, near: Values) -> Named | None:
    """The record that is named: of the first condition that does not hold and has one."""
    if applies(a, values) is None:
        return None
    for condition in a.conditions:
        named = condition.near
        if named is None or values[condition.truth] is True:
            continue
        row = near[named.values]
        if row is None or row[0] is None:
            continue
        if a.clock is not None and named.what == "candidate" and not _tells(a.clock, values, row):
            continue
        key, source, at, _ = row[:4]
        unknown = values[condition.truth] is None
        said = (*_named_words(named, row, unknown), _later(named, row, near))
        return Named(named.record, str(key), source, at, said)
    return None


def _tells(clock: Clock, values: Values, row: Values) -> bool:
    """Whether a record that does not count as done is worth naming: nothing does, or nothing since."""
    last, day = values[clock.done], row[3]
    return last is None or (clock.recurring and _after(day, last))


def _named_words(named: Near, row: Values, unknown: bool) -> tuple[str, str]:
    """What is said of it before and after where it stands; `unknown`: nobody can tell whether what is asked is so."""
    day = row[3]
    of = f" of {day_text(day)}" if day is not None else ", without a readable date" if named.day_words else ""
    it = f"{named.record.replace('_', ' ')} {row[0]}{of}"
    short = [c for c in named.asked if row[c.truth] is not True]
    if named.what == "offending":
        shown = _told_once([t for c in named.asked for t in c.terms], row, named.day_words)
        return f"See {it}", f": {shown}" if shown else ""
    if not short:
        return (f"Judged from {it}" if named.what == "nearest" else f"On record: {it}"), ""
    why = "; ".join(dict.fromkeys(filter(None, (_short_of(c, row, named.day_words) for c in short))))
    # Of what nobody can tell it is not said that it falls short.
    short_of_it = not unknown or any(row[c.truth] is False for c in short)
    head = {
        "nearest": "The nearest is",
        "failing": "The latest that falls short is" if short_of_it else "The latest that does not tell is",
        "candidate": "On record, but it does not count:" if short_of_it else "On record, and it may count:",
    }
    return f"{head[named.what]} {it}", f": {why}" if why else ""


def _later(named: Near, row: Values, near: Values) -> str:
    """Of records that fall short by a date alone, the latest."""
    later = None if named.later == NONE else near[named.later]
    by_date = any(c.day != NONE and row[c.truth] is not True for c in named.asked)
    if later is None or not by_date or not _after(later, row[3]):
        return ""
    return f"The latest that is otherwise as expected is of {day_text(later)}."


def _short_of(c: Asked, row: Values, own_day: str) -> str:
    """What a record lacks of one thing that is asked of it; `own_day`: what its own date is called, which is told already."""
    day, other = (None, None) if c.day == NONE else (row[c.day], row[c.other])
    if isinstance(day, date) and isinstance(other, date):
        n = abs((day - other).days)
        much = long_time(*sorted((day, other))) if n >= LONG else f"{n} day{'' if n == 1 else 's'}"
        side = "before" if c.after else "after"
        against = (
            day_text(other) if c.other_words in ("", day_text(other)) else f"the {c.other_words} ({day_text(other)})"
        )
        what = f"on {against}" if n == 0 else f"{much} {side} {against}"
        return what if c.day_words == own_day else f"{c.day_words} on {day_text(day)}, {what}"
    return _told_once(c.terms, row, own_day)


def _told_once(terms: Sequence[Term], row: Values, own_day: str) -> str:
    """What a record holds, but for its own date, which is told already; that date where it is there and nothing else is."""
    others = [t for t in terms if t.words != own_day]
    told = others if others or row[3] is None else terms
    return "; ".join(dict.fromkeys(_phrase(t, row) for t in told))


# --- terms ---


def _lacks(m: Missing, values: Values) -> bool:
    value = values[m.slot]
    match m.when:
        case "empty":
            return value is None
        case "true":
            return value is True
    return value is None or value != values[m.other]


def _empty(term: Term, values: Values) -> bool:
    value = values[term.value]
    return value is True if term.hidden else value is None


def _phrase(term: Term, values: Values) -> str:
    value, words = values[term.value], term.words
    match term.kind:
        case "field":
            if term.sign != NONE and (sign := values[term.sign]) is not None:
                return f"{words}: not recorded, though {term.signs[sign]}"
            if term.doubt != NONE and values[term.doubt]:
                return f"{words}: cannot be read"
            if _empty(term, values):
                # "Reasons recorded: not recorded" would be no answer.
                blank = "left blank" if term.type == "boolean" and words.endswith(" recorded") else "not recorded"
                return f"{words}: {term.empty or blank}"
            return f"{words}: {_shown(term, value)}"
        case "list":
            if _empty(term, values):
                return f"{words}: not recorded"
            if term.hidden:
                return f"{words}: recorded"
            if values[term.doubt]:
                return f"{words}: complete"
            lacking = _lacking(term, values)
            return f"lacking from the {words}: {lacking}" if lacking else f"{words}: what is asked cannot be told"
        case "count":
            most = value if term.other == NONE else values[term.other]
            if most == 0:
                return f"no {words}"
            perhaps = "" if most == value else f", perhaps {most}"
            return f"{words}: {'' if value is None else value}{perhaps}"
        case "any" | "all":
            n = values[term.other]
            if not n:
                return f"no {words}"
            if value is None:
                return f"the only {term.one} does not tell" if n == 1 else f"the {n} {words} do not tell"
            if value:
                return f"{n} {term.one if n == 1 else words}"
            if n == 1:
                return f"the only {term.one} does not show this"
            return (
                f"none of the {n} {words} shows this" if term.kind == "any" else f"not all of the {n} {words} show this"
            )
        case "aggregate":
            if term.doubt != NONE and values[term.doubt]:
                return f"{words}: cannot be told"
            return f"{words}: none" if _empty(term, values) else f"{words}: {_shown(term, value)}"
    if _empty(term, values):
        return f"{words}: cannot be told"
    return f"{words}: recorded" if term.hidden else f"{words}: {value} day{'' if value == 1 else 's'}"


def _shown_as_evidence(term: Term, values: Values) -> object:
    """What is evidence where it is not a value `_as_it_is`."""
    if term.hidden:
        return None if _empty(term, values) else "recorded"
    match term.kind:
        case "list":
            return _lacking(term, values)
        case "count":
            return _counted(term, values)
    return [
        {"from": _iso(g["a"]), "due_on": _iso(g["b"]), "done_on": _iso(g["c"]), "days_late": (g["c"] - g["b"]).days}
        for g in values[term.value] or ()
    ]


def _counted(term: Term, values: Values) -> object:
    """A number, or from where to where where nobody can tell."""
    least = values[term.value]
    most = least if term.other == NONE else values[term.other]
    return least if most == least else f"{least} to {most}"


def _lacking(term: Term, values: Values) -> str | None:
    """What a list does not have of what is asked; None if nobody can tell what that is."""
    held, which = values[term.value], values[term.other]
    if which is None:
        return None
    return "" if held is None else ", ".join(o for o in term.options[which] if o not in held)


def _shown(term: Term, value: object) -> str:
    if term.hidden:
        return "recorded"
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(value)
    return day_text(value) if term.type == "date" else _text(value)


def _text(value: object) -> str:
    """Numbers without noughts at the end; great ones, which are no years, in thousands."""
    if isinstance(value, Decimal):
        return format(value.normalize(), ",f")
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


# --- days; what lies beyond the calendar of Python comes as text ---


@lru_cache(maxsize=DAYS)
def _iso(day: date | str | None) -> str:
    return "" if day is None else str(day)


@lru_cache(maxsize=DAYS)
def day_text(day: date | str | None) -> str:
    """14 March 2021; empty for no day."""
    if isinstance(day, date):
        return english(day)
    return "" if day is None else english_iso(day)


def _after(a: date | str | None, b: date | str | None) -> bool:
    if a is None or b is None:
        return False
    if isinstance(a, date) and isinstance(b, date):
        return a > b
    return not isinstance(a, date)
