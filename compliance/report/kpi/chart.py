"""A KPI as a picture that stands alone: SVG with text as text, and the same said in words. Pure.

Whatever colour says is said without it as well: a standing by shape, filling and letter, a line by its dashes and its label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby, pairwise

import compliance.report.kpi.words as words
from compliance.dates import english, period_end
from compliance.kpis.kpi import NO_CASES, Indicator, KpiReport, MeasureUnit, Point, Standing, period_name
from compliance.kpis.suppression import SUPPRESSED, told
from compliance.model import Dated
from compliance.report.kpi.drawing import PAPER, Drawing, Fill, Look, Shape, middle, ticks, width_of, wrapped
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

NO_VALUE = "no value"


@dataclass(frozen=True, slots=True)
class Mark:
    """How a standing looks: the worse, the darker, so that it reads in grey."""

    letter: str
    shape: Shape
    fill: Fill
    colour: str = INK

    @property
    def look(self) -> Look:
        """Without its letter."""
        return Look(self.shape, self.fill, self.colour)


GOOD, MIDDLE, BAD = "#00612e", "#8a4b00", "#a3001b"  # 7.6, 6.6, 8.3
MARKS: dict[Standing, Mark] = {
    "green": Mark("G", "circle", "none", GOOD),
    "amber": Mark("A", "up", "half", MIDDLE),
    "red": Mark("R", "diamond", "full", BAD),
    "better": Mark("B", "up", "none", GOOD),
    "within": Mark("W", "circle", "half", LINE),
    "outside": Mark("O", "diamond", "full", BAD),
    "better than usual": Mark("B", "up", "none", GOOD),
    "as usual": Mark("U", "circle", "half", LINE),
    "worse than usual": Mark("W", "down", "full", BAD),
    "above usual": Mark("A", "up", "none", LINE),
    "below usual": Mark("B", "down", "none", LINE),
}
EITHER = Mark("", "square", "none")
UNJUDGED = Mark("", "circle", "full", LINE)
Dashes = Sequence[float]
DASHES: Sequence[Dashes] = ((1, 1.6), (6, 1.5, 1, 1.5), (3, 1.5), (6, 1.5, 1, 1.5, 1, 1.5))
"""Of those that others are compared by, in turn."""
UNBROKEN: Dashes = ()
TARGET_DASH: Dashes = (7, 2.5)
OPEN_DASH: Dashes = (1.2, 1.8)
THICK = 1.4
"""Of what values are held against; dashes are as long as the line is thick, so a label's is as thick as its own."""
THICK_VALUES, THICK_RANGE = 1.9, 3.2
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
    return _drawn(_Judged(i), report).svg()


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
    there = [t for t in ticks(bottom, top, whole=unit == "count") if t <= ceiling]
    return _Scale(there[0], there[-1], tuple(there))


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
    dashes: Dashes = UNBROKEN
    bold: bool = False


# --- drawing ---


class _Page:
    """A drawing with a plot on it, in which values stand by the place of their period."""

    def __init__(self, drawing: Drawing, n: int, scale: _Scale, below: float) -> None:
        self.drawing, self.n, self.scale, self.below = drawing, n, scale, below
        self.plot = WIDTH - LEFT - RIGHT
        for tick in scale.ticks:
            drawing.line(((LEFT, self.y(tick)), (LEFT + self.plot, self.y(tick))), GRID, 0.8)

    def x(self, place: float) -> float:
        return LEFT + (place + 0.5) / self.n * self.plot

    def y(self, value: float) -> float:
        return self.below + (value - self.scale.low) / (self.scale.high - self.scale.low) * HEIGHT

    def stairs(self, levels: Sequence[float], first: int = 0) -> list[tuple[float, float]]:
        """Levels of one period after the other, from the beginning of the first to the end of the last."""
        corners = [(self.x(k + side), self.y(level)) for k, level in enumerate(levels, first) for side in (-0.5, 0.5)]
        bends = [
            at
            for before, at, after in zip(corners, corners[1:], corners[2:], strict=False)
            if not before[1] == at[1] == after[1]
        ]
        return [corners[0], *bends, corners[-1]]


def _mark(i: Indicator) -> Mark:
    possible = i.status.possible
    if not possible:
        return UNJUDGED
    if len(possible) == 1:
        return MARKS[possible[0]]
    return replace(EITHER, letter="/".join(MARKS[s].letter for s in possible))


def _each(version: Dated[Decimal], points: Sequence[Point]) -> list[float]:
    return [float(version.on(p.end)) for p in points]


@dataclass(frozen=True, slots=True)
class _Compared:
    """What others have: the value of the last day, since when, and what was known at each period; None: nothing was."""

    who: str
    since: date
    value: Decimal
    levels: Sequence[float | None]


def _compared(i: Indicator) -> list[_Compared]:
    """Each that others are compared by."""
    others = []
    for who, day, value in words.comparators(i, i.now.end):
        dated, levels = i.measure.comparators[who], list[float | None]()
        for p in i.points:
            known = [v for since, v in dated if since <= p.end]
            levels.append(float(known[-1]) if known else None if day <= i.now.end else float(value))
        others.append(_Compared(who, day, value, levels))
    return others


def _drawn(j: _Judged, report: KpiReport) -> Drawing:
    i, unit, points, v = j.i, j.unit, j.i.points, j.i.version
    compared = _compared(i)
    levels = [x for c in compared for x in c.levels if x is not None]
    for dated in (v.target, v.usual):
        levels += _each(dated, points) if dated else []
    for band in [v.band.on(p.end) for p in points] if v.band else []:
        levels += [float(band.lower), float(band.upper)]
    scale = _scale([*(float(e) for p in points for e in p.ends), *levels] or [0.0], unit)

    room = WIDTH - 2 * EDGE
    title = _clean(f"{v.code}: {i.measure.title}")
    titles, now = wrapped(title, room, 14, bold=True), wrapped(_clean(headline(i)), room, 11)
    axis = UNIT_NAMES[unit] + (f", {SCALES[i.measure.direction]}" if SCALES[i.measure.direction] else "")
    if scale.low > 0:
        axis += f". The axis is cut off: it begins at {scale.low:,g}, not at 0"
    notes = [line for n in _notes(j, report) for line in wrapped(n, room, 9)]
    keys = _keys(j)
    above = EDGE + 18 * len(titles) + 15 * len(now) + 30
    below = EDGE + 12 * len(notes) + 8 + 17 * len(keys) + 54
    drawing = Drawing(WIDTH, below + HEIGHT + above, file_name(i).removesuffix(".svg"), title, described(i))
    page = _Page(drawing, len(points), scale, below)

    y = drawing.height - EDGE - 11
    for lines, size, gap, bold in ((titles, 14, 18, True), (now, 11, 15, False)):
        for line in lines:
            drawing.text(EDGE, y, line, size, INK, bold=bold)
            y -= gap
    drawing.text(EDGE, below + HEIGHT + 12, axis, 10, QUIET)
    for tick in scale.ticks:
        drawing.text(LEFT - 8, page.y(tick) - middle(10), f"{tick:,g}", 10, QUIET, "end")
    _draw_band(page, j)
    gaps = _draw_gaps(page, points)
    labels = _draw_held_to(page, j, compared)
    drawing.line(((LEFT, below), (LEFT + page.plot, below)), QUIET, 0.8)
    _draw_values(page, j)
    if points[-1].ends:
        counts = words.counts(points[-1])
        text = words.value(points[-1], unit) + (f"\n{counts}" if counts else "")
        centre = float(sum(points[-1].ends) / 2)
        labels.append(_Label(page.x(len(points) - 1) + 6, page.y(centre), text, INK, bold=True))
    _draw_labels(page, labels)
    for x, why, upright in gaps:
        at = (x + middle(10), below + HEIGHT / 2) if upright else (x, below + HEIGHT / 2 - middle(10))
        drawing.text(*at, why, 10, QUIET, "middle", upright=upright, ground=NOTHING_THERE)
    _draw_periods(page, j)
    _draw_keys(drawing, keys, below - 54 - 6)
    for k, line in enumerate(reversed(notes)):
        drawing.text(EDGE, EDGE - 4 + 12 * k, line, 9, QUIET)
    return drawing


def _draw_band(page: _Page, j: _Judged) -> None:
    """The area of the band at each period."""
    if j.i.version.band:
        bands = [j.i.version.band.on(p.end) for p in j.i.points]
        low, high = page.stairs([float(b.lower) for b in bands]), page.stairs([float(b.upper) for b in bands])
        page.drawing.hatched([*low, *reversed(high)], HATCH)


def _draw_held_to(page: _Page, j: _Judged, compared: Iterable[_Compared]) -> list[_Label]:
    """Draws the figures, and what others have; gives their labels."""
    i, v, unit, day = j.i, j.i.version, j.unit, j.i.now.end
    edge, draw = LEFT + page.plot, page.drawing
    labels = []
    suggested = words.suggested(v, "x")
    if v.band:
        bands = [v.band.on(p.end) for p in i.points]
        for limits, text in (
            ([b.upper for b in bands], "tolerance, upper end"),
            ([b.lower for b in bands], "tolerance, lower end"),
        ):
            draw.line(page.stairs([float(limit) for limit in limits]), FIGURE, THICK)
            words_of_it = f"{text} {words.limit(limits[-1], unit)}{suggested}"
            labels.append(_Label(edge, page.y(float(limits[-1])), words_of_it, FIGURE))
    for dated, what in ((v.target, "target: "), (v.usual, "")):
        if dated:
            levels = _each(dated, i.points)
            draw.line(page.stairs(levels), FIGURE, THICK, TARGET_DASH)
            labels.append(_Label(edge, page.y(float(dated.on(day))), what + words.figure(i), FIGURE, TARGET_DASH))
            _draw_former(page, levels, unit)
    for k, c in enumerate(compared):
        dashes = DASHES[k % len(DASHES)]
        first = next((n for n, level in enumerate(c.levels) if level is not None), page.n)
        if known := [level for level in c.levels if level is not None]:
            draw.line(page.stairs(known, first), QUIET, THICK, dashes)
        text = f"{_clean(c.who)} {words.amount(c.value, unit)} ({c.since.isoformat()[:7]})"
        labels.append(_Label(edge, page.y(float(c.value)), text, QUIET, dashes))
    return labels


def _draw_former(page: _Page, levels: Sequence[float], unit: MeasureUnit) -> None:
    """What a figure was before it became what it is now."""
    place = 0
    for level, run in groupby(levels):
        n = len(list(run))
        if place + n < len(levels):
            text = words.limit(Decimal(str(level)), unit)
            page.drawing.text(page.x(place - 0.45), page.y(level) + 4, text, 9, FIGURE, ground=PAPER)
        place += n


def _draw_gaps(page: _Page, points: Sequence[Point]) -> list[tuple[float, str, bool]]:
    """Marks periods without a value; gives where each gap has its middle, why it is there, and whether that has room upright only."""
    gaps, place = [], 0
    for why, run in groupby(points, key=_in_short):
        n = len(list(run))
        if why:
            left, right = page.x(place - 0.5), page.x(place + n - 0.5)
            page.drawing.box(left, page.below, right - left, HEIGHT, NOTHING_THERE)
            gaps.append(((left + right) / 2, why, width_of(why, 10) > right - left - 4))
        place += n
    return gaps


def _draw_values(page: _Page, j: _Judged) -> None:
    """Points joined by a line; what may be anything from one value to another has both, and two lines."""
    points, draw = j.i.points, page.drawing
    for k, (a, b) in enumerate(pairwise(points)):
        if a.ends and b.ends:
            is_sure = a.value is not None and b.value is not None
            dashes = UNBROKEN if is_sure and not _is_running(j.i, b) else OPEN_DASH
            for low_or_high in (0,) if is_sure else (0, 1):
                way = [(page.x(k + n), page.y(float(p.ends[low_or_high]))) for n, p in enumerate((a, b))]
                draw.line(way, LINE, THICK_VALUES, dashes)
    for k, p in enumerate(points):
        if p.ends and p.value is None:
            draw.line([(page.x(k), page.y(float(e))) for e in p.ends], LINE, THICK_RANGE)
    size = max(3.0, min(8.0, 0.5 * page.plot / page.n))
    places: dict[tuple[Mark, str], list[tuple[float, float]]] = {}
    for k, (p, then) in enumerate(zip(points, j.upto, strict=True)):
        at = places.setdefault((_mark(then), " or ".join(then.status.possible)), [])
        at += [(page.x(k), page.y(float(e))) for e in sorted(set(p.ends))]
    for (mark, standing), at in places.items():
        if at:
            draw.marks(at, mark.look, size, "status-" + (standing.replace(" ", "-") or "none"))


def _draw_labels(page: _Page, labels: Iterable[_Label]) -> None:
    edge, size = LEFT + page.plot, 10
    left = edge + 22
    told = [
        (
            label,
            [line for part in label.text.split("\n") for line in wrapped(part, WIDTH - EDGE - left, size, label.bold)],
        )
        for label in labels
    ]
    told.sort(key=lambda x: -x[0].y)
    heights = [13.0 * len(lines) + 3 for _, lines in told]
    middles = _apart([label.y for label, _ in told], heights, page.below - 6, page.below + HEIGHT + 8)
    for (label, lines), centre in zip(told, middles, strict=True):
        way = ((label.x, label.y), (edge + 6, label.y), (left - 4, centre))
        page.drawing.line(way, label.colour, 0.9 if label.bold else THICK, label.dashes)
        for k, line in enumerate(lines):
            y = centre + 13 * ((len(lines) - 1) / 2 - k) - middle(size)
            page.drawing.text(left, y, line, size, label.colour, bold=label.bold)


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
    if max(width_of(x, 10, bold=True) for x in letters) + 4 > room:
        letters = ["?" if "/" in x else x for x in letters]
    if set(letters) - {"", "–"} and max(width_of(x, 10, bold=True) for x in letters) + 2 < room:
        page.drawing.text(LEFT - 8, page.below - 15, "Status", 10, QUIET, "end")
        for k, letter in enumerate(letters):
            page.drawing.text(page.x(k), page.below - 15, letter, 10, INK, "middle", bold=True)
        down = 16
    names = _names(j)
    widest = max(width_of(first, 10) for first, _ in names) + 6
    step = int(-(-widest // room))
    said = ""
    for k in range((page.n - 1) % step, page.n, step):
        first, second = names[k]
        page.drawing.text(page.x(k), page.below - 15 - down, first, 10, INK, "middle")
        if second != said:
            page.drawing.text(page.x(k), page.below - 28 - down, second, 10, INK, "middle")
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
        used += width_of(said, 10) + 40
        if rows[-1] and used > WIDTH - LEFT - EDGE:
            rows.append([])
            used = width_of(said, 10) + 40
        rows[-1].append((mark, said))
    return rows if found else []


def _draw_keys(drawing: Drawing, rows: Sequence[Sequence[tuple[Mark | None, str]]], top: float) -> None:
    for n, row in enumerate(rows):
        x, y = LEFT + 6, top - 17 * n
        for mark, said in row:
            if mark is None:
                drawing.line(((x - 8, y), (x + 10, y)), LINE, THICK_VALUES, OPEN_DASH)
            else:
                drawing.marks(((x, y),), mark.look, 8)
            drawing.text(x + 13, y - middle(10), said, 10, INK)
            x += width_of(said, 10) + 40
