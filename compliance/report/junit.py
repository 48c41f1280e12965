"""JUnit XML, as the xunit2 family and Jenkins read it: a suite for each pack and regulation, a case for each rule.

The whole text stands in the body of an element: some readers leave out attributes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape

from compliance.findings.report import Report
from compliance.model import RuleInfo, RuleResult
from compliance.report.words import for_log, muted_text, on_one_line, standing_text, subject_text

MOST = 100
"""Findings that are told of a rule, failing or not; the rest are counted."""
Key = tuple[str, str]


class _Told:
    """What is told of a rule."""

    def __init__(self) -> None:
        self.n: Counter[bool] = Counter()
        self.lines: dict[bool, list[str]] = {False: [], True: []}
        self.remedies: dict[str, None] = {}

    def add(self, muted: bool, line: str, remedy: str) -> None:
        self.n[muted] += 1
        if not muted:
            self.remedies.setdefault(on_one_line(remedy))
        if len(self.lines[muted]) < MOST:
            self.lines[muted].append(line)

    def body(self, muted: bool) -> str:
        left = self.n[muted] - len(self.lines[muted])
        return "\n".join([*self.lines[muted], *([f"and {left:,} more"] if left else [])])


def write(report: Report, width: int) -> Iterator[str]:
    """The report, piece by piece; what is told of a rule is bounded, so that it can be gathered first."""
    told: dict[Key, _Told] = {_key(r.rule): _Told() for r in report.rules}
    for f in report.findings():
        muted = report.muted(f)
        what = standing_text(f) or "breach"
        where = f"{report.path(f.file) or f.file}:{f.row}"
        why = f" [{muted_text(f)}]" if muted else ""
        told[_key(f.rule)].add(muted, on_one_line(f"{subject_text(f)} ({where}), {what}{why}: {f.in_full}"), f.remedy)
    suites: dict[tuple[str, str], list[RuleResult]] = {}
    for r in report.rules:
        suites.setdefault((r.rule.pack, _under(r.rule)), []).append(r)
    whole = Counter(_state(r, told) for r in report.rules)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    name = f"Compliance of {report.data} as at {report.as_at.isoformat()}"
    yield f'<testsuites name="{_attribute(name)}" tests="{len(report.rules)}" failures="{whole["failure"]}" errors="{whole["error"]}">\n'
    for (pack, under), its in suites.items():
        of = Counter(_state(r, told) for r in its)
        yield (
            f'<testsuite name="{_attribute(f"{pack}: {under}")}" tests="{len(its)}" failures="{of["failure"]}"'
            f' errors="{of["error"]}" skipped="{of["skipped"]}" time="0.000" timestamp="{report.as_at.isoformat()}T00:00:00">\n'
        )
        for r in its:
            yield _case(r, f"{pack}.{under}", told[_key(r.rule)], _state(r, told))
        yield "</testsuite>\n"
    yield "</testsuites>\n"


def _key(rule: RuleInfo) -> Key:
    return rule.id, rule.own_policy


def _under(rule: RuleInfo) -> str:
    return rule.regulation or rule.standard or rule.layer


def _state(r: RuleResult, told: dict[Key, _Told]) -> str:
    if r.status == "failed":
        return "error"
    its = told[_key(r.rule)].n
    return "failure" if its[False] else "skipped" if its[True] or r.status != "ran" else "passed"


def _case(r: RuleResult, classname: str, told: _Told, state: str) -> str:
    id_ = r.rule.id + (" (own policy)" if r.rule.own_policy else "")
    head = f'<testcase classname="{_attribute(classname)}" name="{_attribute(id_)}" time="0.000"'
    title = r.rule.title + (f" ({r.rule.refs[0]})" if r.rule.refs else "")
    out = ""
    match state:
        case "passed":
            return f"{head}/>\n"
        case "error":
            inside = _element("error", "failed", r.why, f"{title}\n{r.why}")
        case "failure":
            n = told.n[False]
            said = f"{n:,} {'finding' if n == 1 else 'findings'}: {title}"
            remedies = "\n".join(f"To put it right: {remedy}" for remedy in told.remedies)
            body = f"{title}\n{told.body(False)}\n{remedies}\nBy: {r.rule.put_right.by}."
            inside = _element("failure", r.rule.severity, said, body)
            out = told.body(True)
        case _:
            muted = told.n[True]
            said = f"{muted:,} accepted or in the baseline" if muted else f"{r.status}: {r.why}"
            inside = _element("skipped", "muted" if muted else r.status, said, f"{title}\n{told.body(True) or said}")
    also = f"<system-out>Not counted:\n{_text(out)}</system-out>\n" if out else ""
    return f"{head}>\n{inside}{also}</testcase>\n"


def _element(name: str, type_: str, message: str, body: str) -> str:
    return f'<{name} type="{_attribute(type_)}" message="{_attribute(message)}">{_text(body)}</{name}>\n'


def _attribute(text: str) -> str:
    return escape(on_one_line(text))


def _text(text: str) -> str:
    return escape(for_log(text), quote=False)
