"""An audit made ready for its page: causes, regulations, and the findings as data for the script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from compliance.dates import put_right_on
from compliance.findings.report import Report
from compliance.findings.waivers import STATES, Judged
from compliance.model import (
    NOT_TOLD,
    Finding,
    Prompted,
    Quarantined,
    Reading,
    RuleInfo,
    RuleResult,
    WrittenRule,
)
from compliance.report.causes import Cause, Causes
from compliance.report.plan.answering import Answering, named
from compliance.report.regulations import COLUMNS, Under, heading, unders
from compliance.report.today import Heap, heaps
from compliance.report.words import accepted_text, value_text, whose_text, why_text
from compliance.tracker.state import State

FIRST = 50
"""Findings that are in the page itself, for whoever reads it without the script."""
MOST = 50_000
"""Findings that a page holds; more make it slow to open, and the page says so."""
MOST_QUARANTINED = 500


@dataclass(frozen=True)
class Row:
    """A finding of the first ones, with whose it is, and the places of the actions that answer it."""

    finding: Finding
    owner: str
    team: str
    answering: Sequence[int] = ()

    @property
    def accepted(self) -> str:
        """Until when the risk is accepted, if it is."""
        return accepted_text(self.finding.waiver) if self.finding.waiver else ""


@dataclass(frozen=True)
class View:
    """What the template is given.

    Args:
      today: what to do today.
      causes: by how they stand, in `HEAPS`; in each by the day to put it right, then the most serious, then the most findings first.
      folded: how many findings are told with the one that they repeat, and in no cause of their own.
      first: the first findings.
      data: all findings, for the script.
      left_out: how many findings the page does not hold.
      waivers: what asks for something to be done first, each with why it is worth what it is worth.
      columns: of `COLUMNS`, those that any check came to.
      answering: the actions that answer findings of the page; None: no plan is told with it.
      names: whom actions are about, by what the plan has of them, with names; empty where none are shown.
    """

    report: Report
    today: Sequence[Heap]
    causes: Mapping[str, Sequence[Cause]]
    folded: int
    first: Sequence[Row]
    regulations: Sequence[Under]
    standards: Sequence[Under]
    did_not_run: Sequence[RuleResult]
    ran: Sequence[RuleResult]
    prompts: Sequence[Prompted]
    not_asked: Mapping[str, int]
    quarantined: Sequence[Quarantined]
    data: Mapping[str, object]
    left_out: int
    columns: Sequence[str]
    waivers: Sequence[tuple[Judged, str]]
    read_before: Mapping[tuple[str, str, str], Reading]
    answering: Answering | None
    names: Mapping[str, str]


def view(report: Report, plan: State | None = None) -> View:
    """Everything that the page says of an audit; the findings are read through once.

    Args:
      plan: the plan that is told with it, so that each leads to the other.
    """
    rules, written = _Rules(report), report.written()
    causes = Causes.of(report)
    names: dict[tuple[str, ...], int] = {}
    files: dict[str, int] = {}
    teams: dict[str, int] = {}
    first: list[Row] = []
    rows: list[list[object]] = []
    of_requirement: Counter[str] = Counter()
    answering = Answering(plan)
    answers: dict[tuple[int, ...], int] = {(): 0}
    names_of: dict[str, str] = {}
    for f, team in zip(report.findings(), report.teams(), strict=True):
        owner = whose_text(f)
        cause = causes.add(f)
        of_requirement[heading(f.rule)] += 1
        if plan is not None and report.tables.personal:
            kept, told = named(f)
            names_of[kept] = told
        if len(rows) < MOST:
            its_actions = answering.of(f)
            cause.answering.update(its_actions)
            if len(first) < FIRST:
                first.append(Row(f, owner, team, its_actions))
            rows.append(
                [
                    rules.number(f.rule),
                    int(f.outcome == "not_evidenced"),
                    f.key,
                    f.in_full,
                    cause.number,
                    list(f.missing),
                    names.setdefault(tuple(f.labels.get(n, n) for n in f.evidence), len(names)),
                    [value_text(v) for v in f.evidence.values()],
                    files.setdefault(f.file, len(files)),
                    f.row,
                    f.due_on,
                    f.late_words,
                    owner,
                    teams.setdefault(team, len(teams)),
                    f.restated.since if f.restated else "",
                    f.restated.times if f.restated else 0,
                    accepted_text(f.waiver) if f.waiver else "",
                    answers.setdefault(its_actions, len(answers)),
                ]
            )
    prompts = report.prompts()
    heaped = causes.heaps()
    listed = unders(report, written, of_requirement)
    return View(
        report=report,
        today=heaps(heaped),
        causes=heaped,
        folded=causes.folded,
        first=first,
        regulations=[u for u in listed if u.name in {r.rule.regulation for r in report.parts}],
        standards=[u for u in listed if u.name not in {r.rule.regulation for r in report.parts}],
        did_not_run=[r for r in report.rules if r.status != "ran"],
        ran=[r for r in report.rules if r.status == "ran"],
        prompts=[p for p in prompts if not p.left_out],
        not_asked=Counter(p.left_out for p in prompts if p.left_out),
        quarantined=list(islice(report.quarantined(), MOST_QUARANTINED)),
        data={
            "asAt": report.as_at.isoformat(),
            "rules": [_rule(r, written.get(r.id, NOT_TOLD), report.as_at) for r in rules.listed],
            "causes": [
                [list(f.failed), f.title, f.remedy, f.standing, f.danger, list(f.refs)]
                for f in (c.finding for c in causes)
            ],
            "names": [[n.replace("_", " ") for n in its] for its in names],
            "files": list(files),
            "teams": list(teams),
            "actions": [[t.action.id, t.status] for t in answering.actions] if plan is not None else None,
            "answers": list(answers),
            "findings": rows,
        },
        left_out=report.n_findings() - len(rows),
        waivers=[
            (j, why_text(j))
            for j in sorted(report.waivers, key=lambda j: (STATES.index(j.state), j.waiver.until, j.waiver.id))
        ],
        read_before=report.read_before(),
        columns=[c for c in COLUMNS if any(u.checks[c] for u in listed)],
        answering=answering if plan is not None else None,
        names=names_of,
    )


class _Rules:
    """The rules that have findings, numbered as they come."""

    def __init__(self, report: Report) -> None:
        self.listed: list[RuleInfo] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, rule: RuleInfo) -> int:
        """Of a rule asked for one item of its list as by one figure; seen for the first time, it is listed."""
        number = self._numbers.setdefault((rule.id, rule.rest), len(self.listed))
        if number == len(self.listed):
            self.listed.append(rule)
        return number


def _rule(r: RuleInfo, written: WrittenRule, as_at: date) -> dict[str, object]:
    duties = {d.id: d for d in written.cites}
    cites = [
        [d.id, d.ref, d.title, d.layer, d.confidence or "not stated"]
        for d in (duties[id_] for id_ in r.cites if id_ in duties)
    ]
    return {
        "id": r.id,
        "title": r.title,
        "record": r.record.replace("_", " "),
        "severity": r.severity,
        "under": heading(r),
        "ref": r.refs[0] if r.refs else "no citation",
        "cites": cites,
        "workstream": r.put_right.workstream,
        "by": r.put_right.by,
        "on": put_right_on(as_at, r.put_right.within).isoformat(),
        "remedy": r.remedy,
        "note": r.note,
        "part": r.part,
        "own": r.own_policy,
        "asks": written.sentences,
        "conditions": written.conditions,
        "figures": [[n.replace("_", " "), *rest] for n, *rest in r.parameters],
    }
