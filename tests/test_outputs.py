"""What we write replaces regular files only, and is whole or not there. No test goes near a device of the machine's own."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compliance.errors import ComplianceError
from compliance.files.documents import write_kept, write_private, write_shared

WRITERS: list[Callable[[Path, str], None]] = [
    lambda path, text: write_private(path, [text]),
    write_kept,
    write_shared,
]


def _device(folder: Path, minor: int) -> Path:
    """A device like /dev/null (3) or /dev/full (7), in a folder of the test's own."""
    path = folder / f"device-{minor}"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        path.open("wb").close()
    except OSError as e:
        pytest.skip(f"no device can be made here: {e}")
    return path


@pytest.mark.parametrize("write", WRITERS)
def test_a_device_is_written_to_and_stays_one(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    device = _device(tmp_path, 3)
    link = tmp_path / "link"
    link.symlink_to(device)
    for path in (device, link):
        before = path.lstat()
        write(path, "a report")
        assert os.path.samestat(path.lstat(), before) and stat.S_ISCHR(path.stat().st_mode)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["device-3", "link"]


@pytest.mark.parametrize("write", WRITERS)
def test_a_full_device_is_an_error(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    with pytest.raises(ComplianceError, match="No space left on device"):
        write(_device(tmp_path, 7), "a report")


@pytest.mark.skipif(os.name == "nt", reason="no pipes in folders")
@pytest.mark.parametrize("write", WRITERS)
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    write(pipe, "a report")
    reader.join(10)
    assert read == ["a report"] and stat.S_ISFIFO(pipe.lstat().st_mode)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("made", ["folder", "socket", "link to a file", "link to nowhere", "link to a folder"])
def test_what_is_no_file_is_refused_and_left_as_it_is(
    tmp_path: Path, write: Callable[[Path, str], None], made: str
) -> None:
    path, target = tmp_path / "out", tmp_path / "target"
    match made:
        case "folder":
            path.mkdir()
        case "socket":
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(str(path))
        case "link to a file":
            target.write_text("kept", encoding="utf-8")
            path.symlink_to(target)
        case "link to nowhere":
            path.symlink_to(target)
        case _:
            target.mkdir()
            path.symlink_to(target)
    before = path.lstat()
    with pytest.raises(ComplianceError, match=r"out is "):
        write(path, "a report")
    assert path.lstat() == before
    assert not target.is_file() or target.read_text(encoding="utf-8") == "kept"
    assert {p.name for p in tmp_path.iterdir()} <= {"out", "target"}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the machine has no such folder")
@pytest.mark.parametrize("to", ["file", "pipe"])
def test_our_own_standard_output_can_be_named(tmp_path: Path, to: str) -> None:
    code = (
        "from pathlib import Path; from compliance.files.documents import write_private as w; w(Path('link'), ['told'])"
    )
    # A link of our own stands for /dev/stdout, which is one too.
    (tmp_path / "link").symlink_to("/proc/self/fd/1")
    run = [sys.executable, "-c", code]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    if to == "pipe":
        assert subprocess.run(run, cwd=tmp_path, env=env, stdout=subprocess.PIPE, check=True).stdout == b"told"
    else:
        with (tmp_path / "file").open("wb") as file:
            subprocess.run(run, cwd=tmp_path, env=env, stdout=file, check=True)
        assert (tmp_path / "file").read_bytes() == b"told"
    assert (tmp_path / "link").is_symlink()


def test_what_fails_on_the_way_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("before", encoding="utf-8")

    def pieces() -> Iterator[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    with pytest.raises(ComplianceError, match="No space left"):
        write_private(path, pieces())
    assert path.read_text(encoding="utf-8") == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
