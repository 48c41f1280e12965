"""Imports point one way: what each module may import, as data; lazy imports count."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "compliance"

# Innermost first. A module may import only what its line names (and anything outside the project).
ALLOWED: dict[str, set[str]] = {
    "compliance": set(),
    "errors": set(),
    "model": set(),
    "dates": {"model"},
    "language": set(),
    "language.tree": {"model"},
    "language.check": {"errors", "language", "language.tree", "model"},
    "language.describe": {"dates", "language", "language.tree", "model"},
    "rulefile": {"compliance", "dates", "errors", "model"},
    "checking": {"errors", "language", "language.check", "language.tree", "model"},
    "sql": set(),
    "sql.text": set(),
    "compiler": set(),
    "compiler.ir": set(),
    "compiler.lower": {"checking", "compiler.ir", "language", "language.tree", "model"},
    "compiler.argue": {
        "checking",
        "compiler.ir",
        "compiler.lower",
        "language",
        "language.describe",
        "language.tree",
        "model",
    },
}


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(p for p in parts if p != "__init__") or "compliance"


def _modules() -> dict[str, Path]:
    return {_name(p): p for p in sorted(PACKAGE.rglob("*.py")) if "shipped" not in p.parts}
