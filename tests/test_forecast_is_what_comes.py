"""Random records and rules with a clock: what a forecast says falls due is what later audits find late, if nothing more is recorded.

The slow evaluator plays the later audits, one a day; it knows of no forecast.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_engine_agrees_with_oracle import (
    AS_AT,
    CLOSED,
    DUTY,
    PARAMETERS,
    PLAIN_KINDS,
    checked,
    limited,
    limits,
    rules,
    with_signs,
    worlds,
)

from compliance.compiler.prepare import prepare_forecast
from compliance.engine import database, foresee
from compliance.model import Dated, Deadline, Every, Limit, PutRight, Regime, Rule
from compliance.proving.cases import fill
from compliance.proving.oracle import NEARLY, UNREADABLE, Evaluator, World
from compliance.rules.checking import CheckedDeadline, CheckedRule

KINDS = with_signs(PLAIN_KINDS, left_out="ends_on")
"""No forecast knows of a sign by a date that lies ahead, which holds once that has come."""
DAYS = 45
LAST = AS_AT + timedelta(days=DAYS)
Rows = dict[str, list[dict[str, Any]]]
Asked = tuple[str, str, bool, str]
"""Rule, part, whether by the agency's own figure, and record."""


def known(rows: Rows) -> Rows:
    """The records as they read on the as-at date, for good: nothing more is recorded."""
    world = World(KINDS, rows, AS_AT, CLOSED, PARAMETERS)

    def cell(kind: str, row: dict[str, Any], name: str) -> Any:
        value, doubt = world.cell(kind, row, name)
        return (row[name] if str(row[name]).startswith(NEARLY) else UNREADABLE) if doubt else value

    return {kind: [{f: cell(kind, row, f) for f in row} for row in world.all(kind)] for kind in rows}


@dataclass(frozen=True)
class Read:
    """How an audit reads a rule for a record: whether it applies, the day due, and whether that is past and nothing done."""

    applies: bool | None
    due_on: date | None
    lapsed: bool
    ended: bool
    outcome: str


def read(rows: Rows, rule: CheckedRule, key: str, part: str, own: bool, day: date) -> Read:
    """As at `day`."""
    world = World(KINDS, rows, day, CLOSED, PARAMETERS)
    k = KINDS[rule.rule.record].key
    row = next(r for r in rows[rule.rule.record] if r[k] == key)
    e = Evaluator(world, rule, row, part, rule.own_limit[0] if own and rule.own_limit else None)
    outcome = e.outcome()
    applies = e.applies
    r = rule.rule
    in_force = rule.judged_on is not None or (r.from_on <= day and (r.to_on is None or day <= r.to_on))
    if not in_force or (own and Evaluator(world, rule, row, part).outcome() == "not_evidenced"):
        return Read(False, e.due_on, False, False, "not_applicable")
    past = e.due_on is not None and e.settled_on is not None and e.settled_on > e.due_on
    if isinstance(rule.check, CheckedDeadline):
        return Read(applies, e.due_on, past and e.exact(rule.check.done)[0] is None, False, outcome)
    until = (None, False) if rule.check.until is None else e.exact(rule.check.until)  # type: ignore[union-attr]
    ended = until[0] is not None and until[0] <= day
    return Read(applies, e.due_on, past and not until[1], ended, outcome)


def foreseen(rows: Rows, its: list[CheckedRule], days: int) -> tuple[dict[Asked, tuple[str, date | None, bool]], int]:
    """What the engine says of each rule and record, and how many items its list of what is due has."""
    with tempfile.TemporaryDirectory() as scratch:
        con = database.connect(Path(scratch), threads=1)
        tables = fill(con, KINDS, rows)
        prepared = prepare_forecast(tuple(its), KINDS, PARAMETERS, tables, AS_AT, days)
        kept = frozenset(tables.tables)
        told = foresee.foresee(con, prepared.plan, prepared.rules, AS_AT, [], kept, 1)
        assert not [r for r in told if r.status == "failed"]
        found = {}
        for n, key, standing, due, certain in con.execute(
            "SELECT n, key, standing, due, certain FROM ahead"
        ).fetchall():
            r = prepared.rules[n]
            found[r.id, r.part, bool(r.own_policy), key] = (standing, due, certain)
        con.close()
    return found, sum(r.due for r in told)


def agree(rows: Rows, sound: list[CheckedRule]) -> None:
    """The engine's forecast is what the slow evaluator finds, looking from one day after the other."""
    got, n_due = foreseen(rows, sound, DAYS)
    assert n_due == sum(standing == "due" for standing, _, _ in got.values())
    then = known(rows)
    for rule in sound:
        key = KINDS[rule.rule.record].key
        for row in then[rule.rule.record]:
            for part in rule.parts:
                for own in (False, True) if rule.own_limit else (False,):
                    asked = (rule.rule.id, part, own, row[key])
                    standing, due, certain = got.pop(asked, ("", None, True))
                    now = read(then, rule, row[key], part, own, AS_AT)
                    overdue = now.applies is True and now.lapsed and not now.ended
                    assert (standing == "overdue") == overdue, (asked, rule.rule)
                    if standing in ("due", "in order"):
                        assert due is not None and (due <= LAST) == (standing == "due")
                        on_the_day = read(then, rule, row[key], part, own, due)
                        assert not (on_the_day.applies and on_the_day.lapsed), (asked, rule.rule)
                        after = read(then, rule, row[key], part, own, due + timedelta(days=1))
                        assert (after.applies, after.lapsed, after.due_on) == (True, True, due), (asked, rule.rule)
                        assert after.outcome == ("breach" if certain else "not_evidenced"), (asked, rule.rule)
                    if standing in ("", "in order"):
                        # Nobody is told of it, so it may not come. (A day due that follows the as-at date is told as it stands.)
                        assert now.outcome != "not_evidenced" or standing
                        for n in range(DAYS + 1):
                            day = AS_AT + timedelta(days=n + 1)
                            later = read(then, rule, row[key], part, own, day)
                            late = later.applies and later.lapsed and later.due_on == day - timedelta(days=1)
                            assert not late or later.due_on != now.due_on, (asked, day, rule.rule)
                    if standing == "" and now.due_on is not None and now.due_on >= AS_AT:
                        after = read(then, rule, row[key], part, own, now.due_on + timedelta(days=1))
                        assert after.outcome != "not_evidenced", (asked, rule.rule)
                    if standing == "cannot be told" and now.outcome != "not_evidenced":
                        assert due is not None and due >= AS_AT
                        after = read(then, rule, row[key], part, own, due + timedelta(days=1))
                        assert after.outcome == "not_evidenced" or after.due_on != due, (asked, rule.rule)
    # Rules that are not in force on any day of the window, and records that do not exist, have no standing.
    assert not got


def near(r: Random, least: int, most: int) -> Any:
    """A day so far from the as-at date; now and then none, or one that cannot be read."""
    return r.choice([AS_AT + timedelta(days=r.randint(least, most))] * 10 + [None, UNREADABLE])


def lives(r: Random) -> Rows:
    """Staff and their visits about whom most is known, and much of it is near."""
    team = {"team_id": "team0", "opened_on": near(r, -900, -1), "large": r.choice([True, False]), "places": 3}
    rows: Rows = {"team": [{**dict.fromkeys(KINDS["team"].fields), **team}], "staff": [], "visit": [], "note": []}
    for i in range(5):
        its = {
            "staff_id": f"staff{i}",
            "team_id": r.choice(["team0", "team0", None]),
            "boss_id": r.choice(["staff0", "staff1", None]),
            "role": r.choice(["ssw", "tm", None]),
            "joined_on": near(r, -120, 10),
            "ends_on": r.choice([None, None, near(r, -20, 60), near(r, -20, 60)]),
            "active": r.choice([True, True, True, False, None]),
            "languages": r.choice([["Welsh"], [], None]),
        }
        rows["staff"].append({**dict.fromkeys(KINDS["staff"].fields), **its})
    for i in range(8):
        visit = {
            "visit_id": f"visit{i}",
            "staff_id": f"staff{r.randrange(5)}",
            "held_on": near(r, -80, 5),
            "good": r.choice([True, True, True, True, False, False, None]),
        }
        rows["visit"].append({**dict.fromkeys(KINDS["visit"].fields), **visit})
    return rows


WHENS = [
    "",
    "active",
    "ends_on is None or ends_on > as_at",
    "as_at <= joined_on + months(2)",
    "joined_on + days(40) <= as_at",
    "any(v.held_on + days(40) > as_at for v in visits)",
    "team.opened_on <= as_at or active",
    "boss.ends_on is None or boss.ends_on > as_at",
    "any(m.ends_on > as_at for m in team.members) or active",
    "settled or active",
]
STARTS = ["joined_on", "joined_on", "max(v.held_on for v in visits if v.good)", "first_of(ends_on, joined_on)"]
UNITS = [("days", 100), ("weeks", 12), ("months", 3), ("working_days", 60)]


def plain(r: Random, name: str) -> Rule:
    """A rule such as law makes; whom it binds may change with the day."""

    def limit() -> Limit:
        unit, most = r.choice(UNITS)
        return Limit(r.randint(1, most), unit)  # type: ignore[arg-type]

    def dated(suspended: bool) -> Any:
        soon = [AS_AT + timedelta(days=n) for n in (r.randint(-30, 30), r.randint(31, 60))]
        versions = [(date.min, limit()), (soon[0], None if suspended else limit()), (soon[1], limit())]
        return Dated(tuple(versions if suspended or r.random() < 0.5 else versions[:1]))

    judged = r.choice(["", "", "", "joined_on"])
    within: tuple[Regime, ...] = (Regime(dated(not judged and r.random() < 0.2)),)
    if r.random() < 0.4:
        condition = r.choice(["active", "ends_on > as_at + days(10)", "role == 'ssw'", "joined_on + days(60) < as_at"])
        within = (Regime(dated(False), condition), *within)
    check: Any = Deadline(done="min(v.held_on for v in visits if not v.good)", start=r.choice(STARTS), within=within)
    if r.random() < 0.5:
        done = "(v.held_on for v in visits if v.good)"
        check = Every("joined_on", done, within, r.choice(["", "ends_on", "ends_on"]))
    begins = r.choice([date.min, date.min, AS_AT + timedelta(days=20)])
    ends = r.choice([None, None, AS_AT + timedelta(days=25)])
    put_right = PutRight(Limit(28, "days"), "registered manager", "w")
    return Rule(
        name, "test", "A rule", (DUTY,), "staff", r.choice(WHENS), judged, check, "requirement", put_right, "Do it.", (), "",
        begins, ends, "rule.yaml",
    )  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(st.integers(0, 2**32))
def test_what_falls_due_is_what_a_later_audit_finds_late(seed: int) -> None:
    """And nothing else is: neither on a day before, nor of another record, nor under a rule that is not in force then."""
    r = Random(seed)
    own = [r.choice([None, None, Limit(r.randint(1, 30), "days")]) for _ in range(5)]
    agree(lives(r), [limited(checked(plain(r, f"rule-{i}")), limit) for i, limit in enumerate(own)])


@settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink]
)
@given(
    worlds(),
    st.lists(st.tuples(rules().filter(lambda r: not isinstance(r.check, tuple)), limits), min_size=1, max_size=4),
)
def test_so_it_is_for_wild_rules_and_records(rows: Rows, its: list[tuple[Rule, Limit]]) -> None:
    agree(rows, [limited(checked(replace(r, id=f"rule-{i}")), own) for i, (r, own) in enumerate(its)])
