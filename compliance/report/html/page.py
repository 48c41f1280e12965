"""The page: parts, styles, script and data put together under a policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import date
from importlib.resources import files

import compliance.report.html.ahead as ahead
import compliance.report.html.audit as audit
import compliance.report.html.kpis as kpis
import compliance.report.html.plan as plan
from compliance.dates import english
from compliance.model import RuleInfo
from compliance.report.whole import Whole
from compliance.report.words import printable_lines, read_text, reading_text

PIECE = 64_000
"""Characters that are written at a time."""


def write(whole: Whole) -> Iterator[str]:
    """The page, piece by piece; the same input gives the same bytes."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    env = Environment(
        loader=PackageLoader("compliance.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda v: printable_lines(v) if type(v) is str else v,
    )
    env.filters |= {
        "english": english,
        "day": short_day,
        "label": label,
        "n": count,
        "cited": cited,
        "reading": reading_text,
        "read": read_text,
    }
    script, style = _own("report.js"), _own("report.css")
    made = audit.view(whole.audit, whole.plan) if whole.audit is not None else None
    yield from _in_pieces(
        env.get_template("page.html").generate(
            whole=whole,
            audit=made,
            ahead=ahead.view(whole.ahead) if whole.ahead is not None else None,
            kpis=kpis.view(whole.kpis) if whole.kpis is not None else None,
            plan=plan.view(whole.plan, whole.as_at, made) if whole.plan is not None else None,
            policy=_policy(style, script),
            style=Markup(style),  # noqa: S704  # our own file
            script=Markup(script),  # noqa: S704
            data=Markup(embedded(made.data)) if made is not None else "",  # noqa: S704  # escaped there
        )
    )


def _own(name: str) -> str:
    return files("compliance.report.html").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Only this style and this script, by their hashes; nothing is fetched, sent or framed."""

    def said(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {said(style)}; script-src {said(script)}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def embedded(value: object) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _in_pieces(texts: Iterator[str]) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text)
        if size >= PIECE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def short_day(day: date | str) -> str:
    """20 Sep 2021."""
    if not day:
        return ""
    on = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{on.day} {on:%b %Y}"


def label(text: str) -> str:
    """`panel-and-approval` -> Panel and approval."""
    said = text.replace("-", " ").replace("_", " ")
    return said[:1].upper() + said[1:]


def cited(rule: RuleInfo) -> str:
    """The clause that is quoted; a KPI cites none."""
    return rule.refs[0] if rule.refs else "no citation"


def count(n: int, one: str, more: str = "") -> str:
    """1 finding, 1,200 findings."""
    return f"{n:,} {one if n == 1 else more or one + 's'}"
