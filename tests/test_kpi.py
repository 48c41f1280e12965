"""What a KPI's value is, what it is worth by each scheme, and what is left out of what is published."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, product
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.dates import ends_between, period_end, period_start, periods_to
from compliance.kpis.kpi import (
    Band,
    Counts,
    Direction,
    Framework,
    Indicator,
    KpiReport,
    Measure,
    Point,
    Scheme,
    Status,
    Version,
    change,
    in_force,
    period_name,
    point,
    rounded,
    status,
)
from compliance.kpis.measuring import Days
from compliance.kpis.suppression import SUPPRESSED, suppress
from compliance.model import Dated, Frequency, Tables

DAY = date(2021, 9, 30)


def dated(value: str) -> Dated[Decimal]:
    return Dated(((date.min, Decimal(value)),))


def framework(scheme: Scheme, streak: int = 3) -> Framework:
    return Framework("f", "p", "A framework", date(2020, 4, 1), None, scheme, streak, "invented")


def measure(direction: Direction = "higher_is_better", unit: str = "percent", **more: object) -> Measure:
    made = Measure("m", "p", "A measure", "Area", "percent", direction, "month", (), "m.yaml")
    return replace(made, unit=unit, **more)  # type: ignore[arg-type]


def month(back: int) -> tuple[date, date]:
    start = periods_to(DAY, "month", back + 1)[0][0]
    return start, period_end(start, "month")


def points(*values: str | tuple[str, str] | None) -> list[Point]:
    """One a month up to September 2021; None: no value; a pair: a range."""
    found = []
    for back, v in zip(reversed(range(len(values))), values, strict=True):
        low, high = v if isinstance(v, tuple) else (v, v)
        start, end = month(back)
        if low is None or high is None:
            found.append(Point(start, end, why="no cases"))
        else:
            found.append(Point(start, end, Decimal(low), Decimal(high)))
    return found


# --- values ---

few = st.integers(0, 3)


@settings(max_examples=300, deadline=None)
@given(few, few, few, few, few, few, st.sampled_from(["higher_is_better", "lower_is_better"]))
def test_a_range_is_exactly_what_the_unknown_members_allow(
    met: int, missed: int, open_: int, maybe_met: int, maybe_missed: int, maybe_open: int, direction: Direction
) -> None:
    """Every way in which the unknown may come out, tried one by one."""
    p = point(measure(direction), Counts(met, missed, open_, maybe_met, maybe_missed, maybe_open), *month(0))
    in_, out = [(1, 1), (0, 1)], [(0, 0)]
    choices = (
        [in_] * open_ + [[(1, 1), *out]] * maybe_met + [[(0, 1), *out]] * maybe_missed + [[*in_, *out]] * maybe_open
    )
    values = set()
    for way in product(*choices):
        n, d = met + sum(a for a, _ in way), met + missed + sum(b for _, b in way)
        if d:
            share = Decimal(100) * (n if direction == "higher_is_better" else d - n) / d
            values.add(rounded(share))
    known = met + missed + open_
    if not known:
        assert p.ends == ()
        assert p.why == "no cases" if not p.unknown else p.unknown == maybe_met + maybe_missed + maybe_open
        return
    assert (p.low, p.high) == (min(values), max(values))
    assert p.denominator == known
    assert p.unknown == open_ + maybe_met + maybe_missed + maybe_open
    assert (p.value is not None) == (len(values) == 1)


def test_no_cases_are_neither_nought_nor_a_hundred_percent() -> None:
    p = point(measure(), Counts(), *month(0))
    assert (p.ends, p.value, p.denominator, p.why) == ((), None, 0, "no cases")


def test_a_count_is_how_many_there_are_and_nought_is_a_value() -> None:
    assert point(measure(unit="count"), Counts(), *month(0)).value == 0
    p = point(measure(unit="count"), Counts(met=4, maybe_met=2), *month(0))
    assert p.ends == (Decimal(4), Decimal(6))


def test_a_weekly_average_is_by_the_days_that_have_passed() -> None:
    whole = point(measure(unit="per_week"), Counts(met=30), date(2021, 9, 1), date(2021, 9, 30))
    part = point(measure(unit="per_week"), Counts(met=30), date(2021, 9, 1), date(2021, 9, 14))
    assert (whole.value, part.value) == (Decimal("7.0"), Decimal("15.0"))


def test_halves_are_rounded_up_as_values_are_shown() -> None:
    assert [rounded(Decimal(x)) for x in ("67.75", "67.749", "0.05")] == [
        Decimal("67.8"),
        Decimal("67.7"),
        Decimal("0.1"),
    ]


# --- the target with a streak ---


def standing(
    *values: str | tuple[str, str] | None, target: str = "80", direction: Direction = "higher_is_better"
) -> tuple[str, ...]:
    version = Version("f", "SC1", target=dated(target))
    return status(framework("target_with_streak"), version, direction, points(*values)).possible


def test_three_months_in_a_row_below_the_target_are_red_and_two_are_amber() -> None:
    assert standing("79.9", "79.9", "79.9") == ("red",)
    assert standing("80", "79.9", "79.9") == ("amber",)
    assert standing("79.9") == ("amber",)
    assert standing("79.9", "79.9", "80.0") == ("green",)
    assert standing("79.9", "79.9", "80.0", "79.9") == ("amber",)


def test_a_month_without_a_value_neither_counts_nor_resets() -> None:
    assert standing("79", None, "79", None, None, "79") == ("red",)
    assert standing("79", None, "79") == ("amber",)
    assert standing("79", "79", "79", None) == ()


def test_a_month_that_is_looked_at_often_counts_once() -> None:
    start, end = month(0)
    weeks = [Point(start, end - timedelta(days=7 * n), Decimal(79), Decimal(79)) for n in (3, 2, 1, 0)]
    version = Version("f", "SC1", target=dated("80"))
    found = status(framework("target_with_streak"), version, "higher_is_better", [*points("79", "80")[:1], *weeks])
    assert (found.certain, found.streak) == ("amber", 2)


def test_lower_is_better_is_turned_round() -> None:
    assert standing("1.0", target="1", direction="lower_is_better") == ("green",)
    assert standing("1.1", target="1", direction="lower_is_better") == ("amber",)
    assert standing("1.1", "1.1", "1.1", target="1", direction="lower_is_better") == ("red",)
    assert standing("0", "0", "0", target="1", direction="lower_is_better") == ("green",)


def test_a_value_is_held_to_the_target_of_its_own_month() -> None:
    target = Dated(((date.min, Decimal(70)), (date(2021, 9, 1), Decimal(80))))
    version = Version("f", "SC1", target=target)
    found = status(framework("target_with_streak"), version, "higher_is_better", points("75", "75", "75"))
    assert (found.certain, found.streak, found.gap) == ("amber", 1, Decimal(5))


def test_a_range_has_every_status_that_it_may_have() -> None:
    assert standing(("79", "81")) == ("green", "amber")
    assert standing("79", "79", ("79", "81")) == ("green", "red")
    assert standing("79", ("79", "81"), "79") == ("amber", "red")
    assert standing(("79", "79.5"), ("78", "79"), ("70", "79")) == ("red",)


@st.composite
def values(draw: st.DrawFn) -> str | tuple[str, str] | None:
    low = draw(st.integers(77, 82))
    return draw(st.sampled_from([None, str(low), (str(low), str(low + draw(st.integers(0, 3))))]))


def every_way(v: str | tuple[str, str] | None) -> list[Decimal | None]:
    if v is None:
        return [None]
    low, high = v if isinstance(v, tuple) else (v, v)
    return [Decimal(x) for x in range(int(low), int(high) + 1)]


@settings(max_examples=300, deadline=None)
@given(st.lists(values(), min_size=1, max_size=5))
def test_the_streak_agrees_with_trying_every_value_that_may_be(its: list[str | tuple[str, str] | None]) -> None:
    if its[-1] is None:
        assert standing(*its) == ()
        return
    seen = set()
    for way in product(*map(every_way, its)):
        there = [v for v in way if v is not None]
        worse = 0
        for v in reversed(there):
            if v >= 80:
                break
            worse += 1
        seen.add("green" if not worse else "amber" if worse < 3 else "red")
    assert set(standing(*its)) == seen


# --- the tolerance band and the usual value ---


def in_band(*values: str | tuple[str, str], direction: Direction = "higher_is_better") -> Status:
    version = Version("f", "SC4", band=Dated(((date.min, Band(Decimal("67.8"), Decimal("85.1"))),)))
    return status(framework("tolerance_band"), version, direction, points(*values))


def test_both_edges_of_a_band_are_within_it() -> None:
    assert [in_band(v).possible for v in ("67.7", "67.8", "85.1", "85.2")] == [
        ("outside",),
        ("within",),
        ("within",),
        ("better",),
    ]
    turned = [in_band(v, direction="lower_is_better").possible for v in ("67.7", "67.8", "85.1", "85.2")]
    assert turned == [("better",), ("within",), ("within",), ("outside",)]
    assert in_band("67.2").gap == Decimal("0.6")
    assert in_band(("60", "90")).possible == ("better", "within", "outside")


def test_the_usual_value_says_better_or_worse_only_where_a_direction_is_known() -> None:
    version = Version("f", "C1", usual=dated("61"))

    def found(v: str, direction: Direction) -> tuple[str, ...]:
        return status(framework("usual"), version, direction, points(v)).possible

    assert [found(v, "higher_is_better") for v in ("99", "61", "60")] == [
        ("better than usual",),
        ("as usual",),
        ("worse than usual",),
    ]
    assert [found(v, "lower_is_better") for v in ("99", "60")] == [("worse than usual",), ("better than usual",)]
    assert [found(v, "none") for v in ("99", "60")] == [("above usual",), ("below usual",)]


def test_without_a_figure_there_is_a_value_and_no_status() -> None:
    found = status(framework("tolerance_band"), Version("f", "SC3"), "higher_is_better", points("86.9"))
    assert (found.possible, found.why) == ((), "no figure")


def test_a_change_is_from_the_last_month_that_has_a_value() -> None:
    assert change(points("80", None, "82.5")) == Decimal("2.5")
    assert change(points("82.5")) is None
    assert change(points(("79", "80"), "82")) is None


# --- periods and frameworks ---


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.sampled_from(["week", "month", "quarter", "term", "year"]))
def test_periods_follow_on_each_other_without_a_day_between(day: date, period: Frequency) -> None:
    start, end = period_start(day, period), period_end(day, period)
    assert start <= day <= end
    assert period_start(end, period) == start
    assert period_start(end + timedelta(days=1), period) == end + timedelta(days=1)
    its = periods_to(day, period, 4)
    assert its[-1] == (start, day)
    assert all(a[1] + timedelta(days=1) == b[0] for a, b in pairwise(its))
    assert ends_between(its[0][0], day, period) == [e for _, e in its]


def test_a_week_is_told_once_it_is_over() -> None:
    monday, sunday = date(2021, 9, 20), date(2021, 9, 26)
    assert Days(monday).of("week")[-1] == (date(2021, 9, 13), date(2021, 9, 19))
    assert Days(sunday).of("week")[-1] == (monday, sunday)
    assert Days(monday).of("month")[-1] == (date(2021, 9, 1), monday)


def test_years_are_financial_and_quarters_are_theirs() -> None:
    assert period_start(date(2021, 3, 31), "year") == date(2020, 4, 1)
    assert period_name(date(2021, 4, 1), "quarter") == "2021/22 Q1"
    assert period_name(date(2021, 1, 1), "quarter") == "2020/21 Q4"
    assert period_name(date(2021, 4, 1), "year") == "2021/22"
    assert period_name(date(2021, 9, 1), "term") == "autumn 2021"


def test_the_framework_in_force_is_taken_or_the_one_that_ended_last() -> None:
    old = replace(framework("none"), name="old", to_on=date(2021, 3, 31))
    new = replace(framework("none"), name="new", from_on=date(2021, 6, 1))
    assert [f.name for f in in_force([old, new], date(2021, 5, 1))] == ["old"]
    assert [f.name for f in in_force([old, new], date(2021, 7, 1))] == ["new"]
    assert in_force([old, new], date(2020, 1, 1)) == []


# --- small numbers ---


def indicator(name: str, its: list[tuple[int, int]], start: date | None = None) -> Indicator:
    m = measure(id=name, record="household")
    made = []
    for back, (n, d) in zip(reversed(range(len(its))), its, strict=True):
        s, e = month(back)
        share = rounded(Decimal(100) * n / d) if d else None
        made.append(Point(start or s, e, share, share, n, d, why="" if d else "no cases"))
    version = Version("f", name.upper(), target=dated("80"))
    f = framework("target_with_streak")
    return Indicator(f, version, m, tuple(made), status(f, version, m.direction, made), change(made))


def published(*its: Indicator) -> tuple[Indicator, ...]:
    return suppress(KpiReport(DAY, DAY, "d", (framework("target_with_streak"),), its, Tables({})), 5).indicators


def hidden(i: Indicator) -> list[bool]:
    return [p.why == SUPPRESSED for p in i.points]


def test_a_small_count_goes_with_its_value_status_and_change() -> None:
    (found,) = published(indicator("a", [(90, 100), (97, 100)]))
    assert hidden(found) == [False, True]
    now = found.now
    assert (now.low, now.numerator, now.denominator, now.unknown) == (None, None, None, 0)
    assert (found.status.possible, found.change) == ((), None)
    assert found.status.gap == 0


def test_a_change_is_not_told_where_it_would_tell_the_month_before() -> None:
    (found,) = published(indicator("a", [(97, 100), (90, 100)]))
    assert hidden(found) == [True, False]
    assert (found.change, found.now.numerator) == (None, 90)


def test_a_streak_over_a_suppressed_month_is_not_told() -> None:
    (found,) = published(indicator("a", [(50, 100), (3, 100), (50, 100)]))
    assert (found.status.possible, found.status.streak) == (("amber", "red"), 1)


def test_the_end_of_a_streak_does_not_tell_that_a_suppressed_month_met_the_target() -> None:
    missed, met = (50, 100), (98, 100)
    (found,) = published(indicator("a", [missed, missed, met, missed]))
    assert hidden(found) == [False, False, True, False]
    assert found.status.possible == ("amber", "red")


def test_nought_is_told() -> None:
    (found,) = published(indicator("a", [(0, 100), (100, 100)]))
    assert hidden(found) == [False, False]


def test_of_a_running_year_no_two_months_differ_by_a_small_count() -> None:
    (found,) = published(indicator("a", [(20, 40), (23, 50), (60, 100)], start=date(2021, 4, 1)))
    assert hidden(found) == [True, False, False]


def test_of_two_measures_of_the_same_records_neither_tells_the_few_that_only_one_counts() -> None:
    a, b = published(indicator("a", [(50, 100)]), indicator("b", [(50, 103)]))
    assert (hidden(a), hidden(b)) == ([True], [False])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=4))
def test_no_small_count_is_left_anywhere(its: list[tuple[int, int]]) -> None:
    (found,) = published(indicator("a", [(min(n, d), max(n, d)) for n, d in its]))
    for p in found.points:
        if p.why != SUPPRESSED:
            assert p.numerator is not None and p.denominator is not None
            for n in (p.numerator, p.denominator, p.denominator - p.numerator):
                assert n == 0 or n >= 5


# --- the command ---

AGENCY = Path(__file__).parent.parent / "fixtures" / "agency"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    from click.testing import CliRunner

    from compliance.cli import main

    out = tmp_path_factory.mktemp("kpi") / "kpis.json"
    result = CliRunner().invoke(
        main, ["kpi", str(AGENCY), "--as-at", "2021-09-20", "--format", "json", "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    yield json.loads(out.read_text(encoding="utf-8")) | {"file": str(out)}


def one(document: dict[str, object], code: str) -> dict[str, object]:
    its = document["kpis"]
    assert isinstance(its, list)
    return next(i for i in its if i["code"] == code)


def test_the_json_fits_its_schema(told: dict[str, object]) -> None:
    from jsonschema import Draft7Validator

    schema = json.loads((AGENCY.parent.parent / "schemas" / "kpis.schema.json").read_text(encoding="utf-8"))
    document = {k: v for k, v in told.items() if k != "file"}
    assert [e.message for e in Draft7Validator(schema).iter_errors(document)] == []


def test_the_value_of_an_earlier_month_is_what_an_audit_then_would_have_said(
    told: dict[str, object], cli: Callable[..., Result]
) -> None:
    """Two ways to the same number: twelve months looked at at once, and one month looked at alone, record by record."""
    history = one(told, "FOS-2")["history"]
    assert isinstance(history, list)
    for p in (history[3], history[8]):
        result = cli(
            "kpi", AGENCY, "--as-at", p["to"], "--framework", "fostering_plan", "--cases", "FOS-2", "--format", "json"
        )
        (rule,) = json.loads(result.stdout)["rules"]
        assert (rule["outcomes"]["compliant"], rule["checked"]) == (p["numerator"], p["denominator"])


def test_cases_are_the_records_that_were_missed(told: dict[str, object], cli: Callable[..., Result]) -> None:
    now = one(told, "FOS-2")
    result = cli("kpi", AGENCY, "--as-at", "2021-09-20", "--cases", "FOS-2", "--format", "json")
    findings = json.loads(result.stdout)["findings"]
    assert isinstance(now["denominator"], int) and isinstance(now["numerator"], int)
    assert len(findings) == now["denominator"] - now["numerator"] > 0
    assert all("unannounced visit in the last twelve months" in f["argument"] for f in findings)


def test_history_stands_in_where_the_export_says_nothing(
    told: dict[str, object], cli: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "staff.csv").write_text("staff_id,role\nS1,social worker\n", encoding="utf-8")
    result = cli("kpi", tmp_path, "FOS-2", "--as-at", "2021-09-20", "--history", told["file"], "--format", "json")
    (found,) = json.loads(result.stdout)["kpis"]
    assert found["origin"] == "history"
    assert found["value"] == one(told, "FOS-2")["value"]
    assert "no household records" in found["could_not"]


def test_what_cannot_be_computed_says_why(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text("staff_id,role\nS1,social worker\n", encoding="utf-8")
    result = cli("kpi", tmp_path, "FOS-2", "--as-at", "2021-09-20", "--format", "csv")
    assert "the export has no foster_supervision records, no household records" in result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--framework", "v2021_2"], "There is no framework 'v2021_2'"),
        (["FOS2"], "has no KPI 'FOS2'; did you mean 'FOS-2'?"),
        (["--every", "month"], "--every, --from and"),
        (["--every", "month", "--from", "2022-01-01"], "is later than --to"),
        (["--every", "week", "--from", "1990-01-01"], "are too many to look from at once"),
        (["--period", "2021-13"], "is neither a month (2021-08) nor a day"),
        (["--period", "2022-01"], "nobody knows yet"),
        (["--cases", "FOS-2", "--suppress", "5"], "--cases lists single records"),
        (["--history", str(AGENCY / "mapping.yaml")], "this is not JSON"),
        (["--history", str(AGENCY.parent.parent / "schemas" / "kpis.schema.json")], "cannot be used as history"),
    ],
)
def test_a_mistake_in_the_call_is_told_in_one_message(args: list[str], said: str, cli: Callable[..., Result]) -> None:
    result = cli("kpi", AGENCY, *args, "--as-at", "2021-09-20")
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_trend_is_the_same_values_at_each_month_end(told: dict[str, object], cli: Callable[..., Result]) -> None:
    result = cli(
        "kpi", AGENCY, "FOS-2", "--as-at", "2021-09-20", "--every", "month", "--from", "2020-10-01", "--format", "json"
    )
    (found,) = json.loads(result.stdout)["kpis"]
    assert found["history"] == one(told, "FOS-2")["history"]


def test_suppressed_output_holds_no_small_count(cli: Callable[..., Result]) -> None:
    result = cli("kpi", AGENCY, "--as-at", "2021-09-20", "--suppress", "5", "--format", "json")
    for k in json.loads(result.stdout)["kpis"]:
        for p in k["history"]:
            n, d = p["numerator"], p["denominator"]
            if d is not None:
                assert all(x == 0 or x >= 5 for x in (d, *([] if n is None else [n, d - n]))), k["code"]


@pytest.mark.parametrize(
    ("export", "framework_", "code", "month_", "why"),
    [
        ("annex-a", "v2021_22", "KPI-SC2", "2021-03-01", "the export begins on 21 March 2021"),
        ("annex-a", "v2021_22", "KPI-SC6", "2021-02-01", "the export begins on 21 March 2021"),
        ("ssda903", "national", "NI-CL1", "2021-04-01", "the export ends on 31 March 2021"),
    ],
)
def test_no_value_is_told_of_a_time_that_the_export_does_not_hold(
    export: str, framework_: str, code: str, month_: str, why: str, cli: Callable[..., Result]
) -> None:
    args = ("--as-at", "2021-09-20", "--framework", framework_, "--format", "json")
    result = cli("kpi", AGENCY.parent / export, code, *args)
    (found,) = json.loads(result.stdout)["kpis"]
    point_ = next(p for p in found["history"] if p["from"] == month_)
    assert (point_["value"], point_["denominator"], point_["why"]) == (None, None, why)


def test_what_a_mapping_says_it_covers_is_checked(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text("staff_id,role\nS1,social worker\n", encoding="utf-8")
    mapping = "covers: {last: 6 moons, to: snapshot_on}\nsources: [{record: staff, file: staff.csv, columns: {staff_id: staff_id}}]\n"
    (tmp_path / "mapping.yaml").write_text(mapping, encoding="utf-8")
    result = cli("kpi", tmp_path, "--as-at", "2021-09-20")
    assert result.exit_code == 2
    assert "what is covered cannot be told" in result.stderr
