"""What is kept of rules, mappings and record kinds is what would be made anew, and never what was made of something else."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import ROOT, shipped_book

from compliance.jobs import kept, planning, shipped
from compliance.jobs.asked import Asked, Export
from compliance.jobs.opening import loaded

AGENCY = ROOT / "fixtures" / "agency"
ONLY = ("staff-references-incomplete", "approval-review-overdue", "regulation-not-attested")


def _there_and_back(entry: Any) -> Any:
    return kept.restored(type(entry), json.loads(json.dumps(kept.plain(entry))))


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "compliance"


def test_plans_mappings_and_record_kinds_come_back_as_they_were_made() -> None:
    asked = Asked(Export(AGENCY, use_cache=False), date(2021, 9, 20), only=ONLY)
    with loaded(asked.export) as read:
        audit, ahead = (planning.plan(read.kinds, read.tables, asked, days=days) for days in (None, 30))
        mapping = planning.mapping(asked.export.mapping_file, read.kinds, use_cache=False)
    prompted = replace(audit, prompts=shipped_book().prompts())
    assert prompted.plan.records and ahead.plan.ahead and prompted.prompts
    for entry in (prompted, ahead, mapping, planning.record_kinds()):
        assert _there_and_back(entry) == entry


def test_what_rules_ask_and_all_of_kpis_come_back_as_they_were_made(cache_folder: Path) -> None:
    anew, kept_ = (
        Asked(Export(AGENCY, use_cache=use_cache), date(2021, 9, 20), only=ONLY) for use_cache in (False, True)
    )
    book = planning.kpi_book(anew)
    assert {m.record != "" for m in book.measures} == {True, False}
    with loaded(anew.export) as read:
        plans = planning.measuring(read.kinds, read.tables, anew, book.measures)
        assert {"month", "quarter"} < set(plans)
        for _ in ("made and kept", "kept before"):
            assert planning.measuring(read.kinds, read.tables, kept_, book.measures) == plans
            assert planning.kpi_book(kept_) == book
            assert planning.written(kept_) == planning.written(anew)
    assert {p.name.partition("-")[0] for p in cache_folder.iterdir()} == {"counts", "kpis", "written"}


def test_kept_record_kinds_are_read_from_one_file(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = planning.record_kinds(use_cache=True)
    monkeypatch.setattr("compliance.records.kinds.read_kinds", lambda _: pytest.fail("read anew"))
    assert planning.record_kinds(use_cache=True) == kinds
    assert [p.name.partition("-")[0] for p in cache_folder.iterdir()] == ["kinds"]


@pytest.mark.parametrize(
    "nonsense", [b"", b"{}", b"[]", b"null", b"7", b"\xff", b'{"kinds": 7}', b'{"kinds": {"staff": []}}', b"[" * 10_000]
)
def test_a_broken_or_foreign_entry_is_made_anew(cache_folder: Path, nonsense: bytes) -> None:
    kinds = planning.record_kinds(use_cache=True)
    (entry,) = cache_folder.iterdir()
    entry.write_bytes(nonsense)
    assert planning.record_kinds(use_cache=True) == kinds
    assert entry.stat().st_size > 10_000


def test_the_key_goes_by_size_and_time_of_a_folders_files_and_reads_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = tmp_path / "pack" / "rule.yaml"
    rule.parent.mkdir()
    rule.write_text("a", encoding="utf-8")
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read"))
    keys = [kept._key((), (tmp_path,), "")]
    os.utime(rule, ns=(1, 1))
    keys.append(kept._key((), (tmp_path,), ""))
    rule.write_text("ab", encoding="utf-8")
    os.utime(rule, ns=(1, 1))
    keys.append(kept._key((), (tmp_path,), ""))
    rule.rename(rule.with_name("other.yaml"))
    keys.append(kept._key((), (tmp_path,), ""))
    assert len(set(keys)) == 4
    (tmp_path / "notes.txt").write_text("no rule", encoding="utf-8")
    assert kept._key((), (tmp_path,), "") == keys[-1]
    (tmp_path / "pack" / ".#other.yaml").symlink_to("someone@somewhere")
    keys.append(kept._key((), (tmp_path,), ""))
    assert kept._key((), (tmp_path,), "") == keys[-1]


def test_the_content_of_a_single_file_counts(tmp_path: Path) -> None:
    file = tmp_path / "parameters.yaml"
    file.write_text("a: 1", encoding="utf-8")
    os.utime(file, ns=(1, 1))
    before = kept._key((), (file,), "")
    file.write_text("a: 2", encoding="utf-8")
    os.utime(file, ns=(1, 1))
    assert kept._key((), (file,), "") != before


def test_an_installed_program_goes_by_the_digest_it_was_built_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = tmp_path / "digest"
    monkeypatch.setattr(kept, "DIGEST", digest)
    digest.write_text("one", encoding="ascii")
    monkeypatch.setattr(os, "scandir", lambda _: pytest.fail("listed"))
    came_with_it = shipped.folders()
    first, again = kept._key(came_with_it, (), ""), kept._key(came_with_it, (), "")
    digest.write_text("two", encoding="ascii")
    assert first == again != kept._key(came_with_it, (), "")


# --- what is kept cannot change a verdict ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Small:
    """An entry whose every byte can be changed in a test."""

    text: str
    days: tuple[date, ...] = ()


MADE = Small("honest", (date(2021, 9, 20),))


def _small(make: Any = lambda: MADE) -> Small:
    return kept.kept(Small, "small", (), (), "", make)


def _anew() -> Small:
    return Small("anew")


def test_an_entry_is_used_as_it_was_written_and_with_no_byte_changed(cache_folder: Path) -> None:
    _small()
    assert _small(_anew) == MADE
    (entry,) = cache_folder.iterdir()
    honest = entry.read_bytes()
    for i in range(len(honest)):
        entry.write_bytes(honest[:i] + bytes([honest[i] ^ 1]) + honest[i + 1 :])
        assert _small(_anew).text == "anew", f"byte {i}"
        entry.write_bytes(honest[:i])
        assert _small(_anew).text == "anew", f"cut at {i}"
    entry.write_bytes(honest)
    assert _small(_anew) == MADE


def test_an_entry_counts_under_its_own_name_alone(cache_folder: Path) -> None:
    _small()
    (entry,) = cache_folder.iterdir()
    kept.kept(Small, "small", (), (), "something else", _anew)
    (other,) = set(cache_folder.iterdir()) - {entry}
    entry.write_bytes(other.read_bytes())
    assert _small(lambda: Small("made anew")).text == "made anew"


@pytest.mark.skipif(os.name == "nt", reason="modes say nothing there")
@pytest.mark.parametrize("what", ["file", "folder", "secret", "folder of the secret"])
def test_what_others_can_write_to_is_not_used(cache_folder: Path, what: str) -> None:
    _small()
    (entry,) = cache_folder.iterdir()
    secret = Path(os.environ["XDG_STATE_HOME"]) / "compliance" / "seal.key"
    path = {"file": entry, "folder": cache_folder, "secret": secret, "folder of the secret": secret.parent}[what]
    mode = path.stat().st_mode
    try:
        path.chmod(mode | 0o022)
        assert _small(_anew).text == "anew"
    finally:
        path.chmod(mode)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["file", "folder", "secret"])
def test_what_is_somebody_elses_is_not_used(cache_folder: Path, what: str) -> None:
    _small()
    (entry,) = cache_folder.iterdir()
    secret = Path(os.environ["XDG_STATE_HOME"]) / "compliance" / "seal.key"
    path = {"file": entry, "folder": cache_folder, "secret": secret}[what]
    try:
        os.chown(path, 12345, 12345)
        assert _small(_anew).text == "anew"
    finally:
        os.chown(path, 0, 0)


@pytest.mark.skipif(os.name == "nt", reason="no pipes in folders")
@pytest.mark.parametrize("put", ["pipe", "link", "folder"])
def test_what_is_no_file_is_not_waited_for_nor_followed(cache_folder: Path, put: str) -> None:
    _small()
    (entry,) = cache_folder.iterdir()
    moved = entry.rename(cache_folder.parent / entry.name)
    if put == "pipe":
        os.mkfifo(entry)
    elif put == "link":
        entry.symlink_to(moved)
    else:
        entry.mkdir()
    assert _small(_anew).text == "anew"


def test_another_users_secret_seals_nothing_for_us(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    _small(lambda: Small("theirs"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "ours"))
    assert _small() == MADE
    assert stat.S_IMODE((tmp_path / "ours" / "compliance" / "seal.key").stat().st_mode) == 0o600


def test_a_broken_secret_costs_time_and_nothing_else(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    _small()
    (tmp_path / "state" / "compliance" / "seal.key").write_bytes(b"")
    assert _small(_anew).text == "anew"


def test_in_ci_nothing_is_kept_unless_a_folder_is_given(
    cache_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    _small()
    assert _small(_anew).text == "anew" and not cache_folder.exists()
    monkeypatch.setenv("COMPLIANCE_CACHE", str(tmp_path / "given"))
    _small()
    assert _small(_anew) == MADE


def test_a_forged_plan_changes_no_verdict(cli: Callable[..., Result], cache_folder: Path) -> None:
    asked = (
        "audit",
        AGENCY,
        "--as-at",
        "2021-09-20",
        "--rule",
        "appraisal-overdue",
        "--fail-on",
        "recommendation",
        "--format",
        "csv",
    )
    honest = cli(*asked)
    (plan,) = cache_folder.glob("plan-*.json")
    content = plan.read_bytes()
    start = content.index(b"{")
    stored = json.loads(content[start:])
    for forged in (
        {**stored, "plan": {**stored["plan"], "setup": ["UPDATE t_staff SET started_on = DATE '2021-09-01'"]}},
        {**stored, "plan": {**stored["plan"], "setup": 5}},
        {**stored, "rules": []},
        {},
    ):
        for seal in (content[:start], b"", b"0" * 64):
            plan.write_bytes(seal + json.dumps(forged).encode())
            again = cli(*asked)
            assert (again.exit_code, again.stdout) == (honest.exit_code, honest.stdout)
