"""A few changed files at every door; `make fuzz` tries as many as anybody has time for."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz import doors, fuzz

from compliance.rules import rulebook

SEED = 7
EACH = 3
"""Inputs of each door."""


def test_no_changed_file_is_a_crash_a_hang_or_a_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "read", rulebook.read)  # so that what is read once here is so no longer
    fuzz.read_once()
    found = fuzz.Found()
    fuzz.fuzz(tmp_path, list(doors.DOORS), SEED, ((0, name) for name in doors.DOORS), EACH, found)
    assert found.wrong == []
    assert sum(found.inputs.values()) > EACH * len(doors.DOORS) * 0.9
