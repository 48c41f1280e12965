"""What the documents name exists."""

from __future__ import annotations

import re

from conftest import ROOT, shipped_book


def test_every_shape_names_rules_that_there_are() -> None:
    """A shape is shown by a rule of the shipped packs, or it is only a claim."""
    ids = {r.rule.id for r in shipped_book().rules}
    rows = [
        line for line in (ROOT / "docs" / "shapes.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    shown = [re.findall(r"`([a-z0-9-]+)`", row.split("|")[3]) for row in rows[1:]]
    assert len(shown) > 20
    assert sorted({i for its in shown for i in its} - ids) == []


def test_the_readme_counts_the_rules_of_each_pack() -> None:
    packs = shipped_book().packs
    told = dict(
        re.findall(r"^\| `([a-z0-9-]+)` \| (\d+) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert told == {name: str(len(pack.rules)) for name, pack in packs.items()}
