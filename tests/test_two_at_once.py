"""Two at the same moment lose nothing, and a kill in the middle of a write tears no file: a few of what `make kills` tries."""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter

import pytest
from fuzz import killed
from fuzz.killed import Files

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the machine cannot divide a process")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TMPDIR", "COMPLIANCE_CACHE", "XDG_STATE_HOME"):
            patch.setenv(name, "")
        patch.setattr(tempfile, "tempdir", None)
        return Files(tmp_path_factory.mktemp("files"))


@pytest.fixture(autouse=True)
def _environment(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPLIANCE_CACHE", str(files.folder / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(files.folder / "state"))
    monkeypatch.setenv("TMPDIR", str(files.scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_two_imports_and_two_new_plans_at_once_lose_nothing(files: Files) -> None:
    n = Counter[str]()
    assert killed.both_at_once(files, 2, n) == []
    assert n == {"rounds of two imports": 2, "rounds of two new plans": 2}


def test_an_import_that_is_killed_in_a_write_leaves_whole_files(files: Files) -> None:
    n = Counter[str]()
    assert killed.kill_imports(files, 3, random.Random(3), n) == []
    assert n.total() == 3
