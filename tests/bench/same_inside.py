"""Runs commands of one checkout's `compliance` in one process, for same.py, which starts it in that checkout.

Each line of standard input names a command and the two files that take what it says; each line of standard output is an exit code,
but for the first, which says that it is ready.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

import compliance
from compliance.cli import main as program


def exit_code(args: list[str]) -> int:
    """Runs one command as its own process would, and gives what that would end with."""
    try:
        program.main(args, prog_name="compliance")
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else int(e.code is not None)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """Answers until nothing more is asked."""
    if not Path(compliance.__file__).is_relative_to(Path.cwd()):
        sys.exit(f"{compliance.__file__} is not of this checkout, {Path.cwd()}")
    asked, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    print("ready", file=answers, flush=True)
    for line in asked:
        question = json.loads(line)
        for stream, file in ((sys.stdout, question["stdout"]), (sys.stderr, question["stderr"])):
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, stream.fileno())
            os.close(handle)
        code = exit_code(question["args"])
        sys.stdout.flush()
        sys.stderr.flush()
        print(code, file=answers, flush=True)


if __name__ == "__main__":
    main()
