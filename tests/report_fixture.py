"""One small report that every format of CI is made from: each outcome and status once, and values that mean something to a machine.

`python tests/report_fixture.py` writes it in each format into `tests/data/report/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from compliance.findings.previous import EarlierFinding, Gone, Previous
from compliance.findings.report import Report
from compliance.findings.waivers import Judged, Waiver
from compliance.model import (
    Finding,
    Limit,
    Near,
    PutRight,
    Restated,
    RuleInfo,
    RuleResult,
    Severity,
    Source,
    Tables,
    Whose,
)
from compliance.report import FORMATS

AS_AT = date(2021, 9, 20)
HOSTILE = '100%, "a": b\r\n::error::c <script>&]]>|@all #1 [d](http://e.example) `f` \x1b[31m =g'
"""What a cell of an export may hold."""
FILES = {"sarif": "json", "junit": "xml", "github": "txt", "gitlab": "json", "markdown": "md"}
KEPT = Path(__file__).parent / "data" / "report"


def rule(id_: str, severity: Severity = "requirement", **more: object) -> RuleInfo:
    known: dict[str, object] = {
        "id": id_,
        "pack": "fostering-regulations",
        "title": f"Something about {id_}",
        "record": "household",
        "cites": ("FSR-28-2",),
        "refs": ("reg 28(2)",),
        "layer": "statute",
        "severity": severity,
        "put_right": PutRight(Limit(28, "days"), "registered manager", "reviews"),
        "remedy": "Hold the review.",
        "note": "",
        "parameters": (),
        "status": "ran",
        "regulation": "Fostering Regulations 2011, reg 28",
    }
    return RuleInfo(**{**known, **more})  # type: ignore[arg-type]


LATE = rule("review-late", note="From the catalogue, with high confidence.")
OWN = replace(LATE, layer="local policy", own_policy="the agency's handbook")
ODD = rule(
    "odd", "recommendation", title=f"Odd {HOSTILE}", refs=("standard 13.2",), regulation="", standard="Standard 13"
)
SMALL = rule("small", "advice", cites=(), refs=(), regulation="", layer="good practice", pack="practice")
FIGURE = (("often", "3 years", "local practice", "the agency's handbook"),)
RULES = (
    RuleResult(LATE, "ran", "", compliant=5, breach=1, not_evidenced=1),
    RuleResult(OWN, "ran", "", compliant=6, breach=1),
    RuleResult(rule("broken"), "failed", "the engine said no"),
    RuleResult(ODD, "ran", "", breach=1),
    RuleResult(rule("absent", "recommendation", lacking=("visit",)), "could not run", "no visit records"),
    RuleResult(rule("idle", "advice"), "looked at nothing", "it applies to none of 7", not_applicable=7),
    RuleResult(SMALL, "ran", "", compliant=1, breach=2),
    RuleResult(rule("kept", "advice", parameters=FIGURE), "ran", "", compliant=7),
)


def _finding(rule_: RuleInfo, key: str, argument: str, **more: object) -> Finding:
    known: dict[str, object] = {
        "rule": rule_,
        "outcome": "breach",
        "key": key,
        "argument": argument,
        "failed": ("it was held",),
        "missing": (),
        "evidence": {"approved_on": "2020-03-14"},
        "file": "House holds.csv",
        "row": 7,
        "due_on": "2021-03-14",
        "late": "190 days",
        "late_words": "six months",
        "put_right_on": date(2021, 10, 18),
        "whose": Whose("household", key),
        "labels": {"approved_on": "approval"},
    }
    return Finding(**{**known, **more})  # type: ignore[arg-type]


WAIVER = Waiver(
    "long-sick",
    "",
    "small",
    "H6",
    "",
    False,
    "breach",
    "Off sick; see the plan",
    "",
    "registered manager",
    AS_AT,
    date(2022, 3, 31),
)
FINDINGS = (
    _finding(
        LATE, "H1", "Review due 14 March 2021 (approved 14 March 2020 + 1 year, reg 28(2)); none held.",
        near=Near(
            "carer_review", "R7", Source("HR.xlsx", "Reviews", "carer_review", 9), 4,
            "The nearest is carer review R7 of 13 March 2020", ": signed: no",
        ),
    ),
    _finding(
        LATE, "H2", "Not evidenced: a review was held.", outcome="not_evidenced", missing=("held_on",), row=8, due_on="", late="",
        restated=Restated("2020-12-17", 3),
    ),
    _finding(OWN, "H3", "Review due 14 January 2021 (own policy); held 1 February 2021.", file="HR.xlsx [Staff list]", row=3),
    _finding(ODD, HOSTILE, f"Not met: {HOSTILE}.", row=9),
    _finding(SMALL, "H5", "Not met: it is small.", restated=Restated("2021-05-01", 2), row=10),
    _finding(SMALL, "H6", "Not met: it is small.", waiver=WAIVER.accepted, row=11),
)  # fmt: skip
GONE = EarlierFinding("0123456789abcdef", "review-late", "household", "H9", "", False, "reg 28", "2020-12-17", 1)


def report(findings: tuple[Finding, ...] = FINDINGS, rules: tuple[RuleResult, ...] = RULES) -> Report:
    def read() -> Iterator[Finding]:
        return iter(findings)

    sources = (Source("House holds.csv", "", "household", 9), Source("HR.xlsx", "Staff list", "staff", 4))
    return Report(
        as_at=AS_AT,
        data="agency",
        rules=rules,
        tables=Tables({}, sources, n_quarantined=1),
        findings=read,
        quarantined=lambda: iter(()),
        folded=list,
        waivers=(Judged(WAIVER, "in force", SMALL, "", True),),
        folder="data/agency",
        parts=rules,
        teams=lambda: [f"Team {HOSTILE}"] * len(findings),
    )


def against_a_baseline() -> Report:
    """The same, held against a baseline."""
    previous = Previous(date(2021, 5, 1), 2, 4, (Gone(GONE, "put right"),), ())
    return replace(report(), previous=previous, baseline={"requirement": 2, "recommendation": 1, "advice": 0})


def written(format_: str, of: Report) -> str:
    return "".join(str(piece) for piece in FORMATS[format_](of, 100))


if __name__ == "__main__":
    KEPT.mkdir(parents=True, exist_ok=True)
    for name, ending in FILES.items():
        (KEPT / f"{name}.{ending}").write_text(written(name, report()), encoding="utf-8")
        (KEPT / f"{name}-baseline.{ending}").write_text(written(name, against_a_baseline()), encoding="utf-8")
