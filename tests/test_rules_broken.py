"""Every mistake in a rule file gets one clear message, with its place and the nearest right thing: a corpus, one file a message."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from broken_rules import message

CORPUS = Path(__file__).parent / "broken"
PACKAGE = Path(__file__).parent.parent / "compliance"


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.yaml")), ids=lambda p: p.stem)
def test_broken_rule_says_what_is_wrong_and_where(path: Path) -> None:
    assert message(path) == path.with_suffix(".txt").read_text(encoding="utf-8")


def _wordings() -> set[str]:
    """The longest constant piece of each message that checking an expression or a rule can give."""
    found = set()
    for file in ("language/check.py", "rules/checking.py"):
        for node in ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = {"bad": 1, "problem": 2, "Mistake": 1}.get(called)
            if at is None or len(node.args) <= at:
                continue
            pieces = [
                n.value for n in ast.walk(node.args[at]) if isinstance(n, ast.Constant) and isinstance(n.value, str)
            ]
            longest = max((p.strip() for p in pieces), key=len, default="")
            if len(longest) > 8:
                found.add(longest)
    return found


def test_every_message_of_the_checker_has_a_broken_file() -> None:
    told = re.sub(r"\s+", " ", " ".join(p.read_text(encoding="utf-8") for p in CORPUS.glob("*.txt")))
    untold = sorted(w for w in _wordings() if re.sub(r"\s+", " ", w) not in told)
    assert untold == []
