"""Accepted risks: in force on which days, lapsing when the facts change, muting the exit code and nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.files import documents
from compliance.findings import waiverfile
from compliance.findings.waivers import Waiver

AGENCY = ROOT / "fixtures" / "agency"
Cli = Callable[..., Result]
DAY = "2021-09-20"

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
    "stale": """\
cites: [SAFER-IND-3]
record: staff
require:
  there is a job description: job_description_on is not None
  it is of the last two years: started_on + years(2) >= as_at
severity: advice
""",
    "untold": """\
cites: [NMS-24-4]
record: staff
each: {duty_of: names}
require: {"{duty_of} is told": role == duty_of}
severity: recommendation
""",
}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules" / "pack"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text(
        "pack: pack\ntitle: Made up\ncases_as_at: 2021-09-20\nlists: {names: [first, second]}\n", encoding="utf-8"
    )
    for id_, text in RULES.items():
        rest = "put_right: {within: 7 days, by: nobody, workstream: none}\nremedy: None.\n"
        (folder / f"{id_}.yaml").write_text(f"id: {id_}\ntitle: Made up\n{text}{rest}", encoding="utf-8")
    return tmp_path / "rules"


class Export:
    """A small export that changes from audit to audit."""

    def __init__(self, folder: Path, cli: Cli, rules: Path) -> None:
        self.folder, self.cli, self.rules = folder, cli, rules
        folder.mkdir()
        self.staff = {"S1": ["2020-02-01", "", "2020-06-01", "2020-02-01", "first"]}
        self.supervision = {"V1": "no", "V2": ""}
        self.references: dict[str, str] | None = {"E1": "yes"}

    def write(self) -> None:
        header = "staff_id,started_on,left_on,induction_completed_on,job_description_on,role\n"
        lines = [",".join([key, *cells]) for key, cells in self.staff.items()]
        (self.folder / "staff.csv").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
        lines = [f"{key},S1,2020-06-01,{signed}" for key, signed in self.supervision.items()]
        header = "supervision_id,staff_id,held_on,signed\n"
        (self.folder / "supervision.csv").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "reference.csv").unlink(missing_ok=True)
        if self.references is not None:
            lines = [f"{key},S1,2020-01-01,{written}" for key, written in self.references.items()]
            header = "reference_id,staff_id,received_on,written\n"
            (self.folder / "reference.csv").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")

    def run(self, as_at: str | date, *more: object) -> Result:
        self.write()
        return self.cli("audit", self.folder, "--as-at", as_at, "--rules", self.rules, *more)

    def audit(self, as_at: str | date, *more: object) -> tuple[dict[str, Any], int]:
        """The JSON, which must fit its schema, and the exit code."""
        result = self.run(as_at, "--format", "json", *more)
        assert result.exit_code in (0, 1), result.stderr
        told = json.loads(result.stdout)
        jsonschema.validate(told, json.loads((ROOT / "schemas" / "findings.schema.json").read_text(encoding="utf-8")))
        return told, result.exit_code

    def waive(self, *named: str, as_at: str = DAY, **options: str) -> Result:
        """Accepts a finding of an audit as at that day, beside the data."""
        told, _ = self.audit(as_at, "--exit-zero")
        findings = self.folder.parent / "findings.json"
        findings.write_text(json.dumps(told), encoding="utf-8")
        given = {"reason": "r", "legal_basis": "b", "approved_by": "board", "until": "2021-12-31"} | options
        asked = [x for k, v in given.items() for x in (f"--{k.replace('_', '-')}", v)]
        return self.cli("waive", findings, *named, *asked, "--to", self.folder / "waivers.yaml")

    def accept(self, text: str) -> None:
        """What stands in the file: one waiver a line, as YAML without its common parts."""
        common = "outcome: breach, reason: r, legal_basis: b, approved_by: board"
        lines = [f"- {{id: w{n}, {line}, {common}}}" for n, line in enumerate(text.strip().splitlines())]
        (self.folder / "waivers.yaml").write_text("waivers:\n" + "\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def export(tmp_path: Path, cli: Cli, rules: Path) -> Export:
    return Export(tmp_path / "data", cli, rules)


def states(told: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(w["state"], w["why"]) for w in told["waivers"]]


def marked(told: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(f["rule"], f["subject"]["key"]): f["waiver"]["id"] for f in told["findings"] if f["waiver"]}


def without_waivers(told: dict[str, Any]) -> dict[str, Any]:
    findings = [{**f, "waiver": None} for f in told["findings"]]
    return {**told, "findings": findings, "waivers": [], "summary": {**told["summary"], "accepted": None}}


BOTH = "rule: unsigned, subject: V1, from: 2021-09-01, until: 2021-11-30"
"""A waiver of the one breach of law; that V2 is not signed is not evidenced, and never a part of these."""


# --- days -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_at", "state", "code"),
    [
        ("2021-08-31", "not begun", 1),
        ("2021-09-01", "in force", 0),
        ("2021-11-01", "in force", 0),
        ("2021-11-02", "expiring", 0),
        ("2021-11-30", "expiring", 0),
        ("2021-12-01", "expired", 1),
    ],
)
def test_a_waiver_counts_from_its_first_day_to_its_last_inclusive(
    export: Export, as_at: str, state: str, code: int
) -> None:
    export.supervision = {"V1": "no"}
    export.accept(BOTH)
    told, exit_code = export.audit(as_at)
    (waiver,) = told["waivers"]
    assert (waiver["state"], waiver["found"], exit_code) == (state, True, code)
    assert marked(told) == ({("unsigned", "V1"): "w0"} if code == 0 else {})
    assert told["summary"]["findings"]["requirement"] == 1
    assert told["summary"]["accepted"] == {"requirement": int(code == 0), "recommendation": 0, "advice": 0}
    assert told["summary"]["outcomes"]["breach"] - told["summary"]["findings"]["advice"] >= 1


def test_a_risk_accepted_again_is_another_waiver_for_other_days(export: Export) -> None:
    export.supervision = {"V1": "no"}
    export.accept(
        "rule: unsigned, subject: V1, from: 2021-09-01, until: 2021-09-20\n"
        "rule: unsigned, subject: V1, from: 2021-09-21, until: 2021-10-20"
    )
    assert states(export.audit("2021-09-20")[0]) == [
        ("expiring", "ends within 28 days"),
        ("not begun", "begins on 21 September 2021"),
    ]
    told, code = export.audit("2021-09-21")
    assert states(told)[0] == ("expired", "the finding is still there")
    assert (marked(told), code) == ({("unsigned", "V1"): "w1"}, 0)


# --- what fails a run -----------------------------------------------------------------------------------------------


def test_only_what_is_accepted_is_left_out_of_what_fails_a_run(export: Export) -> None:
    export.accept(BOTH)
    told, code = export.audit(DAY)
    assert (marked(told), code) == ({("unsigned", "V1"): "w0"}, 1)
    export.supervision = {"V1": "no", "V2": "yes"}
    assert export.audit(DAY)[1] == 0
    # Its recommendations are not accepted.
    assert export.audit(DAY, "--fail-on", "recommendation")[1] == 1
    assert export.audit(DAY, "--fail-on", "never")[1] == 0


def test_what_could_not_run_is_never_muted(export: Export) -> None:
    export.supervision = {"V1": "no"}
    export.references = None
    export.accept(BOTH)
    assert export.audit(DAY)[1] == 0
    assert export.run(DAY, "--require-complete").exit_code == 3


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_waivers_never_change_which_findings_there_are(export: Export, data: st.DataObject) -> None:
    path = export.folder / "waivers.yaml"
    path.unlink(missing_ok=True)
    plain, _ = export.audit(DAY)
    chosen = data.draw(st.lists(st.sampled_from(plain["findings"]), unique_by=lambda f: f["fingerprint"]))
    lines = []
    for n, f in enumerate(chosen):
        s, by_print = f["subject"], data.draw(st.booleans())
        part = f", part: {s['part']}" if s["part"] else ""
        named = (
            f"finding: {json.dumps(f['fingerprint'])}" if by_print else f"rule: {f['rule']}, subject: {s['key']}{part}"
        )
        first = date.fromisoformat(DAY) + timedelta(days=data.draw(st.integers(-2, 1)))
        lines.append(
            f"- {{id: w{n}, {named}, outcome: {f['outcome']}, reason: r, legal_basis: b, approved_by: board,"
            f" from: {first}, until: {first + timedelta(days=data.draw(st.integers(0, 2)))}}}"
        )
    path.write_text("waivers:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    by = data.draw(st.sampled_from([(), ("--by", "subject"), ("--by", "workstream")]))
    told, code = export.audit(DAY, *by)
    path.unlink()
    plain, _ = export.audit(DAY, *by)
    assert without_waivers(told) == without_waivers(plain)
    muted = {w["fingerprint"] for w in told["waivers"] if w["from"] <= DAY <= w["until"]}
    assert {f["fingerprint"] for f in told["findings"] if f["waiver"]} == muted
    assert len(muted) == sum(told["summary"]["accepted"].values())
    assert code == any(f["severity"] == "requirement" and not f["waiver"] for f in told["findings"])


# --- what it rested on ----------------------------------------------------------------------------------------------


def test_a_waiver_lapses_when_a_fact_that_it_rests_on_changes(export: Export) -> None:
    export.staff["S1"][2] = "2020-10-01"
    assert export.waive("late", "S1").exit_code == 0
    assert states(export.audit(DAY)[0]) == [("in force", None)]
    export.staff["S1"][2] = "2020-11-01"
    told, code = export.audit(DAY, "--fail-on", "recommendation", "--rule", "late")
    why = "the facts changed: induction_completed_on was 1 October 2020, is 1 November 2020"
    assert (states(told), marked(told), code) == ([("lapsed", why)], {}, 1)
    assert told["waivers"][0]["changed"] == [
        {"name": "induction_completed_on", "was": "2020-10-01", "now": "2020-11-01"}
    ]
    # What it did not rest on may change.
    export.staff["S1"][2], export.staff["S1"][3] = "2020-10-01", "2020-03-01"
    assert states(export.audit(DAY)[0]) == [("in force", None)]


@pytest.mark.parametrize(
    ("subject", "then", "now", "why"),
    [
        ("V2", "", "no", "what was not evidenced is now a breach"),
        ("V1", "no", "", "what was a breach is now not evidenced"),
    ],
)
def test_a_breach_and_what_is_not_evidenced_are_different_facts(
    export: Export, subject: str, then: str, now: str, why: str
) -> None:
    export.supervision[subject] = then
    assert export.waive("unsigned", subject).exit_code == 0
    assert states(export.audit(DAY)[0]) == [("in force", None)]
    export.supervision[subject] = now
    (state,) = states(export.audit(DAY)[0])
    assert state[0] == "lapsed" and (state[1] or "").startswith(why)


def test_it_lapses_without_rests_on_when_the_outcome_is_another(export: Export) -> None:
    export.accept("rule: unsigned, subject: V2, from: 2021-09-01, until: 2021-11-30")
    told, code = export.audit(DAY)
    assert (states(told), code) == ([("lapsed", "what was a breach is now not evidenced")], 1)


def test_a_condition_that_was_met_and_is_not_any_more_was_not_accepted(export: Export) -> None:
    export.staff["S1"][3] = ""
    assert export.waive("stale", "S1", until="2022-03-31").exit_code == 0
    assert states(export.audit("2022-02-01")[0]) == [("in force", None)]
    told, _ = export.audit("2022-02-02")
    assert states(told) == [("lapsed", "not accepted: it is of the last two years")]
    assert told["waivers"][0]["further"] == ["it is of the last two years"]


def test_numbers_and_truth_values_compare_however_they_are_written(export: Export) -> None:
    export.supervision = {"V1": "no"}
    path = export.folder / "waivers.yaml"
    for written in ("false", "'false'"):
        export.accept(f"{BOTH}, rests_on: {{signed: {written}}}")
        assert states(export.audit(DAY)[0]) == [("in force", None)], path.read_text(encoding="utf-8")
    export.accept(f"{BOTH}, rests_on: {{signed: true}}")
    assert states(export.audit(DAY)[0]) == [("lapsed", "the facts changed: signed was yes, is no")]
    export.accept(f"{BOTH}, rests_on: {{signed_on: 2020-01-01}}")
    assert states(export.audit(DAY)[0]) == [
        ("lapsed", "the facts changed: signed_on was 1 January 2020, is not recorded")
    ]


# --- findings that are not there ------------------------------------------------------------------------------------


def test_a_waiver_whose_finding_is_gone_says_what_became_of_it(export: Export) -> None:
    export.staff["S1"][2] = "2020-10-01"
    export.staff["S2"] = ["2020-02-01", "", "", "", ""]
    days = "from: 2021-09-01, until: 2021-11-30"
    export.accept(
        "\n".join(
            f"rule: {r}, subject: {s}, {days}"
            for r, s in (("late", "S1"), ("late", "S2"), ("unsigned", "V1"), ("unsigned", "V9"))
        )
    )
    assert [s for s, _ in states(export.audit(DAY)[0])] == ["in force", "in force", "in force", "no longer needed"]
    export.staff["S1"][2] = "2020-03-01"
    export.staff["S2"][0] = "2021-09-01"
    export.staff["S1"][1] = "2021-01-01"
    told, _ = export.audit(DAY)
    assert states(told) == [
        ("no longer needed", "put right"),
        ("no longer needed", "pending"),
        ("no longer needed", "no longer applies"),
        ("no longer needed", "not in the export"),
    ]
    assert not any(w["found"] for w in told["waivers"])


def test_of_a_rule_that_did_not_run_nobody_can_tell(export: Export) -> None:
    export.references = None
    days = "from: 2021-09-01, until: 2021-11-30"
    export.accept(
        f"rule: unproved, subject: E1, {days}\nrule: unsigned, subject: V1, {days}\nfinding: 00112233445566ff, {days}"
    )
    assert states(export.audit(DAY)[0]) == [
        ("cannot be told", "could not run: the export has no reference records"),
        ("in force", None),
        ("cannot be told", "no finding has this fingerprint, and 1 rule did not run"),
    ]
    told, _ = export.audit(DAY, "--rule", "late")
    assert states(told)[1:] == [
        ("cannot be told", "its rule was not asked"),
        ("cannot be told", "no finding has this fingerprint, and 4 rules did not run"),
    ]
    export.references = {"E1": "yes"}
    assert states(export.audit(DAY)[0]) == [
        ("no longer needed", "put right"),
        ("in force", None),
        ("no longer needed", "no finding has this fingerprint"),
    ]


def test_a_rule_asked_of_parts_is_accepted_part_by_part(export: Export) -> None:
    days = "from: 2021-09-01, until: 2021-11-30"
    export.accept(f"rule: untold, subject: S1, part: second, {days}\nrule: untold, subject: S1, part: third, {days}")
    told, _ = export.audit(DAY)
    assert states(told) == [("in force", None), ("cannot be told", "its rule was not asked of 'third'")]
    assert [
        (f["subject"]["part"], f["waiver"] and f["waiver"]["id"]) for f in told["findings"] if f["rule"] == "untold"
    ] == [("second", "w0")]


def test_a_breach_of_the_agency_s_own_figure_is_accepted_by_itself(export: Export) -> None:
    figures = export.folder / "parameters.yaml"
    figures.write_text("source: policy 4\nlimits: {late: 2 months}\n", encoding="utf-8")
    (own,) = [f for f in export.audit(DAY)[0]["findings"] if f["rule"] == "late"]
    assert own["layer"] == "local policy"
    export.accept("rule: late, subject: S1, from: 2021-09-01, until: 2021-11-30")
    assert states(export.audit(DAY)[0]) == [("no longer needed", "put right")]
    (export.folder / "waivers.yaml").unlink()
    assert export.waive(own["fingerprint"]).exit_code == 0
    told, _ = export.audit(DAY)
    assert (states(told), marked(told)) == ([("in force", None)], {("late", "S1"): f"late-{own['fingerprint'][:8]}"})
    assert told["waivers"][0]["own_policy"]


# --- mistakes in the file -------------------------------------------------------------------------------------------

DAYS = "from: 2021-09-01, until: 2021-11-30"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"rule: unsignd, subject: V1, {DAYS}", "there is no rule 'unsignd'; did you mean 'unsigned'?"),
        (f"rule: unsigned, {DAYS}", "does not say of which finding it is"),
        (f"subject: V1, {DAYS}", "does not say of which finding it is"),
        (DAYS, "does not say of which finding it is"),
        (f"finding: 00112233445566ff, part: x, {DAYS}", "has a part or own_policy of no rule"),
        (f"finding: 00112233445566gg, {DAYS}", "finding"),
        (f"finding: 00112233445566ff, rule: unsigned, subject: V1, {DAYS}", "is not the finding of rule 'unsigned' about 'V1'"),
        (f"rule: untold, subject: S1, {DAYS}", "is asked once for each of 'first', 'second'"),
        ("rule: unsigned, subject: V1, from: 2021-09-02, until: 2021-09-01", "it ends on 2021-09-01, before it begins"),
        ("rule: unsigned, subject: V1, from: 2021-09-01, until: 2022-09-02", "at most 12 months, until 2022-09-01"),
        ("rule: unsigned, subject: V1, from: 2021-09-31, until: 2021-10-01", "'2021-09-31' is not a date"),
        (f"rule: unsigned, subject: V1, {DAYS}\nrule: unsigned, subject: V1, {DAYS}", "accept the same finding on the same days"),
        (f"rule: unsigned, subject: V1, untill: 2021-10-01, {DAYS}", "untill"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_gets_one_message_with_its_place(export: Export, text: str, said: str) -> None:
    export.accept(text)
    result = export.run(DAY)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert f"waivers.yaml:{1 + len(text.splitlines())}:" in result.stderr


def test_the_same_finding_by_fingerprint_and_by_name_is_the_same(export: Export) -> None:
    print_ = next(f["fingerprint"] for f in export.audit(DAY)[0]["findings"] if f["subject"]["key"] == "V1")
    export.accept(f"{BOTH}\nfinding: '{print_}', {DAYS}")
    assert "accept the same finding on the same days" in export.run(DAY).stderr


def test_law_is_departed_from_on_a_legal_basis_only(export: Export) -> None:
    export.accept(f"{BOTH}\nrule: stale, subject: S1, {DAYS}")
    path = export.folder / "waivers.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("legal_basis: b, ", ""), encoding="utf-8")
    result = export.run(DAY)
    assert result.exit_code == 2
    assert "'unsigned' checks a requirement of law, and no legal_basis is given" in result.stderr
    assert "stale" not in result.stderr
    print_ = next(
        f["fingerprint"]
        for f in export.audit(DAY, "--waivers", _empty(export))[0]["findings"]
        if f["subject"]["key"] == "V1"
    )
    other = export.folder.parent / "other.yaml"
    other.write_text(
        path.read_text(encoding="utf-8").replace("rule: unsigned, subject: V1", f"finding: '{print_}'"),
        encoding="utf-8",
    )
    assert "requirement of law" in export.run(DAY, "--waivers", other).stderr


def _empty(export: Export) -> Path:
    path = export.folder.parent / "none.yaml"
    path.write_text("waivers: []\n", encoding="utf-8")
    return path


def test_all_mistakes_are_told_at_once(export: Export) -> None:
    export.accept(f"rule: unsigned, {DAYS}\nrule: unsigned, subject: V1, from: 2021-09-02, until: 2021-09-01")
    path = export.folder / "waivers.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("w1", "w0"), encoding="utf-8")
    said = export.run(DAY).stderr
    for part in ("of which finding", "before it begins", "there is another waiver 'w0'"):
        assert part in said


def test_a_file_that_is_not_there_is_a_mistake_only_if_it_was_named(export: Export) -> None:
    assert export.audit(DAY)[0]["waivers"] == []
    assert export.run(DAY, "--waivers", "none.yaml").exit_code == 2


# --- other reports --------------------------------------------------------------------------------------------------


def test_csv_says_who_accepted_what_until_when(export: Export) -> None:
    export.accept(BOTH)
    told, _ = export.audit(DAY)
    rows = list(csv.DictReader(io.StringIO(export.run(DAY, "--format", "csv").stdout)))
    assert [r["fingerprint"] for r in rows] == [f["fingerprint"] for f in told["findings"]]
    columns = ("waiver", "waiver_until", "waiver_reason", "waiver_approved_by")
    accepted = {r["subject"]: tuple(r[c] for c in columns) for r in rows if r["rule"] == "unsigned"}
    assert accepted == {"V1": ("w0", "2021-11-30", "r", "board"), "V2": ("", "", "", "")}


@pytest.mark.parametrize("width", [80, 120, 160])
def test_the_table_says_it_and_fits(export: Export, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    export.accept(f"{BOTH}\nrule: unsigned, subject: V2, {DAYS}")
    text = export.run(DAY).stdout
    said = " ".join(text.split())
    assert "a breach of law still a breach" in said
    section = text[text.index("Accepted risks") : text.index("Findings, first things first")].splitlines()
    assert {"lapsed", "in force"} <= {line.split("  ")[0] for line in section}
    assert max(map(len, section)) <= width
    assert "of which 1 accepted." in said
    assert "Waivers: 1 lapsed, 1 in force." in said
    assert "lawful" not in said


def test_a_trend_counts_all_findings_and_takes_no_waivers(export: Export) -> None:
    export.accept(BOTH)
    export.supervision = {"V1": "no"}
    every = ("--every", "month", "--from", "2021-08-01")
    assert export.run(DAY, *every, "--sample", "0").exit_code == 1
    assert export.run(DAY, *every, "--sample", "0", "--waivers", export.folder / "waivers.yaml").exit_code == 2


def test_an_earlier_audit_may_have_had_waivers(export: Export) -> None:
    export.accept(BOTH)
    told, _ = export.audit("2021-09-19")
    earlier = export.folder.parent / "earlier.json"
    earlier.write_text(json.dumps(told), encoding="utf-8")
    print_ = next(f["fingerprint"] for f in told["findings"] if f["waiver"])
    export.accept(f"finding: '{print_}', {DAYS}")
    told, _ = export.audit(DAY, "--previous", earlier)
    (finding,) = [f for f in told["findings"] if f["waiver"]]
    assert finding["restated"] == {"since": "2021-09-19", "times": 2}


def test_the_records_of_a_kpi_are_listed_without_waivers(cli: Cli, tmp_path: Path) -> None:
    data = tmp_path / "agency"
    data.mkdir()
    for path in AGENCY.iterdir():
        (data / path.name).write_bytes(path.read_bytes())
    plain = cli("kpi", data, "--as-at", DAY, "--cases", "FOS-2")
    (data / "waivers.yaml").write_text("waivers: 3\n", encoding="utf-8")
    assert cli("kpi", data, "--as-at", DAY, "--cases", "FOS-2").stdout == plain.stdout


def test_every_finding_of_the_sample_agency_can_be_accepted(cli: Cli, kept: Cli, tmp_path: Path) -> None:
    plain = json.loads(kept("audit", AGENCY, "--as-at", DAY, "--format", "json").stdout)
    findings, path = tmp_path / "findings.json", tmp_path / "waivers.yaml"
    findings.write_text(json.dumps(plain), encoding="utf-8")
    terms = waiverfile.Terms("A reason", "A basis", "registered manager", date(2022, 9, 20))
    for f in plain["findings"][::5]:
        waiverfile.accept(findings, [f["fingerprint"]], terms, path)
    schema = json.loads((ROOT / "schemas" / "waivers.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(documents.load_yaml(path), schema)
    told = json.loads(cli("audit", AGENCY, "--as-at", DAY, "--format", "json", "--waivers", path).stdout)
    assert without_waivers(told) == without_waivers(plain)
    assert {f["fingerprint"] for f in told["findings"] if f["waiver"]} == {
        f["fingerprint"] for f in plain["findings"][::5]
    }
    assert {w["state"] for w in told["waivers"]} == {"in force"}


# --- compliance waive -----------------------------------------------------------------------------------------------


def test_waive_adds_to_the_file_and_rewrites_nothing(export: Export) -> None:
    path = export.folder / "waivers.yaml"
    before = f"# Ours\r\nwaivers:\r\n- {{id: mine, {BOTH}, outcome: breach, reason: r, legal_basis: b, approved_by: board}} # kept"
    path.write_bytes(before.encode())
    path.chmod(0o640)
    assert export.waive("unsigned", "V2", reason='A "quoted": reason # with é').exit_code == 0
    after = path.read_bytes().decode()
    assert after.startswith(before + "\r\n\r\n- id: unsigned-")
    assert "\n" not in after.replace("\r\n", "")
    assert path.stat().st_mode & 0o777 == 0o640
    assert states(export.audit(DAY)[0]) == [("in force", None)] * 2
    assert waiverfile.read(path)[1].reason == 'A "quoted": reason # with é'


def test_a_new_file_can_be_read_by_its_owner_alone(export: Export) -> None:
    assert export.waive("unsigned", "V1").exit_code == 0
    assert (export.folder / "waivers.yaml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("named", "options", "said"),
    [
        (("unsigned", "V9"), {}, "has no finding 'unsigned V9'; did you mean 'unsigned V"),
        (("0" * 16,), {}, f"has no finding '{'0' * 16}'"),
        (("unsigned", "V1"), {"until": "2022-09-21"}, "at most 12 months, until 2022-09-20"),
        (("unsigned", "V1"), {"until": "2021-09-19"}, "it ends on 2021-09-19, before it begins on 2021-09-20"),
        (("unsigned", "V1"), {"from": "2021-09-19"}, "before the audit as at 2021-09-20 that found it"),
        (("unsigned", "V1"), {"legal_basis": " "}, "checks a requirement of law"),
        (("unsigned", "V1"), {"reason": ""}, "reason"),
        (("unsigned", "V1"), {"id": "No Slug"}, "id"),
    ],
)
def test_what_cannot_be_accepted_is_refused_and_nothing_written(
    export: Export, named: tuple[str, ...], options: dict[str, str], said: str
) -> None:
    result = export.waive(*named, **options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (export.folder / "waivers.yaml").exists()


def test_the_longest_time_is_twelve_months_to_the_day(export: Export) -> None:
    assert export.waive("unsigned", "V1", until="2022-09-20").exit_code == 0
    assert export.audit("2022-09-20")[0]["waivers"][0]["state"] == "expiring"


def test_no_legal_basis_is_needed_where_there_is_no_law(export: Export) -> None:
    assert export.waive("stale", "S1", legal_basis="", as_at="2022-02-02", until="2022-03-31").exit_code == 0


def test_a_finding_is_accepted_once_for_the_same_days(export: Export) -> None:
    assert export.waive("unsigned", "V1", until="2021-10-31").exit_code == 0
    text = (export.folder / "waivers.yaml").read_bytes()
    again = export.waive("unsigned", "V1", until="2022-01-31", **{"from": "2021-10-31"})
    assert again.exit_code == 2
    assert "is accepted from 2021-09-20 until 2021-10-31 already" in again.stderr
    assert (export.folder / "waivers.yaml").read_bytes() == text
    assert export.waive("unsigned", "V1", until="2022-01-31", **{"from": "2021-11-01"}).exit_code == 0
    one, two = waiverfile.read(export.folder / "waivers.yaml")
    assert two.id == f"{one.id}-2"


@pytest.mark.parametrize("text", ["waivers: []\n", "waivers: [{WAIVER}]\n", "waivers:\n- {WAIVER}\n...\n"])
def test_a_file_that_cannot_be_added_to_stays_as_it_is(export: Export, text: str) -> None:
    its = f"{{id: mine, {BOTH}, outcome: breach, reason: r, legal_basis: b, approved_by: board}}"
    path = export.folder / "waivers.yaml"
    path.write_text(text.replace("{WAIVER}", its), encoding="utf-8")
    before = path.read_bytes()
    result = export.waive("unsigned", "V2")
    assert result.exit_code == 2
    assert "cannot be added to" in result.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"as_at": "2021-09-20", "findings": [{}]}', "x", '{"as_at": 3, "findings": []}']
)
def test_a_file_that_is_no_audit_gets_one_message(cli: Cli, tmp_path: Path, text: str) -> None:
    path = tmp_path / "findings.json"
    path.write_text(text, encoding="utf-8")
    asked = ("--reason", "r", "--approved-by", "board", "--until", "2021-10-01", "--to", tmp_path / "w.yaml")
    result = cli("waive", path, "0" * 16, *asked)
    assert result.exit_code == 2
    assert "JSON" in result.stderr


TEXT = st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(VALUES, TEXT)
def test_what_is_written_as_yaml_is_read_as_it_was(value: object, key: str) -> None:
    text = f"{documents.yaml_text(key)}: {documents.yaml_value(value)}\n"
    assert documents.load_yaml(Path("written.yaml"), text) == {key: value}


@given(
    st.dates(date(2019, 1, 1), date(2024, 12, 31)),
    st.integers(0, 30),
    st.dates(date(2019, 1, 1), date(2024, 12, 31)),
    st.integers(0, 30),
)
def test_two_waivers_run_together_if_there_is_a_day_of_both(a: date, m: int, b: date, n: int) -> None:
    one = Waiver("a", "", "r", "s", "", False, "breach", "r", "", "b", a, a + timedelta(days=m))
    two = replace(one, from_on=b, until=b + timedelta(days=n))
    days = [{w.from_on + timedelta(days=i) for i in range((w.until - w.from_on).days + 1)} for w in (one, two)]
    assert one.runs_with(two) == two.runs_with(one) == bool(days[0] & days[1])
