"""The inspection of September 2021, from findings to actions that are signed off: the whole life, on a file and on a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import ROOT
from inspection import INSPECTION, as_known, replay, sound
from layouts import Writer

from compliance.cli import main
from compliance.jobs.planning import record_kinds

pytestmark = pytest.mark.xdist_group("postgresql")

Cli = Callable[..., Result]
FOLDER = ROOT / "fixtures" / "inspection-2021"
PLAN = ROOT / "fixtures" / "plans" / "fostering-2021.yaml"
VISIT, INSPECTED, WINTER, SPRING = "2020-12-17", "2021-09-20", "2021-11-30", "2022-01-31"
COMPLAINTS, REFERENCES = "complaint-record-incomplete", "staff-references-incomplete"
MANAGER = ("--role", "registered manager", "--name", "Ada Invented")
TEAM = ("--role", "team manager", "--name", "Bo Made-Up")
DONE_AT_ONCE = "S0008"
"""Of those whose references are not complete, the only one for whom it is put right at the first attempt."""


def repaired(folder: Path, references: Callable[[Any], bool]) -> Path:
    """A later export: every complaint's record completed, and the references of some people."""
    kinds = record_kinds()
    world, whole = replay(kinds)[0][INSPECTION], as_known(sound(), kinds, INSPECTION)
    for complaint in world.rows["complaint"]:
        complaint.update(action_recorded=True, outcome=complaint["outcome"] or "not upheld")
    world.rows["reference"] = [
        *(r for r in world.rows["reference"] if not references(r.get("staff_id"))),
        *(r for r in whole.rows["reference"] if references(r.get("staff_id"))),
    ]
    Writer(world, kinds, folder, None).write(None)
    return folder


@pytest.fixture(scope="module")
def audits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each held against the one before; the last looks at one rule only."""
    folder = tmp_path_factory.mktemp("audits")
    exports = {
        VISIT: FOLDER / VISIT,
        INSPECTED: FOLDER / INSPECTED,
        WINTER: repaired(folder / WINTER, lambda who: who == DONE_AT_ONCE),
        SPRING: repaired(folder / SPRING, lambda who: who is not None),
    }
    made: dict[str, Path] = {}
    for day, export in exports.items():
        out = folder / f"{day}.json"
        asked = ["audit", str(export), "--as-at", day, "--by", "team", "--format", "json", "--out", str(out)]
        asked += ["--previous", str([*made.values()][-1])] if made else []
        asked += ["--rule", REFERENCES] if day == SPRING else []
        done = CliRunner().invoke(main, [*asked, "--exit-zero"])
        assert done.exit_code == 0, done.output
        made[day] = out
    return made


def test_from_findings_to_actions_that_are_signed_off(cli: Cli, database: str, audits: dict[str, Path]) -> None:
    def do(*args: object, who: tuple[str, ...] = TEAM) -> Result:
        done = cli("plan", *args, "--db", database, *who)
        assert done.exit_code == 0, done.output
        return done

    def read(*args: object) -> Any:
        done = cli("plan", *args, "--db", database, "--format", "json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    findings = {f["fingerprint"]: f for f in json.loads(audits[INSPECTED].read_text())["findings"]}
    do("new", PLAN, "--on", INSPECTED, who=MANAGER)

    # Proposed: every finding by exactly one action, by cause and team and not by record.
    proposed = json.loads(do("propose", "--findings", audits[INSPECTED], "--format", "json", who=MANAGER).stdout)
    actions = {p["action"]["id"]: p["action"] for p in proposed["proposals"]}
    answered = [a for its in actions.values() for a in its["answers"]]
    assert sorted(answered) == sorted(findings)
    assert len(actions) * 10 < len(findings)
    for its in actions.values():
        assert len({(findings[a]["rule"], findings[a]["group"]) for a in its["answers"]}) == 1
    assert {p["workstream"] for p in proposed["proposals"]} <= {f"WS{n}" for n in range(1, 8)}

    def of(rule: str) -> dict[str, str]:
        """The action of each record that breaks a rule."""
        return {
            findings[a]["subject"]["key"]: i
            for i, its in actions.items()
            for a in its["answers"]
            if findings[a]["rule"] == rule
        }

    complaints, references = of(COMPLAINTS), of(REFERENCES)
    assert (len(complaints), len(references)) == (4, 6)
    worked = {*complaints.values(), *references.values()}
    rejected = next(i for i in actions if i not in worked)

    # Accepted, rejected, worked off and claimed.
    do("update", rejected, "--status", "rejected", "--why", "Is part of WS1.2", "--on", "2021-10-01", who=MANAGER)
    for i in sorted(worked):
        do("update", i, "--status", "open", "--on", "2021-10-01", who=MANAGER)
        do("update", i, "--status", "in progress", "--on", "2021-10-11")
        do("complete", i, "--evidence", f"The file note on {i}", "--on", "2021-11-15")
    early = cli("plan", "sign-off", next(iter(worked)), "--db", database, *MANAGER)
    assert (early.exit_code, "no audit has verified it" in early.stderr) == (2, True)

    # The audit in winter: what was really done is verified, what was only said to be is opened again.
    said = do("verify", "--findings", audits[WINTER], "--format", "json", who=MANAGER).stdout
    verdicts = {v["action"]: v["now"] for v in json.loads(said)}
    done = {*complaints.values(), references[DONE_AT_ONCE]}
    assert {i: verdicts[i] for i in worked} == {i: "verified" if i in done else "reopened" for i in worked}

    # Restated: at the assurance visit, at the inspection, and now.
    told = cli("plan", "list", "--db", database, "--as-at", WINTER, "--format", "json").stdout
    assert told.count("restated") >= 1
    for who, i in references.items():
        restated = "restated: found since 2020-12-17, 3 times"
        shown = cli("plan", "show", i, "--db", database, "--as-at", WINTER).stdout
        was = findings[next(a for a in actions[i]["answers"] if findings[a]["subject"]["key"] == who)]["restated"]
        assert (restated in " ".join(shown.split())) == (i not in done and was is not None), who

    # Nothing of it is proposed again, and what was rejected stays so.
    again = json.loads(do("propose", "--findings", audits[WINTER], "--format", "json", who=MANAGER).stdout)
    assert all(p["action"]["id"] not in worked for p in again["proposals"])
    assert not {a for p in again["proposals"] if p["became"] != "rejected earlier" for a in p["findings"]} & set(
        answered
    )

    # Signed off by the registered manager and by nobody else.
    other = cli("plan", "sign-off", complaints["CM0001"], "--db", database, *TEAM)
    assert (other.exit_code, "Only the registered manager" in other.stderr) == (2, True)
    for i in sorted(done):
        do("sign-off", i, "--on", "2021-12-08", who=MANAGER)

    # Done in earnest: an audit of that rule alone verifies it, and says nothing of the others.
    for i in sorted(worked - done):
        do("complete", i, "--evidence", f"References for {i}", "--on", "2022-01-20")
    verdicts = {
        v["action"]: v["now"]
        for v in json.loads(do("verify", "--findings", audits[SPRING], "--format", "json", who=MANAGER).stdout)
    }
    assert {i: verdicts.get(i) for i in worked - done} == dict.fromkeys(worked - done, "verified")
    for i in sorted(worked - done):
        do("sign-off", i, "--on", "2022-02-01", who=MANAGER)
    signed = {a["id"] for a in read("list", "--status", "signed off")["actions"]}
    assert worked <= signed

    # The whole history is there, in order, and nothing was changed.
    history = " ".join(cli("plan", "show", next(iter(worked - done)), "--db", database).stdout.split())
    steps = [
        "from proposed to open",
        "to in progress",
        "to completed",
        "to open",
        "to completed",
        "to verified",
        "to signed off",
    ]
    at = -1
    for step in steps:
        at = history.find(step, at + 1)
        assert at >= 0, step
    assert "none changed or taken out" in cli("plan", "verify", "--db", database).stdout
