"""The doors through which files come in: for each a file as it is meant to be, how it is changed, and a command that reads it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import plan_making
import xlsxwriter
from test_workbook import fill, first_child, met_all, saved, small

from compliance.tracker import life
from compliance.tracker.events import Draft
from compliance.tracker.store import Store
from fuzz import mutations
from fuzz.mutations import Change

AS_AT = "2021-09-20"
CANARIES = ("Zanarya", "Zanaryb", "Zanaryc")
"""Names of people who are nobody: no output may show one."""
Run = Callable[..., Any]


@dataclass(frozen=True)
class Door:
    """Where a file comes in.

    Args:
      file: what is changed, in the folder of the real files.
      asked: the command; `{}` is the folder.
      names_stay: the columns keep their names, so that nothing personal may be shown.
      same: whatever becomes of the file, what is told is what was told before.
    """

    file: str
    change: Change
    asked: tuple[str, ...]
    names_stay: bool = False
    same: bool = False


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

DOORS: Mapping[str, Door] = {
    "csv, checked": Door("export/staff.csv", mutations.of_lines, ("data", "check", "{}/export"), names_stay=True),
    "csv, header too": Door("export/staff.csv", mutations.of_bytes, ("data", "check", "{}/export")),
    "csv, audited": Door("export/appraisal.csv", mutations.of_bytes, (*_AUDIT, "--format", "json")),
    "xlsx, checked": Door("books/staff.xlsx", mutations.of_workbook, ("data", "check", "{}/books")),
    "mapping": Door("mapping.yaml", mutations.of_yaml, ("data", "check", "{}/mapped", "--mapping", "{}/mapping.yaml")),
    "parameters": Door("parameters.yaml", mutations.of_yaml, (*_AUDIT, "--parameters", "{}/parameters.yaml")),
    "waivers": Door("waivers.yaml", mutations.of_yaml, (*_AUDIT, "--waivers", "{}/waivers.yaml")),
    "rule, linted": Door("rules/own/odd.yaml", mutations.of_yaml, ("rules", "lint", "--rules", "{}/rules")),
    "rule, tested": Door("rules/own/odd.yaml", mutations.of_yaml, ("rules", "test", "--rules", "{}/rules")),
    "pack": Door("rules/own/pack.yaml", mutations.of_yaml, ("rules", "lint", "--rules", "{}/rules")),
    "plan": Door("plan.yaml", mutations.of_yaml, ("plan", "new", "{}/plan.yaml", "--db", "{}/new.sqlite", *_WHO[2:])),
    "previous": Door("findings.json", mutations.of_json, (*_AUDIT, "--previous", "{}/findings.json")),
    "baseline": Door("findings.json", mutations.of_json, (*_AUDIT, "--baseline", "{}/findings.json")),
    "propose": Door("audit.json", mutations.of_json, ("plan", "propose", "--findings", "{}/audit.json", *_WHO)),
    "verify": Door("audit.json", mutations.of_json, ("plan", "verify", "--findings", "{}/audit.json", *_WHO)),
    "measures": Door("audit.json", mutations.of_json, ("plan", "measures", "--from-audit", "{}/audit.json", "--on", "2022-02-01", *_WHO)),
    "measures of KPIs": Door("kpis.json", mutations.of_json, ("plan", "measures", "--kpis", "{}/kpis.json", "--on", "2022-03-01", *_WHO)),
    "waive": Door("audit.json", mutations.of_json, ("waive", "{}/audit.json", "review-late", "C1", *_TERMS[:7], "2022-03-01", *_TERMS[8:])),
    "history of KPIs": Door("history.json", mutations.of_json, ("kpi", "{}/export", "--as-at", AS_AT, "--history", "{}/history.json")),
    "key": Door("key", mutations.of_bytes, ("data", "check", "{}/export", "--pseudonymise", "{}/key"), names_stay=True),
    "filled workbook": Door(
        "filled.xlsx", mutations.of_workbook, ("data", "import", "{}/filled.xlsx", "--into", "{}/small", "--as-at", "2021-09-30")
    ),
    "plan's workbook": Door(
        "actions.xlsx", mutations.of_workbook, ("plan", "import", "{}/actions.xlsx", "--title", "T", "--db", "{}/new.sqlite", *_WHO[2:])
    ),
    "plan's events": Door(
        "events.jsonl", mutations.of_json_lines, ("plan", "import", "{}/events.jsonl", "--db", "{}/new.sqlite", *_WHO[2:])
    ),
    "report turned back": Door(
        "report.csv",
        mutations.of_bytes,
        ("data", "reidentify", "{}/report.csv", "--key", "{}/key", "--data", "{}/export", "--out", "{}/back.csv"),
    ),
    "database, listed": Door("plan.sqlite", mutations.of_database, ("plan", "list", "--db", "{}/plan.sqlite")),
    "database, verified": Door("plan.sqlite", mutations.of_database, ("plan", "verify", "--db", "{}/plan.sqlite")),
    "database, told": Door("plan.sqlite", mutations.of_database, ("plan", "history", "--db", "{}/plan.sqlite")),
    "database, reported": Door("plan.sqlite", mutations.of_database, ("plan", "report", "level-two", "--db", "{}/plan.sqlite")),
    "kept plan": Door("cache/plan", mutations.of_json, (*_AUDIT, "--format", "csv"), same=True),
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
    (folder / "parameters.yaml").write_text("parameters:\n  appraisal_interval: 6 months\n", encoding="utf-8")
    (folder / "waivers.yaml").write_text(
        "waivers:\n  - id: w\n    rule: appraisal-overdue\n    subject: S1\n    outcome: breach\n    reason: Long-term sick\n"
        "    approved_by: manager\n    from: 2021-09-01\n    until: 2021-12-01\n",
        encoding="utf-8",
    )
    _rules(folder / "rules" / "own", rules)
    shutil.copy(
        rules.parent
        / "fixtures"
        / "plans"
        / sorted(p.name for p in (rules.parent / "fixtures" / "plans").glob("*.yaml"))[0],
        folder / "plan.yaml",
    )
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


def _rules(pack: Path, rules: Path) -> None:
    pack.mkdir(parents=True)
    shutil.copytree(rules / "instruments", pack.parent / "instruments")
    (pack / "pack.yaml").write_text(
        "id: own\ntitle: Own\nabout: Own rules.\nfacts:\n  staff:\n    at_work: {is: 'started_on <= as_at', about: At work}\n",
        encoding="utf-8",
    )
    (pack / "odd.yaml").write_text(
        "id: odd\ntitle: Odd\ncites: [FSR-20-1]\nrecord: staff\nwhen: at_work\nrequire:\n  has a role: role is not None\n"
        "severity: advice\nput_right: {within: 1 day, by: manager, workstream: x}\nremedy: Mend it.\nshow: [role]\ncases:\n"
        "  - {name: has, staff: {role: manager, started_on: 2021-01-01}, outcome: compliant}\n"
        "  - {name: has not, staff: {started_on: 2021-01-01}, outcome: not_evidenced}\n",
        encoding="utf-8",
    )


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
    with xlsxwriter.Workbook(folder / "actions.xlsx") as book:
        months = book.add_format({"num_format": "mmm-yy"})
        sheet = book.add_worksheet("WS1 Safer caring")
        sheet.write_row(0, 0, ["Action", "Responsible", "Due", "Status", "Evidence"])
        sheet.write_row(1, 0, ["1.1 Bring the plans up to date", "team manager", "31/03/2022", "In progress", ""])
        sheet.write_row(2, 0, ["1.2 Tell the panel", "panel adviser"])
        sheet.write_datetime(2, 2, date(2022, 3, 1), months)


def changed(folder: Path, door: Door, seed: str) -> None:
    """Changes the file of a door, in a folder of real files that is nobody else's."""
    file = folder / door.file
    if door.file == "cache/plan":
        (file,) = (folder / "cache").glob("plan-*.json")
        content = file.read_bytes()
        chance = random.Random(seed)
        start = content.index(b"{")
        made = (content[:start] if chance.random() < 0.7 else b"") + door.change(content[start:], chance)
        file.write_bytes(made if chance.random() < 0.7 else mutations.of_bytes(content, chance))
        return
    mutations.apply(door.change, file, seed)
