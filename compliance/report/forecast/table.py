"""Tables for a terminal: what is due by person and week, then the headroom of what is in order."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from compliance.dates import english
from compliance.findings.forecast import DueItem, Forecast, RuleAhead
from compliance.report.forecast.words import remarks, subject
from compliance.report.grid import grid
from compliance.report.table import DID_NOT_RUN, NARROWEST, did_not_run
from compliance.report.words import head, printable

RAN = ("ran", "looked at nothing")


def write(f: Forecast, width: int) -> Iterator[str]:
    """The forecast, piece by piece."""
    width = max(width, NARROWEST)
    yield f"Forecast of {printable(f.data)} as at {english(f.as_at)}: {f.days:,} days, to {english(f.last)}\n\n{head(f.tables.remarks)}"
    for staff, role, weeks in f.by_person_and_week():
        yield f"{printable(staff or f'{role} (no person is known)')}\n\n"
        for monday, its in weeks:
            yield f"Week of {monday:%A} {english(monday)}\n{_due(list(its), f, width)}\n"
    yield _headroom([r for r in f.rules if r.status == "ran"], width)
    yield did_not_run([r for r in f.rules if r.status not in RAN], width)
    nothing = [r.rule.id for r in f.rules if r.status == "looked at nothing"]
    if nothing:
        yield "\n".join(wrap(f"Nothing falls due under: {', '.join(nothing)}.", width)) + "\n\n"
    yield summary(f)


def summary(f: Forecast) -> str:
    """The whole in a few lines."""
    lines = [f"{f.n('due'):,} due by {english(f.last)}; {f.n('in_order'):,} more in order, due later."]
    if f.n("overdue"):
        lines.append(f"Already overdue: {f.n('overdue'):,}, see compliance audit.")
    if f.n("untold"):
        lines.append(
            f"Cannot be told: {f.n('untold'):,}, for something is missing or cannot be read; see compliance audit."
        )
    said = "".join(f", {f.n_rules(s):,} {s}" for s in DID_NOT_RUN if f.n_rules(s))
    lines.append(f"{f.n_rules('ran'):,} of {len(f.rules):,} rules with a clock ran{said}.")
    if f.tables.n_quarantined:
        n = f.tables.n_quarantined
        lines.append(f"{n:,} {'entry' if n == 1 else 'entries'} in the data could not be used as written.")
    if f.tables.void:
        lines.append(f.tables.void)
    if f.tables.later:
        lines.append(f.tables.later)
    lines += [printable(r) for r in f.tables.remarks]
    return "\n".join(lines) + "\n"


def _due(its: list[DueItem], f: Forecast, width: int) -> str:
    rows = []
    for d in its:
        said = "; ".join(remarks(d))
        what = printable(f"{d.what} ({d.rule.refs[0]})") + (f"\n{printable(said)}" if said else "")
        days = f"{(d.due_on - f.as_at).days:,}"
        rows.append([d.due_on.isoformat(), days, what, printable(subject(d)), f"{d.rule.id}\n{d.rule.severity}"])
    left = width - 10 - 4 - 8
    widths = [10, 4, left * 2 // 5, left * 3 // 10, left - left * 2 // 5 - left * 3 // 10]
    return grid(rows, ["Due", "Days\nleft", "What", "Record", "Rule"], widths, right=(1,))


def _headroom(results: list[RuleAhead], width: int) -> str:
    if not results:
        return "No rule with a clock ran.\n\n"

    def said(n: int | None) -> str:
        return f"{n:,}" if n else "-"

    rows = []
    for r in results:
        name = f"{r.rule.id} (own figure)" if r.rule.own_policy else r.rule.id
        numbers = (r.due, r.overdue, r.untold, r.in_order, r.least_days, r.median_days)
        rows.append([name, r.rule.title, *(said(n) for n in numbers)])
    headers = ["Rule", "Title", "Due", "Over-\ndue", "Cannot\nbe told", "In\norder", "Least\ndays", "Median\ndays"]
    left = width - 6 - 5 - 7 - 6 - 5 - 6 - 14
    widths = [left * 2 // 5, left - left * 2 // 5, 6, 5, 7, 6, 5, 6]
    title = "Headroom, rule by rule: how many are in order until after the window, and how many days these have left"
    table = grid(rows, headers, widths, right=range(2, 8))
    return "\n".join(wrap(title, width)) + f"\n{table}\n"
