"""Pictures as SVG, with text as text: what is placed on a page in points from its lower left corner. Pure."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, floor, log10
from typing import Literal

Way = Sequence[tuple[float, float]]
"""Points that are joined by a line."""
Anchor = Literal["start", "middle", "end"]
Shape = Literal["circle", "up", "down", "diamond", "square"]
Fill = Literal["none", "half", "full"]

FONTS = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif"
PAPER = "#ffffff"

# --- how wide text runs ---

# Of the letters from space to tilde in DejaVu Sans, in thousandths of their size: it runs wider than the fonts named before it, so that
# lines fit in each, and break alike everywhere.
_WIDTHS = """
318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 636 636 337 337 838 838 838 531
1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500
500 613 635 550 635 615 352 635 634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838"""
_BOLD = """
348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696 696 696 400 400 838 838 838 580
1000 774 762 734 830 683 683 821 837 372 372 775 637 995 837 850 733 850 770 720 682 812 774 1103 771 724 725 457 365 457 838 500
500 675 716 593 716 678 435 716 712 343 343 665 343 1042 712 687 716 716 493 595 478 712 652 924 645 652 582 712 365 712 838"""
_ADVANCES = {
    bold: {chr(ord(" ") + n): int(width) for n, width in enumerate(widths.split())} | {"–": 500, "£": 696, "€": 696}
    for bold, widths in ((False, _WIDTHS), (True, _BOLD))
}
WIDEST = 1230
"""Of a letter that is in neither table, and is not one of these with an accent."""


@cache
def _advance(letter: str, bold: bool) -> int:
    plain = unicodedata.normalize("NFKD", letter)[:1]
    return _ADVANCES[bold].get(letter, _ADVANCES[bold].get(plain, WIDEST))


def width_of(text: str, size: float, bold: bool = False) -> float:
    """How wide a text of this size runs at most, in points."""
    return size * sum(_advance(letter, bold) for letter in text) / 1000


def wrapped(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """A text in lines that run no wider than `width`; a number stays with its per cent."""
    lines = [""]
    for word in text.replace(" %", "\xa0%").split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, size, bold) > width:
            lines.append("")
            longer = word
        while len(longer) > 1 and width_of(longer, size, bold) > width:
            fits = next(n for n in range(len(longer) - 1, 0, -1) if n == 1 or width_of(longer[:n], size, bold) <= width)
            lines[-1:] = [longer[:fits], ""]
            longer = longer[fits:]
        lines[-1] = longer
    return [line.replace("\xa0", " ") for line in lines]


# --- an axis ---

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_STEPS = 6


def ticks(low: float, high: float, whole: bool) -> list[float]:
    """Round values, from the last up to `low` to the first from `high` on, no more than `MOST_STEPS` steps between these two.

    Args:
      high: above `low`.
      whole: they are whole numbers.
    """
    least = max((high - low) / MOST_STEPS, 1.0 if whole else 0.0)
    power = 10.0 ** floor(log10(least))
    steps = (n * power for n in STEPS)
    step = next(s for s in steps if s >= least * (1 - 1e-9) and (not whole or s.is_integer()))
    return [n * step for n in range(floor(low / step + 1e-9), ceil(high / step - 1e-9) + 1)]


# --- the page ---


@dataclass(frozen=True, slots=True)
class Look:
    """How a mark looks; its filled part has the colour of its edge."""

    shape: Shape
    fill: Fill
    colour: str


class Drawing:
    """A page on which one thing is drawn over another.

    Args:
      prefix: what ids on it begin with: they must not clash in a document that holds several drawings.
      title, description: the same for whoever does not see it.
    """

    def __init__(self, width: float, height: float, prefix: str, title: str, description: str) -> None:
        self.height, self._prefix = height, prefix
        self._root = ET.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                # In pixels: not every program knows points.
                "width": f"{width * 96 / 72:.0f}",
                "height": f"{height * 96 / 72:.0f}",
                "viewBox": f"0 0 {width:g} {height:g}",
                "role": "img",
                "aria-labelledby": f"{prefix}-title {prefix}-desc",
                "font-family": FONTS,
                "fill": "none",
                "stroke-linejoin": "round",
            },
        )
        for name, text in (("title", title), ("desc", description)):
            ET.SubElement(self._root, name, {"id": f"{prefix}-{name}"}).text = text
        self.box(0, 0, width, height, PAPER)

    def svg(self) -> str:
        """The file: it loads nothing and runs nothing."""
        ET.indent(self._root, " ")
        return ET.tostring(self._root, encoding="unicode") + "\n"

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle; `x` and `y` of its lower left corner."""
        place = {"x": _n(x), "y": _n(self.height - y - height), "width": _n(width), "height": _n(height)}
        ET.SubElement(self._root, "rect", {**place, "fill": colour})

    def line(self, way: Way, colour: str, thickness: float, dashes: Sequence[float] = ()) -> None:
        """A line.

        Args:
          dashes: how long dashes and gaps are in turn, as multiples of its thickness; none: it is unbroken.
        """
        look = {"stroke": colour, "stroke-width": _n(thickness)}
        if dashes:
            look["stroke-dasharray"] = " ".join(_n(d * thickness) for d in dashes)
        ET.SubElement(self._root, "path", {"d": self._path(way), **look})

    def hatched(self, outline: Way, colour: str) -> None:
        """An area filled with slanting lines."""
        name = f"{self._prefix}-hatch"
        tile = {"id": name, "patternUnits": "userSpaceOnUse", "width": "6", "height": "6"}
        pattern = ET.SubElement(self._root, "pattern", tile)
        # What runs over the edges of a tile joins it to the next.
        lines = {"d": "M-1 1 1-1M0 6 6 0M5 7 7 5", "stroke": colour, "stroke-width": "0.7"}
        ET.SubElement(pattern, "path", lines)
        ET.SubElement(self._root, "path", {"d": self._path(outline) + "Z", "fill": f"url(#{name})"})

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str,
        anchor: Anchor = "start",
        bold: bool = False,
        upright: bool = False,
        ground: str = "",
    ) -> None:
        """A line of text, at its baseline.

        Args:
          anchor: which part of it stands at `x`.
          upright: it runs upwards, around this place.
          ground: the colour of a box around it, which covers what lies below; empty: there is none.
        """
        if ground:
            self._ground(x, y, text, size, anchor, upright, ground)
        look = {"x": _n(x), "y": _n(self.height - y), "font-size": _n(size), "fill": colour}
        if anchor != "start":
            look["text-anchor"] = anchor
        if bold:
            look["font-weight"] = "700"
        if upright:
            look["transform"] = f"rotate(-90 {look['x']} {look['y']})"
        ET.SubElement(self._root, "text", look).text = text

    def _ground(self, x: float, y: float, text: str, size: float, anchor: Anchor, upright: bool, colour: str) -> None:
        long, high, pad = width_of(text, size), size, 1.5
        before = {"start": 0.0, "middle": long / 2, "end": long}[anchor]
        if upright:
            self.box(x - 0.8 * high - pad, y - before - pad, high + 2 * pad, long + 2 * pad, colour)
        else:
            self.box(x - before - pad, y - 0.2 * high - pad, long + 2 * pad, high + 2 * pad, colour)

    def marks(self, places: Way, look: Look, size: float, name: str = "") -> None:
        """The same mark at several places.

        Args:
          name: the id of the group that they are; empty: it has none.
        """
        group = ET.SubElement(
            self._root, "g", {"stroke": look.colour, "stroke-width": "1.5", "stroke-linejoin": "miter"}
        )
        if name:
            group.set("id", f"{self._prefix}-{name}")
        parts = [(_outline(look.shape, size / 2), look.colour if look.fill == "full" else PAPER)]
        if look.fill == "half":
            parts.append((_half(look.shape, size / 2), look.colour))
        for x, y in places:
            for path, colour in parts:
                at = f"translate({_n(x)} {_n(self.height - y)})"
                ET.SubElement(group, "path", {"transform": at, "d": path, "fill": colour})

    def _path(self, way: Way) -> str:
        return "M" + " ".join(f"{_n(x)} {_n(self.height - y)}" for x, y in way)


def middle(size: float) -> float:
    """How far below the middle of its letters the baseline of a text lies."""
    return 0.36 * size


def _n(value: float) -> str:
    return f"{value + 0.0:.6g}"


_CORNERS: dict[Shape, Way] = {
    "up": ((0, -1), (-1, 1), (1, 1)),
    "down": ((0, 1), (-1, -1), (1, -1)),
    "diamond": ((0, -(2**0.5)), (-(2**0.5), 0), (0, 2**0.5), (2**0.5, 0)),
    "square": ((-1, -1), (-1, 1), (1, 1), (1, -1)),
}


def _outline(shape: Shape, half: float) -> str:
    """A mark that reaches so far from its middle."""
    if shape == "circle":
        return f"M{_n(-half)} 0{_arc(half)}{_arc(half, back=True)}Z"
    return "M" + " ".join(f"{_n(x * half)} {_n(y * half)}" for x, y in _CORNERS[shape]) + "Z"


def _half(shape: Shape, half: float) -> str:
    """The lower half of a circle, the left one of what has corners."""
    if shape == "circle":
        return f"M{_n(-half)} 0{_arc(half)}Z"
    return "M" + " ".join(f"{_n(min(x, 0) * half)} {_n(y * half)}" for x, y in _CORNERS[shape]) + "Z"


def _arc(radius: float, back: bool = False) -> str:
    return f"a{_n(radius)} {_n(radius)} 0 1 0 {_n(-2 * radius if back else 2 * radius)} 0"
