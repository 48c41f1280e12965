"""A table of text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from compliance.report.words import for_log


def grid(
    rows: Sequence[Sequence[str]], headers: Sequence[str], widths: Sequence[int | None], right: Sequence[int] = ()
) -> str:
    """Rows of text, each column wrapped to its width (None: as wide as it is) and aligned to the left, or right.

    tabulate's own wrapping takes text for numbers ('1,383') and for truth values ('False').
    """
    import tabulate

    # Headers are not made two wider than they are: the columns of a terminal are counted.
    tabulate.MIN_PADDING = 0

    def wrapped(cell: str, width: int | None) -> str:
        if width is None:
            return cell
        return "\n".join(part for line in cell.splitlines() for part in parts(line, width))

    def parts(line: str, width: int) -> list[str]:
        # Most fit as they are, and textwrap takes 0.1 ms a line.
        return [line] if len(line) <= width and line.strip() == line and "\t" not in line else wrap(line, width) or [""]

    shown = [[wrapped(c, w) for c, w in zip(row, widths, strict=True)] for row in rows]
    heads = [wrapped(h, w) for h, w in zip(headers, widths, strict=True)]
    align = ["right" if i in right else "left" for i in range(len(headers))]
    table = tabulate.tabulate(
        shown, heads, colalign=align if rows else None, headersglobalalign="left", disable_numparse=True
    )
    # Where a long word was broken, its rest begins a line.
    return for_log(table) + "\n"
