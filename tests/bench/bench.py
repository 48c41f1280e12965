"""How long an audit takes, by stage, and how much memory: `make bench`, or `python tests/bench/bench.py [NAME…]`.

Every figure is a whole process, started anew: the best of several runs, with the most memory that any of them held. What is asked for,
on two cores, is written beside each; README.md beside this file holds the figures of the day they were last taken, with their causes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import yaml

from compliance.jobs import shipped
from compliance.jobs.planning import record_kinds
from compliance.model import Field
from compliance.records.kinds import RECORDED
from compliance.sql.text import literal, name
from compliance.tracker import life
from compliance.tracker.events import NOTHING_BEFORE, Draft, Who, chained
from compliance.tracker.model import Action, Plan, Workstream
from compliance.tracker.store import Store

ROOT = Path(__file__).parents[2]
CLEAN, AGENCY = ROOT / "fixtures" / "clean", ROOT / "fixtures" / "agency"
AS_AT = "2021-09-20"
COMPLIANCE = Path(sys.executable).with_name("compliance")


@dataclass
class Figure:
    """One command, measured: seconds, MB, milliseconds by stage, and seconds of processor time."""

    seconds: float
    megabytes: float
    stages: dict[str, float] = field(default_factory=dict)
    processor: float = float("inf")


def measured(command: list[str], runs: int, cache: Path, fresh: bool = False) -> Figure:
    """The best of `runs` processes after one that does not count.

    Args:
      fresh: with an empty cache of plans every time.
    """
    best = Figure(float("inf"), 0.0)
    for i in range(runs + 1):
        home = tempfile.mkdtemp(dir=cache) if fresh else str(cache)
        with tempfile.TemporaryFile() as said:
            began = time.perf_counter()
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=said, env={**os.environ, "XDG_CACHE_HOME": home}, cwd=ROOT
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - began
            said.seek(0)
            text = said.read().decode()
        if process.returncode not in (0, 1):
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
        if i == 0:
            continue
        best.megabytes = max(best.megabytes, usage.ru_maxrss / 1024)
        best.processor = min(best.processor, usage.ru_utime + usage.ru_stime)
        if seconds < best.seconds:
            best.seconds = seconds
            best.stages = {stage: float(ms) for ms, stage in re.findall(r"^ *([\d.]+) ms  (.+)$", text, re.M)}
    return best


def audit(data: Path, *more: str, as_at: str = AS_AT) -> list[str]:
    """The command, with findings written."""
    out = tempfile.mkdtemp()
    return [
        str(COMPLIANCE), "audit", str(data), "--as-at", as_at, "--format", "json", "--out", f"{out}/findings.json",
        "--timings", *more,
    ]  # fmt: skip


def multiplied(folder: Path, times: int, shifted: bool = False) -> Path:
    """The clean agency so many times over, every copy with keys of its own.

    Args:
      shifted: every copy lies some days before the one before it, so that no two have the same dates.
    """
    out = folder / f"{'shifted-' if shifted else ''}x{times}"
    if out.exists():
        return out
    out.mkdir()
    con = duckdb.connect()
    for kind in record_kinds().kinds.values():
        path = CLEAN / f"{kind.name}.csv"
        if not path.is_file():
            # What only councils keep.
            continue
        named = {kind.key, *(link.field for link in kind.links.values())}

        def column(field: Field, named: set[str] = named) -> str:
            value = name(field.name)
            if field.name in named:
                return f"CASE WHEN {value} <> '' THEN concat({value}, '-', n) END AS {value}"
            return (
                f"CAST({value} AS DATE) - 3 * CAST(n AS INTEGER) AS {value}"
                if shifted and field.type == "date"
                else value
            )

        columns = ", ".join(column(f) for f in kind.fields.values() if f != RECORDED)
        source = f"read_csv({literal(str(path))}, header = true, all_varchar = true)"
        target = literal(str(out / f"{kind.name}.csv"))
        con.execute(f"COPY (SELECT {columns} FROM range({times}) c(n), {source}) TO {target} (HEADER)")
    return out


def rows(folder: Path) -> int:
    """Records in an export."""
    found = (
        duckdb.connect()
        .execute(
            f"SELECT count(*) FROM read_csv({literal(str(folder / '*.csv'))}, header = false, skip = 1,"
            " columns = {'line': 'VARCHAR'}, delim = '\x1f', quote = '', auto_detect = false)"
        )
        .fetchone()
    )
    assert found is not None
    return int(found[0])


def variants(folder: Path, n: int) -> Path:
    """A folder of `n` rules: the real ones, then each again with other limits and figures."""
    out = folder / f"rules-{n}"
    own = shipped.folders()[0]
    files = sorted(p for p in own.glob("*/*.yaml") if p.name != "pack.yaml" and p.parent.name != "instruments")
    made = 0
    for round_ in range(n // len(files) + 1):
        for path in files:
            if made == n:
                break
            target = out / path.parent.name
            target.mkdir(parents=True, exist_ok=True)
            for shared in ("pack.yaml",):
                (target / shared).write_bytes((path.parent / shared).read_bytes())
            rule: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
            if round_:
                rule = _varied(rule, round_)
            (target / f"{rule['id']}.yaml").write_text(yaml.safe_dump(rule, sort_keys=False), encoding="utf-8")
            made += 1
    (out / "instruments").mkdir(exist_ok=True)
    for path in (own / "instruments").glob("*.*"):
        (out / "instruments" / path.name).write_bytes(path.read_bytes())
    return out


def _varied(value: Any, by: int, key: str = "") -> Any:
    """The same rule with every length of time longer."""
    if isinstance(value, dict):
        made = {k: _varied(v, by, k) for k, v in value.items() if k != "cases"}
        return {**made, "id": f"{value['id']}-v{by}", "cases": []} if "id" in value else made
    if isinstance(value, list):
        return [_varied(v, by, key) for v in value]
    if isinstance(value, str) and key not in ("id", "title", "note", "remedy", "what"):
        return re.sub(
            r"\b(\d+) (days?|weeks?|months?|years?|working_days?)\b", lambda m: f"{int(m[1]) + by} {m[2]}", value
        )
    return value


def all_alike(folder: Path, n: int, signed: str) -> Path:
    """So many records of supervision, every one signed or every one not."""
    out = folder / f"signed-{signed}"
    out.mkdir(exist_ok=True)
    (out / "staff.csv").write_text("staff_id,started_on,left_on\nS1,2015-01-01,\n", encoding="utf-8")
    select = (
        f"SELECT concat('SV', i) AS supervision_id, 'S1' AS staff_id, '2021-03-01' AS held_on, '{signed}' AS signed"
    )
    duckdb.execute(f"COPY ({select} FROM range({n}) t(i)) TO {literal(str(out / 'supervision.csv'))} (HEADER)")
    return out


COUNCIL = {
    # Per open case: how many records with three years' history, and their columns as SQL of `i` (the record) and `d` (its day).
    "contact": (9, "contacted_on", {"source": "'police'"}),
    "referral": (5, "referred_on", {"no_further_action": "CASE WHEN i % 9 = 0 THEN 'yes' ELSE 'no' END"}),
    "social_work_assessment": (4, "started_on", {"authorised_on": "d + 40 + CAST(i % 37 AS INTEGER)", "child_seen": "'yes'"}),
    "section_47_enquiry": (
        1.5,
        "strategy_discussion_on",
        {"conference_on": "CASE WHEN i % 3 THEN d + 10 + CAST(i % 15 AS INTEGER) END", "plan_made": "'yes'"},
    ),
    "child_in_need": (2.5, "started_on", {"closed_on": "CASE WHEN i % 5 > 1 THEN d + CAST(i % 400 AS INTEGER) END"}),
    "child_protection": (
        0.5,
        "started_on",
        {
            "ended_on": "CASE WHEN i % 5 > 1 THEN d + CAST(i % 400 AS INTEGER) END",
            "last_visit_on": "DATE '2021-09-20' - CAST(i % 31 AS INTEGER)",
            "last_review_on": "DATE '2021-09-20' - CAST(i % 199 AS INTEGER)",
            "previous_plans": "i % 4",
            "allocated_worker": "CASE WHEN i % 50 THEN 'W' END",
        },
    ),
    "child_in_care": (
        0.6,
        "started_on",
        {
            "ceased_on": "CASE WHEN i % 5 > 1 THEN d + CAST(i % 700 AS INTEGER) END",
            "legal_status": "'care order'",
            "last_visit_on": "DATE '2021-09-20' - CAST(i % 61 AS INTEGER)",
            "last_review_on": "DATE '2021-09-20' - CAST(i % 199 AS INTEGER)",
            "last_health_assessment_on": "DATE '2021-09-20' - CAST(i % 399 AS INTEGER)",
            "placements_in_12_months": "i % 4",
            "allocated_worker": "CASE WHEN i % 50 THEN 'W' END",
        },
    ),
    "care_leaver": (0.2, "", {"in_touch": "'in touch'", "last_pathway_plan_on": "DATE '2021-09-20' - CAST(i % 199 AS INTEGER)"}),
}  # fmt: skip


def council(folder: Path, n_open: int) -> Path:
    """The lists of a council with so many open cases, with three years of their history."""
    out = folder / f"council-{n_open}"
    out.mkdir(exist_ok=True)
    for kind, (each, day, more) in COUNCIL.items():
        dated = {day: "d"} if day else {}
        columns = {
            f"{kind}_id": "i", "child_id": "i % 20000", "date_of_birth": "DATE '2003-01-01' + CAST(i % 1000 AS INTEGER)",
            "age": "18", "snapshot_on": "DATE '2021-09-20'", **dated, **more,
        }  # fmt: skip
        listed = ", ".join(f"{sql} AS {c}" for c, sql in columns.items())
        source = (
            f"SELECT i, DATE '2018-09-20' + CAST(i * 7919 % 1096 AS INTEGER) AS d FROM range({int(n_open * each)}) t(i)"
        )
        duckdb.execute(f"COPY (SELECT {listed} FROM ({source})) TO {literal(str(out / f'{kind}.csv'))} (HEADER)")
    return out


# --- what is measured -----------------------------------------------------------------------------------------------

Line = tuple[str, Figure, str]


def start(_: Path, cache: Path) -> Iterator[Line]:
    """The bare start."""
    floor = measured([sys.executable, "-c", "import click, yaml"], 10, cache)
    yield "python -c 'import click, yaml'", floor, ""
    ours = measured([str(COMPLIANCE), "--help"], 10, cache)
    yield "compliance --help", ours, f"{ours.seconds / floor.seconds:.2f} times the floor; at most 2.5"


def agency(_: Path, cache: Path) -> Iterator[Line]:
    """The sample agency."""
    yield "sample agency", measured(audit(AGENCY), 7, cache), "at most 1.2 s, 200 MB"
    yield "sample agency, no plan kept from before", measured(audit(AGENCY), 3, cache, fresh=True), "at most 2.8 s"


def small(folder: Path, cache: Path) -> Iterator[Line]:
    """As many rows as an agency has, many rules."""
    rules = variants(folder, 300)
    figure = measured(audit(CLEAN, "--rules", str(rules)), 5, cache)
    yield f"{rows(CLEAN):,} rows × 300 rules", figure, "at most 1.0 s, 200 MB"
    yield "the same, no plan kept from before", measured(audit(CLEAN, "--rules", str(rules)), 2, cache, fresh=True), ""


def further(folder: Path, cache: Path) -> Iterator[Line]:
    """What one further rule costs: every rule of the real ones once, then each again with other figures."""
    own = shipped.folders()[0]
    n = sum(p.name != "pack.yaml" and p.parent.name != "instruments" for p in own.glob("*/*.yaml"))
    for what, data, fresh in (
        ("plan kept", CLEAN, False),
        ("plan kept, sample agency", AGENCY, False),
        ("no plan kept", CLEAN, True),
    ):
        once, twice = (
            measured(audit(data, "--rules", str(variants(folder, n * times))), 5, cache, fresh) for times in (1, 2)
        )
        rule = 1000 * (twice.processor - once.processor) / n
        yield f"{n} rules, {what}", once, ""
        yield f"{2 * n} rules, {what}", twice, f"{rule:.1f} ms of processor time a further rule; at most 2"


def findings(folder: Path, cache: Path) -> Iterator[Line]:
    """Hundreds of thousands of findings of every kind: a year in which nothing was done."""
    data = multiplied(folder, 80, shifted=True)
    figure = measured(audit(data, as_at="2022-09-20"), 2, cache)
    yield f"{rows(data):,} rows, some 400,000 findings as JSON", figure, "150,000 a second"


def growth(folder: Path, cache: Path) -> Iterator[Line]:
    """Three sizes, for the line that they should make."""
    for times in (21, 42, 84):
        data = multiplied(folder, times)
        asked = "at most 9 s, 1.5 GB" if times == 84 else ""
        yield f"{rows(data):,} rows × all rules", measured(audit(data), 2, cache), asked


def failing(folder: Path, cache: Path) -> Iterator[Line]:
    """Every row passes; every row fails."""
    n = 1_000_000
    alone = ("--rule", "supervision-unsigned")
    good = measured(audit(all_alike(folder, n, "yes"), *alone), 3, cache)
    yield f"{n:,} rows, all of which pass", good, ""
    bad = measured(audit(all_alike(folder, n, "no"), *alone), 3, cache)
    yield f"{n:,} rows, all of which fail", bad, f"{bad.seconds / good.seconds:.2f} times; at most 2"


def kpis(folder: Path, cache: Path) -> Iterator[Line]:
    """All KPIs of the lists of Annex A over 24 months."""
    for n_open in (1_250, 2_500, 5_000):
        data = council(folder, n_open)
        command = [
            str(COMPLIANCE), "kpi", str(data), "--as-at", AS_AT, "--every", "month", "--from", "2019-10-01", "--timings",
            "--format", "json", "--out", f"{tempfile.mkdtemp()}/kpis.json",
            *(x for f in ("v2021_22", "v2023_24", "covid", "local") for x in ("--framework", f)),
        ]  # fmt: skip
        asked = "aim: 5 s" if n_open == 5_000 else ""
        yield f"{n_open:,} open cases, {rows(data):,} rows × all KPIs × 24 months", measured(command, 2, cache), asked


def trend(_: Path, cache: Path) -> Iterator[Line]:
    """The sample agency at the end of each of 24 months."""
    more = ("--every", "month", "--from", "2019-10-01", "--exit-zero")
    yield "sample agency × all rules × 24 months", measured(audit(AGENCY, *more), 2, cache), ""


def plan(folder: Path, cache: Path) -> Iterator[Line]:
    """A plan of 100,000 events, read, folded and shown by a process that starts anew."""
    path = folder / "plan.sqlite"
    actions = tuple(Action(f"A{i}", f"Do the thing {i}", owner="team manager") for i in range(1000))
    its = Plan("large", "A large plan", workstreams=(Workstream("A", "Everything", actions=actions),))
    who, at = Who("registered manager", "Ada Invented"), "2022-01-03T09:00:00+00:00"
    events = [chained(its.id, 1, at, "2022-01-03", who, life.begin(its), NOTHING_BEFORE)]
    for n in range(2, 100_001):
        action, last = f"A{n % 1000}", events[-1]
        changes = {"note": {"from": f"the {n - 1000}th", "to": f"the {n}th"}, "due": {"from": None, "to": "2022-03-01"}}
        draft = Draft("action changed", action, {"changes": changes}, "It was so")
        if n % 5 == 0:
            draft = Draft("comment", action, {"text": f"The remark {n} on how it goes"})
        events.append(chained(its.id, n, at, "2022-01-04", who, draft, last.hash))
    store = Store(str(path))
    store.restore(events)
    store.close()
    for what in (("show",), ("show", "A7"), ("verify",)):
        command = [str(COMPLIANCE), "plan", *what, "--db", str(path)]
        yield f"plan {' '.join(what)}, 100,000 events", measured(command, 5, cache), "2 s"


def spill(folder: Path, cache: Path) -> Iterator[Line]:
    """Ten times the largest size in little memory."""
    data = multiplied(folder, 840)
    yield (
        f"{rows(data):,} rows × all rules, --memory 1GB",
        measured(audit(data, "--memory", "1GB"), 1, cache),
        "finishes",
    )


SETS: dict[str, Callable[[Path, Path], Iterator[Line]]] = {
    f.__name__: f for f in (start, agency, small, further, growth, findings, failing, kpis, trend, plan, spill)
}


def main() -> None:
    """Measures what is asked for; without names everything but `spill`, which takes minutes and gigabytes of disk."""
    asked = sys.argv[1:] or [s for s in SETS if s != "spill"]
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder, cache = Path(scratch) / "data", Path(scratch) / "cache"
        folder.mkdir()
        cache.mkdir()
        for which in asked:
            for what, figure, wanted in SETS[which](folder, cache):
                took = f"{figure.seconds:8.3f} s {figure.processor:8.3f} s of a processor {figure.megabytes:7.0f} MB"
                print(f"{took}  {what}{f'  ({wanted})' if wanted else ''}")
                if figure.stages:
                    print(
                        "           " + ", ".join(f"{s} {ms:.0f}" for s, ms in figure.stages.items()) + " ms",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
