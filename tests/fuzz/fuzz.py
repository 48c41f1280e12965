"""Changes real files at random and gives them to the program at every door: `make fuzz`, or `python tests/fuzz/fuzz.py --inputs 1000`.

Whatever a file holds, a command must end within seconds of work, with an exit code that docs/exit-codes.md knows and that is not 4, without
a traceback, without a line that a CI server obeys, and without a name that was planted in a personal column. Inputs are made and read in a
process of their own, some after the other, so that a kill is seen and told with its seed: door and seed make the same input again
(`--door D --seed S --first N --inputs 1 --keep FOLDER`).
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from click.testing import CliRunner, Result

from compliance.cli import main as program
from compliance.rules import rulebook
from fuzz import doors
from fuzz.doors import CANARIES, DOORS, Door

ROOT = Path(__file__).parents[2]
BATCH = 20
"""Inputs of one process."""
SECONDS = 20
"""Processor time after which an input has hung; the slowest honest one takes a quarter of that."""
MEMORY = 6 << 30
CODES = (0, 1, 2, 3)


@dataclass
class Found:
    """What came of it.

    Args:
      wrong: a line each, with door and seed.
    """

    inputs: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def run(*asked: str) -> Result:
    """A command, carried out here."""
    return CliRunner().invoke(program, list(asked))


def read_once() -> None:
    """The shipped rules are read once; nothing that is tried here writes to them."""
    read, books = rulebook.read, dict[object, Any]()

    def reading(*asked: Any, **more: Any) -> Any:
        files = [p.read_bytes() for p in (*asked, *more.values()) if isinstance(p, Path) and p.is_file()]
        if not (asked and Path(asked[0]) == ROOT / "rules"):
            return read(*asked, **more)
        key = (asked, tuple(more.items()), tuple(files))
        if key not in books:
            books.clear()
            books[key] = read(*asked, **more)
        return books[key]

    rulebook.read = reading


def wrong(door: Door, result: Result, honest: Result | None, folder: Path) -> str:
    """What is not as it must be; empty: nothing."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"raises {type(result.exception).__name__}"
    if result.exit_code not in CODES:
        last = [line for line in result.output.splitlines() if line.strip().startswith("File ")][-1:]
        return f"exit code {result.exit_code} {' '.join(last)}"
    if "Traceback" in result.output:
        return "a traceback"
    if any(line.lstrip().startswith("::") or "##[" in line for line in result.output.splitlines()):
        return "a command to a CI server"
    if door.names_stay and any(c in result.output for c in CANARIES):
        return "a name that is personal"
    if honest is not None and (result.exit_code, result.stdout) != (honest.exit_code, honest.stdout):
        return "says something else than before"
    if left := [p.name for p in folder.rglob(".compliance-unfinished-*")]:
        return f"leaves {left[0]}"
    return ""


def _batch(real: Path, name: str, seeds: Sequence[str], honest: Result | None, told: int) -> NoReturn:
    """Reads some inputs, and tells of each when it begins and what came of it."""
    door = DOORS[name]
    # The folder bears the same name each time, for a kept plan goes by it.
    folder = real.parent / "at-work"
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ["COMPLIANCE_CACHE"] = str(folder / "cache")
    code = 0
    for seed in seeds:
        os.write(told, f"{seed}\tbegun\t\n".encode())
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(real, folder)
        try:
            doors.changed(folder, door, seed)
        except ValueError as e:  # the change, not the program
            os.write(told, f"{seed}\tno input\t{type(e).__name__}\n".encode())
            continue
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        result = run(*(a.replace("{}", str(folder)) for a in door.asked))
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.write(told, f"{seed}\t{result.exit_code}\t{wrong(door, result, honest, folder)}\n".encode())
    os._exit(code)


def batch(real: Path, name: str, seeds: Sequence[str], honest: Result | None, found: Found) -> None:
    """Some inputs of a door, in a process of their own; it begins anew after one that was killed."""
    left = list(seeds)
    while left:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reading)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                _batch(real, name, left, honest, writing)
            finally:
                os._exit(9)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
            said = [line.rstrip("\n").split("\t", 2) for line in lines]
        _, status = os.waitpid(pid, 0)
        done = [(seed, code, what) for seed, code, what in said if code != "begun"]
        for seed, code, what in done:
            found.inputs[name] += code != "no input"
            found.codes[int(code) if code.lstrip("-").isdigit() else -1] += 1
            if what and code != "no input":
                found.wrong.append(f"{name}, seed {seed}: {what}")
        begun = [seed for seed, code, _ in said if code == "begun"]
        left = left[len(begun) :]
        if len(begun) > len(done):
            found.inputs[name] += 1
            what = (
                signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"code {os.WEXITSTATUS(status)}"
            )
            found.wrong.append(f"{name}, seed {begun[-1]}: killed, {'it hung' if what == 'SIGPROF' else what}")
        elif left and not begun:
            raise RuntimeError("a process that was to read inputs did not begin")


def real_files(folder: Path) -> Path:
    """A folder with a file for each door."""
    real = folder / "at-work"
    real.mkdir(parents=True)
    os.environ["COMPLIANCE_CACHE"] = str(real / "cache")
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    doors.files(real, lambda *asked: _done(run(*asked)), ROOT / "rules")
    for door in DOORS.values():
        if door.same:
            shutil.rmtree(real / "cache", ignore_errors=True)
            _done(run(*(a.replace("{}", str(real)) for a in door.asked)))
    return real.rename(folder / "real")


def _done(result: Result) -> Result:
    if result.exit_code not in (0, 1):
        raise RuntimeError(f"a command on a real file ended with {result.exit_code}: {result.output}")
    return result


def fuzz(
    folder: Path, names: Sequence[str], seed: int, batches: Iterator[tuple[int, str]], size: int, found: Found
) -> None:
    """Some inputs at a door, for each number of a batch and name of a door.

    Args:
      size: inputs of a batch.
    """
    real = real_files(folder)
    at_work = folder / "at-work"
    honest: dict[str, Result] = {}
    for name in names:
        if DOORS[name].same:
            shutil.copytree(real, at_work)
            honest[name] = run(*(a.replace("{}", str(at_work)) for a in DOORS[name].asked))
            shutil.rmtree(at_work)
    for n, name in batches:
        seeds = [f"{seed}-{n * size + i}" for i in range(size)]
        batch(real, name, seeds, honest.get(name), found)


def _batches(
    inputs: int, minutes: float, size: int, names: Sequence[str], first: int, found: Found
) -> Iterator[tuple[int, str]]:
    """Every door in turn, as long as there are inputs and time left; says on the way what was wrong."""
    until = time.monotonic() + minutes * 60
    told = 0
    for n in count(first // size):
        for name in names:
            for line in found.wrong[told:]:
                print(line, file=sys.stderr, flush=True)
            told = len(found.wrong)
            if found.inputs.total() >= inputs or (minutes and time.monotonic() > until):
                return
            yield n, name
        print(f"{found.inputs.total():,} inputs", file=sys.stderr, flush=True)


def main() -> int:
    """Tries, and prints."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--inputs", type=int, default=1_000_000, help="of all doors together")
    asked.add_argument("--minutes", type=float, default=0, help="no longer than this; 0: as long as it takes")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--first", type=int, default=0, help="the number of the first input of a door")
    asked.add_argument("--door", action="append", choices=list(DOORS), help="only this one")
    asked.add_argument("--keep", type=Path, help="leave the files of the last input in this folder")
    options = asked.parse_args()
    random.seed(options.seed)
    names = options.door or list(DOORS)
    read_once()
    size = min(BATCH, max(1, options.inputs // len(names)))
    began, found = time.process_time(), Found()
    with tempfile.TemporaryDirectory(dir=options.keep) as made:
        folder = Path(made)
        batches = _batches(options.inputs, options.minutes, size, names, options.first, found)
        fuzz(folder, names, options.seed, batches, size, found)
        if options.keep:
            shutil.copytree(folder / "at-work", options.keep / "at-work", dirs_exist_ok=True)
    for name in names:
        print(f"{found.inputs[name]:>9,} {name}")
    print(
        f"{sum(found.inputs.values()):>9,} inputs; by exit code: {dict(sorted(found.codes.items()))}; seed {options.seed}"
    )
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{time.process_time() - began + children.ru_utime + children.ru_stime:,.0f} s of processor time")
    print("\n".join(found.wrong) or "0 tracebacks, hangs, kills, wrong codes, names or commands")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
