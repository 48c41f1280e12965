"""A guess at what an export's files mean, as a mapping file with a reason on each line and questions where it is unsure. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from compliance.files.documents import yaml_comment, yaml_text, yaml_value
from compliance.records.drafting import CLOSE, SURE, UNKNOWN_WORDS, Drafted, Guess, Place
from compliance.records.layouts import Match, absent, strange
from compliance.records.mapping import ISO, plain
from compliance.records.profiles import LABEL, LETTERED, Profile
from compliance.records.vocabulary import Layout

MOST_CODES = 8
WIDEST = 76
"""Columns up to which comments stand below each other."""


@dataclass
class Lines:
    """Lines of a file with their comments, so that these can be put below each other."""

    written: list[tuple[str, str]] = field(default_factory=list)
    questions: int = 0

    def add(self, text: str, comment: str = "", question: str = "") -> None:
        """A line; what a person must look at stands in the comment behind a question mark."""
        if question:
            self.questions += 1
            comment = f"? {question}" + (f" ({comment})" if comment else "")
        self.written.append((text, yaml_comment(comment)))

    def text(self) -> str:
        """The file."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        at = min(max((len(t) for t, c in self.written if t and c and len(t) < WIDEST), default=0), WIDEST)
        for text, comment in self.written:
            if not comment:
                yield text
            elif not text.strip():
                yield f"{text}# {comment}"
            else:
                yield f"{text:<{at}}  # {comment}"


def upon(
    name: str, layout: Layout, its: Sequence[Match], places: Sequence[Place], unread: Sequence[str], named: str
) -> Lines:
    """The draft of a mapping that is based on one that came with the program: what differs.

    Args:
      places: all tables; `unread`: files that are no table.
      named: what the export is called.
    """
    lines = Lines()
    n = sum(len(one.source.columns) for one in its)
    there = sum(one.there for one in its)
    renamed = sum(len(one.renamed) for one in its)
    lines.add(
        "",
        f"A draft of `compliance data map`: the layout of {name}, which came with the program. {len(its):,} of its"
        f" {_n(len(layout.sources), 'table')} are here, {there:,} of their {_n(n, 'column')} by a name that it knows,"
        f" {renamed:,} by another.",
    )
    lines.add("", "What differs stands below. Look at every line with a ?, then run `compliance data check`.")
    lines.add(f"title: {yaml_text(f'Draft for {named}')}")
    lines.add(f"based_on: {name}")
    if layout.ask:
        given = ", ".join(f"{f}: YYYY-MM-DD" for f in layout.ask)
        lines.add(f"# set: {{{given}}}", question="; ".join(layout.ask.values()))
    if any(one.moved or one.renamed for one in its):
        lines.add("sources:")
    for one in its:
        _difference(lines, one)
    for record, names in absent(layout, its).items():
        lines.add("", f"No {record}: nothing is like {' or '.join(names)}.")
    for place in strange(its, places):
        columns = ", ".join(c.name for c in place.table.columns) if place.table.named else ""
        what = f"{place.label}, {_n(place.table.rows, 'row')}, is none of its tables"
        lines.add("", question=f"{what}{f'; its columns: {columns}' if columns else ''}")
    for file in unread:
        lines.add("", question=f"{file} is no table that can be read: is it wanted?")
    return lines


def _difference(lines: Lines, one: Match) -> None:
    comments = []
    if one.lacking:
        comments.append(f"no column was found for {', '.join(one.lacking)}")
    if one.unread:
        comments.append(f"nothing reads: {', '.join(c.name for c in one.unread)}")
    if not (one.moved or one.renamed):
        for comment in comments:
            lines.add("", question=f"{one.place.label} ({one.source.record}): {comment}")
        return
    share = f"{one.there:,} of {_n(len(one.source.columns), 'column')} by a name that it knows"
    lines.add(f"  - record: {one.source.record}", share)
    if one.moved:
        files, sheets = (list(dict.fromkeys(n for n in names if n)) for names in zip(*one.place.places, strict=True))
        for key, names in (("sheet", sheets), ("file", [] if sheets and one.source.by_sheet else files)):
            if names:
                lines.add(f"    {key}: {yaml_value(names if len(names) > 1 else names[0])}")
    if one.renamed:
        lines.add("    columns:")
    for f, (column, why) in one.renamed.items():
        lines.add(f"      {f}: {yaml_text(column)}", why, "" if f in one.sure else "is this it?")
    for comment in comments:
        lines.add("      ", question=comment)


def written(guesses: Sequence[Guess], unread: Sequence[str], named: str) -> Lines:
    """The draft of a mapping.

    Args:
      unread: files that are no table.
      named: what the export is called.
    """
    known = [g for g in guesses if g.kind is not None]
    columns = sum(len(g.place.table.columns) for g in known)
    placed = sum(len(g.columns) for g in known)
    lines = Lines()
    lines.add(
        "",
        f"A draft of `compliance data map`. Of {_n(len(guesses), 'table')} {len(known):,} are known,"
        f" and {placed:,} of their {_n(columns, 'column')}.",
    )
    lines.add(
        "", "Behind each line stands why it was drafted. Look at every line with a ?, then run `compliance data check`."
    )
    lines.add(f"title: {yaml_text(f'Draft for {named}')}")
    common = _dates(lines, known)
    _empty(lines, known)
    lettered = sum(c.lettered for g in known for c in g.place.table.columns if c.name not in g.unused)
    if lettered:
        patterns = [LETTERED.pattern, LABEL.pattern]
        lines.add(f"strip: {yaml_value(patterns)}", f"a letter in front of the codes in {_n(lettered, 'column')}")
    if known:
        lines.add("sources:")
    for g in known:
        _source(lines, g, common)
    strange = [g for g in guesses if g.kind is None]
    if strange:
        lines.add("", "Tables that look like no record kind. What is not wanted goes into `unused`.")
    for g in strange:
        near = f"; nearest is {g.second[0]}" if g.second[0] else ""
        rows = f"{g.place.label}, {_n(g.place.table.rows, 'row')}"
        if g.place.table.named:
            names = ", ".join(c.name for c in g.place.table.columns)
            lines.add("", question=f"{rows}, with the columns: {names}{near}")
        else:
            lines.add("", question=f"{rows}: does row {g.place.table.header} hold the names of the columns?")
    for name in unread:
        lines.add("", question=f"{name} is no table that can be read: is it wanted?")
    return lines


def _n(n: int, what: str) -> str:
    return f"{n:,} {what if n == 1 else what + 's'}"


def _dates(lines: Lines, guesses: Sequence[Guess]) -> tuple[str, ...]:
    """Writes the formats that most columns have; gives them."""
    counted = Counter(f for g in guesses for d in g.columns for f in d.dates)
    common: list[str] = []
    for f, _ in counted.most_common():
        four = "YYYY" in f or f == "serial"
        if four and not any(_shape(f) == _shape(c) for c in common):
            common.append(f)
    if common and common != [ISO]:
        lines.add(f"dates: {yaml_value(common)}", ", ".join(f"{f} in {_n(counted[f], 'column')}" for f in common))
    return tuple(common) or (ISO,)


def _shape(format_: str) -> str:
    return re.sub(r"DD|MM(?!M)", "00", format_)


def _empty(lines: Lines, guesses: Sequence[Guess]) -> None:
    words = Counter(w for g in guesses for c in g.place.table.columns for w in c.nothing)
    if words:
        lines.add(
            f"empty: {yaml_value(['', *sorted(words)])}",
            ", ".join(f"'{w}' in {_n(n, 'column')}" for w, n in sorted(words.items())),
        )


def _source(lines: Lines, g: Guess, common: tuple[str, ...]) -> None:
    kind, table = g.kind, g.place.table
    assert kind is not None
    on = "" if kind.key in {d.field.name for d in g.columns} or g.key else "# "
    by = "the name of the file" if g.named >= SURE else ""
    columns = f"{len(g.columns):,} of {_n(len(table.columns), 'column')}"
    rows = _n(table.rows, "row") + ("" if table.whole else " looked at, of more")
    why = f"{kind.title.lower()}: {' and '.join(filter(None, (by, columns)))}; {rows}"
    second, score = g.second
    doubt = f"or is it {second}?" if second and g.score - score < CLOSE else "is it?" if g.score < 0.5 else ""
    lines.add(f"{on}  - record: {kind.name}", why, doubt)
    files = list(dict.fromkeys(f for f, _ in g.place.places))
    sheets = list(dict.fromkeys(s for _, s in g.place.places if s))
    several = (
        f"one table in {len(g.place.places):,} parts: their columns are the same" if len(g.place.places) > 1 else ""
    )
    lines.add(f"{on}    file: {yaml_value(files if len(files) > 1 else files[0])}", several if len(files) > 1 else "")
    if sheets:
        lines.add(
            f"{on}    sheet: {yaml_value(sheets if len(sheets) > 1 else sheets[0])}", several if len(sheets) > 1 else ""
        )
    if table.header > 1:
        lines.add(f"{on}    header: {table.header}", "what stands above is a title")
    if table.footer:
        lines.add(f"{on}    footer: {table.footer}", "the end is a total or a remark, and no record")
    if on:
        lines.add(
            f"{on}", question=f"no column numbers the records of {kind.name}; without {kind.key} it cannot be read"
        )
    lines.add(f"{on}    columns:")
    if g.key:
        lines.add(
            f"{on}      {kind.key}: {yaml_value({'fields': list(g.key)})}",
            "no column numbers the records",
            f"is there one {kind.title.lower()} for each of these?",
        )
    for d in g.columns:
        _column(lines, d, common, on)
    lacking = [
        f.name
        for f in kind.fields.values()
        if f.required and f.name != kind.key and f.name not in {d.field.name for d in g.columns}
    ]
    for name in lacking:
        lines.add(
            "      ",
            question=f"no column was found for {name}, which each record must have: {kind.fields[name].description}",
        )
    if g.unused:
        lines.add("      ", question=f"nothing reads: {', '.join(g.unused)}")


def _column(lines: Lines, d: Drafted, common: tuple[str, ...], on: str) -> None:
    own = [f for f in d.dates if f not in common or ("YYYY" not in f and f != "serial")]
    dates = list(d.dates) if own else []
    codes = d.codes
    comment, name = d.why, f"{on}      {d.field.name}:"
    question = d.question
    more = {k: v for k, v in (("dates", dates), ("split", d.split if d.split not in ("", ";") else "")) if v}
    if not codes:
        value = yaml_value({"column": d.column.name, **more}) if more else yaml_text(d.column.name)
        lines.add(f"{name} {value}", _why(comment, d.column, d.field.name), question)
        return
    lines.add(name)
    lines.add(f"{on}        column: {yaml_text(d.column.name)}", comment, question)
    for k, v in more.items():
        lines.add(f"{on}        {k}: {yaml_value(v)}")
    meant = {c: m for c, m in codes.items() if m[0] is not None or c.lower() in UNKNOWN_WORDS}
    lines.add(f"{on if meant else '# '}        codes:")
    for cell, (meaning, n) in codes.items():
        if cell in meant:
            lines.add(f"{on}          {yaml_text(cell)}: {yaml_value(meaning)}", f"{_n(n, 'row')}")
        else:
            may_be = ", ".join(d.field.codes[:MOST_CODES]) or "true, false"
            may_be += ", …" if len(d.field.codes) > MOST_CODES else ""
            lines.add(f"#           {yaml_text(cell)}:", f"{_n(n, 'row')}", f"one of {may_be}; or null")


def _why(comment: str, column: Profile, field_: str) -> str:
    """The reason, but for a name that says it all."""
    if not column.filled:
        return "nothing in it yet"
    return (
        ""
        if comment == f"'{column.name}'" and plain(column.name) == plain(field_)
        else comment.replace(f"'{column.name}'", "by its name", 1)
    )
