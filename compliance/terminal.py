"""What all commands share: how they read their arguments, how they print, and how they stop."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from compliance.errors import ComplianceError, nearest

NOTHING, FOUND, COULD_NOT, INCOMPLETE = 0, 1, 2, 3
"""Exit codes: docs/exit-codes.md."""

click.ClickException.exit_code = COULD_NOT


class Day(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.2 and later only
    """A date, YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """`2021-09-20` -> date."""
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"'{value}' is not a date; write it as YYYY-MM-DD, such as 2021-09-20", param, ctx)


class Format(click.ParamType):  # type: ignore[type-arg]
    """The name of one of the formats of an audit's report, which are looked up when they are asked for."""

    name = "format"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """As click shows a choice."""
        from compliance.report import FORMATS

        return f"[{'|'.join(FORMATS)}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such a format."""
        from compliance.report import FORMATS

        if value not in FORMATS:
            self.fail(f"'{value}' is none of {', '.join(FORMATS)}{nearest(value, FORMATS)}", param, ctx)
        return str(value)


class Also(click.ParamType):  # type: ignore[type-arg]
    """A format and the file that the report is written to in it."""

    name = "FORMAT=FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        """`sarif=findings.sarif`."""
        if isinstance(value, tuple):
            return value
        format_, _, file = value.partition("=")
        if not file:
            self.fail(f"'{value}' names no format and file; write it as sarif=findings.sarif", param, ctx)
        return Format().convert(format_, param, ctx), Path(file)


class Commands(click.Group):
    """Turns what a person can mend into one message and exit code 2; anything else is our bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except ComplianceError as e:
            stop(str(e))
        except BrokenPipeError:
            # Whoever read our output has had enough of it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(COULD_NOT)
        except KeyboardInterrupt:
            stop("Stopped.")


def stop(message: str) -> NoReturn:
    """One message, and the end."""
    click.echo(tidy(message), err=True)
    sys.exit(COULD_NOT)


def tidy(message: str) -> str:
    """A message in which nothing can steer a terminal."""
    from compliance.report.words import printable

    return printable(message)


def width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size((100, 24)).columns


def print_out(pieces: Iterable[str], out: Path | None) -> None:
    """To the screen, or to a file that is whole or not there, readable by its owner alone."""
    if out is None:
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    from compliance.documents import write_private

    write_private(out, (piece.encode("utf-8") for piece in pieces))


data_argument = click.argument("data", type=click.Path(path_type=Path))
out_option = click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of the screen.")
rules_option = click.option(
    "--rules", type=click.Path(path_type=Path, file_okay=False), help="A folder of rules other than the one shipped."
)
parameters_option = click.option(
    "--parameters",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The agency's own figures. Default: parameters.yaml beside the data, if there.",
)
mapping_option = click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    metavar="FILE|NAME",
    help="What the export's files and columns mean: a file, or a mapping that came with the program (annex-a, ssda903)."
    " Default: mapping.yaml beside the data, if there.",
)
strict_option = click.option(
    "--strict", is_flag=True, help="Stop, with exit code 2, if anything in the data does not fit."
)
require_complete_option = click.option("--require-complete", is_flag=True, help="Exit with 3 if a rule could not run.")
only_option = click.option("--rule", "only", multiple=True, help="Run this rule only (may be given several times).")
memory_option = click.option("--memory", default="", help="At most this much memory for the engine, such as 1GB.")
threads_option = click.option(
    "--threads", type=click.IntRange(0, 512), default=0, help="Default: by the size of the export."
)
no_cache_option = click.option("--no-cache", is_flag=True, help="Read and check the rules anew.")
timings_option = click.option("--timings", is_flag=True, help="Say on standard error how long each stage took.")
