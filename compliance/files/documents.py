"""Files that people write: strict YAML, JSON, and where in them something stands; files that we write, whole or not at all (I/O)."""

from __future__ import annotations

import json
import os
import re
import stat
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from compliance.errors import ComplianceError, Location, Problem
from compliance.files.temporary import unfinished_file

Node = Any
"""A node of PyYAML, whose types do not say which have a value, a style or an `id`."""

MAX_BYTES = 1 << 20
MAX_DEPTH = 30
MAX_NODES = 100_000
"""Keys and values together."""
MAX_JSON_BYTES = 256 << 20
"""An audit with a hundred thousand findings has less."""
MAX_JSON_DEPTH = 60

_TEXT = "tag:yaml.org,2002:str"
_TAGS = {"scalar": _TEXT, "sequence": "tag:yaml.org,2002:seq", "mapping": "tag:yaml.org,2002:map"}

# YAML 1.2's core schema without its traps: dates, yes/no, on/off and numbers with leading noughts stay text.
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})?\.[0-9]+([eE][-+]?[0-9]{1,3})?")


def _read(path: Path) -> str:
    """The file's text, without a byte-order mark."""
    content = content_of(path, MAX_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = content[: e.start].count(b"\n") + 1
        raise _wrong(path, "the file is not UTF-8", "Save it as UTF-8", line) from e


def content_of(path: Path, most: int) -> bytes:
    """What the file holds, which may be a pipe or a device that never ends.

    Args:
      most: bytes.

    Raises:
      ComplianceError: it cannot be read, or holds more.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError as e:
        raise _wrong(path, "there is no such file") from e
    except OSError as e:
        raise _wrong(path, f"the file cannot be read: {e.strerror or 'unknown cause'}") from e
    if len(content) > most:
        raise _wrong(path, f"the file has more than {most:,} bytes; at most so many are read", "Split it up")
    return content


def _wrong(path: Path, what: str, help_: str = "", line: int = 0, column: int = 0) -> ComplianceError:
    return ComplianceError(f"{path.name} cannot be used.", [Problem(Location(str(path), line, column), what, help_)])


@cache
def _parser() -> type[Any]:
    """What makes nodes of YAML: the parser in C, without a tag for anything but what a node is."""
    from yaml._yaml import CParser
    from yaml.resolver import BaseResolver

    class Parser(CParser, BaseResolver):
        def __init__(self, stream: str) -> None:
            CParser.__init__(self, stream)
            BaseResolver.__init__(self)

        def resolve(self, kind: type[Node], value: object, implicit: object) -> str:
            return _TAGS[kind.id]

    return Parser


def _compose(path: Path, text: str | None = None) -> tuple[Node | None, str]:
    """The file as YAML nodes, every plain scalar still text, and its source.

    Args:
      text: what it is to hold; None: what it holds.
    """
    import yaml

    text = _read(path) if text is None else text
    try:
        return _parser()(text).get_single_node(), text
    except yaml.reader.ReaderError as e:
        line = text[: e.position].count("\n") + 1
        raise _wrong(path, "the file holds a character that no text has", "Remove it", line) from e
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark
        where = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        what = " ".join(part for part in (e.context, e.problem) if part)
        raise _wrong(path, f"this is not YAML: {what}", "Check indentation, quotes and colons", *where) from e


def load_yaml(path: Path, text: str | None = None) -> object:
    """A YAML file as dicts (keys are always text), lists, text, numbers, true/false and None.

    Args:
      text: what it is to hold, before that is written; None: what it holds.

    Raises:
      ComplianceError: it cannot be read, is no YAML, or uses what we refuse: a key twice, aliases, tags; or it is too large or deep.
    """
    node, _ = _remembered(path, _compose(path, text))
    problems: list[Problem] = []
    value = _Builder(path, problems).build(node, 0) if node is not None else None
    if problems:
        raise ComplianceError(f"{path.name} cannot be used.", problems)
    return value


class _Builder:
    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.path, self.problems = path, problems
        self.seen: set[int] = set()
        self.keys = 0

    def wrong(self, node: Node, what: str, help_: str = "") -> None:
        mark = node.start_mark
        self.problems.append(Problem(Location(str(self.path), mark.line + 1, mark.column + 1), what, help_))

    def build(self, node: Node, depth: int) -> object:
        if id(node) in self.seen:
            self.wrong(
                node, "what stands here is repeated by an alias (*name)", "Write the content out; aliases are not used"
            )
            return None
        self.seen.add(id(node))
        self.keys += len(node.value) if node.id == "mapping" else 0
        if depth > MAX_DEPTH or len(self.seen) + self.keys > MAX_NODES:
            what = f"the file is nested deeper than {MAX_DEPTH} or has more than {MAX_NODES:,} parts"
            raise _wrong(self.path, what, "Split it up", node.start_mark.line + 1, node.start_mark.column + 1)
        if node.tag != _TAGS[node.id]:
            self.wrong(node, f"the tag {node.tag.replace('tag:yaml.org,2002:', '!!')} stands here", "Tags are not used")
            return None
        match node.id:
            case "scalar":
                return node.value if node.style else _scalar(node.value)
            case "sequence":
                return [self.build(item, depth + 1) for item in node.value]
        found: dict[str, object] = {}
        for key, value in node.value:
            if key.id != "scalar":
                self.wrong(key, "a list or group cannot be a key")
                continue
            if key.value in found:
                self.wrong(
                    key, f"the key '{key.value}' stands twice", "Only one of them would count; join or rename them"
                )
            found[key.value] = self.build(value, depth + 1)
        return found


_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.()/-]*( [A-Za-z0-9_.()/-]+)*")


_OBEYED = re.compile(r"#(?=#\w*\[)")
"""What begins a command to a CI server wherever in a line it stands, as `##[error]` does."""
_ACTS = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]|" + _OBEYED.pattern)
"""What a terminal or a CI server does something at, and JSON may hold as it is."""


def json_text(value: object, indent: int | None = None) -> str:
    """A value as JSON in which nothing is obeyed, wherever it is printed."""
    separators = (",", ":") if indent is None else None
    return disarmed_json(json.dumps(value, ensure_ascii=False, separators=separators, indent=indent))


def disarmed_json(text: str) -> str:
    """The same JSON, or YAML with all such texts in double quotes, with what is obeyed written as escapes: it can only stand in texts."""
    if "##" not in text and text.isprintable():  # nearly always, and asked much faster
        return text
    return _ACTS.sub(lambda m: f"\\u{ord(m[0]):04x}", text)


def is_obeyed(text: str) -> bool:
    """Whether a text, wherever it is wrapped, has what a terminal or a CI server may do something at."""
    return "::" in text or _ACTS.search(text) is not None


def yaml_text(text: str) -> str:
    """`text` as one YAML value or key on one line, in quotes where it would be read as something else without."""
    if _PLAIN.fullmatch(text) and _scalar(text) == text:
        return text
    quoted = "".join(c if c == " " or c.isprintable() else _escaped(c) for c in json.dumps(text, ensure_ascii=False))
    return _OBEYED.sub(r"\\u0023", quoted)


def yaml_comment(text: str) -> str:
    """`text` as it can stand in a comment: on one line, and with nothing that a terminal or a CI server obeys."""
    return _OBEYED.sub("# ", "".join(c if c.isprintable() else "�" for c in " ".join(text.split())))


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def yaml_value(value: object) -> str:
    """Text, a number, true, false, null, or lists and groups of them, as YAML on one line."""
    match value:
        case str():
            return yaml_text(value)
        case list():
            return f"[{', '.join(yaml_value(v) for v in value)}]"
        case dict():
            return f"{{{', '.join(f'{yaml_text(k)}: {yaml_value(v)}' for k, v in value.items())}}}"
    return json.dumps(value)


def _scalar(text: str) -> object:
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


KEPT = 8
_composed: OrderedDict[Path, tuple[Node | None, str]] = OrderedDict()
"""The files that were read last, in which mistakes are looked for."""


def _remembered(path: Path, composed: tuple[Node | None, str]) -> tuple[Node | None, str]:
    _composed[path] = composed
    _composed.move_to_end(path)
    if len(_composed) > KEPT:
        _composed.popitem(last=False)
    return composed


def _pair(node: Node, key: str | int) -> tuple[Node, Node] | None:
    """Key and value of a group; looked up, for a file can have as many mistakes as keys."""
    if not hasattr(node, "pairs"):
        node.pairs = {k.value: (k, v) for k, v in reversed(node.value) if k.id == "scalar"}
    found: tuple[Node, Node] | None = node.pairs.get(key)
    return found


def _find(path: Path, loc: Sequence[str | int]) -> tuple[Node | None, str]:
    """The node at `loc`, or the last on the way to it."""
    try:
        node, text = _composed[path] if path in _composed else _remembered(path, _compose(path))
    except ComplianceError:
        return None, ""
    for part in loc:
        if node is None:
            break
        if node.id == "mapping":
            pair = _pair(node, part)
            if pair is None:
                break
            node = pair[1] if pair[1].start_mark.index > pair[0].start_mark.index else pair[0]
        elif node.id == "sequence" and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            break
    return node, text


def locate(path: Path, loc: Sequence[str | int]) -> Location:
    """Where in the YAML file the value at `loc` (keys and positions) stands; a key that is wrong itself: where it stands."""
    parent, _ = _find(path, loc[:-1])
    if loc and parent is not None and parent.id == "mapping":
        pair = _pair(parent, loc[-1])
        if pair is not None:
            key, value = pair
            mark = (value if value.id == "scalar" else key).start_mark
            return Location(str(path), mark.line + 1, mark.column + 1)
    node, _ = _find(path, loc)
    if node is None:
        return Location(str(path))
    return Location(str(path), node.start_mark.line + 1, node.start_mark.column + 1)


def locate_in(path: Path, loc: Sequence[str | int], offset: int) -> Location:
    """Where the character at `offset` of the text at `loc` stands, whatever way of writing YAML has folded it."""
    node, text = _find(path, loc)
    if node is None or node.id != "scalar":
        return locate(path, loc)
    at = node.start_mark.index
    if node.style in ("|", ">"):
        at = text.index("\n", at) + 1
    elif node.style:
        at += 1
    # Folding changes nothing but blanks, so the other characters stand in the source in the same order.
    for char in node.value[: offset + 1]:
        if not char.isspace():
            at = text.find(char, at) + 1
            if at == 0:
                # Written as an escape.
                return locate(path, loc)
    if not node.value[:offset].strip():
        at = max(at, node.start_mark.index + 1)
    at -= 1
    return Location(str(path), text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


_HALF = re.compile("[\ud800-\udfff]")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(k for k, _ in pairs)
        twice = next(k for k, n in counted.items() if n > 1)
        raise ValueError(f"the key '{twice}' stands twice")
    return found


def json_value(text: str | bytes) -> Any:
    """What JSON says.

    Raises:
      ValueError: it is none (json.JSONDecodeError), is not UTF-8 (UnicodeDecodeError), has a key twice, or is too deep.
    """
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError as e:
        raise ValueError(TOO_DEEP) from e
    _check_json(document)
    return document


def load_json(path: Path) -> object:
    """A JSON file.

    Raises:
      ComplianceError: it cannot be read, or is no JSON, has a key twice, or is too large or deep.
    """
    content = content_of(path, MAX_JSON_BYTES)
    try:
        return json_value(content)
    except json.JSONDecodeError as e:
        raise _wrong(path, f"this is not JSON: {e.msg}", "", e.lineno, e.colno) from e
    except UnicodeDecodeError as e:
        raise _wrong(path, "the file is not UTF-8", "Save it as UTF-8") from e
    except ValueError as e:
        raise _wrong(path, str(e)) from e


TOO_DEEP = f"the file is nested deeper than {MAX_JSON_DEPTH}"


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON")


def _check_json(document: object) -> None:
    """ValueError for what cannot be worked with: nested too deep, or an escape that is half a character, which cannot be written."""
    level: list[Any] = [document]
    for _ in range(MAX_JSON_DEPTH):
        texts = [x for x in level if type(x) is str]
        groups = [x for x in level if type(x) is dict]
        texts += [key for group in groups for key in group]
        if any(not t.isascii() and _HALF.search(t) for t in texts):
            raise ValueError("a text holds half a character, as \\ud800 is")
        level = [v for group in groups for v in group.values()] + [v for x in level if type(x) is list for v in x]
        if not level:
            return
    raise ValueError(TOO_DEEP)


def _replace(path: Path, chunks: Iterable[bytes], mode: int) -> None:
    """Writes a file that is whole or not there. What is no regular file is never replaced: a device or a pipe is written to as it is."""
    try:
        if _stream(path):
            _write_all(os.open(path, os.O_WRONLY), chunks)
            return
        with unfinished_file(path.parent) as (handle, unfinished):
            _write_all(handle, chunks, lasting=True)
            unfinished.chmod(mode)
            unfinished.replace(path)
    except OSError as e:
        raise ComplianceError(f"{path} cannot be written: {e.strerror or 'unknown cause'}") from e


def _stream(path: Path) -> bool:
    """Whether a path leads to what is written to in place: a device, a pipe, or our own standard output.

    Raises:
      ComplianceError: it leads to something that is neither that nor a regular file of this name.
    """
    try:
        there = path.lstat()
        target = path.stat()
    except FileNotFoundError:
        # Nothing is there, or a link to nowhere: `there` tells.
        if path.is_symlink():
            raise ComplianceError(f"{path} is a link to something that is not there; name the file itself") from None
        return False
    if stat.S_ISCHR(target.st_mode) or stat.S_ISFIFO(target.st_mode):
        return True
    if stat.S_ISREG(there.st_mode):
        return False
    if stat.S_ISREG(target.st_mode):
        if _is_ours(target):
            return True
        raise ComplianceError(f"{path} is a link; name the file that it leads to, {path.resolve()}")
    what = "a folder" if stat.S_ISDIR(target.st_mode) else "no file that can be written to"
    raise ComplianceError(f"{path} is {what}; name a file")


def _is_ours(target: os.stat_result) -> bool:
    """Whether it is where our standard output or standard error goes, as /dev/stdout is."""
    for handle in (1, 2):
        with suppress(OSError):
            if os.path.samestat(target, os.fstat(handle)):
                return True
    return False


def _write_all(handle: int, chunks: Iterable[bytes], lasting: bool = False) -> None:
    """Writes to an open file and closes it; one that is to last is on the disk by then."""
    with os.fdopen(handle, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        if lasting:
            os.fsync(file.fileno())


def write_private(path: Path, chunks: Iterable[str] | Iterable[bytes]) -> None:
    """Writes a file that its owner alone can read; it replaces an older one only when it is whole. Text is written as UTF-8.

    Raises:
      ComplianceError: the file cannot be written.
    """
    _replace(path, (c.encode("utf-8") if isinstance(c, str) else c for c in chunks), 0o600)


def private_folder(path: Path) -> None:
    """Makes a folder, if it is not there, that its owner alone can open.

    Raises:
      ComplianceError: it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as e:
        raise ComplianceError(f"The folder {path} cannot be made: {e.strerror or 'unknown cause'}") from e


def write_kept(path: Path, text: str) -> None:
    """Writes a file that a person keeps: whoever could read it still can; a new one its owner alone can read.

    Raises:
      ComplianceError: the file cannot be written.
    """
    mode = path.stat().st_mode & 0o777 if path.is_file() else 0o600
    _replace(path, [text.encode("utf-8")], mode)


def write_shared(path: Path, text: str) -> None:
    """Writes a file without case data, readable as the user's files are; whole or not at all.

    Raises:
      ComplianceError: the file cannot be written.
    """
    mask = os.umask(0)
    os.umask(mask)
    _replace(path, [text.encode("utf-8")], 0o666 & ~mask)
