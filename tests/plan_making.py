"""A small plan and small audits for the tests of its tracker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from compliance.tracker import life
from compliance.tracker.events import NOTHING_BEFORE, Draft, Event, Who, chained
from compliance.tracker.model import Action, Forum, Measure, Plan, Workstream, when
from compliance.tracker.state import State, fold

MANAGER = Who("registered manager", "Ada Invented")
COLLEAGUE = Who("team manager", "Bo Made-Up")
AT = datetime(2022, 1, 3, 9, tzinfo=UTC)

RULES: Mapping[str, tuple[str, str]] = {
    "review-late": ("panel", "FSR-28-2"),
    "complaint-open": ("complaints", "FSR-18-4"),
    "check-missing": ("recruitment", "FSR-20-3"),
}
"""Rules of the small audits: workstream and duty."""
NAMES = ("Case Nobodyson", "Child Nobodyson")
"""What an audit made with --personal calls what it is about, and whose file that is in."""


def small_plan() -> Plan:
    """Two workstreams, one of which takes findings by name and the other by the regulation that it covers."""
    return Plan(
        "small",
        "A small plan",
        forums=(Forum("managers", "monthly", escalate_after=7), Forum("board", "quarterly", escalate_after=60)),
        workstreams=(
            Workstream(
                "A",
                "Approval",
                takes=("panel",),
                actions=(
                    Action("A1", "Bring the reviews up to date", "team manager", due=when("2022-02-28")),
                    Action("A2", "Tell the panel", "panel adviser", due=when("2022-03")),
                ),
                measures=(
                    Measure("A-m1", "Reviews in time", "rule", "review-late", "at least 90 %", "monthly"),
                    Measure("A-m2", "Reviews held", "count", target="more than last month"),
                    Measure("A-m3", "What carers say"),
                    Measure("A-m4", "Visits in time", "kpi", "council/k1"),
                ),
            ),
            Workstream("B", "Complaints", regulations=("18.4",)),
        ),
    )


def written(*drafts: Draft, state: State | None = None, on: str = "2022-01-03", who: Who = MANAGER) -> list[Event]:
    """Events, as the store would write them."""
    number, before = (state.number, state.head) if state else (0, NOTHING_BEFORE)
    made = []
    for i, draft in enumerate(drafts):
        made.append(chained("small", number + 1 + i, AT.isoformat(), on, who, draft, before))
        before = made[-1].hash
    return made


class Living:
    """A plan whose events a test makes one after the other."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.events = written(life.begin(plan or small_plan()))
        self.state = fold(self.events)

    def do(self, *drafts: Draft, on: str = "2022-01-10") -> None:
        new = written(*drafts, state=self.state, on=on)
        self.events += new
        self.state = fold(new, self.state)

    def status(self, action: str) -> str:
        return self.state.actions[action].status


def fingerprint(rule: str, key: str) -> str:
    return hashlib.sha256(f"{rule}/{key}".encode()).hexdigest()[:16]


def audit(
    as_at: str,
    *found: str,
    team: bool = False,
    not_run: Iterable[str] = (),
    vanished: Iterable[str] = (),
    outcome: str = "breach",
    personal: bool = False,
) -> dict[str, Any]:
    """What an audit writes, for findings given as `rule/key` or `rule/key/team`; each case is in the file of a child of its number."""
    findings = []
    for f in found:
        rule, key, *its_team = f.split("/")
        findings.append(
            {
                "rule": rule,
                "outcome": outcome,
                "standing": "open",
                "danger": None,
                "title": f"Of {rule}",
                "remedy": f"Mend {rule}.",
                "severity": "requirement",
                "layer": "statute",
                "subject": {"record": "case", "key": key, "part": None, "name": NAMES[0] if personal else None},
                "whose": {"record": "child", "key": f"C{key}", "name": NAMES[1] if personal else None},
                "cites": [RULES[rule][1]],
                "argument": "Not met.",
                "failed": ["it is done"],
                "missing": [],
                "evidence": {},
                "source": {"file": "case.csv", "row": 2},
                "due_on": None,
                "late": None,
                "workstream": RULES[rule][0],
                "requirement": f"Fostering Regulations 2011, reg {RULES[rule][1].split('-')[1]}",
                "fingerprint": fingerprint(rule, key),
                "group": its_team[0] if team else None,
                "restated": None,
                "waiver": None,
            }
        )
    rules = []
    for rule, (_, duty) in RULES.items():
        n = sum(f["rule"] == rule for f in findings)
        status = "could not run" if rule in not_run else "ran"
        rules.append(
            {
                "id": rule,
                "title": f"Of {rule}",
                "cites": [duty],
                "status": status,
                "outcomes": {"compliant": 7, "breach": n, "not_evidenced": 0, "pending": 0, "not_applicable": 0},
                "remedy": f"Mend {rule}.",
                "put_right": {"on": "2022-02-14", "by": "registered manager"},
            }
        )
    gone = [{"fingerprint": fingerprint(*f.split("/")), "became": "not in the export"} for f in vanished]
    return {
        "as_at": as_at,
        "personal": False,
        "pseudonyms": None,
        "by": "team" if team else None,
        "rules": rules,
        "findings": findings,
        "previous": {"no_longer_found": gone, "requirements": []} if gone else None,
    }


def kept(folder: Path, document: object, name: str = "findings.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
