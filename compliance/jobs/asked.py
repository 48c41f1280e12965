"""What jobs are asked: which export, how it is read, by which rules, as at which day."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.jobs.book import SHIPPED, RuleFolders, read_rulebook
from compliance.privacy.pseudonyms import NOTHING_SHOWN, Privacy

if TYPE_CHECKING:
    from compliance.rules.rulebook import Rulebook

MAPPING = "mapping.yaml"
PARAMETERS = "parameters.yaml"


@dataclass(frozen=True)
class Export:
    """An export, how it is read, and what of it may be shown.

    Args:
      data: a folder of CSV files, one CSV file, or a workbook.
      mapping: what its files and columns mean; None: `mapping.yaml` beside the data, if there.
      memory, threads: limits for the engine; empty and 0: by the size of the export.
      use_cache: whether what was made of mapping and rules before may be used, and what is made now is kept.
      privacy: whether what is personal is shown, and pseudonyms stand for ids.
    """

    data: Path
    mapping: Path | None = None
    memory: str = ""
    threads: int = 0
    use_cache: bool = True
    privacy: Privacy = NOTHING_SHOWN

    @property
    def name(self) -> str:
        """As the user gave it."""
        return self.data.name or str(self.data)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.data if self.data.is_dir() else self.data.parent

    @property
    def mapping_file(self) -> Path | None:
        """The mapping that counts."""
        return self.mapping or self.beside(MAPPING)

    def beside(self, name: str) -> Path | None:
        """The file `name` in its folder, if it is there."""
        path = self.folder / name
        return path if path.is_file() else None


@dataclass(frozen=True)
class Asked:
    """What every job on an export is asked.

    Args:
      as_at: the day that the export is looked at from.
      parameters: the agency's own figures; None: `parameters.yaml` beside the data, if there.
      only: rule ids; empty: all.
    """

    export: Export
    as_at: date
    parameters: Path | None = None
    rules: RuleFolders = SHIPPED
    only: tuple[str, ...] = ()

    @property
    def figures(self) -> Path | None:
        """The file with the agency's own figures that counts."""
        return self.parameters or self.export.beside(PARAMETERS)

    @cached_property
    def book(self) -> Rulebook:
        """The rules and KPIs, read once, and only if what is kept of them will not do.

        Raises:
          RulesError: with every problem in every file.
        """
        return read_rulebook(self.rules, self.figures)

    @cached_property
    def kpi_book(self) -> Rulebook:
        """The same for those who ask of KPIs alone: without the rules, where these have not been read."""
        return self.__dict__.get("book") or read_rulebook(self.rules, self.figures, kpis_only=True)


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
