"""The commands that same.py compares: a table, of which as much as can be is made of what the program itself lists.

Formats, frequencies and groupings are read in `--help`, rules and KPIs in what lists them, records in findings: a new one is covered by
itself. Left out on purpose: `--timings` (no two are alike), `rules sql` (how something is asked, not what is said), `--mutants` and
`--boundaries` of all rules (`make rules` runs them), and commands that neither read an export nor an audit (`make unit` does).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUN = "build/same"
"""The folder of a run in each checkout, relative to its root: what commands read, and what they write."""
IN, OUT = f"{RUN}/in", f"{RUN}/out"

Command = tuple[str, ...]
Result = dict[str, bytes]
"""What a command said and wrote: `exit code`, `stdout`, `stderr`, and each file by its name in OUT."""
Ask = Callable[[Command], Result]


@dataclass(frozen=True)
class Export:
    """A fixture, and the day that documents and tests look at it from."""

    folder: str
    as_at: str

    def asked(self, command: str, *more: str) -> Command:
        """A command of this export on its day."""
        return (command, self.folder, "--as-at", self.as_at, *more)


AGENCY = Export("fixtures/agency", "2021-09-20")
THEN, NOW = (Export(f"fixtures/inspection-2021/{day}", day) for day in ("2020-12-17", "2021-09-20"))
ANNEX_A = Export("fixtures/annex-a", "2021-09-20")
EXPORTS = (
    AGENCY,
    Export("fixtures/clean", "2021-09-20"),
    NOW,
    THEN,
    ANNEX_A,
    Export("fixtures/ssda903", "2021-03-31"),
    Export("fixtures/governance", "2024-09-30"),
)
DAMAGED = Export(f"{IN}/damaged", "2021-09-20")
"""The sample agency with something in every so-manieth cell that is no date, no word of a list, or nothing."""

DAMAGES = ("nope", "31/02/2021", "", " ", "01/01/1850", "=1+1", "12,5", "yes ", "2021-13-01", "31/12/2030")
DAYS = ("90", "30", "365")
ONE_RULE = "staff-references-incomplete"
FIGURES = """\
source: Safer recruitment policy, version 4
parameters: {dbs_renewal: 2 years, reference_gap: off}
limits: {child-visit-overdue: 4 weeks}
"""
WHO = ("--role", "registered manager", "--name", "Sam Example")


def fixtures(root: Path) -> set[str]:
    """The folders under fixtures/ that hold an export."""
    files = (f for f in (root / "fixtures").rglob("*") if f.suffix in (".csv", ".xlsx"))
    return {str(f.parent.relative_to(root)) for f in files if f.parent.name != "plans"}


def prepared(ask: Ask, root: Path) -> Iterator[tuple[str, bytes]]:
    """Files that commands read, by their names in IN: both checkouts are given what the other one made."""
    yield "pseudonyms.key", b"0123456789abcdef" * 4 + b"\n"
    yield "figures.yaml", FIGURES.encode()
    yield from _damaged(root / AGENCY.folder)
    audits = {
        "earlier.json": Export(AGENCY.folder, "2020-09-20").asked("audit"),
        "then.json": THEN.asked("audit"),
        "findings.json": AGENCY.asked("audit"),
        "by-team.json": AGENCY.asked("audit", "--by", "team"),
    }
    for name, audit in audits.items():
        yield name, ask((*audit, "--format", "json"))["stdout"]
    yield "waivers.yaml", _waivers(_json(ask, (*audits["findings.json"], "--format", "json"))["findings"])
    hidden = AGENCY.asked("audit", "--pseudonymise", f"{IN}/pseudonyms.key", "--format", "csv")
    yield "pseudonyms.csv", ask(hidden)["stdout"]
    yield "kpis.json", ask(AGENCY.asked("kpi", "--format", "json"))["stdout"]
    plan = ("plan", "new", "fixtures/plans/sample-agency.yaml", "--on", "2021-09-20", *WHO)
    yield "plan.sqlite", ask((*plan, "--db", f"{OUT}/plan.sqlite"))["plan.sqlite"]


def commands(ask: Ask) -> Iterator[Command]:
    """Every command; what says much in little time comes first."""
    yield from _helps(ask, ())
    yield from _mistakes()
    yield from _plans(ask)
    yield from _data(ask)
    yield from _audits(ask)
    yield from _kpis(ask)
    yield from _wholes(ask)
    yield from _forecasts(ask)
    yield from _rules(ask)
    yield from _explanations(ask)


def choices(ask: Ask, option: str, *command: str) -> list[str]:
    """What an option of a command can be, by its help."""
    told = re.search(rf"{option}\s+\[([^\]]+)\]", ask((*command, "--help"))["stdout"].decode())
    if told is None:
        raise ValueError(f"the help of {' '.join(command)} lists nothing for {option}")
    return re.sub(r"\s", "", told[1]).split("|")


def _helps(ask: Ask, group: Command) -> Iterator[Command]:
    """The help of a command, and of those that it lists."""
    yield (*group, "--help")
    _, _, listed = ask((*group, "--help"))["stdout"].decode().partition("\nCommands:\n")
    for name in re.findall(r"^  (\S+)", listed, re.MULTILINE):
        yield from _helps(ask, (*group, name))


def _json(ask: Ask, command: Command) -> Any:
    return json.loads(ask(command)["stdout"])


def _also(formats: list[str]) -> Command:
    return tuple(a for f in formats for a in ("--also", f"{f}={OUT}/audit.{f}"))


def _audits(ask: Ask) -> Iterator[Command]:
    formats = choices(ask, "--format", "audit")
    every, some = _also(formats), _also(["json", "csv", "markdown"])
    for export in (*EXPORTS, DAMAGED):
        yield export.asked("audit", "--format", "json")
        yield export.asked("audit", *every)
    for format_ in formats:
        yield ANNEX_A.asked("audit", "--format", format_)
        yield AGENCY.asked("audit", "--every", "month", "--from", "2021-04-01", "--format", format_)
    for frequency in choices(ask, "--every", "audit"):
        yield NOW.asked("audit", "--every", frequency, "--from", "2021-06-01", "--format", "json")
    for by in choices(ask, "--by", "audit"):
        yield AGENCY.asked("audit", "--by", by, *some)
    yield AGENCY.asked("audit", "--by", "team", "--format", "html")
    yield NOW.asked("audit", "--by", "regulation", "--previous", f"{IN}/then.json", *every)
    key, waivers, figures = (f"{IN}/{name}" for name in ("pseudonyms.key", "waivers.yaml", "figures.yaml"))
    yield AGENCY.asked("audit", "--previous", f"{IN}/earlier.json", *every)
    yield AGENCY.asked("audit", "--waivers", waivers, *every)
    yield AGENCY.asked("audit", "--personal", *every)
    yield AGENCY.asked("audit", "--pseudonymise", key, *every)
    yield AGENCY.asked("audit", "--parameters", figures, *some)
    yield AGENCY.asked("audit", "--baseline", f"{IN}/earlier.json", *some)
    yield AGENCY.asked("audit", "--baseline", f"{IN}/findings.json")
    yield AGENCY.asked("audit", "--sample", "3", "--seed", "7", *some)
    yield AGENCY.asked("audit", "--sample", "0", "--out", f"{OUT}/audit.txt")
    yield AGENCY.asked("audit", "--threads", "1", "--memory", "1GB", "--no-cache", "--format", "json")
    yield AGENCY.asked("audit", "--rules", "rules", "--rule", ONE_RULE, *every)
    for severity in choices(ask, "--fail-on", "audit"):
        yield AGENCY.asked("audit", "--rule", ONE_RULE, "--fail-on", severity)
    for option in ("--exit-zero", "--strict", "--require-complete"):
        yield ANNEX_A.asked("audit", option)


def _data(ask: Ask) -> Iterator[Command]:
    for export in (*EXPORTS, DAMAGED):
        yield ("data", "check", export.folder)
    yield ("data", "check", "fixtures/annex-a/annex-a.xlsx", "--mapping", "annex-a:snapshot_on=2021-09-20")
    yield ("data", "check", AGENCY.folder, "--strict")
    yield ("data", "check", DAMAGED.folder, "--personal")
    yield ("data", "check", DAMAGED.folder, "--pseudonymise", f"{IN}/pseudonyms.key")
    for format_ in choices(ask, "--format", "data", "dictionary"):
        yield ("data", "dictionary", "--format", format_)
    for format_ in choices(ask, "--format", "data", "template"):
        yield ("data", "template", f"{OUT}/template", "--format", format_)
    key = f"{IN}/pseudonyms.key"
    yield ("data", "reidentify", f"{IN}/pseudonyms.csv", "--key", key, "--data", AGENCY.folder)


def _kpis(ask: Ask) -> Iterator[Command]:
    formats = choices(ask, "--format", "kpi")
    for export in (*EXPORTS, DAMAGED):
        for format_ in formats:
            yield export.asked("kpi", "--format", format_)
    for export in (AGENCY, ANNEX_A):
        for kpi in _json(ask, export.asked("kpi", "--format", "json"))["kpis"]:
            if not kpi.get("why"):
                yield export.asked("kpi", "--cases", kpi["code"], "--format", "json")
    for format_ in choices(ask, "--format", "audit"):
        yield AGENCY.asked("kpi", "--cases", "FOS-2", "--format", format_)
    for export in (AGENCY, ANNEX_A):
        for format_ in formats:
            yield export.asked("kpi", "--every", "month", "--from", "2020-10-01", "--format", format_)
            yield export.asked("kpi", "--suppress", "5", "--format", format_)
    yield ANNEX_A.asked("kpi", "--chart", f"{OUT}/charts")
    yield AGENCY.asked("kpi", "--history", f"{IN}/kpis.json", "--format", "json")
    yield AGENCY.asked("kpi", "--period", "2021-07", "--format", "json")
    yield AGENCY.asked("kpi", "--cases", "FOS-5", "--pseudonymise", f"{IN}/pseudonyms.key")
    yield AGENCY.asked("kpi", "--cases", "FOS-5", "--personal")


def _plans(ask: Ask) -> Iterator[Command]:
    for format_ in choices(ask, "--format", "plan", "propose"):
        for findings in ("findings.json", "by-team.json"):
            plan = ("plan", "propose", "--dry-run", *WHO, "--db", f"{IN}/plan.sqlite")
            yield (*plan, "--findings", f"{IN}/{findings}", "--format", format_)
    accepted = ("--reason", "To be held on return", "--legal-basis", "none", "--approved-by", "registered manager")
    finding = ("waive", f"{IN}/findings.json", "appraisal-overdue", "S0058")
    yield (*finding, *accepted, "--until", "2021-12-31", "--to", f"{OUT}/waivers.yaml")


def _rules(ask: Ask) -> Iterator[Command]:
    for format_ in choices(ask, "--format", "rules", "list"):
        yield ("rules", "list", "--format", format_)
    yield ("rules", "list", "--as-at", "2012-01-01")
    yield ("rules", "show", ONE_RULE)
    for format_ in choices(ask, "--format", "rules", "coverage"):
        yield ("rules", "coverage", "--format", format_)
        yield ("rules", "coverage", "--as-at", "2021-09-20", "--unaccounted", "--format", format_)
        for export in EXPORTS:
            yield ("rules", *export.asked("coverage", "--format", format_))
    yield ("rules", "coverage", AGENCY.folder, "--as-at", AGENCY.as_at, "--instrument", "fsr2011")
    yield ("rules", "lint")
    yield ("rules", "test", "--verbose")


def _forecasts(ask: Ask) -> Iterator[Command]:
    formats = choices(ask, "--format", "forecast")
    for days in DAYS:
        for export in (*EXPORTS, DAMAGED):
            for format_ in formats:
                if format_ in ("table", "json") or days == DAYS[0] or export == AGENCY:
                    yield export.asked("forecast", "--days", days, "--format", format_)
    for option in (("--personal",), ("--pseudonymise", f"{IN}/pseudonyms.key"), ("--parameters", f"{IN}/figures.yaml")):
        for format_ in ("json", "ics"):
            yield AGENCY.asked("forecast", *option, "--format", format_)
    yield AGENCY.asked("forecast", "--rule", "child-visit-overdue")
    for option in (("--strict",), ("--require-complete",)):
        yield ANNEX_A.asked("forecast", *option)


def _wholes(ask: Ask) -> Iterator[Command]:
    for format_ in choices(ask, "--format", "report"):
        file = ("--out", f"{OUT}/report.{format_}")
        for export in (*EXPORTS, DAMAGED):
            yield export.asked("report", *file)
        yield AGENCY.asked("report", "--previous", f"{IN}/earlier.json", "--db", f"{IN}/plan.sqlite", *file)
        yield AGENCY.asked("report", "--pseudonymise", f"{IN}/pseudonyms.key", *file)


def _mistakes() -> Iterator[Command]:
    yield AGENCY.asked("audit", "--rule", "no-such-rule")
    yield AGENCY.asked("audit", "--mapping", "no-such-mapping")
    yield AGENCY.asked("audit", "--previous", f"{IN}/figures.yaml")
    yield AGENCY.asked("kpi", "--cases", "NO-SUCH-KPI")
    yield ("audit", "fixtures/no-such-export", "--as-at", "2021-09-20")
    yield ("audit", "fixtures/plans", "--as-at", "2021-09-20")


def _explanations(ask: Ask) -> Iterator[Command]:
    """Of every rule: for a record where the sample agency has a finding, of a damaged one else, and alone where there is none."""
    with_record: dict[str, Command] = {}
    for export in (AGENCY, DAMAGED):
        for finding in _json(ask, export.asked("audit", "--format", "json"))["findings"]:
            record = ("--record", finding["subject"]["key"], "--data", export.folder, "--as-at", export.as_at)
            with_record.setdefault(finding["rule"], record)
    for rule in _json(ask, ("rules", "list", "--format", "json")):
        yield ("rules", "explain", rule["id"], *with_record.get(rule["id"], ()))


def _damaged(folder: Path) -> Iterator[tuple[str, bytes]]:
    """An export with mistakes in its CSV files, the same ones each time; its other files as they are."""
    cell = 0
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        if file.suffix == ".csv":
            header, *rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
            for row in rows:
                for column in range(1, len(row)):
                    cell += 1
                    if cell % 211 == 0:
                        row[column] = DAMAGES[cell // 211 % len(DAMAGES)]
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([header, *rows])
            content = text.getvalue().encode()
        yield f"damaged/{file.name}", content


def _waivers(findings: list[dict[str, Any]]) -> bytes:
    """Waivers of some findings: in force, at their end, over, not begun, and resting on what is not so."""
    spans = (
        ("2021-09-01", "2021-12-31"),
        ("2021-09-01", "2021-09-30"),
        ("2021-01-01", "2021-06-30"),
        ("2021-10-01", "2021-12-31"),
    )
    made = []
    for n, finding in enumerate(findings[::10]):
        subject = finding["subject"]
        waiver = {
            "id": f"w{n}",
            "rule": finding["rule"],
            "subject": subject["key"],
            "outcome": finding["outcome"],
            "reason": "Accepted for a time",
            "legal_basis": "none",
            "approved_by": "registered manager",
            "from": spans[n % 4][0],
            "until": spans[n % 4][1],
        }
        if subject["part"] is not None:
            waiver["part"] = subject["part"]
        if n % 5 == 4:
            waiver["failed"] = ["another condition"]
        made.append(waiver)
    return json.dumps({"waivers": made}, indent=1).encode()
