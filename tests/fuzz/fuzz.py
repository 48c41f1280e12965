"""Changes real files at random and gives them to the program at every door: `make fuzz`, or `python tests/fuzz/fuzz.py --inputs 1000`.

Whatever a file holds, a command must end within seconds of work, with an exit code that docs/exit-codes.md knows and that is not 4, without
a traceback, without a line that a CI server obeys or a sign that a terminal obeys, without a name that was planted in a personal column,
with nothing left behind, and with a reason if it refuses. Inputs are made and read in a process of their own, some after the other, so that
a kill is seen and told with its seed: door, seed and number make the same input again (`--door D --seed S --first N --inputs 1 --keep
FOLDER`). Every door gets as much time as every other, so that the cheap ones get the most inputs. Where a command reads a file before it
does anything else, that is tried first, and half of the time goes to carrying out the command on what was taken and is new.
"""

from __future__ import annotations

import argparse
import io
import mmap
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NoReturn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from click.testing import CliRunner, Result

from compliance.cli import main as program
from compliance.cli.ending import code_of
from compliance.files import documents, temporary
from compliance.jobs import kept, planning, shipped
from compliance.records import kinds
from compliance.rules import rulebook
from fuzz import doors
from fuzz.doors import CANARIES, DOORS, Door

ROOT = Path(__file__).parents[2]
SLICE = 2.0
"""Seconds of processor time that a door has before the next one has its turn."""
BATCH = 5000
"""Inputs of one process, at most."""
SECONDS = 20
"""Processor time after which an input has hung; the slowest honest one takes a twentieth of that."""
ASLEEP = 600
"""Seconds after which it has hung, though it does nothing."""
MEMORY = 6 << 30
CODES = (0, 1, 2, 3)
OBEYED = re.compile(r"^\s*::|##\[", re.MULTILINE)
"""What a CI server takes for a command to it."""
STEERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal takes for a command to it, or shows as something else than it is."""


@dataclass
class Found:
    """What came of it.

    Args:
      codes: how many inputs of each door ended in which way.
      wrong: a line each, with door, seed and number.
    """

    codes: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        return sum(self.inputs_of(name) for name in self.codes)

    def inputs_of(self, name: str) -> int:
        its = self.codes.get(name, Counter())
        return its.total() - its["no input"]


def run(*asked: str) -> Result:
    """A command, carried out here."""
    return CliRunner().invoke(program, list(asked))


def warm(folder: Path, put: Callable[[Any, str, Any], object] = setattr) -> None:
    """Sees to it that an input costs what its own file costs: what no input changes is read once, and rules are few.

    Args:
      put: sets an attribute.
    """
    folder.mkdir(exist_ok=True)
    rules, schemas = folder / "rules", ROOT / "schemas"
    doors.few_rules(rules, ROOT / "rules")
    digest = folder / "digest"  # as a wheel has one: what came with the program is not looked through each time
    digest.write_text("few rules", encoding="utf-8")
    put(kept, "DIGEST", digest)
    put(shipped, "folders", lambda: (rules, schemas))
    for module in (kinds, rulebook):
        put(module, "read_kinds", cache(kinds.read_kinds))
    put(documents, "load_yaml", Once(documents.load_yaml))
    put(rulebook, "read_duties", cache(rulebook.read_duties))
    put(planning, "record_kinds", cache(planning.record_kinds))


class Once:
    """A function that reads YAML, and each file but one only once."""

    changing = Path()
    """The file that every input changes."""

    def __init__(self, read: Callable[..., object]) -> None:
        self._read = read
        self._known: dict[Path, object] = {}

    def __call__(self, path: Path, text: str | None = None) -> object:
        if text is not None or path == Once.changing:
            return self._read(path, text)
        if path not in self._known:
            self._known[path] = self._read(path)
        return self._known[path]


class AtWork:
    """The files of a door, put back as they were after each command that changed them."""

    def __init__(self, real: Path, door: Door) -> None:
        # The folder bears the same name each time, for a kept plan goes by it.
        self.folder = real.parent / "at-work"
        self._real = real
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name in sorted(door.uses):
            whole = shutil.copytree if (real / name).is_dir() else shutil.copy2
            whole(real / name, self.folder / name)
        self.scratch = self.folder / "scratch"
        self.scratch.mkdir()
        (self.file,) = self.folder.glob(door.file)
        self.honest = self.file.read_bytes()
        self._was = self._now()
        self.asked = [a.replace("{}", str(self.folder)) for a in door.asked]

    def _now(self) -> Mapping[str, tuple[int, ...]]:
        found = {}
        folders = [str(self.folder)]
        for folder in folders:
            for entry in os.scandir(folder):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                there = entry.stat(follow_symlinks=False)
                kind = () if entry.is_dir(follow_symlinks=False) else (there.st_ino, there.st_size, there.st_mtime_ns)
                found[entry.path] = kind
        return found

    def anew(self) -> list[str]:
        """Puts back what was changed, but for the file of the door; gives the names of what was there beside it."""
        now = self._now()
        new = [path for path in now if path not in self._was]
        for path in reversed(new):
            Path(path).unlink() if now[path] else Path(path).rmdir()
        changed = [path for path, state in self._was.items() if now.get(path) != state and path != str(self.file)]
        for path in changed:
            if self._was[path]:
                shutil.copy2(self._real / Path(path).relative_to(self.folder), path)
            else:
                Path(path).mkdir(parents=True, exist_ok=True)
        if changed:
            self._was = self._now()
        return [Path(path).name for path in new]


def wrong(door: Door, result: Result | Alone, honest: Result | None, left: Sequence[str]) -> str:
    """What is not as it must be; empty: nothing."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"raises {type(result.exception).__name__}"
    output = result.output
    if result.exit_code not in CODES:
        last = [line for line in output.splitlines() if line.strip().startswith("File ")][-1:]
        return f"exit code {result.exit_code} {' '.join(last)}"
    if "Traceback" in output:
        return "a traceback"
    if OBEYED.search(output):
        return "a command to a CI server"
    if STEERS.search(output):
        return "a command to a terminal"
    if door.names_stay and any(c in output for c in CANARIES):
        return "a name that is personal"
    if result.exit_code == 2 and not output.strip():
        return "refused without a word"
    if door.same and honest is not None and isinstance(result, Result) and result.stdout != honest.stdout:
        return "says something else than before"
    if unfinished := [name for name in left if name.startswith((temporary.UNFINISHED, temporary.SCRATCH))]:
        return f"leaves {unfinished[0]}"
    return ""


@dataclass
class Alone:
    """What came of reading a file without the rest of the command.

    Args:
      value: what it holds, in words; None: it was refused.
    """

    exit_code: int
    output: str
    value: str | None
    exception: BaseException | None = None


def alone(door: Door, file: Path) -> Alone:
    """Reads a file as the command does, and ends as it would."""
    assert door.reads is not None
    reads, held = door.reads, list[object]()
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(said):
        code = code_of(lambda: held.append(reads(file)))
    return Alone(code, said.getvalue(), repr(held[0]) if held else None)


class Turns:
    """Which files go on from their reader to the whole command: those that hold something new, and a few that were refused, as long as
    that has not taken more time than reading has."""

    def __init__(self, held: str | None) -> None:
        """`held`: what the file as it is holds, in words."""
        self._known = {held}
        self._lead = 0.0

    def goes_on(self, read: Alone, chance: Random) -> bool:
        new = read.value not in self._known if read.exit_code == 0 else chance.random() < 0.01
        if not new or self._lead < 0:
            return False
        self._known.add(read.value)
        return True

    def took(self, reading: float = 0.0, whole: float = 0.0) -> None:
        self._lead += reading - whole


ENDINGS = ("no input", "killed", *(f"{code}" for code in range(-1, 10)), *(f"read: {code}" for code in range(-1, 10)))
"""What can come of an input; of one that went no further than its reader, that."""


def _batch(real: Path, name: str, seeds: Sequence[str], honest: Result, endings: mmap.mmap, told: int) -> NoReturn:
    """Reads some inputs; notes of each that it has begun and how it ended, and tells what is wrong."""
    door = DOORS[name]
    work = AtWork(real, door)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    _kept_in(work.folder / "cache" if door.same else real.parent / "cache")
    os.environ["TMPDIR"] = str(work.scratch)
    tempfile.tempdir = None
    Once.changing = work.file
    turns = Turns(alone(door, work.file).value if door.reads else None)
    for i, seed in enumerate(seeds):
        endings[i] = _BEGUN
        chance = Random(seed)
        try:
            content = door.change(work.honest, chance)
        except ValueError:  # the change, not the program
            endings[i] = ENDINGS.index("no input") + 1
            continue
        work.file.write_bytes(content)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, ASLEEP)
        what, ending = _tried(door, work, honest, turns, chance)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        endings[i] = ENDINGS.index(ending) + 1
        if what:
            os.write(told, f"{seed}: {what}\n".encode("utf-8", "replace"))
    os._exit(0)


def _tried(door: Door, work: AtWork, honest: Result, turns: Turns, chance: Random) -> tuple[str, str]:
    """What is wrong with how an input ended, and how it ended."""
    read = None
    if door.reads is not None:
        began = time.process_time()
        read = alone(door, work.file)
        turns.took(reading=time.process_time() - began)
        what = wrong(door, read, None, ())
        if what or not turns.goes_on(read, chance):
            return what, f"read: {read.exit_code}"
    began = time.process_time()
    result = run(*work.asked)
    turns.took(whole=time.process_time() - began)
    what = wrong(door, result, honest, work.anew())
    if not what and read is not None and read.exit_code and result.exit_code != read.exit_code:
        what = f"ends with {result.exit_code}, though its reader refuses it"
    return what, f"{result.exit_code}"


_BEGUN = 255


def batch(real: Path, name: str, seeds: Sequence[str], honest: Result, found: Found) -> None:
    """Some inputs of a door, in a process of their own; it begins anew after one that was killed."""
    left = list(seeds)
    codes = found.codes.setdefault(name, Counter())
    while left:
        endings = mmap.mmap(-1, len(left))
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reading)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                _batch(real, name, left, honest, endings, writing)
            finally:
                os._exit(9)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
            found.wrong += [f"{name}, seed {line.rstrip()}" for line in lines]
        _, status = os.waitpid(pid, 0)
        begun = [n for n in endings[:] if n]
        if not begun:
            raise RuntimeError("a process that was to read inputs did not begin")
        if begun[-1] == _BEGUN:
            found.wrong.append(f"{name}, seed {left[len(begun) - 1]}: killed, {_how(status)}")
            begun[-1] = ENDINGS.index("killed") + 1
        codes.update(ENDINGS[n - 1] for n in begun)
        left = left[len(begun) :]


def _how(status: int) -> str:
    if not os.WIFSIGNALED(status):
        return f"code {os.WEXITSTATUS(status)}"
    by = signal.Signals(os.WTERMSIG(status))
    return "it hung" if by in (signal.SIGPROF, signal.SIGALRM) else by.name


def _kept_in(cache: Path) -> None:
    os.environ["COMPLIANCE_CACHE"] = str(cache)


def real_files(folder: Path) -> Path:
    """A folder with a file for each door."""
    real = folder / "at-work"
    real.mkdir(parents=True)
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    _kept_in(folder / "cache")
    doors.files(real, lambda *asked: _done(run(*asked)), ROOT / "rules")
    for door in DOORS.values():
        if door.same:
            _kept_in(real / "cache")
            _done(run(*(a.replace("{}", str(real)) for a in door.asked)))
    return real.rename(folder / "real")


def _done(result: Result) -> Result:
    if result.exit_code not in (0, 1):
        raise RuntimeError(f"a command on a real file ended with {result.exit_code}: {result.output}")
    return result


def fuzz(
    real: Path, names: Sequence[str], batches: Callable[[], Iterator[tuple[str, Sequence[str]]]], found: Found
) -> None:
    """Some inputs at a door, for each name of a door and seeds.

    Args:
      batches: begins when every door has taken its file as it is.
    """
    honest = {}
    for name in names:
        work = AtWork(real, DOORS[name])
        _kept_in(work.folder / "cache" if DOORS[name].same else real.parent / "cache")
        # A door that does not take the file as it is would refuse all the others for the same reason.
        honest[name] = _done(run(*work.asked))
    for name, seeds in batches():
        batch(real, name, seeds, honest[name], found)


def _batches(options: argparse.Namespace, names: Sequence[str], found: Found) -> Iterator[tuple[str, Sequence[str]]]:
    """Every door in turn, as long as there are inputs and time left; says on the way what was wrong."""
    until = time.monotonic() + options.minutes * 60
    told = 0
    sizes = dict.fromkeys(names, min(10, max(1, options.inputs // len(names))))
    first = dict.fromkeys(names, options.first)
    for turn in count(1):
        for name in names:
            left = options.inputs - found.inputs
            if left <= 0 or (options.minutes and time.monotonic() > until):
                return
            size = int(min(sizes[name], left))
            began = _used_by_children()
            yield name, [f"{options.seed}-{first[name] + i}" for i in range(size)]
            first[name] += size
            took = max(_used_by_children() - began, 0.001)
            sizes[name] = max(1, min(BATCH, 4 * size, int(size * SLICE / took)))
            for line in found.wrong[told:]:
                print(line, file=sys.stderr, flush=True)
            told = len(found.wrong)
        print(f"{table(found, names)}\n{found.inputs:,} inputs in {turn:,} turns", file=sys.stderr, flush=True)


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(found: Found, names: Sequence[str]) -> str:
    """How many inputs each door had, and how they ended."""
    codes = [e for e in ENDINGS if any(found.codes.get(name, Counter())[e] for name in names)]
    lines = [f"{'door':24}{'inputs':>10}" + "".join(f"{c:>10}" for c in codes)]
    for name in names:
        of = found.codes.get(name, Counter[str]())
        lines.append(f"{name:24}{found.inputs_of(name):>10,}" + "".join(f"{of[c]:>10,}" for c in codes))
    return "\n".join(lines)


def main() -> int:
    """Tries, and prints."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--inputs", type=int, default=1_000_000, help="of all doors together")
    asked.add_argument("--minutes", type=float, default=0, help="no longer than this; 0: as long as it takes")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--first", type=int, default=0, help="the number of the first input of a door")
    asked.add_argument("--door", action="append", choices=list(DOORS), help="only this one")
    asked.add_argument("--folder", help="where files are made; default: the system's own for such things")
    asked.add_argument("--keep", type=Path, help="leave the files of the last input in this folder")
    options = asked.parse_args()
    names = options.door or list(DOORS)
    began, found = time.process_time(), Found()
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        folder = Path(made)
        warm(folder)
        fuzz(real_files(folder), names, lambda: _batches(options, names, found), found)
        if options.keep:
            shutil.copytree(folder / "at-work", options.keep, dirs_exist_ok=True)
    print(table(found, names))
    used = time.process_time() - began + _used_by_children()
    print(f"{found.inputs:,} inputs; seed {options.seed}; {used:,.0f} s of processor time")
    print("\n".join(found.wrong) or "0 tracebacks, hangs, kills, wrong codes, names or commands")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
