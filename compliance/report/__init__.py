"""One file a format: each turns the same report into text, and knows of no other."""

from collections.abc import Callable, Iterator, Mapping

from compliance.findings.report import Report
from compliance.report import csv, github, gitlab, json, junit, markdown, sarif, table


def _html(report: Report, width: int) -> Iterator[str]:
    """Its templates and the rules' English are only loaded for it."""
    from compliance.report.html import of_audit

    return of_audit(report, width)


def _xlsx(report: Report, width: int) -> Iterator[bytes]:
    """What writes workbooks is only loaded for it."""
    from compliance.report.xlsx import of_audit

    return of_audit(report, width)


FORMATS: Mapping[str, Callable[[Report, int], Iterator[str] | Iterator[bytes]]] = {
    "table": table.write,
    "json": json.write,
    "csv": csv.write,
    "sarif": sarif.write,
    "junit": junit.write,
    "github": github.write,
    "gitlab": gitlab.write,
    "markdown": markdown.write,
    "html": _html,
    "xlsx": _xlsx,
}
"""Each takes the report and the width of the terminal, and gives the text, or a file's bytes, piece by piece."""
PLACED = frozenset({"sarif", "gitlab", "github"})
"""Formats in which a finding has its place in a repository."""
