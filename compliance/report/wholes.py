"""Everything that is told of an agency, one file a format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from compliance.report.whole import Whole


def _html(whole: Whole) -> Iterator[str]:
    from compliance.report.html import page

    return page.write(whole)


def _xlsx(whole: Whole) -> Iterator[bytes]:
    from compliance.report.xlsx import book

    return book.write(whole)


FORMATS: Mapping[str, Callable[[Whole], Iterator[str] | Iterator[bytes]]] = {"html": _html, "xlsx": _xlsx}
"""Each gives the text, or a file's bytes, piece by piece."""
ENDINGS: Mapping[str, str] = {".html": "html", ".htm": "html", ".xlsx": "xlsx"}
"""The format of a file by how its name ends."""
