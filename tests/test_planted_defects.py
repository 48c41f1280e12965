"""Every rule that is asked of a fostering agency finds its defect, planted alone in a clean one, and nothing else is found.

Many agencies stand in one export, as unlike in their keys as agencies that never met: the first is clean, each of the others has one
defect. Every record of every agency is read from CSV and asked by every rule, as in any audit; only the cost of a start is shared. No
rule can look from one agency into another, for the language follows links and nothing else, and each link names its agency; if one did,
it would find something in an agency that has another defect, and the comparison would fail. Some defects are planted alone in an export
of their own, and must give the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from conftest import shipped_book
from generate import write_plain
from plants import PLANTS, Plant
from world import AS_AT, Row, World, build

from compliance.jobs.asked import Asked, Export
from compliance.jobs.audit import audit
from compliance.jobs.planning import record_kinds

Found = set[tuple[str, str, str]]
Rows = Mapping[str, list[Row]]

# A pack that is asked only of exports with records of its own has an export of its own: tests/test_governance.py.
RULES = sorted(r.rule.id for r in shipped_book().rules if not r.rule.only_with)
AT_ONCE = 44
"""Agencies in one export: two such exports fit in the memory of a small machine."""
AGENCY = "\x1f"
"""Stands in keys for the agency's own prefix until it is written."""
ALONE = range(0, len(PLANTS), 40)
"""The defects that are planted in an export of their own as well."""


def found(folder: Path, as_at: date) -> Found:
    """Rule, subject and outcome of every finding."""
    with audit(Asked(Export(folder), as_at)) as report:
        assert [r.rule.id for r in report.rules if r.status == "failed"] == []
        assert report.tables.n_quarantined == 0
        return {(f.rule.id, f"{f.key} / {f.rule.part}" if f.rule.part else f.key, f.outcome) for f in report.findings()}


class Copied(dict[str, list[Row]]):
    """Rows that can be changed without changing those that they are copied from; of a kind that is asked for, and no other."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self._rows = rows

    def __missing__(self, kind: str) -> list[Row]:
        self[kind] = copied(self._rows.get(kind, ()))
        return self[kind]


def copied(rows: Iterable[Row]) -> list[Row]:
    """Rows that can be changed without changing these."""
    return [{f: v[:] if type(v) is list else v for f, v in row.items()} for row in rows]


class Bed:
    """The clean agency, and folders in which defects are planted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kinds = record_kinds()
        self.world = build()
        self.rows = {kind: copied(its) for kind, its in self.world.rows.items()}
        self.numbers = dict(self.world.numbers)
        self.clean = self.written(self.rows, self.kinds.kinds)
        self.by_key = cache(self._by_key)
        self.at = cache(lambda as_at: self.alone(self.clean, as_at))
        self.together = cache(self._together)

    def written(self, rows: Rows, kinds: Iterable[str]) -> dict[str, str]:
        """These record kinds as CSV, with the mark `AGENCY` before each key, and before each that a link follows."""
        marked: dict[str, list[Row]] = {}
        for kind in kinds:
            declared = self.kinds[kind]
            keys = {declared.key, *(link.field for link in declared.links.values())}
            marked[kind] = [
                {f: f"{AGENCY}{v}" if f in keys and v is not None else v for f, v in row.items()}
                for row in rows.get(kind, ())
            ]
        here = self.folder / "marked"
        write_plain(marked, self.kinds, here, marked)
        # The kinds of councils are no fostering agency's, and are not written.
        return {file.stem: file.read_text(encoding="utf-8") for file in here.iterdir() if file.stem in marked}

    def planted(self, plant: Plant) -> tuple[Found, dict[str, str]]:
        """What a defect must give, and the agency that has it."""
        world = World(self.world.seed, self.world.scale)
        world.random.setstate(self.world.random.getstate())
        world.rows = Copied(self.rows)
        world.numbers.update(self.numbers)
        wanted = {(rule, key, outcome) for rule, key, outcome, _ in plant.answers(world)}
        changed = {kind: rows for kind, rows in world.rows.items() if rows != self.rows.get(kind, [])}
        assert changed, "nothing was planted"
        # Of a changed kind most records are written as they were; the others stand last.
        lines: dict[str, list[str]] = {}
        others: dict[str, list[Row]] = {}
        for kind, rows in changed.items():
            clean, key = self.by_key(kind), self.kinds[kind].key
            there = {str(r[key]): r for r in rows}
            lines[kind] = [line for its, (row, line) in clean.items() if there.get(its) == row]
            others[kind] = [r for its, r in there.items() if its not in clean or clean[its][0] != r]
        text = self.written(others, others)
        for kind, its_lines in lines.items():
            header, _, new = text[kind].partition("\n")
            text[kind] = "\n".join([header, *its_lines, new])
        return wanted, self.clean | text

    def _by_key(self, kind: str) -> dict[str, tuple[Row, str]]:
        """The clean agency's records of a kind, each with its line in the file."""
        rows, lines = self.rows.get(kind, []), self.clean[kind].splitlines()[1:]
        assert len(rows) == len(lines), "a record is a line"
        return {str(r[self.kinds[kind].key]): (r, line) for r, line in zip(rows, lines, strict=True)}

    def alone(self, agency: Mapping[str, str], as_at: date) -> Found:
        """What is found in an export of this agency only, with its keys as they are."""
        here = self.folder / "alone"
        here.mkdir(exist_ok=True)
        for kind, text in agency.items():
            (here / f"{kind}.csv").write_text(text.replace(AGENCY, ""), encoding="utf-8")
        return found(here, as_at)

    def _together(self, batch: tuple[int, ...], as_at: date) -> dict[int, tuple[Found, Found]]:
        """For each defect, what it must give and what it gives; all in one export, with the clean agency."""
        here = self.folder / "together"
        here.mkdir(exist_ok=True)
        wanted: dict[int, Found] = {}
        files = {kind: (here / f"{kind}.csv").open("w", encoding="utf-8") for kind in self.clean}
        for kind, file in files.items():
            file.write(self.clean[kind].replace(AGENCY, "clean/"))
        for n in batch:
            wanted[n], agency = self.planted(PLANTS[n])
            for kind, file in files.items():
                file.write(agency[kind].partition("\n")[2].replace(AGENCY, f"{n}/"))
        for file in files.values():
            file.close()
        given: dict[str, Found] = {}
        for rule, key, outcome in found(here, as_at):
            prefix, _, its = key.partition("/")
            given.setdefault(prefix, set()).add((rule, its, outcome))
        for path in here.iterdir():
            path.unlink()
        assert given.get("clean", set()) == self.at(as_at)
        return {n: (wanted[n], given.get(str(n), set())) for n in batch}


def batches() -> Iterator[tuple[tuple[int, ...], date]]:
    """Defects that are audited as at the same day."""
    for as_at in sorted({p.as_at for p in PLANTS}):
        its = [n for n, p in enumerate(PLANTS) if p.as_at == as_at]
        yield from ((tuple(its[i : i + AT_ONCE]), as_at) for i in range(0, len(its), AT_ONCE))


BATCH = {n: (batch, as_at) for batch, as_at in batches() for n in batch}


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory, cache_home: Path) -> Iterator[Bed]:
    """One for each worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache_home))
        yield Bed(tmp_path_factory.mktemp("bed"))


def test_the_clean_agency_has_nothing_wrong(bed: Bed) -> None:
    assert bed.at(AS_AT) == set()


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_has_a_defect_of_its_own(rule: str) -> None:
    assert any(p.rule == rule for p in PLANTS), f"no plant for {rule}: write one in fixtures/plants/"


def test_each_defect_is_for_a_rule_that_there_is() -> None:
    assert {p.rule for p in PLANTS} <= set(RULES)


def shown(n: int) -> str:
    return f"{PLANTS[n].rule}-{n}"


@pytest.mark.parametrize(
    "n",
    [
        pytest.param(n, id=shown(n), marks=pytest.mark.xdist_group(f"plants-{BATCH[n][0][0]}"))
        for n in range(len(PLANTS))
    ],
)
def test_a_defect_alone_gives_its_finding_and_no_other(bed: Bed, n: int) -> None:
    """Beyond what the clean agency has on a later day."""
    wanted, given = bed.together(*BATCH[n])[n]
    whole = bed.at(PLANTS[n].as_at)
    assert whole <= given, "a defect must not mend what is wrong on a later day"
    assert given - whole == wanted, PLANTS[n].what


@pytest.mark.parametrize("n", [pytest.param(n, id=shown(n)) for n in ALONE])
def test_a_defect_in_an_export_of_its_own_gives_the_same(bed: Bed, n: int) -> None:
    wanted, agency = bed.planted(PLANTS[n])
    assert bed.alone(agency, PLANTS[n].as_at) - bed.at(PLANTS[n].as_at) == wanted, PLANTS[n].what
