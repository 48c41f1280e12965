"""The doors through which files come in: for each a file as it is meant to be, how it is changed, and a command that reads it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import plan_making
import xlsxwriter
from test_workbook import fill, first_child, met_all, saved, small

from compliance.errors import ComplianceError
from compliance.files import documents, sealed
from compliance.files.strict import Problems
from compliance.findings import waiverfile
from compliance.jobs import comparison, kept, kpis, planning, shipped
from compliance.jobs.asked import Asked, Export
from compliance.jobs.book import RuleFolders, read_rulebook
from compliance.model import Parameter
from compliance.privacy import pseudonyms, reidentifying
from compliance.records import answers, mappingfile, reading
from compliance.rules import rulefile
from compliance.sql.planned import Prepared
from compliance.tracker import auditfile, eventsfile, life, planfile, spreadsheet
from compliance.tracker.events import Draft
from compliance.tracker.state import fold
from compliance.tracker.store import Store
from fuzz import mutations
from fuzz.mutations import Change

AS_AT = "2021-09-20"
CANARIES = ("Zanarya", "Zanaryb", "Zanaryc")
"""Names of people who are nobody: no output may show one."""
MADE = frozenset({"new.sqlite", "new-waivers.yaml", "back.csv", "map.yaml"})
"""What a command writes, where nothing was."""
Run = Callable[..., Any]


@dataclass(frozen=True)
class Door:
    """Where a file comes in.

    Args:
      file: what is changed, in the folder of the real files; or a pattern that it alone is of.
      asked: the command; `{}` is the folder.
      names_stay: the columns keep their names, so that nothing personal may be shown.
      same: whatever becomes of the file, what is told is what was told before.
      reads: what the command does with the file before anything else, and gives what it holds; what it refuses, the command refuses.
    """

    file: str
    change: Change
    asked: tuple[str, ...]
    names_stay: bool = False
    same: bool = False
    reads: Callable[[Path], object] | None = None

    @property
    def uses(self) -> frozenset[str]:
        """The files and folders that the command reads."""
        named = {a.removeprefix("{}/").partition("/")[0] for a in self.asked if a.startswith("{}/")} - MADE
        return frozenset({self.file.partition("/")[0], *named})


_AUDIT = ("audit", "{}/export", "--as-at", AS_AT, "--rule", "appraisal-overdue")
_WHO = ("--db", "{}/plan.sqlite", "--role", "manager", "--name", "m")
_TERMS = (
    "--reason",
    "r",
    "--legal-basis",
    "l",
    "--approved-by",
    "manager",
    "--until",
    "2021-12-01",
    "--to",
    "{}/new-waivers.yaml",
)


def _mapping(path: Path) -> object:
    _, schemas = shipped.folders()
    return mappingfile.read_mapping(path, planning.record_kinds(), schemas / "mappings", {})


def _figures(path: Path) -> object:
    known, problems = _shipped_figures(shipped.folders()[0]), Problems(lambda loc: documents.locate(path, loc))
    its = rulefile.overrides(documents.load_yaml(path), known, problems)
    if problems.found:
        raise ComplianceError(f"{path.name} cannot be used.", problems.found)
    return its


@cache
def _shipped_figures(rules: Path) -> Mapping[str, Parameter]:
    return read_rulebook(RuleFolders(rules), None).figures


def _own_rules_in(path: Path) -> object:
    book = read_rulebook(RuleFolders(path.parents[1]), None)
    return book.packs, book.names


def _earlier(path: Path) -> object:
    return comparison.read(Asked(Export(path.parent / "export"), date.fromisoformat(AS_AT)), path)


def _sheets(path: Path) -> object:
    book = reading.Workbook(path)
    return [(name, book.cells(name)) for name in book.sheets], book.whole


def _events(path: Path) -> object:
    return fold(eventsfile.read(path))


def _kept_plan(path: Path) -> object:
    seal = sealed.secret()
    assert seal is not None
    return kept._read(path, Prepared, seal)


DOORS: Mapping[str, Door] = {
    "csv, checked": Door("export/staff.csv", mutations.of_lines, ("data", "check", "{}/export"), names_stay=True),
    "csv, header too": Door("export/staff.csv", mutations.of_bytes, ("data", "check", "{}/export")),
    "csv, audited": Door("export/appraisal.csv", mutations.of_bytes, (*_AUDIT, "--format", "json")),
    "csv, mapped": Door("mapped/People.csv", mutations.of_bytes, ("data", "map", "{}/mapped")),
    "xlsx, checked": Door("books/staff.xlsx", mutations.of_workbook, ("data", "check", "{}/books"), reads=_sheets),
    "mapping": Door("mapping.yaml", mutations.of_yaml, ("data", "check", "{}/mapped", "--mapping", "{}/mapping.yaml"), reads=_mapping),
    "parameters": Door("parameters.yaml", mutations.of_yaml, (*_AUDIT, "--parameters", "{}/parameters.yaml"), reads=_figures),
    "waivers": Door("waivers.yaml", mutations.of_yaml, (*_AUDIT, "--waivers", "{}/waivers.yaml"), reads=waiverfile.read),
    "rule, linted": Door("rules/own/odd.yaml", mutations.of_yaml, ("rules", "lint", "--rules", "{}/rules"), reads=_own_rules_in),
    "rule with a clock": Door("timed/own/clock.yaml", mutations.of_yaml, ("rules", "lint", "--rules", "{}/timed"), reads=_own_rules_in),
    "rule, tested": Door("rules/own/odd.yaml", mutations.of_yaml, ("rules", "test", "--rules", "{}/rules"), reads=_own_rules_in),
    "pack": Door("rules/own/pack.yaml", mutations.of_yaml, ("rules", "lint", "--rules", "{}/rules"), reads=_own_rules_in),
    "plan": Door("plan.yaml", mutations.of_yaml, ("plan", "new", "{}/plan.yaml", "--db", "{}/new.sqlite", *_WHO[2:]), reads=planfile.read),
    "previous": Door("findings.json", mutations.of_json, (*_AUDIT, "--previous", "{}/findings.json"), reads=_earlier),
    "baseline": Door("findings.json", mutations.of_json, (*_AUDIT, "--baseline", "{}/findings.json"), reads=_earlier),
    "propose": Door("audit.json", mutations.of_json, ("plan", "propose", "--findings", "{}/audit.json", *_WHO), reads=auditfile.read),
    "verify": Door("audit.json", mutations.of_json, ("plan", "verify", "--findings", "{}/audit.json", *_WHO), reads=auditfile.read),
    "measures": Door("audit.json", mutations.of_json, ("plan", "measures", "--from-audit", "{}/audit.json", *_WHO), reads=auditfile.read),
    "measures of KPIs": Door(
        "kpis.json", mutations.of_json, ("plan", "measures", "--kpis", "{}/kpis.json", *_WHO), reads=auditfile.read_kpis
    ),
    "waive": Door("audit.json", mutations.of_json, ("waive", "{}/audit.json", "review-late", "C1", *_TERMS[:7], "2022-03-01", *_TERMS[8:])),
    "history of KPIs": Door(
        "history.json", mutations.of_json, ("kpi", "{}/export", "--as-at", AS_AT, "--history", "{}/history.json"), reads=kpis._history
    ),
    "key": Door(
        "key", mutations.of_bytes, ("data", "check", "{}/export", "--pseudonymise", "{}/key"), names_stay=True, reads=pseudonyms.read_key
    ),
    "filled workbook": Door(
        "filled.xlsx",
        mutations.of_workbook,
        ("data", "import", "{}/filled.xlsx", "--into", "{}/small", "--as-at", "2021-09-30"),
        reads=lambda path: answers.read(path, date(2021, 9, 30)),
    ),
    "answers": Door(
        "answered/sample_reading.answers.csv", mutations.of_lines, ("audit", "{}/answered", "--as-at", "2021-10-20", "--format", "csv")
    ),
    "plan's workbook": Door(
        "actions.xlsx",
        mutations.of_workbook,
        ("plan", "import", "{}/actions.xlsx", "--plan", "taken-over", "--db", "{}/new.sqlite", *_WHO[2:]),
        reads=spreadsheet.read,
    ),
    "plan's events": Door(
        "events.jsonl", mutations.of_events, ("plan", "import", "{}/events.jsonl", "--db", "{}/new.sqlite", *_WHO[2:]), reads=_events
    ),
    "report turned back": Door(
        "report.csv",
        mutations.of_bytes,
        ("data", "reidentify", "{}/report.csv", "--key", "{}/key", "--data", "{}/export", "--out", "{}/back.csv"),
        reads=reidentifying.read,
    ),
    "database, listed": Door("plan.sqlite", mutations.of_database, ("plan", "list", "--db", "{}/plan.sqlite")),
    "database, verified": Door("plan.sqlite", mutations.of_database, ("plan", "verify", "--db", "{}/plan.sqlite")),
    "database, told": Door("plan.sqlite", mutations.of_database, ("plan", "history", "--db", "{}/plan.sqlite")),
    "database, reported": Door("plan.sqlite", mutations.of_database, ("plan", "report", "level-two", "--db", "{}/plan.sqlite")),
    "kept plan": Door("cache/plan-*.json", mutations.of_sealed, (*_AUDIT, "--format", "csv"), same=True, reads=_kept_plan),
}  # fmt: skip


def files(folder: Path, run: Run, rules: Path) -> None:
    """Writes the real files into a folder.

    Args:
      run: carries out a command.
      rules: the shipped ones.
    """
    staff = "staff_id,name,date_of_birth,role,worker_kind,started_on,left_on\n" + "".join(
        f"S{n},{name} Person,1980-01-0{n},social worker,employee,2015-01-01,\n" for n, name in enumerate(CANARIES, 1)
    )
    for name in ("export", "mapped", "books"):
        (folder / name).mkdir()
    (folder / "export" / "staff.csv").write_text(staff, encoding="utf-8")
    (folder / "export" / "appraisal.csv").write_text(
        "appraisal_id,staff_id,held_on\nA1,S1,2016-01-01\n", encoding="utf-8"
    )
    (folder / "mapped" / "People.csv").write_text("Id;Job;Start\nS1;manager;01/02/2015\n", encoding="utf-8")
    with xlsxwriter.Workbook(folder / "books" / "staff.xlsx") as book:
        days = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet("staff")
        sheet.write_row(0, 0, ["staff_id", "name", "role", "started_on"])
        for n, name in enumerate(CANARIES, 1):
            sheet.write_row(n, 0, [f"S{n}", name, "manager"])
            sheet.write_datetime(n, 3, date(2015, 1, 1), days)
    (folder / "mapping.yaml").write_text(
        "title: Ours\ndates: [DD/MM/YYYY]\nencoding: utf-8\ndelimiter: ';'\nunused: [notes]\nsources:\n"
        "  - record: staff\n    file: People.csv\n    columns: {staff_id: Id, role: Job, started_on: Start}\n",
        encoding="utf-8",
    )
    (folder / "parameters.yaml").write_text(
        "source: Our own policy, version 4\nparameters:\n  dbs_renewal: 2 years\n  employment_gap_days: {2020-01-01: 20, 2021-01-01: 25}\n"
        "  medical_renewal: off\nlimits:\n  appraisal-overdue: 10 months\n",
        encoding="utf-8",
    )
    (folder / "waivers.yaml").write_text(
        "waivers:\n  - id: w\n    rule: appraisal-overdue\n    subject: S1\n    outcome: breach\n    reason: Long-term sick\n"
        "    approved_by: manager\n    from: 2021-09-01\n    until: 2021-12-01\n",
        encoding="utf-8",
    )
    _own_rules(folder)
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    for name, document in (
        ("audit.json", plan_making.audit("2022-01-31", "review-late/C1", "complaint-open/C2", "check-missing/C3")),
        ("kpis.json", {"as_at": "2022-02-28", "kpis": [KPI]}),
    ):
        plan_making.kept(folder, document, name)
    run(*(a.format(folder) for a in _AUDIT), "--format", "json", "--out", str(folder / "findings.json"))
    run("kpi", str(folder / "export"), "--as-at", AS_AT, "--format", "json", "--out", str(folder / "history.json"))
    run("data", "new-key", str(folder / "key"))
    asked = [a.format(folder) for a in _AUDIT]
    run(*asked, "--pseudonymise", str(folder / "key"), "--format", "csv", "--out", str(folder / "report.csv"))
    _workbooks(folder, run)
    store = Store(str(folder / "plan.sqlite"))
    store.change("small", "2022-01-03", plan_making.MANAGER, lambda _: [life.begin(plan_making.small_plan())])
    for text in ("one", "two"):
        one = Draft("comment", "A1", {"text": text})
        store.change("small", "2022-01-04", plan_making.MANAGER, lambda _, one=one: [one])  # type: ignore[misc]
    store.close()
    run(
        "plan",
        "export",
        "--format",
        "jsonl",
        "--db",
        str(folder / "plan.sqlite"),
        "--out",
        str(folder / "events.jsonl"),
    )


KPI = {
    "framework": "council", "code": "k1", "unit": "percent", "value": 93.4, "why": None, "could_not": None, "target": 95, "lower": None,
    "upper": None, "direction": "higher_is_better",
}  # fmt: skip


def _own_rules(folder: Path) -> None:
    for pack, name, rule in ((folder / "rules" / "own", "odd", ODD), (folder / "timed" / "own", "clock", CLOCK)):
        pack.mkdir(parents=True)
        (pack / "pack.yaml").write_text(OWN_PACK, encoding="utf-8")
        (pack / f"{name}.yaml").write_text(rule, encoding="utf-8")


PLAN = """\
plan: ours
title: Our plan
sponsors: [director]
roles: {director: The director of the service}
responds_to: An inspection
period: 2022-02 to 2022-12
dates: {approved: 2022-02-01}
regulations: ['28.2']
themes: [oversight]
forums:
  - {name: managers, cadence: monthly, does: Looks at it, escalate_after: 7}
concerns:
  - {id: R1, text: Reviews are late, kind: requirement, regulation: '28.2', due: 2022-03-31, restated: true, workstreams: [WS1]}
accounts:
  - {dated: 2022-02-20, by: director, completed: [{text: The reviews, workstream: WS1, actions: [WS1.1]}]}
workstreams:
  - id: WS1
    title: Reviews
    takes: [panel]
    leads: [team manager]
    actions:
      - {id: WS1.1, text: Hold the reviews, owner: team manager, start: 2022-02, due: 2022-02-28, status: completed, themes: [oversight]}
      - {id: WS1.2, text: Tell the panel, due: 2022-02 to 2022-03, answers: [FSR-28-2], evidence: [Minutes], every: month, note: Soon}
    measures:
      - {id: WS1-m1, text: Reviews in time, kind: rule, of: review-late, target: at least 90 %, cadence: monthly}
due_soon: 14
stalled_after: 28
note: A note
"""
OWN_PACK = """\
pack: own
title: Own rules
cases_as_at: 2021-09-20
parameters:
  renewal: {title: How long it holds, value: {2011-04-01: 3 years, 2020-01-01: 2 years}, basis: local policy, source: Ours, note: None}
  gap: {title: Days, value: 31, unit: days, basis: local policy, source: Ours}
lists:
  posts: [manager, social worker]
tables:
  told: {manager: [police, ofsted], social worker: [police]}
facts:
  staff:
    at_work: {title: Works for us, is: started_on <= as_at and (left_on is None or left_on >= as_at)}
    first_on: {title: First check, is: earliest(c for c in checks if c.kind == 'dbs').completed_on}
"""
ODD = """\
id: odd
title: {open: No role or check, not_evidenced: Whether there is a role cannot be told}
cites: [FSR-20-1-b]
record: staff
when: at_work and worker_kind == 'employee'
require:
  has a role: role is not None
  was checked before: {that: first_on <= started_on, done_since: first_on is not None}
  has no gap: count(c for c in checks if c.kind == 'dbs' and days(c.completed_on, as_at) <= gap) <= 3 or role in posts
severity: advice
put_right: {within: 28 days, by: manager, workstream: x}
remedy: Mend it.
show: [role]
cases:
  - name: has
    staff: {role: manager, started_on: 2021-01-01, worker_kind: employee}
    checks: [{kind: dbs, completed_on: 2020-12-01}]
    outcome: compliant
  - {name: has not, staff: {started_on: 2021-01-01, worker_kind: employee}, outcome: not_evidenced}
"""
CLOCK = """\
id: clock
title: {open: Late, not_evidenced: Cannot be told}
cites: [SAFER-IND-4]
record: staff
when: at_work
every:
  from: started_on
  done: (a.held_on for a in appraisals)
  within: {2011-04-01: 1 year, 2021-01-01: 2 years}
  until: left_on
  what: Appraisal
severity: advice
put_right: {within: 28 days, by: line manager, workstream: x}
remedy: Hold it.
show: [role]
cases:
  - {name: late, staff: {started_on: 2015-09-19}, outcome: breach}
"""


def few_rules(folder: Path, rules: Path) -> None:
    """The catalogues, and of the shipped rules and KPIs one each.

    Args:
      rules: the shipped ones.
    """
    shutil.copytree(rules / "instruments", folder / "instruments")
    # The packs without their rules, for one names the facts of another.
    packs = ("safer-recruitment", "fostering-regulations", "care-planning", "minimum-standards", "kpi/fostering")
    for name in (
        *(f"{pack}/pack" for pack in packs),
        "safer-recruitment/appraisal-overdue",
        "minimum-standards/standard-not-attested",
        "kpi/fostering/staff-checks-complete",
    ):
        file = folder / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(rules / f"{name}.yaml", file)


def _workbooks(folder: Path, run: Run) -> None:
    asked = folder / "asked.xlsx"
    run("audit", str(small(folder / "small")), "--as-at", AS_AT, "--format", "xlsx", "--out", str(asked), "--exit-zero")

    def change(cells: Any) -> None:
        met_all(cells)
        duty, key = first_child(cells)
        fill(
            cells["Read child"],
            lambda row: (row[0], row[4]) == (duty, key),
            "met",
            "2021-09-23",
            "team manager",
            "seen",
        )

    saved(asked, folder / "filled.xlsx", change)
    answered = small(folder / "answered")
    run("data", "import", str(folder / "filled.xlsx"), "--into", str(answered), "--as-at", "2021-09-30")
    with xlsxwriter.Workbook(folder / "actions.xlsx") as book:
        months = book.add_format({"num_format": "mmm-yy"})
        sheet = book.add_worksheet("WS1 Safer caring")
        sheet.write_row(0, 0, ["Action", "Responsible", "Due", "Status", "Evidence"])
        sheet.write_row(1, 0, ["1.1 Bring the plans up to date", "team manager", "31/03/2022", "In progress", ""])
        sheet.write_row(2, 0, ["1.2 Tell the panel", "panel adviser"])
        sheet.write_datetime(2, 2, date(2022, 3, 1), months)
