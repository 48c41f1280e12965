"""What all commands share: how they read their arguments, how they print, and how they stop."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from compliance.cli.ending import code_of, unread
from compliance.errors import ComplianceError, nearest
from compliance.files.names import is_text, readable

if TYPE_CHECKING:
    from compliance.findings.forecast import RuleAhead
    from compliance.jobs.asked import Timings
    from compliance.model import RuleResult, Tables
    from compliance.report.whole import Whole


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


def _of_audits() -> Collection[str]:
    from compliance.report import FORMATS

    return FORMATS


class Format(click.ParamType):  # type: ignore[type-arg]
    """The name of one of the formats of a report, an audit's unless said otherwise.

    Args:
      formats: gives their names; asked when they are needed, so that no command loads another's formats.
    """

    name = "format"

    def __init__(self, formats: Callable[[], Collection[str]] = _of_audits) -> None:
        self._formats = formats

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """As click shows a choice."""
        return f"[{'|'.join(self._formats())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such a format."""
        known = self._formats()
        if value not in known:
            self.fail(f"'{value}' is none of {', '.join(known)}{nearest(value, known)}", param, ctx)
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


TAMPERED = "compliance.tampered"
"""In a context: a plan was read that somebody has changed past the program, and this was told."""


class Commands(click.Group):
    """Ends with the exit code that is true, whatever happens on the way."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Runs the command; as a program of its own, ends the process."""
        run = partial(super().main, *args, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        sys.exit(code_of(run))

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """What the command is asked; help is printed on the way."""
        with unread():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            with unread():
                return super().invoke(ctx)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as e:
            if TAMPERED not in ctx.meta:
                raise
            # Whatever is in the events of such a plan, no fault of the program lies in not making sense of it.
            raise ComplianceError("What was changed in the plan cannot be made sense of. Nothing more was done.") from e

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, if all of them are text."""
        for arg in args:
            if not is_text(arg):
                raise click.UsageError(f"'{readable(arg)}' is not UTF-8; rename the file or folder")
        _refuse_repeated(self, args)
        return super().parse_args(ctx, args)


def _refuse_repeated(command: click.Command, args: list[str]) -> None:
    """Of an option that takes one value and stands twice, the first would be gone in silence.

    Raises:
      UsageError: one does.
    """
    while isinstance(command, click.Group):
        at = next((i for i, arg in enumerate(args) if not arg.startswith("-")), None)
        named = None if at is None else command.commands.get(args[at])
        if at is None or named is None:
            return
        command, args = named, args[at + 1 :]
    ctx = click.Context(command, resilient_parsing=True)
    _, _, given = command.make_parser(ctx).parse_args(args=list(args))
    for option in given:
        single = isinstance(option, click.Option) and not (option.multiple or option.is_flag or option.count)
        if single and sum(other is option for other in given) > 1:
            raise click.UsageError(f"{option.opts[0]} is given twice; give it once")


def stop(message: str) -> NoReturn:
    """One message, and the end."""
    raise ComplianceError(message)


def tidy(message: str) -> str:
    """A message in which nothing can steer a terminal."""
    from compliance.report.words import for_log

    return for_log(message)


def width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size((100, 24)).columns


def print_out(pieces: Iterable[str] | Iterable[bytes], out: Path | None) -> None:
    """To the screen, or to a file that is whole or not there, readable by its owner alone.

    Bytes go to a file, or to the program that reads our output; never to a terminal.
    """
    if out is None:
        for piece in pieces:
            if isinstance(piece, bytes) and sys.stdout.isatty():
                raise click.UsageError(
                    "A workbook is for no screen: name a file with --out FILE, or send it on with > FILE"
                )
            click.echo(piece, nl=False)
        return
    from compliance.files.documents import write_private

    write_private(out, pieces)


def whole_writer(out: Path, format_: str | None) -> Callable[[Whole], Iterable[str] | Iterable[bytes]]:
    """What writes everything in the format asked for, else in that of the file's ending."""
    from compliance.report.wholes import ENDINGS, FORMATS

    name = format_ or ENDINGS.get(out.suffix.lower())
    if name is None:
        raise click.UsageError(f"--out {out} ends in none of {', '.join(ENDINGS)}; say with --format what to write")
    return FORMATS[name]


def _of_wholes() -> Collection[str]:
    from compliance.report.wholes import FORMATS

    return FORMATS


whole_out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The file to write: one that ends in .html is a page, one in .xlsx a workbook.",
)
whole_format_option = click.option(
    "--format", "format_", type=Format(_of_wholes), help="What to write, whatever the file is called."
)


out_option = click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of the screen.")
strict_option = click.option(
    "--strict", is_flag=True, help="Stop, with exit code 2, if anything in the data does not fit."
)
require_complete_option = click.option("--require-complete", is_flag=True, help="Exit with 3 if a rule could not run.")
min_rules_option = click.option(
    "--min-rules",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Exit with 3 if fewer rules than this could run: a column that is gone is no reason to be green.",
)
timings_option = click.option("--timings", is_flag=True, help="Say on standard error how long each stage took.")


FREQUENCIES = ["week", "month", "quarter", "term", "year"]


def span(as_at: date, every: str | None, first: date | None, last: date | None) -> tuple[date | None, date]:
    """From when to when values are wanted."""
    if (every is None) != (first is None) or (every is None and last is not None):
        raise click.UsageError("--every, --from and, if it is not the as-at date, --to go together")
    last = last or as_at
    if first is not None and first > last:
        raise click.UsageError(f"--from {first} is later than --to {last}")
    if last > as_at:
        raise click.UsageError(f"--to {last} is later than the as-at date {as_at}: nobody knows yet")
    return first, last


def tell_times(times: Timings | None) -> None:
    """Where the time went, if that was asked for."""
    for stage, seconds in times.stages.items() if times else ():
        click.echo(f"{seconds * 1000:8.1f} ms  {stage}", err=True)


def entries(n: int) -> str:
    """1 entry, 1,200 entries."""
    return f"{n:,} {'entry' if n == 1 else 'entries'}"


def tell_failed(results: Iterable[RuleResult | RuleAhead]) -> None:
    """A fault of ours is told whatever the format."""
    for result in results:
        if result.status == "failed":
            message = (
                f"Rule {result.rule.id} failed: {result.why}\n    This is a fault of the program; please report it."
            )
            click.echo(tidy(message), err=True)


def tell_astray(tables: Tables) -> bool:
    """Whether rows of the export went astray in the program, which is told whatever the format."""
    for where in tables.astray:
        click.echo(tidy(f"{where} This is a fault of the program; please report it."), err=True)
    return bool(tables.astray)


def aside(summary: str, out: Path | None) -> None:
    """What a person at the screen should see when the report itself goes to a file or a machine."""
    click.echo(summary, nl=False, err=True)
    if out is not None:
        click.echo(f"Written to {out}.", err=True)
