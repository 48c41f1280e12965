"""A draft of a mapping for an export that nobody has described yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from compliance.errors import DataError
from compliance.files.documents import write_private
from compliance.jobs import planning, shipped
from compliance.jobs.asked import MAPPING, Export
from compliance.jobs.opening import loaded
from compliance.jobs.runnable import runnable
from compliance.model import RecordKinds
from compliance.records import draftfile, reading
from compliance.records.drafting import Guess, Guesser, Place, grouped
from compliance.records.layouts import matched
from compliance.records.mapping import plain
from compliance.records.profiles import joined, profiled
from compliance.records.vocabulary import read_vocabulary

MOST_ROWS = 50_000
"""Of each table as many are looked at: what comes later is seen by `data check`."""


@dataclass(frozen=True)
class Draft:
    """A mapping drafted.

    Args:
      known: how many of its tables are known; `tables`: how many there are.
      questions: how many lines of the text ask something.
      guesses: a table each; none where the export has the layout of a mapping that came with the program.
    """

    text: str
    known: int
    tables: int
    questions: int
    guesses: tuple[Guess, ...] = ()


def draft(data: Path, service: str, today: date) -> Draft:
    """Drafts a mapping from headers and cells.

    Args:
      service: ask only of what such a service has, one of `planning.GROUPS`; empty: of everything.
      today: whose law says which rules there are.

    Raises:
      ComplianceError: there is nothing to read, or a file cannot be read.
    """
    kinds = planning.record_kinds()
    _, schemas = shipped.folders()
    vocabulary = read_vocabulary(schemas / "synonyms.yaml", kinds, sorted((schemas / "mappings").glob("*.yaml")))
    places, unread = tables(data, kinds, vocabulary.parts)
    only = frozenset(planning.kinds_for(kinds, service).kinds)
    guesser = Guesser(kinds, vocabulary, only)
    name = vocabulary.fitting([frozenset(plain(c.name) for c in place.table.columns) for place in places])
    if name:
        layout = vocabulary.layouts[name]
        its = matched(layout, places, guesser)
        lines = draftfile.upon(name, layout, its, places, unread, data.stem)
        return Draft(lines.text(), len(its), len(places), lines.questions)
    guesses = guesser.guesses(places)
    lines = draftfile.written(guesses, unread, data.stem)
    if any(g.kind is not None for g in guesses):
        _add_never_recorded(lines, data, today)
    known = sum(g.kind is not None for g in guesses)
    return Draft(lines.text(), known, len(places), lines.questions, tuple(guesses))


def _add_never_recorded(lines: draftfile.Lines, data: Path, today: date) -> None:
    """What the system may never record, once the draft has been tried on the export."""
    with TemporaryDirectory(prefix="compliance-") as folder:
        mapping = Path(folder) / MAPPING
        write_private(mapping, [lines.text()])
        export = Export(data, mapping, use_cache=False)
        try:
            with loaded(export) as read:
                its = runnable(read, export, today)
        except DataError as e:
            first = e.problems[0].what if e.problems else str(e).replace(folder, "").splitlines()[0]
            lines.add("", question=f"it cannot be read yet: {first}")
            return
    lines.add("", f"With this {its.told}")
    if its.kinds:
        named = ", ".join(f"{kind} ({n:,})" for kind, n in its.kinds.items())
        lines.add("", f"Not found, with how many rules lack it: {named}.")
    if its.freed:
        lines.add(
            "",
            f"Fields that no column was found for. Take the # from those that your system never records: {its.more:,} more rules.",
        )
        lines.add("# set:")
        for line in its.lines():
            lines.add(f"#   {line}")


def tables(data: Path, kinds: RecordKinds, parts: frozenset[str]) -> tuple[list[Place], list[str]]:
    """The tables of an export, those in several files as one, and the files that are none."""
    _, paths, others = reading.export_files(data)
    single: list[Place] = []
    unread = [p.name for p in others if p.is_file() and p.suffix.lower() not in (".yaml", ".yml")]
    for path in paths:
        if reading.answered(path) in kinds:
            continue
        if path.suffix.lower() == ".csv":
            tables = [("", reading.csv_texts(path))]
        else:
            book = reading.Workbook(path)
            tables = [(sheet, book.texts(sheet)) for sheet in book.sheets]
        for sheet, rows in tables:
            read = list(islice(rows, MOST_ROWS + 1))
            table = profiled(read[:MOST_ROWS], whole=len(read) <= MOST_ROWS)
            if table is None:
                unread.append(f"{path.name} [{sheet}]" if sheet else path.name)
            else:
                single.append(Place(((path.name, sheet),), table))
    places = [
        replace(group[0], places=tuple(p for one in group for p in one.places), table=joined(p.table for p in group))
        if len(group) > 1
        else group[0]
        for group in grouped(single, parts)
    ]
    return places, unread
