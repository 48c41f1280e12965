"""The rule book: everything that people wrote about the law, read from their files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from compliance.jobs import shipped

if TYPE_CHECKING:
    from compliance.rules.rulebook import Rulebook


def read_rulebook(rules: Path | None, parameters: Path | None, kpis_only: bool = False) -> Rulebook:
    """Every rule and KPI, or the KPIs alone, read and checked; slow.

    Args:
      rules: another folder of rules than the one shipped; `parameters`: the agency's own figures.

    Raises:
      RulesError: with every problem in every file.
    """
    from compliance.rules.rulebook import read

    own, schemas = shipped.folders()
    return read(rules or own, schemas, parameters, own, kpis_only)
