"""The first sheet: the whole in numbers, and what the other sheets hold."""

from __future__ import annotations

from collections.abc import Mapping

import compliance.report.forecast.table as ahead
import compliance.report.kpi.table as kpis
import compliance.report.table as table
from compliance.dates import english
from compliance.model import SEVERITIES
from compliance.report.today import today
from compliance.report.whole import Whole
from compliance.report.words import read_text
from compliance.report.xlsx.sheet import MOST_ROWS, Link, Sheet

ACROSS = 6


def write(sheet: Sheet, whole: Whole, contents: Mapping[str, str]) -> None:
    """Writes the sheet.

    Args:
      contents: the other sheets with what they hold.
    """
    sheet.widths((26, 16, 16, 16, 16, 60))
    sheet.line(whole.name, look="title")
    sheet.line(f"As at {english(whole.as_at)}{f', from the export {whole.of}' if whole.of else ''}", look="heading")
    for remark in whole.remarks:
        _lines(sheet, remark)
    _today(sheet, whole)
    _audit(sheet, whole)
    for title, said in _others(whole):
        sheet.row += 1
        sheet.line(title, look="heading")
        _lines(sheet, said)
    sheet.row += 1
    if not whole.personal:
        _lines(
            sheet,
            "Fields marked personal are not in this workbook; it holds case data all the same, so keep it as you keep case files.",
        )
    sheet.line("Sheets", look="heading")
    for name, what in contents.items():
        sheet.put(sheet.row, 0, Link(name, name))
        sheet.its.merge_range(sheet.row, 1, sheet.row, ACROSS - 1, "", sheet.book.form("plain"))
        sheet.its.write_string(sheet.row, 1, what, sheet.book.form("plain"))
        sheet.row += 1


def _lines(sheet: Sheet, said: str) -> None:
    for line in said.splitlines():
        sheet.text(line, ACROSS)


def _today(sheet: Sheet, whole: Whole) -> None:
    heaps = today(whole.audit) if whole.audit is not None else ()
    for heap in heaps:
        sheet.row += 1
        sheet.line(f"Today: {heap.title[:1].lower()}{heap.title[1:]}", look="heading")
        for n, sentence in enumerate(heap.sentences, start=1):
            sheet.text(f"{n}. {sentence.in_full}", ACROSS)
        if heap.more:
            sheet.text(f"{heap.more:,} more {'cause' if heap.more == 1 else 'causes'}: see Findings.", ACROSS)


def _audit(sheet: Sheet, whole: Whole) -> None:
    report = whole.audit
    if report is None:
        return
    sheet.row += 1
    sheet.line("Audit", look="heading")
    _lines(sheet, table.summary(report))
    sheet.row += 1
    sheet.line("Findings", "Breached", "Not evidenced", "Together", "of which accepted", look="head")
    for severity in SEVERITIES:
        its = [r for r in report.rules if r.rule.severity == severity]
        breach, unshown = sum(r.breach for r in its), sum(r.not_evidenced for r in its)
        sheet.line(severity, breach, unshown, breach + unshown, report.n_accepted(severity))
    if report.n_findings() > MOST_ROWS:
        _lines(sheet, f"This workbook holds the first {MOST_ROWS:,} findings; CSV and JSON hold all.")
    said = "A finding is a reason to look, not a judgement; a rule that did not run is not a pass."
    _lines(sheet, said)
    if report.unmet():
        sheet.row += 1
        sheet.line("Read, and not found met", look="heading")
        for r in report.unmet():
            _lines(sheet, read_text(r))


def _others(whole: Whole) -> list[tuple[str, str]]:
    said = []
    if whole.ahead is not None:
        said.append((f"The next {whole.ahead.days:,} days", ahead.summary(whole.ahead)))
    if whole.kpis is not None:
        said.append(("Key performance indicators", kpis.summary(whole.kpis)))
        if whole.kpis.suppressed_below:
            n = whole.kpis.suppressed_below
            said[-1] = (said[-1][0], said[-1][1] + f"Counts from 1 to {n - 1}, and what tells them, are suppressed.\n")
    if whole.plan is not None:
        its = whole.plan.actions.values()
        done = sum(t.status in ("completed", "verified", "signed off") for t in its)
        said.append(("Improvement plan", f"{whole.plan.plan.title}: {len(its):,} actions, {done:,} of them done.\n"))
    return said
