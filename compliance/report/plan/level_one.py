"""The plan on a page (Level One): what it is, who answers for it, and which workstream covers what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from compliance.dates import english
from compliance.report.plan import numbers, page, words
from compliance.tracker.model import Forum, Plan
from compliance.tracker.plain import plain
from compliance.tracker.state import State

WIDEST_MATRIX = 12
"""Workstreams side by side; of more, the matrix lists those that cover each regulation."""
SAID = (
    "responds_to",
    "sponsors",
    "roles",
    "overseen_by",
    "period",
    "dates",
    "themes",
    "members",
    "forums",
    "note",
)


def data(state: State, as_at: date) -> dict[str, Any]:
    """The report as JSON data."""
    plan = state.plan
    counts = numbers.counted(state, as_at)
    return {
        "report": "level-one",
        "plan": plan.id,
        "title": plan.title,
        "as_at": as_at.isoformat(),
        **{k: v for k, v in plain(plan).items() if k in SAID},
        "answers": _answers(plan),
        "covers": _covered("regulation", plan, plan.regulations, {w.id: w.regulations for w in plan.workstreams})
        + _covered("standard", plan, plan.standards, {w.id: w.standards for w in plan.workstreams}),
        "workstreams": [
            {**count, "leads": list(w.leads), "managers": list(w.managers), "measures": len(w.measures)}
            for w, count in zip(plan.workstreams, counts, strict=True)
        ],
        "total": numbers.total(counts),
    }


def _answers(plan: Plan) -> list[dict[str, Any]]:
    """How many of what it answers, by kind as its author calls it, and how many of them restated."""
    kinds = dict.fromkeys(c.kind for c in plan.concerns)
    of = {kind: [c for c in plan.concerns if c.kind == kind] for kind in kinds}
    return [{"kind": k or None, "number": len(its), "restated": sum(c.restated for c in its)} for k, its in of.items()]


def _covered(kind: str, plan: Plan, its: Sequence[str], of: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Each regulation or standard with the workstreams that cover it, each with what it says that it covers."""
    mine = {c for covered in of.values() for c in covered}
    named = [*its, *sorted((c for c in mine if not any(_part(i, c) or _part(c, i) for i in its)), key=words.natural)]
    return [
        {
            "kind": kind,
            "name": name,
            "workstreams": {
                w: said
                for w, covered in of.items()
                if (said := [c for c in covered if _part(name, c) or _part(c, name)])
            },
        }
        for name in named
    ]


def _part(part: str, whole: str) -> bool:
    """11(a) is a part of 11, and 3.1 of 3; 31 is none of 3."""
    return part == whole or (part.startswith(whole) and not part[len(whole)].isalnum())


def blocks(its: Mapping[str, Any]) -> list[page.Block]:
    """The report as people read it."""
    said = [
        ("Responds to", its.get("responds_to", "")),
        ("Answers", "; ".join(map(_answered, its["answers"]))),
        ("Sponsor", "; ".join(its.get("sponsors", ()))),
        *((k.capitalize(), v) for k, v in its.get("roles", {}).items()),
        ("Overseen by", "; ".join(its.get("overseen_by", ()))),
        ("Period", its.get("period", "")),
        ("Dates", "; ".join(f"{k} {english(date.fromisoformat(v))}" for k, v in its.get("dates", {}).items())),
        ("Themes", "; ".join(its.get("themes", ()))),
        ("Members", "; ".join(its.get("members", ()))),
    ]
    workstreams = page.Table(
        ["Workstream", "Lead", "Manager", "Measures"],
        [
            [
                f"{w['id']} {w['title']}",
                "; ".join(w["leads"]),
                "; ".join(w["managers"]),
                str(w["measures"]) if w["measures"] else "",
            ]
            for w in its["workstreams"]
        ],
        ["Measures"],
    )
    nobody = [f"{c['kind'].capitalize()} {c['name']}" for c in its["covers"] if not c["workstreams"]]
    return [
        page.Heading(1, its["title"]),
        page.Facts([("Level One", f"as at {english(date.fromisoformat(its['as_at']))}"), *said]),
        *page.section(2, "Regulations and standards against workstreams", _matrix(its)),
        page.Text("x: the workstream names it; anything else: how the workstream names it." if _otherwise(its) else ""),
        page.Text(f"The plan names these, and no workstream covers them: {'; '.join(nobody)}." if nobody else ""),
        *page.section(2, "Workstreams", workstreams),
        *page.section(2, "Actions", numbers.table(its["workstreams"])),
        *page.section(2, "Governance", _governance([Forum(**f) for f in its.get("forums", ())])),
    ]


def _answered(of: Mapping[str, Any]) -> str:
    # The kind is the author's own word, which is not for us to put into the plural.
    restated = f" ({of['restated']:,} restated)" if of["restated"] else ""
    return f"{of['kind'] or 'concern'}: {of['number']:,}{restated}"


def _otherwise(its: Mapping[str, Any]) -> bool:
    """Whether a workstream names something otherwise than the plan does."""
    return any(said != [c["name"]] for c in its["covers"] for said in c["workstreams"].values())


def _matrix(its: Mapping[str, Any]) -> page.Table:
    """One column a workstream, with a cross; where a workstream names it otherwise, as the workstream does."""
    ids = [w["id"] for w in its["workstreams"]]
    rows = []
    for c in its["covers"]:
        name = f"{c['kind'].capitalize()} {c['name']}"
        cells = {w: ", ".join("x" if s == c["name"] else s for s in said) for w, said in c["workstreams"].items()}
        if len(ids) <= WIDEST_MATRIX:
            rows.append([name, *(cells.get(i, "-") for i in ids)])
        else:
            rows.append([name, ", ".join(w if s == "x" else f"{w} ({s})" for w, s in cells.items())])
    return page.Table(["", *ids] if len(ids) <= WIDEST_MATRIX else ["", "Workstreams"], rows)


def _governance(forums: Sequence[Forum]) -> page.Table:
    rows = [
        [f.name, f.cadence or "", f.does, "" if f.escalate_after is None else f"after {f.escalate_after:,} days"]
        for f in forums
    ]
    return page.Table(["Forum", "How often", "What it does", "Overdue actions come here"], rows)
