"""The KPI packs hold what the published frameworks say, all of it and nothing else, and statuses come out as a reader works them out."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from conftest import shipped_book

from compliance.dates import periods_to
from compliance.kpis.kpi import Framework, Measure, Point, Status, Version, rounded, status

FACTS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "data" / "kpi-facts.yaml").read_text(encoding="utf-8"))
BOOK = shipped_book()
MEASURES = [m for m, _ in BOOK.measures]
Key = tuple[str, str]
IS: dict[Key, tuple[Measure, Version]] = {(v.framework, v.code): (m, v) for m in MEASURES for v in m.versions}
COUNCIL: list[dict[str, Any]] = FACTS["council"]
PHASE_DAYS = 50


def exact(number: float | int | str) -> Decimal:
    return Decimal(str(number))


def keys(facts: dict[str, Any]) -> list[Key]:
    return [(name, v["code"]) for name, v in facts["versions"].items()]


def measures(facts: dict[str, Any]) -> list[Measure]:
    return list({IS[k][0].id: IS[k][0] for k in keys(facts)}.values())


def pack(name: str) -> set[Key]:
    return {(v.framework, v.code) for m in MEASURES if m.pack == name for v in m.versions}


def test_every_kpi_of_the_frameworks_is_there_and_no_other() -> None:
    assert len(IS) == sum(len(m.versions) for m in MEASURES)
    covid = {("covid", f["code"]) for f in FACTS["covid"]}
    assert pack("council") == {k for f in COUNCIL for k in keys(f)} | covid
    assert pack("indicators") == {(f["framework"], f["code"]) for f in FACTS["indicators"]}


@pytest.mark.parametrize("facts", COUNCIL, ids=lambda f: str(f["code"]))
def test_a_kpi_has_the_codes_and_figures_of_its_source(facts: dict[str, Any]) -> None:
    for name, said in facts["versions"].items():
        m, v = IS[name, said["code"]]
        assert (v.source_code, m.direction) == (said["source_code"], facts["direction"])
        assert m.unit == said.get("unit", facts["unit"])
        band = v.band.on(date(2022, 1, 1)) if v.band else None
        held = {"lower": band and band.lower, "upper": band and band.upper}
        held["target"] = v.target.on(date(2023, 9, 1)) if v.target else None
        assert held == {n: exact(said[n]) if n in said else None for n in held}
        assert v.confirmed == said.get("confirmed", True)


@pytest.mark.parametrize("facts", COUNCIL, ids=lambda f: str(f["code"]))
def test_a_kpi_has_the_values_that_its_source_gives(facts: dict[str, Any]) -> None:
    held = Counter((p.period, p.value) for m in measures(facts) for p in m.published)
    assert held == Counter((f["period"], exact(f["value"])) for f in facts["values"])


def test_bands_and_targets_are_as_many_as_the_sources_have() -> None:
    banded = [v for (name, _), (_, v) in IS.items() if name == "v2021_22"]
    said = FACTS["counts"]
    assert len(COUNCIL) == said["kpis_total"]
    assert sum(v.band is not None and v.confirmed for v in banded) == said["with_confirmed_band_2021_22"]
    assert sum(v.band is not None and not v.confirmed for v in banded) == said["with_suggested_band_2021_22"]
    assert sum(v.band is None for v in banded) == said["band_to_be_confirmed_no_numbers_2021_22"]
    assert len(COUNCIL) - len(banded) == said["not_in_2021_22"]
    assert sum(v.target is not None for _, v in IS.values() if v.framework == "v2023_24") == said["with_target_2023_24"]


def test_one_code_that_means_two_things_is_two_measures() -> None:
    weeks, pep = IS["v2020_21", "KPI-ED6"][0], IS["v2021_22", "KPI-ED6"][0]
    assert weeks.id != pep.id
    assert weeks.id == IS["v2021_22", "KPI-ED2"][0].id
    assert IS["v2020_21", "KPI-ED7"][0].id == IS["v2021_22", "KPI-ED3"][0].id
    for changed in ("SC1", "SC5", "SC10", "SC12", "EH1", "ED4", "ED6"):
        assert IS["v2021_22", f"KPI-{changed}"][0].id != IS["v2023_24", f"KPI-{changed}"][0].id


# --- statuses ---


def standing(key: Key, *values: Decimal) -> tuple[Status, Framework]:
    """Of the last of such values, of months that follow on each other."""
    m, v = IS[key]
    f = BOOK.frameworks[key[0]]
    ends = periods_to(f.to_on or date(2024, 3, 31), "month", len(values))
    return status(f, v, m.direction, [Point(s, e, x, x) for (s, e), x in zip(ends, values, strict=True)]), f


def only_value(facts: dict[str, Any], period: str) -> Decimal | None:
    """The first that the framework's own source gives for a month; two more are of narratives beside it."""
    return next((exact(f["value"]) for f in facts["values"] if f["period"] == period), None)


BANDS = {"better_than_tolerance": "better", "within_tolerance": "within", "outside_tolerance": "outside"}
DERIVED = [(f, name, said) for f in COUNCIL for name, said in f["derived"].items()]


@pytest.mark.parametrize(("facts", "name", "said"), DERIVED, ids=[f"{f['code']}-{n}" for f, n, _ in DERIVED])
def test_what_follows_from_the_published_figures_comes_out(facts: dict[str, Any], name: str, said: Any) -> None:
    banded, aimed = ("v2021_22", facts["code"]), ("v2023_24", facts["code"])
    february = only_value(facts, "2020-02")
    match name, said:
        case ("status_2020_02_vs_band", "no_value"):
            assert february is None
            assert not any(p.period == "2020-02" for m in measures(facts) for p in m.published)
        case ("status_2020_02_vs_band", "no_band"):
            assert february is not None
            without = standing(banded, february)[0]
            assert without == Status(why=without.why)
            assert without.why
        case ("status_2020_02_vs_band" | "status_2020_06_vs_band", _):
            value = only_value(facts, name[7:14].replace("_", "-"))
            assert value is not None
            assert standing(banded, value)[0].certain == BANDS[said]
        case ("status_2020_02_vs_2023_24_target", "amber_if_first_or_second_month_else_red"):
            assert february is not None
            found = [standing(aimed, *[february] * n)[0].certain for n in (1, 2, 3, 4)]
            assert found == ["amber", "amber", "red", "red"]
        case ("status_2020_02_vs_2023_24_target", _):
            assert said in ("green", "green_if_lower_is_better", "green_but_age_range_differs")
            assert february is not None
            assert standing(aimed, february)[0].certain == "green"
            assert (IS[aimed][0].direction == "lower_is_better") == (said == "green_if_lower_is_better")
            if said == "green_but_age_range_differs":
                assert IS[aimed][0].id != IS[banded][0].id
        case ("gap_to_lower", _):
            assert february is not None
            assert standing(banded, february)[0].gap == exact(said)
        case ("lower_as_share_of_upper", _):
            band = IS[banded][1].band
            assert band is not None
            b = band.on(date(2022, 1, 1))
            assert round(b.lower / b.upper, 4) == exact(said)
        case ("status_vs_band", "upper_bound_met_if_a_result"):
            value = exact(facts["values"][0]["value"])
            assert standing(banded, value)[0].certain == "within"
            assert standing(banded, value + 1)[0].certain == "better"
        case _:
            pytest.fail(f"nothing here holds {name}: {said}")


@pytest.mark.parametrize("facts", FACTS["covid"], ids=lambda f: str(f["code"]))
def test_a_covid_kpi_has_its_usual_value_and_stands_to_it_as_a_reader_says(facts: dict[str, Any]) -> None:
    key = ("covid", facts["code"])
    m, v = IS[key]

    def shown(number: float) -> Decimal:
        return rounded(exact(number) * 7 / PHASE_DAYS) if facts.get("phase") else exact(number)

    f = BOOK.frameworks["covid"]
    assert f.to_on is not None
    assert (f.to_on - f.from_on).days + 1 == PHASE_DAYS
    assert (v.usual.on(f.to_on) if v.usual else None) == (None if facts["usual"] is None else shown(facts["usual"]))
    held = [p.value for p in m.published if p.framework == "covid"]
    assert held == [shown(n) for n in facts["values"]]
    for value in held if v.usual else ():
        assert standing(key, value)[0].certain == facts["standing"]


@pytest.mark.parametrize("facts", FACTS["indicators"], ids=lambda f: f"{f['framework']}-{f['code']}")
def test_an_indicator_has_the_values_of_its_source_and_of_others(facts: dict[str, Any]) -> None:
    m, v = IS[facts["framework"], facts["code"]]
    assert (v.target, v.band, v.usual) == (None, None, None)
    assert [p.value for p in m.published] == [exact(n) for n in facts["values"]]
    held = {who: [value for _, value in its] for who, its in m.comparators.items()}
    assert held == {who: [exact(n)] for who, n in facts["comparators"].items()}


# --- what users see ---


def test_an_export_is_held_only_to_frameworks_of_its_own_records(cli: Callable[..., Result], tmp_path: Path) -> None:
    lines = ["social_work_assessment_id,child_id,started_on,authorised_on"]
    lines += ["A1,C1,2021-06-29,2021-09-01", "A2,C2,2021-06-28,2021-09-01", "A3,C3,2021-06-01,"]
    (tmp_path / "social_work_assessment.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = json.loads(cli("kpi", tmp_path, "--as-at", "2021-09-30", "--format", "json").stdout)
    assert [f["name"] for f in found["frameworks"]] == ["v2021_22"]
    assert set(found["left_out"]) == {"fostering_plan", "local", "national"}
    (sc2,) = (k for k in found["kpis"] if k["code"] == "KPI-SC2")
    now = sc2["history"][-1]
    assert (now["value"], now["numerator"], now["denominator"], now["unknown"]) == (50, 1, 2, 0)
    asked = json.loads(cli("kpi", tmp_path, "--as-at", "2021-09-30", "--framework", "local", "--format", "json").stdout)
    assert ([f["name"] for f in asked["frameworks"]], asked["left_out"]) == (["local"], [])


def test_the_page_lists_every_kpi_and_whence_its_value_comes() -> None:
    page = (Path(__file__).parents[1] / "docs" / "kpis.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([^|]+) \| \[([^\]]+)\]\(\.\./(rules/kpi/[^)]+)\) \| (\S+) \|$", page, re.M)
    codes = {file: set(re.findall(r"[A-Z]+-[A-Z0-9]+", said)) for said, _, file, _ in listed}
    held = {f"rules/kpi/{m.pack}/{m.id}.yaml": m for m in MEASURES}
    assert codes == {file: {v.code for v in m.versions} for file, m in held.items()}
    assert {(title, file, whence) for _, title, file, whence in listed} == {
        (m.title, file, f"`{m.record}`" if m.record else "reported") for file, m in held.items()
    }
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (\S+) to (\S+) \| `(\w+)` \| (\d+) \| (\d+) \|$", page, re.M)
    assert {r[0]: r[1:] for r in rows} == {
        f.name: (f.pack, str(f.from_on), str(f.to_on or "now"), f.scheme, *map(str, counts(f)))
        for f in BOOK.frameworks.values()
    }


def counts(framework: Framework) -> tuple[int, int]:
    its = [m for m in MEASURES if framework.name in {v.framework for v in m.versions}]
    return len(its), sum(m.record != "" for m in its)


COUNTED = (
    ("annex-a", "2021-09-20", "KPI-SC7", "children on a plan visited in 20 days"),
    ("annex-a", "2021-09-20", "LI-CL1", "care leavers in touch"),
    ("annex-a", "2021-09-20", "LI-CL2", "care leavers in suitable accommodation"),
    ("annex-a", "2021-09-20", "LI-CL3", "care leavers in education, work or training"),
    ("ssda903", "2021-03-31", "NI-LA3", "annual health assessments"),
)
"""KPIs that ask what the generator of the councils' exports counted in what it invented."""


@pytest.mark.parametrize("export", ["annex-a", "ssda903"])
def test_a_kpi_comes_to_what_was_counted_without_the_engine(export: str, cli: Callable[..., Result]) -> None:
    folder = Path(__file__).parents[1] / "fixtures" / export
    answers = yaml.safe_load((folder / "ANSWERS.yaml").read_text(encoding="utf-8"))
    expected = {k["name"]: k["expected"] for k in answers["kpis"]}
    its = [c for c in COUNTED if c[0] == export]
    found = json.loads(cli("kpi", folder, "--as-at", its[0][1], "--format", "json").stdout)
    now = {k["code"]: k["history"][-1] for k in found["kpis"]}
    for _, _, code, name in its:
        assert {n: now[code][n] for n in ("numerator", "denominator", "unknown")} == expected[name]
