"""What the charts of KPIs show, to those who see them and those who do not, and what they must not show."""

from __future__ import annotations

import re
import stat
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from browser import chromium, opened
from click.testing import Result

from compliance.dates import dated, periods_to
from compliance.kpis.kpi import (
    Band,
    Direction,
    Framework,
    Indicator,
    KpiReport,
    Measure,
    MeasureUnit,
    Point,
    Scheme,
    Version,
    change,
    status,
)
from compliance.kpis.suppression import SUPPRESSED, suppress
from compliance.model import Frequency, Tables
from compliance.report.kpi import chart, drawing

AGENCY = Path(__file__).parent.parent / "fixtures" / "agency"
DAY = date(2021, 9, 30)
SVG = "{http://www.w3.org/2000/svg}"
EIGHTY = dated({date(2020, 1, 1): Decimal(80)})
USUAL = Version("made_up", "K-1", usual=EIGHTY)
BAND = Version("made_up", "K-1", band=dated({date(2020, 1, 1): Band(Decimal(70), Decimal(85))}))
TARGET = Version("made_up", "K-1", target=EIGHTY)

Value = str | tuple[str, str] | Point | None


def kpi(
    scheme: Scheme,
    version: Version,
    *values: Value,
    direction: Direction = "higher_is_better",
    unit: MeasureUnit = "percent",
    period: Frequency = "month",
    day: date = DAY,
    **more: object,
) -> Indicator:
    """A value a period up to a day; two: a range; None: no cases."""
    points = []
    for (start, end), v in zip(periods_to(day, period, len(values)), values, strict=True):
        if isinstance(v, Point):
            points.append(replace(v, start=start, end=end))
        elif v is None:
            points.append(Point(start, end, numerator=0, denominator=0, why="no cases"))
        else:
            low, high = v if isinstance(v, tuple) else (v, v)
            points.append(Point(start, end, Decimal(low), Decimal(high)))
    measure = Measure("m", "p", "A measure", "Area", unit, direction, period, (version,), "m.yaml")
    measure = replace(measure, **more)  # type: ignore[arg-type]
    framework = Framework("made_up", "p", "A framework", date(2020, 4, 1), None, scheme, 3, "An invented plan, page 12")
    return Indicator(
        framework, version, measure, tuple(points), status(framework, version, direction, points), change(points)
    )


def report(*its: Indicator, day: date = DAY) -> KpiReport:
    return KpiReport(day, day, "agency", tuple({i.framework for i in its}), its, Tables({}))


def drawn(i: Indicator) -> ET.Element:
    return ET.fromstring(chart.svg(i, report(i, day=i.now.end)))


def texts(root: ET.Element) -> list[str]:
    return [t.text or "" for t in root.iter(f"{SVG}text")]


def desc(root: ET.Element) -> str:
    return root[1].text or ""


def group(root: ET.Element, name: str) -> ET.Element | None:
    return next((g for g in root.iter(f"{SVG}g") if g.get("id", "").endswith(f"-status-{name}")), None)


def points(path: ET.Element) -> list[tuple[float, float]]:
    """The corners of a line."""
    numbers = [float(n) for n in path.attrib["d"].removeprefix("M").split()]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def lines(root: ET.Element, colour: str) -> list[list[tuple[float, float]]]:
    """All lines of a colour."""
    return [points(p) for p in root.findall(f"{SVG}path") if p.get("stroke") == colour]


def places(root: ET.Element, name: str) -> list[tuple[float, float]]:
    """Where the marks of a standing are."""
    g = group(root, name)
    assert g is not None, f"no marks of {name}"
    # A filling of two halves is drawn as two shapes in one place.
    pairs = {tuple(re.findall(r"-?[\d.]+", path.attrib["transform"])) for path in g}
    return sorted((float(x), float(y)) for x, y in pairs)


def value_lines(root: ET.Element) -> list[list[tuple[float, float]]]:
    """The lines through values, and the bars of ranges."""
    left = chart.LEFT, chart.WIDTH - chart.RIGHT
    base = max(y for _, y in places_of_axis(root))
    return [w for w in lines(root, chart.LINE) if all(left[0] <= x <= left[1] and y <= base for x, y in w)]


def places_of_axis(root: ET.Element) -> list[tuple[float, float]]:
    """The ends of grid lines."""
    return [place for way in lines(root, chart.GRID) for place in way]


def look(root: ET.Element, name: str) -> tuple[str, ...]:
    """The outline of a mark and how it is filled, without its colour."""
    g = group(root, name)
    assert g is not None
    fillings = [f"{p.attrib['d']} {'white' if p.get('fill') == '#ffffff' else 'ink'}" for p in g]
    return tuple(dict.fromkeys(fillings))


EVERY_SCHEME = [
    kpi("target_with_streak", TARGET, "81", "79", "79", "79", ("75", "85"), None, "84"),
    kpi("target_with_streak", TARGET, "81", "79", direction="lower_is_better", period="quarter", day=date(2021, 9, 20)),
    kpi("tolerance_band", BAND, "90", "80", "60", ("60", "90"), None, "71"),
    kpi("usual", USUAL, "90", "80", "60", ("60", "90"), unit="per_week", period="week"),
    kpi("usual", USUAL, "90", "80", "60", direction="none", unit="count", period="term"),
    kpi("none", Version("made_up", "K-1"), "3", "0", "12", unit="days", period="year"),
    kpi("target_with_streak", TARGET, None, Point(DAY, DAY, why="the export begins on 1 January 2022")),
    kpi("usual", USUAL, "-4", "-12.5", unit="number"),
]


@pytest.mark.parametrize("i", EVERY_SCHEME)
def test_a_chart_stands_alone_and_says_what_it_shows(i: Indicator) -> None:
    said = chart.svg(i, report(i))
    root = ET.fromstring(said)
    assert root.get("role") == "img"
    assert [root[0].tag, root[1].tag] == [f"{SVG}title", f"{SVG}desc"]
    assert root.get("aria-labelledby", "").split() == [root[0].get("id"), root[1].get("id")]
    assert root[0].text == "K-1: A measure"
    assert desc(root)
    assert "<!DOCTYPE" not in said
    ids = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
    assert len(ids) == len(set(ids))
    assert all(x.startswith("made_up-K-1-") for x in ids), "ids would clash in a page with several charts"
    for e in root.iter():
        assert e.tag.removeprefix(SVG) not in ("script", "style", "image", "foreignObject", "a", "metadata")
        for name, value in e.items():
            assert name != "style", "a page whose policy allows no style in its elements shows it all the same"
            assert not name.startswith("on")
            assert "href" not in name
            assert "url(" not in value or re.findall(r"url\(#([^)]+)\)", value)[0] in ids
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg\")", said)


def test_each_month_has_the_status_it_had_then() -> None:
    root = drawn(kpi("target_with_streak", TARGET, "81", "79", "78", "77", "76", "84"))
    assert (len(places(root, "green")), len(places(root, "amber")), len(places(root, "red"))) == (2, 2, 2)
    in_order = sorted((x, s) for s in ("green", "amber", "red") for x, _ in places(root, s))
    assert [s for _, s in in_order] == ["green", "amber", "amber", "red", "red", "green"]
    assert [t for t in texts(root) if t in ("G", "A", "R")] == ["G", "A", "A", "R", "R", "G"]
    assert {"G  green", "A  amber", "R  red"} <= set(texts(root))


@pytest.mark.parametrize(
    ("i", "standings"),
    [
        (kpi("target_with_streak", TARGET, "81", "79", "79", "79"), ("green", "amber", "red")),
        (kpi("tolerance_band", BAND, "90", "80", "60"), ("better", "within", "outside")),
        (kpi("usual", USUAL, "90", "80", "60"), ("better-than-usual", "as-usual", "worse-than-usual")),
        (kpi("usual", USUAL, "90", "80", "60", direction="none"), ("above-usual", "as-usual", "below-usual")),
    ],
)
def test_statuses_differ_by_shape_and_filling_without_colour(i: Indicator, standings: Sequence[str]) -> None:
    root = drawn(i)
    looks = [look(root, s) for s in standings]
    assert len(set(looks)) == 3
    assert len({frozenset(shape.rpartition(" ")[2] for shape in its) for its in looks}) >= 2, "fillings differ too"


def test_every_standing_has_a_mark_and_no_letter_means_two_things_in_one_chart() -> None:
    from typing import get_args

    from compliance.kpis.kpi import Standing

    assert set(chart.MARKS) == set(get_args(Standing))
    for its in (("green", "amber", "red"), ("better", "within", "outside"), ("better than usual", "as usual", "worse than usual"),
                ("above usual", "as usual", "below usual")):  # fmt: skip
        assert len({chart.MARKS[s].letter for s in its}) == 3


def test_a_range_is_a_bar_from_its_least_to_its_most_and_never_a_value_between() -> None:
    root = drawn(kpi("target_with_streak", TARGET, "90", ("75", "85"), "90"))
    (x1, high), (x2, low) = sorted(places(root, "green-or-amber"), key=lambda p: p[1])
    assert x1 == x2
    ninety = places(root, "green")[0][1]
    assert low - high == pytest.approx(2 * (high - ninety), rel=1e-3), "75, 85 and 90 on one scale"
    ways = sorted(tuple(sorted(y for _, y in way)) for way in value_lines(root))
    # The bar, and from the values before and after it to both of its ends.
    assert ways == sorted([(high, low), (ninety, low), (ninety, high), (ninety, low), (ninety, high)])
    assert "not certain which" in texts(root)


def test_where_there_is_no_value_the_line_breaks_and_the_chart_says_why() -> None:
    root = drawn(kpi("none", Version("made_up", "K-1"), "50", "60", None, "70"))
    dots = places(root, "none")
    assert [[x for x, _ in way] for way in value_lines(root)] == [[dots[0][0], dots[1][0]]]
    assert "no cases" in texts(root)
    assert "No value in 2021-08: no cases." in texts(root)


def test_a_reason_is_told_once_and_its_periods_are_one_gap() -> None:
    doubts = [Point(DAY, DAY, why=f"nobody can tell whether there are cases: {n} records are in doubt") for n in (3, 4)]
    silent = Point(DAY, DAY, why="the export begins on 1 June 2021.")
    root = drawn(kpi("usual", USUAL, silent, *doubts, "90"))
    assert "No value in 2021-07 to 2021-08: nobody can tell whether there are cases." in texts(root)
    assert "No value in 2021-06: the export begins on 1 June 2021." in texts(root)
    assert [t for t in texts(root) if t == "no value"] == ["no value"]


def test_a_suppressed_point_is_said_to_be_and_moves_nothing() -> None:
    """Whatever a suppressed value was, the chart is the same."""

    def published(numerator: int) -> str:
        value = Decimal(numerator)
        hidden = Point(DAY, DAY, value, value, numerator, 100)
        told = Point(DAY, DAY, Decimal(50), Decimal(50), 50, 100)
        i = kpi("target_with_streak", TARGET, told, hidden, told)
        (found,) = suppress(report(i), 5).indicators
        assert [p.why == SUPPRESSED for p in found.points] == [False, True, False]
        return chart.svg(found, suppress(report(i), 5))

    assert published(2) == published(97)
    root = ET.fromstring(published(2))
    assert SUPPRESSED in texts(root)
    assert "No value in 2021-08: suppressed." in texts(root)
    assert "Counts from 1 to 4, and what they could be worked out from, are suppressed." in texts(root)
    # Two months in a row, or three: that would tell whether the hidden one met the target.
    assert len(places(root, "amber-or-red")) == 1


def test_a_suppressed_last_point_has_no_label() -> None:
    i = kpi("target_with_streak", TARGET, "90", Point(DAY, DAY, Decimal(2), Decimal(2), 2, 100))
    (found,) = suppress(report(i), 5).indicators
    root = ET.fromstring(chart.svg(found, suppress(report(i), 5)))
    assert not any("2 %" in t or "of 100" in t for t in [*texts(root), desc(root)])
    assert desc(root).startswith("2021-09: suppressed; the target is at least 80 %.")


def test_odd_characters_are_shown_as_they_are() -> None:
    odd = """<script>alert("1")</script> & $x^2$ 'DejaVu Sans' ]]> url(#x) \x1b[31m \x00 漢"""
    i = kpi("usual", USUAL, "90", title=odd, comparators={"<b>$E$": ((DAY, Decimal(81)),)}, note=f"A note with {odd}")
    root = drawn(i)
    shown = """<script>alert("1")</script> & $x^2$ 'DejaVu Sans' ]]> url(#x) �[31m � 漢"""
    assert root[0].text == f"K-1: {shown}"
    assert not list(root.iter(f"{SVG}script"))
    whole = " ".join(texts(root))
    assert shown in whole
    assert "<b>$E$ 81.0 % (2021-09)" in whole


def test_a_long_title_is_broken_into_lines_that_fit() -> None:
    title = "Share of children whose health assessments had been recorded as up to date by the end of the month " * 2
    root = drawn(kpi("usual", USUAL, "90", title=title + "x" * 200))
    assert " ".join(title.split()) in " ".join(texts(root))


def test_no_text_runs_off_the_page_in_a_browser(tmp_path: Path) -> None:
    """By the widest of the fonts that it may be shown in."""
    others = {"A region with a long name of many words": ((DAY, Decimal(81)),)}
    long = kpi("usual", USUAL, "90", title="Long words and " + "x" * 300)
    odd = kpi("usual", USUAL, "90", title="Größe, 漢字漢字漢字 и ширина " * 6)
    charts = []
    for i in (*EVERY_SCHEME, long, odd):
        i = replace(i, measure=replace(i.measure, comparators=others, note="A long remark. " * 30))
        charts.append(chart.svg(i, report(i)).replace(drawing.FONTS, "DejaVu Sans"))
    (tmp_path / "charts.html").write_text("<meta charset=utf-8>" + "".join(charts), encoding="utf-8")
    with chromium() as browser, opened(browser, tmp_path / "charts.html") as o:
        assert o.page.evaluate(OFF_THE_PAGE) == []
        assert o.page.locator("svg text").count() > 30 * len(charts)


OFF_THE_PAGE = """[...document.querySelectorAll('svg text')].filter(t => {
  const page = t.ownerSVGElement.getBoundingClientRect(), at = t.getBoundingClientRect();
  return at.left < page.left || at.right > page.right || at.top < page.top || at.bottom > page.bottom;
}).map(t => t.textContent)"""


def test_an_axis_has_few_round_values_that_span_what_is_asked() -> None:
    assert drawing.ticks(0, 100, whole=False) == [0, 20, 40, 60, 80, 100]
    assert drawing.ticks(87.2, 99.6, whole=False) == [85, 87.5, 90, 92.5, 95, 97.5, 100]
    assert drawing.ticks(-14, 3, whole=False) == [-15, -10, -5, 0, 5]
    assert drawing.ticks(0, 4, whole=True) == [0, 1, 2, 3, 4]
    assert drawing.ticks(0, 13, whole=True) == [0, 5, 10, 15], "no halves of a child"
    assert drawing.ticks(0.2, 0.4, whole=True) == [0, 1]
    for high in (1, 7, 30.5, 999, 123456.7):
        its = drawing.ticks(0, high, whole=False)
        assert its[0] == 0
        assert high <= its[-1] < high * 1.5
        assert 3 <= len(its) <= 8


def test_a_cut_axis_says_so_and_a_small_change_does_not_look_large() -> None:
    root = drawn(kpi("none", Version("made_up", "K-1"), "99.6", "99.7"))
    assert any(re.search(r"The axis is cut off: it begins at \d+, not at 0", t) for t in texts(root))
    (_, before), (_, after) = places(root, "none")
    assert abs(before - after) < chart.HEIGHT / 50
    assert not any("cut off" in t for t in texts(drawn(kpi("none", Version("made_up", "K-1"), "14", "40"))))


def test_of_a_target_that_changed_each_month_shows_its_own() -> None:
    version = replace(TARGET, target=dated({date(2020, 1, 1): Decimal(80), date(2021, 9, 1): Decimal(90)}))
    root = drawn(kpi("target_with_streak", version, "85", "85", "85"))
    assert (len(places(root, "green")), len(places(root, "amber"))) == (2, 1)
    assert {"80 %", "target: at least 90 %"} <= set(texts(root))


def test_comparators_are_labelled_and_dashed_each_in_its_own_way() -> None:
    others = {
        name: ((date(2021, 3, 31), Decimal(70 + k)),) for k, name in enumerate(("England", "Neighbours", "Region"))
    }
    root = drawn(kpi("target_with_streak", TARGET, "85", "90", comparators=others))
    whole = " ".join(texts(root))
    for name, value in (("England", "70.0"), ("Neighbours", "71.0"), ("Region", "72.0")):
        assert f"{name} {value} % (2021-03)" in whole
    dashes = {p.get("stroke-dasharray") for p in root.iter(f"{SVG}path") if p.get("stroke") == chart.QUIET}
    assert len(dashes - {None}) == 3


@pytest.mark.parametrize("value", ["80", "100", "0.2"])
def test_labels_neither_cover_each_other_nor_leave_the_plot(value: str) -> None:
    others = {f"Authority {k}": ((date(2021, 3, 31), Decimal(value)),) for k in range(5)}
    root = drawn(kpi("target_with_streak", TARGET, value, comparators=others))
    left = chart.WIDTH - chart.RIGHT
    ys = sorted(float(t.attrib["y"]) for t in root.iter(f"{SVG}text") if float(t.get("x", "0")) > left)
    assert len(ys) >= 7
    assert min(b - a for a, b in pairwise(ys)) >= 11
    plot = [y for _, y in places_of_axis(root)]
    assert min(plot) - 12 < ys[0]
    assert ys[-1] < max(plot) + 12


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("i", EVERY_SCHEME)
def test_text_and_lines_have_the_contrast_that_wcag_asks_for(i: Indicator) -> None:
    root = drawn(i)
    for t in root.iter(f"{SVG}text"):
        # The greyest ground that text stands on.
        assert _contrast(t.attrib["fill"], chart.NOTHING_THERE) >= 4.5
    of_use = {chart.LINE, chart.FIGURE, chart.QUIET, *(m.colour for m in chart.MARKS.values())}
    assert min(_contrast(c, chart.NOTHING_THERE) for c in of_use) >= 3
    decoration = {chart.GRID, chart.HATCH, "#ffffff"}
    strokes = {e.attrib["stroke"] for e in root.iter() if "stroke" in e.attrib}
    assert strokes <= of_use | decoration | {chart.INK}


def test_what_the_chart_shows_is_told_in_words() -> None:
    now = Point(DAY, DAY, Decimal("87.5"), Decimal("87.5"), 35, 40)
    england = {"England": ((date(2021, 3, 31), Decimal("82.4")),)}
    i = kpi("target_with_streak", TARGET, "71", "64", None, None, ("70", "83.3"), now, comparators=england)
    assert desc(drawn(i)) == (
        "2021-09: 87.5 % (35 of 40), green; the target is at least 80 %. Others: England 82.4 % (2021-03). "
        "From 2021-04 to 2021-09: up from 71.0 % to 87.5 %; least 64.0 % in 2021-05, most 87.5 % in 2021-09. "
        "No value in 2021-06 to 2021-07: no cases."
    )
    i = kpi("tolerance_band", replace(BAND, confirmed=False), "60", day=date(2021, 9, 20))
    assert desc(drawn(i)) == (
        "2021-09 (to 20 September 2021): 60.0 %, outside; the tolerance is 70 to 85 % (suggested only)."
    )
    i = kpi("target_with_streak", TARGET, "60", "60", "61")
    assert ", red for 3 periods in a row; the target is at least 80 %." in desc(drawn(i))


def test_a_period_that_is_not_over_is_said_to_be() -> None:
    root = drawn(kpi("usual", USUAL, "90", "91", day=date(2021, 9, 20)))
    assert "The last period is not over: its value is that of 20 September 2021." in texts(root)
    assert "not over or not certain" in texts(root)


def test_a_reported_value_is_said_to_be() -> None:
    root = drawn(kpi("usual", USUAL, "90", Point(DAY, DAY, Decimal(80), Decimal(80), origin="reported")))
    assert "2021-09: reported, not worked out from records." in texts(root)


def test_file_names_are_plain() -> None:
    i = kpi("usual", USUAL, "90")
    assert chart.file_name(i) == "made_up-K-1.svg"
    odd = replace(i, framework=replace(i.framework, name="../a b/é"))
    assert chart.file_name(odd) == ".._a_b__-K-1.svg"


def test_the_command_draws_every_kpi_for_its_owner_alone(cli: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "new" / "charts"
    result = cli("kpi", AGENCY, "FOS-2", "FOS-13", "--as-at", "2021-09-20", "--suppress", "5", "--chart", folder)
    assert result.exit_code == 0
    assert f"2 charts written to {folder}." in result.stderr
    names = [p.name for p in sorted(folder.iterdir())]
    assert names == ["fostering_plan-FOS-13.svg", "fostering_plan-FOS-2.svg"]
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert ET.fromstring(path.read_text(encoding="utf-8")).tag == f"{SVG}svg"


def test_a_chart_of_nothing_takes_the_place_of_an_older_one(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "fostering_plan-FOS-10.svg").write_text("of an older, unsuppressed report")
    result = cli("kpi", AGENCY, "FOS-10", "--as-at", "2021-09-20", "--suppress", "5", "--chart", tmp_path)
    assert f"1 chart written to {tmp_path}, 1 of them without a value." in result.stderr
    (svg,) = tmp_path.iterdir()
    assert "suppressed" in svg.read_text(encoding="utf-8")


def test_charts_of_many_days(cli: Callable[..., Result], tmp_path: Path) -> None:
    every = ("--every", "month", "--from", "2019-10-01")
    result = cli("kpi", AGENCY, "FOS-13", "--as-at", "2021-09-20", *every, "--chart", tmp_path)
    assert result.exit_code == 0
    root = ET.fromstring((tmp_path / "fostering_plan-FOS-13.svg").read_text(encoding="utf-8"))
    assert {"20 Sep", "2021"} <= set(texts(root)), "periods are named by their days where one has several values"


def test_a_folder_that_cannot_be_is_one_message(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = cli("kpi", AGENCY, "FOS-2", "--as-at", "2021-09-20", "--chart", tmp_path / "file" / "charts")
    assert result.exit_code == 2
    assert "cannot be made" in result.stderr
    both = cli("kpi", AGENCY, "--as-at", "2021-09-20", "--cases", "FOS-2", "--chart", tmp_path)
    assert both.exit_code == 2
    assert "--chart" in both.stderr


def test_the_picture_in_the_documents_says_what_the_command_draws_today(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    day = ("--framework", "v2021_22", "--as-at", "2021-09-20")
    cli("kpi", AGENCY.parent / "annex-a", "KPI-SC4", *day, "--chart", tmp_path)
    now, shown = (
        ET.fromstring((folder / name).read_text(encoding="utf-8"))
        for folder, name in ((tmp_path, "v2021_22-KPI-SC4.svg"), (AGENCY.parent.parent / "docs", "kpi-chart.svg"))
    )
    assert (desc(now), texts(now)) == (desc(shown), texts(shown))
