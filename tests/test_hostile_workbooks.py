"""A workbook of a kilobyte takes neither the machine's memory nor the process: it is refused at every door, with code 2 and a sentence."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from click.testing import Result
from conftest import ROOT

from compliance.files.workbook import Unusable, Workbook

SHEET, STRINGS, BOOK = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"


@pytest.fixture
def honest(tmp_path: Path) -> Path:
    path = tmp_path / "export" / "staff.xlsx"
    path.parent.mkdir()
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("staff")
        sheet.write_row(0, 0, ["staff_id", "role"])
        sheet.write_row(1, 0, ["S1", "social worker"])
    return path


def _changed(path: Path, part: str, change: Callable[[str], str], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts[part] = change(parts[part].decode("utf-8")).encode("utf-8", "surrogatepass")
    with zipfile.ZipFile(path, "w", packing) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return path


def _with_cell(xml: str, cell: str) -> str:
    return xml.replace("</sheetData>", f"{cell}</sheetData>")


HOSTILE: dict[str, tuple[str, Callable[[str], str]]] = {
    "the last cell": (SHEET, lambda x: _with_cell(x, '<row r="9"><c r="XFD1048576"><v>1</v></c></row>')),
    "a far cell": (SHEET, lambda x: _with_cell(x, '<row r="9"><c r="XFD20000"><v>1</v></c></row>')),
    "a row that is none": (SHEET, lambda x: _with_cell(x, '<row r="4294967295"><c><v>1</v></c></row>')),
    "a cell that is none": (SHEET, lambda x: _with_cell(x, '<row r="9"><c r="ZZZZZZZZ99999999999"><v>1</v></c></row>')),
    "a cell written otherwise": (SHEET, lambda x: _with_cell(x, "<x:row><x:c s='1' r = 'xfd20000'/></x:row>")),
    "a far row of cells without places": (
        SHEET,
        lambda x: _with_cell(x, '<row r="1000000"><c r="A1000000"/></row><row r="5">' + "<c/>" * 50 + "</row>"),
    ),
    "texts beyond number": (STRINGS, lambda x: re.sub(r'uniqueCount="\d+"', 'uniqueCount="4294967295"', x)),
    "texts behind a sign": (STRINGS, lambda x: re.sub(r"<sst ", '<sst a=">" uniqueCount = "99999999" ', x)),
    "sheets beyond number": (
        BOOK,
        lambda x: x.replace("</sheets>", '<sheet name="a" sheetId="2" r:id="rId1"/>' * 5000 + "</sheets>"),
    ),
    "another encoding": (SHEET, lambda x: "\ufeff" + x),
    "cells merged beyond number": (
        SHEET,
        lambda x: x.replace("</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
    ),
    "cells merged outside the sheet": (
        SHEET,
        lambda x: x.replace("</sheetData>", "</sheetData><mergeCells><mergeCell ref='A1:ZZZZZZZ1'/></mergeCells>"),
    ),
    "half a part": (SHEET, lambda x: x[: len(x) // 2]),
}


def _hostile(path: Path, how: str) -> Path:
    part, change = HOSTILE[how]
    _changed(path, part, change)
    if how == "another encoding":
        with zipfile.ZipFile(path) as book:
            parts = {name: book.read(name) for name in book.namelist()}
        parts[SHEET] = parts[SHEET].decode("utf-8-sig").encode("utf-16")
        with zipfile.ZipFile(path, "w") as book:
            for name, content in parts.items():
                book.writestr(name, content)
    return path


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_workbook_is_refused_before_it_is_read(honest: Path, how: str) -> None:
    began = time.process_time()
    with pytest.raises(Unusable):
        book = Workbook(_hostile(honest, how))
        assert how == "half a part"
        book.cells("staff")
    assert time.process_time() - began < 2


@pytest.mark.parametrize("door", ["data check", "audit", "data import", "plan import", "data reidentify"])
def test_every_door_refuses_it(cli: Callable[..., Result], honest: Path, tmp_path: Path, door: str) -> None:
    path = _hostile(honest, "a far cell")
    db = tmp_path / "plan.sqlite"
    key = tmp_path / "key"
    asked: dict[str, tuple[object, ...]] = {
        "data check": (path.parent,),
        "audit": (path.parent, "--as-at", "2021-09-20", "--rule", "appraisal-overdue"),
        "data import": (path, "--into", ROOT / "fixtures" / "agency"),
        "plan import": (path, "--db", db, "--role", "manager", "--name", "m"),
        "data reidentify": (path, "--key", key, "--data", ROOT / "fixtures" / "agency", "--out", tmp_path / "out.xlsx"),
    }
    if door == "data reidentify":
        assert cli("data", "new-key", key).exit_code == 0
    result = cli(*door.split(), *asked[door])
    assert (result.exit_code, "Traceback" in result.output) == (2, False), result.output
    assert "spans" in result.stderr and "at most" in result.stderr


def test_a_part_that_unpacks_to_more_than_it_says_is_refused(honest: Path) -> None:
    _changed(honest, SHEET, lambda x: _with_cell(x, " " * 5_000_000))
    content = honest.read_bytes()
    with zipfile.ZipFile(honest) as book:
        size = book.getinfo(SHEET).file_size.to_bytes(4, "little")
    assert content.count(size) >= 2
    honest.write_bytes(content.replace(size, (1000).to_bytes(4, "little")))
    with pytest.raises(Unusable):
        Workbook(honest)


@pytest.mark.parametrize("part", [BOOK, "xl/_rels/workbook.xml.rels", "xl/styles.xml", "_rels/.rels"])
@pytest.mark.parametrize("how", ["a name that is no encoding", "entities in another encoding", "nested beyond number"])
def test_what_a_workbook_says_of_itself_is_read_as_text_or_refused(
    cli: Callable[..., Result], honest: Path, part: str, how: str
) -> None:
    with zipfile.ZipFile(honest) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    text = parts[part].decode("utf-8")
    text = text[text.index("<", text.index("?>")) :]
    if how == "a name that is no encoding":
        parts[part] = f'<?xml version="1.0" encoding="UTFF-8"?>{text}'.encode()
    elif how == "nested beyond number":
        parts[part] = f"{'<a>' * 500_000}{'</a>' * 500_000}".encode()
    else:
        entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 40 if n else "x" * 40}">' for n in range(4))
        text = f"<!DOCTYPE x [{entities}]>{text[:-1]} >"
        parts[part] = f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")
    with zipfile.ZipFile(honest, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    result = cli("data", "check", honest.parent)
    assert result.exit_code in (0, 2) and "Traceback" not in result.output, result.output
    if how == "entities in another encoding":
        assert result.exit_code == 2


def test_a_panic_of_the_library_is_a_sentence(honest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panic = type("PanicException", (BaseException,), {})

    def fail(_: object) -> None:
        raise panic("capacity overflow")

    monkeypatch.setattr("python_calamine.load_workbook", fail)
    with pytest.raises(Unusable, match="damaged"):
        Workbook(honest)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x,
        lambda x: x.replace('<c r="', '<c s="0" r="'),
        lambda x: re.sub(r'<c r="[A-Z]+\d+"', "<c", x),
        lambda x: re.sub(r'<row r="\d+"', "<row", x),
        lambda x: _with_cell(x, '<row r="1048576"><c r="A1048576"/></row>'),
    ],
)
def test_an_honest_workbook_is_read_however_it_is_written(honest: Path, change: Callable[[str], str]) -> None:
    cells = Workbook(_changed(honest, SHEET, change)).cells("staff")
    assert cells[0][:2] == ["staff_id", "role"] and cells[1][:2] == ["S1", "social worker"]
