"""Sheets to fill in: attestations, and records to be read. Only what is to be filled in can be changed; `data import` reads it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time

from compliance.findings.report import Report
from compliance.model import SERVICES, Duty, WrittenRule, in_force
from compliance.records.filling import AS_AT, EARLIEST, EXPORT, Form, mark
from compliance.report.regulations import vouched
from compliance.report.words import reading_text
from compliance.report.xlsx.sheet import Column, Sheet

Asked = Mapping[str, Sequence[tuple[str, ...]]]
"""What is asked, by the record kind that is to be read."""
LACKING = "attestation"


def attestations(report: Report, written: Mapping[str, WrittenRule]) -> list[tuple[str, ...]]:
    """The fixed cells of each attestation that the audit asked for and does not have."""
    asking = vouched(written)
    duties = {d.id: d for id_ in asking for d in written[id_].cites}
    rows = [_asked(duties[f.rule.part], f.key) for f in report.findings() if f.rule.part in duties]
    # Without any such record the rules could not run; each duty is asked for all the same, and the import knows the service.
    for r in report.rules:
        if (
            r.rule.id in asking
            and r.status == "could not run"
            and {x.partition(".")[0] for x in r.rule.lacking} == {LACKING}
        ):
            rows += [_asked(d, "") for d in written[r.rule.id].cites if _in_force(d, report)]
    return rows


def _in_force(duty: Duty, report: Report) -> bool:
    services = report.tables.services
    binds = not services or bool(services & SERVICES[duty.binds])
    return binds and in_force(duty, report.as_at)


def _asked(duty: Duty, service: str) -> tuple[str, ...]:
    return duty.id, duty.ref, duty.summary or duty.title, service


def readings(report: Report) -> Asked:
    """The fixed cells of each record that was drawn to be read, by record kind, then record."""
    found: dict[str, list[tuple[str, ...]]] = {}
    before = report.read_before()
    for p in report.prompts():
        for key, because in () if p.left_out else p.read:
            last = before.get((p.prompt.duty, p.prompt.record, key))
            kind = p.prompt.record.replace("_", " ")
            asked = (p.prompt.duty, p.prompt.ref, p.prompt.question, kind, key, ", ".join(because))
            its = (*asked, reading_text(last) if last else "")
            found.setdefault(p.prompt.record, []).append(its)
    return {kind: sorted(its, key=lambda row: (row[4], row[0])) for kind, its in sorted(found.items())}


def sheet_name(kind: str) -> str:
    """Read child review: at most the 31 characters that a sheet's name may have."""
    return f"Read {kind.replace('_', ' ')}"[:31]


def write(sheet: Sheet, form: Form, asked: Sequence[tuple[str, ...]]) -> None:
    """Writes the sheet. What is to be filled in can be changed, and nothing else: the sheet is protected, without a password."""
    as_at, data = sheet.book.as_at.isoformat(), sheet.book.data
    width = len(form.fixed) + len(form.filled)
    columns = [*form.fixed, *form.filled]
    sheet.widths([size for _, size in columns])
    sheet.line(form.title, look="title")
    sheet.text(form.how, width)
    sheet.line(AS_AT, as_at)
    sheet.line(EXPORT, data)
    header, first, last = sheet.row, sheet.row + 1, sheet.row + len(asked)
    sheet.header([*(Column(name, size) for name, size in columns), Column(form.headers[-1], 18)])
    for fixed in asked:
        sheet.line(*fixed)
        for n in range(len(form.fixed), width):
            sheet.its.write_blank(
                sheet.row - 1, n, None, sheet.book.form("fill day" if n == len(form.fixed) + 1 else "fill")
            )
        sheet.put(sheet.row - 1, width, mark(form, as_at, data, fixed))
    sheet.its.set_column(width, width, None, None, {"hidden": True})
    sheet.its.autofilter(header, 0, last, width - 1)
    sheet.its.freeze_panes(first, 2)
    answer, day = len(form.fixed), len(form.fixed) + 1
    known = {"validate": "list", "source": list(form.answers), "error_title": "Answer"}
    sheet.its.data_validation(
        first, answer, last, answer, {**known, "error_message": f"One of: {', '.join(form.answers)}."}
    )
    dated = {"validate": "date", "criteria": ">=", "value": datetime.combine(EARLIEST, time()), "error_title": "Day"}
    sheet.its.data_validation(first, day, last, day, {**dated, "error_message": "A date, such as 20/09/2021."})
    sheet.its.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
