"""An audit held against an earlier one: restated, new, no longer found and why, and the same of whole regulations."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from conftest import ROOT

from compliance.cli import main
from compliance.report import FORMATS

AGENCY = ROOT / "fixtures" / "agency"
Cli = Callable[..., Result]
FIRST, SECOND, THIRD = "2020-12-17", "2021-05-01", "2021-09-20"

RULES = {
    "unsigned": """\
cites: [FSR-20-3-info]
record: supervision
when: staff.left_on is None
require: {it is signed: signed}
severity: requirement
""",
    "late": """\
cites: [NMS-24-4]
record: staff
deadline: {start: started_on, done: induction_completed_on, within: 6 months, what: Induction}
severity: recommendation
""",
    "unproved": """\
cites: [FSR-S1-3]
record: reference
require: {it is written: written}
severity: requirement
""",
    "practice": """\
cites: [SAFER-IND-3]
record: staff
require: {there is a job description: job_description_on is not None}
severity: advice
""",
}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules" / "pack"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text("pack: pack\ntitle: Made up\ncases_as_at: 2021-09-20\n", encoding="utf-8")
    for id_, text in RULES.items():
        rest = "put_right: {within: 7 days, by: nobody, workstream: none}\nremedy: None.\n"
        (folder / f"{id_}.yaml").write_text(f"id: {id_}\ntitle: Made up\n{text}{rest}", encoding="utf-8")
    return tmp_path / "rules"


class Export:
    """A small export that changes from audit to audit."""

    def __init__(self, folder: Path, cli: Cli, rules: Path) -> None:
        self.folder, self.cli, self.rules = folder, cli, rules
        self.n = 0
        folder.mkdir()
        self.staff = {"S1": ["2020-02-01", "", "2020-03-01", ""], "S2": ["2020-02-01", "", "2020-03-01", "2020-02-01"]}
        self.supervision = {"V1": "no", "V2": "no", "V3": "yes"}
        self.references: dict[str, str] | None = {"E1": "no"}

    def audit(
        self, as_at: str, *more: object, previous: Path | None = None, code: int = 1
    ) -> tuple[dict[str, Any], Path]:
        """Writes the export and audits it; gives the JSON and the file that holds it."""
        header = "staff_id,started_on,left_on,induction_completed_on,job_description_on\n"
        lines = [",".join([key, *cells]) for key, cells in self.staff.items()]
        (self.folder / "staff.csv").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
        lines = [
            f"{key},{'S2' if key == 'V2' else 'S1'},2020-06-01,{signed}" for key, signed in self.supervision.items()
        ]
        header = "supervision_id,staff_id,held_on,signed\n"
        (self.folder / "supervision.csv").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "reference.csv").unlink(missing_ok=True)
        if self.references is not None:
            lines = [f"{key},S1,2020-01-01,{written}" for key, written in self.references.items()]
            header = "reference_id,staff_id,received_on,written\n"
            (self.folder / "reference.csv").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
        self.n += 1
        out = self.folder.parent / f"findings-{self.n}.json"
        against = ("--previous", previous) if previous else ()
        asked = ("--as-at", as_at, "--rules", self.rules, "--format", "json", "--out", out, *against, *more)
        result = self.cli("audit", self.folder, *asked)
        assert result.exit_code == code, result.output
        told = json.loads(out.read_text(encoding="utf-8"))
        jsonschema.validate(told, json.loads((ROOT / "schemas" / "findings.schema.json").read_text(encoding="utf-8")))
        return told, out


@pytest.fixture
def export(tmp_path: Path, cli: Cli, rules: Path) -> Export:
    return Export(tmp_path / "data", cli, rules)


def restated(told: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(f["rule"], f["subject"]["key"]): f["restated"] for f in told["findings"]}


def became(told: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(g["rule"], g["subject"]["key"]): g["became"] for g in told["previous"]["no_longer_found"]}


def standing(told: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    names = ("standing", "since", "times", "then", "now", "asked")
    return {r["requirement"].split(", ")[1]: tuple(r[n] for n in names) for r in told["previous"]["requirements"]}


def test_without_an_earlier_audit_nothing_is_said_of_one(export: Export) -> None:
    told, _ = export.audit(FIRST)
    assert told["previous"] is None
    assert set(restated(told)) == {("unsigned", "V1"), ("unsigned", "V2"), ("unproved", "E1"), ("practice", "S1")}
    assert set(restated(told).values()) == {None}


def test_what_is_found_again_says_since_when_and_how_often(export: Export) -> None:
    _, first = export.audit(FIRST)
    export.supervision |= {"V3": "no"}
    second_told, second = export.audit(SECOND, previous=first)
    assert restated(second_told) == {
        ("unsigned", "V1"): {"since": FIRST, "times": 2},
        ("unsigned", "V2"): {"since": FIRST, "times": 2},
        ("unsigned", "V3"): None,
        ("unproved", "E1"): {"since": FIRST, "times": 2},
        ("practice", "S1"): {"since": FIRST, "times": 2},
    }
    assert (second_told["previous"]["as_at"], second_told["previous"]["restated"], second_told["previous"]["new"]) == (
        FIRST,
        4,
        1,
    )
    third_told, _ = export.audit(THIRD, previous=second)
    assert restated(third_told)["unsigned", "V1"] == {"since": FIRST, "times": 3}
    assert restated(third_told)["unsigned", "V3"] == {"since": SECOND, "times": 2}


def test_what_is_no_longer_found_says_what_became_of_it(export: Export) -> None:
    export.staff |= {"S3": ["2020-01-01", "", "", "2020-01-01"], "S4": ["2020-02-01", "", "", "2020-02-01"]}
    told, first = export.audit(FIRST)
    assert {("late", "S3"), ("late", "S4")} <= set(restated(told))
    export.supervision = {"V1": "yes", "V2": "no"}  # put right
    export.staff["S2"][1] = "2021-01-31"  # left: V2 is asked about no more
    export.staff["S3"][0] = "2021-04-01"  # its time is running again
    del export.staff["S4"]  # not there any more
    export.references = None  # the rule cannot run
    told, _ = export.audit(SECOND, previous=first, code=0)
    assert became(told) == {
        ("unsigned", "V1"): "put right",
        ("unsigned", "V2"): "no longer applies",
        ("late", "S3"): "pending",
        ("late", "S4"): "not in the export",
        ("unproved", "E1"): "did not run",
    }
    (why,) = [g["why"] for g in told["previous"]["no_longer_found"] if g["why"]]
    assert why == "could not run: the export has no reference records"
    export.staff["S4"] = ["2020-02-01", "", "", "2020-02-01"]
    told, _ = export.audit(SECOND, "--rule", "late", previous=first, code=0)
    assert became(told)["unsigned", "V1"] == "not asked"
    assert ("late", "S4") not in became(told)


def test_a_regulation_is_restated_though_the_findings_are_about_others(export: Export) -> None:
    told, first = export.audit(FIRST)
    assert {f["requirement"] for f in told["findings"]} == {"Fostering Regulations 2011, reg 20", None}
    export.supervision = {"V1": "yes", "V2": "yes", "V3": "no"}
    export.references = {"E1": "yes"}
    export.staff["S1"][2] = ""
    told, second = export.audit(SECOND, previous=first)
    assert restated(told)["unsigned", "V3"] is None
    assert standing(told) == {
        "reg 20": ("restated", FIRST, 2, 3, 1, True),
        "standard 24": ("new", SECOND, 1, 0, 1, True),
    }
    export.references = None
    export.supervision = {"V1": "yes"}
    told, third = export.audit(THIRD, previous=second, code=0)
    assert standing(told) == {
        "reg 20": ("no longer found", FIRST, 2, 1, 0, True),
        "standard 24": ("restated", SECOND, 2, 1, 1, True),
    }
    # Where the rules that had findings did not run, nobody can say that it is met.
    told, _ = export.audit(THIRD, "--rule", "unsigned", previous=third, code=0)
    assert standing(told)["standard 24"] == ("no longer found", SECOND, 2, 1, 0, False)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the sample agency's earlier audit wrote."""
    path = tmp_path_factory.mktemp("earlier") / "first.json"
    asked = ["audit", str(AGENCY), "--as-at", FIRST, "--format", "json", "--out", str(path)]
    assert CliRunner().invoke(main, asked).exit_code == 1
    return path


def test_exit_codes_and_findings_are_the_same_with_and_without(kept: Cli, first: Path) -> None:
    plain = kept("audit", AGENCY, "--as-at", THIRD, "--format", "json")
    held = kept("audit", AGENCY, "--as-at", THIRD, "--format", "json", "--previous", first)
    assert plain.exit_code == held.exit_code == 1
    told = json.loads(held.stdout)
    without = [{**f, "restated": None} for f in told["findings"]]
    assert without == json.loads(plain.stdout)["findings"]
    earlier = {f["fingerprint"] for f in json.loads(first.read_text(encoding="utf-8"))["findings"]}
    assert {f["fingerprint"] for f in told["findings"] if f["restated"]} == {
        f["fingerprint"] for f in told["findings"] if f["fingerprint"] in earlier
    }
    gone = {g["fingerprint"] for g in told["previous"]["no_longer_found"]}
    assert gone == earlier - {f["fingerprint"] for f in told["findings"]}
    rows = list(
        csv.DictReader(
            io.StringIO(kept("audit", AGENCY, "--as-at", THIRD, "--format", "csv", "--previous", first).stdout)
        )
    )
    assert [r["restated_since"] or None for r in rows] == [
        f["restated"] and f["restated"]["since"] for f in told["findings"]
    ]


@pytest.mark.parametrize("width", [80, 120, 160])
def test_the_table_says_it_and_fits(kept: Cli, first: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = kept("audit", AGENCY, "--as-at", THIRD, "--previous", first).stdout.splitlines()
    assert "Held against the audit as at 17 December 2020" in lines
    assert any("restated," in line for line in lines)
    table = [line for line in lines if not line.startswith(("  ", "Audit of")) and not line.endswith(".")]
    assert max(map(len, table)) <= width


GOOD: dict[str, Any] = {
    "as_at": FIRST,
    "rules": [],
    "findings": [
        {
            "rule": "late",
            "subject": {"record": "staff", "key": "S1"},
            "fingerprint": "0123456789abcdef",
            "requirement": None,
            "restated": {"since": "2020-01-01", "times": 2},
        }
    ],
    "previous": None,
}


def _with(**changes: Any) -> str:
    return json.dumps({**GOOD, "findings": [{**GOOD["findings"][0], **changes}]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "nested deeper than 60"),
        ("[]", "it is not the JSON of an audit"),
        ('{"as_at": "2020-12-17"}', "it is not the JSON of an audit"),
        (json.dumps({**GOOD, "as_at": "yesterday"}), "its as_at is not a date"),
        (json.dumps({**GOOD, "findings": 3}), "its findings are no list"),
        (
            json.dumps({**GOOD, "as_at": "2022-01-01"}),
            "an audit as at 2022-01-01, later than this one as at 2021-09-20",
        ),
        (_with(fingerprint="0123"), "its finding 1 is not as an audit writes it"),
        (_with(subject=None), "its finding 1 is not as an audit writes it"),
        (_with(rule=7), "its finding 1 is not as an audit writes it"),
        (_with(restated={"since": "2020-01-01", "times": 0}), "its finding 1 is not as an audit writes it"),
        (_with(restated={"since": 5, "times": 1}), "its restated.since is not a date"),
        (json.dumps({**GOOD, "previous": {"requirements": [3]}}), "what it says of the audit before it"),
    ],
)
def test_a_file_that_is_no_earlier_audit_gets_one_message(export: Export, cli: Cli, text: str, said: str) -> None:
    export.audit(FIRST)
    path = export.folder.parent / "earlier.json"
    path.write_text(text, encoding="utf-8")
    result = cli("audit", export.folder, "--as-at", THIRD, "--rules", export.rules, "--previous", path)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
    path.write_text(json.dumps(GOOD), encoding="utf-8")
    assert cli("audit", export.folder, "--as-at", THIRD, "--rules", export.rules, "--previous", path).exit_code == 1


def test_an_earlier_audit_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    result = cli("audit", AGENCY, "--as-at", THIRD, "--previous", tmp_path / "none.json")
    assert result.exit_code == 2
    assert "there is no such file" in result.stderr or "cannot be read" in result.stderr


# --- a baseline -----------------------------------------------------------------------------------------------------


def test_what_the_baseline_has_fails_no_run_and_what_is_new_does(export: Export) -> None:
    _, baseline = export.audit(FIRST)
    export.audit(FIRST, "--baseline", baseline, "--fail-on", "advice", code=0)
    export.supervision["V3"] = "no"
    told, _ = export.audit(SECOND, "--baseline", baseline, code=1)
    assert {k for k, r in restated(told).items() if r is None} == {("unsigned", "V3")}
    export.audit(SECOND, "--baseline", baseline, "--exit-zero", code=0)


def test_a_new_finding_below_what_fails_a_run_does_not(export: Export) -> None:
    _, baseline = export.audit(FIRST)
    export.staff["S3"] = ["2020-02-01", "", "", "2020-02-01"]
    told, _ = export.audit(SECOND, "--baseline", baseline, code=0)
    assert {k for k, r in restated(told).items() if r is None} == {("late", "S3")}
    export.audit(SECOND, "--baseline", baseline, "--fail-on", "recommendation", code=1)


def test_a_finding_that_is_known_and_accepted_hides_no_new_one(export: Export) -> None:
    _, baseline = export.audit(FIRST)
    waiver = (
        "waivers:\n  - {{id: w, rule: unsigned, subject: {}, outcome: breach, reason: Because., legal_basis: Reg 1,"
        " approved_by: registered manager, from: 2021-01-01, until: 2021-06-30}}\n"
    )
    accepted = export.folder / "waivers.yaml"
    export.supervision["V3"] = "no"
    accepted.write_text(waiver.format("V1"), encoding="utf-8")
    export.audit(SECOND, "--baseline", baseline, code=1)
    accepted.write_text(waiver.format("V3"), encoding="utf-8")
    export.audit(SECOND, "--baseline", baseline, code=0)


def test_a_run_lists_what_is_fixed_since_the_baseline(export: Export, cli: Cli) -> None:
    _, baseline = export.audit(FIRST)
    export.supervision["V1"] = "yes"
    told, _ = export.audit(SECOND, "--baseline", baseline, code=0)
    assert became(told) == {("unsigned", "V1"): "put right"}
    asked = ("audit", export.folder, "--as-at", SECOND, "--rules", export.rules, "--baseline", baseline)
    table, folded = cli(*asked), cli(*asked, "--format", "markdown")
    assert re.search(r"unsigned +put right +1 +V1", table.stdout)
    assert "- unsigned, supervision V1: put right" in folded.stdout
    for said in (table.stdout, folded.stderr):
        assert (
            "Against the baseline as at 17 December 2020: 0 new (0 that can fail a run), 3 known, 1 no longer found."
            in said
        )


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_no_format_changes_what_a_baseline_makes_of_a_run(export: Export, cli: Cli, format_: str) -> None:
    _, baseline = export.audit(FIRST)
    asked = ("--as-at", SECOND, "--rules", export.rules, "--baseline", baseline, "--format", format_)
    assert cli("audit", export.folder, *asked).exit_code == 0
    with (export.folder / "supervision.csv").open("a", encoding="utf-8") as file:
        file.write("V9,S1,2020-06-01,no\n")
    assert cli("audit", export.folder, *asked).exit_code == 1
    shutil.rmtree(export.rules)
    assert cli("audit", export.folder, *asked).exit_code == 2


def test_a_run_is_held_against_one_earlier_audit(export: Export, cli: Cli) -> None:
    _, first = export.audit(FIRST)
    result = cli("audit", export.folder, "--as-at", SECOND, "--previous", first, "--baseline", first)
    assert result.exit_code == 2
    assert "give one of them" in result.stderr
