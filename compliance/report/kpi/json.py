"""KPIs as JSON, by schemas/kpis.schema.json; what `--history` reads."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from compliance.dates import put_right_on
from compliance.files.documents import json_text
from compliance.kpis.kpi import WITH_ACTION, Indicator, KpiReport, Point, period_name


def write(report: KpiReport, width: int) -> Iterator[str]:
    """The report, piece by piece."""
    head = {
        "as_at": report.as_at.isoformat(),
        "day": report.day.isoformat(),
        "data": report.data,
        "personal": report.tables.personal,
        "pseudonyms": report.tables.pseudonyms or None,
        "suppressed_below": report.suppressed_below or None,
        "quarantined": report.tables.n_quarantined,
        "frameworks": [
            {
                "name": f.name,
                "pack": f.pack,
                "title": f.title,
                "from": f.from_on.isoformat(),
                "to": f.to_on.isoformat() if f.to_on else None,
                "scheme": f.scheme,
                "streak": f.streak if f.scheme == "target_with_streak" else None,
                "source": f.source,
            }
            for f in report.frameworks
        ],
        "left_out": [f.name for f in report.left_out],
    }
    yield _dump(head)[:-1] + ',\n"kpis":[\n'
    yield ",\n".join(_dump(_indicator(i, report)) for i in report.indicators)
    yield "\n]}\n"


def _dump(value: object) -> str:
    return json_text(value)


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _point(p: Point) -> dict[str, object]:
    return {
        "from": p.start.isoformat(),
        "to": p.end.isoformat(),
        "value": _number(p.value),
        "low": _number(p.low),
        "high": _number(p.high),
        "numerator": p.numerator,
        "denominator": p.denominator,
        "unknown": p.unknown,
        "origin": p.origin,
        "why": p.why or None,
    }


def _indicator(i: Indicator, report: KpiReport) -> dict[str, object]:
    v, day, m = i.version, i.now.end, i.measure
    band = v.band.on(day) if v.band else None
    action = None
    if i.status.certain in WITH_ACTION and m.missed is not None:
        action = {
            "put_right_on": put_right_on(report.day, m.missed.within).isoformat(),
            "by": m.missed.by,
            "workstream": m.missed.workstream,
            "remedy": m.remedy,
        }
    return {
        "framework": i.framework.name,
        "code": v.code,
        "source_code": v.source_code or None,
        "measure": m.id,
        "title": m.title,
        "area": m.area,
        "unit": m.unit,
        "direction": m.direction,
        "frequency": m.period,
        "period": period_name(i.now.start, m.period),
        **_point(i.now),
        "target": _number(v.target.on(day)) if v.target else None,
        "lower": _number(band.lower) if band else None,
        "upper": _number(band.upper) if band else None,
        "usual": _number(v.usual.on(day)) if v.usual else None,
        "confirmed": v.confirmed,
        "status": i.status.certain,
        "possible": list(i.status.possible),
        "why_no_status": i.status.why or None,
        "streak": i.status.streak,
        "gap": _number(i.status.gap),
        "action": action,
        "change": _number(i.change),
        "comparators": {who: {d.isoformat(): _number(x) for d, x in its} for who, its in m.comparators.items()},
        "history": [_point(p) for p in i.points],
        "could_not": i.could_not or None,
        "note": m.note or None,
    }
