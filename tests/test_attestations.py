"""Duties that only a person can vouch for: each in force asks for a statement, and a lack is not evidenced, never a breach."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import ROOT, shipped_book

from compliance.model import OWED, SERVICES, Duty, in_force

CLEAN = ROOT / "fixtures" / "clean"
RULES = {
    "regulation-not-attested": "fsr2011",
    "standard-not-attested": "nms2011",
    "care-planning-not-attested": "cpr2010",
    "recruitment-law-not-attested": "safer",
    "recruitment-practice-not-attested": "safer",
}
Cli = Callable[..., Result]


def told(cli: Cli, data: Path, as_at: str = "2021-09-20") -> list[dict[str, Any]]:
    only = [x for rule in RULES for x in ("--rule", rule)]
    result = cli("audit", data, "--as-at", as_at, "--format", "json", *only)
    assert result.exit_code in (0, 1), result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def export(folder: Path, rows: list[dict[str, str]], kind: str = "independent fostering agency") -> Path:
    folder.mkdir()
    (folder / "agency.csv").write_text(f"agency_id,kind,opened_on\nA1,{kind},2011-04-01\n", encoding="utf-8")
    fields = ("attestation_id", "agency_id", "duty", "made_on", "role", "valid_until", "document")
    with (folder / "attestation.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, fields)
        out.writeheader()
        for i, row in enumerate(rows):
            whole = {"made_on": "2021-03-01", "role": "registered manager", "document": "Folder 1", **row}
            out.writerow({"attestation_id": f"T{i}", "agency_id": "A1", **whole})
    return folder


def owed(day: str, kind: str = "independent fostering agency") -> list[Duty]:
    return [
        d
        for d in shipped_book().duties.values()
        if d.checkable == "attestation"
        and d.modality in OWED
        and in_force(d, date.fromisoformat(day))
        and kind in SERVICES[d.binds]
    ]


@pytest.mark.parametrize("day", ["2012-01-01", "2020-06-01", "2021-09-20", "2022-10-01"])
@pytest.mark.parametrize(
    "kind", ["independent fostering agency", "voluntary fostering agency", "local authority service"]
)
def test_every_duty_in_force_that_binds_the_service_asks_for_its_statement(
    cli: Cli, tmp_path: Path, day: str, kind: str
) -> None:
    wanted = owed(day, kind)
    found = told(cli, export(tmp_path / "none", [], kind), day)
    assert sorted(f["subject"]["part"] for f in found) == sorted(d.id for d in wanted)
    assert len(wanted) > 60
    assert {f["outcome"] for f in found} == {"not_evidenced"}
    all_of_them = [{"duty": d.id, "made_on": day} for d in wanted]
    assert told(cli, export(tmp_path / "all", all_of_them, kind), day) == []


def test_each_finding_quotes_the_duty_that_it_is_about(cli: Cli, tmp_path: Path) -> None:
    book = shipped_book()
    for f in told(cli, export(tmp_path / "none", [])):
        duty = book.duties[f["subject"]["part"]]
        assert f["cites"] == [duty.id]
        assert RULES[f["rule"]] == duty.instrument
        hedge = f", {duty.hedge}" if duty.hedge else ""
        assert f["argument"].endswith(f" {duty.ref[:1].upper()}{duty.ref[1:]}{hedge}.")
        assert duty.summary.rstrip(".") in f["argument"]
        assert f["layer"] == duty.layer
    assert len({f["fingerprint"] for f in told(cli, tmp_path / "none")}) == len(owed("2021-09-20"))


def test_it_says_when_the_statement_ran_out(cli: Cli, tmp_path: Path) -> None:
    rows = [{"duty": d.id} for d in owed("2021-09-20") if d.id != "FSR-8-3"]
    rows += [{"duty": "FSR-8-3", "made_on": "2020-03-01", "valid_until": "2021-03-31"}]
    (found,) = told(cli, export(tmp_path / "data", rows))
    assert found["subject"] == {"record": "agency", "key": "A1", "part": "FSR-8-3", "name": None}
    assert found["requirement"] == "Fostering Regulations 2011, reg 8"
    assert "31 March 2021" in found["argument"]
    assert "The manager does suitable training" in found["argument"]


def test_how_long_it_is_relied_on_is_the_agencys_figure(cli: Cli, tmp_path: Path) -> None:
    data = export(tmp_path / "data", [{"duty": d.id, "made_on": "2019-09-20"} for d in owed("2021-09-20")])
    assert len(told(cli, data)) == len(owed("2021-09-20"))
    text = "source: Made up\nparameters: {attestation_relied_on: 2 years}\n"
    (data / "parameters.yaml").write_text(text, encoding="utf-8")
    assert told(cli, data) == []


def test_without_any_such_records_the_rules_could_not_run(cli: Cli, tmp_path: Path) -> None:
    data = export(tmp_path / "data", [])
    (data / "attestation.csv").unlink()
    result = cli("audit", data, "--as-at", "2021-09-20", "--format", "json", "--rule", "regulation-not-attested")
    (rule,) = json.loads(result.stdout)["rules"]
    assert (rule["status"], rule["why_not"]) == ("could not run", "the export has no attestation records")


def test_coverage_counts_them_as_attested(cli: Cli) -> None:
    found = json.loads(cli("rules", "coverage", "--format", "json").stdout)
    classed = [d for d in found["duties"] if d["checkable"] == "attestation"]
    assert len(classed) > 80
    assert {d["by"] for d in classed} == {"attestation"}


@pytest.mark.parametrize("day", ["2013-08-01", "2020-06-01", "2020-12-17", "2021-09-20"])
def test_the_clean_agency_has_them_all_at_any_time(cli: Cli, day: str) -> None:
    assert told(cli, CLEAN, day) == []


# --- lists made of a catalogue --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cites: vouched_for", "cites: vouched", "the pack has no list 'vouched'; did you mean 'vouched_for'?"),
        ("cites: vouched_for", "cites: statement_and_guide", "which is no duty of a catalogue"),
        ("instrument: fsr2011,", "instrument: fsr2012,", "no duty of 'fsr2012' is such a one"),
        ("checkable: attestation}", "checkable: vouching}", "checkable is 'vouching'"),
    ],
)
def test_mistakes_in_such_a_list(cli: Cli, tmp_path: Path, old: str, new: str, said: str) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    folder = tmp_path / "rules" / "fostering-regulations"
    for path in (folder / "pack.yaml", folder / "regulation-not-attested.yaml"):
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    result = cli("rules", "list", "--rules", tmp_path / "rules")
    assert result.exit_code == 2
    assert said in result.stderr
