"""What several tests share.

An audit of a sample agency takes seconds, so nobody makes one that has been made:

- Tests that read what an audit, a KPI run or any other command says of `fixtures/` ask `kept`. A command is run once in a test run,
  whichever worker asks for it; and what only differs in how it is told (another format, another width) is told from the same audit.
- Tests that read the shipped rules ask `shipped_book()`, and in the commands of all tests these are read once a worker.
- Tests of the run itself (another cache, an engine that is made to fail, output to a file) ask `cli`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from postgres_server import new_database, server

from compliance.cli import main
from compliance.findings.report import Report
from compliance.jobs import audit as auditing
from compliance.jobs.asked import Asked, Timings
from compliance.jobs.book import RuleFolders, read_rulebook
from compliance.rules import rulebook
from compliance.rules.rulebook import Rulebook

ROOT = Path(__file__).parent.parent
SHIPPED = (ROOT / "rules", ROOT / "schemas")
OPEN = 8
"""Audits that stay open in a worker: each is an engine that has made its findings, in 50 MB."""


def _read_once(read: Callable[..., Rulebook]) -> Callable[..., Rulebook]:
    """The shipped rules, which nobody changes in a test run, are read once for each file of figures that they are read with."""
    books: dict[object, Rulebook] = {}

    def read_once(
        rules: Path,
        schemas: Path,
        overrides: Path | None = None,
        own: Path | None = None,
        kpis_only: bool = False,
        added: Path | None = None,
    ) -> Rulebook:
        if (rules, schemas) != SHIPPED or added is not None:
            return read(rules, schemas, overrides, own, kpis_only, added)
        asked = (overrides and (overrides, overrides.read_bytes()), kpis_only)
        if asked not in books:
            books[asked] = read(rules, schemas, overrides, own, kpis_only)
        return books[asked]

    return read_once


rulebook.read = _read_once(rulebook.read)


@pytest.fixture(scope="session")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all workers of this test run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "together"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def cache_home(together: Path) -> Path:
    """Where plans are kept for the test run, whichever worker has made them."""
    return together / "cache"


@pytest.fixture(autouse=True)
def _own_cache(cache_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are kept for the test run, not in the home of whoever runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_home))
    monkeypatch.setenv("XDG_STATE_HOME", str(cache_home / "state"))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("COMPLIANCE_CACHE", raising=False)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Runs the command line; our bugs keep their traceback."""

    return _run


@pytest.fixture
def kept(together: Path, open_audits: OpenAudits) -> Callable[..., Result]:
    """The same, but a command that was given once, at this width, is not run again: the sample agencies never change in a test run."""

    def run(*args: object) -> Result:
        assert any(isinstance(a, Path) and a.is_relative_to(ROOT / "fixtures") for a in args), "only of fixtures/"
        assert "--out" not in args, "a command that writes a file is run"
        asked = ([str(a) for a in args], os.environ["COLUMNS"], str(Path.cwd()))
        path = together / hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        with path.open("a+b") as file:
            # Whoever asks for it while it is being made waits for it.
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            if told := file.read():
                return _told(*pickle.loads(told))
            with open_audits.used():
                result = _run(*args)
            said = (result.stdout_bytes, result.stderr_bytes, result.output_bytes, result.exit_code)
            file.write(pickle.dumps(said))
        return _told(*said)

    return run


def _told(stdout: bytes, stderr: bytes, output: bytes, exit_code: int) -> Result:
    return Result(CliRunner(), stdout, stderr, output, None, exit_code, SystemExit(exit_code) if exit_code else None)


class OpenAudits:
    """Audits that have been made and can still be read."""

    def __init__(self) -> None:
        self.audit = auditing.audit
        self.reports: OrderedDict[object, tuple[AbstractContextManager[Report], Report]] = OrderedDict()

    @contextmanager
    def used(self) -> Iterator[None]:
        """An audit that is asked for meanwhile, and that has been made, is not made again."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(auditing, "audit", self.open)
            yield

    @contextmanager
    def open(
        self, asked: Asked, options: auditing.Options = auditing.PLAIN, timings: Timings | None = None
    ) -> Iterator[Report]:
        """As `auditing.audit`, of an export that never changes."""
        its = (asked, options, Path.cwd())
        if its not in self.reports:
            if len(self.reports) >= OPEN:
                self.close()
            opened = self.audit(asked, options, timings)
            self.reports[its] = opened, opened.__enter__()
        self.reports.move_to_end(its)
        yield self.reports[its][1]

    def close(self) -> None:
        """Closes the one that was used longest ago."""
        _, (opened, _) = self.reports.popitem(last=False)
        opened.__exit__(None, None, None)


@pytest.fixture(scope="session")
def open_audits() -> Iterator[OpenAudits]:
    """Those of a worker."""
    audits = OpenAudits()
    yield audits
    while audits.reports:
        audits.close()


@cache
def shipped_book() -> Rulebook:
    """The shipped rules, read once; not to be changed."""
    return read_rulebook(RuleFolders(), None)


def _run(*args: object) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


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
