"""What stands in the columns of a sheet whose meaning is not known yet: dates and how they are written, numbers, words that recur, ids."""

from __future__ import annotations

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from compliance.records.mapping import ISO, SERIAL
from compliance.records.reading import DATE_MARK
from compliance.sql.loading import FALSE_WORDS, TRUE_WORDS

FORMATS = (
    ISO, "DD/MM/YYYY", "DD-MM-YYYY", "DD.MM.YYYY", "DD/MM/YY", "DD MMM YYYY", "DD-MMM-YYYY", "DD-MMM-YY", "DD MMM YY",
    "YYYY/MM/DD", "YYYYMMDD", "YYYY-MM-DD HH:mm:ss", "DD/MM/YYYY HH:mm:ss", "DD/MM/YYYY HH:mm", "YYYY-MM-DD HH:mm",
    "MM/DD/YYYY",
)  # fmt: skip
"""How dates are written; those of other countries last, for they are tried only on what no other reads."""
MEAN_NOTHING = frozenset({"-", "--", "n/a", "#n/a", "n.a.", "null", "nan", "#null!"})
"""Cells that mean nothing wherever they stand."""
LETTERED = re.compile(r"^[a-z][0-9]?\) ?", re.IGNORECASE)
LABEL = re.compile(r":.*$")
TWO = r"\d{2}"
MONTHS = {
    m: i for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
NEARLY_ALL = 0.9
SOME = 0.3
MANY_CODES = 40
ENOUGH = 300
LONG = 60
"""Characters of a cell that is a sentence, and no code."""
_SERIAL = re.compile(r"[1-9][0-9]{4}(?:\.[0-9]+)?")
_NUMBER = re.compile(r"[-+]?[0-9]{1,13}(?:\.[0-9]+)?")
_NAME = re.compile(r"[A-Z][a-z'’-]+(?: [A-Z][a-z'’-]*\.?)+")
_ID = re.compile(r"[A-Za-z]{0,4}[-/]?\d{3,}")
_TOTAL = re.compile(
    r"(?:grand |sub-?)?totals?\b|number of (?:rows|records)\b|count\b|end of (?:report|list)\b", re.IGNORECASE
)
EARLIEST_SERIAL, LATEST_SERIAL = 15_000, 60_000
"""1941 and 2064."""


@dataclass(frozen=True)
class Profile:
    """One column of a table.

    Args:
      name: what the export calls it.
      counts: how often each cell stands there, without those that are empty or mean nothing.
      nothing: words that mean nothing, in small letters.
      rows: how many rows the table has.
    """

    name: str
    counts: Counter[str]
    nothing: frozenset[str]
    rows: int

    @cached_property
    def filled(self) -> int:
        """Cells that hold something."""
        return sum(self.counts.values())

    @cached_property
    def formats(self) -> tuple[str, ...]:
        """The formats in which its dates are written, the most frequent first; empty where they are no dates."""
        written = sorted(v for v in self.counts if not v.startswith(DATE_MARK))
        # A few hundred, from all over the column, say how it is written.
        some = written[:: max(1, len(written) // ENOUGH)]
        left = Counter({v: self.counts[v] for v in some})
        looked_at = sum(left.values())
        found: list[str] = []
        if self.filled and not left:
            return (ISO,)
        while left and len(found) < 4:
            read = {f: sum(n for v, n in left.items() if _reads(f, v)) for f in FORMATS if f not in found}
            best = max(read, key=lambda f: read[f])
            if not read[best]:
                break
            found.append(best)
            left = Counter({v: n for v, n in left.items() if not _reads(best, v)})
        return tuple(found) if self.filled and sum(left.values()) <= (1 - NEARLY_ALL) * looked_at else ()

    @cached_property
    def with_serials(self) -> tuple[str, ...]:
        """The formats of its dates if numbers in it are days of a spreadsheet; empty where they cannot be."""
        serials = {v for v in self.counts if _is_serial(v)}
        rest = Counter({v: n for v, n in self.counts.items() if v not in serials})
        formats = Profile(self.name, rest, self.nothing, self.rows).formats
        fits = sum(rest.values()) <= (1 - NEARLY_ALL) * self.filled or formats
        return (*formats, SERIAL) if serials and fits else ()

    @cached_property
    def no_dates(self) -> int:
        """Cells that none of its formats reads."""
        formats = self.with_serials or self.formats
        return sum(n for v, n in self.counts.items() if not any(reads(f, v) for f in formats))

    @cached_property
    def ambiguous(self) -> bool:
        """Whether its dates would be other days with day and month the other way round, and none says which is meant."""
        slashed = [v for v in self.counts if _reads("DD/MM/YYYY", v)]
        return len(slashed) > 5 and all(_reads("MM/DD/YYYY", v) for v in slashed)

    @cached_property
    def numeric(self) -> bool:
        """Whether nearly all of its cells are numbers."""
        return self._share(lambda v: bool(_NUMBER.fullmatch(v))) >= NEARLY_ALL

    @cached_property
    def yes_or_no(self) -> bool:
        """Whether nearly all of its cells are yes or no, in one of the ways that need no telling."""
        return self._share(lambda v: v.lower() in (*TRUE_WORDS, *FALSE_WORDS)) >= NEARLY_ALL

    @cached_property
    def lettered(self) -> bool:
        """Whether its cells bear a letter in front, as lists of Ofsted's do: "a) Yes", "q) 6: Police"."""
        return self._share(lambda v: bool(LETTERED.match(v))) >= SOME

    @cached_property
    def bare(self) -> Profile:
        """The column without letters in front and labels behind its codes; itself where there are none."""
        if not self.lettered:
            return self
        counts = Counter[str]()
        for cell, n in self.counts.items():
            counts[LABEL.sub("", LETTERED.sub("", cell)).strip()] += n
        return Profile(self.name, counts, self.nothing, self.rows)

    @cached_property
    def unique(self) -> bool:
        """Whether every row has its own."""
        return self.filled == self.rows == len(self.counts) and self.rows > 0

    @property
    def nearly_unique(self) -> bool:
        """Whether nearly every row has its own: the others stand there twice."""
        return len(self.counts) > NEARLY_ALL * self.rows > 0

    @cached_property
    def idlike(self) -> bool:
        """Whether its cells look as numbers and marks of records do: short, without blanks, with figures in them."""
        return not self.formats and self._share(_idlike) >= NEARLY_ALL

    @cached_property
    def recurs(self) -> bool:
        """Whether a few words recur in it, as codes do; names of people and sentences are none, however often they stand there."""
        few = len(self.counts) <= MANY_CODES and len(self.counts) * 2 <= max(self.filled, 1)
        return few and not any(len(v) > LONG for v in self.counts) and not self.names

    @cached_property
    def names(self) -> bool:
        """Whether many of its cells look like names of people."""
        return self._share(lambda v: bool(_NAME.fullmatch(v))) >= HALF

    @cached_property
    def values(self) -> frozenset[str]:
        """Its different cells, in small letters."""
        return frozenset(v.lower() for v in self.counts)

    def _share(self, fits: object) -> float:
        assert callable(fits)
        return sum(n for v, n in self.counts.items() if fits(v)) / self.filled if self.filled else 0.0


HALF = 0.5


def _idlike(cell: str) -> bool:
    return len(cell) <= 20 and " " not in cell and any(c.isdigit() for c in cell)


def _is_serial(cell: str) -> bool:
    return bool(_SERIAL.fullmatch(cell)) and EARLIEST_SERIAL <= float(cell) <= LATEST_SERIAL


def reads(format_: str, cell: str) -> bool:
    """Whether a cell is a date written so."""
    if cell.startswith(DATE_MARK):
        return True
    return _is_serial(cell) if format_ == SERIAL else _reads(format_, cell)


@lru_cache(maxsize=1 << 17)
def _reads(format_: str, cell: str) -> bool:
    if abs(len(cell) - len(format_)) > 2:
        return False
    found = _pattern(format_).fullmatch(cell)
    if found is None:
        return False
    parts = found.groupdict()
    month = parts.get("MM") or str(MONTHS.get((parts.get("MMM") or "").lower(), 0))
    year = int(parts.get("YYYY") or f"20{parts['YY']}")
    return 1900 <= year < 2200 and 1 <= int(month) <= 12 and 1 <= int(parts["DD"]) <= monthrange(year, int(month))[1]


@cache
def _pattern(format_: str) -> re.Pattern[str]:
    """What cells in a format look like."""
    tokens = re.split(r"(YYYY|YY|MMM|MM|DD|HH|mm|ss)", format_)
    shapes = {"YYYY": r"\d{4}", "MMM": "[A-Za-z]{3}"}
    return re.compile(
        "".join(f"(?P<{t}>{shapes.get(t, TWO)})" if i % 2 else re.escape(t) for i, t in enumerate(tokens))
    )


@dataclass(frozen=True)
class Profiled:
    """A table as it was found.

    Args:
      header: the row that holds the column names.
      columns: its columns that have a name.
      rows: how many were looked at, without what stands at the end and is no record; `footer`: how many rows that is.
      whole: whether these are all.
      named: whether the header looks like one.
    """

    header: int
    columns: tuple[Profile, ...]
    rows: int
    footer: int
    whole: bool
    named: bool


def profiled(rows: Sequence[Sequence[str]], whole: bool) -> Profiled | None:
    """Looks through the rows of a table; None: there is nothing in it.

    Args:
      rows: from the first of the file, as texts.
      whole: these are all that it has.
    """
    at = _header(rows)
    if at is None:
        return None
    names = [c.strip() for c in rows[at]]
    body = [r for r in rows[at + 1 :] if any(c.strip() for c in r)]
    footer = _footer(body, sum(map(bool, names))) if whole else 0
    body = body[: len(body) - footer]
    columns = []
    for i, name in enumerate(names):
        if name:
            cells = Counter(c for r in body if i < len(r) and (c := r[i].strip()))
            nothing = frozenset(c.lower() for c in cells if c.lower() in MEAN_NOTHING)
            columns.append(
                Profile(name, Counter({c: n for c, n in cells.items() if c.lower() not in nothing}), nothing, len(body))
            )
    return Profiled(at + 1, tuple(columns), len(body), footer, whole, _is_header(names))


def _header(rows: Sequence[Sequence[str]]) -> int | None:
    """The first of the first rows that names nearly as many columns as any of them; titles above a table name fewer."""
    first = rows[:12]
    filled = [len({c.strip().lower() for c in r if c.strip()}) for r in first]
    if not any(filled):
        return None
    enough = 0.7 * max(filled)
    return next(i for i, n in enumerate(filled) if n >= enough)


def _is_header(names: Sequence[str]) -> bool:
    """Whether this is a row of names, and not a record: no cell stands twice, and hardly one is a date, a number, or an id."""
    cells = [n for n in names if n]
    values = [n for n in cells if _NUMBER.fullmatch(n) or any(_reads(f, n) for f in FORMATS) or _ID.fullmatch(n)]
    return len({c.lower() for c in cells}) == len(cells) and len(values) <= len(cells) // 10


def _footer(body: Sequence[Sequence[str]], width: int) -> int:
    """How many rows at the end are totals or remarks."""
    n = 0
    for row in reversed(body[-5:]):
        cells = [c.strip() for c in row if c.strip()]
        remark = len(cells) == 1 and width > 2 and len(cells[0]) > 25
        if not (any(_TOTAL.match(c) for c in cells) and len(cells) <= max(2, width // 2)) and not remark:
            break
        n += 1
    return n


def joined(tables: Iterable[Profiled]) -> Profiled:
    """Several tables with the same columns as one."""
    parts = list(tables)
    first = parts[0]
    rows = sum(p.rows for p in parts)
    columns = []
    for column in first.columns:
        its = [c for p in parts for c in p.columns if c.name.lower() == column.name.lower()]
        counts = sum((c.counts for c in its), Counter[str]())
        columns.append(Profile(column.name, counts, frozenset[str]().union(*(c.nothing for c in its)), rows))
    whole = all(p.whole for p in parts)
    return Profiled(first.header, tuple(columns), rows, first.footer, whole, all(p.named for p in parts))


def contained(values: frozenset[str], in_: frozenset[str]) -> float:
    """The share of the first that stands among the second."""
    return len(values & in_) / len(values) if values else 0.0
