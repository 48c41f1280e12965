"""How a finding stands, what it is called and what puts it right, whether a child may be in danger, and which clause failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import Result

Cli = Callable[..., Result]
Found = list[dict[str, Any]]

HEAD = """
id: it-is-wrong
cites: [FSR-S1-3, FSR-20-3-info]
record: staff
severity: requirement
put_right: {within: 28 days, by: registered manager, workstream: safer-recruitment}
"""
REFERENCES = """
title: Fewer than two references held before the first day
require:
  two references had come before the first day:
    that: count(r for r in references if r.received_on <= started_on) >= 2
    done_since: count(r for r in references) >= 2
    cites: [FSR-20-3-info]
  there is a job description: job_description_on is not None
remedy: {open: Get the references., late: Record why they came late.}
"""


@pytest.fixture
def audited(cli: Cli, tmp_path: Path) -> Callable[..., Found]:
    """The findings of one rule about some records."""

    def run(rule: str, **files: str) -> Found:
        pack, data = tmp_path / "rules" / "extra", tmp_path / "data"
        pack.mkdir(parents=True, exist_ok=True)
        data.mkdir(exist_ok=True)
        (pack / "pack.yaml").write_text("pack: extra\ntitle: Extra\ncases_as_at: 2021-09-20\n", encoding="utf-8")
        (pack / "it-is-wrong.yaml").write_text(HEAD + rule, encoding="utf-8")
        for kind, text in files.items():
            (data / f"{kind}.csv").write_text(dedent(text).lstrip(), encoding="utf-8")
        result = cli(
            "audit", data, "--as-at", "2021-09-20", "--rules", tmp_path / "rules", "--format", "json", "--exit-zero"
        )
        assert result.exit_code == 0, result.stderr
        found: Found = json.loads(result.stdout)["findings"]
        return found

    return run


def lint(cli: Cli, folder: Path, rule: str, facts: str = "") -> str:
    """What lint says of a rule, of its standing and words alone."""
    pack = folder / "rules" / "extra"
    pack.mkdir(parents=True, exist_ok=True)
    (pack / "pack.yaml").write_text(f"pack: extra\ntitle: Extra\ncases_as_at: 2021-09-20\n{facts}", encoding="utf-8")
    (pack / "it-is-wrong.yaml").write_text(HEAD + rule, encoding="utf-8")
    told = cli("rules", "lint", "--rules", folder / "rules")
    lines = told.stdout.splitlines()
    assert lines, told.stderr
    return "\n".join(line.split(": ", 1)[-1] for line in lines[:-1] if "no case is" not in line)


def test_what_was_done_since_is_late_and_what_is_left_to_do_is_open(audited: Callable[..., Found]) -> None:
    found = audited(
        REFERENCES,
        staff="""
            staff_id,started_on,job_description_on
            S1,2021-03-01,2021-03-01
            S2,2021-03-01,2021-03-01
            S3,2021-03-01,
            """,
        reference="""
            reference_id,staff_id,received_on
            R1,S1,2021-02-01
            R2,S1,2021-03-02
            R3,S2,2021-02-01
            R4,S3,2021-02-01
            R5,S3,2021-03-02
            """,
    )
    assert [(f["subject"]["key"], f["standing"], f["remedy"]) for f in found] == [
        ("S2", "open", "Get the references."),
        ("S3", "open", "Get the references."),
        ("S1", "late", "Record why they came late."),
    ]
    assert {f["title"] for f in found} == {"Fewer than two references held before the first day"}
    assert found[2]["argument"].endswith("Reg 20(3) closing words. It has been done since.")


def test_the_clause_that_failed_is_quoted_and_comes_first(audited: Callable[..., Found]) -> None:
    staff = """
        staff_id,started_on,job_description_on
        S1,2021-03-01,2021-03-01
        S2,2021-03-01,
        S3,2021-03-01,
        """
    reference = """
        reference_id,staff_id,received_on
        R1,S2,2021-02-01
        R2,S2,2021-02-01
        """
    own, general, both = audited(REFERENCES, staff=staff, reference=reference)
    assert (own["cites"], general["cites"]) == (["FSR-20-3-info", "FSR-S1-3"], ["FSR-S1-3", "FSR-20-3-info"])
    assert own["argument"].endswith("Reg 20(3) closing words.")
    assert general["argument"].endswith("Sch 1 para 3.")
    assert both["argument"].endswith("Reg 20(3) closing words and Sch 1 para 3.")


def test_the_limit_that_was_passed_is_quoted(audited: Callable[..., Found]) -> None:
    rule = """
title: Seen late
deadline:
  start: started_on
  done: job_description_on
  within:
    - {if: regulated_activity, within: 1 week, cites: [FSR-20-3-info]}
    - {within: 2 weeks}
  what: Job description
remedy: Write one.
"""
    staff = """
        staff_id,started_on,job_description_on,regulated_activity
        S1,2021-03-01,2021-03-09,yes
        S2,2021-03-01,2021-03-16,no
        S3,2021-03-01,,no
        """
    still_open, by_own, by_general = audited(rule, staff=staff)
    assert (still_open["subject"]["key"], still_open["standing"], still_open["remedy"]) == ("S3", "open", "Write one.")
    late = "Job description: done, but late. Record why and what came of it, and change what let it happen."
    assert (by_own["standing"], by_own["remedy"]) == (by_general["standing"], by_general["remedy"]) == ("late", late)
    assert [f["cites"][0] for f in (still_open, by_own, by_general)] == ["FSR-S1-3", "FSR-20-3-info", "FSR-S1-3"]
    assert "reg 20(3) closing words)" in by_own["argument"]


def test_a_deadline_that_nobody_can_keep_any_more_is_past(audited: Callable[..., Found]) -> None:
    rule = """
title: Seen late
deadline: {start: started_on, done: job_description_on, within: 1 week, what: Job description}
past: left_on is not None
remedy: Write one.
"""
    staff = "staff_id,started_on,job_description_on,left_on\nS1,2021-03-01,,2021-09-01\nS2,2021-03-01,,\n"
    assert [(f["subject"]["key"], f["standing"]) for f in audited(rule, staff=staff)] == [
        ("S2", "open"),
        ("S1", "past"),
    ]


GAPS = """
title: Supervised too rarely
every:
  from: started_on
  done: (s.held_on for s in supervisions)
  within:
    - {if: first, within: 1 week, cites: [FSR-20-3-info]}
    - {within: 1 month}
  until: left_on
  what: Supervision
remedy: Hold it.
"""


def test_of_a_recurring_duty_the_last_gap_is_open_until_it_ends(audited: Callable[..., Found]) -> None:
    found = audited(
        GAPS,
        staff="""
            staff_id,started_on,left_on
            S1,2021-08-01,
            S2,2021-08-01,
            S3,2021-05-01,2021-08-01
            """,
        supervision="""
            supervision_id,staff_id,held_on
            V1,S1,2021-08-02
            V2,S2,2021-08-30
            V3,S3,2021-05-02
            """,
    )
    assert [(f["subject"]["key"], f["standing"], f["cites"][0]) for f in found] == [
        ("S1", "open", "FSR-S1-3"),
        ("S2", "past", "FSR-20-3-info"),
        ("S3", "past", "FSR-S1-3"),
    ]
    assert found[1]["remedy"].startswith("Supervision: the gap lies in the past and cannot be filled.")


BARRED = """
title:
  open: A barred person works with children
  not_evidenced: Nobody looked
require:
  the person is not barred: not latest(c for c in checks if c.kind == 'dbs').barred
danger: {open: A barred person works with children., if: regulated_activity}
remedy: {open: Take the person out., not_evidenced: Look today.}
"""


def test_danger_is_told_first_unless_the_record_shows_that_there_is_none(audited: Callable[..., Found]) -> None:
    checks = "check_id,staff_id,kind,completed_on,barred\n" + "".join(
        f"K{n},S{n},dbs,2021-02-01,yes\n" for n in (1, 2, 3)
    )
    staff = "staff_id,started_on,regulated_activity\nS1,2021-03-01,no\nS2,2021-03-01,yes\nS3,2021-03-01,\nS4,2021-03-01,yes\n"
    found = audited(BARRED, staff=staff, check=checks)
    reason = "A barred person works with children."
    assert [(f["subject"]["key"], f["danger"], f["title"], f["remedy"]) for f in found] == [
        ("S2", reason, "A barred person works with children", "Take the person out."),
        ("S3", reason, "A barred person works with children", "Take the person out."),
        ("S1", None, "A barred person works with children", "Take the person out."),
        ("S4", None, "Nobody looked", "Look today."),
    ]


def test_a_rule_runs_without_the_fields_that_tell_only_how_it_stands(audited: Callable[..., Found]) -> None:
    checks = "check_id,staff_id,kind,completed_on,barred\nK1,S1,dbs,2021-02-01,yes\n"
    [found] = audited(BARRED, staff="staff_id,started_on\nS1,2021-03-01\n", check=checks)
    assert found["danger"] == "A barred person works with children."


def test_lint_asks_for_what_counts_as_done_since_where_something_had_to_come_before(cli: Cli, tmp_path: Path) -> None:
    rule = """
title: T
require:
  it came before: {that}
remedy: Do it.
"""
    asked = "'it came before' had to come before a day of a record, and nothing says what counts as done since; write"
    for that in (
        "job_description_on <= started_on",
        "job_description_on is None or job_description_on < started_on + days(3)",
        "any(c.completed_on <= started_on for c in checks)",
        "any(c.kind == 'dbs' for c in checks if c.completed_on <= started_on)",
        "count(c for c in checks if c.completed_on <= started_on) >= 1",
        "min(c.completed_on for c in checks) <= started_on",
    ):
        assert lint(cli, tmp_path, rule.format(that=json.dumps(that))).startswith(asked), that
    for that in (
        "job_description_on <= as_at",
        "job_description_on >= started_on",
        "job_description_on <= '2021-01-01'",
        "all(c.kind == 'dbs' for c in checks if c.completed_on <= started_on)",
        "not any(c.completed_on <= started_on for c in checks)",
        "{that: job_description_on <= started_on, done_since: never}",
    ):
        written = that if that.startswith("{") else json.dumps(that)
        assert lint(cli, tmp_path, rule.format(that=written)) == "", that


def test_lint_wants_a_remedy_for_each_standing_and_none_that_orders_what_is_done(cli: Cli, tmp_path: Path) -> None:
    one = REFERENCES.replace(
        "remedy: {open: Get the references., late: Record why they came late.}", "remedy: Get them."
    )
    told = lint(cli, tmp_path, one)
    assert "a finding can be open or late, and no remedy is for what is open" in told
    assert "a finding can be open or late, and no remedy is for what is late" in told
    same = REFERENCES.replace("late: Record why they came late.", "late: Get the references.")
    assert "the remedy for what is late orders what is ordered where it is open" in lint(cli, tmp_path, same)
    never = REFERENCES.replace("late: Record why they came late.", "late: Record why., past: Learn.")
    assert "remedy has a text for what is past, and no finding of this rule ever is" in lint(cli, tmp_path, never)
    assert lint(cli, tmp_path, REFERENCES) == "no breach of a case is open\nno breach of a case is late"


def test_an_item_of_a_list_is_named_and_the_rule_as_a_whole_speaks_of_any(cli: Cli, tmp_path: Path) -> None:
    pack, data = tmp_path / "rules" / "extra", tmp_path / "data"
    pack.mkdir(parents=True)
    data.mkdir()
    bodies = "pack: extra\ntitle: Extra\ncases_as_at: 2021-09-20\nlists: {bodies: [Ofsted, the police]}\n"
    (pack / "pack.yaml").write_text(bodies, encoding="utf-8")
    rule = """
title: "{body} was not told"
each: {body: bodies}
require: {it was told: body == 'Ofsted' and job_description_on is not None}
remedy: "Tell {body} today."
"""
    (pack / "it-is-wrong.yaml").write_text(HEAD + rule, encoding="utf-8")
    (data / "staff.csv").write_text("staff_id,job_description_on\nS1,\n", encoding="utf-8")
    args = ("audit", data, "--as-at", "2021-09-20", "--rules", tmp_path / "rules", "--format", "json", "--exit-zero")
    document = json.loads(cli(*args).stdout)
    assert (document["rules"][0]["title"], document["rules"][0]["remedy"]) == (
        "The body was not told",
        "Tell the body today.",
    )
    assert [(f["title"], f["remedy"]) for f in document["findings"]] == [
        ("Ofsted was not told", "Tell Ofsted today."),
        ("The police was not told", "Tell the police today."),
    ]


def test_lint_wants_a_name_for_a_day_that_a_clock_counts_from(cli: Cli, tmp_path: Path) -> None:
    rule = """
title: T
deadline: {{{clock}, done: health_declared_on, what: Declaration}}
remedy: {{open: Do it., late: Learn.}}
"""
    asked = "the day that its clock counts from is worked out and has no name; make it a fact of the pack, with a title"
    worked_out = ("max(started_on, job_description_on)", "min(c.completed_on for c in checks)", "started_on + days(3)")
    for day in worked_out:
        for clock in (f'by: "{day}"', f'start: "{day}", within: 3 days'):
            assert lint(cli, tmp_path, rule.format(clock=clock)) == asked, clock
    for clock in (
        "by: started_on",
        "by: manager.started_on",
        "start: started_on, within: 3 days",
        "by: \"'2021-01-01'\"",
    ):
        assert lint(cli, tmp_path, rule.format(clock=clock)) == "", clock
    recurring = """
title: T
every: {from: FROM, done: (s.held_on for s in supervisions), within: 6 weeks, what: Supervision}
remedy: {open: Do it., past: Learn.}
"""
    assert lint(cli, tmp_path, recurring.replace("FROM", "'max(started_on, job_description_on)'")) == asked
    assert lint(cli, tmp_path, recurring.replace("FROM", "started_on")) == ""
    fact = (
        "facts: {staff: {began_on: {title: First day with a description, is: 'max(started_on, job_description_on)'}}}\n"
    )
    assert lint(cli, tmp_path, recurring.replace("FROM", "began_on"), fact) == ""
