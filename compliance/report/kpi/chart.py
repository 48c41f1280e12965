"""A KPI as a picture that stands alone: SVG with text as text, and the same said in words. Pure.

Whatever colour says is said without it as well: a standing by shape, filling and letter, a line by its dashes and its label.
"""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import groupby, pairwise
from typing import Any, Literal

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator

import compliance.report.kpi.words as words
from compliance.dates import english, period_end
from compliance.kpis.kpi import NO_CASES, Indicator, KpiReport, MeasureUnit, Point, Standing, period_name
from compliance.kpis.suppression import SUPPRESSED, told
from compliance.model import Dated
from compliance.report.words import printable

# --- what it looks like: lengths are in points, contrasts against white (WCAG asks for 4.5 of text and 3 of lines) ---

WIDTH, EDGE = 630.0, 14.0
LEFT, RIGHT = 52.0, 160.0
HEIGHT = 230.0
"""Of the plot alone; the page is as high as its words need."""
INK = "#1a1a1a"  # 17.4
QUIET = "#4d4d4d"  # 8.5
LINE = "#12436d"  # 10.1
FIGURE = "#7a1f5c"  # 9.4
GRID = "#dedede"
HATCH = "#b8b8b8"
NOTHING_THERE = "#f0f0f0"

FAMILY = "DejaVu Sans"
"""Comes with matplotlib, so that lines break alike everywhere; it runs wider than what readers have."""
SHOWN_IN = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif"

NO_VALUE = "no value"

Fill = Literal["none", "bottom", "left", "full"]


@dataclass(frozen=True, slots=True)
class Mark:
    """How a standing looks: the worse, the darker, so that it reads in grey."""

    letter: str
    shape: str
    fill: Fill
    colour: str = INK


GOOD, MIDDLE, BAD = "#00612e", "#8a4b00", "#a3001b"  # 7.6, 6.6, 8.3
MARKS: dict[Standing, Mark] = {
    "green": Mark("G", "o", "none", GOOD),
    "amber": Mark("A", "^", "left", MIDDLE),
    "red": Mark("R", "D", "full", BAD),
    "better": Mark("B", "^", "none", GOOD),
    "within": Mark("W", "o", "bottom", LINE),
    "outside": Mark("O", "D", "full", BAD),
    "better than usual": Mark("B", "^", "none", GOOD),
    "as usual": Mark("U", "o", "bottom", LINE),
    "worse than usual": Mark("W", "v", "full", BAD),
    "above usual": Mark("A", "^", "none", LINE),
    "below usual": Mark("B", "v", "none", LINE),
}
EITHER = Mark("", "s", "none")
UNJUDGED = Mark("", "o", "full", LINE)
DASHES: tuple[Any, ...] = ((0, (1, 1.6)), (0, (6, 1.5, 1, 1.5)), (0, (3, 1.5)), (0, (6, 1.5, 1, 1.5, 1, 1.5)))
"""Of those that others are compared by, in turn."""
TARGET_DASH = (0, (7, 2.5))
OPEN_DASH = (0, (1.2, 1.8))
THICK = 1.4
"""Of what values are held against; dashes are as long as the line is thick, so a label's is as thick as its own."""
UNIT_NAMES: dict[MeasureUnit, str] = {
    "percent": "Per cent",
    "count": "Number",
    "per_week": "Number a week",
    "days": "Days",
    "number": "Value",
}
SCALES = {"higher_is_better": "higher is better", "lower_is_better": "lower is better", "none": ""}


def file_name(i: Indicator) -> str:
    """fostering_plan-FOS-2.svg: a plain name, whatever a framework is called."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", f"{i.framework.name}-{i.version.code}") + ".svg"


def svg(i: Indicator, report: KpiReport) -> str:
    """The chart of one KPI of a report; the same bytes for the same report."""
    # What a user has set for charts of their own does not change these.
    ours = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith(("backend", "date."))}
    ours |= {"svg.fonttype": "none", "svg.hashsalt": "compliance", "font.family": FAMILY, "text.parse_math": False}
    ours |= {"hatch.linewidth": 0.7, "path.simplify": False}
    with matplotlib.rc_context(ours), warnings.catch_warnings():
        # The reader's machine has the letters that ours lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        drawn = _draw(_Judged(i), report)
        out = io.StringIO()
        drawn.set_canvas(FigureCanvasSVG(drawn))
        drawn.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return _standalone(out.getvalue(), i)


# --- what it says ---


@dataclass(frozen=True)
class _Judged:
    """A KPI with the standing of each of its points, not of the last alone."""

    i: Indicator

    @cached_property
    def upto(self) -> tuple[Indicator, ...]:
        """For each point the KPI as it was reported then."""
        its = self.i.points
        return tuple(
            replace(self.i, points=its[:n], status=told(self.i, its[:n]), change=None) for n in range(1, len(its) + 1)
        )

    @property
    def unit(self) -> MeasureUnit:
        return self.i.measure.unit

    def period(self, p: Point) -> str:
        return words.period(self.i, p)


def _clean(text: str) -> str:
    return " ".join(printable(text).split())


def headline(i: Indicator) -> str:
    """2021-09: 99.6 % (226 of 227), red for 8 periods in a row; the target is at least 100 %."""
    p, v, figure = i.now, i.version, words.figure(i)
    held_to = f"; {'the target is ' if v.target else 'the tolerance is ' if v.band else ''}{figure}" if figure else ""
    period = words.period(i, p)
    said = f"{period[0].upper()}{period[1:]}: "
    if not p.ends:
        return said + _in_short(p) + held_to
    said += words.value(p, i.measure.unit)
    counts = words.counts(p)
    said += f" ({counts})" if counts else ""
    if i.status.possible:
        said += f", {words.status(i)}"
        said += f" for {i.status.streak} periods in a row" if i.status.streak > 1 else ""
    return said + (held_to or "; no figure to hold it to")


def described(i: Indicator) -> str:
    """What the chart shows, for whoever does not see it."""
    m = i.measure
    said = [headline(i)]
    others = [
        f"{who} {words.amount(v, m.unit)} ({day.isoformat()[:7]})" for who, day, v in words.comparators(i, i.now.end)
    ]
    if others:
        said.append(f"Others: {', '.join(others)}")
    there = [p for p in i.points if p.ends]
    if len(there) > 1:
        first, last = there[0], there[-1]
        moved = ""
        if first.value is not None and last.value is not None:
            moved = "no change " if first.value == last.value else "up " if first.value < last.value else "down "
        least, most = min(there, key=lambda p: p.ends[0]), max(there, key=lambda p: p.ends[1])
        values = [words.value(p, m.unit) for p in (first, last)]
        said.append(
            f"From {words.period(i, first)} to {words.period(i, last)}: {moved}from {values[0]} to {values[1]}; least "
            f"{words.amount(least.ends[0], m.unit)} in {words.period(i, least)}, most {words.amount(most.ends[1], m.unit)}"
            f" in {words.period(i, most)}"
        )
    said += _without_value(i)
    return _clean(". ".join(said) + ".")


def _in_short(p: Point) -> str:
    """Why there is no value, for where there is little room; empty if there is one."""
    return "" if p.ends else p.why if p.why in (NO_CASES, SUPPRESSED) else NO_VALUE


def _without_value(i: Indicator) -> list[str]:
    """Each reason once, with its periods; those that differ only in what stands after a colon are one."""
    spans: dict[str, list[str]] = {}
    reasons: dict[str, list[str]] = {}
    for head, run in groupby(i.points, key=lambda p: "" if p.ends else p.why.partition(":")[0] or NO_VALUE):
        its = list(run)
        if head:
            ends = [words.period(i, p) for p in (its[0], its[-1])]
            spans.setdefault(head, []).append(ends[0] if len(its) == 1 else f"{ends[0]} to {ends[1]}")
            reasons.setdefault(head, []).extend(p.why for p in its)
    found = []
    for head, when in spans.items():
        why, *others = dict.fromkeys(reasons[head])
        found.append(f"No value in {', '.join(when)}: {head if others else why.rstrip('.')}")
    return found


def _notes(j: _Judged, report: KpiReport) -> list[str]:
    i, notes = j.i, []
    if _is_running(i, i.now):
        so_far = f": its value is that of {english(i.now.end)}" if i.now.ends else ""
        notes.append(f"The last period is not over{so_far}.")
    if any(p.ends and p.value is None for p in i.points):
        notes.append("Upright bars: from the least to the most that the value may be, where records leave it open.")
    notes += [f"{said}." for said in _without_value(i)]
    if any(p.why == SUPPRESSED for p in i.points):
        notes.append(
            f"Counts from 1 to {report.suppressed_below - 1}, and what they could be worked out from, are suppressed."
        )
    for origin, what in (
        ("reported", "reported, not worked out from records"),
        ("history", "taken from an earlier report"),
    ):
        its = [j.period(p) for p in i.points if p.ends and p.origin == origin]
        if its:
            notes.append(f"{f'{its[0]} to {its[-1]}' if len(its) > 1 else its[0]}: {what}.")
    if i.measure.note:
        notes.append(i.measure.note)
    notes.append(
        f"{i.framework.title}. Data: {report.data}, as at {english(report.as_at)}. Source of the measure: {i.framework.source.rstrip('.')}."
    )
    return [_clean(n) for n in notes]


def _is_running(i: Indicator, p: Point) -> bool:
    return p.end < period_end(p.start, i.measure.period)


# --- where it stands ---


@lru_cache(maxsize=2000)
def _advance(letter: str, weight: str) -> float:
    """Of a letter of one point. Measured once: each asking takes 2 ms, and a page has a thousand letters."""
    font = FontProperties(family=FAMILY, size=100, weight=weight)
    return text_to_path.get_text_width_height_descent(letter, font, False)[0] / 100


def _width(text: str, size: float, weight: str = "normal") -> float:
    return size * sum(_advance(letter, weight) for letter in text)


def _wrapped(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    lines = [""]
    # A number stays with its per cent.
    for word in text.replace(" %", "\xa0%").split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _width(longer, size, weight) > width:
            lines.append("")
            longer = word
        while len(longer) > 1 and _width(longer, size, weight) > width:
            fits = next(n for n in range(len(longer) - 1, 0, -1) if n == 1 or _width(longer[:n], size, weight) <= width)
            lines[-1:] = [longer[:fits], ""]
            longer = longer[fits:]
        lines[-1] = longer
    return [line.replace("\xa0", " ") for line in lines]


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    ticks: tuple[float, ...]


def _scale(values: Sequence[float], unit: MeasureUnit) -> _Scale:
    """What the axis spans: all values, never so little that a small change looks large, and from nought unless that is far off."""
    low, high = min(values), max(values)
    least = 10.0 if unit == "percent" else max(4.0, abs(high) / 4)
    ceiling = 100.0 if unit == "percent" and high <= 100 else float("inf")
    lacking = max(0.0, least - (high - low)) / 2
    pad = 0.06 * (high - low) + lacking
    bottom, top = low - pad, high + pad
    if top > ceiling:
        bottom, top = bottom - (top - ceiling if lacking else 0), ceiling
    if low >= 0 and (bottom <= 0 or low <= high / 2):
        bottom, top = 0.0, min(max(top, least), ceiling)
    locator = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10], integer=unit == "count")
    ticks = [float(t) for t in locator.tick_values(bottom, top)]
    # One tick beyond on either side, no more.
    ticks = [t for k, t in enumerate(ticks) if t <= ceiling and (k + 1 == len(ticks) or ticks[k + 1] > bottom)]
    return _Scale(ticks[0], ticks[-1], tuple(ticks))


def _apart(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Middles of labels, as near to where they are wanted as leaves each its height; of some that stand in order from the top."""
    tops: list[float] = []
    limit = high
    for y, h in zip(wanted, heights, strict=True):
        limit = min(y + h / 2, limit)
        tops.append(limit)
        limit -= h
    for k in range(len(tops) - 1, -1, -1):
        lowest = low + heights[k] if k == len(tops) - 1 else tops[k + 1] + heights[k]
        tops[k] = max(tops[k], lowest)
    return [t - h / 2 for t, h in zip(tops, heights, strict=True)]


@dataclass(frozen=True, slots=True)
class _Label:
    """Words on the right, joined to what they are of."""

    x: float
    y: float
    text: str
    colour: str
    dash: Any = "-"
    weight: str = "normal"


# --- drawing ---


class _Page:
    """A figure on which things are placed in points from the lower left, and values by the place of their period."""

    def __init__(self, n: int, scale: _Scale, below: float, height: float) -> None:
        self.n, self.scale, self.below, self.height = n, scale, below, height
        self.figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor="white")
        self.plot = WIDTH - LEFT - RIGHT
        box = (LEFT / WIDTH, below / height, self.plot / WIDTH, HEIGHT / height)
        self.axes = self.figure.add_axes(box)
        self.axes.set_xlim(-0.5, n - 0.5)
        self.axes.set_ylim(scale.low, scale.high)
        self.axes.set_xticks([])
        self.axes.set_yticks(scale.ticks, [""] * len(scale.ticks))
        self.axes.grid(axis="y", color=GRID, linewidth=0.8)
        self.axes.set_axisbelow(True)
        self.axes.tick_params(length=0)
        for side in ("top", "right", "left"):
            self.axes.spines[side].set_visible(False)
        self.axes.spines["bottom"].set_color(QUIET)

    def x(self, place: float) -> float:
        return LEFT + (place + 0.5) / self.n * self.plot

    def y(self, value: float) -> float:
        return self.below + (value - self.scale.low) / (self.scale.high - self.scale.low) * HEIGHT

    def text(self, x: float, y: float, said: str, size: float = 10, colour: str = INK, **more: Any) -> None:
        self.figure.text(x / WIDTH, y / self.height, said, fontsize=size, color=colour, **more)

    def line(self, xs: Sequence[float], ys: Sequence[float], **more: Any) -> None:
        self.figure.add_artist(Line2D([x / WIDTH for x in xs], [y / self.height for y in ys], **more))

    def steps(self, values: Sequence[float], colour: str, dash: Any) -> None:
        """A level that may change from one period to the next."""
        edges = [k - 0.5 for k in range(self.n + 1)]
        self.axes.stairs(values, edges, baseline=None, color=colour, linestyle=dash, linewidth=THICK, zorder=2)


def _look(mark: Mark, size: float) -> dict[str, Any]:
    return {
        "marker": mark.shape,
        "fillstyle": "full" if mark.fill == "none" else mark.fill,
        "markerfacecolor": "white" if mark.fill == "none" else mark.colour,
        "markerfacecoloralt": "white",
        "markeredgecolor": mark.colour,
        "markeredgewidth": 1.5,
        "markersize": size,
        "linestyle": "none",
    }


def _mark(i: Indicator) -> Mark:
    possible = i.status.possible
    if not possible:
        return UNJUDGED
    if len(possible) == 1:
        return MARKS[possible[0]]
    return replace(EITHER, letter="/".join(MARKS[s].letter for s in possible))


def _each(version: Dated[Decimal], points: Sequence[Point]) -> list[float]:
    return [float(version.on(p.end)) for p in points]


def _compared(i: Indicator) -> list[tuple[str, date, Decimal, list[float]]]:
    """Of each that others are compared by: the value at the last day, and what was known at each period."""
    found = []
    for who, day, value in words.comparators(i, i.now.end):
        its = i.measure.comparators[who]
        levels = []
        for p in i.points:
            known = [v for since, v in its if since <= p.end]
            levels.append(float(known[-1]) if known else float("nan") if day <= i.now.end else float(value))
        found.append((who, day, value, levels))
    return found


def _draw(j: _Judged, report: KpiReport) -> Figure:
    i, unit, points, v = j.i, j.unit, j.i.points, j.i.version
    compared = _compared(i)
    levels: list[list[float]] = [levels for *_, levels in compared]
    for dated in (v.target, v.usual):
        levels += [_each(dated, points)] if dated else []
    bands = [v.band.on(p.end) for p in points] if v.band else []
    levels += [[float(b.lower) for b in bands], [float(b.upper) for b in bands]]
    shown = [float(e) for p in points for e in p.ends] + [x for its in levels for x in its if x == x]
    scale = _scale(shown or [0.0], unit)

    title = _wrapped(_clean(f"{v.code}: {i.measure.title}"), WIDTH - 2 * EDGE, 14, "bold")
    now = _wrapped(_clean(headline(i)), WIDTH - 2 * EDGE, 11)
    axis = UNIT_NAMES[unit] + (f", {SCALES[i.measure.direction]}" if SCALES[i.measure.direction] else "")
    if scale.low > 0:
        axis += f". The axis is cut off: it begins at {scale.low:,g}, not at 0"
    notes = [line for n in _notes(j, report) for line in _wrapped(n, WIDTH - 2 * EDGE, 9)]
    keys = _keys(j)
    above = EDGE + 18 * len(title) + 15 * len(now) + 30
    below = EDGE + 12 * len(notes) + 8 + 17 * len(keys) + 54
    page = _Page(len(points), scale, below, below + HEIGHT + above)

    y = page.height - EDGE - 11
    for lines, size, gap, weight in ((title, 14, 18, "bold"), (now, 11, 15, "normal")):
        for line in lines:
            page.text(EDGE, y, line, size, weight=weight)
            y -= gap
    page.text(EDGE, below + HEIGHT + 12, axis, 10, QUIET)
    for tick in scale.ticks:
        page.text(LEFT - 8, page.y(tick), f"{tick:,g}", 10, QUIET, ha="right", va="center_baseline")
    _draw_figures(page, j)
    labels = _held_to(page, j, compared)
    _draw_gaps(page, points)
    _draw_values(page, j)
    if points[-1].ends:
        counts = words.counts(points[-1])
        text = words.value(points[-1], unit) + (f"\n{counts}" if counts else "")
        middle = float(sum(points[-1].ends) / 2)
        labels.append(_Label(page.x(len(points) - 1) + 6, page.y(middle), text, INK, weight="bold"))
    _draw_labels(page, labels)
    _draw_periods(page, j)
    _draw_keys(page, keys, below - 54 - 6)
    for k, line in enumerate(reversed(notes)):
        page.text(EDGE, EDGE - 4 + 12 * k, line, 9, QUIET)
    return page.figure


def _draw_figures(page: _Page, j: _Judged) -> None:
    """The band, the target and the usual value at each period."""
    v, points = j.i.version, j.i.points
    if v.band:
        bands = [v.band.on(p.end) for p in points]
        low, high = [float(b.lower) for b in bands], [float(b.upper) for b in bands]
        edges = [k - 0.5 for k in range(page.n + 1)]
        page.axes.fill_between(
            edges, [*low, low[-1]], [*high, high[-1]], step="post", facecolor="none", edgecolor=HATCH, hatch="////",
            linewidth=0, zorder=1,
        )  # fmt: skip
        for its in (low, high):
            page.steps(its, FIGURE, "-")
    for dated in (v.target, v.usual):
        if dated:
            page.steps(_each(dated, points), FIGURE, TARGET_DASH)


def _held_to(page: _Page, j: _Judged, compared: Iterable[tuple[str, date, Decimal, list[float]]]) -> list[_Label]:
    """Draws what others have; gives the labels of theirs and of the figures."""
    i, v, unit, day = j.i, j.i.version, j.unit, j.i.now.end
    edge = LEFT + page.plot
    found = []
    suggested = words.suggested(v, "x")
    if v.band:
        band = v.band.on(day)
        for limit, said in ((band.upper, "tolerance, upper end"), (band.lower, "tolerance, lower end")):
            text = f"{said} {words.limit(limit, unit)}{suggested}"
            found.append(_Label(edge, page.y(float(limit)), text, FIGURE))
    for dated, what in ((v.target, "target: "), (v.usual, "")):
        if dated:
            found.append(_Label(edge, page.y(float(dated.on(day))), what + words.figure(i), FIGURE, TARGET_DASH))
            _draw_former(page, _each(dated, i.points), unit)
    for k, (who, on, value, levels) in enumerate(compared):
        dash = DASHES[k % len(DASHES)]
        page.steps(levels, QUIET, dash)
        text = f"{_clean(who)} {words.amount(value, unit)} ({on.isoformat()[:7]})"
        found.append(_Label(edge, page.y(float(value)), text, QUIET, dash))
    return found


def _draw_former(page: _Page, levels: Sequence[float], unit: MeasureUnit) -> None:
    """What a figure was before it became what it is now."""
    place = 0
    for level, run in groupby(levels):
        n = len(list(run))
        if place + n < len(levels):
            text = words.limit(Decimal(str(level)), unit)
            pad = {"facecolor": "white", "edgecolor": "none", "pad": 1}
            page.text(page.x(place - 0.45), page.y(level) + 4, text, 9, FIGURE, bbox=pad)
        place += n


def _draw_gaps(page: _Page, points: Sequence[Point]) -> None:
    """Periods without a value are said to have none."""
    place = 0
    for why, run in groupby(points, key=_in_short):
        n = len(list(run))
        if why:
            page.axes.axvspan(place - 0.5, place + n - 0.5, facecolor=NOTHING_THERE, linewidth=0, zorder=1.5)
            upright = _width(why, 10) > n / page.n * page.plot - 4
            x = page.x(place + (n - 1) / 2)
            pad = {"facecolor": NOTHING_THERE, "edgecolor": "none", "pad": 2}
            page.text(
                x, page.below + HEIGHT / 2, why, 10, QUIET, ha="center", va="center", rotation=90 if upright else 0,
                rotation_mode="anchor", bbox=pad,
            )  # fmt: skip
        place += n


def _draw_values(page: _Page, j: _Judged) -> None:
    """Points joined by a line; what may be anything from one value to another has both, and two lines."""
    points = j.i.points
    joined: dict[bool, list[list[tuple[float, float]]]] = {True: [], False: []}
    for k, (a, b) in enumerate(pairwise(points)):
        if a.ends and b.ends:
            is_sure = a.value is not None and b.value is not None
            for low_or_high in (0,) if is_sure else (0, 1):
                way = [(float(k + n), float(p.ends[low_or_high])) for n, p in enumerate((a, b))]
                joined[is_sure and not _is_running(j.i, b)].append(way)
    for is_sure, segments in joined.items():
        if segments:
            dash: Any = "-" if is_sure else OPEN_DASH
            drawn = LineCollection(segments, colors=LINE, linewidths=1.9, linestyles=[dash], zorder=3)
            page.axes.add_collection(drawn, autolim=False)
    for k, p in enumerate(points):
        if p.ends and p.value is None:
            page.axes.plot([k, k], [float(e) for e in p.ends], color=LINE, linewidth=3.2, zorder=3.5, clip_on=False)
    size = max(3.0, min(8.0, 0.5 * page.plot / page.n))
    places: dict[tuple[Mark, str], list[tuple[int, float]]] = {}
    for k, (p, then) in enumerate(zip(points, j.upto, strict=True)):
        key = (_mark(then), " or ".join(then.status.possible))
        places.setdefault(key, []).extend((k, float(e)) for e in sorted(set(p.ends)))
    for (mark, said), its in places.items():
        if its:
            gid = "status-" + (said.replace(" ", "-") or "none")
            page.axes.plot(*zip(*its, strict=True), clip_on=False, zorder=4, gid=gid, **_look(mark, size))


def _draw_labels(page: _Page, labels: Iterable[_Label]) -> None:
    left, size = LEFT + page.plot + 22, 10
    room = WIDTH - EDGE - left
    its = [
        (label, [line for part in label.text.split("\n") for line in _wrapped(part, room, size, label.weight)])
        for label in labels
    ]
    its.sort(key=lambda x: -x[0].y)
    heights = [13.0 * len(lines) + 3 for _, lines in its]
    middles = _apart([label.y for label, _ in its], heights, page.below - 6, page.below + HEIGHT + 8)
    for (label, lines), middle in zip(its, middles, strict=True):
        xs, ys = [label.x, LEFT + page.plot + 6, left - 4], [label.y, label.y, middle]
        thick = 0.9 if label.weight == "bold" else THICK
        page.line(xs, ys, color=label.colour, linestyle=label.dash, linewidth=thick)
        for k, line in enumerate(lines):
            y = middle + 13 * ((len(lines) - 1) / 2 - k)
            page.text(left, y, line, size, label.colour, weight=label.weight, va="center_baseline")


def _names(j: _Judged) -> list[tuple[str, str]]:
    """Two lines for each point: the second is told where it changes."""
    i, found = j.i, []
    several = len({p.start for p in i.points}) < len(i.points)
    for p in i.points:
        if several:
            found.append((f"{p.end.day} {p.end:%b}", str(p.end.year)))
            continue
        match i.measure.period:
            case "month":
                found.append((f"{p.start:%b}", str(p.start.year)))
            case "week":
                found.append((f"{p.start.day} {p.start:%b}", str(p.start.year)))
            case "year":
                found.append((period_name(p.start, "year"), ""))
            case _:
                said = period_name(p.start, i.measure.period)
                first, second = sorted(said.split(" "), key=lambda x: x[:2].isdigit())
                found.append((first, second))
    return found


def _draw_periods(page: _Page, j: _Judged) -> None:
    """Under each period the letter of its standing, and its name where there is room."""
    letters = [_mark(then).letter if p.ends else "–" for p, then in zip(j.i.points, j.upto, strict=True)]
    room, down = page.plot / page.n, 0
    if max(_width(x, 10, "bold") for x in letters) + 4 > room:
        letters = ["?" if "/" in x else x for x in letters]
    if set(letters) - {"", "–"} and max(_width(x, 10, "bold") for x in letters) + 2 < room:
        page.text(LEFT - 8, page.below - 15, "Status", 10, QUIET, ha="right")
        for k, letter in enumerate(letters):
            page.text(page.x(k), page.below - 15, letter, 10, INK, ha="center", weight="bold")
        down = 16
    names = _names(j)
    widest = max(_width(first, 10) for first, _ in names) + 6
    step = int(-(-widest // room))
    said = ""
    for k in range((page.n - 1) % step, page.n, step):
        first, second = names[k]
        page.text(page.x(k), page.below - 15 - down, first, 10, INK, ha="center")
        if second != said:
            page.text(page.x(k), page.below - 28 - down, second, 10, INK, ha="center")
        said = second


def _keys(j: _Judged) -> list[list[tuple[Mark | None, str]]]:
    """Rows of what the marks and dashes mean, of those that are there."""
    found: list[tuple[Mark | None, str]] = []
    there = {s for then in j.upto for s in then.status.possible}
    found += [(mark, f"{mark.letter}  {s}") for s, mark in MARKS.items() if s in there]
    if any(len(then.status.possible) > 1 for then in j.upto):
        found.append((EITHER, "not certain which"))
    if any(p.ends and not then.status.possible for p, then in zip(j.i.points, j.upto, strict=True)):
        found.append((UNJUDGED, "no figure to hold it to"))
    if any(
        a.ends and b.ends and (_is_running(j.i, b) or a.value is None or b.value is None)
        for a, b in pairwise(j.i.points)
    ):
        found.append((None, "not over or not certain"))
    rows: list[list[tuple[Mark | None, str]]] = [[]]
    used = 0.0
    for mark, said in found:
        used += _width(said, 10) + 40
        if rows[-1] and used > WIDTH - LEFT - EDGE:
            rows.append([])
            used = _width(said, 10) + 40
        rows[-1].append((mark, said))
    return rows if found else []


def _draw_keys(page: _Page, rows: Sequence[Sequence[tuple[Mark | None, str]]], top: float) -> None:
    for n, row in enumerate(rows):
        x, y = LEFT + 6, top - 17 * n
        for mark, said in row:
            if mark is None:
                page.line([x - 8, x + 10], [y, y], color=LINE, linewidth=1.9, linestyle=OPEN_DASH)
            else:
                page.line([x], [y], **_look(mark, 8))
            page.text(x + 13, y, said, 10, va="center_baseline")
            x += _width(said, 10) + 40


# --- the file ---

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


def _standalone(drawn: str, i: Indicator) -> str:
    """The drawing with its words, and without what points elsewhere or could clash with a page that it is put into."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    root = ET.fromstring(drawn)  # noqa: S314 - it is our own
    for style in root.findall(f"{{{_SVG}}}defs[{{{_SVG}}}style]"):
        root.remove(style)
    prefix = file_name(i).removesuffix(".svg")
    used = set(re.findall(r"url\(#([^)]+)\)|xlink:href=\"#([^\"]+)\"", drawn))
    kept = {a or b for a, b in used}
    for e in root.iter():
        name = e.get("id")
        if name is not None:
            if name in kept or name.startswith("status-"):
                e.set("id", f"{prefix}-{name}")
            else:
                del e.attrib["id"]
        if (to := e.get(f"{{{_XLINK}}}href")) is not None:
            e.set(f"{{{_XLINK}}}href", f"#{prefix}-{to.removeprefix('#')}")
        for key, value in e.items():
            if "url(#" in value:
                e.set(key, value.replace("url(#", f"url(#{prefix}-"))
        if (look := e.get("style")) is not None:
            e.set("style", look.replace(f"'{FAMILY}'", SHOWN_IN))
    for side, length in zip(("width", "height"), root.attrib["viewBox"].split()[2:], strict=True):
        # In pixels: not every program knows points.
        root.set(side, f"{float(length) * 96 / 72:.0f}")
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title {prefix}-desc")
    root.set("style", "stroke-linejoin:round;stroke-linecap:butt")
    for place, (name, said) in enumerate(
        (("title", _clean(f"{i.version.code}: {i.measure.title}")), ("desc", described(i)))
    ):
        e = ET.Element(f"{{{_SVG}}}{name}", {"id": f"{prefix}-{name}"})
        e.text = said
        root.insert(place, e)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"
