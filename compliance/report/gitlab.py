"""GitLab's Code Quality report: an array of findings. GitLab compares it with the target branch's itself, so it holds them all."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.files.documents import json_text
from compliance.findings.report import Report
from compliance.model import Finding, Outcome, Severity
from compliance.report.words import accepted_text, on_one_line, subject_text

SEVERITY: dict[tuple[Severity, Outcome], str] = {
    ("requirement", "breach"): "critical",
    ("requirement", "not_evidenced"): "major",
    ("recommendation", "breach"): "major",
    ("recommendation", "not_evidenced"): "minor",
    ("advice", "breach"): "minor",
    ("advice", "not_evidenced"): "info",
}


def write(report: Report, width: int) -> Iterator[str]:
    """The findings, piece by piece."""
    yield "[\n"
    for i, finding in enumerate(report.findings()):
        yield (",\n" if i else "") + json_text(_entry(finding, report))
    yield "\n]\n"


def _entry(f: Finding, report: Report) -> dict[str, object]:
    accepted = f" [{accepted_text(f.waiver)}]" if f.waiver else ""
    return {
        "description": on_one_line(f"{subject_text(f)}: {f.title}. {f.in_full}{accepted}"),
        "check_name": f.rule.id,
        "fingerprint": f.fingerprint,
        "severity": "info" if f.waiver else SEVERITY[f.rule.severity, f.outcome],
        "location": {"path": report.path(f.file) or f.file, "lines": {"begin": f.row}},
    }
