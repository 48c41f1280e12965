"""The sample agency from its export to the actions that answer what is found: the whole, for a newcomer (I/O: a new folder).

Everything is made by what the other commands are made of. The same version writes the same reports: days are the sample's, not the clock's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.errors import ComplianceError
from compliance.files.documents import private_folder, write_private
from compliance.jobs import audit, shipped
from compliance.jobs.asked import Asked, Export
from compliance.jobs.report import report as whole_report
from compliance.kpis.kpi import WITH_ACTION
from compliance.report import FORMATS, table
from compliance.report.causes import Cause, Causes
from compliance.report.forecast import FORMATS as FORECAST_FORMATS
from compliance.report.kpi import FORMATS as KPI_FORMATS
from compliance.report.kpi import chart
from compliance.report.plan import proposals
from compliance.report.wholes import FORMATS as WHOLE_FORMATS
from compliance.tracker import auditfile, life, planfile, proposing
from compliance.tracker.events import Who
from compliance.tracker.state import fold
from compliance.tracker.store import Store

if TYPE_CHECKING:
    from compliance.findings.report import Report
    from compliance.tracker.events import Draft
    from compliance.tracker.proposing import Proposed
    from compliance.tracker.state import State

AS_AT = date(2021, 9, 20)
"""The day that the sample agency's export was drawn."""
DAYS = 90
SHOWN = 8
"""Causes that are named on the screen."""
WIDTH = 120
"""Of the reports in files, however wide the terminal is."""
EXPORT, PLAN, FINDINGS, TRACKER = "sample-agency", "improvement-plan.yaml", "findings.json", "improvement-plan.sqlite"
WHO = Who("registered manager", "compliance demo")


FILES = (
    (
        EXPORT + "/",
        "the export, as a case system (CSV) and an HR system (XLSX) gave it; ANSWERS.yaml in it says what was planted",
    ),
    (
        "report.html",
        "to open in a browser: what to fix first, every finding to sort, filter and follow, what falls due, the KPIs and the plan",
    ),
    (
        "report.xlsx",
        "the same as a workbook to work in, with sheets to fill in: what only a person can vouch for, and records to read",
    ),
    (
        "findings.txt",
        "the same to read in one piece: what became of every rule, then every finding under the regulation that it breaks",
    ),
    ("findings.csv", "the findings for a spreadsheet; findings.json the same for programs"),
    ("kpis.txt", "the KPIs, with what a miss calls for; charts/ has a picture of each"),
    ("due.txt", "what falls due next, by who answers for it; due.ics the same for a diary"),
    ("actions.md", "the actions proposed for what was found; the plan itself is in improvement-plan.sqlite"),
)
"""What is written, and what it is for."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it, in numbers.

    Args:
      summary: of the audit, in words.
      causes: danger first, then what is open, as the page has them.
      missed: how many of the KPIs.
      due: how many duties fall due in the days ahead.
      proposed: how many actions.
    """

    summary: str
    causes: tuple[Cause, ...]
    missed: int
    kpis: int
    due: int
    proposed: int


def demo(folder: Path) -> Told:
    """Writes the sample agency into a new folder, audits it, and writes all that can be told of it beside it.

    Raises:
      ComplianceError: there is something in the folder already, or it cannot be written to.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ComplianceError(
            f"There is something in {folder} already; nothing was written. Name a new folder with --out."
        )
    export, plan = shipped.sample()
    data = folder / EXPORT
    private_folder(folder)
    private_folder(data)
    for path in sorted(export.iterdir()):
        write_private(data / path.name, [path.read_bytes()])
    write_private(folder / PLAN, [plan.read_bytes()])
    asked = Asked(Export(data), AS_AT)
    with whole_report(asked, audit.Options(by="regulation", sample=5), DAYS) as whole:
        report, ahead, kpis = whole.audit, whole.ahead, whole.kpis
        assert report is not None and ahead is not None and kpis is not None
        write_private(folder / "kpis.txt", KPI_FORMATS["table"](kpis, WIDTH))
        private_folder(folder / "charts")
        for i in kpis.indicators:
            write_private(folder / "charts" / chart.file_name(i), [chart.svg(i, kpis)])
        for format_, name in (("table", "findings.txt"), ("csv", "findings.csv"), ("json", FINDINGS)):
            write_private(folder / name, FORMATS[format_](report, WIDTH))
        for format_, name in (("table", "due.txt"), ("ics", "due.ics")):
            write_private(folder / name, FORECAST_FORMATS[format_](ahead, WIDTH))
        proposed, state = _proposed(folder)
        for format_, write in WHOLE_FORMATS.items():
            write_private(folder / f"report.{format_}", write(replace(whole, plan=state)))
        summary, causes = table.summary(report), _causes(report)
        due = sum(1 for _ in ahead.due())
    write_private(folder / "actions.md", proposals.FORMATS["markdown"](proposed, WIDTH))
    missed = sum(i.status.certain in WITH_ACTION for i in kpis.indicators)
    return Told(summary, causes, missed, len(kpis.indicators), due, len(proposed.proposals))


def _causes(report: Report) -> tuple[Cause, ...]:
    causes = Causes.of(report)
    for f in report.findings():
        causes.add(f)
    return tuple(c for heap in causes.heaps().values() for c in heap)


def _proposed(folder: Path) -> tuple[Proposed, State]:
    """The plan begun, an action proposed for each cause, and the plan as it then is."""
    audited, _ = auditfile.read(folder / FINDINGS)
    drafted: list[Proposed] = []
    plan = planfile.read(folder / PLAN)

    def begin(_: State) -> list[Draft]:
        return [life.begin(plan)]

    def propose(state: State) -> list[Draft]:
        drafted[:] = [proposing.propose(state, audited)]
        return [*life.audited(state, audited.audit), *proposing.drafts(state, drafted[0])]

    store = Store(str(folder / TRACKER))
    try:
        for change in (begin, propose):
            store.change(plan.id, AS_AT.isoformat(), WHO, change, now=lambda: datetime.combine(AS_AT, time(9), UTC))
        state = fold(store.events(plan.id))
    finally:
        store.close()
    return drafted[0], state
