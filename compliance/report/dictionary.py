"""The record kinds told to people: for a terminal, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.errors import ComplianceError, nearest
from compliance.files.documents import json_text
from compliance.model import RECORDED_ON, Field, RecordKind, RecordKinds
from compliance.report.grid import grid

GROUPS = ("agency", "staff", "panel", "fostering", "children", "concerns", "governance", "annex a", "ssda903", "kpis")


def write(kinds: RecordKinds, kind: str, format_: str, width: int) -> Iterator[str]:
    """One kind, or all of them by group.

    Args:
      kind: its name; empty: all.

    Raises:
      ComplianceError: there is no such kind.
    """
    if kind and kind not in kinds:
        raise ComplianceError(f"There is no record kind '{kind}'{nearest(kind, kinds.kinds)}")
    chosen = [kinds[kind]] if kind else list(kinds.kinds.values())
    if format_ == "json":
        yield json_text({k.name: _plain(k) for k in chosen}, indent=2) + "\n"
        return
    order = {g: i for i, g in enumerate(GROUPS)}
    for k in sorted(chosen, key=lambda k: (order.get(k.group, len(order)), k.group)):
        yield _told(k, kinds, max(width, 72))


def _told(kind: RecordKind, kinds: RecordKinds, width: int) -> str:
    lines = [f"{kind.name}  ({kind.group})", f"  {kind.description}", f"  Key: {kind.key}."]
    if kind.date:
        lines.append(f"  Happened on: {kind.date}.")
    if kind.counts_from:
        lines.append(f"  Exists from: {', else '.join(kind.counts_from)}.")
    for link in kind.links.values():
        lines.append(f"  Up to {link.to} as '{link.name}' by {link.field}; from there back as '{link.back}'.")
    below = sorted(kinds.down[kind.name])
    if below:
        lines.append(f"  Down to: {', '.join(below)}.")
    rows = [[f.name, type_words(f), remarks(f)] for f in kind.fields.values()]
    name_width = max(len(f) for f in kind.fields)
    left = max(24, width - name_width - 16 - 6)
    table = grid(rows, ["Field", "Type", "Meaning"], [None, 16, left])
    return "\n".join(lines) + "\n\n" + "\n".join(f"  {line}" for line in table.splitlines()) + "\n\n"


def type_words(f: Field) -> str:
    """List, by ;  or  whole number (days)."""
    name = {"list": "list, by ;", "boolean": "yes or no", "integer": "whole number"}.get(f.type, f.type)
    return f"{name} ({f.unit})" if f.unit else name


def remarks(f: Field) -> str:
    """What it means, and all that is particular about it."""
    empty = f'; where it is empty, "{f.empty}"' if f.empty else ""
    said = [f.description, f'Findings say "{f.title}"{empty}.']
    if f.codes:
        said.append(f"One of: {', '.join(f.codes)}.")
    if f.required:
        said.append("Required.")
    if f.personal:
        said.append("Personal.")
    if f.may_lie_ahead:
        said.append("May lie ahead.")
    if f.known_from:
        said.append(f"Known from {f.known_from}.")
    if f.in_doubt_before:
        said.append(f"In doubt before {f.in_doubt_before}.")
    if f.shown_by:
        signs = "; or ".join(sign.label for sign in f.shown_by)
        said.append(f"Empty, it is not known, not none, where {signs}.")
    if f.name == RECORDED_ON:
        said.append("As at an earlier day the record is not there.")
    return " ".join(said)


def _plain(kind: RecordKind) -> dict[str, object]:
    return {
        "title": kind.title,
        "description": kind.description,
        "group": kind.group,
        "key": kind.key,
        "date": kind.date or None,
        "counts_from": list(kind.counts_from),
        "links": {link.name: {"to": link.to, "field": link.field, "back": link.back} for link in kind.links.values()},
        "fields": {
            f.name: {
                "type": f.type,
                "title": f.title,
                "description": f.description,
                "codes": list(f.codes),
                "required": f.required,
                "personal": f.personal,
                "unit": f.unit or None,
                "may_lie_ahead": f.may_lie_ahead,
                "known_from": f.known_from or None,
                "in_doubt_before": f.in_doubt_before or None,
                "empty": f.empty or None,
                "shown_by": {sign.label: sign.text for sign in f.shown_by} or f.shown_by_none or None,
            }
            for f in kind.fields.values()
        },
    }
