"""What an export's files and columns mean: plain data, made by `mappingfile` and used by `loading`."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field

ISO = "YYYY-MM-DD"
SERIAL = "serial"
"""A date that a spreadsheet wrote as the number of days since the end of 1899."""


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


@dataclass(frozen=True)
class SourceOf:
    """Files or sheets as one record kind; docs/mapping.md says what everything means.

    Args:
      files, sheets: their names, or patterns of them with `*` and `?`; one of the two may be empty.
      covers: the first and the last day, YYYY-MM-DD, whose events it holds; None: it holds all.
    """

    record: str
    files: tuple[str, ...]
    sheets: tuple[str, ...]
    columns: Map[str, Column]
    set: Map[str, str | bool | int | float | None] = field(default_factory=dict)
    only_if: tuple[str, ...] = ()
    only_where: tuple[str, tuple[str, ...]] | None = None
    header: int = 1
    covers: tuple[str, str] | None = None


@dataclass(frozen=True)
class Mapping:
    """A whole mapping file."""

    sources: tuple[SourceOf, ...]
    dates: tuple[str, ...] = (ISO,)
    empty: tuple[str, ...] = ()
    encoding: str = ""
    delimiter: str = ""
    unused: tuple[str, ...] = ()


def is_pattern(name: str) -> bool:
    """Whether a name of a file or sheet stands for all that are like it."""
    return "*" in name or "?" in name


def plain(name: str) -> str:
    """A name as it is compared: case, spaces and `_` do not matter."""
    return "".join(name.casefold().replace("_", " ").split())
