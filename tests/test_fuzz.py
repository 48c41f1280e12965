"""A few changed files at every door; `make fuzz` tries as many as anybody has time for. And what fuzzing would see, if it were there."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from fuzz import doors, fuzz
from fuzz.doors import Door

from compliance.files import documents, temporary, workbook
from compliance.privacy import pseudonyms
from compliance.records import loading
from compliance.tracker import eventsfile
from compliance.tracker.store import Store

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the machine cannot divide a process")

SEED = 7
EACH = 3
"""Inputs of each door."""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The real files, in a program that is warm for as long as these tests last."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("COMPLIANCE_CACHE", "XDG_STATE_HOME"):
            patch.setenv(name, "")  # so that what is set here is so no longer
        folder = tmp_path_factory.mktemp("fuzz")
        fuzz.warm(folder, patch.setattr)
        yield fuzz.real_files(folder)


@pytest.fixture(autouse=True)
def _kept_here(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLIANCE_CACHE", str(real.parent / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(real.parent / "state"))


def _seeds(n: int) -> list[str]:
    return [f"{SEED}-{i}" for i in range(n)]


def test_no_changed_file_is_a_crash_a_hang_or_a_leak(real: Path) -> None:
    found = fuzz.Found()
    fuzz.fuzz(real, list(doors.DOORS), lambda: ((name, _seeds(EACH)) for name in doors.DOORS), found)
    assert found.wrong == []
    assert found.inputs > EACH * len(doors.DOORS) * 0.9


def test_what_a_reader_refuses_the_command_refuses(real: Path) -> None:
    """Or an input that goes no further than its reader would say nothing of the command."""
    for name, door in doors.DOORS.items():
        if door.reads is None or door.same:
            continue
        work = fuzz.AtWork(real, door)
        fuzz.Once.changing = work.file
        for seed in range(60):
            work.file.write_bytes(door.change(work.honest, random.Random(seed)))
            if fuzz.alone(door, work.file).exit_code == 2:
                break
        assert fuzz.run(*work.asked).exit_code == 2, name


def _raise() -> None:
    raise KeyError("a fault of ours")


def _hang() -> None:
    while True:
        pass


def _sleep() -> None:
    time.sleep(60)


def _die() -> None:
    os.abort()


def _leave() -> None:
    (Path(tempfile.gettempdir()) / f"{temporary.UNFINISHED}abcdefgh").touch()


def _end_with(code: int) -> None:
    raise SystemExit(code)


FAULTS: dict[str, tuple[Callable[[], object], str]] = {
    "a crash": (_raise, "exit code 4"),
    "a hang": (_hang, "it hung"),
    "a wait without an end": (_sleep, "it hung"),
    "an abort": (_die, "SIGABRT"),
    "an exit code that there is not": (lambda: _end_with(7), "exit code 7"),
    "a refusal without a word": (lambda: _end_with(2), "refused without a word"),
    "a traceback": (lambda: click.echo("Traceback (most recent call last)"), "a traceback"),
    "a command to a server": (lambda: click.echo("  ::error::x"), "a command to a CI server"),
    "a command to a terminal": (lambda: click.echo("\x1b[2J", color=True), "a command to a terminal"),
    "something left behind": (_leave, "leaves .compliance-unfinished-"),
}
READERS: dict[str, tuple[object, str]] = {
    "waivers": (documents, "load_yaml"),
    "rule, linted": (documents, "load_yaml"),
    "waive": (documents, "load_json"),
    "previous": (documents, "load_json"),
    "plan's events": (eventsfile, "content_of"),
    "key": (pseudonyms, "Key"),
    "csv, checked": (loading, "load_tables"),
    "xlsx, checked": (workbook, "look_through"),
    "database, listed": (Store, "events"),
}
"""A door of each class, and a function that the program calls on the way in."""


ASLEEP = "a wait without an end"
LEFT = "something left behind"


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("whole", [True, False])
def test_a_planted_fault_is_seen_at_every_kind_of_door(
    real: Path, monkeypatch: pytest.MonkeyPatch, name: str, whole: bool
) -> None:
    """By the inputs that have it, and by no other. `whole`: the command is carried out, whatever its reader says."""
    door = doors.DOORS[name]
    if not whole and door.reads is None:
        pytest.skip("the command has no reader that is tried alone")
    # The others wait as long as they must, and only a whole command leaves anything.
    faults = ["", *(f for f in FAULTS if f != ASLEEP and (whole or f != LEFT)), ""]
    _seen(real, monkeypatch, replace(door, reads=None) if whole else door, name, faults)


@pytest.mark.parametrize("name", ["waivers", "csv, checked"])
def test_a_command_that_waits_without_an_end_is_seen(real: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(fuzz, "ASLEEP", 3)
    _seen(real, monkeypatch, doors.DOORS[name], name, [ASLEEP])


def _seen(real: Path, patch: pytest.MonkeyPatch, door: Door, name: str, faults: list[str]) -> None:
    seeds = _seeds(len(faults))
    planted = {random.Random(seed).random(): fault for seed, fault in zip(seeds, faults, strict=True)}
    at_work = [""]

    def change(content: bytes, chance: random.Random) -> bytes:
        at_work[0] = planted[chance.random()]
        return content

    where, reader = READERS[name]
    read = getattr(where, reader)

    def faulty(*asked: Any, **more: Any) -> Any:
        if at_work[0]:
            FAULTS[at_work[0]][0]()
        return read(*asked, **more)

    patch.setitem(doors.DOORS, name, replace(door, change=change))
    patch.setattr(fuzz, "SECONDS", 0.5)
    found = fuzz.Found()
    honest = fuzz.run(*fuzz.AtWork(real, door).asked)
    patch.setattr(where, reader, faulty)
    fuzz.batch(real, name, seeds, honest, found)
    told = [(seed, FAULTS[fault][1]) for seed, fault in zip(seeds, faults, strict=True) if fault]
    assert len(found.wrong) == len(told)
    for line, (seed, what) in zip(sorted(found.wrong), sorted(told), strict=True):
        assert line.startswith(f"{name}, seed {seed}: ") and what in line
    assert found.inputs == len(faults)


def test_a_door_that_refuses_the_file_as_it_is_is_no_door(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door = doors.DOORS["mapping"]
    weak = replace(door, asked=(*door.asked, "--memory", "much"))
    monkeypatch.setitem(doors.DOORS, "mapping", weak)
    with pytest.raises(RuntimeError, match="ended with 2"):
        fuzz.fuzz(real, ["mapping"], lambda: iter([("mapping", _seeds(1))]), fuzz.Found())


def test_a_name_that_was_planted_is_seen(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door = doors.DOORS["csv, checked"]
    shown = replace(door, asked=(*door.asked, "--personal"))
    monkeypatch.setitem(doors.DOORS, "csv, checked", shown)
    found = fuzz.Found()
    fuzz.fuzz(real, ["csv, checked"], lambda: iter([("csv, checked", _seeds(20))]), found)
    assert any("a name that is personal" in line for line in found.wrong)
