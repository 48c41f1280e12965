"""Every rule of the shipped book finds its defect, planted alone in the clean agency, and nothing else is found.

The world is built once for each worker and put back after each defect; only the files of record kinds that changed are written over
links to the clean ones, and everything is audited by all rules.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT
from generate import write_plain
from plants import PLANTS, Plant
from world import AS_AT, Row, World, build

from compliance.pipeline import Audit, audit
from compliance.planning import record_kinds

Found = set[tuple[str, str, str]]
Rows = dict[str, list[Row]]

RULES = sorted(p.stem for p in (ROOT / "rules").glob("*/*.yaml") if p.stem != "pack" and p.parent.name != "instruments")


def found(folder: Path, as_at: date) -> Found:
    """Rule, subject and outcome of every finding."""
    with audit(Audit(folder, as_at)) as report:
        assert [r.rule.id for r in report.rules if r.status == "failed"] == []
        return {(f.rule.id, f"{f.key} / {f.rule.part}" if f.rule.part else f.key, f.outcome) for f in report.findings()}


def copied(rows: Rows) -> Rows:
    """Rows that can be changed without changing these."""
    return {
        kind: [{f: v[:] if type(v) is list else v for f, v in row.items()} for row in its] for kind, its in rows.items()
    }


class Bed:
    """The clean agency, and a folder in which one defect at a time is planted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kinds = record_kinds()
        self.world = build()
        self.rows = copied(self.world.rows)
        self.numbers = dict(self.world.numbers)
        write_plain(self.rows, self.kinds, folder / "clean")
        self.at = cache(lambda as_at: found(folder / "clean", as_at))

    def planted(self, plant: Plant) -> tuple[Found, Found]:
        """What a defect must give, and what it gives; beyond what the clean agency has on a later day."""
        world = World(self.world.seed, self.world.scale)
        world.random.setstate(self.world.random.getstate())
        world.rows.update(copied(self.rows))
        world.numbers.update(self.numbers)
        wanted = {(rule, key, outcome) for rule, key, outcome, _ in plant.answers(world)}
        changed = [kind for kind in self.kinds.kinds if world.rows.get(kind, []) != self.rows.get(kind, [])]
        assert changed, "nothing was planted"
        here = self.folder / "planted"
        here.mkdir()
        try:
            for file in (self.folder / "clean").iterdir():
                if file.stem not in changed:
                    os.link(file, here / file.name)
            write_plain(world.rows, self.kinds, here, changed)
            whole = self.at(plant.as_at)
            given = found(here, plant.as_at)
            assert whole <= given, "a defect must not mend what is wrong on a later day"
            return wanted, given - whole
        finally:
            for file in here.iterdir():
                file.unlink()
            here.rmdir()


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """One for each worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        yield Bed(tmp_path_factory.mktemp("bed"))


def test_the_clean_agency_has_nothing_wrong(bed: Bed) -> None:
    assert bed.at(AS_AT) == set()


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_has_a_defect_of_its_own(rule: str) -> None:
    assert any(p.rule == rule for p in PLANTS), f"no plant for {rule}: write one in fixtures/plants/"


def test_each_defect_is_for_a_rule_that_there_is() -> None:
    assert {p.rule for p in PLANTS} <= set(RULES)


@pytest.mark.parametrize("plant", [pytest.param(p, id=f"{p.rule}-{n}") for n, p in enumerate(PLANTS)])
def test_a_defect_alone_gives_its_finding_and_no_other(bed: Bed, plant: Plant) -> None:
    wanted, given = bed.planted(plant)
    assert given == wanted, plant.what
