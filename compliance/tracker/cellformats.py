"""Which dates of a workbook are shown as a month (I/O).

Excel keeps "Feb-22" as 1 February 2022; only the cell's format says what was meant.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

_CELL = re.compile(r"<(?:\w+:)?c\b([^>]*)>")
_PLACE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_BUILT_IN = {"17": "mmm-yy"}


def months(path: Path, sheet: str) -> set[tuple[int, int]]:
    """Rows and columns, from 0, of cells whose format shows month and year but no day."""
    with zipfile.ZipFile(path) as book:
        styles = _text(book, "xl/styles.xml")
        codes = {
            **_BUILT_IN,
            **{_of(f, "numFmtId"): _of(f, "formatCode") for f in re.findall(r"<(?:\w+:)?numFmt\b([^>]*)>", styles)},
        }
        _, _, used = styles.partition("cellXfs")
        used, _, _ = used.partition("cellXfs")
        formats = re.findall(r"<(?:\w+:)?xf\b([^>]*)>", used)
        shown = {str(i) for i, f in enumerate(formats) if _is_month(codes.get(_of(f, "numFmtId"), ""))}
        cells = _CELL.findall(_text(book, _member(book, sheet))) if shown else []
    places = (_PLACE.fullmatch(_of(c, "r")) for c in cells if _of(c, "s") in shown)
    return {_position(place[1], place[2]) for place in places if place}


def _text(book: zipfile.ZipFile, member: str) -> str:
    return book.read(member).decode("utf-8", "replace") if member in book.namelist() else ""


def _of(attributes: str, name: str) -> str:
    from html import unescape

    found = re.search(rf'(?:^|\s){name}="([^"]*)"', attributes)
    return unescape(found[1]) if found else ""


def _member(book: zipfile.ZipFile, sheet: str) -> str:
    """The part of the file that holds a sheet."""
    sheets = re.findall(r"<(?:\w+:)?sheet\b([^>]*)>", _text(book, "xl/workbook.xml"))
    wanted = next((_of(s, r"\w+:id") for s in sheets if _of(s, "name") == sheet), "")
    links = re.findall(r"<(?:\w+:)?Relationship\b([^>]*)>", _text(book, "xl/_rels/workbook.xml.rels"))
    target = next((_of(k, "Target") for k in links if _of(k, "Id") == wanted), "")
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _is_month(code: str) -> bool:
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", code).casefold()
    return "m" in bare and "y" in bare and not set("dhs") & set(bare)


def _position(letters: str, row: str) -> tuple[int, int]:
    """`C` and `5` -> (4, 2)."""
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter.upper()) - 64
    return int(row) - 1, column - 1
