"""An agency's own rules, run beside the shipped ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Cli = Callable[..., Result]
AS_AT = ("--as-at", "2021-09-20")
PACK = "pack: our-policies\ntitle: Our policies\ncases_as_at: 2021-09-20\n"
RULE = """\
id: supervision-note-unsigned
title: A supervision note is not signed
cites: [{cites}]
record: supervision
require:
  the note is signed: signed
severity: advice
put_right: {{within: 28 days, by: team manager, workstream: staff}}
remedy: Have the note signed.
cases:
  - name: signed
    supervision: {{signed: true}}
    outcome: compliant
  - name: not signed
    supervision: {{signed: false}}
    outcome: breach
  - name: nobody knows
    supervision: {{}}
    outcome: not_evidenced
"""
DUTY = {
    "id": "OUR-1",
    "ref": "our policy 4",
    "title": "Supervision notes are signed",
    "summary": "Each note of a supervision is signed.",
    "layer": "local policy",
    "modality": "must",
    "checkable": "machine",
    "in_force": {"from": "2015-01-01", "to": None},
    "confidence": "high",
    "duty_on": "team manager",
    "binds": "all",
    "subject": "supervision",
    "source": "our policy 4",
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "our-rules"
    (folder / "our-policies").mkdir(parents=True)
    (folder / "our-policies" / "pack.yaml").write_text(PACK, encoding="utf-8")
    (folder / "instruments").mkdir()
    instrument = {"short_name": "Our policies", "title": "Policies of an invented agency", "citation": "none"}
    catalogue = json.dumps({"instrument": instrument, "duties": [DUTY]})
    (folder / "instruments" / "our-policies.json").write_text(catalogue, encoding="utf-8")
    write(folder, RULE.format(cites="OUR-1"))
    return folder


def write(folder: Path, text: str, name: str = "supervision-note-unsigned") -> None:
    (folder / "our-policies" / f"{name}.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "staff.csv").write_text("staff_id\nS1\n", encoding="utf-8")
    (folder / "supervision.csv").write_text(
        "supervision_id,staff_id,held_on,signed\nV1,S1,2021-09-01,yes\nV2,S1,2021-09-02,no\n", encoding="utf-8"
    )
    return folder


def test_they_run_beside_the_shipped_ones_and_cite_duties_of_their_own(cli: Cli, own: Path, export: Path) -> None:
    result = cli("audit", export, *AS_AT, "--add-rules", own, "--format", "json", "--no-cache")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert {"supervision-note-unsigned", "supervision-unsigned"} <= {r["id"] for r in report["rules"]}
    [finding] = [f for f in report["findings"] if f["rule"] == "supervision-note-unsigned"]
    assert (finding["subject"]["key"], finding["outcome"]) == ("V2", "breach")
    assert "OUR-1" in json.dumps(finding)


def test_without_the_option_nothing_of_them_is_known(cli: Cli, own: Path, export: Path) -> None:
    result = cli("audit", export, *AS_AT, "--rule", "supervision-note-unsigned")
    assert (result.exit_code, "no rule 'supervision-note-unsigned'" in result.output) == (2, True)


def test_a_changed_rule_is_not_answered_from_what_was_kept(cli: Cli, own: Path, export: Path) -> None:
    asked = ("audit", export, *AS_AT, "--add-rules", own, "--rule", "supervision-note-unsigned")
    assert "1 finding" in cli(*asked).stdout
    write(own, RULE.format(cites="OUR-1").replace("note is signed: signed", "note is signed: signed or not signed"))
    assert "0 findings" in cli(*asked).stdout


def test_their_cases_are_tried_and_their_rule_explained(cli: Cli, own: Path) -> None:
    tried = cli("rules", "test", "supervision-note-unsigned", "--add-rules", own)
    assert (tried.exit_code, "3 of 3 cases passed" in tried.output) == (0, True)
    told = cli("rules", "explain", "supervision-note-unsigned", "--add-rules", own)
    assert (told.exit_code, "A supervision note is not signed" in told.output) == (0, True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda own: own.joinpath("our-policies").rename(own / "care-planning"), "there is another pack"),
        (
            lambda own: write(
                own, RULE.format(cites="OUR-1").replace("note-unsigned", "unsigned"), "supervision-unsigned"
            ),
            "there is another rule",
        ),
        (lambda own: write(own, RULE.format(cites="OUR-2")), "OUR-2"),
        (lambda own: own.joinpath("our-policies", "pack.yaml").unlink(), "holds no rule pack"),
        (
            lambda own: (own / "instruments" / "our-policies.json").write_text(
                json.dumps({"instrument": {}, "duties": [{**DUTY, "layer": "local_policy"}]}), encoding="utf-8"
            ),
            "duties.0.layer: 'local_policy' is not one of",
        ),
    ],
    ids=["pack", "rule", "duty", "no pack", "catalogue"],
)
def test_what_is_wrong_with_them_is_told_before_anything_runs(
    cli: Cli, own: Path, export: Path, change: Callable[[Path], None], told: str
) -> None:
    change(own)
    pack = own / "care-planning" / "pack.yaml"
    if pack.is_file():
        pack.write_text(PACK.replace("pack: our-policies", "pack: care-planning"), encoding="utf-8")
    result = cli("audit", export, *AS_AT, "--add-rules", own)
    assert (result.exit_code, told in result.output) == (2, True), result.output


def test_a_pack_with_a_taken_name_does_not_hide_that_under_what_it_would_have_broken(
    cli: Cli, own: Path, export: Path
) -> None:
    own.joinpath("our-policies").rename(own / "care-planning")
    own.joinpath("care-planning", "pack.yaml").write_text(
        PACK.replace("pack: our-policies", "pack: care-planning"), encoding="utf-8"
    )
    result = cli("audit", export, *AS_AT, "--add-rules", own)
    assert (result.exit_code, "1 problem in 1 of" in result.output) == (2, True), result.output
