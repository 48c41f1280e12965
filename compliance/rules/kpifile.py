"""What is written of KPIs, as pydantic models: a pack of frameworks, and measure files; and into the model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from compliance import model
from compliance.dates import dated, period_end
from compliance.errors import nearest
from compliance.files.strict import Day, Line, Loc, Name, Problems, Slug, Strict, validated
from compliance.kpis import kpi
from compliance.language.check import PERIOD_START
from compliance.rules import rulefile
from compliance.rules.rulefile import CaseModel, EquivalentModel, Expression

T = TypeVar("T")
Number = int | float
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$", description="SC4, KPI-SC4, FOS-2")]
DEFAULT_PUT_RIGHT = model.PutRight(model.Limit(28, "days"), "registered manager", "performance")


class FrameworkModel(Strict):
    """A version of a framework."""

    title: Line
    from_: Day = Field(alias="from")
    to: Day | None = None
    scheme: Literal["target_with_streak", "tolerance_band", "usual", "none"]
    streak: Annotated[int, Field(ge=1, le=24)] = 3
    source: Line
    note: str | None = None


class KpiPackModel(rulefile.PackModel):
    """`pack.yaml` of a pack of KPIs."""

    frameworks: Annotated[dict[Name, FrameworkModel], Field(min_length=1)]


class BandModel(Strict):
    """From lower to upper, both tolerated."""

    lower: Number
    upper: Number


class VersionModel(Strict):
    """A measure as one framework has it."""

    code: Code
    source_code: str | None = None
    target: Number | dict[Day, Number] | None = None
    band: BandModel | dict[Day, BandModel] | None = None
    usual: Number | dict[Day, Number] | None = None
    confirmed: bool = True


class PublishedModel(Strict):
    """A value that the source gives."""

    period: Line
    value: Number
    framework: Name | None = None
    qualifier: str | None = None


class MissedModel(rulefile.PutRightModel):
    """What a miss triggers."""

    remedy: Line


class KpiModel(Strict):
    """A measure file; docs/kpis.md says what everything means."""

    id: Slug
    title: Line
    area: Line
    unit: Literal["percent", "count", "per_week", "days", "number"]
    direction: Literal["higher_is_better", "lower_is_better", "none"]
    frequency: Literal["week", "month", "quarter", "term", "year"]
    record: Name | None = None
    denominator: Expression | None = None
    numerator: Expression | None = None
    met: Line | None = None
    reported: Line | None = None
    versions: Annotated[dict[Name, VersionModel], Field(min_length=1)]
    comparators: dict[Line, dict[Day, Number]] = {}
    published: list[PublishedModel] = []
    missed: MissedModel | None = None
    note: str | None = None
    show: list[str] = []
    cases: list[CaseModel] = []
    equivalent: list[EquivalentModel] = []


def _number(v: Number) -> Decimal:
    return Decimal(str(v))


def _dated(written: Any, loc: Loc, problems: Problems, make: Any) -> model.Dated[Any] | None:
    if written is None:
        return None
    if not isinstance(written, dict):
        return model.Dated(((date.min, make(written)),))
    if not written:
        problems.add(loc, f"{loc[-1]} has no version")
        return None
    return dated({problems.day((*loc, d), d): make(v) for d, v in written.items()})


def pack(
    document: object, file: str, problems: Problems, duties: Mapping[str, model.Duty] = MappingProxyType({})
) -> tuple[model.Pack, date, dict[str, kpi.Framework]] | None:
    """A pack of KPIs: its figures and lists, the as-at date of its cases, and its frameworks."""
    written = validated(KpiPackModel, document, problems)
    if written is None:
        return None
    plain = {k: v for k, v in document.items() if k != "frameworks"} if isinstance(document, dict) else {}
    found = rulefile.pack(plain, file, problems, duties)
    frameworks = {}
    for name, f in written.frameworks.items():
        loc = ("frameworks", name)
        from_on = problems.day((*loc, "from"), f.from_)
        to_on = problems.day((*loc, "to"), f.to) if f.to else None
        if to_on is not None and to_on < from_on:
            problems.add((*loc, "to"), f"framework '{name}' ends before it begins")
        frameworks[name] = kpi.Framework(
            name,
            written.pack,
            f.title,
            from_on,
            to_on,
            f.scheme,
            f.streak,
            f.source,
            (f.note or "").strip(),
            tuple(written.only_with),
        )
    return None if found is None else (found[0], found[1], frameworks)


FIGURE_OF: Mapping[str, str] = {"target_with_streak": "target", "tolerance_band": "band", "usual": "usual"}


def measure(
    document: object,
    file: str,
    stem: str,
    pack_name: str,
    cases_as_at: date,
    frameworks: Mapping[str, kpi.Framework],
    problems: Problems,
) -> tuple[kpi.Measure, model.Rule | None] | None:
    """A measure, with the rule that its records are asked where it is computed; expressions are not looked into here."""
    written = validated(KpiModel, document, problems)
    if written is None:
        return None
    if written.id != stem:
        problems.add(("id",), f"id is '{written.id}', but the file is called '{stem}'; they must be the same")
    computed = [n for n in ("record", "denominator", "numerator", "met") if getattr(written, n) is not None]
    is_share = written.unit == "percent"
    needed = ["record", "denominator", "numerator", "met"] if is_share else ["record", "denominator"]
    if written.reported is not None and computed:
        problems.add(("reported",), f"a figure is reported, or computed; this one has 'reported' and '{computed[0]}'")
    elif written.reported is None:
        for n in needed:
            if n not in computed:
                problems.add((), f"{n} is missing: a {written.unit} has {', '.join(needed)}, or 'reported'")
        if not is_share and written.unit not in ("count", "per_week"):
            problems.add(
                ("unit",), f"unit {written.unit} can only be reported; computed is a percent, a count or per_week"
            )
        for n in ("numerator", "met"):
            if not is_share and n in computed:
                problems.add((n,), f"a {written.unit} is how many records the denominator has; it has no '{n}'")
    if written.reported is not None and (written.cases or written.show):
        problems.add(("cases",), "a reported figure has no records, so no cases")
    versions = _versions(written, frameworks, problems)
    missed = None
    if written.missed is not None:
        m = written.missed
        missed = model.PutRight(problems.limit(("missed", "within"), m.within), m.by, m.workstream)
    for i, name in enumerate(names := [c.name for c in written.cases]):
        if names.index(name) != i:
            problems.add(("cases", i, "name"), f"two cases are called '{name}'")
    for i, p in enumerate(written.published):
        if p.framework is not None and p.framework not in frameworks:
            problems.add(
                ("published", i, "framework"),
                f"the pack has no framework '{p.framework}'{nearest(p.framework, frameworks)}",
            )
    if problems.found:
        return None
    rule = None
    if written.record is not None and written.denominator is not None:
        rule = _rule(written, file, pack_name, cases_as_at, missed, problems)
    found = kpi.Measure(
        id=written.id,
        pack=pack_name,
        title=written.title,
        area=written.area,
        unit=written.unit,
        direction=written.direction,
        period=written.frequency,
        versions=versions,
        file=file,
        record=rule.record if rule is not None else "",
        from_start=rule is not None and PERIOD_START in rule.when,
        reported=written.reported or "",
        comparators={
            who: tuple(sorted((problems.day(("comparators", who, d), d), _number(v)) for d, v in its.items()))
            for who, its in written.comparators.items()
        },
        published=tuple(
            kpi.Published(p.period, _number(p.value), p.framework or "", p.qualifier or "") for p in written.published
        ),
        missed=missed,
        remedy=written.missed.remedy if written.missed else "",
        note=(written.note or "").strip(),
    )
    return found, rule


def _versions(
    written: KpiModel, frameworks: Mapping[str, kpi.Framework], problems: Problems
) -> tuple[kpi.Version, ...]:
    found = []
    for name, v in written.versions.items():
        loc = ("versions", name)
        framework = frameworks.get(name)
        if framework is None:
            problems.add(loc, f"the pack has no framework '{name}'{nearest(name, frameworks)}")
            continue
        expected = FIGURE_OF.get(framework.scheme, "")
        for key in ("target", "band", "usual"):
            if getattr(v, key) is not None and key != expected:
                goes = f"'{expected}'" if expected else "no figure"
                problems.add(
                    (*loc, key), f"framework '{name}' has the scheme {framework.scheme}, with which goes {goes}"
                )

        def band(b: BandModel, loc: Loc = loc) -> kpi.Band:
            if b.lower > b.upper:
                problems.add((*loc, "band"), f"the band ends at {b.upper}, below its begin at {b.lower}")
            return kpi.Band(_number(b.lower), _number(b.upper))

        found.append(
            kpi.Version(
                framework=name,
                code=v.code,
                source_code=v.source_code or "",
                target=_dated(v.target, (*loc, "target"), problems, _number),
                band=_dated(v.band, (*loc, "band"), problems, band),
                usual=_dated(v.usual, (*loc, "usual"), problems, _number),
                confirmed=v.confirmed,
            )
        )
    return tuple(found)


def _rule(
    written: KpiModel, file: str, pack_name: str, cases_as_at: date, missed: model.PutRight | None, problems: Problems
) -> model.Rule:
    """The measure as a rule: it applies to the denominator, and holds where a record does not count against the service."""
    check: tuple[model.Condition, ...] = ()
    if written.numerator is not None and written.met is not None:
        is_bad = written.direction == "lower_is_better"
        check = (model.Condition(written.met, f"not ({written.numerator})" if is_bad else written.numerator),)
    return model.Rule(
        id=written.id,
        pack=pack_name,
        title=written.title,
        cites=(),
        record=written.record or "",
        when=written.denominator or "",
        judged_on="",
        check=check,
        severity="advice",
        put_right=missed or DEFAULT_PUT_RIGHT,
        remedy=written.missed.remedy if written.missed else "",
        show=tuple(written.show),
        note=(written.note or "").strip(),
        from_on=date.min,
        to_on=None,
        file=file,
        area=written.area,
        cases=tuple(rulefile.case(c, i, cases_as_at, problems) for i, c in enumerate(written.cases)),
        equivalent=tuple(model.Equivalent(e.mutant, e.because) for e in written.equivalent),
        period=written.frequency,
    )


PERIOD = re.compile(r"(\d{4})-(\d{2})")


def period_on(text: str) -> date | None:
    """The last day of a published period that is one month, `2020-02`; None for any other."""
    match = PERIOD.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 12:
        return None
    return period_end(date(int(match[1]), int(match[2]), 1), "month")
