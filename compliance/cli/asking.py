"""What the commands on an export share: the options that say how it is read and by which rules, given to them as one value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from compliance.jobs.asked import Export
    from compliance.jobs.book import RuleFolders
    from compliance.privacy.pseudonyms import Privacy

Command = Callable[..., Any]

data_argument = click.argument("data", type=click.Path(path_type=Path))
mapping_option = click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    metavar="FILE|NAME",
    help="What the export's files and columns mean: a file, or a mapping that came with the program (annex-a, ssda903)."
    " Default: mapping.yaml beside the data, if there.",
)
parameters_option = click.option(
    "--parameters",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The agency's own figures. Default: parameters.yaml beside the data, if there.",
)
only_option = click.option("--rule", "only", multiple=True, help="Run this rule only (may be given several times).")
personal_option = click.option(
    "--personal", is_flag=True, help="Show what is personal: names, dates of birth and the like. Nothing else does."
)
pseudonymise_option = click.option(
    "--pseudonymise",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="KEYFILE",
    help="Put pseudonyms in the place of ids, the same ones each time with the same key (compliance data new-key).",
)
memory_option = click.option("--memory", default="", help="At most this much memory for the engine, such as 1GB.")
threads_option = click.option(
    "--threads", type=click.IntRange(0, 512), default=0, help="Default: by the size of the export."
)
no_cache_option = click.option("--no-cache", is_flag=True, help="Read and check the rules anew.")


def options(*several: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Options that stand together, in this order."""

    def add(command: Command) -> Command:
        for option in reversed(several):
            command = option(command)
        return command

    return add


def rules_option(command: Command) -> Command:
    """Gives a command the folders of its rules as one `rules`."""

    @wraps(command)
    def with_rules(*, rules: Path | None, add_rules: Path | None, **others: Any) -> Any:
        from compliance.jobs.book import RuleFolders

        return command(rules=RuleFolders(rules, add_rules), **others)

    folder = click.Path(path_type=Path, file_okay=False)
    instead = click.option("--rules", type=folder, help="A folder of rules other than the one shipped.")
    beside = click.option(
        "--add-rules", type=folder, help="A folder with packs of the agency's own rules, run beside the others."
    )
    return options(instead, beside)(with_rules)


meaning_options = options(mapping_option, parameters_option)
shown_options = options(personal_option, pseudonymise_option)
engine_options = options(memory_option, threads_option)


def given_export(command: Command) -> Command:
    """Gives a command its export, and how it is read, as one `export`."""

    @wraps(command)
    def with_export(
        *,
        data: Path,
        mapping: Path | None,
        memory: str = "",
        threads: int = 0,
        no_cache: bool = False,
        personal: bool = False,
        pseudonymise: Path | None = None,
        **others: Any,
    ) -> Any:
        from compliance.jobs.asked import Export

        shown = privacy(personal, pseudonymise)
        return command(export=Export(data, mapping, memory, threads, not no_cache, shown), **others)

    return with_export


def given_asked(command: Command) -> Command:
    """Gives a command its export, the day and the rules as one `asked`."""

    @given_export
    @wraps(command)
    def with_asked(
        *,
        export: Export,
        as_at: date,
        parameters: Path | None,
        rules: RuleFolders,
        only: tuple[str, ...] = (),
        **others: Any,
    ) -> Any:
        from compliance.jobs.asked import Asked

        return command(asked=Asked(export, as_at, parameters, rules, only), **others)

    return with_asked


def privacy(personal: bool, pseudonymise: Path | None) -> Privacy:
    """What may be shown.

    Raises:
      ComplianceError: the key cannot be used.
    """
    from compliance.privacy.pseudonyms import Privacy, read_key

    if personal and pseudonymise:
        raise click.UsageError("--pseudonymise hides who is meant, and --personal says it; give one of them")
    return Privacy(personal, read_key(pseudonymise) if pseudonymise else None)
