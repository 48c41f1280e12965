"""The workbook: the sheets of what is told, in their order."""

from __future__ import annotations

from collections.abc import Iterator

import compliance.report.xlsx.ahead as ahead
import compliance.report.xlsx.data as data
import compliance.report.xlsx.earlier as earlier
import compliance.report.xlsx.fill as fill
import compliance.report.xlsx.findings as findings
import compliance.report.xlsx.kpis as kpis
import compliance.report.xlsx.plan as plan
import compliance.report.xlsx.regulations as regulations
import compliance.report.xlsx.rules as rules
import compliance.report.xlsx.summary as summary
from compliance.dates import english
from compliance.records.filling import ATTESTATIONS, READINGS
from compliance.report.plan.answering import named
from compliance.report.whole import Whole
from compliance.report.xlsx.sheet import opened

PIECE = 1 << 20
"""Bytes that are written at a time."""


def write(whole: Whole) -> Iterator[bytes]:
    """The workbook, piece by piece; the same input gives the same bytes."""
    written = whole.audit.written() if whole.audit is not None else {}
    asked = fill.attestations(whole.audit, written) if whole.audit is not None else []
    drawn = fill.readings(whole.audit) if whole.audit is not None else {}
    with opened(whole.as_at, whole.name) as (book, content):
        contents = _contents(whole, bool(asked), drawn)
        first = book.sheet("Summary")
        sheets = {name: book.sheet(name) for name in contents}
        summary.write(first, whole, contents)
        if whole.audit is not None:
            its = regulations.listed(whole.audit, written)
            at_rules, at_regulations = rules.places(whole.audit), regulations.places(its)
            firsts = findings.write(sheets["Findings"], whole.audit, at_rules, at_regulations)
            regulations.write(sheets["By regulation"], written, its, at_rules, firsts)
            rules.write(sheets["Rules"], whole.audit, written, firsts, at_regulations)
            if whole.audit.previous is not None:
                earlier.write_gone(sheets["No longer found"], whole.audit.previous.gone)
            if whole.audit.waivers:
                earlier.write_accepted(sheets["Accepted risks"], whole.audit.waivers)
            data.write(sheets["The data"], whole.audit)
        if whole.ahead is not None:
            ahead.write(sheets["Falls due"], sheets["Headroom"], whole.ahead)
        if whole.kpis is not None:
            kpis.write(sheets["KPIs"], sheets["KPI values"], sheets["KPI charts"], whole.kpis)
        if whole.plan is not None:
            plan_sheets = sheets["Plan on a page"], sheets["Plan actions"], sheets["Plan measures"]
            names = dict(map(named, whole.audit.findings())) if whole.audit is not None and whole.personal else {}
            plan.write(*plan_sheets, whole.plan, whole.as_at, names)
        if asked:
            fill.write(sheets["Attestations"], ATTESTATIONS, asked)
        for kind, rows in drawn.items():
            fill.write(sheets[fill.sheet_name(kind)], READINGS, rows)
    whole_book = content.getbuffer()
    for start in range(0, len(whole_book), PIECE):
        yield bytes(whole_book[start : start + PIECE])


def _contents(whole: Whole, asked: bool, drawn: fill.Asked) -> dict[str, str]:
    """Every sheet but the first, with what it holds."""
    its: dict[str, str] = {}
    if whole.audit is not None:
        its["Findings"] = "Every finding, with its argument, when it was due, who puts it right and by when."
        its["By regulation"] = "Each regulation and standard, and what became of the checks under it."
        its["Rules"] = "What became of every rule, and what it asks."
        if whole.audit.previous is not None:
            on = english(whole.audit.previous.as_at)
            its["No longer found"] = (
                f"What the audit as at {on} had found and this one does not, and what became of it."
            )
        if whole.audit.waivers:
            its["Accepted risks"] = "Every waiver, and what it is worth on the day."
    if asked:
        its["Attestations"] = "To complete: what a person must vouch for and nobody has."
    if whole.ahead is not None:
        its["Falls due"] = f"What falls due in the next {whole.ahead.days:,} days."
        its["Headroom"] = "How many records are in order under each rule with a clock, and for how long."
    if whole.kpis is not None:
        its["KPIs"] = "Each key performance indicator with its value, its target or band, and its status."
        its["KPI charts"] = "A chart of each that has a history."
        its["KPI values"] = "The values period by period, from which the charts are drawn."
    if whole.plan is not None:
        its["Plan on a page"] = "The improvement plan, Level One."
        its["Plan actions"] = "Its actions, Level Two."
        its["Plan measures"] = "Its measures, with the latest value of each."
    for kind, rows in drawn.items():
        its[fill.sheet_name(kind)] = (
            f"To fill in: {kind.replace('_', ' ')} records to read and judge, {len(rows):,} questions."
        )
    if whole.audit is not None:
        its["The data"] = "What could not be used as written, and what was not read."
    return its
