"""Says whether this checkout says the same as another one, to the byte: `python tests/bench/same.py OTHER_CHECKOUT [--only PATTERN]`.

Runs every command of same_commands.py in this checkout and in the other, each with its own rules, fixtures and folder of plans, and
compares exit code, standard output, standard error and every file that was written. Prints a line for each that differs, with the
first line that does, and a sum; exit code 1 if any differs. What differs is kept, from both, in build/same/differs of this checkout.

What the other checkout says is kept under its commit and not asked again. It needs a .venv of its own (`make .venv/.installed`) and
nothing that is not committed. What each says of its own folder is read as `<checkout>`; a workbook is compared part by part, so that
only the times of its zip's entries are not looked at. All else must be the same.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from same_commands import EXPORTS, IN, OUT, RUN, Command, Result, commands, fixtures, prepared

ROOT = Path(__file__).resolve().parents[2]
INSIDE = Path(__file__).with_name("same_inside.py")
SHOWN = 100
"""Characters of a differing line that are shown."""


class Checkout:
    """One checkout at work: a single process of its `compliance`, started when it is first needed."""

    def __init__(self, root: Path, python: Path) -> None:
        self.root, self._python = root, python
        self._given: dict[str, bytes] = {}
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[str] | None = None

    def give(self, name: str, content: bytes) -> None:
        """A file that commands read."""
        self._given[name] = content
        if self._lock is not None:
            self._put(name)

    def result(self, command: Command) -> Result:
        """What a command says and writes."""
        if self._lock is None:
            self._lock = self._taken()
        if self._process is None:
            self._process = self._started()
        said = {name: self.root / RUN / name for name in ("stdout", "stderr")}
        question = {"args": command, **{name: str(file) for name, file in said.items()}}
        print(json.dumps(question), file=_pipe(self._process.stdin), flush=True)
        code = _pipe(self._process.stdout).readline().strip()
        if not code:
            code = f"its process ended with {self._process.wait()}"
            self._process = None
        found = {"exit code": code.encode()}
        for name, file in said.items():
            found[name] = file.read_bytes() if file.exists() else b""
        for file in sorted((self.root / OUT).rglob("*")):
            if file.is_file():
                found[str(file.relative_to(self.root / OUT))] = file.read_bytes()
        shutil.rmtree(self.root / OUT)
        (self.root / OUT).mkdir()
        here = re.compile(re.escape(str(self.root).encode()) + rb"(?![\w.-])")
        return {
            name: content if _is_zip(content) else here.sub(b"<checkout>", content) for name, content in found.items()
        }

    def end(self) -> None:
        """Ends its process, if it has one."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _taken(self) -> IO[str]:
        """Its folder of a run, empty but for what commands read, and for nobody else until this process ends."""
        (self.root / RUN).mkdir(parents=True, exist_ok=True)
        lock = (self.root / RUN / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"{self.root} is being compared already")
        for folder in (self.root / IN, self.root / OUT, self.root / RUN / "plans"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for name in self._given:
            self._put(name)
        return lock

    def _put(self, name: str) -> None:
        """For its owner alone, as keys must be."""
        file = self.root / IN / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(self._given[name])
        file.chmod(0o600)

    def _started(self) -> subprocess.Popen[str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("COMPLIANCE_")}
        set_ = {"XDG_CACHE_HOME": str(self.root / RUN / "plans"), "PYTHONPATH": str(self.root)}
        process = subprocess.Popen(
            [self._python, INSIDE],
            cwd=self.root,
            env={**own, **set_, "COLUMNS": "100", "LINES": "24", "TZ": "UTC"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if _pipe(process.stdout).readline() != "ready\n":
            sys.exit(f"{self.root} cannot run commands; its .venv may have to be made: make .venv/.installed")
        return process


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise ValueError("the process was started without a pipe")
    return pipe


def _is_zip(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


class Kept:
    """What the other checkout says, from a folder where that is known, else from itself."""

    def __init__(self, other: Checkout, folder: Path) -> None:
        self._other, self._folder = other, folder / _state(other.root)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._given: dict[str, str] = {}

    def give(self, name: str, content: bytes) -> None:
        """Hands on a file that commands read, and remembers what was in it: it has a say in what they say."""
        self._given[name] = hashlib.sha256(content).hexdigest()
        self._other.give(name, content)

    def result(self, command: Command) -> Result:
        """What the other checkout says and writes."""
        text = " ".join(command)
        read = {n: digest for n, digest in self._given.items() if f"{IN}/{n.split('/')[0]}" in text}
        file = self._folder / (hashlib.sha256(json.dumps([command, read]).encode()).hexdigest()[:20] + ".zip")
        if file.exists():
            with zipfile.ZipFile(file) as kept:
                return {name: kept.read(name) for name in kept.namelist()}
        found = self._other.result(command)
        with zipfile.ZipFile(file.with_suffix(".part"), "w", zipfile.ZIP_DEFLATED) as kept:
            for name, content in found.items():
                kept.writestr(name, content)
            kept.comment = text.encode()[:65_000]
        file.with_suffix(".part").rename(file)
        return found


def _state(root: Path) -> str:
    """The commit of a checkout, and the packages that it runs with; a checkout with changes has no such name."""

    def git(*args: str) -> str:
        return subprocess.run(["git", *args], cwd=root, check=True, capture_output=True, text=True).stdout.strip()

    if changes := git("status", "--porcelain"):
        sys.exit(f"{root} has changes that are not committed, so that nobody could tell what was compared:\n{changes}")
    packages = sorted(f.name for f in (root / ".venv").glob("lib*/python*/site-packages/*.dist-info"))
    return f"{git('rev-parse', 'HEAD')[:12]}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:8]}"


def parts(result: Result) -> dict[str, bytes]:
    """What is compared, each under its name: a workbook is its parts, in their order."""
    found: dict[str, bytes] = {}
    for name, content in result.items():
        if not _is_zip(content):
            found[name] = content
            continue
        with zipfile.ZipFile(BytesIO(content)) as book:
            found[f"{name} [parts]"] = "\n".join(book.namelist()).encode()
            found |= {f"{name} [{part}]": book.read(part) for part in book.namelist()}
    return found


def differences(there: dict[str, bytes], here: dict[str, bytes]) -> Iterator[str]:
    """Where two results differ, with the first line that does."""
    for name in dict.fromkeys((*there, *here)):
        if name not in there or name not in here:
            yield f"{name}: written {'here' if name in here else 'there'} alone"
        elif there[name] != here[name]:
            yield f"{name}, {_first(there[name], here[name])}"


def _first(there: bytes, here: bytes) -> str:
    """The first line that differs, from shortly before the first character that does."""
    at = next((i for i, (a, b) in enumerate(zip(there, here, strict=False)) if a != b), min(len(there), len(here)))
    line, start = there.count(b"\n", 0, at) + 1, there.rfind(b"\n", 0, at) + 1
    start = max(start, at - SHOWN // 2)

    def shown(text: bytes) -> str:
        return (
            repr(text[start : start + SHOWN].split(b"\n")[0].decode(errors="replace")) if at < len(text) else "its end"
        )

    return f"line {line:,}:\n    there {shown(there)}\n    here  {shown(here)}"


def _keep_both(folder: Path, command: Command, there: dict[str, bytes], here: dict[str, bytes]) -> None:
    """Writes what differs where `diff -r there here` can read it."""
    for side, said in (("there", there), ("here", here)):
        for name, content in said.items():
            if there.get(name) != here.get(name):
                file = folder / side / name.replace("/", "_")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
    (folder / "command").write_text(" ".join(command) + "\n", encoding="utf-8")


def compared(asked: list[Command], there: Callable[[Command], Result], here: Callable[[Command], Result]) -> int:
    """Compares every command and tells of each that differs; gives how many do."""
    differ = ROOT / RUN / "differs"
    shutil.rmtree(differ, ignore_errors=True)
    n = 0
    for i, command in enumerate(asked, 1):
        if sys.stderr.isatty():
            print(f"\r\033[K{i}/{len(asked)} {' '.join(command)[:80]}", end="", file=sys.stderr, flush=True)
        one, two = parts(there(command)), parts(here(command))
        if one == two and list(one) == list(two):
            continue
        n += 1
        _keep_both(differ / str(n), command, one, two)
        print(f"DIFFERS ({RUN}/differs/{n})  compliance {' '.join(command)[:140]}", flush=True)
        for said in differences(one, two):
            print(f"  {said}", flush=True)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return n


def main() -> int:
    """Compares, and prints what differs."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("other", type=lambda p: Path(p).resolve(), metavar="OTHER_CHECKOUT")
    options.add_argument(
        "--only", default="", metavar="PATTERN", help="only commands in which this regular expression is found"
    )
    options.add_argument(
        "--each", type=int, default=1, metavar="N", help="only each N-th of them: some of every kind, for a quick look"
    )
    options.add_argument(
        "--keep", type=Path, metavar="DIR", help="where what the other says is kept; default: its build/same/kept"
    )
    options.add_argument(
        "--fill", action="store_true", help="only ask the other and keep what it says; compare nothing"
    )
    options.add_argument("--list", action="store_true", help="only list the commands")
    chosen = options.parse_args()
    if unlisted := fixtures(ROOT) - {e.folder for e in EXPORTS}:
        sys.exit(f"same_commands.py does not say from which day to look at {', '.join(sorted(unlisted))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    began = time.monotonic()
    other, this = Checkout(chosen.other, chosen.other / ".venv/bin/python"), Checkout(ROOT, Path(sys.executable))
    try:
        kept = Kept(other, chosen.keep or chosen.other / RUN / "kept")
        for name, content in prepared(kept.result, chosen.other):
            kept.give(name, content)
            this.give(name, content)
        asked = [c for c in dict.fromkeys(commands(kept.result)) if re.search(chosen.only, " ".join(c))][:: chosen.each]
        if chosen.list:
            print("\n".join(" ".join(c) for c in asked))
            return 0
        n = compared(asked, kept.result, kept.result if chosen.fill else this.result)
    finally:
        other.end()
        this.end()
    seconds = time.monotonic() - began
    print(f"{len(asked):,} commands {'kept' if chosen.fill else 'compared'} in {seconds:,.0f} s, {n:,} differ.")
    return 1 if n else 0


if __name__ == "__main__":
    sys.exit(main())
