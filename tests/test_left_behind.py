"""What a killed program leaves is taken away by the next one, and what is at work is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from compliance.errors import ComplianceError
from compliance.files import temporary
from compliance.files.documents import write_private
from compliance.files.temporary import scratch_folder, unfinished_file

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no locks of folders")

AT_WORK = """
import signal, sys
from pathlib import Path
from compliance.files.documents import write_private
from compliance.files.temporary import scratch_folder

def pieces():
    yield "half a report"
    print("at work", flush=True)
    signal.pause()

with scratch_folder() as folder:
    (folder / "records.csv").write_text("half an export", encoding="utf-8")
    write_private(Path(sys.argv[1]), pieces())
"""


@pytest.fixture(autouse=True)
def scratches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "scratches"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    return folder / "report.json"


def _all_done_again(out: Path) -> None:
    with scratch_folder():
        write_private(out, ["whole"])


def test_what_a_killed_program_leaves_is_gone_after_the_next(out: Path, scratches: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", AT_WORK, str(out)], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None and program.stdout.readline() == "at work\n"
        _all_done_again(out)
        assert (len(list(scratches.iterdir())), len(list(out.parent.iterdir()))) == (1, 2), "it is at work"
        program.send_signal(signal.SIGKILL)
    _all_done_again(out)
    assert list(scratches.iterdir()) == []
    assert [p.name for p in out.parent.iterdir()] == ["report.json"] and out.read_text(encoding="utf-8") == "whole"


def test_what_only_looks_like_ours_stays(out: Path, scratches: Path) -> None:
    others = [
        scratches / "compliance-scratch-of-mine",
        scratches / "compliance-2021",
        out.parent / ".compliance-unfinished-business.docx",
        out.parent / ".report.json.abcdefgh",
    ]
    for path in others:
        path.mkdir() if path.parent == scratches else path.write_text("kept", encoding="utf-8")
    linked = scratches / "compliance-scratch-abcdefgh"
    linked.symlink_to(others[0], target_is_directory=True)
    _all_done_again(out)
    assert all(p.exists() for p in others) and linked.is_symlink()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_what_is_somebody_elses_stays(out: Path, scratches: Path) -> None:
    theirs = scratches / f"{temporary.SCRATCH}abcdefgh"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    _all_done_again(out)
    assert theirs.is_dir()


def test_one_that_is_taken_away_before_it_is_locked_is_made_again(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, made = tempfile.mkstemp, list[str]()

    def taken_at_once(*args: object, **kwargs: object) -> tuple[int, str]:
        handle, name = make(*args, **kwargs)  # type: ignore[call-overload]
        made.append(name)
        if len(made) == 1:
            Path(name).unlink()
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", taken_at_once)
    write_private(out, ["whole"])
    assert len(made) == 2 and out.read_text(encoding="utf-8") == "whole"


def test_what_ends_by_an_error_leaves_nothing(out: Path, scratches: Path) -> None:
    with pytest.raises(ComplianceError), scratch_folder() as folder:
        (folder / "records.csv").write_text("half an export", encoding="utf-8")
        with unfinished_file(out.parent) as (handle, _):
            os.close(handle)
            raise ComplianceError("no more")
    assert list(scratches.iterdir()) == list(out.parent.iterdir()) == []
