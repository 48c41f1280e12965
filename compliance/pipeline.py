"""The whole way of the data, one call a stage; the only module that knows the order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from compliance.findings import Report
from compliance.model import Tables

MAPPING = "mapping.yaml"
PARAMETERS = "parameters.yaml"

SMALL = 150_000
"""Rows up to which one thread is faster than two: starting and joining threads costs more than the work."""


@dataclass(frozen=True)
class Audit:
    """What is asked for.

    Args:
      data: a folder of CSV files, one CSV file, or a workbook.
      mapping, parameters: the agency's files; None: `mapping.yaml` and `parameters.yaml` beside the data, if there.
      rules: another folder of rules than the one shipped.
      only: rule ids; empty: all.
      memory, threads: limits for the engine; empty and 0: by the size of the export.
      use_cache: whether a plan made before may be used, and this one kept.
    """

    data: Path
    as_at: date
    mapping: Path | None = None
    parameters: Path | None = None
    rules: Path | None = None
    only: tuple[str, ...] = ()
    memory: str = ""
    threads: int = 0
    use_cache: bool = True


@dataclass
class Timings:
    """Seconds by stage."""

    stages: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def mark(self, stage: str) -> None:
        """The time since the last mark went to `stage`."""
        now = time.perf_counter()
        self.stages[stage] = self.stages.get(stage, 0.0) + now - self._last
        self._last = now


def beside(data: Path, name: str) -> Path | None:
    """The file `name` in the export's folder, if it is there."""
    path = (data if data.is_dir() else data.parent) / name
    return path if path.is_file() else None


@contextmanager
def audit(asked: Audit, timings: Timings | None = None) -> Iterator[Report]:
    """Audits an export; the report's findings can be read inside the `with` only.

    Raises:
      ComplianceError: the rules, the mapping or the export cannot be used.
    """
    from compliance import loading, planning, run

    timings = timings or Timings()
    mapping = asked.mapping or beside(asked.data, MAPPING)
    parameters = asked.parameters or beside(asked.data, PARAMETERS)
    with TemporaryDirectory(prefix="compliance-") as scratch_name:
        scratch = Path(scratch_name)
        con = run.connect(scratch, asked.memory, asked.threads or 1)
        timings.mark("start")
        try:
            kinds = planning.record_kinds()
            tables = loading.load_tables(con, asked.data, planning.mapping(mapping, kinds), kinds, scratch)
            timings.mark("read, map and validate")
            if not asked.threads and sum(t.rows for t in tables.tables.values()) > SMALL:
                run.use_all_cores(con)
            run.lock(con)
            prepared = planning.plan(
                kinds, tables, asked.as_at, asked.rules, parameters, asked.only, asked.use_cache
            )
            timings.mark("load rules and compile")
            audited, results = run.run(con, prepared.plan, prepared.rules, asked.as_at, tables.sources)
            timings.mark("run")
            yield Report(
                as_at=asked.as_at,
                data=asked.data.name or str(asked.data),
                rules=results,
                tables=tables,
                findings=audited.findings,
                findings_json=audited.findings_json,
                quarantined=lambda: loading.quarantined(con),
                folded=lambda: loading.folded(con),
            )
            timings.mark("report")
        finally:
            con.close()


__all__ = ["Audit", "Tables", "Timings", "audit", "beside"]
