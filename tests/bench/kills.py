"""Kills whoever writes to a plan, at random moments, and looks at what is left: `make kills`, or `python tests/bench/kills.py --kills 10`.

A writer opens the database (and makes it, the first time), then writes changes of two events each, and says so of each that `Store.change`
has told it is written. It is killed (SIGKILL) somewhere in this. Then the chain of hashes must hold, every change of which it was told must
be there, and no change may be there by half. Prints what was found; exit code 1 if anything is lost. A kill takes nothing from what the
system holds, so that a folder in memory (`--folder /dev/shm`) proves the same as a disk, faster.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).parents[1]))

from plan_making import MANAGER, small_plan

from compliance.tracker import life
from compliance.tracker.events import Draft, Event, broken
from compliance.tracker.state import State
from compliance.tracker.store import Store

LONGEST = 0.03
"""Seconds until the kill, at most, from the start of a writer, or from when it has opened the database or written some changes."""
CHANGES = 3
"""So many changes at most are waited for."""
READY = "ready"


@dataclass
class Batch:
    """One plan, and what is known of it: the last event that was looked at, and every change that somebody was told of."""

    url: str
    plan: str
    last: Event | None = None
    told: set[str] = field(default_factory=set)
    there: Counter[str] = field(default_factory=Counter)


def begin(state: State) -> list[Draft]:
    """The plan, if nobody has begun it."""
    return [] if state.number else [life.begin(small_plan())]


def write(batch: Batch, kill: int, told: int) -> NoReturn:
    """Writes until it is killed."""
    store = Store(batch.url)
    store.change(batch.plan, "2022-01-03", MANAGER, begin)
    os.write(told, f"{READY}\n".encode())
    n = 0
    while True:
        n += 1
        change = f"{kill}.{n}"
        two = [Draft("comment", "A1", {"text": change}), Draft("comment", "A2", {"text": change})]
        store.change(batch.plan, "2022-01-03", MANAGER, lambda _, two=two: two)  # type: ignore[misc]
        os.write(told, f"{change}\n".encode())


def kill_one(batch: Batch, kill: int, after: float, lines: int) -> set[str]:
    """Starts a writer and kills it; gives what it was told.

    Args:
      lines: how many lines it has said when the time begins: the first is that it has opened the database.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            write(batch, kill, writing)
        finally:
            os._exit(1)
    os.close(writing)
    said = b""
    while said.count(b"\n") < lines:
        said += os.read(reading, 1000)
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as rest:
        said += rest.read()
    if not os.WIFSIGNALED(status):
        raise RuntimeError("a writer ended before it was killed")
    return set(said.decode().split()) - {READY}


def wrong(batch: Batch) -> str:
    """What is not as it must be; empty: nothing."""
    store = Store(batch.url)
    new = store.events(batch.plan, batch.last.number if batch.last else 0)
    store.close()
    if where := broken(new, batch.last):
        return where
    for e in new:
        if e.kind == "comment":
            batch.there[e.body["text"]] += 1
    batch.last = new[-1] if new else batch.last
    if lost := [c for c in batch.told if not batch.there[c]]:
        return f"lost: {', '.join(sorted(lost))}"
    if half := [c for c, n in batch.there.items() if n != 2]:
        return f"half written: {', '.join(sorted(half))}"
    return ""


def main() -> int:
    """Kills, looks, and prints."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=10_000)
    asked.add_argument("--each", type=int, default=100, help="kills of one database, which the first of them makes")
    asked.add_argument("--url", help="a server's database; default: SQLite files")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--folder", help="where the SQLite files are made; default: the system's own for such things")
    options = asked.parse_args()
    chance = random.Random(options.seed)
    found: list[str] = []
    n = Counter[str]()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for start in range(0, options.kills, options.each):
            url = options.url or str(Path(folder) / f"{start}.sqlite")
            batch = Batch(url, f"plan-{options.seed}-{start}")
            for kill in range(start, min(start + options.each, options.kills)):
                told = kill_one(batch, kill, chance.uniform(0, LONGEST), chance.randint(0, 1 + CHANGES))
                batch.told |= told
                n["killed"] += 1
                n["killed before its first change"] += not told
                n["killed while a change was half on the disk (a journal is left)"] += Path(f"{url}-journal").exists()
                if why := wrong(batch):
                    found.append(f"kill {kill}: {why}")
            store = Store(batch.url)
            if why := broken(store.events(batch.plan)):
                found.append(f"after {kill}: {why}")
            store.close()
            n["changes"] += len(batch.there)
            n["changes that were written, though the writer was killed before it was told"] += len(
                set(batch.there) - batch.told
            )
            n["databases"] += 1
    for what, how_many in n.items():
        print(f"{how_many:,} {what}")
    print("\n".join(found) or "0 lost, 0 half written, every chain holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
