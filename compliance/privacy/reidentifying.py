"""Reports with pseudonyms in them, whatever their format, turned back into ones with ids (I/O: reads and writes them)."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from compliance.errors import ComplianceError
from compliance.files.cells import safe
from compliance.files.documents import write_private
from compliance.files.workbook import Unusable, look_through
from compliance.privacy.pseudonyms import PSEUDONYM
from compliance.report import markdown
from compliance.report.words import printable

WORKBOOK = b"PK\x03\x04"
MOST_BYTES = 256 << 20
"""Of a report."""
_EMBEDDED = re.compile(r'(<script type="application/json"[^>]*>.*?</script>)', re.S)
_FOLD = re.compile(r"\r?\n[ \t]")


@dataclass(frozen=True)
class Written:
    """A report as it was written.

    Args:
      texts: what there is to turn back: the one text, or the parts of a workbook by their names.
      workbook: the whole of it, if it is one.
    """

    path: Path
    texts: Mapping[str, str]
    workbook: bytes = b""

    @property
    def pseudonyms(self) -> frozenset[str]:
        """All that stand in it."""
        return frozenset(p for text in self.texts.values() for p in PSEUDONYM.findall(_unfolded(text)))

    def turned_back(self, ids: Mapping[str, str]) -> bytes:
        """The same with these ids in the place of their pseudonyms, each written as its format writes a text."""
        if self.workbook:
            return _workbook(self.workbook, {n: _replaced(t, ids, _xml) for n, t in self.texts.items()})
        text = self.texts[""]
        if text.startswith("BEGIN:VCALENDAR"):
            return _calendar(text, ids)
        if _is_json(text):
            made = _replaced(text, ids, _json)
        elif text[:15].lower().startswith("<!doctype html"):
            parts = enumerate(_EMBEDDED.split(text))
            made = "".join(_replaced(part, ids, _in_script if i % 2 else html.escape) for i, part in parts)
        elif text.startswith("<?xml"):
            made = _replaced(text, ids, _xml)
        elif self.path.suffix.lower() == ".csv":
            made = _csv(text, ids)
        else:
            made = _replaced(text, ids, markdown.plain if self.path.suffix.lower() == ".md" else printable)
        return made.encode("utf-8")


def read(file: Path) -> Written:
    """A report; or a pseudonym itself, as one that holds nothing else.

    Raises:
      ComplianceError: it cannot be read.
    """
    if PSEUDONYM.fullmatch(str(file)) and not file.exists():
        return Written(file, {"": f"{file}\n"})
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ComplianceError(f"{file} is larger than {MOST_BYTES >> 20} MB.")
        if not content.startswith(WORKBOOK):
            return Written(file, {"": content.decode("utf-8")})
        look_through(file)
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            names = [n for n in book.namelist() if n.startswith("xl/") and n.endswith(".xml")]
            return Written(file, {n: book.read(n).decode("utf-8") for n in names}, content)
    except FileNotFoundError as e:
        raise ComplianceError(
            f"There is no file {file}, and it is no pseudonym: one is a P and 16 digits, 0 to f."
        ) from e
    except Unusable as e:
        raise ComplianceError(f"{file}: {e.what}. {e.help}.") from e
    except (UnicodeDecodeError, zipfile.BadZipFile) as e:
        raise ComplianceError(f"{file} is neither a text in UTF-8 nor a workbook.") from e
    except OSError as e:
        raise ComplianceError(f"{file} cannot be read: {e.strerror or 'unknown cause'}.") from e


def write(report: Written, ids: Mapping[str, str], out: Path) -> None:
    """Writes it to another file, for its owner alone.

    Raises:
      ComplianceError: it is the same file, or cannot be written.
    """
    if out.exists() and report.path.exists() and out.samefile(report.path):
        raise ComplianceError(f"{out} is the report itself; name another file with --out.")
    write_private(out, [report.turned_back(ids)])


def _replaced(text: str, ids: Mapping[str, str], said: Callable[[str], str]) -> str:
    return PSEUDONYM.sub(lambda m: said(ids[m[0]]) if m[0] in ids else m[0], text)


def _xml(text: str) -> str:
    return escape(printable(text), {'"': "&quot;"})


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _in_script(text: str) -> str:
    """Within JSON that stands in a page, which no text in it may end."""
    return re.sub(r"[<>&\u2028\u2029]", lambda m: f"\\u{ord(m[0]):04x}", _json(text))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _csv(text: str, ids: Mapping[str, str]) -> str:
    made = io.StringIO()
    out = csv.writer(made, lineterminator="\r\n")
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    for row in csv.reader(io.StringIO(text.removeprefix(mark), newline="")):
        out.writerow([safe(_replaced(cell, ids, str)) for cell in row])
    return mark + made.getvalue()


def _unfolded(text: str) -> str:
    """A calendar without the line ends that it has for its own sake; any other text as it is."""
    return _FOLD.sub("", text) if text.startswith("BEGIN:VCALENDAR") else text


def _calendar(text: str, ids: Mapping[str, str]) -> bytes:
    from icalendar.parser import Contentline
    from icalendar.prop import vText

    made = _replaced(_unfolded(text), ids, lambda x: vText(printable(x)).to_ical().decode("utf-8"))
    folded: list[bytes] = [Contentline(line).to_ical() for line in made.splitlines()]  # type: ignore[no-untyped-call]
    return b"".join(line + b"\r\n" for line in folded)


def _workbook(book: bytes, texts: Mapping[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            text = texts.get(entry.filename)
            new.writestr(entry, old.read(entry) if text is None else text.encode("utf-8"))
    return made.getvalue()
