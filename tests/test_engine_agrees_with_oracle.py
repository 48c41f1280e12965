"""Random records, links, empty and unreadable cells and random expressions: the engine and a slow, obvious evaluator agree on all."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from compliance.compiler.prepare import prepare, prepare_trend
from compliance.engine.calendar import closed_days
from compliance.engine.counting import count
from compliance.engine.database import connect
from compliance.engine.explaining import explain
from compliance.engine.outcomes import run
from compliance.errors import Location
from compliance.model import (
    RECORDED_ON,
    Condition,
    Danger,
    Dated,
    Deadline,
    Duty,
    Every,
    FactText,
    Field,
    Limit,
    Link,
    Pack,
    Parameter,
    Period,
    PutRight,
    RecordKind,
    RecordKinds,
    Regime,
    Rule,
    Sign,
    Wordings,
)
from compliance.proving.cases import fill
from compliance.proving.oracle import Evaluator, Verdict, World
from compliance.records import signs
from compliance.rules.checking import CheckedRule, check_rule, names_of

AS_AT = date(2021, 9, 20)


def F(name: str, type_: Any, **more: Any) -> Field:
    return Field(name, type_, "", **more)


def kind(name: str, key: str, day: str, counts: tuple[str, ...], fields: list[Field], *links: Link) -> RecordKind:
    all_fields = [F(key, "text", required=True), *fields, F(RECORDED_ON, "date")]
    return RecordKind(
        name, name, "", "test", key, day, counts, {f.name: f for f in all_fields}, {x.name: x for x in links}
    )


PLAIN_KINDS = RecordKinds(
    {
        "team": kind("team", "team_id", "", ("opened_on",), [F("opened_on", "date"), F("large", "boolean"), F("places", "integer")]),
        "staff": kind(
            "staff",
            "staff_id",
            "",
            ("joined_on",),
            [
                F("team_id", "text"),
                F("boss_id", "text"),
                F("role", "text", codes=("ssw", "tm", "admin")),
                F("joined_on", "date"),
                F("ends_on", "date", may_lie_ahead=True),
                F("active", "boolean"),
                F("grade", "integer"),
                F("languages", "list"),
                F("passed", "boolean", known_from="ends_on"),
                F("met_on", "date", in_doubt_before="met_on"),
                F("trusted", "boolean", in_doubt_before="met_on"),
            ],
            Link("team", "staff", "team", "team_id", "members"),
            Link("boss", "staff", "staff", "boss_id", "reports"),
        ),
        "visit": kind(
            "visit",
            "visit_id",
            "held_on",
            ("planned_on", "held_on"),
            [
                F("staff_id", "text"),
                F("planned_on", "date"),
                F("held_on", "date"),
                F("closed_on", "date"),
                F("good", "boolean"),
                F("sort", "text", codes=("x", "y")),
                F("minutes", "integer"),
                F("miles", "number"),
            ],
            Link("staff", "visit", "staff", "staff_id", "visits"),
        ),
        "note": kind(
            "note",
            "note_id",
            "written_on",
            ("written_on",),
            [F("visit_id", "text"), F("written_on", "date"), F("signed", "boolean"), F("pages", "integer")],
            Link("visit", "note", "visit", "visit_id", "notes"),
        ),
    }
)  # fmt: skip

SIGNS = {
    "staff": {
        "ends_on": {
            "passed or not": "passed is not None",
            "somebody below has gone": "any(r.ends_on <= as_at for r in reports)",
            "a note came after":
                "role != 'tm' and any(any(n.signed and n.written_on >= v.held_on for n in v.notes) for v in visits if v.sort in ['x'])",
            "of a large team": "team.large and team.opened_on < joined_on",
        },
        "joined_on": {"has been visited": "any(v.held_on <= as_at and not v.good for v in visits)"},
        "role": {"has been met": "met_on is not None", "above is trusted": "boss.trusted"},
        "active": {"above is active, and both are here": "boss.active and joined_on <= as_at and boss.joined_on <= as_at"},
        "team_id": {"the others' team has opened": "any(m.role == 'ssw' for m in boss.team.members)"},
    },
    "visit": {
        "closed_on": {"it is noted": "any(n.written_on <= as_at for n in notes)", "the member has gone": "staff.ends_on >= planned_on"},
        "good": {"another is closed later": "any(w.closed_on > held_on for w in staff.visits)"},
    },
    "note": {"signed": {"the visit was good": "visit.good"}},
}  # fmt: skip
"""What shows that fields are not empty but lacking: of the record itself, below it and above it, in one step and in two."""


def with_signs(kinds: RecordKinds, left_out: str = "") -> RecordKinds:
    """The record kinds with these signs, but for those that name the field `left_out`."""
    made = dict(kinds.kinds)
    for name, of in SIGNS.items():
        fields = dict(kinds[name].fields)
        for f, written in of.items():
            asked = {label: text for label, text in written.items() if not left_out or left_out not in text}
            its = tuple(signs.signs(kinds, kinds[name], f, asked))
            fields[f] = replace(fields[f], shown_by=tuple(s for s in its if isinstance(s, Sign)))
            assert fields[f].shown_by == its
        made[name] = replace(kinds[name], fields=fields)
    return RecordKinds(made)


KINDS = with_signs(PLAIN_KINDS)

PARAMETERS = {
    "few": Parameter("few", "", Dated(((date.min, 2), (date(2020, 6, 1), 3))), "", "local policy", ""),
    "a_while": Parameter(
        "a_while", "", Dated(((date.min, Limit(2, "months")), (date(2021, 1, 1), Limit(10, "working_days")))),
        "length", "local policy", "",
    ),
}  # fmt: skip


def always(value: Any) -> Dated[Any]:
    return Dated(((date.min, value),))


LISTS: dict[str, Dated[Any]] = {
    "field_roles": always(("ssw", "tm")),
    "tongues": Dated(((date.min, ("Welsh",)), (date(2021, 1, 1), ("Welsh", "Polish")))),
}
TABLES: dict[str, dict[str, Dated[Any]]] = {
    "most_of": {"ssw": Dated(((date.min, 4), (date(2020, 9, 1), 3))), "tm": always(2)},
    "sorts_of": {"ssw": always(("x",)), "tm": Dated(((date.min, ("x", "y")), (date(2021, 6, 1), ("y",))))},
}
PERIODS = {"spring": Period(date(2021, 3, 1), date(2021, 5, 31)), "since_then": Period(date(2021, 2, 28), None)}
FACTS = {
    "staff": {
        "over_on": FactText("over_on", "staff", "End", "first_of(ends_on, joined_on + months(3))"),
        "seen_on": FactText("seen_on", "staff", "Last visit", "max(v.held_on for v in visits if v.good)"),
        "settled": FactText("settled", "staff", "Settled", "over_on > as_at or seen_on is not None"),
    },
    "visit": {"late_on": FactText("late_on", "visit", "Late", "last_of(closed_on, staff.over_on)")},
}
PACK = Pack("test", "Test", (), PARAMETERS, LISTS, TABLES, PERIODS)
NAMES = names_of(PACK, KINDS, PARAMETERS, FACTS)
DUTY = Duty("T-1", "t", "reg 1", "t", "statute", "must", "machine", date(2011, 4, 1), None, "high")

# --- records ---

days = st.one_of(
    st.none(),
    st.just("?"),
    st.integers(-700, 120).map(lambda n: AS_AT + timedelta(days=n)),
    st.sampled_from(
        [date(2020, 1, 31), date(2020, 2, 29), date(2021, 2, 28), date(2021, 4, 2), date(2020, 12, 28), AS_AT]
    ),
)


def cells(f: Field) -> st.SearchStrategy[Any]:
    values: st.SearchStrategy[Any]
    match f.type:
        case "date":
            return days
        case "boolean":
            values = st.booleans()
        case "integer":
            values = st.integers(0, 5)
        case "number":
            values = st.integers(0, 40).map(lambda n: Decimal(n) / 4)
        case "list":
            values = st.lists(st.sampled_from(["Welsh", "Polish"]), max_size=2)
        case _:
            values = st.sampled_from(f.codes or ("a", "b"))
    return st.one_of(values, values, values, st.none(), st.just("?"))


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, most in (("team", 2), ("staff", 4), ("visit", 7), ("note", 5)):
        k = KINDS[name]
        rows[name] = []
        links = {x.field: x for x in k.links.values()}
        for i in range(draw(st.integers(0, most))):
            row: dict[str, Any] = {k.key: f"{name}{i}"}
            for f in k.fields.values():
                if f.name in links:
                    to = links[f.name].to
                    known = [f"{to}{n}" for n in range({"team": 2, "staff": 4, "visit": 7}[to])]
                    odd = st.one_of(st.sampled_from([None, "?"]), st.sampled_from(known).map(lambda key: f"~{key}"))
                    row[f.name] = draw(st.one_of(st.sampled_from(known), st.sampled_from(known), odd))
                elif f.name != k.key:
                    row[f.name] = draw(cells(f))
            rows[name].append(row)
    # A link to nobody is in doubt, as loading has it.
    for name in rows:
        for link in KINDS[name].links.values():
            there = {r[KINDS[link.to].key] for r in rows[link.to]}
            for row in rows[name]:
                if row[link.field] is not None and row[link.field].removeprefix("~") not in there:
                    row[link.field] = "?"
    return rows


# --- expressions ---

LITERAL_DAYS = ["'2020-02-29'", "'2021-03-31'", "'2021-09-20'", "'2020-12-24'"]


@st.composite
def expression(draw: st.DrawFn, want: str, scopes: tuple[tuple[str, str], ...], depth: int) -> str:
    """Text of type `want`, in sight of `scopes`: (variable, kind), the first being the record itself."""

    def some(what: str, inside: tuple[tuple[str, str], ...] = scopes) -> str:
        return draw(expression(what, inside, depth - 1))

    def field(type_: str) -> str:
        """A field of some record in sight, or above it."""
        found = []
        for var, k in scopes:
            before = f"{var}." if var else ""
            found += [f"{before}{f.name}" for f in KINDS[k].fields.values() if f.type == type_ and not f.codes]
            for link in KINDS[k].links.values():
                found += [
                    f"{before}{link.name}.{f.name}"
                    for f in KINDS[link.to].fields.values()
                    if f.type == type_ and not f.codes
                ]
            if var and KINDS[k].date:
                found += [
                    f"{var}.previous.{f.name}" for f in KINDS[k].fields.values() if f.type == type_ and not f.codes
                ]
        return draw(st.sampled_from(found)) if found else ""

    def loop() -> tuple[str, str, tuple[tuple[str, str], ...], str]:
        """Variable, its kind, what is in sight inside, and `for v in source`."""
        sources = []
        # A `for` inside another starts from its variable; anything else is refused.
        for var, k in scopes[-1:]:
            before = f"{var}." if var else ""
            sources += [(before + back, link.kind) for back, link in KINDS.down[k].items()]
            for up in KINDS[k].links.values():
                sources += [(f"{before}{up.name}.{back}", link.kind) for back, link in KINDS.down[up.to].items()]
        if not sources:
            return "", "", scopes, ""
        source, k = draw(st.sampled_from(sources))
        var = "uvwxyz"[len(scopes)]
        return var, k, (*scopes, (var, k)), f"for {var} in {source}"

    def filtered(inside: tuple[tuple[str, str], ...]) -> str:
        return f" if {some('boolean', inside)}" if draw(st.booleans()) else ""

    leaf = depth <= 0
    nested = len(scopes) < 3 and not leaf
    match want:
        case "boolean":
            ways = (
                ["field", "compare_date", "compare_int", "code", "is_none"]
                + (
                    ["not", "and", "or", "chain", "in", "list", "table", "if", "between", "gap", "period"]
                    if not leaf
                    else []
                )
                + (["any", "all", "count"] * 2 if nested else [])
            )
            match draw(st.sampled_from(ways)):
                case "field":
                    return field("boolean") or "True"
                case "compare_date":
                    op = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
                    return f"{some('date')} {op} {some('date')}"
                case "compare_int":
                    op = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
                    return f"{some('integer')} {op} {some('integer')}"
                case "code":
                    coded = [(v, x) for v, x in scopes if x in ("staff", "visit")]
                    if not coded:
                        return field("boolean") or "True"
                    var, x = draw(st.sampled_from(coded))
                    f, code = ("role", "ssw") if x == "staff" else ("sort", "x")
                    return f"{var + '.' if var else ''}{f} {draw(st.sampled_from(['==', '!=']))} '{code}'"
                case "is_none":
                    return f"{some('date')} is {draw(st.sampled_from(['', 'not ']))}None"
                case "between":
                    unit = draw(st.sampled_from(["days", "weeks", "months", "years", "working_days"]))
                    op = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
                    return f"{unit}({some('date')}, {some('date')}) {op} {draw(st.integers(0, 30))}"
                case "gap" if nested:
                    var, k, inside, for_ = loop()
                    d = [f"{var}.{f.name}" for f in KINDS[k].fields.values() if f.type == "date"] if var else []
                    if not d:
                        return "True"
                    cond = filtered(inside)
                    if len(d) < 2 or draw(st.booleans()):
                        return f"largest_gap({d[0]} {for_}{cond}) > 30"
                    if draw(st.booleans()):
                        unit, n = draw(st.sampled_from(["days", "weeks", "months", "years"])), draw(st.integers(1, 40))
                        most = draw(st.integers(0, 60))
                        return f"most_days((({d[0]}, {d[1]}) {for_}{cond}), within={unit}({n})) > {most}"
                    since = draw(st.sampled_from(["", ", since='2020-01-01'"]))
                    until = draw(st.sampled_from(["", ", until=as_at"]))
                    return f"largest_gap((({d[0]}, {d[1]}) {for_}{cond}){since}{until}) > 30"
                case "not":
                    return f"(not {some('boolean')})"
                case "and":
                    return f"({some('boolean')} and {some('boolean')})"
                case "or":
                    return f"({some('boolean')} or {some('boolean')})"
                case "chain":
                    return f"({some('date')} <= {some('date')} <= {some('date')})"
                case "in":
                    return f"{field('integer') or '1'} in [1, 2, 3]"
                case "list" if scopes[0][1] == "staff":
                    return draw(
                        st.sampled_from(
                            [
                                "'Welsh' in languages",
                                "role in field_roles",
                                "role not in ['tm']",
                                "len(languages) == 2",
                                "has_all(languages, tongues)",
                                "settled",
                            ]
                        )
                    )
                case "period":
                    return f"{some('date')} in {draw(st.sampled_from(['spring', 'since_then']))}"
                case "table" if scopes[0][1] == "staff":
                    return f"{some('integer')} <= most_of[role]"
                case "if":
                    return f"({some('boolean')} if {some('boolean')} else {some('boolean')})"
                case "any" | "all" as fn:
                    var, _, inside, for_ = loop()
                    return f"{fn}({some('boolean', inside)} {for_}{filtered(inside)})" if var else "True"
                case "count":
                    var, _, inside, for_ = loop()
                    op = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
                    return f"count({var} {for_}{filtered(inside)}) {op} {some('integer')}" if var else "True"
            return field("boolean") or "True"
        case "date":
            ways = ["field", "field", "as_at", "literal"] + (
                ["shift", "shift_some", "extreme", "filled", "fact", "if"] if not leaf else []
            )
            ways += ["min", "latest"] if nested else []
            match draw(st.sampled_from(ways)):
                case "as_at":
                    return draw(st.sampled_from(["as_at", "period_start"]))
                case "literal":
                    return (
                        f"max({draw(st.sampled_from(LITERAL_DAYS))}, as_at)"
                        if leaf
                        else f"min(as_at, {draw(st.sampled_from(LITERAL_DAYS))})"
                    )
                case "shift":
                    unit = draw(st.sampled_from(["days", "weeks", "months", "years", "working_days"]))
                    length = draw(st.sampled_from([f"{unit}({draw(st.integers(0, 14))})", "a_while"]))
                    return f"({some('date')} {draw(st.sampled_from('+-'))} {length})"
                case "shift_some":
                    return f"({some('date')} {draw(st.sampled_from('+-'))} days({some('integer')}))"
                case "filled":
                    return f"{draw(st.sampled_from(['first_of', 'last_of']))}({some('date')}, {some('date')})"
                case "fact":
                    var, x = draw(st.sampled_from(scopes))
                    before = f"{var}." if var else ""
                    facts = {"staff": "over_on", "visit": "late_on"}
                    ups = [f"{before}{up.name}.{facts[up.to]}" for up in KINDS[x].links.values() if up.to in facts]
                    return draw(st.sampled_from([*ups, *([before + facts[x]] if x in facts else []), "as_at"]))
                case "extreme":
                    return f"{draw(st.sampled_from(['min', 'max']))}({some('date')}, {some('date')})"
                case "if":
                    return f"({some('date')} if {some('boolean')} else {some('date')})"
                case "min":
                    var, _, inside, for_ = loop()
                    return (
                        f"{draw(st.sampled_from(['min', 'max']))}({some('date', inside)} {for_}{filtered(inside)})"
                        if var
                        else "as_at"
                    )
                case "latest":
                    var, k, inside, for_ = loop()
                    if not var or not KINDS[k].date:
                        return "as_at"
                    picked = draw(st.sampled_from([f.name for f in KINDS[k].fields.values() if f.type == "date"]))
                    return f"{draw(st.sampled_from(['latest', 'earliest']))}({var} {for_}{filtered(inside)}).{picked}"
            return field("date") or "as_at"
        case _:
            ways = (
                ["field", "literal"]
                + (["arithmetic", "parameter"] if not leaf else [])
                + (["count", "sum"] if nested else [])
            )
            match draw(st.sampled_from(ways)):
                case "arithmetic":
                    return f"({some('integer')} {draw(st.sampled_from('+-*'))} {some('integer')})"
                case "parameter":
                    return "few"
                case "count":
                    var, _, inside, for_ = loop()
                    return f"count({var} {for_}{filtered(inside)})" if var else "1"
                case "sum":
                    var, k, inside, for_ = loop()
                    numbers = [f.name for f in KINDS[k].fields.values() if f.type == "integer"] if var else []
                    return f"sum({var}.{draw(st.sampled_from(numbers))} {for_}{filtered(inside)})" if numbers else "1"
                case "field":
                    return field("integer") or "2"
            return str(draw(st.integers(0, 4)))


limits = st.one_of(
    st.builds(Limit, st.integers(0, 60), st.just("days")),
    st.builds(Limit, st.integers(0, 12), st.sampled_from(["weeks", "months", "working_days"])),
)
one_limit: st.SearchStrategy[Any] = st.one_of(
    limits.map(always),
    st.tuples(limits, limits).map(lambda v: Dated(((date.min, v[0]), (date(2021, 3, 1), v[1])))),
)
suspended: st.SearchStrategy[Any] = st.tuples(limits, limits).map(
    lambda v: Dated(((date.min, v[0]), (date(2021, 3, 1), None), (date(2021, 6, 1), v[1])))
)


@st.composite
def withins(draw: st.DrawFn, here: tuple[tuple[str, str], ...], judged: bool, gaps: bool) -> tuple[Regime, ...]:
    """A limit, or several with conditions, some of which ask about the gap."""
    some = one_limit if judged else st.one_of(one_limit, one_limit, suspended)
    found = []
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        condition = draw(expression("boolean", here, 1))
        if gaps and draw(st.booleans()):
            condition = draw(
                st.sampled_from(
                    [
                        "first",
                        "not first",
                        f"since >= {LITERAL_DAYS[1]}",
                        f"since + months(2) < as_at and {condition}",
                        "working_days(since, as_at) > 40",
                    ]
                )
            )
        found.append(Regime(draw(some), condition))
    return (*found, Regime(draw(some)))


def perhaps(draw: Any, here: Any) -> str:
    """A condition, or none."""
    return str(draw(expression("boolean", here, 1))) if draw(st.booleans()) else ""


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    record = draw(st.sampled_from(["staff", "staff", "visit"]))
    here = (("", record),)
    when = draw(expression("boolean", here, 1)) if draw(st.booleans()) else ""
    judged = draw(st.sampled_from(["", "", "joined_on" if record == "staff" else "planned_on"]))
    check: Any
    match draw(st.sampled_from(["require", "require", "deadline", "every"])):
        case "require":
            check = tuple(
                Condition(f"condition {i}", draw(expression("boolean", here, 3)))
                for i in range(draw(st.integers(1, 2)))
            )
        case "deadline":
            start, done = draw(expression("date", here, 2)), draw(expression("date", here, 2))
            check = (
                Deadline(done=done, by=start)
                if draw(st.booleans())
                else Deadline(done=done, start=start, within=draw(withins(here, bool(judged), gaps=False)))
            )
        case _:
            back, var_kind = ("visits", "visit") if record == "staff" else ("notes", "note")
            inside = (*here, ("v", var_kind))
            cond = f" if {draw(expression('boolean', inside, 1))}" if draw(st.booleans()) else ""
            until = draw(st.sampled_from(["", "ends_on" if record == "staff" else "closed_on"]))
            day = "held_on" if record == "staff" else "written_on"
            start = draw(expression("date", here, 1))
            within = draw(withins(here, bool(judged), gaps=True))
            check = Every(start, f"(v.{day} for v in {back}{cond})", within, until)
    each = draw(st.sampled_from([None, None, ("item", "tongues"), ("item", "field_roles"), ("item", "sorts_of['tm']")]))
    if each is not None:
        first = {"tongues": "Polish", "field_roles": "ssw", "sorts_of['tm']": "x"}[each[1]]
        about = [f"item == '{first}'", f"item != '{first}'"]
        if record == "staff":
            about += ["item in languages", *(["role == item"] if each[1] == "field_roles" else [])]
            about += ["any(v.sort == item for v in visits)"] if each[1] == "sorts_of['tm']" else []
        if isinstance(check, tuple):
            check = (*check, Condition("{item} is there", draw(st.sampled_from(about))))
        else:
            when = f"({when or 'True'}) and {draw(st.sampled_from(about))}"
            if isinstance(check, Every) and record == "staff" and each[1] == "sorts_of['tm']" and draw(st.booleans()):
                check = replace(
                    check, done=f"(v.held_on for v in visits if v.sort {draw(st.sampled_from(['==', '!=']))} item)"
                )
    put_right = PutRight(Limit(28, "days"), "registered manager", "w")
    unmet: Literal["breach", "not_evidenced"] = (
        "not_evidenced" if isinstance(check, tuple) and draw(st.booleans()) else "breach"
    )
    if isinstance(check, tuple) and unmet == "breach":
        check = tuple(
            replace(
                condition,
                done_since=perhaps(draw, here),
                past=draw(st.sampled_from(["", "", "True"])) or perhaps(draw, here),
            )
            for condition in check
        )
    reasons = Wordings(draw(st.sampled_from(["", "A reason."])), "", "", draw(st.sampled_from(["", "Another."])))
    return Rule(
        "rule", "test", "A rule", (DUTY,), record, when, judged, check, "requirement", put_right, "Do it.", (), "",
        date(2020, 6, 1), date(2021, 6, 30) if draw(st.booleans()) else None, "rule.yaml",
        unmet=unmet,
        each=each,
        past=perhaps(draw, here) if unmet == "breach" else "",
        danger=Danger(reasons, perhaps(draw, here)) if any(reasons) else None,
        period=draw(st.sampled_from(["week", "month", "quarter", "term", "year"])),
    )  # fmt: skip


def checked(rule: Rule) -> CheckedRule:
    sound, problems = check_rule(rule, NAMES, lambda f, loc, offset: Location(f, 0, offset))
    # What the generator cannot avoid.
    assume(not any("so a 'for' inside it" in p.what for p in problems))
    assert sound is not None, (rule, problems)
    return sound


def limited(rule: CheckedRule, own: Limit | None) -> CheckedRule:
    """With the agency's own limit beside the law's, where that can be."""
    return (own and rule.with_own_limit(own, "Own policy")) or rule


CLOSED = frozenset(closed_days())


def engine(
    rows: dict[str, list[dict[str, Any]]], its: list[CheckedRule], threads: int = 1
) -> dict[tuple[str, str, bool, str], str]:
    """Outcome of each rule, part and reading for each record, in two ways that must agree, the counts and the explanation; of findings the
    standing too, and whether there is danger.
    """
    with tempfile.TemporaryDirectory() as scratch:
        con = connect(Path(scratch), threads=1)
        tables = fill(con, KINDS, rows)
        prepared = prepare(tuple(its), KINDS, PARAMETERS, tables, AS_AT)
        audited, results = run(con, prepared, AS_AT, tables.sources, threads)
        found: dict[tuple[str, str, bool, str], str] = {}
        for n, result in enumerate(results):
            assert result.status in ("ran", "looked at nothing", "not in force"), (
                result.status,
                result.why,
                result.rule,
            )
            if result.status == "not in force":
                continue
            outcomes = {}
            key = KINDS[result.rule.record].key
            for row in rows[result.rule.record]:
                told = explain(audited, n, row[key])
                if told is not None:
                    outcomes[row[key]] = told.outcome
            for outcome in ("compliant", "breach", "not_evidenced", "pending", "not_applicable"):
                assert getattr(result, outcome) == sum(o == outcome for o in outcomes.values()), (
                    outcome,
                    result,
                    outcomes,
                )
            for row_key, outcome in outcomes.items():
                found[result.rule.id, result.rule.part, bool(result.rule.own_policy), row_key] = outcome
        findings = {(f.rule.id, f.rule.part, bool(f.rule.own_policy), f.key): f.outcome for f in audited.findings()}
        assert findings == {k: o for k, o in found.items() if o in ("breach", "not_evidenced")}
        for f in audited.findings():
            found[f.rule.id, f.rule.part, bool(f.rule.own_policy), f.key] += (
                f" {f.standing}{' danger' * bool(f.danger)}{' unless' * bool(f.unless)}"
            )
        con.close()
    return found


def told(verdict: Verdict) -> str:
    return f"{verdict.outcome} {verdict.standing}{' danger' * verdict.danger}".strip()


def expected(rows: dict[str, list[dict[str, Any]]], rule: CheckedRule) -> dict[tuple[str, str, bool, str], str]:
    if rule.judged_on is None and not (
        rule.rule.from_on <= AS_AT and (rule.rule.to_on is None or rule.rule.to_on >= AS_AT)
    ):
        return {}
    world = World(KINDS, rows, AS_AT, CLOSED, PARAMETERS)
    key = KINDS[rule.rule.record].key
    found = {}
    links = {s.link: None for s in rule.sources() if s.scope == 0}

    def said(row: dict[str, Any], part: str, own: Limit | None = None) -> str:
        verdict = told(Evaluator(world, rule, row, part, own).verdict())
        if_theirs = (Evaluator(world, rule, row, part, own, link).verdict().outcome for link in links)
        unless = verdict.startswith("breach") and "not_evidenced" in if_theirs
        return f"{verdict}{' unless' * unless}"

    for row in world.all(rule.rule.record):
        for part in rule.parts:
            by_law = said(row, part)
            found[rule.rule.id, part, False, row[key]] = by_law
            if rule.own_limit is not None:
                own = said(row, part, rule.own_limit[0])
                # Where nobody can tell what the law makes of it, the agency's own figure adds nothing.
                found[rule.rule.id, part, True, row[key]] = (
                    "not_applicable" if by_law.startswith("not_evidenced") else own
                )
    return found


@settings(
    max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink]
)
@given(worlds(), st.lists(st.tuples(rules(), st.one_of(st.none(), st.none(), limits)), min_size=1, max_size=5))
def test_engine_and_oracle_agree_on_every_outcome(
    rows: dict[str, list[dict[str, Any]]], its: list[tuple[Rule, Limit | None]]
) -> None:
    sound = [limited(checked(replace(r, id=f"rule-{i}")), own) for i, (r, own) in enumerate(its)]
    got = engine(rows, sound)
    want = {k: o for rule in sound for k, o in expected(rows, rule).items()}
    assert got == want, [r.rule for r in sound]


DAYS = [date(2020, 2, 29), date(2020, 12, 24), date(2021, 5, 31), AS_AT]


@settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink]
)
@given(worlds(), st.lists(st.tuples(rules(), st.one_of(st.none(), limits)), min_size=1, max_size=4))
def test_looking_from_many_days_at_once_finds_what_looking_from_each_finds(
    rows: dict[str, list[dict[str, Any]]], its: list[tuple[Rule, Limit | None]]
) -> None:
    sound = tuple(limited(checked(replace(r, id=f"rule-{i}")), own) for i, (r, own) in enumerate(its))
    with tempfile.TemporaryDirectory() as scratch:
        con = connect(Path(scratch), threads=1)
        tables = fill(con, KINDS, rows)
        counted = prepare_trend(sound, KINDS, PARAMETERS, tables, DAYS[0], DAYS[-1])
        by_day = count(con, counted.plan, DAYS)
        con.close()
    for day in DAYS:
        with tempfile.TemporaryDirectory() as scratch:
            con = connect(Path(scratch), threads=1)
            tables = fill(con, KINDS, rows)
            prepared = prepare(sound, KINDS, PARAMETERS, tables, day)
            _, results = run(con, prepared, day, tables.sources, 1)
            con.close()
        alone = {(r.rule.id, r.rule.part, r.rule.own_policy): r for r in results}
        for number, (_, counts) in by_day[day].items():
            info = counted.rules[number]
            one = alone.get((info.id, info.part, info.own_policy))
            if one is None or one.status == "not in force":
                assert counts[1:] == (0, 0, 0), info.id
            else:
                assert counts == (one.not_applicable, one.pending, one.breach, one.not_evidenced), info.id


def contradictory(r: Random) -> dict[str, list[dict[str, Any]]]:
    """Records of which the fields that have signs are often empty, and the others hardly ever."""
    rows: dict[str, list[dict[str, Any]]] = {}
    n_of = {"team": 2, "staff": 5, "visit": 9, "note": 8}

    def cell(name: str, f: Field) -> Any:
        if r.random() < (0.6 if f.shown_by else 0.15):
            return r.choice([None, None, None, "?"])
        match f.type:
            case "date":
                return date(2020, 1, 1) + timedelta(days=r.randint(0, 700))
            case "boolean":
                return r.random() < 0.6
            case "text":
                return r.choice(f.codes)
            case "list":
                return r.choice([["Welsh"], []])
        return r.randint(0, 5)

    for name, n in n_of.items():
        k = KINDS[name]
        links = {x.field: x.to for x in k.links.values()}
        rows[name] = []
        for i in range(n):
            row: dict[str, Any] = {k.key: f"{name}{i}"}
            for f in k.fields.values():
                if f.name in links and (r.random() < 0.9 and not f.shown_by):
                    row[f.name] = f"{links[f.name]}{r.randrange(n_of[links[f.name]])}"
                elif f.name in links:
                    row[f.name] = r.choice([None, f"{links[f.name]}0"])
                elif f.name == RECORDED_ON:
                    row[f.name] = cell(name, f) if r.random() < 0.2 else None
                elif f.name != k.key:
                    row[f.name] = cell(name, f)
            rows[name].append(row)
    return rows


SIGNED = [(k.name, f.name) for k in KINDS.kinds.values() for f in k.fields.values() if f.shown_by]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(st.integers(0, 2**32))
def test_a_field_is_marked_where_its_signs_are_true_and_on_no_other_day(seed: int) -> None:
    """Days are found once, in SQL; the slow evaluator asks the written condition on one day after the other."""
    rows = contradictory(Random(seed))
    days = [date(2019, 12, 31) + timedelta(days=40 * n) for n in range(20)]
    with tempfile.TemporaryDirectory() as scratch:
        con = connect(Path(scratch), threads=1)
        tables = fill(con, KINDS, rows)
        for k, f in SIGNED:
            marks: dict[str, date] = {}
            if f in tables.tables[k].shown:
                key = KINDS[k].key
                marks = dict(con.execute(f"SELECT {key}, shown__{f} FROM t_{k} WHERE sign__{f} IS NOT NULL").fetchall())
            for day in days:
                world = World(KINDS, rows, day)
                for row in rows[k]:
                    shown = row[f] is None and world.happened(k, row, f)
                    since = marks.get(row[KINDS[k].key])
                    assert (since is not None and since <= day) == shown, (k, f, day, row)
        con.close()


def asking_if_empty(k: str, f: str) -> list[Rule]:
    """Rules that ask whether a field is empty: of the record, of the one above it, and of those below."""
    texts = [(k, f"{f} is None")]
    texts += [
        (x.kind, f"{x.name}.{f} is None") for kind in KINDS.kinds.values() for x in kind.links.values() if x.to == k
    ]
    texts += [(x.to, f"count(c for c in {x.back} if c.{f} is None) >= 2") for x in KINDS[k].links.values()]
    put_right = PutRight(Limit(28, "days"), "registered manager", "w")
    return [
        Rule(
            f"{k}-{f}-{i}".replace("_", "-"), "test", "A rule", (DUTY,), record, "", "", (Condition("it is so", text),),
            "requirement", put_right, "Do it.", (), "", date.min, None, "rule.yaml",
        )
        for i, (record, text) in enumerate(texts)
    ]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(st.integers(0, 2**32))
def test_what_asks_whether_a_field_is_empty_is_not_told_where_a_sign_says_otherwise(seed: int) -> None:
    rows = contradictory(Random(seed))
    its = [checked(rule) for k, f in SIGNED for rule in asking_if_empty(k, f)]
    got = engine(rows, its)
    assert got == {k: o for rule in its for k, o in expected(rows, rule).items()}
    assert any(o.startswith("not_evidenced") for o in got.values())
