"""The life of an action: who may say what of it, what an audit says, and that its history cannot be changed unseen."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import Result
from plan_making import AT, COLLEAGUE, NAMES, Living, audit, fingerprint, kept, small_plan, written

from compliance.tracker import auditfile, life, planfile, proposing, targets
from compliance.tracker.due import standing
from compliance.tracker.events import Draft, Event, broken
from compliance.tracker.life import Refused
from compliance.tracker.model import STATUSES, Action, Status
from compliance.tracker.plain import plain
from compliance.tracker.state import State, fold

Cli = Callable[..., Result]
WHO = ("--role", "registered manager", "--name", "Ada Invented")


def audited(tmp_path: Path, *args: Any, **more: Any) -> proposing.Audited:
    return auditfile.read(kept(tmp_path, audit(*args, **more)))[0]


def recorded(its: Living, found: proposing.Audited) -> None:
    """As `plan verify --findings` does."""
    drafts = [*life.audited(its.state, found.audit)]
    drafts += [v.draft for v in life.verify(its.state, found.audit) if v.draft is not None]
    its.do(*drafts, on=found.audit.as_at.isoformat())


def at(status: Status) -> Living:
    """A plan whose action X has a status, by the way that leads there; it answers no finding."""
    its = Living()
    its.do(life.add(its.state, "A", Action("X", "Do it", status="proposed")))
    path: dict[Status, list[Callable[[State], Draft]]] = {
        "proposed": [],
        "rejected": [lambda s: life.reject(s, "X", "no need")],
        "open": [lambda s: life.accept(s, "X")],
    }
    path["in progress"] = [*path["open"], lambda s: life.start(s, "X")]
    path["completed"] = [*path["open"], lambda s: life.complete(s, "X", ["the record"])]
    path["signed off"] = [*path["completed"], lambda s: life.sign_off(s, "X", "registered manager")]
    if status == "verified":
        its = Living()
        its.do(life.add(its.state, "A", Action("X", "Do it", answers=("review-late",))))
        its.do(life.complete(its.state, "X", ["the record"]))
        nothing = life.Audit(date(2022, 1, 10), {}, frozenset({"review-late"}), {"review-late": ()}, {})
        recorded(its, proposing.Audited(nothing, (), {}))
    for step in path.get(status, []):
        its.do(step(its.state))
    assert its.status("X") == status
    return its


MOVES: dict[str, tuple[Callable[[State], Draft], dict[Status, Status]]] = {
    "accept": (lambda s: life.accept(s, "X"), {"proposed": "open"}),
    "reject": (lambda s: life.reject(s, "X", "no need"), {"proposed": "rejected"}),
    "start": (lambda s: life.start(s, "X"), {"open": "in progress"}),
    "complete": (lambda s: life.complete(s, "X", ["it"]), {"open": "completed", "in progress": "completed"}),
    "sign off": (
        lambda s: life.sign_off(s, "X", "Registered Manager"),
        {"completed": "signed off", "verified": "signed off"},
    ),
    "reopen": (
        lambda s: life.reopen(s, "X", "not so"),
        {"completed": "open", "verified": "open", "signed off": "open"},
    ),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("move", MOVES)
def test_every_move_is_made_from_where_it_may_be_and_refused_from_everywhere_else(status: Status, move: str) -> None:
    how, allowed = MOVES[move]
    its = at(status)
    if status not in allowed:
        with pytest.raises(Refused, match="X is"):
            how(its.state)
        return
    its.do(how(its.state))
    assert its.status("X") == allowed[status]


@pytest.mark.parametrize("role", ["team manager", "responsible individual", "interim registered manager", "", "admin"])
def test_nobody_but_the_registered_manager_signs_off(role: str) -> None:
    with pytest.raises(Refused, match="only the registered manager"):
        life.sign_off(at("verified").state, "X", role)


def test_a_claim_on_findings_is_not_signed_off_before_an_audit_has_verified_it() -> None:
    its = Living()
    its.do(life.update(its.state, "A1", {"answers": ["review-late"]}, ""))
    its.do(life.complete(its.state, "A1", ["minutes"]))
    with pytest.raises(Refused, match="no audit has verified it"):
        life.sign_off(its.state, "A1", "registered manager")


@pytest.mark.parametrize("evidence", [[], [""], ["  "]])
def test_nothing_is_completed_without_evidence(evidence: list[str]) -> None:
    with pytest.raises(Refused, match="without evidence"):
        life.complete(Living().state, "A1", evidence)


@pytest.mark.parametrize("status", ["signed off", "rejected"])
def test_what_has_ended_stays_as_it_is(status: Status) -> None:
    with pytest.raises(Refused, match="stays as it is"):
        life.update(at(status).state, "X", {"text": "Another"}, "")


def test_a_due_day_before_the_start_is_refused_and_an_unknown_action_gets_the_nearest() -> None:
    its = Living()
    its.do(life.update(its.state, "A1", {"start": "2022-02-01"}, ""))
    with pytest.raises(Refused, match="before its start"):
        life.update(its.state, "A1", {"due": "2022-01-31"}, "")
    with pytest.raises(Refused, match="no action 'A2x'; did you mean"):
        life.find(its.state, "A2x")


# --- what an audit says ---


def worked(tmp_path: Path) -> Living:
    """Findings of two rules proposed, accepted and said to be done."""
    its = Living()
    found = audited(tmp_path, "2022-01-05", "review-late/1", "review-late/2", "complaint-open/9")
    its.do(*life.audited(its.state, found.audit), *proposing.drafts(its.state, proposing.propose(its.state, found)))
    for action in ("A-a1", "B-a1"):
        its.do(life.accept(its.state, action))
        its.do(life.complete(its.state, action, ["the record"]), on="2022-01-20")
    return its


def test_verified_by_the_audit_that_finds_it_no_longer_and_reopened_by_one_that_does(tmp_path: Path) -> None:
    its = worked(tmp_path)
    recorded(its, audited(tmp_path, "2022-02-01", "complaint-open/9"))
    assert (its.status("A-a1"), its.status("B-a1")) == ("verified", "open")
    assert its.state.actions["A-a1"].verified_by == "2022-02-01"
    assert its.state.actions["B-a1"].reopened == 1
    its.do(life.sign_off(its.state, "A-a1", "registered manager"))
    recorded(its, audited(tmp_path, "2022-03-01", "review-late/2"))
    assert (its.status("A-a1"), its.state.actions["A-a1"].reopened) == ("open", 1)
    kinds = [
        its.events[n - 1].body.get("changes", {}).get("status", {}).get("to") for n in its.state.actions["A-a1"].history
    ]
    assert kinds == [None, "open", "completed", "verified", "signed off", "open"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"not_run": ["review-late"]}, "its rule did not run"),
        ({"vanished": ["review-late/1"]}, "is not in the export"),
    ],
)
def test_what_an_audit_could_not_look_at_is_neither_verified_nor_reopened(
    tmp_path: Path, how: dict[str, Any], said: str
) -> None:
    its = worked(tmp_path)
    found = audited(tmp_path, "2022-02-01", **how)
    [verdict] = [v for v in life.verify(its.state, found.audit) if v.action == "A-a1"]
    assert (verdict.became, verdict.draft) == ("cannot be told", None)
    assert said in verdict.why.replace("record is not", "is not")
    recorded(its, found)
    assert its.status("A-a1") == "completed"


def test_a_duty_is_verified_only_when_every_rule_that_looks_at_it_ran() -> None:
    its = Living()
    its.do(life.update(its.state, "A1", {"answers": ["FSR-28-2"]}, ""))
    its.do(life.complete(its.state, "A1", ["minutes"]))
    cites = {"one": ["FSR-28-2"], "two": ["FSR-28-2"]}
    part = life.Audit(date(2022, 2, 1), {}, frozenset({"one"}), cites, {})
    assert [v.became for v in life.verify(its.state, part)] == ["cannot be told"]
    whole = life.Audit(date(2022, 2, 1), {}, frozenset({"one", "two"}), cites, {})
    assert [v.became for v in life.verify(its.state, whole)] == ["verified"]
    found = life.Audit(date(2022, 2, 1), {"two": ["f" * 16]}, frozenset({"one", "two"}), cites, {})
    assert [v.became for v in life.verify(its.state, found)] == ["reopened"]
    unknown = life.Audit(date(2022, 2, 1), {}, frozenset({"one"}), {}, {})
    assert [v.became for v in life.verify(its.state, unknown)] == ["cannot be told"]


def test_what_was_completed_after_the_audit_waits_for_the_next(tmp_path: Path) -> None:
    its = worked(tmp_path)
    found = audited(tmp_path, "2022-01-15")
    assert {v.became for v in life.verify(its.state, found.audit)} == {"cannot be told"}


def test_an_older_audit_is_refused_and_the_same_one_is_kept_once(tmp_path: Path) -> None:
    its = Living()
    found = audited(tmp_path, "2022-02-01", "review-late/1")
    recorded(its, found)
    n = its.state.number
    assert life.audited(its.state, found.audit) == []
    with pytest.raises(Refused, match="older than the last one"):
        life.audited(its.state, audited(tmp_path, "2022-01-31", "review-late/1").audit)
    assert its.state.number == n


def restated(its: Living) -> tuple[str, int] | None:
    return standing(its.state, its.state.actions["A1"], date(2022, 7, 1)).restated


def test_restated_counts_the_audits_that_follow_on_each_other(tmp_path: Path) -> None:
    its = Living()
    its.do(life.update(its.state, "A1", {"answers": [fingerprint("review-late", "1")]}, ""))
    seen: list[tuple[str, int] | None] = []
    for day, found, not_run in [
        ("2022-01-31", True, False),
        ("2022-02-28", True, False),
        ("2022-03-31", False, True),  # nobody looked: the story goes on
        ("2022-04-30", True, False),
        ("2022-05-31", False, False),  # put right: the story ends
        ("2022-06-30", True, False),
        ("2022-07-01", True, False),
    ]:
        what = ["review-late/1"] if found else []
        recorded(its, audited(tmp_path, day, *what, not_run=["review-late"] if not_run else ()))
        seen.append(restated(its))
    story = ("2022-01-31", 3)
    assert seen == [None, ("2022-01-31", 2), None, story, None, None, ("2022-06-30", 2)]


def test_a_second_audit_of_one_day_takes_the_place_of_the_first(tmp_path: Path) -> None:
    its = Living()
    its.do(life.update(its.state, "A1", {"answers": [fingerprint("review-late", "1")]}, ""))
    recorded(its, audited(tmp_path, "2022-01-31", "review-late/1", "review-late/2"))
    recorded(its, audited(tmp_path, "2022-01-31", "review-late/1"))
    assert restated(its) is None
    recorded(its, audited(tmp_path, "2022-02-28", "review-late/1", "review-late/2"))
    assert restated(its) == ("2022-01-31", 2)
    assert its.state.findings[fingerprint("review-late", "2")].times == 1


def test_what_an_inspection_before_the_plan_found_is_told_from_then(tmp_path: Path) -> None:
    its = Living()
    its.do(life.update(its.state, "A1", {"answers": ["review-late"]}, ""))
    document = audit("2022-01-31", "review-late/1")
    document["findings"][0]["restated"] = {"since": "2020-12-17", "times": 2}
    recorded(its, auditfile.read(kept(tmp_path, document))[0])
    assert restated(its) == ("2020-12-17", 2)
    recorded(its, audited(tmp_path, "2022-02-28", "review-late/1"))
    assert restated(its) == ("2020-12-17", 3)


# --- from findings to actions ---


def proposed(its: Living, found: proposing.Audited) -> proposing.Proposed:
    """As `plan propose` does."""
    made = proposing.propose(its.state, found)
    its.do(*life.audited(its.state, found.audit), *proposing.drafts(its.state, made), on=found.audit.as_at.isoformat())
    return made


def test_one_action_for_each_cause_and_team_with_its_findings_linked(tmp_path: Path) -> None:
    its = Living()
    keys = ["review-late/1/North", "review-late/2/South", "review-late/3/North", "complaint-open/9/no team"]
    proposed(its, audited(tmp_path, "2022-01-05", *keys, team=True))
    added = {i: t for i, t in its.state.actions.items() if t.proposed_on}
    assert list(added) == ["A-a1", "A-a2", "B-a1"]
    north = added["A-a1"].action
    assert north.answers == (fingerprint("review-late", "1"), fingerprint("review-late", "3"))
    assert north.text == "Mend review-late. Of review-late: 2 case records of North."
    assert (north.owner, north.due and north.due.text, north.status) == ("registered manager", "2022-02-14", "proposed")
    assert added["B-a1"].workstream == "B"  # by the regulation that it covers


def test_what_no_workstream_takes_is_seen_in_one_of_its_own(tmp_path: Path) -> None:
    its = Living()
    proposed(its, audited(tmp_path, "2022-01-05", "check-missing/1"))
    assert its.state.plan.workstreams[-1].id == "unassigned"
    proposed(its, audited(tmp_path, "2022-01-06", "check-missing/1", "check-missing/2"))
    assert [w.id for w in its.state.plan.workstreams].count("unassigned") == 1
    assert list(its.state.actions)[2:] == ["unassigned-a1"]


def test_a_regulation_is_told_from_a_standard_and_from_another_instrument() -> None:
    def finding(requirement: str) -> proposing.Finding:
        return proposing.Finding("0" * 16, "r", "", "breach", (), "requirement", "case", (), "none", requirement, "")

    plan = small_plan()
    for requirement, expected in [
        ("Fostering Regulations 2011, reg 18", "B"),
        ("Minimum Standards 2011, standard 18", "unassigned"),
        ("Care Planning Regulations 2010, reg 18", "unassigned"),
        ("Fostering Regulations 2011, reg 8", "unassigned"),
        ("", "unassigned"),
    ]:
        assert proposing.place(plan, finding(requirement)).id == expected, requirement


def test_an_action_says_about_whom_it_is_and_takes_further_records_in(tmp_path: Path) -> None:
    its = Living()
    proposed(its, audited(tmp_path, "2022-01-05", "review-late/1", "review-late/2"))
    assert list(its.state.actions["A-a1"].action.about) == ["case 1, child C1", "case 2, child C2"]
    proposed(its, audited(tmp_path, "2022-02-05", "review-late/2", "review-late/3"))
    about = ["case 1, child C1", "case 2, child C2", "case 3, child C3"]
    assert list(its.state.actions["A-a1"].action.about) == about


def test_what_is_in_its_own_file_is_named_once_and_a_long_key_fits_a_plan_file(tmp_path: Path) -> None:
    document = audit("2022-01-05", "review-late/1", "complaint-open/2", f"check-missing/{'9' * 500}")
    for finding, whose in zip(document["findings"], [{"record": "case", "key": "1", "name": None}, None], strict=False):
        finding["whose"] = whose
    its = Living()
    proposed(its, auditfile.read(kept(tmp_path, document))[0])
    about = [t.action.about for t in its.state.actions.values() if t.proposed_on]
    assert about[:2] == [("case 1",), ("case 2",)]
    planfile.check(its.state.as_plan(), "the plan")


def test_names_are_never_kept_and_an_audit_that_shows_them_proposes_the_same(tmp_path: Path) -> None:
    made = []
    for personal in (False, True):
        its = Living()
        found = audited(tmp_path, "2022-01-05", "review-late/1", "complaint-open/2", personal=personal)
        proposed(its, found)
        made.append(its.events)
    assert made[0] == made[1]
    assert not any(name in json.dumps([e.body for e in made[1]]) for name in NAMES)


def test_a_plan_from_before_actions_named_records_names_them_at_the_next_audit(tmp_path: Path) -> None:
    its = Living()
    found = audited(tmp_path, "2022-01-05", "review-late/1", "review-late/2", "complaint-open/9", "check-missing/4")
    for draft in (
        *life.audited(its.state, found.audit),
        *proposing.drafts(its.state, proposing.propose(its.state, found)),
    ):
        draft.body.get("action", {}).pop("about", None)
        its.do(draft)
    assert not any(t.action.about for t in its.state.actions.values())
    its.do(life.reject(its.state, "B-a1", "no need"))
    its.do(life.accept(its.state, "A-a1"))
    made = proposed(
        its, audited(tmp_path, "2022-02-05", "review-late/1", "review-late/3", "complaint-open/9", "check-missing/4")
    )
    assert [(p.became, p.action.id) for p in made.proposals] == [
        ("grown", "A-a1"),
        ("rejected earlier", "B-a1"),
        ("named", "unassigned-a1"),
    ]
    assert its.state.actions["A-a1"].action.about == ("case 1, child C1", "case 3, child C3")
    assert its.state.actions["unassigned-a1"].action.about == ("case 4, child C4",)
    assert proposed(its, found_again(tmp_path)).proposals == ()


def found_again(tmp_path: Path) -> proposing.Audited:
    return audited(tmp_path, "2022-03-05", "review-late/1", "review-late/3", "check-missing/4")


@pytest.mark.parametrize(
    ("outcome", "note"),
    [("breach", "Expected: it is done."), ("not_evidenced", "Expected, and not shown: it is done.")],
)
def test_the_note_says_what_is_asked_and_not_that_it_is_not_met(tmp_path: Path, outcome: str, note: str) -> None:
    made = proposing.propose(Living().state, audited(tmp_path, "2022-01-05", "review-late/1", outcome=outcome))
    assert [p.action.note for p in made.proposals] == [note]


@pytest.mark.parametrize(
    ("record", "one", "two"),
    [
        ("staff", "1 member of staff", "2 members of staff"),
        ("child", "1 child", "2 children"),
        ("household", "1 household", "2 households"),
        ("panel_decision", "1 panel decision record", "2 panel decision records"),
    ],
)
def test_records_are_counted_as_what_they_are_of(tmp_path: Path, record: str, one: str, two: str) -> None:
    its = Living()
    for on, keys, counted in (("2022-01-05", "1", one), ("2022-02-05", "12", two)):
        document = audit(on, *(f"review-late/{k}" for k in keys))
        for finding in document["findings"]:
            finding["subject"]["record"] = record
        proposed(its, auditfile.read(kept(tmp_path, document))[0])
        assert its.state.actions["A-a1"].action.text == f"Mend review-late. Of review-late: {counted}."


def test_a_text_that_counted_members_of_staff_as_records_still_takes_more_in(tmp_path: Path) -> None:
    its = Living()
    documents = [audit("2022-01-05", "review-late/1"), audit("2022-02-05", "review-late/1", "review-late/2")]
    for document in documents:
        for finding in document["findings"]:
            finding["subject"]["record"] = "staff"
    proposed(its, auditfile.read(kept(tmp_path, documents[0]))[0])
    its.do(life.update(its.state, "A-a1", {"text": "Mend review-late. Of review-late: 1 staff record."}, ""))
    proposed(its, auditfile.read(kept(tmp_path, documents[1]))[0])
    assert its.state.actions["A-a1"].action.text == "Mend review-late. Of review-late: 2 members of staff."


def test_nothing_is_proposed_twice_and_an_action_takes_more_of_its_cause_in(tmp_path: Path) -> None:
    its = Living()
    first = audited(tmp_path, "2022-01-05", "review-late/1")
    proposed(its, first)
    again = proposed(its, first)
    assert (again.proposals, again.covered) == ((), {"A-a1": 1})
    its.do(life.accept(its.state, "A-a1"))
    more = proposed(its, audited(tmp_path, "2022-02-05", "review-late/1", "review-late/2"))
    assert [p.became for p in more.proposals] == ["grown"]
    assert its.state.actions["A-a1"].action.answers == tuple(fingerprint("review-late", k) for k in "12")
    assert "2 case records" in its.state.actions["A-a1"].action.text
    assert its.status("A-a1") == "open"


def test_taking_more_in_leaves_a_text_that_a_person_wrote(tmp_path: Path) -> None:
    its = Living()
    proposed(its, audited(tmp_path, "2022-01-05", "review-late/1"))
    its.do(life.update(its.state, "A-a1", {"text": "Hold the reviews on Tuesdays"}, ""))
    proposed(its, audited(tmp_path, "2022-02-05", "review-late/1", "review-late/2"))
    assert its.state.actions["A-a1"].action.text == "Hold the reviews on Tuesdays"


def test_what_is_claimed_to_be_done_takes_nothing_more_in(tmp_path: Path) -> None:
    its = worked(tmp_path)
    made = proposed(its, audited(tmp_path, "2022-02-05", "review-late/1", "review-late/3"))
    assert [(p.became, p.action.id, p.action.answers) for p in made.proposals] == [
        ("new", "A-a2", (fingerprint("review-late", "3"),))
    ]


@pytest.mark.parametrize("answer", ["review-late", "FSR-28-2"])
def test_an_action_for_the_rule_or_the_duty_covers_its_findings(tmp_path: Path, answer: str) -> None:
    its = Living()
    its.do(life.update(its.state, "A1", {"answers": [answer]}, ""))
    made = proposed(its, audited(tmp_path, "2022-01-05", "review-late/1"))
    assert (made.proposals, made.covered) == ((), {"A1": 1})


def test_what_was_rejected_stays_so_until_more_is_found(tmp_path: Path) -> None:
    its = Living()
    proposed(its, audited(tmp_path, "2022-01-05", "review-late/1", "review-late/2"))
    its.do(life.reject(its.state, "A-a1", "The panel has decided already"))
    same = proposed(its, audited(tmp_path, "2022-02-05", "review-late/2"))
    assert [(p.became, p.why) for p in same.proposals] == [("rejected earlier", "The panel has decided already")]
    grown = proposed(its, audited(tmp_path, "2022-03-05", "review-late/2", "review-late/3"))
    [p] = grown.proposals
    assert (p.became, p.action.id) == ("new", "A-a2")
    assert set(p.action.answers) == {fingerprint("review-late", k) for k in "23"}
    assert "A-a1 was rejected" in p.why


def test_a_finding_whose_risk_is_accepted_needs_no_action_while_the_waiver_lasts(tmp_path: Path) -> None:
    document = audit("2022-01-05", "review-late/1", "review-late/2")
    document["findings"][0]["waiver"] = {"id": "w1", "until": "2022-06-30", "reason": "r", "approved_by": "manager"}
    made = proposing.propose(Living().state, auditfile.read(kept(tmp_path, document))[0])
    assert [p.action.answers for p in made.proposals] == [(fingerprint("review-late", "2"),)]
    assert made.accepted == 1


def test_the_order_of_the_findings_makes_no_difference(tmp_path: Path) -> None:
    keys = ["review-late/1/N", "complaint-open/1/S", "review-late/2/S", "check-missing/4/N"]
    ids = []
    for order in (keys, keys[::-1]):
        made = proposing.propose(Living().state, audited(tmp_path, "2022-01-05", *order, team=True))
        ids.append([(p.action.id, p.action.text, sorted(p.action.answers)) for p in made.proposals])
    assert ids[0] == ids[1]


# --- measures ---


@pytest.mark.parametrize(
    ("target", "value", "before", "met"),
    [
        ("at least 80 %", "80 %", "", True),
        ("at least 80 %", "79.9 %", "", False),
        ("at most 3", "4", "", False),
        ("100 %", "99.9 %", "", False),
        ("0", "0", "", True),
        ("0", "1", "", False),
        ("more than last quarter", "5", "4", True),
        ("more than last quarter", "4", "4", False),
        ("more than last quarter", "4", "", None),
        ("at least 1,000", "999", "", False),
        ("75 %", "80 %", "", None),
        ("at least 80 %", "80", "", None),
        ("better than before", "80 %", "", None),
        ("", "80 %", "", None),
        ("at least 80 %", "good", "", None),
    ],
)
def test_whether_a_target_is_met_is_told_or_said_not_to_be_known(
    target: str, value: str, before: str, met: bool | None
) -> None:
    assert targets.met(target, value, before) is met


# --- the events ---


def history() -> list[Event]:
    its = Living()
    its.do(life.start(its.state, "A1"), life.comment(its.state, "A1", "Begun"), life.measured(its.state, "A-m2", "4"))
    its.do(life.complete(its.state, "A1", ["minutes"]))
    return its.events


def test_every_kind_of_change_to_the_history_is_found() -> None:
    events = history()
    assert broken(events) == ""
    for i, e in enumerate(events):
        assert broken([*events[:i], e._replace(name="Someone Else"), *events[i + 1 :]]), "a changed name"
        assert broken([*events[:i], e._replace(body={**e.body, "x": 1}), *events[i + 1 :]]), "a changed body"
        if i < len(events) - 1:
            assert broken([*events[:i], *events[i + 1 :]]), "one taken out"
            swapped = [*events[:i], events[i + 1], e, *events[i + 2 :]]
            assert broken(swapped), "two in another order"
            renumbered = [x._replace(number=n) for n, x in enumerate(swapped, 1)]
            assert broken(renumbered), "two in another order, numbered anew"
    again = written(Draft("comment", "", {"text": "forged"}), who=COLLEAGUE)[0]
    assert broken([again, *events[1:]]), "one written anew, with a hash that fits"


def test_every_field_of_an_event_is_in_its_hash() -> None:
    e = history()[1]
    for name in Event._fields:
        if name not in ("number", "before", "hash", "body"):
            changed: Any = {name: "other"}
            assert broken([history()[0], e._replace(**changed)]), name
    assert AT.isoformat() == e.at


def test_the_same_events_give_the_same_state_at_once_or_one_by_one() -> None:
    events = history()
    whole, step = fold(events), State()
    for e in events:
        step = fold([e], step)
    assert (whole, plain(whole.as_plan())) == (step, plain(fold(events).as_plan()))


def test_every_status_is_reached_in_these_tests() -> None:
    assert set(STATUSES) == set(get_args(Status))
    for status in STATUSES:
        at(status)


# --- the commands ---


@pytest.fixture
def plan(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with the small plan; the commands use it."""
    monkeypatch.setenv("COMPLIANCE_DB", str(tmp_path / "plan.sqlite"))
    file = tmp_path / "small.yaml"
    file.write_text(planfile.write(small_plan()), encoding="utf-8")
    done = cli("plan", "new", file, "--on", "2022-01-03", *WHO)
    assert done.exit_code == 0, done.output
    return tmp_path / "plan.sqlite"


def test_propose_accept_complete_verify_sign_off_by_the_commands(cli: Cli, plan: Path, tmp_path: Path) -> None:
    first = kept(tmp_path, audit("2022-01-05", "review-late/1", "complaint-open/9"), "first.json")
    dry = cli("plan", "propose", "--findings", first, "--dry-run", *WHO)
    assert "2 actions proposed, for 2 findings" in dry.stdout
    assert "Nothing was written" in dry.stderr
    assert json.loads(cli("plan", "list", "--status", "proposed", "--format", "json").stdout)["actions"] == []
    done = cli("plan", "propose", "--findings", first, "--format", "json", *WHO)
    assert [p["action"]["id"] for p in json.loads(done.stdout)["proposals"]] == ["A-a1", "B-a1"]
    for args in (
        ("update", "A-a1", "--status", "open"),
        ("update", "B-a1", "--status", "rejected", "--why", "Answered by telephone"),
        ("complete", "A-a1", "--evidence", "minutes", "--on", "2022-01-20"),
    ):
        assert cli("plan", *args, *WHO).exit_code == 0
    later = kept(tmp_path, audit("2022-02-01"), "later.json")
    verified = cli("plan", "verify", "--findings", later, "--format", "json", *WHO)
    assert [(v["action"], v["now"]) for v in json.loads(verified.stdout)] == [("A-a1", "verified")]
    assert cli("plan", "sign-off", "A-a1", *WHO).exit_code == 0
    old = cli("plan", "verify", "--findings", first, *WHO)
    assert old.exit_code == 2
    assert "older than the last one" in old.stderr
    proof = cli("plan", "verify")
    assert (proof.exit_code, proof.stdout) == (0, "10 events, none changed or taken out.\n")


def test_every_list_of_actions_says_about_whom_they_are(cli: Cli, plan: Path, tmp_path: Path) -> None:
    found = kept(tmp_path, audit("2022-01-05", *(f"review-late/{n}" for n in range(1, 6)), "complaint-open/9"))
    short, whole = (
        "About case 1, child C1; case 2, child C2 and 3 more.",
        [f"case {n}, child C{n}" for n in range(1, 6)],
    )

    def told(*command: object) -> str:
        done = cli("plan", *command)
        assert done.exit_code == 0, done.output
        return " ".join(done.stdout.split())

    for format_ in ("table", "markdown"):
        assert short in told("propose", "--findings", found, "--dry-run", "--format", format_, *WHO)
    told("propose", "--findings", found, *WHO)
    for command in (("list",), ("report", "level-two")):
        text = told(*command, "--format", "markdown")
        assert short in text
        assert "About case 9, child C9." in text
        assert json.loads(told(*command, "--format", "json"))  # its schema is held elsewhere
    assert "; ".join(whole) in told("show", "A-a1")
    assert json.loads(told("show", "A-a1", "--format", "json"))["about"] == whole
    row = next(
        r for r in csv.DictReader(io.StringIO(cli("plan", "export", "--format", "csv").stdout)) if r["action"] == "A-a1"
    )
    assert row["about"] == "; ".join(whole)
    items = json.loads(told("export", "--format", "oscal"))["plan-of-action-and-milestones"]["poam-items"]
    about = [[p["value"] for p in item["props"] if p["name"] == "about"] for item in items]
    assert about == [[], [], whole, ["case 9, child C9"]]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"as_at": "2022-01-01", "rules": [], "findings": [{}]}', "not JSON"])
def test_a_file_that_is_no_audit_is_refused_by_name(cli: Cli, plan: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(text, encoding="utf-8")
    before = plan.read_bytes()
    for command in ("propose", "verify"):
        done = cli("plan", command, "--findings", file, *WHO)
        assert done.exit_code == 2
        assert "other.json" in done.stderr
    assert plan.read_bytes() == before


def test_measures_are_taken_from_an_audit_and_from_kpis_with_their_targets(
    cli: Cli, plan: Path, tmp_path: Path
) -> None:
    for day, found in (("2022-01-31", ["review-late/1"]), ("2022-02-28", [])):
        taken = cli("plan", "measures", "--from-audit", kept(tmp_path, audit(day, *found)), *WHO)
        assert taken.exit_code == 0, taken.output
    kpi = {
        "framework": "council",
        "code": "k1",
        "unit": "percent",
        "value": 81.5,
        "why": None,
        "could_not": None,
        "target": 90,
        "lower": None,
        "upper": None,
        "direction": "higher_is_better",
    }
    kpis = kept(tmp_path, {"as_at": "2022-02-28", "kpis": [kpi]}, "kpis.json")
    assert cli("plan", "measures", "--kpis", kpis, *WHO).exit_code == 0
    assert "recorded already" in cli("plan", "measures", "--kpis", kpis, *WHO).stderr
    cli("plan", "measures", "--record", "A-m3", "--value", "Content, on the whole", "--on", "2022-02-28", *WHO)
    wrong = cli("plan", "measures", "--record", "A-m2", "--value", "many", *WHO)
    assert (wrong.exit_code, "'many' is no figure" in wrong.stderr) == (2, True)
    its = {m["id"]: m["values"] for m in json.loads(cli("plan", "measures", "--format", "json").stdout)}
    assert [(v["value"], v["met"]) for v in its["A-m1"]] == [("87.5 %", False), ("100.0 %", True)]
    assert [(v["value"], v["target"], v["met"]) for v in its["A-m4"]] == [("81.5 %", "at least 90 %", False)]
    assert [v["value"] for v in its["A-m3"]] == ["Content, on the whole"]
    assert its["A-m2"] == []
    assert "▁█" in cli("plan", "measures").stdout


def test_no_rate_is_taken_of_a_rule_that_did_not_run(cli: Cli, plan: Path, tmp_path: Path) -> None:
    done = cli("plan", "measures", "--from-audit", kept(tmp_path, audit("2022-01-31", not_run=["review-late"])), *WHO)
    assert "could not run; no value was recorded" in done.stderr
    assert json.loads(cli("plan", "measures", "--format", "json").stdout)[0]["values"] == []
