"""Kills commands that write files, and lets two run at once: `make kills`, or `tests/fuzz/killed.py --kills 30 --rounds 10`.

`audit --out --also`, `data import` and `plan new` are killed (SIGKILL) at a random moment, or at one in the middle of a write: after half
of a file, before it takes its name and after, and between the statements of what a database takes as one. Then every file is what it was or
whole, and the same command, carried out once more, does its work and leaves nothing behind, neither beside its output nor in the folder for
scratch. Two of `data import`, and two of `plan new`, are let go at the same moment: no answer is lost, and of two plans one is begun.
Prints what was found; exit code 1 if anything is lost.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.engine import Engine
from test_workbook import Cells, fill, first_child, met_all, saved, small

from compliance.files import documents, temporary
from compliance.tracker.events import broken
from compliance.tracker.store import Store
from fuzz.doors import AS_AT
from fuzz.fuzz import run, warm


class Moments:
    """The moments of a command's writes at which it can be killed, in order: half of a file is written, it is written as a whole, it has
    taken its name; a statement is carried out in a database, and what it belongs to is not at its end."""

    def __init__(self, deadly: int = 0) -> None:
        """Watches this process.

        Args:
          deadly: at the moment of this number it is killed; 0: at none.
        """
        self.n = 0
        self._deadly = deadly
        self._write, self._replace = documents._write_all, Path.replace
        documents._write_all = self._writing
        Path.replace = lambda path, target: self._replacing(path, target)  # type: ignore[assignment, method-assign]
        event.listen(Engine, "after_cursor_execute", lambda *_: self._comes())

    def _is_next(self) -> bool:
        self.n += 1
        return self.n == self._deadly

    def _comes(self) -> None:
        if self._is_next():
            os.kill(os.getpid(), signal.SIGKILL)

    def _writing(self, handle: int, chunks: Iterable[bytes], lasting: bool = False) -> None:
        content = b"".join(chunks)
        if self._is_next():
            os.write(handle, content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        self._write(handle, [content], lasting)
        self._comes()

    def _replacing(self, path: Path, target: Any) -> Any:
        made = self._replace(path, target)
        self._comes()
        return made


def _child(asked: tuple[str, ...], before: Callable[[], object] = lambda: None) -> int:
    """A command in a process of its own; gives its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 9
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        before()
        code = run(*asked).exit_code
    finally:
        os._exit(code)


def known(asked: tuple[str, ...]) -> tuple[int, float]:
    """How many moments a command has, and how many seconds it takes."""
    reading, writing = os.pipe()
    began = time.monotonic()

    def watch() -> None:
        moments = Moments()
        ending = run(*asked).exit_code
        os.write(writing, f"{moments.n}".encode())
        os._exit(ending)

    pid = _child((), watch)
    os.close(writing)
    with os.fdopen(reading) as said:
        n = int(said.read())
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise RuntimeError(f"{asked}: {status}")
    return n, time.monotonic() - began


def killed(asked: tuple[str, ...], its: tuple[int, float], chance: random.Random, n: Counter[str]) -> None:
    """Carries out a command and kills it.

    Args:
      its: what is `known` of it.
    """
    moments, seconds = its
    if chance.random() < 0.4:
        pid = _child(asked)
        time.sleep(chance.uniform(0, seconds))
        os.kill(pid, signal.SIGKILL)
        where = "at a random moment"
    else:
        deadly = chance.randint(1, moments)
        pid = _child(asked, lambda: Moments(deadly))
        where = "in the middle of a write"
    _, status = os.waitpid(pid, 0)
    name = asked[0] if asked[0] == "audit" else " ".join(asked[:2])
    n[f"{name}: killed {where}" if os.WIFSIGNALED(status) else f"{name}: ended before it was killed"] += 1


def two(first: tuple[str, ...], second: tuple[str, ...]) -> list[int]:
    """Two commands at the same moment, and their exit codes."""
    reading, writing = os.pipe()

    def wait() -> None:
        os.close(writing)
        os.read(reading, 1)  # both are let go by the end of the pipe

    pids = [_child(asked, wait) for asked in (first, second)]
    os.close(writing)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    os.close(reading)
    return codes


def left_behind(*folders: Path) -> list[str]:
    """What a command that was killed has left."""
    begins = (temporary.SCRATCH, temporary.UNFINISHED)
    return [str(p) for folder in folders for p in folder.iterdir() if p.name.startswith(begins)]


class Files:
    """The files that the commands work on.

    Args:
      url: a server's database, for the plan; emptied each time.
    """

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.url = url
        self.db = url or str(folder / "plan.sqlite")
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        os.environ["TMPDIR"] = str(self.scratch)
        tempfile.tempdir = None
        os.environ["COMPLIANCE_CACHE"] = str(folder / "cache")
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        self.real = small(folder / "real")
        self.data = folder / "data"
        self.reports = folder / "reports"
        self.plan = folder / "plan.yaml"

        self.plan.write_text(PLAN, encoding="utf-8")
        asked = folder / "asked.xlsx"
        self.done("audit", str(self.real), "--as-at", AS_AT, "--format", "xlsx", "--out", str(asked), "--exit-zero")
        self.halves = [
            saved(asked, folder / f"{name}.xlsx", change) for name, change in (("one", met_all), ("two", _read))
        ]

    def done(self, *asked: str) -> None:
        result = run(*asked)
        if result.exit_code not in (0, 1):
            raise RuntimeError(f"{asked}: {result.exit_code}: {result.output}")

    def anew(self) -> None:
        for folder in (self.data, self.reports):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.real, self.data)
        self.reports.mkdir()
        for path in self.folder.glob("plan.sqlite*"):
            path.unlink()
        if self.url:
            engine = create_engine(make_url(self.url))
            with engine.begin() as connection:
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
            engine.dispose()

    def answers(self) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in self.data.glob("*.answers.csv")}


def _read(cells: Cells) -> None:
    duty, key = first_child(cells)
    fill(cells["Read child"], lambda row: (row[0], row[4]) == (duty, key), "met", "2021-09-23", "team manager", "seen")


PLAN = """\
plan: small
title: A small plan
workstreams:
  - id: A
    title: Approval
    takes: [panel-and-approval]
"""


def kill_audits(files: Files, kills: int, chance: random.Random, n: Counter[str]) -> list[str]:
    """`audit --out --also`: each file is the old one or the new one."""
    files.anew()
    outs = [files.reports / "x.json", files.reports / "x.html", files.reports / "x.csv"]
    first = ("audit", str(files.data), "--as-at", AS_AT, "--exit-zero", "--format", "json", "--out", str(outs[0]))
    asked = (*first, "--also", f"html={outs[1]}", "--also", f"csv={outs[2]}")
    its = known(asked)
    whole = {p: p.read_bytes() for p in outs}
    found = []
    for kill in range(kills):
        for path in outs:
            path.write_bytes(b"old")
        killed(asked, its, chance, n)
        found += [f"audit, kill {kill}: {p.name} is torn" for p in outs if p.read_bytes() not in (b"old", whole[p])]
        if kill % 10 == 9:
            files.done(*asked)
            found += [f"audit, after kill {kill}: {p.name} is torn" for p in outs if p.read_bytes() != whole[p]]
            found += [f"audit, after kill {kill}: {p} is left" for p in left_behind(files.reports, files.scratch)]
    return found


def kill_imports(files: Files, kills: int, chance: random.Random, n: Counter[str]) -> list[str]:
    """`data import`: what was there is there, and importing again adds what is lacking."""
    found = []
    imports = [("data", "import", str(h), "--into", str(files.data), "--as-at", "2021-09-30") for h in files.halves]
    files.anew()
    files.done(*imports[0])
    one = files.answers()
    its = known(imports[1])
    both = files.answers()
    for kill in range(kills):
        files.anew()
        files.done(*imports[0])
        killed(imports[1], its, chance, n)
        now = files.answers()
        found += [f"import, kill {kill}: {k} is torn" for k in now if now[k] not in (one.get(k), both.get(k))]
        found += [f"import, kill {kill}: {k} is lost" for k in one if k not in now]
        files.done(*imports[1])
        if files.answers() != both:
            found.append(f"import, after kill {kill}: answers are lacking")
        found += [f"import, after kill {kill}: {p} is left" for p in left_behind(files.data, files.scratch)]
    return found


def kill_new_plans(files: Files, kills: int, chance: random.Random, n: Counter[str]) -> list[str]:
    """`plan new`: begun as a whole or not at all."""
    db = files.db
    asked = ("plan", "new", str(files.plan), "--db", db, "--role", "manager", "--name", "m", "--on", "2022-01-03")
    found = []
    files.anew()
    its = known(asked)
    for kill in range(kills):
        files.anew()
        killed(asked, its, chance, n)
        code = run(*asked).exit_code
        if code not in (0, 2):
            found.append(f"plan new, after kill {kill}: exit code {code}")
        found += _plan_is_whole(db, f"plan new, after kill {kill}")
    return found


def _plan_is_whole(db: str, when: str) -> list[str]:
    store = Store(db)
    try:
        events = store.events("small")
    finally:
        store.close()
    where = broken(events)
    return [f"{when}: {where or f'{len(events)} events'}"] if where or len(events) != 1 else []


def both_at_once(files: Files, rounds: int, n: Counter[str]) -> list[str]:
    """Two at once lose nothing."""
    found = []
    imports = [("data", "import", str(h), "--into", str(files.data), "--as-at", "2021-09-30") for h in files.halves]
    files.anew()
    for one in imports:
        files.done(*one)
    rows = {name: sorted(content.splitlines()) for name, content in files.answers().items()}
    db = files.db
    new = ("plan", "new", str(files.plan), "--db", db, "--role", "manager", "--name", "m", "--on", "2022-01-03")
    for round_ in range(rounds):
        files.anew()
        codes = two(imports[0], imports[1])
        n["rounds of two imports"] += 1
        if codes != [0, 0] or {k: sorted(v.splitlines()) for k, v in files.answers().items()} != rows:
            found.append(f"two imports, round {round_}: exit codes {codes}, answers are lacking or not")
        codes = two(new, new)
        n["rounds of two new plans"] += 1
        if sorted(codes) != [0, 2]:
            found.append(f"two new plans, round {round_}: exit codes {codes}")
        found += _plan_is_whole(db, f"two new plans, round {round_}")
    return found


def main() -> int:
    """Kills, looks, and prints."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=300, help="of each command")
    asked.add_argument("--rounds", type=int, default=200, help="of two at once")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--folder", help="where the files are made; default: the system's own for such things")
    asked.add_argument("--url", help="a server's database, for new plans alone; it is emptied. Default: SQLite files")
    options = asked.parse_args()
    chance = random.Random(options.seed)
    n = Counter[str]()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        warm(Path(folder) / "shipped")
        files = Files(Path(folder), options.url or "")
        found = []
        for kill in (kill_new_plans,) if options.url else (kill_audits, kill_imports, kill_new_plans):
            found += kill(files, options.kills, chance, n)
        found += both_at_once(files, options.rounds, n)
    for what, how_many in n.items():
        print(f"{how_many:,} {what}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{time.process_time() + used.ru_utime + used.ru_stime:,.0f} s of processor time")
    print("\n".join(found) or "no file torn, no answer lost, nothing left behind")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
