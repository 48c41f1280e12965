"""Files that people write are read strictly; files that we write are whole or not there."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.errors import ComplianceError
from compliance.files.documents import load_json, load_yaml, write_private


def read(tmp_path: Path, text: str | bytes) -> object:
    path = tmp_path / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_yaml(path)


@pytest.mark.parametrize(
    "text", ["NO", "yes", "on", "off", "2021-03-01", "012", "1_000", "0x1F", "12:30", ".5e", "=", "<<"]
)
def test_what_other_readers_turn_into_something_else_stays_text(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"key: {text}\n") == {"key": text}


def test_keys_are_text_and_values_what_they_look_like(tmp_path: Path) -> None:
    found = read(tmp_path, "on: 1\n2011-04-01: 1.5\n3: true\nnothing:\nquoted: '7'\nlist: [a, ~]\n")
    assert found == {"on": 1, "2011-04-01": 1.5, "3": True, "nothing": None, "quoted": "7", "list": ["a", None]}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice"),
        ("a: &x [1]\nb: *x\n", 1, "repeated by an alias"),
        ("a: !!python/object/apply:os.system ['true']\n", 1, "the tag"),
        ("a: !secret b\n", 1, "the tag"),
        ("? [a]\n: b\n", 1, "cannot be a key"),
        ("a: [1\nb: 2\n", 2, "this is not YAML"),
        ("a: b\x00c\n", 1, "a character that no text has"),
        (b"a: caf\xe9\n", 1, "the file is not UTF-8"),
        ("[" * 40 + "]" * 40, 1, "nested deeper than 30"),
        ("- a\n" * 100_001, 0, "more than 100,000 parts"),
        ("# " + "x" * (1 << 20), 0, "bytes; at most"),
    ],
)
def test_what_is_refused_is_said_with_its_line(tmp_path: Path, text: str | bytes, line: int, said: str) -> None:
    with pytest.raises(ComplianceError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
    assert not line or f"file.yaml:{line}" in str(raised.value)


def test_a_bomb_of_aliases_is_refused_before_it_grows(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    with pytest.raises(ComplianceError, match="aliases are not used"):
        read(tmp_path, "\n".join(lines))


def test_several_mistakes_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(ComplianceError) as raised:
        read(tmp_path, "a: 1\na: 2\nb: !x 1\n")
    assert len(raised.value.problems) == 2


def test_json_with_a_key_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": 1, "a": 2}', encoding="utf-8")
    with pytest.raises(ComplianceError, match="the key 'a' stands twice"):
        load_json(tmp_path / "x.json")


def test_a_file_with_case_data_is_its_owners_alone(tmp_path: Path) -> None:
    write_private(tmp_path / "out", [b"a", b"b"])
    assert (tmp_path / "out").read_bytes() == b"ab"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


@pytest.mark.parametrize("stops", [KeyboardInterrupt, OSError, RuntimeError])
def test_half_a_file_never_replaces_a_whole_one(tmp_path: Path, stops: type[BaseException]) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise stops

    (tmp_path / "out").write_bytes(b"whole")
    with pytest.raises((stops, ComplianceError)):
        write_private(tmp_path / "out", pieces())
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_bytes() == b"whole"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ComplianceError, match="cannot be written: No such file or directory"):
        write_private(tmp_path / "none" / "out", [b""])
