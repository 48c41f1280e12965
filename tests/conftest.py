"""What several tests share.

An audit of a sample agency takes seconds, so nobody makes one that has been made: tests that read what an audit, a KPI run or any other
command says of `fixtures/` ask `kept`, and tests that read the shipped rules ask `shipped_book()`. Tests of the run itself (another cache,
an engine that is made to fail, output to a file) ask `cli`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from postgres_server import new_database, server

from compliance.cli import main
from compliance.jobs import planning
from compliance.rules.rulebook import Rulebook

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are kept for the test run, not in the home of whoever runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("COMPLIANCE_CACHE", raising=False)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Runs the command line; our bugs keep their traceback."""

    return _run


@pytest.fixture
def kept() -> Callable[..., Result]:
    """The same, but a command that was given once, at this width, is not run again: the sample agencies never change in a test run."""

    def run(*args: object) -> Result:
        assert any(isinstance(a, Path) and a.is_relative_to(ROOT / "fixtures") for a in args), "only of fixtures/"
        assert "--out" not in args, "a command that writes a file is run"
        return _kept(tuple(str(a) for a in args), os.environ["COLUMNS"])

    return run


@cache
def shipped_book() -> Rulebook:
    """The shipped rules, read once; not to be changed."""
    return planning.rulebook(None, None)


def _run(*args: object) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@cache
def _kept(args: tuple[str, ...], columns: str) -> Result:
    assert columns, "the width has a say in what is written"
    return _run(*args)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A server of the tests' own."""
    with server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "plan.sqlite")
    return new_database(request.getfixturevalue("postgresql"), f"t{uuid4().hex}")
