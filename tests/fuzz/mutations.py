"""Small changes of real files: of bytes, of the values in JSON and YAML, of the parts of a workbook, of the rows of a database."""

from __future__ import annotations

import io
import json
import random
import sqlite3
import zipfile
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import yaml

from compliance.tracker.events import NOTHING_BEFORE, Draft, Who, chained

Change = Callable[[bytes, random.Random], bytes]

TOKENS = (
    *(
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r\n",
        b"\n\n",
        b"\t",
        b'"',
        b"'",
        b",",
        b";",
        b"::error::x",
        b"\n::add-mask::x",
    ),
    *(
        b"[",
        b"{",
        b"]",
        b"}",
        b"<",
        b">",
        b"&",
        b"- ",
        b": ",
        b"!!python/name:x",
        b"&a [*a]",
        b"*a",
        b"|",
        b"%",
        b"#",
        b"\\ud800",
    ),
    *(
        b"null",
        b"true",
        b"NaN",
        b"1e999",
        b"-1",
        b"0",
        b"9" * 30,
        b"9" * 5000,
        b"2021-02-30",
        b"0000-00-00",
        b"9999-12-31",
        b"=1+1",
    ),
    *(
        b"[" * 2000,
        b"{'a':" * 500,
        b"x" * 70_000,
        b"as_at",
        b"(",
        b" and ",
        b"../../x",
        b"\x1b[2J",
        b"##[error]",
        b"\xed\xa0\x80",
    ),
    "\u2028\u202e\u00e9".encode(),
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        10**30,
        1e308,
        "",
        " ",
        "x" * 5000,
        "\n::error::x",
        "\x1b[2J",
        "2021-02-30",
        "9999-12-31",
    ),
    *(
        [],
        {},
        [[]],
        [None],
        {"a": 1},
        {"": ""},
        ["x", 1],
        "as_at",
        "1 day",
        "off",
        "same day",
        "count(r for r in references)",
    ),
    *("0001-01-01", "\u00e9\u2028"),
)


def of_bytes(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, taken out, put in, repeated; or the end cut off."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        at = chance.randrange(len(made) + 1)
        to = min(len(made), at + chance.choice((1, 2, 8, 50)))
        match chance.randrange(7):
            case 0 if made:
                made[min(at, len(made) - 1)] ^= 1 << chance.randrange(8)
            case 1:
                del made[at:to]
            case 2:
                made[at:at] = chance.choice(TOKENS)
            case 3:
                made[at:to] = chance.choice(TOKENS)
            case 4:
                made[at:at] = made[at:to] * chance.choice((1, 3, 100))
            case 5:
                other = chance.randrange(len(made) + 1)
                made[at:to] = made[other : other + to - at]
            case _:
                if chance.random() < 0.2:
                    del made[at:]
    return bytes(made)


def of_lines(content: bytes, chance: random.Random) -> bytes:
    """As bytes, but of the lines below the first, which is left as it is."""
    first, end, rest = content.partition(b"\n")
    return first + end + of_bytes(rest, chance)


def _of_value(value: Any, chance: random.Random) -> Any:
    """The same tree with one place in it changed."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.15:
        return chance.choice(VALUES)
    if isinstance(value, dict):
        key = chance.choice(list(value))
        match chance.randrange(12):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {**value, str(chance.choice(VALUES)): chance.choice(VALUES)}
            case 2:
                return {(f"{k}x" if k == key else k): v for k, v in value.items()}
            case _:
                return {**value, key: _of_value(value[key], chance)}
    at = chance.randrange(len(value))
    match chance.randrange(8):
        case 0:
            return value[:at] + value[at + 1 :]
        case 1:
            return [*value, value[at]]
        case _:
            return [*value[:at], _of_value(value[at], chance), *value[at + 1 :]]


_json, _yaml = cache(json.loads), cache(partial(yaml.load, Loader=yaml.CBaseLoader))


def of_json(content: bytes, chance: random.Random) -> bytes:
    """Values and keys changed, and now and then bytes."""
    if chance.random() < 0.25:
        return of_bytes(content, chance)
    document = _json(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        document = _of_value(document, chance)
    return json.dumps(document).encode()


def of_json_lines(content: bytes, chance: random.Random) -> bytes:
    """One line changed as JSON is, or as bytes are."""
    lines = content.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    lines[at] = of_json(lines[at], chance).replace(b"\n", b"") + b"\n"
    return b"".join(lines)


def of_events(content: bytes, chance: random.Random) -> bytes:
    """As JSON Lines; or one event changed, and the chain of hashes made anew as only somebody who means it would."""
    if chance.random() < 0.4:
        return of_json_lines(content, chance)
    events = [dict(_json(line)) for line in content.splitlines()]
    event = chance.choice(events)
    name = chance.choice(("body", "body", "body", *event))
    event[name] = _of_value(event[name], chance)
    before = NOTHING_BEFORE
    for e in events:
        e["before"] = before
        try:
            draft = Draft(e["kind"], e["subject"], e["body"], e["why"])
            made = chained(e["plan"], e["number"], e["at"], e["on"], Who(e["role"], e["name"]), draft, before)
        except (KeyError, TypeError, ValueError):
            break  # no event any more, at which the chain ends
        e["hash"] = before = made.hash
    return b"".join(json.dumps(e).encode() + b"\n" for e in events)


def of_sealed(content: bytes, chance: random.Random) -> bytes:
    """A file of the program's own: its JSON changed, with or without its seal, or some bytes of all of it."""
    start = content.index(b"{")
    made = (content[:start] if chance.random() < 0.7 else b"") + of_json(content[start:], chance)
    return made if chance.random() < 0.7 else of_bytes(content, chance)


def of_yaml(content: bytes, chance: random.Random) -> bytes:
    """Values and keys changed, and as often bytes."""
    if chance.random() < 0.5:
        return of_bytes(content, chance)
    document = _yaml(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        document = _of_value(document, chance)
    made: str = yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    return made.encode("utf-8", "replace")


@cache
def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name) for name in book.namelist()}


def of_workbook(content: bytes, chance: random.Random) -> bytes:
    """One part changed and packed again; or bytes of the whole."""
    if chance.random() < 0.2:
        return of_bytes(content, chance)
    parts = dict(_parts(content))
    names = [n for n in parts if "sheet" in n or "String" in n or "workbook" in n or "styles" in n]
    name = chance.choice(names if chance.random() < 0.9 else list(parts))
    if chance.random() < 0.4:
        old, new = chance.choice(
            (
                (b'r="A1"', b'r="XFD1048576"'), (b'r="B2"', b'r="ZZZ99"'), (b' t="s"', b' t="d"'), (b"<v>0", b"<v>99999999"),
                (b"<v>1", b"<v>-1"), (b'r="1"', b'r="4294967295"'), (b"Count=", b"Count=9"), (b' r="', b" q=\""), (b' s="', b' s="9999'),
                (b"rId1", b"rId9"), (b"<row ", b"<c/><row "), (b"</si>", b"</si><si/>"), (b"sheet1", b"sheet2"), (b"<c ", b"<x:c "),
            )
        )  # fmt: skip
        parts[name] = parts[name].replace(old, new, chance.choice((1, 1, 10_000)))
    else:
        parts[name] = of_bytes(parts[name], chance)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as book:
        for part, text in parts.items():
            book.writestr(part, text)
    return made.getvalue()


def of_database(content: bytes, chance: random.Random) -> bytes:
    """A cell written past the program; or bytes of the file."""
    if chance.random() < 0.5:
        made = bytearray(content)
        for _ in range(chance.choice((1, 5, 50))):
            made[chance.randrange(len(made))] = chance.randrange(256)
        return bytes(made)
    with sqlite3.connect(":memory:") as db:
        db.deserialize(content)
        columns = [row[1] for row in db.execute("PRAGMA table_info(event)")]
        column, number = chance.choice(columns), chance.randrange(1, 4)
        (was,) = db.execute(f"SELECT {column} FROM event WHERE number = ?", (number,)).fetchone() or ("",)
        new = chance.choice(VALUES) if column != "body" or chance.random() < 0.2 else _body(str(was), chance)
        if not isinstance(new, str | int | float | None) or (isinstance(new, int) and abs(new) > 2**62):
            new = str(new)
        db.execute("BEGIN")
        try:
            db.execute(f"UPDATE event SET {column} = ? WHERE number = ?", (new, number))
        except sqlite3.IntegrityError:
            db.execute("DELETE FROM event WHERE number = ?", (number,))
        db.execute("COMMIT")
        return bytes(db.serialize())


def _body(was: str, chance: random.Random) -> str:
    try:
        return json.dumps(_of_value(json.loads(was), chance))
    except ValueError:
        return "{}"
