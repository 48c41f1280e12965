"""The program: `compliance`, or `python -m compliance`."""

from __future__ import annotations

import sys
import traceback

STOPPED, OUR_FAULT = 2, 4
"""Exit codes (docs/exit-codes.md) of a program that did not get as far as what decides on the others."""


def run() -> None:
    """Carries out the command that was asked for, and ends with its exit code: Python's own for a program that cannot begin is 1."""
    try:
        from compliance.cli import main
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(STOPPED)
    except BaseException:
        traceback.print_exc()
        sys.exit(OUR_FAULT)
    main()


if __name__ == "__main__":
    run()
