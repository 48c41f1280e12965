"""KPIs made ready for their page: a card each, with its chart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

import compliance.report.kpi.chart as chart
import compliance.report.kpi.words as words
from compliance.kpis.kpi import Framework, Indicator, KpiReport, in_order

SYMBOLS: Mapping[str, str] = {
    "green": "●", "better": "●", "better than usual": "●", "above usual": "▲", "below usual": "▼",
    "amber": "◆", "within": "◆", "as usual": "◆",
    "red": "▲", "outside": "▲", "worse than usual": "▲",
}  # fmt: skip
GOOD, MIDDLING = ("green", "better", "better than usual"), ("amber", "within", "as usual")
BAD = ("red", "outside", "worse than usual")

_STYLE = re.compile(r' style="([^"]*)"')


@dataclass(frozen=True)
class Card:
    """A KPI as it is shown.

    Args:
      tone: good, middling, bad or none: how it is coloured, which its words say as well.
    """

    indicator: Indicator
    value: str
    counts: str
    figure: str
    status: str
    symbol: str
    tone: str
    change: str
    period: str
    chart: Markup
    rows: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class View:
    """What the template is given.

    Args:
      style: what the charts' marks look like: a page that allows no style in its elements has it here.
    """

    report: KpiReport
    frameworks: Sequence[tuple[Framework, Sequence[Card]]]
    style: str


def view(report: KpiReport) -> View:
    """A card for each KPI, by framework."""
    classes: dict[str, int] = {}
    of: dict[str, list[Card]] = {f.name: [] for f in report.frameworks}
    for i in in_order(report.indicators):
        of.setdefault(i.framework.name, []).append(_card(i, report, classes))
    style = "".join(f".k{n}{{{said}}}\n" for said, n in classes.items())
    return View(report, [(f, of[f.name]) for f in report.frameworks], style)


def _card(i: Indicator, report: KpiReport, classes: dict[str, int]) -> Card:
    unit, certain = i.measure.unit, i.status.certain
    tone = "good" if certain in GOOD else "middling" if certain in MIDDLING else "bad" if certain in BAD else "none"
    rows = [(words.period(i, p), words.value(p, unit), words.counts(p)) for p in i.points]
    return Card(
        indicator=i,
        value=words.value(i.now, unit),
        counts=words.counts(i.now),
        figure=words.figure(i),
        status=words.status(i),
        symbol=SYMBOLS.get(certain or "", "○"),
        tone=tone,
        change=words.change(i),
        period=words.period(i, i.now),
        chart=_inline(chart.svg(i, report), classes),
        rows=rows,
    )


def _inline(svg: str, classes: dict[str, int]) -> Markup:
    """A chart whose styles are classes."""

    def named(found: re.Match[str]) -> str:
        said = found[1].replace("&quot;", "'").replace("&apos;", "'")
        return f' class="k{classes.setdefault(said, len(classes))}"'

    return Markup(_STYLE.sub(named, svg[svg.index("<svg") :]))  # noqa: S704  # our own chart, its texts escaped there
