"""The documents hold: every command in them is run, and every block of YAML is what it says it is.

Each page is followed from top to bottom in a folder of its own, in which `fixtures`, `rules` and `schemas` are those of the
repository and `my-export` is a copy of the sample agency's export. A command ends with 0 or 1, unless its comment says "exit
code 2" or the like. A block of YAML that begins with a comment naming a file is written to that file, for the commands after it;
any other is a part of a file, and must fit the schema of such a file, but for what it leaves out.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import ROOT
from jsonschema import Draft7Validator

from compliance.files import documents
from compliance.jobs import schemas

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = {"make", ".", "git", "cat"}
"""Commands of a shell that no page's working folder needs."""
ELSEWHERE_RUN = {"demo"}
"""Followed in a test of its own: tests/test_demo.py."""
WRITES = {"--out", "--chart", "--db", "--to", "--also", "waive", "plan", "template"}
"""What writes, or reads what was written; other commands on fixtures/ are the same on every page."""
ELSEWHERE: tuple[set[str], ...] = ({"jobs"}, {"repos"}, {"steps"}, {"uses"})
"""Keys of files of other programs: those need only be YAML."""
ELLIPSIS = "…"


def _blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each fenced block."""
    for found in re.finditer(r"^( *)```(\w*)\n(.*?)^\1```$", page.read_text(encoding="utf-8"), re.M | re.S):
        yield found[2], re.sub(f"^{found[1]}", "", found[3], flags=re.M)


def _commands(block: str) -> Iterator[tuple[list[str], str]]:
    """Each command's words, and its comment."""
    for line in re.sub(r"\\\n\s*", " ", block).splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words, line.partition(" # ")[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader would stand."""
    for name in ("fixtures", "rules", "schemas"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "fixtures" / "agency", tmp_path / "my-export")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPLIANCE_NAME", "Ada Invented")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_a_page_says_to_do_can_be_done(
    page: Path, folder: Path, cli: Callable[..., Result], told: dict[tuple[str, ...], Result]
) -> None:
    for language, text in _blocks(page):
        if language in ("yaml", "yml"):
            _try_yaml(text, folder)
        for words, comment in _commands(text) if language == "sh" else ():
            said = shlex.join(words)
            if words[0] in NOT_RUN or (words[0] == "compliance" and words[1] in ELSEWHERE_RUN):
                continue
            if words[0] in ("mkdir", "cp"):
                _do(words, folder)
                continue
            assert words[0] == "compliance", f"{said}: only compliance, mkdir, cp and {NOT_RUN} stand in the documents"
            same_everywhere = any(w.startswith("fixtures/") for w in words) and not WRITES & set(words)
            result = told.get(tuple(words)) if same_everywhere else None
            if result is None:
                result = cli(*words[1:])
            if same_everywhere:
                told[tuple(words)] = result
            code = re.search(r"exit code (\d)", comment)
            wanted = {int(code[1])} if code else {0, 1}
            assert result.exit_code in wanted, f"{said}\nexit code {result.exit_code}\n{result.output[-2000:]}"


@pytest.fixture(scope="module")
def told() -> dict[tuple[str, ...], Result]:
    """What commands said that are the same on every page."""
    return {}


def _do(words: list[str], folder: Path) -> None:
    """The two commands of a shell that prepare a folder."""
    paths = [folder / w for w in words[1:] if not w.startswith("-")]
    assert not paths[-1].resolve().is_relative_to(ROOT), words
    if words[0] == "mkdir":
        for path in paths:
            path.mkdir(parents=True)
    elif paths[0].is_dir():
        shutil.copytree(paths[0], paths[1])
    else:
        shutil.copy(paths[0], paths[1])


def _try_yaml(text: str, folder: Path) -> None:
    named = re.match(r"# ([\w./-]+\.ya?ml)\b", text)
    path = folder / (named[1] if named else "part.yaml")
    assert not path.parent.resolve().is_relative_to(ROOT), f"{path} is the repository's own"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    document: Any = documents.load_yaml(path)
    first = document[0] if isinstance(document, list) else document
    if any(keys <= set(first) for keys in ELSEWHERE):
        return
    assert isinstance(document, dict), text
    fits = {name: s for name, s in _whole_or_part(bool(named)).items() if set(document) <= set(s["properties"])}
    assert fits, f"no file of ours has all of these keys: {', '.join(document)}\n{text}"
    said = {n: [e.message for e in Draft7Validator(s).iter_errors(_without_gaps(document))] for n, s in fits.items()}
    assert [] in said.values(), f"{said}\n{text}"


@cache
def _whole_or_part(whole: bool) -> dict[str, Any]:
    """The schemas; of a part, nothing is asked for that it leaves out."""
    made = schemas.generated()
    return dict(made) if whole else {name: _without_required(s) for name, s in made.items()}


def _without_required(schema: Any) -> Any:
    if isinstance(schema, dict):
        left = {k: v for k, v in schema.items() if not (k == "required" and isinstance(v, list))}
        return {k: _without_required(v) for k, v in left.items()}
    return [_without_required(v) for v in schema] if isinstance(schema, list) else schema


def _without_gaps(value: Any) -> Any:
    """Without what stands as an ellipsis."""
    if isinstance(value, dict):
        return {k: _without_gaps(v) for k, v in value.items() if v != ELLIPSIS and k != ELLIPSIS}
    return [_without_gaps(v) for v in value if v != ELLIPSIS] if isinstance(value, list) else value


def test_every_page_with_commands_is_followed() -> None:
    """A fence that is not read would leave its commands untried."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        fenced = "\n".join(block for language, block in _blocks(page) if language == "sh")
        shown = re.findall(r"^ *compliance [a-z].*$", text, re.M)
        assert [line for line in shown if line.strip() not in fenced] == [], page


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pictures_are_there_are_told_in_words_and_are_small(page: Path) -> None:
    for told, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        picture = page.parent / target
        assert picture.is_file(), target
        assert picture.stat().st_size < 200_000, target
        assert len(told) > 20, f"{target} says nothing to who does not see it"


def test_every_picture_is_shown_somewhere() -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [p.name for p in (ROOT / "docs" / "img").iterdir() if p.name not in shown] == []
