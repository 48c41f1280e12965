"""What was proposed for an audit's findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import compliance.report.plan.words as words
from compliance.report.grid import grid
from compliance.report.words import for_log
from compliance.tracker.plain import plain
from compliance.tracker.proposing import Became, Proposal, Proposed

NARROWEST = 80
HEADERS = ["Action", "", "What", "Owner", "Due", "Findings"]
SAID: Mapping[Became, str] = {
    "new": "new",
    "grown": "takes more in",
    "named": "says now whom it is about",
    "rejected earlier": "stays rejected",
}


def _rows(proposed: Proposed) -> list[list[str]]:
    return [
        [
            p.action.id,
            SAID[p.became],
            words.what(p.action.text, tuple(dict.fromkeys(f.about for f in p.findings)))
            + (f" [{p.why}]" if p.why and p.became != "named" else ""),
            p.action.owner,
            words.due(p.action.due),
            f"{len(p.findings):,}",
        ]
        for p in proposed.proposals
    ]


def _summary(proposed: Proposed) -> str:
    def of(became: Became) -> list[Proposal]:
        return [p for p in proposed.proposals if p.became == became]

    def told(its: list[Proposal], what: str) -> str:
        n, f = len(its), sum(len(p.findings) for p in its)
        return f"{n:,} {'action' if n == 1 else 'actions'} {what}, for {f:,} {'finding' if f == 1 else 'findings'}."

    said = [told(of("new"), "proposed")]
    if grown := of("grown"):
        said.append(told(grown, "with more to do"))
    if named := of("named"):
        said.append(told(named, "with the records now that each is about"))
    if rejected := of("rejected earlier"):
        said.append(told(rejected, "rejected earlier, and not proposed again"))
    n = sum(proposed.covered.values())
    if n:
        said.append(f"{n:,} {'finding is' if n == 1 else 'findings are'} answered by actions of the plan already.")
    if proposed.accepted:
        said.append(f"{proposed.accepted:,} more, whose risk is accepted by a waiver, need none while it lasts.")
    return " ".join(said)


def _table(proposed: Proposed, width: int) -> Iterator[str]:
    rows = [[for_log(c) for c in row] for row in _rows(proposed)]
    if rows:
        yield grid(rows, HEADERS, [12, 8, max(width, NARROWEST) - 68, 14, 11, None], right=[5])
    yield f"{_summary(proposed)}\n"


def _markdown(proposed: Proposed, width: int) -> Iterator[str]:
    if proposed.proposals:
        yield words.markdown_table(HEADERS, _rows(proposed)) + "\n"
    yield f"{_summary(proposed)}\n"


def _json(proposed: Proposed, width: int) -> Iterator[str]:
    yield words.dump(
        {
            "proposals": [
                {
                    "became": p.became,
                    "workstream": p.workstream.id,
                    "action": plain(p.action),
                    "findings": [f.fingerprint for f in p.findings],
                    "why": p.why,
                }
                for p in proposed.proposals
            ],
            "covered": dict(proposed.covered),
            "accepted": proposed.accepted,
        }
    )


FORMATS: Mapping[str, Callable[[Proposed, int], Iterator[str]]] = {
    "table": _table,
    "markdown": _markdown,
    "json": _json,
}
