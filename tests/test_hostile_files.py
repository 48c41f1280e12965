"""Files that nobody meant well: each is refused with its place, at once, or read as what it is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest
from click.testing import Result

from compliance.errors import ComplianceError
from compliance.files.documents import load_json
from compliance.files.locks import alone_in
from compliance.privacy import pseudonyms
from compliance.tracker.store import Store

STAFF = "staff_id,role\nS1,social worker\n"


@pytest.mark.parametrize("encoding", ["hex", "rot13", "zip", "idna", "undefined", "utf-8\\0x", "base64", "punycode"])
def test_an_encoding_that_is_none_of_text_is_told_at_its_line(
    cli: Callable[..., Result], tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "staff.csv").write_text(STAFF, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(
        f'encoding: "{encoding}"\nsources:\n  - record: staff\n    file: staff.csv\n    columns: {{staff_id: staff_id}}\n',
        encoding="utf-8",
    )
    result = cli("data", "check", tmp_path)
    assert result.exit_code in ((0, 2) if encoding == "punycode" else (2,)), result.output
    assert encoding == "punycode" or "mapping.yaml:1" in result.stderr


def test_a_repeated_key_and_no_other_column_is_quarantined(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text("staff_id\nS1\nS1\n", encoding="utf-8")
    result = cli("data", "check", tmp_path)
    assert result.exit_code == 0 and "stands on another row already" in result.output


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 1100 + "]" * 1100, '{"a":' * 50_000])
def test_json_that_is_nested_too_deep_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "findings.json"
    path.write_text(text, encoding="utf-8")
    with suppress(ComplianceError):  # or read, where Python can
        load_json(path)


def test_a_key_twice_among_many_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    path.write_text("{" + ",".join(f'"k{i}":1' for i in [*range(50_000), 49_999]) + "}", encoding="utf-8")
    began = time.process_time()
    with pytest.raises(ComplianceError, match="'k49999' stands twice"):
        load_json(path)
    assert time.process_time() - began < 1


def test_many_unknown_keys_are_told_soon(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text(STAFF, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text("".join(f"k{i}: 1\n" for i in range(40_000)), encoding="utf-8")
    began = time.process_time()
    result = cli("data", "check", tmp_path)
    assert result.exit_code == 2 and "more" in result.stderr
    assert time.process_time() - began < 8  # quadratic, it took minutes


@pytest.mark.parametrize("name", ["q?mode=memory", "z%2Fz#x", "a b@c:d"])
def test_a_database_path_is_a_path(tmp_path: Path, name: str) -> None:
    Store(str(tmp_path / name)).close()
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_key_that_could_not_be_written_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def hex(self) -> str:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("secrets.token_bytes", lambda _: Full())
    with pytest.raises(ComplianceError, match="No space left"):
        pseudonyms.new_key(tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


def _count(folder: str) -> None:
    path = Path(folder) / "n"
    for _ in range(100):
        with alone_in(Path(folder)):
            path.write_text(str(int(path.read_text(encoding="ascii")) + 1), encoding="ascii")


def test_who_reads_and_writes_in_a_folder_is_alone_in_it(tmp_path: Path) -> None:
    (tmp_path / "n").write_text("0", encoding="ascii")
    several = [get_context("spawn").Process(target=_count, args=(str(tmp_path),)) for _ in range(2)]
    for one in several:
        one.start()
    for one in several:
        one.join(60)
    assert (tmp_path / "n").read_text(encoding="ascii") == "200"


@pytest.mark.parametrize("written", ["x", "[1]", "7"])
def test_a_case_whose_record_is_no_group_is_told(cli: Callable[..., Result], tmp_path: Path, written: str) -> None:
    pack = tmp_path / "rules" / "own"
    pack.mkdir(parents=True)
    (pack / "pack.yaml").write_text("id: own\ntitle: Own\nabout: Own.\n", encoding="utf-8")
    rule = {
        "id": "odd-case", "title": "Odd", "cites": ["FSR-20-1"], "record": "staff", "require": {"a": "role == 'x'"},
        "severity": "advice", "put_right": {"within": "1 day", "by": "manager", "workstream": "x"}, "remedy": "R.",
    }  # fmt: skip
    case = f"cases:\n  - {{name: a, staff: {written}, outcome: breach}}\n"
    yaml = "".join(f"{k}: {json.dumps(v)}\n" for k, v in rule.items()) + case
    (pack / "odd-case.yaml").write_text(yaml, encoding="utf-8")
    for command in ("lint", "test"):
        result = cli("rules", command, "--rules", tmp_path / "rules")
        assert result.exit_code in (1, 2), result.output
        assert "Traceback" not in result.output
