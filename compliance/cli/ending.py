"""How a command ends: one exit code for each way, whatever becomes of the output (docs/exit-codes.md)."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

from compliance.errors import ComplianceError

NOTHING, FOUND, COULD_NOT, INCOMPLETE, OUR_FAULT = 0, 1, 2, 3, 4
"""Exit codes: docs/exit-codes.md."""

click.ClickException.exit_code = COULD_NOT

FULL_TRACEBACK = "COMPLIANCE_TRACEBACK"
"""The variable that, set to `full`, has the texts of errors told as well; they may quote a record."""


class Unread(Exception):
    """Whoever read our output has had enough of it."""


@contextmanager
def unread() -> Iterator[None]:
    """Keeps from click what it would end with 1."""
    try:
        yield
    except BrokenPipeError as e:
        raise Unread from e


def code_of(run: Callable[[], Any]) -> int:
    """Carries out a command; what a person can mend is told in one message, and a fault of ours with its traceback."""
    if sys.stdout is None:
        return _ended("Standard output is closed. Send it to a file, or to /dev/null.")
    try:
        try:
            code = run()
            return _whole(code if isinstance(code, int) else NOTHING)
        except SystemExit as e:
            return _whole(e.code if isinstance(e.code, int) else NOTHING if e.code is None else OUR_FAULT)
        except click.ClickException as e:
            e.show()
            return _whole(e.exit_code)
    except ComplianceError as e:
        return _ended(str(e))
    except (KeyboardInterrupt, click.Abort):
        return _ended("Stopped.")
    except (Unread, BrokenPipeError):
        return _ended()
    except OSError as e:
        file = f"{e.filename}: " if isinstance(e.filename, str) else ""
        return _ended(f"{file}{e.strerror or 'the machine cannot do what was asked'}. Nothing more was done.")
    except MemoryError:
        return _ended("There is not enough memory for this. Nothing more was done.")
    except UnicodeEncodeError as e:
        if sys.stdout.encoding == "utf-8":
            return _ended(_fault(e), OUR_FAULT)
        how = "Set PYTHONUTF8=1 in the environment, or have a file written"
        return _ended(
            f"Standard output takes {sys.stdout.encoding}, which has not every sign that is to be told. {how}."
        )
    except BaseException as e:  # a panic of a library that is not written in Python is no Exception
        return _ended(_fault(e), OUR_FAULT)


def _whole(code: int) -> int:
    """The code, once all that was written has left; OSError if it cannot."""
    sys.stdout.flush()
    return code


def _ended(message: str = "", code: int = COULD_NOT) -> int:
    """Says why, if anybody can be told, and sees to it that Python does not try again to write what could not be written."""
    from compliance.report.words import for_log

    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is sys.stderr and message:
                click.echo(for_log(message), err=True)
            elif stream is not None:
                stream.flush()
        except OSError:
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code


def _fault(error: BaseException) -> str:
    """Where it happened. The texts of errors are left out, for they quote values."""
    told = traceback.TracebackException.from_exception(error)
    if os.environ.get(FULL_TRACEBACK) == "full":
        lines = list(told.format())
    else:
        lines = ["Traceback (most recent call last):\n", *told.stack.format(), f"{type(error).__name__}\n"]
    return (
        f"{''.join(lines)}This is a fault of the program; please report it. What an error says of a value is left out: with "
        f"{FULL_TRACEBACK}=full in the environment it is told as well, for your own eyes."
    )
