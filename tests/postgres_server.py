"""A PostgreSQL server of the tests' own, on a free port, gone when they are done."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

WAIT = 60
"""Seconds until the server must answer."""


def _programs() -> Path | None:
    """Where initdb and postgres are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3].split(".")[0]))
    there = str(found[-1]) if found else shutil.which("initdb")
    return Path(there).resolve().parent if there else None


def _nobody_special() -> str | None:
    """Who runs it, for it refuses root; None: whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {p.pw_name for p in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextmanager
def server() -> Iterator[str]:
    """Its URL up to the name of a database."""
    import psycopg

    programs = _programs()
    if programs is None:
        why = "no PostgreSQL server is installed: apt-get install postgresql"
        if os.environ.get("CI", "").casefold() in ("1", "true"):
            pytest.fail(f"{why}; CI is to run these tests")
        pytest.skip(why)
    user = _nobody_special()
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    if user is not None:
        shutil.chown(folder, user)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    quick = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    said = folder / "said.txt"
    subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "plan", "-E", "UTF8", "--locale=C", "-N"],
        check=True,
        capture_output=True,
        user=user,
        cwd=folder,
    )
    with said.open("w") as log:
        command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), *quick]
        process = subprocess.Popen(command, stdout=log, stderr=log, user=user, cwd=folder)
    try:
        until = time.monotonic() + WAIT
        while True:
            try:
                psycopg.connect(host="127.0.0.1", port=port, user="plan", dbname="postgres").close()
                break
            except psycopg.OperationalError:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the server did not start: {said.read_text()}") from None
                time.sleep(0.1)
        yield f"postgresql+psycopg://plan@127.0.0.1:{port}/"
    finally:
        # Its fast way to stop; it lets nobody finish.
        process.send_signal(2)
        process.wait(WAIT)
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server_url: str, name: str) -> str:
    """An empty database on the server; gives its URL."""
    import psycopg

    plain = server_url.replace("+psycopg", "") + "postgres"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return server_url + name
