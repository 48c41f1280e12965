"""Markdown for a comment on a merge request or the summary of a job: what counts first, the rest folded, and never too long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from compliance.dates import english
from compliance.findings.report import Report
from compliance.model import Finding, RuleInfo, RuleResult
from compliance.report.table import summary
from compliance.report.words import muted_text, on_one_line, standing_text, subject_text

LONGEST = 60_000
"""Bytes: a comment on GitHub may have 65,536 characters; the page that shows it adds to them."""
SHOWN = 10
"""Findings that are told of a rule."""
ROWS = 100
"""Rules in the table, subjects no longer found, rules that did not run: each list as long at most."""
ACTIVE = re.compile(r"([\\`*_{}\[\]<>#!|~$&])")
LINKED = re.compile(r"(@|\\?#|:(?=//)|www(?=\.))")
"""What a forge makes a mention, a reference or a link of, wherever it stands."""
Key = tuple[str, str]


class _Rule:
    """The findings of a rule, as far as they are told."""

    def __init__(self, rule: RuleInfo) -> None:
        self.rule = rule
        self.breach = self.not_evidenced = self.muted = 0
        self.lines: list[str] = []
        self.remedies: dict[str, None] = {}

    def add(self, f: Finding, report: Report) -> None:
        if report.muted(f):
            self.muted += 1
            why = f" *({plain(muted_text(f))})*"
        else:
            self.breach += f.outcome == "breach"
            self.not_evidenced += f.outcome == "not_evidenced"
            why = f" *({standing_text(f)})*" if standing_text(f) else ""
            self.remedies.setdefault(f.remedy)
        if not report.muted(f) and len(self.lines) < SHOWN:
            where = f"{report.path(f.file) or f.file}:{f.row}"
            self.lines.append(f"- {plain(subject_text(f))} in {code(where)}{why}: {plain(f.in_full)}")

    @property
    def failing(self) -> int:
        return self.breach + self.not_evidenced


def plain(text: str) -> str:
    """Text of a record in which nothing is markup, a link, a mention or a reference."""
    return LINKED.sub(r"\1<!-- -->", ACTIVE.sub(r"\\\1", on_one_line(text)))


def in_html(text: str) -> str:
    """The same for the inside of an HTML element, where Markdown is not read."""
    return LINKED.sub(r"\1<!-- -->", escape(on_one_line(text), quote=False))


def code(text: str) -> str:
    """The same between backticks, for what is copied."""
    shown = on_one_line(text).replace("`", "'").replace("|", "/")
    return f"`{shown}`"


def write(report: Report, width: int) -> Iterator[str]:
    """The report, section by section, as far as there is room."""
    left = LONGEST
    for section in _sections(report):
        size = len(section.encode())
        if size > left - 200:
            yield "\n*The rest is left out for want of room; the report in another format has it all.*\n"
            return
        left -= size
        yield section


def _sections(report: Report) -> Iterator[str]:
    its: dict[Key, _Rule] = {}
    for f in report.findings():
        its.setdefault((f.rule.id, f.rule.own_policy), _Rule(f.rule)).add(f, report)
    # In the order of their first findings: danger, then what is open, by the day to put it right.
    failing = [r for r in its.values() if r.failing]
    yield f"## Compliance of {plain(report.data)} as at {english(report.as_at)}\n\n"
    yield "\n".join(f"{plain(line)}  " for line in summary(report).splitlines()) + "\n"
    muted = sum(r.muted for r in its.values())
    if not failing:
        yield "\n**Nothing counts against this run.**\n" if muted else "\n**No findings.**\n"
    else:
        yield "\n" + _table(failing)
    if muted:
        yield f"\n{muted:,} further {'finding is' if muted == 1 else 'findings are'} accepted or in the baseline, and not listed here.\n"
    gone = [] if report.previous is None else report.previous.gone
    if gone:
        listed = [f"- {plain(f'{g.finding.rule}, {g.finding.record} {g.finding.key}: {g.became}')}" for g in gone]
        yield _folded(f"No longer found ({len(gone):,})", listed)
    silent = [r for r in report.rules if r.status in ("failed", "could not run")]
    if silent:
        yield _folded(f"Rules that could not run ({len(silent):,})", [_did_not_run(r) for r in silent])
    for r in failing:
        rest = [f"- and {r.failing - len(r.lines):,} more"] if r.failing > len(r.lines) else []
        remedies = " ".join(f"To put it right: {plain(remedy)}" for remedy in r.remedies)
        remedy = f"{remedies} By: {plain(r.rule.put_right.by)}."
        cited = f" ({plain(r.rule.refs[0])})" if r.rule.refs else ""
        yield _folded(f"{r.rule.title} ({r.failing:,})", [*r.lines, *rest, "", remedy + cited])


def _table(failing: list[_Rule]) -> str:
    rows = [
        f"| {r.rule.severity} | {code(r.rule.id + (' (own policy)' if r.rule.own_policy else ''))} | {r.breach:,} | {r.not_evidenced:,} |"
        f" {plain(r.rule.refs[0]) if r.rule.refs else ''} |"
        for r in failing[:ROWS]
    ]
    more = f"\n{len(failing) - ROWS:,} more rules have findings.\n" if len(failing) > ROWS else ""
    head = "| Severity | Rule | Breach | Not evidenced | Citation |\n| --- | --- | ---: | ---: | --- |\n"
    return head + "\n".join(rows) + "\n" + more


def _did_not_run(r: RuleResult) -> str:
    return f"- {code(r.rule.id)} {r.status}: {plain(r.why)}"


def _folded(title: str, lines: list[str]) -> str:
    shown = lines[:ROWS] + ([f"- and {len(lines) - ROWS:,} more"] if len(lines) > ROWS else [])
    return f"\n<details><summary>{in_html(title)}</summary>\n\n" + "\n".join(shown) + "\n\n</details>\n"
