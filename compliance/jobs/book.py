"""The rule book: everything that people wrote about the law, read from their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.jobs import shipped

if TYPE_CHECKING:
    from compliance.rules.rulebook import Rulebook


@dataclass(frozen=True)
class RuleFolders:
    """Where the rules are.

    Args:
      instead: another folder of rules than the one shipped.
      added: an agency's own rules, beside them.
    """

    instead: Path | None = None
    added: Path | None = None

    @property
    def main(self) -> Path:
        """The folder of the rules that others are added to."""
        return self.instead or shipped.folders()[0]

    @property
    def all(self) -> tuple[Path, ...]:
        """The folders that hold packs."""
        return (self.main, *([self.added] if self.added else ()))

    @property
    def own(self) -> tuple[Path, ...]:
        """Those that did not come with the program."""
        return tuple(folder for folder in (self.instead, self.added) if folder is not None)


SHIPPED = RuleFolders()


def read_rulebook(rules: RuleFolders, parameters: Path | None, kpis_only: bool = False) -> Rulebook:
    """Every rule and KPI, or the KPIs alone, read and checked; slow.

    Args:
      parameters: the agency's own figures.

    Raises:
      RulesError: with every problem in every file.
    """
    from compliance.rules.rulebook import read

    own, schemas = shipped.folders()
    return read(rules.main, schemas, parameters, own, kpis_only, rules.added)
