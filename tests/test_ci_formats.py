"""The formats of CI: valid by the schemas that CI servers go by, proof against what a cell may hold, and saying what the report says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from conftest import ROOT
from report_fixture import (
    FILES,
    FINDINGS,
    HOSTILE,
    KEPT,
    LATE,
    ODD,
    RULES,
    against_a_baseline,
    report,
    written,
)

from compliance.findings.report import Report
from compliance.model import RuleResult
from compliance.report import FORMATS, github, junit, markdown, sarif
from compliance.report.words import evidence_text

DATA = ROOT / "tests" / "data"
REPORTS = {"": report(), "-baseline": against_a_baseline()}


def many(n: int) -> Report:
    """So many findings of one rule."""
    its = tuple(FINDINGS[0]._replace(key=f"H{i:05}", row=i + 2) for i in range(n))
    return report(its, (RuleResult(LATE, "ran", "", breach=n),))


@cache
def sarif_schema() -> jsonschema.protocols.Validator:
    return jsonschema.Draft4Validator(json.loads((DATA / "sarif-2.1.0-rtm.5.schema.json").read_text(encoding="utf-8")))


def results(of: Report) -> list[dict[str, Any]]:
    its: list[dict[str, Any]] = json.loads(written("sarif", of))["runs"][0]["results"]
    return its


@pytest.mark.parametrize("which", sorted(REPORTS))
@pytest.mark.parametrize("format_", sorted(FILES))
def test_each_format_writes_what_was_read_and_kept(format_: str, which: str) -> None:
    kept = (KEPT / f"{format_}{which}.{FILES[format_]}").read_text(encoding="utf-8")
    assert written(format_, REPORTS[which]) == kept, (
        "look at it, then: PYTHONPATH=.:tests python tests/report_fixture.py"
    )


@pytest.mark.parametrize("format_", sorted(FILES))
def test_a_report_without_findings_or_rules_is_whole_too(format_: str) -> None:
    text = written(format_, report((), ()))
    if FILES[format_] == "json":
        json.loads(text)
    elif FILES[format_] == "xml":
        ElementTree.fromstring(text)
    elif format_ == "github":
        assert text == ""
    else:
        assert "**No findings.**" in text


@pytest.mark.parametrize("format_", ["sarif", "gitlab"])
def test_findings_pass_through_and_are_never_held(format_: str) -> None:
    read = 0

    def findings() -> Any:
        nonlocal read
        for f in many(1000).findings():
            read += 1
            yield f

    pieces = FORMATS[format_](replace(many(1000), findings=findings), 100)
    for piece in pieces:
        if "H00005" in piece:
            break
    assert read < 10


# --- SARIF ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [*REPORTS.values(), report((), ()), many(30)])
def test_sarif_is_valid(of: Report) -> None:
    sarif_schema().validate(json.loads(written("sarif", of)))


def test_the_sarif_schema_that_we_go_by_refuses_what_is_none() -> None:
    wrong = json.loads(written("sarif", report()))
    wrong["runs"][0]["results"][0]["level"] = "fatal"
    assert not sarif_schema().is_valid(wrong)


def test_sarif_declares_every_rule_once_so_that_what_is_mended_is_closed() -> None:
    its = json.loads(written("sarif", report()))["runs"][0]
    declared = [r["id"] for r in its["tool"]["driver"]["rules"]]
    assert len(declared) == len(set(declared)) == len(RULES)
    for result in its["results"]:
        assert declared[result["ruleIndex"]] == result["ruleId"]


def test_sarif_tells_a_breach_by_its_severity_and_what_is_not_evidenced_as_open() -> None:
    assert [(r["kind"], r["level"]) for r in results(report())] == [
        ("fail", "error"),
        ("open", "none"),
        ("fail", "error"),
        ("fail", "warning"),
        ("fail", "note"),
        ("fail", "note"),
    ]


def test_sarif_places_a_finding_below_the_repository_or_nowhere() -> None:
    place = results(report())[0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "data/agency/House%20holds.csv"}, "region": {"startLine": 7}}
    outside = replace(report(), folder=None)
    assert all("locations" not in r for r in results(outside)), (
        "code scanning refuses a file for one place without a path"
    )
    sarif_schema().validate(json.loads(written("sarif", outside)))


def test_sarif_marks_a_finding_by_what_it_is_about_and_not_by_where_it_stands() -> None:
    moved = report(tuple(f._replace(row=f.row + 5, argument="Otherwise.") for f in FINDINGS))
    marks = [[r["partialFingerprints"] for r in results(x)] for x in (report(), moved)]
    assert marks[0] == marks[1]
    assert len({json.dumps(m) for m in marks[0]}) == len(FINDINGS)
    assert all("fingerprints" not in r for r in results(report()))


def test_sarif_says_of_all_whether_they_are_accepted_and_new() -> None:
    its = results(against_a_baseline())
    assert [[s["status"] for s in r["suppressions"]] for r in its] == [[], [], [], [], [], ["accepted"]]
    assert [r["baselineState"] for r in its] == ["new", "unchanged", "new", "new", "unchanged", "new"]
    assert all("baselineState" not in r for r in results(report()))
    gone = json.loads(written("sarif", against_a_baseline()))["runs"][0]["properties"]["noLongerFound"]
    assert [(g["fingerprint"], g["became"]) for g in gone] == [("0123456789abcdef", "put right")]


def test_sarif_leaves_out_what_code_scanning_would_refuse_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST", 20)
    run = json.loads(written("sarif", many(23)))["runs"][0]
    assert len(run["results"]) == 20
    said = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert said[0].startswith("3 findings, told last, are left out")


def test_sarif_says_which_rules_failed_or_could_not_run() -> None:
    told = json.loads(written("sarif", report()))["runs"][0]["invocations"][0]
    assert told["executionSuccessful"] is False
    assert told["toolExecutionNotifications"][0]["associatedRule"] == {"id": "broken"}
    assert [n["associatedRule"] for n in told["toolConfigurationNotifications"]] == [{"id": "absent"}]


# --- JUnit ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [*REPORTS.values(), report((), ()), many(30)])
def test_junit_is_valid(of: Report) -> None:
    import xmlschema

    xmlschema.XMLSchema(str(DATA / "junit-10.xsd")).validate(ElementTree.fromstring(written("junit", of)))


def cases(of: Report) -> dict[str, list[str]]:
    return {
        c.get("name", ""): [e.tag for e in c] for c in ElementTree.fromstring(written("junit", of)).iter("testcase")
    }


def test_junit_has_a_case_for_each_rule_and_none_that_did_not_run_passes() -> None:
    assert cases(report()) == {
        "review-late": ["failure"],
        "review-late (own policy)": ["failure"],
        "broken": ["error"],
        "odd": ["failure"],
        "absent": ["skipped"],
        "idle": ["skipped"],
        "small": ["failure", "system-out"],
        "kept": [],
    }


def test_junit_fails_no_rule_whose_findings_are_all_accepted_or_known() -> None:
    found = cases(against_a_baseline())
    assert found["small"] == ["skipped"]
    assert found["review-late"] == ["failure", "system-out"]


@pytest.mark.parametrize("of", REPORTS.values())
def test_junit_counts_what_it_holds(of: Report) -> None:
    whole = ElementTree.fromstring(written("junit", of))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("tests", "testcase")):
        assert int(whole.get(name, "")) == len(list(whole.iter(tag))) == sum(int(s.get(name, "")) for s in whole)
    assert sum(int(s.get("skipped", "")) for s in whole) == len(list(whole.iter("skipped")))


def test_junit_tells_every_finding_in_the_body_up_to_a_number_that_it_names() -> None:
    body = "".join(ElementTree.fromstring(written("junit", many(junit.MOST + 5))).itertext())
    assert body.count(" breach: ") == junit.MOST
    assert "and 5 more" in body


# --- GitHub ---------------------------------------------------------------------------------------------------------

COMMAND = re.compile(r"::(error|warning|notice) ([^:\r\n]*)::([^\r\n]*)")


def test_github_annotations_hold_whatever_a_cell_holds_on_one_line() -> None:
    for line in written("github", report()).splitlines():
        found = COMMAND.fullmatch(line)
        assert found, line
        for pair in found[2].split(","):
            assert re.fullmatch(r"(file|line|endLine|title)=[^,:]*", pair), pair
        assert not re.search(r"%(?!25|0A|0D|3A|2C)", line)


@pytest.mark.parametrize("format_", ["markdown", "html", "xlsx"])
def test_a_text_that_looks_like_a_day_and_is_none_is_told_as_it_is(format_: str) -> None:
    odd = FINDINGS[0]._replace(evidence={"role": "2021-99-14"})
    assert written(format_, report((odd,)))
    assert evidence_text(odd) == "role: 2021-99-14"


def test_github_properties_escape_what_ends_them() -> None:
    odd = FINDINGS[3]._replace(rule=replace(ODD, id="a,b:c%d\re\nf"))
    assert "title=a%2Cb%3Ac%25d%0Ae%0Af (recommendation)::" in written("github", report((odd,)))


def test_github_shows_the_most_serious_and_says_how_many_more() -> None:
    lines = written("github", many(25)).splitlines()
    assert len(lines) == github.SHOWN
    assert "household H00008:" in lines[-2]
    assert lines[-1].endswith("::and 16 more; the report in another format has them all")
    assert len(written("github", many(9)).splitlines()) == 9


def test_github_says_nothing_of_what_is_accepted_or_known() -> None:
    assert "H6" not in written("github", report())
    told = written("github", against_a_baseline())
    assert "H1" in told
    assert not re.search("H2|H5|H6", told)


# --- GitLab ---------------------------------------------------------------------------------------------------------


def test_gitlab_has_what_its_reader_needs_each_finding_once() -> None:
    its = json.loads(written("gitlab", against_a_baseline()))
    assert len({e["fingerprint"] for e in its}) == len(its) == len(FINDINGS), (
        "it compares with the target branch itself"
    )
    for entry in its:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert isinstance(entry["location"]["lines"]["begin"], int)
        assert "\n" not in entry["description"]
    assert [e["severity"] for e in its] == ["critical", "major", "critical", "major", "minor", "info"]


# --- Markdown -------------------------------------------------------------------------------------------------------


def test_markdown_takes_nothing_of_a_cell_for_markup() -> None:
    shown = markdown.plain(HOSTILE)
    assert "\n" not in shown
    for active in ("@all", "#1", "http://"):
        assert active not in shown
    assert not re.search(r"(?<!\\)[`\[\]|<>&]", shown.replace("<!-- -->", ""))
    assert "<script" not in markdown.in_html(HOSTILE)
    assert "@all" not in markdown.in_html(HOSTILE)


def test_markdown_opens_and_closes_and_lists_what_is_no_longer_found() -> None:
    text = written("markdown", against_a_baseline())
    assert text.count("<details>") == text.count("</details>") > 3
    assert "- review-late, household H9: put right" in text
    assert "H2" not in text
    assert "3 further findings are accepted or in the baseline" in text


def test_markdown_is_never_longer_than_a_comment_may_be() -> None:
    rules = tuple(replace(LATE, id=f"rule-{i:03}", title="Long " * 100) for i in range(300))
    its = tuple(FINDINGS[0]._replace(rule=r, argument="words " * 200) for r in rules)
    text = written("markdown", report(its, tuple(RuleResult(r, "ran", "", breach=1) for r in rules)))
    assert 30_000 < len(text.encode()) <= markdown.LONGEST
    assert text.endswith("the report in another format has it all.*\n")
    assert text.count("<details>") == text.count("</details>")
