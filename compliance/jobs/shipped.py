"""The files that came with the program: inside the package where it is installed, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
DIGEST = PACKAGE / "shipped" / "digest"
"""Of all that came with the program, written when a wheel is built (`hatch_build.py`); a checkout has none."""


def folders() -> tuple[Path, Path]:
    """`rules` and `schemas`."""
    root = PACKAGE / "shipped" if (PACKAGE / "shipped").is_dir() else PACKAGE.parent
    return root / "rules", root / "schemas"


def sample() -> tuple[Path, Path]:
    """The sample agency's export, a folder, and the plan to begin with, a file."""
    rules, _ = folders()
    inside = rules.parent / "sample"
    if inside.is_dir():
        return inside, rules.parent / "sample-plan.yaml"
    fixtures = rules.parent / "fixtures"
    return fixtures / "agency", fixtures / "plans" / "sample-agency.yaml"
