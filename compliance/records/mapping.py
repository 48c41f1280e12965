"""What an export's files and columns mean: plain data, made by `mappingfile` and used by `loading`."""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from unicodedata import category

ISO = "YYYY-MM-DD"
SERIAL = "serial"
"""A date that a spreadsheet wrote as the number of days since the end of 1899."""
UTC = "Z"
"""In a format: the time is in UTC, and the day is that of British clocks."""
SHORT = "is not there: "
"""Begins why nobody can tell what is in a cell that would stand behind the end of its row."""
DOUBLED = re.compile(r"([()])\1+")
STRAIGHT = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"})


@dataclass(frozen=True, slots=True)
class Column:
    """Where a field comes from.

    Args:
      names: synonyms of one column, the first that is there counts; or the columns of the template.
      template: text with `{column}` in it; empty: the column as it is.
      codes: what each cell means, by the cell in small letters; None: no translation.
      dates: formats in which its dates are written; empty: those of the mapping.
      split: what separates the items of a list.
      strip: regular expressions of what is taken out of each cell before anything else.
      fields: instead of columns: other fields of the record, joined.
    """

    names: tuple[str, ...]
    template: str = ""
    codes: Map[str, str | bool | int | float | None] | None = None
    dates: tuple[str, ...] = ()
    split: str = ";"
    strip: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Where:
    """Rows whose cell in a column is one of some words, or matches a regular expression.

    Args:
      words: in small letters; `pattern`: empty: none.
    """

    column: str
    words: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True)
class SourceOf:
    """Files or sheets as one record kind; docs/mapping.md says what everything means.

    Args:
      files, sheets: their names, or patterns of them with `*` and `?`; one of the two may be empty.
      only_where, skip_where: the only rows that belong to it, and those that do not.
      header, footer: the row that holds the column names, and how many rows at the end are no records.
      covers: the first and the last day, YYYY-MM-DD, whose events it holds; None: it holds all.
    """

    record: str
    files: tuple[str, ...]
    sheets: tuple[str, ...]
    columns: Map[str, Column]
    set: Map[str, str | bool | int | float | None] = field(default_factory=dict)
    only_if: tuple[str, ...] = ()
    only_where: Where | None = None
    header: int = 1
    covers: tuple[str, str] | None = None
    skip_where: Where | None = None
    footer: int = 0


@dataclass(frozen=True)
class Mapping:
    """A whole mapping file.

    Args:
      made_on: the day on which the export was made, YYYY-MM-DD; empty: not known.
      service: the kind of service whose export it is, where it has no `agency` records; empty: not known.
    """

    sources: tuple[SourceOf, ...]
    dates: tuple[str, ...] = (ISO,)
    empty: tuple[str, ...] = ()
    encoding: str = ""
    delimiter: str = ""
    unused: tuple[str, ...] = ()
    made_on: str = ""
    service: str = ""

    @property
    def meant(self) -> frozenset[str]:
        """Cells, in small letters, that it gives a meaning to whatever they look like."""
        coded = (k for s in self.sources for c in s.columns.values() for k in c.codes or {})
        return frozenset({*(e.strip().lower() for e in self.empty), *coded})


def has_two_digits(written: str) -> bool:
    """Whether a date format leaves the century open."""
    return "YY" in written.replace("YYYY", "")


def is_pattern(name: str) -> bool:
    """Whether a name of a file or sheet stands for all that are like it."""
    return "*" in name or "?" in name


def plain(name: str) -> str:
    """A name as it is compared: without case, blanks, ends of lines, invisible characters, `_`, the shape of quotes, doubled brackets."""
    if not name.isascii():
        name = "".join(c for c in name.translate(STRAIGHT) if category(c) != "Cf")
    return DOUBLED.sub(r"\1", "".join(name.casefold().replace("_", " ").split()))
