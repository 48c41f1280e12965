"""Tables for a terminal, made to its width."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap

from compliance.dates import english, english_iso
from compliance.findings.forecast import RuleAhead
from compliance.findings.previous import Previous
from compliance.findings.report import Report
from compliance.findings.waivers import STATES, Judged
from compliance.model import SEVERITIES, Finding, RuleResult
from compliance.report.grid import grid
from compliance.report.today import today
from compliance.report.words import (
    accepted_text,
    evidence_text,
    head,
    printable,
    printable_lines,
    read_text,
    reading_text,
    standing_text,
    whose_text,
    why_text,
)

NARROW, WIDE = 110, 140
"""Below: columns are joined; from here on: evidence has a column of its own."""
PSEUDONYM_WIDTH = 17
"""One that is broken over two lines cannot be copied, nor turned back."""
NARROWEST = 80
"""Tables do not get narrower than this, whatever the terminal."""
QUARANTINE_LINES = 10
GONE_KEYS = 6
"""So many subjects of an earlier audit's findings are named on a line; the JSON has them all."""

DID_NOT_RUN = ("failed", "could not run", "looked at nothing", "not in force", "switched off")


def write(report: Report, width: int) -> Iterator[str]:
    """The report, piece by piece: what became of every rule, then the findings."""
    width = max(width, NARROWEST)
    yield f"Audit of {printable(report.data)} as at {english(report.as_at)}\n\n{head(report.tables.remarks)}"
    yield _today(report, width)
    yield _rules_that_ran([r for r in report.rules if r.status == "ran"], width)
    yield did_not_run([r for r in report.rules if r.status != "ran"], width)
    yield _quarantine(report)
    yield _unrecorded(report)
    yield _previous(report.previous, width)
    yield _waivers(report.waivers, width)
    yield _groups(report, width)
    if not report.n_findings():
        yield "No findings.\n"
    else:
        by = f" by {report.by}" if report.by else ""
        yield f"Findings{by}, first things first\n"
        yield from _findings(report, width)
    yield from _prompts(report, width)
    yield _unmet(report, width)
    yield "\n" + summary(report)


def summary(report: Report) -> str:
    """The whole in two or three lines; first of all, if so, that most rules could not run."""
    by = [f"{report.n_findings(s):,} {s if s == 'advice' else s + 's'}" for s in SEVERITIES]
    if n := report.n_regulations:
        by[0] += f" under {n:,} {'regulation' if n == 1 else 'regulations'}"
    breach = sum(r.breach for r in report.rules)
    unshown = sum(r.not_evidenced for r in report.rules)
    ran = report.n_rules("ran")
    lines = [
        *([report.reach] if report.reach else []),
        f"{report.n_findings():,} findings: {', '.join(by)} ({breach:,} breached, {unshown:,} not evidenced)"
        + (f", of which {report.n_accepted():,} accepted" if report.n_accepted() else "")
        + ".",
        f"{ran:,} of {len(report.rules):,} rules ran"
        + "".join(f", {report.n_rules(s):,} {s}" for s in DID_NOT_RUN if report.n_rules(s))
        + ".",
    ]
    if report.tables.n_quarantined:
        n = report.tables.n_quarantined
        lines.append(f"{n:,} {'entry' if n == 1 else 'entries'} in the data could not be used as written.")
    if report.tables.void:
        lines.append(report.tables.void)
    if report.tables.later:
        lines.append(report.tables.later)
    if report.baseline is not None and report.previous is not None:
        p, n = report.previous, sum(report.baseline.values())
        lines.append(
            f"Against the baseline as at {english(p.as_at)}: {p.new:,} new ({n:,} that can fail a run), {p.restated:,} known, "
            f"{len(p.gone):,} no longer found."
        )
    if report.readings:
        n = len(report.unmet())
        lines.append(f"{len(report.readings):,} answers of readers are on record, {n:,} of them other than met.")
    states = [j.state for j in report.waivers]
    if states:
        lines.append(f"Waivers: {', '.join(f'{states.count(s):,} {s}' for s in STATES if s in states)}.")
    lines += [printable(r) for r in report.tables.remarks]
    return "\n".join(lines) + "\n"


def _today(report: Report, width: int) -> str:
    lines = []
    for heap in today(report):
        lines += [heap.title]
        for n, sentence in enumerate(heap.sentences, start=1):
            lead = f"{n:>3}. "
            lines += wrap(printable(sentence.in_full), width, initial_indent=lead, subsequent_indent=" " * len(lead))
        lines += [f"     {heap.more:,} more {'cause' if heap.more == 1 else 'causes'}."] if heap.more else []
    return "\n".join(["Today", *lines, "", ""]) if lines else ""


def _rules_that_ran(results: list[RuleResult], width: int) -> str:
    if not results:
        return "No rule ran.\n\n"
    headers = ["Checked", "Compliant", "Breach", "Not evidenced", "Pending"]
    numbers: list[int | None] = [7, 9, 6, 9, 7]
    narrow = width < NARROW
    left = width - 38 - 2 * (6 if narrow else 7)
    rule_width = left * 45 // 100 if narrow else left * 3 // 10
    cite_width = 0 if narrow else left // 5
    title_width = left - rule_width - cite_width
    rows = []
    for r in results:
        title, cite = r.rule.title, r.rule.refs[0]
        counts = [f"{n:,}" if n else "-" for n in (r.checked, r.compliant, r.breach, r.not_evidenced, r.pending)]
        rows.append([r.rule.id, *([f"{title}\n({cite})"] if narrow else [title, cite]), *counts])
    names = ["Rule", "Title (citation)"] if narrow else ["Rule", "Title", "Citation"]
    widths: list[int | None] = [rule_width, title_width] if narrow else [rule_width, title_width, cite_width]
    right = range(len(names), len(names) + 5)
    return f"What became of every rule\n{grid(rows, [*names, *headers], [*widths, *numbers], right)}\n"


def did_not_run(results: Sequence[RuleResult | RuleAhead], width: int) -> str:
    """Every rule that did not run, and why."""
    if not results:
        return ""
    ordered = sorted(results, key=lambda r: (DID_NOT_RUN.index(r.status), r.rule.id))
    left = width - 17 - 6
    rule_width = max(14, left // 4)
    title_width = max(16, left * 3 // 8)
    rows, whole = [], Counter((r.rule.pack, r.why) for r in ordered if r.status == "switched off")
    for r in ordered:
        n = whole.pop((r.rule.pack, r.why), 0) if r.status == "switched off" else 1
        # A whole pack that is not for this export is one line.
        said = [r.rule.id, r.rule.title] if n == 1 else [f"{n:,} rules", f"The pack {r.rule.pack}"]
        rows += [[r.status, *said, r.why]] if n else []
    widths: list[int | None] = [17, rule_width, title_width, max(16, left - rule_width - title_width)]
    table = grid(rows, ["What became of it", "Rule", "Title", "Why"], widths)
    return f"Rules that did not run, or found nothing to look at\n{table}\n"


def _quarantine(report: Report) -> str:
    if not report.tables.n_quarantined:
        return ""
    folded = report.folded()
    lines = [f"  {printable(line)}" for line in folded[:QUARANTINE_LINES]]
    if len(folded) > QUARANTINE_LINES:
        lines.append(f"  and {len(folded) - QUARANTINE_LINES:,} more; compliance data check lists all")
    return "In the data, not usable as written\n" + "\n".join(lines) + "\n\n"


def _unrecorded(report: Report) -> str:
    lines = [f"  {printable(u.told)}" for u in report.tables.unrecorded]
    return "In the data, empty although it happened\n" + "\n".join(lines) + "\n\n" if lines else ""


def _prompts(report: Report, width: int) -> Iterator[str]:
    prompts = report.prompts()
    if report.seed is None or not prompts:
        return
    asked = [p for p in prompts if not p.left_out]
    drawn = f"Drawn with --seed {report.seed}; the same seed draws the same records of the same export."
    yield "\nTo be read and judged\n" + "\n".join(wrap(drawn, width)) + "\n"
    left = width - 6
    widths = [left * 3 // 10, left * 4 // 10, left - left * 3 // 10 - left * 4 // 10]
    rows = []
    before = report.read_before()
    for p in asked:
        title = f"{p.prompt.duty}\n{p.prompt.title} ({p.prompt.ref})"
        its = [(key, before.get((p.prompt.duty, p.prompt.record, key)), because) for key, because in p.read]
        keys = "\n".join(
            printable(
                key + (f" ({said})" if (said := ", ".join([*because, *([reading_text(r)] if r else [])])) else "")
            )
            for key, r, because in its
        )
        whole = (
            f"the export has no {p.prompt.record} records" if not p.records else f"{p.prompt.record}, of {p.records:,}:"
        )
        rows.append([title, p.prompt.question, f"{whole}\n{keys}".rstrip("\n")])
    yield grid(rows, ["Duty", "Question", "Read"], widths)
    out: dict[str, list[str]] = {}
    for p in prompts:
        if p.left_out:
            out.setdefault(p.left_out, []).append(p.prompt.duty)
    for why, duties in out.items():
        yield "\n".join(wrap(f"Not asked ({why}): {', '.join(duties)}.", width)) + "\n"


def _unmet(report: Report, width: int) -> str:
    """Whatever was drawn this time: what a reader found stands until the record is read again."""
    if not report.unmet():
        return ""
    lines = ("\n".join(wrap(printable(read_text(r)), width, subsequent_indent="  ")) for r in report.unmet())
    return "\nRead, and not found met\n" + "\n".join(lines) + "\n"


def _groups(report: Report, width: int) -> str:
    if not report.groups:
        return ""
    headers = [report.by.capitalize(), "Requirements", "Recommen-\ndations", "Advice", "Rules"]
    left = width - 12 - 9 - 6 - 8
    rows = [
        [
            printable(g.label),
            *(f"{g.n(s):,}" if g.n(s) else "-" for s in SEVERITIES),
            ", ".join(g.by_rule),
        ]
        for g in report.groups
    ]
    table = grid(rows, headers, [left // 3, 12, 9, 6, left - left // 3], right=(1, 2, 3))
    return f"Findings by {report.by}, in numbers\n{table}\n"


def _previous(p: Previous | None, width: int) -> str:
    if p is None:
        return ""
    lines = [f"Held against the audit as at {english(p.as_at)}"]
    lines.append(f"{p.restated:,} restated, {p.new:,} new, {len(p.gone):,} no longer found.")
    if p.requirements:
        rows = [
            [
                r.requirement,
                r.standing if r.asked or r.standing != "no longer found" else "not all asked again",
                r.since,
                f"{r.times:,}",
                f"{r.then:,}",
                f"{r.now:,}",
            ]
            for r in p.requirements
        ]
        headers = ["Regulation or standard", "", "Since", "Audits", "Then", "Now"]
        columns: list[int | None] = [width - 19 - 10 - 6 - 6 - 6 - 10, 19, 10, 6, 6, 6]
        lines += ["", grid(rows, headers, columns, right=(3, 4, 5)).rstrip("\n")]
    if p.gone:
        folded: dict[tuple[str, str, str], list[str]] = {}
        for g in p.gone:
            folded.setdefault((g.finding.rule, g.became, g.why), []).append(
                printable(g.finding.key + (f" ({g.finding.part})" if g.finding.part else ""))
            )
        rows = [
            [rule, became, f"{len(keys):,}", ", ".join(keys[:GONE_KEYS]) + (" …" if len(keys) > GONE_KEYS else ""), why]
            for (rule, became, why), keys in folded.items()
        ]
        left = width - 17 - 5 - 8
        widths: list[int | None] = [left * 35 // 100, 17, 5, left * 35 // 100, left - 2 * (left * 35 // 100)]
        lines += ["", "No longer found"]
        lines.append(grid(rows, ["Rule", "What became of it", "How\nmany", "Subjects", "Why"], widths, right=(2,)))
    return "\n".join(lines).rstrip("\n") + "\n\n"


def _waivers(waivers: Sequence[Judged], width: int) -> str:
    if not waivers:
        return ""
    rows = []
    for j in sorted(waivers, key=lambda j: (STATES.index(j.state), j.waiver.until, j.waiver.id)):
        w = j.waiver
        of = " ".join(x for x in (j.rule.id if j.rule else w.rule, w.subject, f"({w.part})" if w.part else "") if x)
        days = f"from {w.from_on}\nuntil {w.until}"
        on = f"{w.reason}\nLegal basis: {w.legal_basis or 'none given'}\nApproved by: {w.approved_by}"
        rows.append(
            [j.state, printable_lines(f"{w.id}\n{of or w.finding}"), days, printable(why_text(j)), printable_lines(on)]
        )
    left = width - 16 - 16 - 8
    widths = [16, left * 35 // 100, 16, left * 30 // 100, left - left * 35 // 100 - left * 30 // 100]
    table = grid(rows, ["", "Waiver", "Days", "Why", "Accepted because"], widths)
    said = (
        "A finding that is accepted is still a finding, and a breach of law still a breach; it is only left out of what"
        " fails a run."
    )
    return "Accepted risks\n" + "\n".join(wrap(said, width)) + f"\n{table}\n"


def _findings(report: Report, width: int) -> Iterator[str]:
    due = 12
    subject = PSEUDONYM_WIDTH if report.tables.pseudonyms else 10
    widths: list[int | None]
    if width < NARROW:
        headers = ["Finding", "What failed", "Due"]
        widths = [26, width - 26 - due - 4, due]
    elif width < WIDE:
        headers = ["Severity", "Rule", "Subject", "What failed", "Due"]
        widths = [14, width // 6, subject, width - 14 - width // 6 - subject - due - 8, due]
    else:
        headers = ["Severity", "Rule", "Subject", "What failed", "Evidence", "Due"]
        left = width - 14 - width // 8 - subject - due - 10
        widths = [14, width // 8, subject, left * 3 // 5, left * 2 // 5, due]
    rows: list[list[str]] = []
    group = ""
    for finding in report.findings():
        if len(rows) == 500 or (rows and finding.group != group):
            yield grid(rows, headers, widths) + "\n"
            rows = []
        if finding.group != group:
            group = finding.group
            yield f"\n{printable(group)}\n"
        rows.append(_finding(finding, width))
    if rows:
        yield grid(rows, headers, widths) + "\n"


def _about(f: Finding) -> list[str]:
    """The record, the name of whom it is about, and whose file it is in."""
    of = [whose_text(f)] if f.whose and f.whose.record != f.rule.record else []
    return [f"{f.key} ({f.rule.part})" if f.rule.part else f.key, *([f.name] if f.name else []), *of]


def _finding(f: Finding, width: int) -> list[str]:
    severity = ", ".join(x for x in (f.rule.severity, standing_text(f)) if x)
    evidence = printable(evidence_text(f))
    if f.restated:
        severity += f", restated, since {f.restated.since}, {f.restated.times} times"
    if f.waiver:
        severity += f", {accepted_text(f.waiver)}"
    danger = f"Danger: {printable(f.danger)}\n" if f.danger else ""
    said, key = f"{printable(f.title)}.\n{danger}{printable(f.in_full)}", "\n".join(map(printable, _about(f)))
    due = (f"{english_iso(f.due_on)}\n" if f.due_on else "") + f"put right by {english(f.put_right_on)}"
    if width >= WIDE:
        return [severity, f.rule.id, key, said, evidence, due]
    said += f"\nEvidence: {evidence}" if evidence else ""
    if width < NARROW:
        return [f"{severity}\n{f.rule.id}\n{f.rule.record} {key}", said, due]
    return [severity, f.rule.id, key, said, due]
