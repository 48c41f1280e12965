"""A plan laid out as a Level Two list in a workbook: one sheet a workstream, or one sheet with a column that names it (I/O: reads XLSX).

Above the row of column names stands what is said of the whole workstream, a label and a value in a row. What cannot be read for
certain is told with its sheet, row and column, all at once, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compliance.errors import ComplianceError, Location, Problem, nearest
from compliance.files.sheets import Place, letters
from compliance.files.workbook import Unusable, Workbook
from compliance.tracker import cellformats, life, written
from compliance.tracker.importing import ActionSaid, Said, WorkstreamSaid
from compliance.tracker.model import Status

MOST_BYTES = 20 << 20
MOST_UNPACKED = 200 << 20
HEADER_WITHIN = 40
"""The row of column names is among so many first rows."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "ref", "reference", "no", "number", "action id", "action ref", "action no", "action number"),
    "text": ("action", "actions", "what", "task", "tasks", "action required", "what we will do"),
    "workstream": ("workstream", "work stream", "area", "priority"),
    "owner": ("responsible", "owner", "by whom", "who", "responsible officer", "responsible role", "action owner"),
    "lead": ("lead", "leads", "lead officer", "lead role", "action lead"),
    "start": ("start", "start date", "from"),
    "due": ("due", "due date", "by when", "deadline", "timescale", "timescales", "target date", "when", "due by"),
    "due_kind": ("due kind", "what is due"),
    "status": ("status", "progress", "completed", "complete", "done"),
    "evidence": ("evidence", "evidence of completion"),
    "measures": ("measures", "measure", "success measures", "how we will know", "outcome measures"),
    "answers": ("answers", "findings"),
    "themes": ("themes", "theme"),
    "every": ("frequency", "again every", "how often"),
    "note": ("note", "notes", "comment", "comments"),
}
COMPUTED = frozenset({"about", "status since", "days overdue", "comes to"})
"""Columns of the plan's own workbook that say what is worked out from others, or from findings."""
OWN = frozenset({"action", "what", "status since"})
"""Columns by which the list of actions in the plan's own workbook is known; its other sheets are worked out from the plan."""
LABELS: dict[str, tuple[str, ...]] = {
    "workstream": ("workstream", "work stream", "area", "priority"),
    "page_title": ("level one title", "title on the plan's page"),
    "regulations": ("regulations", "regulation"),
    "standards": ("standards", "standard"),
    "leads": ("lead", "leads", "lead roles", "workstream lead"),
    "managers": ("managers", "manager", "manager roles"),
    "members": ("membership", "members"),
    "takes": ("takes",),
    "evidence": ("evidence", "measured by", "evidence of measures"),
    "note": ("note", "notes"),
}
DONE = {"complete", "done", "closed", "yes", "y", "✓", "✔", "☑", "✅"}
BEGUN = {"started", "ongoing", "underway", "under way"}
NOT_BEGUN = {"not started", "to do", "not begun"}
_MARK = re.compile(
    r"^(?:[✓✔☑✅]\s*|[(\[]?completed?[)\]:]\s*)|(?:\s*[✓✔☑✅]|\s*[(\[]completed?[)\]]|\s+[-–—]\s+completed?\.?)$",
    re.IGNORECASE,
)
_ID = re.compile(r"((?:WS ?)?\d+\.\d+)[.:)]?\s+(?=\S)", re.IGNORECASE)
_DUE_KIND = re.compile(r" \((completion|start|launch)\)$", re.IGNORECASE)
_TOTAL = re.compile(r"(?:grand |sub-?)?totals?\b(?:[ :]*(?:number of )?(?:actions|tasks)?)?[ :]*\d*", re.IGNORECASE)
_WORKSTREAM = re.compile(r"(?:(?:WS|workstream) ?(\d+))\b[\s.:–-]*(.*)", re.IGNORECASE | re.DOTALL)
_NUMBERED = re.compile(r"(\d+)[.:)–-]*\s+(.+)", re.DOTALL)


@dataclass
class _Read:
    """A workstream as it is read."""

    id: str
    title: str
    said: dict[str, Any] = field(default_factory=dict)
    measures: list[str] | None = None
    actions: list[ActionSaid] = field(default_factory=list)


def read(path: Path) -> tuple[Said, list[str]]:
    """What a workbook says, and what in it was not read, for the person to know.

    Raises:
      ComplianceError: with every cell that cannot be read.
    """
    sheets = _sheets(path)
    own = [one for one in sheets if one[1] and {_plain(c) for c in one[1][0]} >= OWN]
    problems: list[Problem] = []
    notes: list[str] = []
    found: list[_Read] = []
    for name, rows, unreadable in own or sheets:
        at = _header(rows)
        if at is None:
            if any(_text(c) for row in rows for c in row):
                notes.append(f"Sheet '{name}' has no row of column names with an action column; it was not read.")
            continue
        found += _Sheet(path, name, rows, at, unreadable, problems, notes).read()
    if problems:
        raise ComplianceError(f"{path.name} cannot be imported. Nothing was changed.", problems)
    if not any(w.actions for w in found):
        expected = (
            "expected a row of column names with 'Action' and at least one of Responsible, Start, Due, Status, Evidence"
        )
        raise ComplianceError(f"{path.name} has no list of actions: {expected}. Nothing was changed.")
    its = [WorkstreamSaid(w.id, w.title, w.said, w.measures, w.actions) for w in found]
    return Said(str(path), {}, its), notes


def _sheets(path: Path) -> list[tuple[str, list[list[Any]], Mapping[Place, str]]]:
    """Each sheet's name, its cells, and those of which nobody can tell what they hold."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ComplianceError(f"{path} is larger than {MOST_BYTES >> 20} MB. Nothing was changed.")
        book = Workbook(path, MOST_UNPACKED)
        return [(sheet, book.cells(sheet), book.facts(sheet).unreadable) for sheet in book.sheets]
    except OSError as e:
        raise ComplianceError(f"{path} cannot be read: {e.strerror or 'unknown cause'}. Nothing was changed.") from e
    except Unusable as e:
        raise ComplianceError(f"{path}: {e.what}. {e.help}. Nothing was changed.") from e


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).replace("\r\n", "\n").strip() if cell is not None else ""


def _plain(cell: object) -> str:
    return " ".join(_text(cell).casefold().rstrip(":?").split())


def _named(cell: object, names: dict[str, tuple[str, ...]]) -> str:
    said = _plain(cell)
    return next((key for key, its in names.items() if said in its), "")


def _header(rows: Sequence[Sequence[object]]) -> int | None:
    """The row of column names: it has one for the action and at least one more."""
    for i, row in enumerate(rows[:HEADER_WITHIN]):
        named = {_named(c, COLUMNS) for c in row} - {""}
        if "text" in named and len(named) > 1:
            return i
    return None


def _lines(cell: object) -> list[str]:
    """What stands in a cell on lines of its own, without the marks of a list."""
    lines = (re.sub(r"^[•●▪*-]\s+", "", line.strip()) for line in _text(cell).split("\n"))
    return [line for line in lines if line]


def _list(cell: object) -> list[str]:
    return [part.strip() for part in re.split(r"[;\n]", _text(cell)) if part.strip()]


def _workstream(text: str) -> tuple[str, str]:
    """`WS1 Safer caring plans` -> its id and title; the id is empty where there is none."""
    if found := _WORKSTREAM.fullmatch(text):
        return f"WS{found[1]}", " ".join(found[2].split())
    if found := _NUMBERED.fullmatch(text):
        return found[1], " ".join(found[2].split())
    return ("", " ".join(text.split())) if not text.isdigit() else (text, "")


class _Sheet:
    def __init__(
        self,
        path: Path,
        name: str,
        rows: list[list[Any]],
        at: int,
        unreadable: Mapping[Place, str],
        problems: list[Problem],
        notes: list[str],
    ) -> None:
        self.path, self.name, self.rows, self.at, self.unreadable = path, name, rows, at, unreadable
        self.problems, self.notes = problems, notes
        self.columns: dict[str, int] = {}
        self._months: set[tuple[int, int]] | None = None

    def place(self, row: int, column: int | None = None) -> Location:
        where = f"row {row + 1}" if column is None else f"row {row + 1}, column {letters(column)}"
        return Location(f"{self.path}, sheet '{self.name}', {where}")

    def wrong(self, row: int, column: int, what: str) -> None:
        self.problems.append(Problem(self.place(row, column), what))

    def read(self) -> list[_Read]:
        self._find_columns()
        read = {*self.columns.values()}
        for (number, column), why in sorted(self.unreadable.items()):
            if number <= self.at or column in read:
                self.wrong(number - 1, column, f"the cell {why}")
        its = self._titled()
        of: dict[str, _Read] = {}
        current = its
        for i in range(self.at + 1, len(self.rows)):
            row = self.rows[i]
            cells = [_text(c) for c in row if _text(c)]
            if not cells:
                continue
            if _is_total(cells):
                self.notes.append(f"Sheet '{self.name}', row {i + 1}: reads as a total, and is no action")
                continue
            said = _text(self._cell(row, "workstream"))
            if "workstream" in self.columns and said:
                # A cell merged over several rows has its text in the first alone.
                id_, title = _workstream(said)
                current = of.setdefault(id_ or title.casefold(), _Read(id_, title))
                current.title = current.title or title
            self._row(current, i, row)
        return [w for w in ([its] if "workstream" not in self.columns else [*of.values()]) if self._whole(w)]

    def _whole(self, w: _Read) -> bool:
        w.title = w.title or w.id
        w.said.setdefault("title", w.title)
        return bool(w.actions or w.measures)

    def _find_columns(self) -> None:
        header = self.rows[self.at]
        names = [_plain(cell) for cell in header]
        for i, cell in enumerate(header):
            key = _named(cell, COLUMNS)
            if names[i] == "action" and "what" in names and not {*names} & {*COLUMNS["id"]}:
                # Beside what is to be done, as the plan's own workbook has it, an action is its id.
                key = "id"
            if not key:
                if _text(cell) and names[i] not in COMPUTED:
                    known = [n for its in COLUMNS.values() for n in its]
                    hint = nearest(_plain(cell), known)
                    self.notes.append(
                        f"Sheet '{self.name}': the column '{_text(cell)}' ({letters(i)}) was not read{hint}"
                    )
            elif key in self.columns:
                other = self.columns[key]
                self.wrong(
                    self.at, i, f"'{_text(cell)}' says the same as '{_text(header[other])}' in column {letters(other)}"
                )
            else:
                self.columns[key] = i
        if "lead" in self.columns and "owner" not in self.columns:
            self.columns["owner"] = self.columns.pop("lead")
        elif "lead" in self.columns:
            lead, owner = (_text(header[self.columns[k]]) for k in ("lead", "owner"))
            self.notes.append(
                f"Sheet '{self.name}': '{owner}' is taken for who does the action, '{lead}' for who leads the workstream"
            )

    def _titled(self) -> _Read:
        """What stands above the columns, or else the sheet's name."""
        its = _Read(*_workstream(self.name))
        page = ""
        for row in self.rows[: self.at]:
            cells = [c for c in row if _text(c)]
            key = _named(cells[0], LABELS) if cells else ""
            if len(cells) == 1 and (found := _WORKSTREAM.fullmatch(_text(cells[0]))) and found[2]:
                its.id, its.title = _workstream(_text(cells[0]))
            elif key and len(cells) > 1:
                value = cells[1]
                if key == "workstream":
                    id_, title = _workstream(_text(value))
                    its.id, its.title = id_ or its.id, title or its.title
                elif key == "page_title":
                    page = _text(value)
                else:
                    its.said[key] = _text(value) if key == "note" else _list(value)
        if page:
            its.said |= {"title": page} | ({"long_title": its.title} if its.title != page else {})
        return its

    def _cell(self, row: Sequence[Any], key: str) -> Any:
        at = self.columns.get(key)
        return row[at] if at is not None and at < len(row) else ""

    def _row(self, w: _Read, i: int, row: Sequence[Any]) -> None:
        if "measures" in self.columns:
            w.measures = [*(w.measures or []), *_lines(self._cell(row, "measures"))]
        if "lead" in self.columns and (lead := _text(self._cell(row, "lead"))):
            w.said["leads"] = list(dict.fromkeys([*w.said.get("leads", []), lead]))
        written_here = [
            k for k in self.columns if k not in ("measures", "workstream", "lead") and _text(self._cell(row, k))
        ]
        if not written_here:
            return
        text = _text(self._cell(row, "text"))
        if not text:
            column = self.columns[written_here[0]]
            self.wrong(i, column, f"'{_text(row[column])}' stands in a row without an action")
            return
        text, marked = _unmarked(text)
        id_ = _text(self._cell(row, "id"))
        if not id_ and (found := _ID.match(text)):
            id_, text = found[1].replace(" ", "").upper(), text[found.end() :]
        if id_ and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", id_):
            self.wrong(i, self.columns["id"], f"'{id_}' is no id; it has letters, digits, '.', '-' and '_' alone")
        said: dict[str, Any] = {"text": text}
        for key in ("owner", "every", "note"):
            if value := _text(self._cell(row, key)):
                said[key] = value
        for key in ("start", "due"):
            if value := self._when(i, row, key):
                said[key] = value
        if evidence := _lines(self._cell(row, "evidence")):
            said["evidence"] = evidence
        for key in ("answers", "themes"):
            if several := _list(self._cell(row, key)):
                said[key] = several
        if found := _DUE_KIND.search(_text(self._cell(row, "due"))):
            said["due_kind"] = found[1].lower()
        if kind := _plain(self._cell(row, "due_kind")):
            if kind in ("completion", "start", "launch"):
                said["due_kind"] = kind
            else:
                self.wrong(i, self.columns["due_kind"], f"'{kind}' is not what can be due: completion, start or launch")
        if status := self._status(i, row, marked):
            said["status"] = status
        w.actions.append(ActionSaid(id_, said, self.place(i)))

    def _when(self, i: int, row: Sequence[Any], key: str) -> str:
        value = self._cell(row, key)
        if not _text(value):
            return ""
        column = self.columns[key]
        if isinstance(value, str) and (kind := _DUE_KIND.search(value)):
            value = value[: kind.start()]
        try:
            return written.span(value, month=getattr(value, "day", 0) == 1 and (i, column) in self.months())
        except ValueError as e:
            self.wrong(i, column, str(e))
            return ""

    def months(self) -> set[tuple[int, int]]:
        """Cells whose date is shown as a month; looked up when the first such date is met."""
        if self._months is None:
            self._months = cellformats.months(self.path, self.name)
        return self._months

    def _status(self, i: int, row: Sequence[Any], marked: bool) -> Status | None:
        said = _plain(self._cell(row, "status"))
        status: Status | None = "completed" if marked else None
        if said:
            try:
                read = _status_of(said)
            except life.Refused as e:
                self.wrong(i, self.columns["status"], f"{e}; or ✓, done, complete, ongoing, not started")
                return None
            if marked and read in ("proposed", "open", "in progress", "rejected"):
                self.wrong(i, self.columns["status"], f"the action is marked as completed, and its status is '{said}'")
            status = read
        return status


def _is_total(cells: Sequence[str]) -> bool:
    """Whether a row sums up those above it: it begins with the word, and holds but numbers beside."""
    return bool(_TOTAL.fullmatch(cells[0])) and all(re.fullmatch(r"[\d.,% ]+", c) for c in cells[1:])


def _status_of(said: str) -> Status:
    if said in DONE:
        return "completed"
    if said in BEGUN:
        return "in progress"
    return "open" if said in NOT_BEGUN else life.status_of(said)


def _unmarked(text: str) -> tuple[str, bool]:
    """The text without a mark that it is completed, and whether there was one."""
    bare = _MARK.sub("", text).strip()
    return (bare, True) if bare and bare != text else (text, False)
