"""Annotations of GitHub Actions: workflow commands on standard output, as many as are shown, and how many more there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from compliance.findings.report import Report
from compliance.model import Finding, Severity
from compliance.report.words import printable_lines, standing_text, subject_text

KINDS: dict[Severity, str] = {"requirement": "error", "recommendation": "warning", "advice": "notice"}
SHOWN = 10
"""Annotations of a kind that a step may have; further ones vanish without a word, so the last one says how many there are."""


def write(report: Report, width: int) -> Iterator[str]:
    """The annotations; the summary goes where it goes for every format."""
    shown: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for kind, command in _commands(report):
        if shown[kind] < SHOWN - 1:
            shown[kind] += 1
            yield command
        else:
            left[kind] += 1
    for kind in KINDS.values():
        if left[kind]:
            said = f"and {left[kind]:,} more; the report in another format has them all"
            yield _command(kind, said, {"title": "Compliance"})


def _commands(report: Report) -> Iterator[tuple[str, str]]:
    for r in report.rules:
        if r.status == "failed":
            yield "error", _command("error", f"Rule {r.rule.id} failed: {r.why}", {"title": "A fault of the program"})
    for f in report.findings():
        if not report.muted(f):
            yield KINDS[f.rule.severity], _annotation(f, report)


def _annotation(f: Finding, report: Report) -> str:
    where: dict[str, str] = {}
    path = report.path(f.file)
    if path:
        where = {"file": path, "line": str(f.row), "endLine": str(f.row)}
    title = f"{f.rule.id} ({', '.join(x for x in (f.rule.severity, standing_text(f)) if x)})"
    return _command(KINDS[f.rule.severity], f"{subject_text(f)}: {f.title}. {f.in_full}", {**where, "title": title})


def _command(kind: str, message: str, properties: dict[str, str]) -> str:
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {listed}::{_data(message)}\n"


def _data(text: str) -> str:
    """What a line end or a percent sign would end or change, escaped."""
    return printable_lines(text.replace("\r\n", "\n").replace("\r", "\n")).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
