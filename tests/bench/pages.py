"""The HTML report at 100, 2,000 and 20,000 findings, written and then used in Chromium: `make bench-html`.

Exports are made by repetition of the sample agency, every copy with keys of its own, and go the whole way: `compliance report` writes the
audit, the next 90 days, the KPIs and the plan. The smallest is the part of it that a system for personnel holds.

What is timed in the browser begins when the file is opened, or a key or button pressed, and ends with the frame in which the answer is
painted: what a person waits for. The page can be used once the frame is painted in which its table answers.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path

from bench import AGENCY, AS_AT, COMPLIANCE, ROOT, measured
from browser import DESKTOP, chromium
from playwright.sync_api import Browser, Page

from compliance.jobs.asked import Export
from compliance.jobs.opening import loaded
from compliance.jobs.planning import record_kinds
from compliance.model import Field
from compliance.sql.text import literal, name

PERSONNEL = (
    "agency", "staff", "recruitment", "interview", "interviewer", "reference", "employment", "qualification", "registration",
    "check", "supervision", "appraisal", "document", "training", "panel_meeting", "panel_member", "concern", "foster_parent",
)  # fmt: skip
SIZES: dict[str, tuple[int, tuple[str, ...]]] = {"100": (1, PERSONNEL), "2000": (7, ()), "20000": (73, ())}
"""How many copies, and of which record kinds; of all, if none is named."""
RUNS = 5
"""Visits; the best counts."""

TIMED = """() => new Promise((answered) => {
  const began = performance.now();
  const painted = () => requestAnimationFrame(() => setTimeout(() => answered(performance.now() - began)));
  const watch = new MutationObserver(() => { if (%(done)s) { watch.disconnect(); painted(); } });
  watch.observe(document.documentElement, {subtree: true, childList: true, attributes: true, characterData: true});
  %(act)s;
})"""
"""Does something and waits for the frame that shows what came of it."""

READY = """(() => {
  const watch = new MutationObserver(() => {
    if (document.documentElement?.dataset.ready !== 'yes') return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.usable = performance.now(); }));
  });
  watch.observe(document, {subtree: true, childList: true, attributes: true});
})()"""


def repeated(folder: Path, times: int, kinds: tuple[str, ...]) -> Path:
    """The sample agency as it is read, so many times over, with the names of fields as columns."""
    out = folder / f"x{times}-{len(kinds)}"
    out.mkdir()
    with loaded(Export(AGENCY)) as read:
        con, tables = read.con, read.tables
        for kind in record_kinds().kinds.values():
            if kind.name not in tables.tables or (kinds and kind.name not in kinds):
                continue
            named = {kind.key, *(link.field for link in kind.links.values())}
            there = [f for f in kind.fields.values() if f.name in tables.tables[kind.name].columns]
            columns = ", ".join(f"{_written(f, f.name in named)} AS {name(f.name)}" for f in there)
            select = f"SELECT {columns} FROM range({times}) c(n), {name(f't_{kind.name}')} ORDER BY n, rid"
            con.execute(f"COPY ({select}) TO {literal(str(out / f'{kind.name}.csv'))} (HEADER)")
    return out


def _written(field: Field, named: bool) -> str:
    """As a cell without a mapping has it; what names a record is another one in each copy."""
    its = name(field.name)
    if named:
        return f"{its} || '-' || n"
    if field.type == "boolean":
        return f"CASE WHEN {its} THEN 'yes' WHEN NOT {its} THEN 'no' END"
    return f"array_to_string({its}, '; ')" if field.type == "list" else its


@dataclass
class Used:
    """A page in the browser: milliseconds, and the megabytes of its script's heap.

    Args:
      usable: from opening the file.
      key, first_key: of a word typed into the search, and its first letter.
      sorted: by the column that takes longest.
      opened, week: a finding, and a week of what falls due.
    """

    findings: int
    usable: float
    key: float
    first_key: float
    filtered: float
    sorted: float
    opened: float
    week: float
    heap: float


def used(browser: Browser, path: Path) -> Used:
    """One person's visit."""
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(READY)
    page.goto(path.as_uri(), timeout=120_000)
    page.wait_for_function("window.usable")
    usable = page.evaluate("window.usable")
    heap = _heap(page)
    findings = int(page.evaluate("JSON.parse(document.getElementById('findings-data').textContent).findings.length"))

    def timed(act: str, done: str) -> float:
        return float(page.evaluate(TIMED % {"act": act, "done": done}))

    keys = []
    for n in range(1, 6):
        typed = "visit"[:n]
        act = (
            f"const q = document.getElementById('f-q'); q.focus(); q.value = '{typed}';"
            " q.dispatchEvent(new InputEvent('input', {bubbles: true}))"
        )
        keys.append(timed(act, f"location.hash.endsWith('q={typed}')"))
    page.locator("button[type=reset]").click()
    act = (
        "const s = document.getElementById('f-severity'); s.value = 'recommendation';"
        " s.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    filtered = timed(act, "location.hash.includes('severity=recommendation')")
    page.locator("button[type=reset]").click()
    ordered = []
    for column in ("title", "severity", "subject", "team", "due", "on"):
        act = f"document.querySelector('th[data-sort={column}] button').click()"
        ordered.append(timed(act, f"document.querySelector('th[data-sort={column}]').ariaSort === 'ascending'"))
    opened = timed("document.querySelector('.opens').click()", "document.querySelector('.detail')")
    week = timed(
        "document.querySelectorAll('.timeline summary')[5].click()", "document.querySelector('.timeline details[open]')"
    )
    context.close()
    return Used(findings, usable, statistics.median(keys[1:]), keys[0], filtered, max(ordered), opened, week, heap)


def _heap(page: Page) -> float:
    """Megabytes that the script holds."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    return float(devtools.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def report(data: Path, out: Path, *more: str) -> list[str]:
    """The command that writes the page."""
    return [str(COMPLIANCE), "report", str(data), "--as-at", AS_AT, "--out", str(out), *more]


def main() -> None:
    """Measures what is asked for, everything without."""
    asked = sys.argv[1:] or list(SIZES)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, chromium() as browser:
        folder, cache = Path(scratch), Path(scratch) / "cache"
        cache.mkdir()
        db = folder / "plan.sqlite"
        plan = ROOT / "fixtures" / "plans" / "fostering-2021.yaml"
        begin = [str(COMPLIANCE), "plan", "new", str(plan), "--role", "bench", "--on", AS_AT, "--db", str(db)]
        subprocess.run(begin, check=True, capture_output=True)
        for which in asked:
            times, kinds = SIZES[which]
            data, out = repeated(folder, times, kinds), folder / f"{which}.html"
            figure = measured(report(data, out, "--db", str(db)), 1, cache)
            visits = [used(browser, out) for _ in range(RUNS)]
            size = out.stat().st_size / 1e6
            print(
                f"{visits[0].findings} findings: {size:.1f} MB, written in {figure.seconds:.1f} s"
                f" ({figure.processor:.1f} s of processor time) with {figure.megabytes:.0f} MB"
            )
            said = [
                f"{f.name} {min(getattr(v, f.name) for v in visits):.0f}" for f in fields(Used) if f.name != "findings"
            ]
            print("    " + ", ".join(said), flush=True)


if __name__ == "__main__":
    main()
