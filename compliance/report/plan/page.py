"""A page of headings, facts and tables, for a terminal and in Markdown; what is empty is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import fill

from compliance.report.grid import grid
from compliance.report.plan import words
from compliance.report.words import for_log

NARROWEST = 80
GAP = 2
KEPT_WHOLE = 18
"""A column no wider than this is not wrapped while there is room: a month, a range of months, a status."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; 1 is the page's own."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of something, by its name."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headers; a column in which nothing stands is left out.

    Args:
      right: headers of the columns of numbers.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """Remarks, one below the other."""

    texts: Sequence[str]


Block = Heading | Facts | Table | Text | Items


def section(level: int, title: str, *blocks: Block) -> list[Block]:
    """A heading with what stands under it; nothing, if nothing does."""
    there = [b for b in blocks if not _empty(b)]
    return [Heading(level, title), *there] if there else []


def _empty(block: Block) -> bool:
    match block:
        case Facts(pairs):
            return not any(v for _, v in pairs)
        case Table():
            return not block.rows
        case Items(texts):
            return not texts
        case Heading(_, text) | Text(text):
            return not text


def there(blocks: Iterable[Block]) -> Iterator[Block]:
    """Those in which something stands."""
    return (b for b in blocks if not _empty(b))


def terminal(blocks: Iterable[Block], width: int) -> Iterator[str]:
    """For a terminal of so many columns."""
    width = max(width, NARROWEST)
    for i, block in enumerate(there(blocks)):
        yield "\n" if i else ""
        yield _terminal(block, width)


def _terminal(block: Block, width: int) -> str:
    match block:
        case Heading(level, text):
            shown = for_log(fill(text, width))
            line = {1: "=", 2: "-"}.get(level, "")
            return shown + "\n" + (f"{line * max(map(len, shown.splitlines()))}\n" if line else "")
        case Facts(pairs):
            rows = [[k, v] for k, v in pairs if v]
            first = max(len(k) for k, _ in rows)
            lines = (
                fill(v, width, initial_indent=k.ljust(first + GAP), subsequent_indent=" " * (first + GAP))
                for k, v in rows
            )
            return for_log("".join(f"{line}\n" for line in lines))
        case Table():
            headers, rows = filled(block)
            rows = [[for_log(c) for c in row] for row in rows]
            return grid(
                rows,
                headers,
                _widths([headers, *rows], width),
                right=[i for i, h in enumerate(headers) if h in block.right],
            )
        case Text(text):
            return for_log(fill(text, width)) + "\n"
        case Items(texts):
            return for_log("".join(fill(t, width, initial_indent="- ", subsequent_indent="  ") + "\n" for t in texts))


def filled(table: Table) -> tuple[list[str], list[list[str]]]:
    """Headers and rows without the columns in which nothing stands."""
    there = [i for i in range(len(table.headers)) if any(row[i] for row in table.rows)]
    return [table.headers[i] for i in there], [[row[i] for i in there] for row in table.rows]


def _widths(cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns' widths: no word is broken while there is room, and what is left goes where a line is longest for its column."""
    columns = list(zip(*cells, strict=True))
    room = width - GAP * (len(columns) - 1)
    whole = [max(len(c) for c in column) for column in columns]
    words = [max((len(w) for c in column for w in c.split()), default=1) for column in columns]
    its = [n if n <= KEPT_WHOLE else least for n, least in zip(whole, words, strict=True)]
    if sum(its) > room:
        its = [min(least, max(room // len(columns), 1)) for least in words]
    for _ in range(room - sum(its)):
        i = max(range(len(its)), key=lambda i: whole[i] / max(its[i], 1))
        if whole[i] <= its[i]:
            break
        its[i] += 1
    return [max(w, 1) for w in its]


def markdown(blocks: Iterable[Block]) -> Iterator[str]:
    """In Markdown."""
    for i, block in enumerate(there(blocks)):
        yield "\n" if i else ""
        yield _markdown(block)


def _markdown(block: Block) -> str:
    said = words.cell
    match block:
        case Heading(level, text):
            return f"{'#' * level} {said(text)}\n"
        case Facts(pairs):
            return "".join(f"- **{said(k)}**: {said(v)}\n" for k, v in pairs if v)
        case Table():
            headers, rows = filled(block)
            return words.markdown_table(headers, rows)
        case Text(text):
            return f"{said(text)}\n"
        case Items(texts):
            return "".join(f"- {said(t)}\n" for t in texts)
