"""What falls due: told by person and week in four formats, and held against later audits of the same export."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import icalendar
import jsonschema
import pytest
from click.testing import Result
from conftest import ROOT

AGENCY = ROOT / "fixtures" / "agency"
AS_AT = "2021-09-20"
Cli = Callable[..., Result]

RULES = {
    "review": """\
id: review
title: No review in half a year
cites: [FSR-28-12]
record: household
every:
  from: approved_on
  done: (r.held_on for r in reviews)
  within: 6 months
  what: Review
severity: requirement
put_right: {within: 7 days, by: reviewing officer, workstream: panel-and-approval}
remedy: Hold it.
""",
    "visit": """\
id: visit
title: The child was not seen in time
cites: [CPR-28-2-a]
record: placement
when: ended_on is None
deadline:
  start: started_on
  done: min(v.held_on for v in visits)
  within: 10 working_days
  what: First visit
severity: requirement
put_right: {within: 7 days, by: supervising social worker, workstream: visits-and-reviews}
remedy: See the child.
""",
    "appraisal": """\
id: appraisal
title: No appraisal in a year
cites: [NMS-24-6-a]
record: staff
when: left_on is None or left_on > as_at
every:
  from: started_on
  done: (a.held_on for a in appraisals)
  within: 1 year
  until: left_on
  what: Appraisal
severity: recommendation
put_right: {within: 7 days, by: line manager, workstream: support-and-supervision}
remedy: Hold it.
""",
    "later": """\
id: later
title: Not in force yet
cites: [FSR-28-12]
record: household
in_force: {from: 2030-01-01}
every: {from: approved_on, done: (r.held_on for r in reviews), within: 1 month, what: Review}
severity: requirement
put_right: {within: 7 days, by: nobody, workstream: panel-and-approval}
remedy: None.
""",
    "lacking": """\
id: lacking
title: Asks what is not there
cites: [FSR-28-12]
record: complaint
deadline: {start: received_on, done: answered_on, within: 10 days, what: Answer}
severity: requirement
put_right: {within: 7 days, by: nobody, workstream: panel-and-approval}
remedy: None.
""",
    "no-clock": """\
id: no-clock
title: Has no clock
cites: [FSR-28-12]
record: household
require: {it has a day: approved_on is not None}
severity: requirement
put_right: {within: 7 days, by: nobody, workstream: panel-and-approval}
remedy: None.
""",
}
DATA = {
    # S2 leaves before the appraisal would fall due, S3 two days after it does; S4 has left.
    "staff": (
        "staff_id,name,manager_id,started_on,left_on\n"
        "S1,Ann Example,,2020-11-01,\nS2,Bob Example,S1,2020-10-20,2021-10-20\nS3,Cy Example,S1,2020-10-20,2021-10-22\n"
        "S4,Di Example,S1,2015-01-01,2021-01-01\nS5,Ed Example,S4,2020-10-01,\nS6,Flo Example,S1,,\n"
    ),
    "appraisal": "appraisal_id,staff_id,held_on\nA1,S1,2021-06-30\n",
    # H2's worker has left; H3 is overdue; nobody can tell of H4 when it was approved; H5 may have been reviewed; H6 is far off.
    "household": (
        "household_id,worker_id,approved_on\n"
        "H1,S2,2021-04-20\nH2,S4,2021-04-21\nH3,S2,2021-01-01\nH4,S2,\nH5,S2,2021-04-22\nH6,S2,2021-09-19\n=H7,S2,2021-09-20\n"
    ),
    "carer_review": "carer_review_id,household_id,held_on\nR1,H5,\n",
    "child": "child_id,looked_after_on\nC1,2019-01-01\nC2,2019-01-01\n",
    # C1 moved from the household of S2 to one whose worker has left.
    "placement": (
        "placement_id,child_id,household_id,started_on,ended_on\n"
        "P1,C1,H1,2021-01-01,2021-09-16\nP2,C1,H2,2021-09-17,\nP3,C2,H1,2021-09-13,\nP4,C2,H1,2021-09-14,\n"
    ),
    "visit": "visit_id,placement_id,held_on\nV1,P4,2021-09-15\n",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    data = tmp_path / "export"
    data.mkdir()
    for kind, text in DATA.items():
        (data / f"{kind}.csv").write_text(text, encoding="utf-8")
    return data


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules" / "pack"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text("pack: pack\ntitle: Made up\ncases_as_at: 2021-09-20\n", encoding="utf-8")
    for name, text in RULES.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "rules"


def told(cli: Cli, data: Path, *more: object) -> dict[str, Any]:
    result = cli("forecast", data, "--as-at", AS_AT, "--format", "json", *more)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(found, json.loads((ROOT / "schemas" / "forecast.schema.json").read_text(encoding="utf-8")))
    return found


def short(found: dict[str, Any]) -> list[tuple[str, str, str, str | None]]:
    return [(d["due_on"], d["rule"], d["subject"]["key"], d["responsible"]["staff"]) for d in found["due"]]


def test_what_falls_due_stands_under_who_answers_for_it_and_those_known_by_role_alone_last(
    cli: Cli, small: Path, rules: Path
) -> None:
    found = told(cli, small, "--rules", rules, "--days", "40")
    assert short(found) == [
        ("2021-10-20", "appraisal", "S3", "S1"),
        ("2021-09-27", "visit", "P3", "S2"),
        ("2021-10-20", "review", "H1", "S2"),
        ("2021-10-22", "review", "H5", "S2"),
        # S4, who has left, answers for nothing; P2 is with the household where the child was placed last.
        ("2021-10-01", "appraisal", "S5", None),
        ("2021-10-21", "review", "H2", None),
        ("2021-10-01", "visit", "P2", None),
    ]
    assert [d["certain"] for d in found["due"]] == [True, True, True, False, True, True, True]
    roles = [d["responsible"]["role"] for d in found["due"]]
    assert roles[-3:] == ["line manager", "reviewing officer", "supervising social worker"]
    assert {d["limit"] for d in found["due"]} == {"1 year", "10 working days", "6 months"}


def test_every_rule_with_a_clock_says_what_became_of_it(cli: Cli, small: Path, rules: Path) -> None:
    found = {r["id"]: r for r in told(cli, small, "--rules", rules, "--days", "40")["rules"]}
    numbers = ("records", "due", "overdue", "cannot_be_told", "in_order")
    assert {k: tuple(r[n] for n in numbers) for k, r in found.items() if r["status"] == "ran"} == {
        # S2 and S4 leave, or have left, before it falls due.
        "appraisal": (6, 2, 0, 1, 1),
        "review": (7, 3, 1, 1, 2),
        "visit": (4, 2, 0, 0, 0),
    }
    assert found["review"]["days_left"] == {"least": 180, "median": 180}
    assert found["visit"]["days_left"] is None
    assert (found["later"]["status"], found["later"]["why_not"]) == ("not in force", "in force from 1 January 2030")
    assert (found["lacking"]["status"], found["lacking"]["why_not"][:30]) == (
        "could not run",
        "the export has no complaint re",
    )
    assert "no-clock" not in found


def test_the_window_counts_its_last_day_and_no_more(cli: Cli, small: Path, rules: Path) -> None:
    for days, n in ((0, 0), (6, 0), (7, 1), (8, 1), (11, 3)):
        assert len(told(cli, small, "--rules", rules, "--days", days)["due"]) == n, days


def test_the_table_is_made_to_be_read(cli: Cli, small: Path, rules: Path) -> None:
    said = cli("forecast", small, "--as-at", AS_AT, "--rules", rules, "--days", "30").stdout
    assert said == GOLDEN


def test_without_a_member_of_staff_in_the_export_the_roles_are_told(cli: Cli, small: Path, rules: Path) -> None:
    for name in ("staff", "appraisal"):
        (small / f"{name}.csv").unlink()
    found = told(cli, small, "--rules", rules, "--days", "40", "--rule", "review")
    assert [(d["subject"]["key"], d["responsible"]["staff"]) for d in found["due"]] == [
        ("H1", None),
        ("H2", None),
        ("H5", None),
    ]


def test_the_agencys_own_stricter_figure_is_told_beside_the_laws(cli: Cli, small: Path, rules: Path) -> None:
    text = "source: Own policy 7\nlimits: {review: 5 months}\n"
    (small / "parameters.yaml").write_text(text, encoding="utf-8")
    its = told(cli, small, "--rules", rules, "--rule", "review", "--days", "40")["due"]
    assert [(d["subject"]["key"], d["due_on"], d["own_policy"], d["limit"]) for d in its] == [
        ("H1", "2021-09-20", "Own policy 7", "5 months"),
        ("H5", "2021-09-22", "Own policy 7", "5 months"),
        ("H1", "2021-10-20", None, "6 months"),
        ("H5", "2021-10-22", None, "6 months"),
        ("H2", "2021-09-21", "Own policy 7", "5 months"),
        ("H2", "2021-10-21", None, "6 months"),
    ]
    assert len({d["fingerprint"] for d in its}) == 6


def test_a_diary_reads_back_what_was_written(cli: Cli, small: Path, rules: Path) -> None:
    ask = ("forecast", small, "--as-at", AS_AT, "--rules", rules, "--days", "200", "--format", "ics")
    said = cli(*ask).stdout_bytes.decode("utf-8")
    assert said == cli(*ask).stdout_bytes.decode("utf-8")
    assert said.replace("\r\n", "").count("\n") == 0
    assert all(len(line.encode()) <= 75 for line in said.split("\r\n"))
    events: Any = icalendar.Calendar.from_ical(said).walk("VEVENT")
    expected = told(cli, small, "--rules", rules, "--days", "200")["due"]
    assert [(str(e["uid"]), e["dtstart"].dt.isoformat()) for e in events] == [
        (d["fingerprint"], d["due_on"]) for d in expected
    ]
    assert {e["dtstamp"].dt.isoformat() for e in events} == {"2021-09-20T00:00:00+00:00"}
    of = {str(e["uid"]): e for e in events}
    h1 = of[next(d["fingerprint"] for d in expected if d["subject"]["key"] == "H1")]
    assert str(h1["summary"]) == "Review due: household H1"
    assert h1["categories"].to_ical() == b"S2"
    assert "20 April 2021 + 6 months" in str(h1["description"])


def test_no_name_is_in_any_format_and_no_cell_is_a_formula(cli: Cli, small: Path, rules: Path) -> None:
    for format_ in ("table", "json", "csv", "ics"):
        said = cli("forecast", small, "--as-at", AS_AT, "--rules", rules, "--days", "400", "--format", format_).stdout
        assert "Example" not in said and "S2" in said
    said = cli("forecast", small, "--as-at", AS_AT, "--rules", rules, "--days", "400", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(said)))
    assert "'=H7" in {r["subject"] for r in rows}
    assert [r["fingerprint"] for r in rows] == [
        d["fingerprint"] for d in told(cli, small, "--rules", rules, "--days", "400")["due"]
    ]


def test_nothing_due_is_told_in_every_format(cli: Cli, small: Path, rules: Path) -> None:
    for format_ in ("table", "json", "csv", "ics"):
        result = cli("forecast", small, "--as-at", AS_AT, "--rules", rules, "--days", "0", "--format", format_)
        assert result.exit_code == 0
        assert "0 due by 20 September 2021" in (result.stdout if format_ == "table" else result.stderr)


def test_it_is_no_gate_but_says_when_it_could_not_do_all(cli: Cli, small: Path, rules: Path) -> None:
    ask = ("forecast", small, "--as-at", AS_AT, "--rules", rules)
    assert cli(*ask).exit_code == 0
    assert cli(*ask, "--require-complete").exit_code == 3
    assert cli(*ask, "--rule", "reviw").exit_code == 2
    assert cli("forecast", small, "--as-at", "20/09/2021").exit_code == 2
    (small / "staff.csv").write_text("staff_id,started_on\nS1,yesterday\n", encoding="utf-8")
    result = cli(*ask, "--strict")
    assert result.exit_code == 2 and "nothing was forecast" in result.stderr


def test_a_kept_plan_gives_the_same_and_is_not_used_for_another_window(cli: Cli, small: Path, rules: Path) -> None:
    anew = told(cli, small, "--rules", rules, "--days", "40", "--no-cache")
    assert (
        told(cli, small, "--rules", rules, "--days", "40") == told(cli, small, "--rules", rules, "--days", "40") == anew
    )
    assert len(told(cli, small, "--rules", rules, "--days", "7")["due"]) == 1


def test_of_the_sample_agency_a_later_audit_finds_late_what_was_due_the_day_before(cli: Cli) -> None:
    found = told(cli, AGENCY)
    assert found["summary"]["due"] == len(found["due"]) == sum(r["due"] for r in found["rules"])
    day = Counter(d["due_on"] for d in found["due"] if d["certain"]).most_common(1)[0][0]
    expected = {d["fingerprint"] for d in found["due"] if d["due_on"] == day and d["certain"]}
    ids = sorted({r["id"] for r in found["rules"]})
    only = [x for rule in ids for x in ("--rule", rule)]

    def late(as_at: str) -> set[str]:
        said = cli("audit", AGENCY, "--as-at", as_at, "--format", "json", *only).stdout
        return {f["fingerprint"] for f in json.loads(said)["findings"] if f["due_on"] == day and f["late"]}

    assert late(day) == set()
    assert late((date.fromisoformat(day) + timedelta(days=1)).isoformat()) == expected
    assert len(expected) > 10


GOLDEN = """\
Forecast of export as at 20 September 2021: 30 days, to 20 October 2021

The law was last looked at on 29 November 2026.

S1

Week of Monday 18 October 2021
Due         Days  What                       Record    Rule
            left
----------  ----  -------------------------  --------  --------------
2021-10-20    30  Appraisal (standard 24.6)  staff S3  appraisal
                  20 October 2020 + 1 year             recommendation

S2

Week of Monday 27 September 2021
Due         Days  What                                 Record        Rule
            left
----------  ----  -----------------------------------  ------------  -----------
2021-09-27     7  First visit (reg 28(2)(a))           placement P3  visit
                  13 September 2021 + 10 working days                requirement

Week of Monday 18 October 2021
Due         Days  What                      Record        Rule
            left
----------  ----  ------------------------  ------------  -----------
2021-10-20    30  Review (reg 28(12))       household H1  review
                  20 April 2021 + 6 months                requirement

line manager (no person is known)

Week of Monday 27 September 2021
Due         Days  What                       Record    Rule
            left
----------  ----  -------------------------  --------  --------------
2021-10-01    11  Appraisal (standard 24.6)  staff S5  appraisal
                  1 October 2020 + 1 year              recommendation

supervising social worker (no person is known)

Week of Monday 27 September 2021
Due         Days  What                                 Record        Rule
            left
----------  ----  -----------------------------------  ------------  -----------
2021-10-01    11  First visit (reg 28(2)(a))           placement P2  visit
                  17 September 2021 + 10 working days                requirement

Headroom, rule by rule: how many are in order until after the window, and how many days these have left
Rule       Title                           Due  Over-  Cannot   In     Least  Median
                                                due    be told  order  days   days
---------  ------------------------------  ---  -----  -------  -----  -----  ------
review     No review in half a year          1      1        1      4     31      32
visit      The child was not seen in time    2      -        -      -      -       -
appraisal  No appraisal in a year            2      -        1      1    283     283

Rules that did not run, or found nothing to look at
What became of it  Rule     Title                   Why
-----------------  -------  ----------------------  -----------------------------------
could not run      lacking  Asks what is not there  the export has no complaint records
not in force       later    Not in force yet        in force from 1 January 2030

5 due by 20 October 2021; 5 more in order, due later.
Already overdue: 1, see compliance audit.
Cannot be told: 2, for something is missing or cannot be read; see compliance audit.
3 of 5 rules with a clock ran, 1 could not run, 1 not in force.
The law was last looked at on 29 November 2026.
"""
