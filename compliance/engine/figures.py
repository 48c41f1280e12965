"""Figures in an export that somebody else had worked out (I/O: the database)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from compliance.kpis.measuring import Reported
from compliance.sql import reporting
from compliance.sql.text import literal

if TYPE_CHECKING:
    from compliance.engine.database import Connection
    from compliance.model import Tables


def reported_figures(con: Connection, tables: Tables, day: date, as_at: date) -> list[Reported]:
    """The figures in the export that somebody else had worked out by `as_at`, for periods that had ended on `day`."""
    table = tables.tables.get("reported_figure")
    columns = ("framework", "code", "period_end", "value", "numerator", "denominator")
    if table is None or not {"framework", "code", "period_end", "value"} <= table.columns:
        return []
    rows = con.execute(reporting.figures(columns, table.columns, literal(as_at)), {"day": day}).fetchall()
    return [Reported((str(f), str(c)), end, value, n, d) for f, c, end, value, n, d in rows]


def figures_held(con: Connection, tables: Tables) -> list[tuple[str, int, str | None, str | None, date | None]]:
    """Every reported figure of the export: file, row, framework, code, and the end of its period."""
    table = tables.tables.get("reported_figure")
    if table is None or not {"framework", "code", "period_end"} <= table.columns:
        return []
    rows = con.execute(reporting.FIGURES).fetchall()
    return [(tables.sources[src].label, row, framework, code, end) for src, row, framework, code, end in rows]
