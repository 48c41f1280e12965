"""Which duties are answered, and by what: honest numbers on a small rule book, on the shipped one, and on an export."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import ROOT, shipped_book

from compliance.errors import RulesError
from compliance.jobs.book import RuleFolders, read_rulebook

Cli = Callable[..., Result]


def duty(id_: str, modality: str = "must", checkable: str = "machine", **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "ref": f"reg {id_.split('-')[1]}",
        "title": f"Made-up duty {id_}",
        "summary": "Nobody must anything.",
        "duty_on": "provider",
        "binds": "all",
        "subject": "staff",
        "modality": modality,
        "checkable": checkable,
        "layer": "statute",
        "in_force": {"from": "2011-04-01", "to": None},
        "confidence": "high",
        "source": "made up",
        **more,
    }


DUTIES = [
    duty("MU-1"),  # two rules
    duty("MU-2", in_force={"from": "2011-04-01", "to": "2013-06-30"}),  # a rule, until its end
    duty("MU-2-new", in_force={"from": "2013-07-01", "to": None}),  # the rule of the old version does not reach it
    duty("MU-3"),  # nothing
    duty("MU-4", checkable="attestation"),  # nothing yet
    duty("MU-5", checkable="judgement"),
    duty("MU-6", checkable="judgement", modality="should"),
    duty("MU-7", modality="may"),
    duty("MU-8", modality="definition"),
    duty("MU-9", modality="condition"),
    duty("MU-10", modality="must_not", checkable="attestation"),  # records settle it after all
]
RULE = """\
# yaml-language-server: $schema=../../schemas/rule.schema.json
id: {id}
title: Made up
cites: [{cites}]
record: {record}
require: {{it is so: "{field} is not None"}}
severity: requirement
put_right: {{within: 7 days, by: nobody, workstream: none}}
remedy: None.
{more}
"""


def rulebook(folder: Path) -> Path:
    """A rule book that nobody needs."""
    (folder / "instruments").mkdir(parents=True)
    instrument = {"short_name": "MU", "title": "Made up", "citation": "none"}
    other = [duty("OT-1", checkable="judgement")]
    for name, its in (("made-up", DUTIES), ("other", other)):
        text = json.dumps({"instrument": instrument, "duties": its})
        (folder / "instruments" / f"{name}.json").write_text(text, encoding="utf-8")
    (folder / "instruments" / "reading.yaml").write_text("subjects: {staff: staff}\n", encoding="utf-8")
    (folder / "pack").mkdir()
    (folder / "pack" / "pack.yaml").write_text(
        "pack: pack\ntitle: Made up\ncases_as_at: 2021-09-20\n", encoding="utf-8"
    )
    for id_, cites, record, field, more in (
        ("first", "MU-1", "staff", "started_on", ""),
        ("second", "MU-1, MU-5, MU-7", "supervision", "held_on", ""),
        ("old", "MU-2, MU-2-new", "supervision", "signed", "in_force: {from: 2011-04-01, to: 2013-06-30}"),
        ("prohibited", "MU-10", "reference", "received_on", ""),
    ):
        text = RULE.format(id=id_, cites=cites, record=record, field=field, more=more)
        (folder / "pack" / f"{id_}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def told(cli: Cli, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    rules = rulebook(tmp_path / "rules")

    def ask(*args: object) -> dict[str, Any]:
        result = cli("rules", "coverage", *args, "--rules", rules, "--format", "json")
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    return ask


Told = Callable[..., dict[str, Any]]


def by(found: dict[str, Any]) -> dict[str, str]:
    return {d["id"]: d["by"] for d in found["duties"]}


def test_every_version_ever_without_a_day(told: Told) -> None:
    found = told()
    assert found["as_at"] is None
    assert found["instruments"] == [
        {
            "instrument": "made-up",
            "duties": 8,
            "rule": 4,
            "partly": 0,
            "attestation": 0,
            "judgement": 2,
            "unaccounted": 2,
        },
        {
            "instrument": "other",
            "duties": 1,
            "rule": 0,
            "partly": 0,
            "attestation": 0,
            "judgement": 1,
            "unaccounted": 0,
        },
    ]
    assert by(found) == {
        "MU-1": "rule",
        "MU-2": "rule",
        "MU-2-new": "rule",
        "MU-3": "none",
        "MU-4": "none",
        "MU-5": "judgement",  # that a rule cites it too does not settle it
        "MU-6": "judgement",
        "MU-10": "rule",
        "OT-1": "judgement",
    }
    assert [d["id"] for d in found["not_duties"]] == ["MU-7", "MU-8", "MU-9"]


def test_duties_and_rules_of_a_day(told: Told) -> None:
    now, then = told("--as-at", "2021-09-20"), told("--as-at", "2013-06-30")
    assert "MU-2" not in by(now)
    assert by(now)["MU-2-new"] == "none"  # the rule that cites it is not in force
    assert by(then)["MU-2"] == "rule"
    assert "MU-2-new" not in by(then)
    assert now["instruments"][0]["unaccounted"] == 3
    assert told("--as-at", "2010-01-01")["duties"] == []


def test_both_ways(told: Told) -> None:
    found = told()
    ways = {(r["id"], duty) for r in found["rules"] for duty in r["cites"]}
    assert ways == {
        ("first", "MU-1"),
        ("second", "MU-1"),
        ("second", "MU-5"),
        ("second", "MU-7"),
        ("old", "MU-2"),
        ("old", "MU-2-new"),
        ("prohibited", "MU-10"),
    }
    assert {(r, d["id"]) for d in found["duties"] for r in d["rules"]} == ways - {("second", "MU-7")}


def test_one_instrument_and_only_what_nothing_answers(told: Told, cli: Cli, tmp_path: Path) -> None:
    found = told("--instrument", "other")
    assert [c["instrument"] for c in found["instruments"]] == ["other"]
    assert found["rules"] == []
    assert list(by(told("--unaccounted"))) == ["MU-3", "MU-4"]
    wrong = cli("rules", "coverage", "--rules", tmp_path / "rules", "--instrument", "othr")
    assert wrong.exit_code == 2
    assert "did you mean 'other'?" in wrong.stderr


def export(folder: Path) -> Path:
    folder.mkdir()
    (folder / "staff.csv").write_text("staff_id,started_on\nS1,2015-01-01\nS2,2016-01-01\n", encoding="utf-8")
    (folder / "supervision.csv").write_text("supervision_id,staff_id,signed\nV1,S1,yes\n", encoding="utf-8")
    return folder


def test_with_an_export_what_was_tested_and_what_would_unlock_the_rest(told: Told, tmp_path: Path) -> None:
    found = told(export(tmp_path / "export"), "--as-at", "2021-09-20")
    duties = {d["id"]: d for d in found["duties"]}
    assert (duties["MU-1"]["tested_on"], duties["MU-1"]["not_run"]) == (2, ["second"])
    assert (duties["MU-10"]["tested_on"], duties["MU-10"]["not_run"]) == (0, ["prohibited"])
    assert duties["MU-3"]["tested_on"] == 0
    assert found["unlocks"] == [
        {"missing": "reference", "rules": ["prohibited"], "alone": ["prohibited"], "duties": ["MU-10"]},
        {"missing": "supervision.held_on", "rules": ["second"], "alone": ["second"], "duties": ["MU-5"]},
    ]


def test_an_export_needs_a_day(cli: Cli, tmp_path: Path) -> None:
    result = cli("rules", "coverage", export(tmp_path / "export"))
    assert result.exit_code == 2
    assert "DATA needs --as-at" in result.stderr


def test_the_table_says_the_same_and_fits(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules, data = rulebook(tmp_path / "rules"), export(tmp_path / "export")
    for width in (80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        said = cli("rules", "coverage", data, "--as-at", "2021-09-20", "--rules", rules).stdout
        table = [line for line in said.splitlines() if not line.endswith(".")]
        assert max(map(len, table)) <= width
        for words in ("Not counted: 3 entries", "supervision.held_on", "nothing yet", "not run", "Every rule"):
            assert words in said
    none = cli("rules", "coverage", "--rules", rules, "--instrument", "other", "--unaccounted").stdout
    assert "Every duty is answered." in none


def test_a_duty_to_be_judged_without_records_to_read_is_a_mistake(tmp_path: Path) -> None:
    folder = rulebook(tmp_path / "rules")
    text = "subjects: {staf: staff, child: childd}\nduties: {MU-3: staff}\n"
    (folder / "instruments" / "reading.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RulesError) as caught:
        read_rulebook(RuleFolders(folder), None)
    said = str(caught.value)
    assert "nothing says what to read for MU-5, whose subject is 'staff'" in said
    assert "there is no record kind 'childd'; did you mean 'child'?" in said
    assert "no catalogue has a duty 'MU-3' to be judged" in said


def test_a_duty_of_which_every_rule_asks_a_part_is_answered_partly(cli: Cli, tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rules")

    def asks_a_part(rule: str, id_: str, lacking: str) -> None:
        with (rules / "pack" / f"{rule}.yaml").open("a", encoding="utf-8") as file:
            file.write(f"part_of: {{{id_}: {lacking}}}\n")

    def told() -> dict[str, Any]:
        found = json.loads(cli("rules", "coverage", "--rules", rules, "--format", "json").stdout)
        return {d["id"]: (d["by"], d["not_asked"]) for d in found["duties"]}

    asks_a_part("prohibited", "MU-10", "whether it was read")
    asks_a_part("first", "MU-1", "the second half")
    assert told()["MU-10"] == ("partly", ["whether it was read"])
    assert told()["MU-1"] == ("rule", []), "another rule asks the whole"
    asks_a_part("second", "MU-1", "the first half")
    assert told()["MU-1"] == ("partly", ["the second half", "the first half"])
    assert "Not asked: whether it was read" in cli("rules", "coverage", "--rules", rules).stdout
    assert "Not asked of MU-10: whether it was read" in cli("rules", "explain", "prohibited", "--rules", rules).stdout
    asks_a_part("old", "MU-20", "nothing")
    wrong = cli("rules", "coverage", "--rules", rules)
    assert (wrong.exit_code, "the rule does not cite 'MU-20'; did you mean 'MU-2'?" in wrong.stderr) == (2, True)


# --- the shipped rule book ------------------------------------------------------------------------------------------


def shipped(cli: Cli, *args: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cli("rules", "coverage", *args, "--format", "json").stdout)
    return found


def test_numbers_add_up_to_the_catalogues(cli: Cli) -> None:
    found = shipped(cli)
    assert len(found["duties"]) + len(found["not_duties"]) == 1046
    for c in found["instruments"]:
        assert c["duties"] == c["rule"] + c["partly"] + c["attestation"] + c["judgement"] + c["unaccounted"]
        assert c["duties"] == sum(d["instrument"] == c["instrument"] for d in found["duties"])
    assert {r["id"] for r in found["rules"]} == {r.rule.id for r in shipped_book().rules}


def test_everything_to_be_judged_has_records_to_be_read(cli: Cli) -> None:
    judged = [d for d in shipped(cli)["duties"] if d["checkable"] == "judgement"]
    assert len(judged) > 60
    assert all(d["by"] == "judgement" for d in judged)


def test_the_sample_agency_lets_every_rule_run(cli: Cli) -> None:
    found = shipped(cli, ROOT / "fixtures" / "clean", "--as-at", "2021-09-20")
    assert found["unlocks"] == []
    tested = {d["id"]: d["tested_on"] for d in found["duties"]}
    assert tested["FSR-20-3-info"] > 100


CLAUSES = {
    "fsr2011": r"reg (3|4|8|11|12|17|18|20|24|25|26|27|28|31|35|36)(?![0-9A-Z])|Sch [567](?![0-9])",
    "nms2011": r"standard (13|14|15|16|20|21|29)(?![0-9])",
    "cpr2010": r"reg (28|33)(?![0-9A-Z])",
}
"""What the inspection of September 2021 and the care of a child in a foster placement turn on."""


@pytest.mark.parametrize(("instrument", "least"), [("fsr2011", 160), ("nms2011", 50), ("cpr2010", 25)])
def test_nothing_is_unaccounted_of_what_the_inspection_turns_on(cli: Cli, instrument: str, least: int) -> None:
    duties = shipped(cli, "--instrument", instrument)["duties"]
    asked = [d for d in duties if re.search(rf"\b({CLAUSES[instrument]})", d["ref"])]
    assert len(asked) >= least
    assert [d["id"] for d in asked if d["by"] == "none"] == []
