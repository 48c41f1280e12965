"""The shapes of law, each through the front door: a small pack, a few records, and what the audit says of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Cli = Callable[..., Result]

PACK = """
pack: shapes
title: Shapes
cases_as_at: 2021-09-20
parameters:
  told_within: {title: By when, value: 2 days, basis: good practice, source: Practice}
  standard_told_within: {title: By when, value: 3 days, basis: standard, source: The standard}
lists:
  matters: [terms, support, complaints]
tables:
  told_of:
    death of a child: {2011-04-01: [Ofsted, area authority], 2021-06-01: [Ofsted, police]}
    infectious disease: [Ofsted]
periods:
  lockdown: {from: 2020-04-24, to: 2020-09-24}
facts:
  household:
    approval_over_on:
      title: Day on which the approval ended
      is: first_of(approval_ended_on, resignation_received_on + days(28))
"""
HEAD = """
id: {id}
title: A rule
cites: [{cites}]
record: {record}
severity: {severity}
put_right: {{within: 28 days, by: registered manager, workstream: notifications}}
remedy: Do it.
"""
AS_AT = "2021-09-20"


@pytest.fixture
def audited(cli: Cli, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Audits records given as CSV texts by rules given as the parts that differ."""

    def run(
        rules: dict[str, tuple[str, str]],
        files: dict[str, str],
        parameters: str = "",
        cites: str = "FSR-36-1",
        severity: str = "requirement",
        code: int = 0,
    ) -> dict[str, Any]:
        folder, data = tmp_path / "rules" / "shapes", tmp_path / "data"
        folder.mkdir(parents=True, exist_ok=True)
        data.mkdir(exist_ok=True)
        (folder / "pack.yaml").write_text(PACK, encoding="utf-8")
        for id_, (record, body) in rules.items():
            head = HEAD.format(id=id_, record=record, cites=cites, severity=severity)
            (folder / f"{id_}.yaml").write_text(head + body, encoding="utf-8")
        for name, text in files.items():
            (data / f"{name}.csv").write_text(text, encoding="utf-8")
        if parameters:
            (data / "parameters.yaml").write_text(parameters, encoding="utf-8")
        result = cli(
            "audit",
            data,
            "--as-at",
            AS_AT,
            "--rules",
            tmp_path / "rules",
            "--format",
            "json",
            "--exit-zero",
            "--no-cache",
        )
        assert result.exit_code == code, result.stderr
        report: dict[str, Any] = json.loads(result.stdout)
        return report

    return run


def found(report: dict[str, Any]) -> list[tuple[str, str | None, str, str]]:
    return [(f["subject"]["key"], f["subject"]["part"], f["layer"], f["outcome"]) for f in report["findings"]]


EVENTS = (
    "notifiable_event_id,kind,happened_on\nE1,death of a child,2021-03-01\nE2,death of a child,2021-07-01\n"
    "E3,infectious disease,2021-09-20\n"
)
TOLD = """
judged_on: happened_on
each:
  body: told_of['death of a child']
when: kind == 'death of a child'
deadline:
  start: happened_on
  done: min(n.made_on for n in notifications if n.body == body)
  within: told_within
  what: Notice to {body}
"""


def test_an_event_told_to_several_bodies_has_one_outcome_each_by_the_table_of_its_day(
    audited: Callable[..., dict[str, Any]],
) -> None:
    notices = "notification_id,notifiable_event_id,body,made_on\nN1,E1,Ofsted,2021-03-02\nN2,E2,Ofsted,2021-07-09\n"
    report = audited({"not-told": ("notifiable_event", TOLD)}, {"notifiable_event": EVENTS, "notification": notices})
    assert found(report) == [
        ("E1", "area authority", "statute", "breach"),
        ("E2", "police", "statute", "breach"),
        # Told late, and so after those who still are to be told.
        ("E2", "Ofsted", "statute", "breach"),
    ]
    assert len({f["fingerprint"] for f in report["findings"]}) == 3
    assert report["findings"][2]["argument"].startswith("Notice to Ofsted due 3 July 2021")
    assert [f["standing"] for f in report["findings"]] == ["open", "open", "late"]
    assert [r["outcomes"]["compliant"] for r in report["rules"]] == [1]
    assert report["rules"][0]["checked"] == 4


def test_a_case_of_a_rule_with_parts_must_name_one(
    cli: Cli, audited: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    case = "cases: [{name: none told, notifiable_event: {kind: death of a child, happened_on: 2021-03-01}, part: %s, outcome: breach}]\n"
    files = {"notifiable_event": EVENTS, "notification": "notification_id,notifiable_event_id,body,made_on\n"}
    audited({"not-told": ("notifiable_event", TOLD + case % "Ofsted")}, files)
    assert "1 of 1 cases passed" in cli("rules", "test", "--rules", tmp_path / "rules").stdout
    audited({"not-told": ("notifiable_event", TOLD + case % "Ofstd")}, files)
    wrong = cli("rules", "test", "--rules", tmp_path / "rules")
    assert wrong.exit_code == 2 and "did you mean 'Ofsted'?" in wrong.stderr


VISITED = """
when: started_on <= as_at
every:
  from: started_on
  done: (v.held_on for v in visits)
  within:
    - {if: first, within: 1 week}
    - {if: since >= started_on + years(1), within: 3 months}
    - {within: {2011-04-01: 6 weeks, 2020-04-24: suspended, 2020-09-25: 6 weeks}}
  until: ended_on
  what: Visit
"""


@pytest.mark.parametrize(
    ("started", "ended", "visits", "outcome", "said"),
    [
        ("2021-01-01", "2021-01-08", ["2021-01-08"], None, ""),
        ("2021-01-01", "2021-01-09", ["2021-01-09"], "breach", "where it was due 8 January 2021"),
        ("2021-01-01", "2021-02-19", ["2021-01-08", "2021-02-19"], None, ""),
        ("2021-01-01", "2021-02-20", ["2021-01-08", "2021-02-20"], "breach", "where it was due 19 February 2021"),
        ("2020-01-01", "2021-04-02", ["2020-01-08", *(f"2020-{m:02}-{d}" for m, d in [(2, 19), (4, 1)])], "breach", ""),
        # What fell due while the limit was suspended fell due when it was back.
        ("2020-04-01", "2020-09-25", ["2020-04-08"], None, ""),
        ("2020-04-01", "2020-09-26", ["2020-04-08"], "breach", ", suspended until 25 September 2020; "),
        # After the first year, three months.
        ("2019-01-07", "2019-01-20", ["2019-01-14"], None, ""),
    ],
)
def test_a_limit_depends_on_the_gap(
    audited: Callable[..., dict[str, Any]], started: str, ended: str, visits: list[str], outcome: str | None, said: str
) -> None:
    placements = f"placement_id,child_id,started_on,ended_on\nP1,C1,{started},{ended}\n"
    rows = "".join(f"V{i},P1,{day}\n" for i, day in enumerate(visits))
    files = {"placement": placements, "visit": f"visit_id,placement_id,held_on\n{rows}"}
    report = audited({"visit-missing": ("placement", VISITED)}, files, cites="CPR-28-2-b")
    assert [f["outcome"] for f in report["findings"]] == ([outcome] if outcome else [])
    assert all(said in f["argument"] for f in report["findings"])


ANSWERED = """
deadline: {start: received_on, done: answered_on, within: 20 working_days, what: Answer}
"""
COMPLAINTS = "complaint_id,received_on,answered_on\nC1,2021-06-01,2021-06-11\nC2,2021-06-01,2021-06-21\nC3,2021-06-01,2021-07-30\n"


def test_the_agencys_own_limit_neither_hides_the_law_nor_excuses(audited: Callable[..., dict[str, Any]]) -> None:
    own = "source: Complaints policy, version 3\nlimits: {answer-late: 10 working_days}\n"
    report = audited({"answer-late": ("complaint", ANSWERED)}, {"complaint": COMPLAINTS}, own, cites="FSR-18-4")
    assert found(report) == [
        ("C3", None, "statute", "breach"),
        ("C2", None, "local policy", "breach"),
        ("C3", None, "local policy", "breach"),
    ]
    lawful, as_well = report["findings"][1:]
    assert lawful["argument"].startswith("Lawful, but breaks your own policy: Answer due 15 June 2021")
    assert "own policy; Complaints policy, version 3" in lawful["argument"]
    assert as_well["argument"].startswith("Breaks your own policy as well: ")
    assert lawful["severity"] == "advice" and report["findings"][0]["severity"] == "requirement"
    assert len({f["fingerprint"] for f in report["findings"]}) == 3
    laxer = "source: Complaints policy\nlimits: {answer-late: 60 working_days}\n"
    report = audited({"answer-late": ("complaint", ANSWERED)}, {"complaint": COMPLAINTS}, laxer, cites="FSR-18-4")
    assert ("C3", None, "statute", "breach") in found(report)


@pytest.mark.parametrize(
    ("figure", "layers"),
    [("told_within: 1 day", ["statute"]), ("standard_told_within: 1 day", ["local policy"])],
)
def test_a_figure_of_practice_is_replaced_and_one_of_a_standard_is_not(
    audited: Callable[..., dict[str, Any]], figure: str, layers: list[str]
) -> None:
    name = figure.partition(":")[0]
    rule = f"deadline: {{start: received_on, done: acknowledged_on, within: {name}, what: Acknowledgement}}\n"
    complaints = "complaint_id,received_on,acknowledged_on\nC1,2021-06-01,2021-06-03\n"
    own = f"source: Policy\nparameters: {{{figure}}}\n"
    report = audited({"slow": ("complaint", rule)}, {"complaint": complaints}, own, cites="FSR-18-4")
    assert [f["layer"] for f in report["findings"]] == layers


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("parameters: {told_within: 0 days}", "write 'same day' if that is meant"),
        ("parameters: {standard_told_within: off}", "cannot be switched off"),
        ("limits: {answer-lte: 1 week}", "did you mean 'answer-late'?"),
        ("limits: {no-limit: 1 week}", "has no limit of time that could be stricter"),
    ],
)
def test_an_own_figure_that_cannot_be_is_refused(
    cli: Cli, audited: Callable[..., dict[str, Any]], tmp_path: Path, own: str, said: str
) -> None:
    rules = {
        "answer-late": ("complaint", ANSWERED),
        "no-limit": ("complaint", "require: {it holds: received_on <= as_at}\n"),
    }
    audited(rules, {"complaint": COMPLAINTS}, cites="FSR-18-4")
    (tmp_path / "data" / "parameters.yaml").write_text(f"source: Policy\n{own}\n", encoding="utf-8")
    result = cli("audit", tmp_path / "data", "--as-at", AS_AT, "--rules", tmp_path / "rules")
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_duty_of_agencies_is_not_asked_of_a_councils_service(audited: Callable[..., dict[str, Any]]) -> None:
    files = {"notifiable_event": EVENTS, "notification": "notification_id,notifiable_event_id,body,made_on\n"}
    agency = "agency_id,name,kind\nA1,Nowhere (invented),{}\n"
    rules = {"not-told": ("notifiable_event", TOLD)}
    council = audited(rules, files | {"agency": agency.format("local authority service")}, code=2)
    assert [(r["status"], r["why_not"]) for r in council["rules"]] == [
        (
            "not in force",
            "binds independent fostering agency and voluntary fostering agency, and this is the export of: local authority service",
        )
    ]
    assert audited(rules, files | {"agency": agency.format("independent fostering agency")})["findings"]


def test_required_contents_say_what_is_lacking(audited: Callable[..., dict[str, Any]]) -> None:
    rule = "require:\n  the agreement covers every matter: has_all(covers, matters)\n"
    agreements = (
        "agreement_id,household_id,signed_on,covers\nA1,H1,2021-01-01,terms; support\n"
        "A2,H1,2021-01-02,terms; support; complaints\nA3,H1,2021-01-03,\n"
    )
    report = audited({"incomplete": ("agreement", rule)}, {"agreement": agreements}, cites="FSR-27-5-b")
    assert found(report) == [("A1", None, "statute", "breach"), ("A3", None, "statute", "not_evidenced")]
    assert "lacking from the matters covered: complaints" in report["findings"][0]["argument"]
    assert report["findings"][1]["missing"] == ["covers"]


def test_an_automatic_effect_is_a_fact_that_every_rule_may_use(audited: Callable[..., dict[str, Any]]) -> None:
    holds = "household.approval_over_on is None or household.approval_over_on > as_at"
    rule = f"when: ended_on is None\nrequire:\n  the approval is in force: {holds}\n"
    homes = (
        "household_id,approved_on,approval_ended_on,resignation_received_on\n"
        "H1,2015-01-01,,2021-08-23\nH2,2015-01-01,,2021-08-24\nH3,2015-01-01,,\n"
    )
    placements = "placement_id,child_id,household_id,started_on,ended_on\n" + "".join(
        f"P{i},C{i},H{i},2020-01-01,\n" for i in (1, 2, 3)
    )
    report = audited({"lapsed": ("placement", rule)}, {"household": homes, "placement": placements}, cites="FSR-27-5-b")
    assert found(report) == [("P1", None, "statute", "breach")]


def test_a_duty_that_is_vouched_for_is_not_evidenced_rather_than_breached(
    audited: Callable[..., dict[str, Any]],
) -> None:
    rule = (
        "unmet: not_evidenced\nrequire:\n  somebody vouches for it: any(a.valid_until >= as_at for a in attestations)\n"
    )
    files = {
        "agency": "agency_id,name\nA1,Nowhere (invented)\n",
        "attestation": "attestation_id,agency_id,valid_until\n",
    }
    assert found(audited({"unvouched": ("agency", rule)}, files)) == [("A1", None, "statute", "not_evidenced")]
