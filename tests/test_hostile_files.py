"""Files that nobody meant well: each is refused with its place, at once, or read as what it is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import plan_making
import pytest
from click.testing import Result

from compliance.errors import ComplianceError
from compliance.files.documents import load_json
from compliance.files.locks import alone_in
from compliance.privacy import pseudonyms
from compliance.tracker import life
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


@pytest.mark.parametrize("written", ["a b", "(", "x" * 5000 + "(", "(" * 500, "\\0"])
def test_a_fact_that_is_no_expression_is_told_with_its_place(
    cli: Callable[..., Result], tmp_path: Path, written: str
) -> None:
    pack = tmp_path / "rules" / "own"
    pack.mkdir(parents=True)
    facts = f'facts:\n  staff:\n    odd: {{is: "{written}", about: Odd}}\n'
    (pack / "pack.yaml").write_text(f"id: own\ntitle: Own\nabout: Own.\n{facts}", encoding="utf-8")
    (pack / "odd-fact.yaml").write_text(
        "id: odd-fact\ntitle: Odd\ncites: [FSR-20-1]\nrecord: staff\nrequire: {it is odd: odd}\nseverity: advice\n"
        "put_right: {within: 1 day, by: manager, workstream: x}\nremedy: R.\ncases: []\n",
        encoding="utf-8",
    )
    result = cli("rules", "lint", "--rules", tmp_path / "rules")
    assert (result.exit_code, "Traceback" in result.output) == (2, False), result.output
    assert "pack.yaml:" in result.stderr or "odd-fact.yaml:" in result.stderr


# --- JSON that an audit did not write -------------------------------------------------------------------------------

WRONG: dict[str, object] = {
    "failed": 1.5,
    "cites": [None],
    "subject": {"record": "staff", "key": 5, "part": None},
    "evidence": [],
    "outcome": ["breach"],
    "fingerprint": "not one",
    "title": None,
    "workstream": {},
    "severity": "worst",
}


@pytest.fixture(scope="module")
def audit_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit as a plan and a waiver take it."""
    return plan_making.kept(tmp_path_factory.mktemp("audit"), plan_making.audit("2022-01-31", "review-late/C1"))


@pytest.fixture
def plan_db(tmp_path: Path) -> str:
    db = str(tmp_path / "plan.sqlite")
    store = Store(db)
    store.change("p", "2022-01-03", plan_making.MANAGER, lambda _: [life.begin(plan_making.small_plan())])
    store.close()
    return db


def _doors(file: Path, db: str, folder: Path) -> dict[str, tuple[object, ...]]:
    who = ("--db", db, "--role", "manager", "--name", "m")
    terms = ("--reason", "r", "--legal-basis", "l", "--approved-by", "manager", "--until", "2022-03-01")
    return {
        "waive": ("waive", file, "review-late", "C1", *terms, "--to", folder / "waivers.yaml"),
        "propose": ("plan", "propose", "--findings", file, *who),
        "verify": ("plan", "verify", "--findings", file, *who),
        "measures": ("plan", "measures", "--from-audit", file, "--on", "2022-02-01", *who),
    }


@pytest.mark.parametrize("door", ["waive", "propose", "verify", "measures"])
def test_a_finding_of_the_wrong_shape_is_refused_at_every_door(
    cli: Callable[..., Result], tmp_path: Path, plan_db: str, audit_file: Path, door: str
) -> None:
    document = json.loads(audit_file.read_text(encoding="utf-8"))
    path = tmp_path / "findings.json"
    for field, value in WRONG.items():
        finding = {**document["findings"][0], field: value}
        path.write_text(json.dumps({**document, "findings": [finding]}), encoding="utf-8")
        result = cli(*_doors(path, plan_db, tmp_path)[door])
        assert (result.exit_code, "Traceback" in result.output) == (2, False), (field, result.output)
        assert field in result.stderr and "compliance audit" in result.stderr
    honest = cli(*_doors(audit_file, plan_db, tmp_path)[door])
    assert honest.exit_code < 4 and "compliance audit EXPORT" not in honest.stderr


@pytest.mark.parametrize(
    "text", ['["\\ud800"]', "[NaN]", "[" * 70 + "]" * 70, "9" * 5000, "[-Infinity]", '{"\\udfff": 1}']
)
def test_json_that_cannot_be_worked_with_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "findings.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ComplianceError, match=r"findings\.json"):
        load_json(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the machine has no such device")
def test_a_file_that_never_ends_is_refused(cli: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text(STAFF, encoding="utf-8")
    assert cli("data", "check", tmp_path, "--mapping", "/dev/zero").exit_code == 2


# --- many mistakes --------------------------------------------------------------------------------------------------

MANY = {
    "keys": "".join(f"k{i}: 1\n" for i in range(20_000)),
    "entries": "sources: [" + "1, " * 20_000 + "1]\nwaivers: [" + "1, " * 20_000 + "1]\n",
    "more keys than are read": "".join(f"k{i}: 1\n" for i in range(80_000)),
}


@pytest.mark.parametrize(
    ("door", "what"),
    [
        *((d, "keys") for d in ("mapping", "parameters", "waivers", "plan", "rule", "pack")),
        ("mapping", "entries"),
        ("waivers", "entries"),
        *((d, "more keys than are read") for d in ("mapping", "plan", "pack")),
    ],
)
def test_many_mistakes_are_told_soon(cli: Callable[..., Result], tmp_path: Path, what: str, door: str) -> None:
    data = tmp_path / "export"
    data.mkdir()
    (data / "staff.csv").write_text(STAFF, encoding="utf-8")
    pack = tmp_path / "rules" / "own"
    pack.mkdir(parents=True)
    (pack / "pack.yaml").write_text("id: own\ntitle: Own\nabout: Own.\n", encoding="utf-8")
    file = {"rule": pack / "many.yaml", "pack": pack / "pack.yaml"}.get(door, tmp_path / "many.yaml")
    file.write_text(MANY[what], encoding="utf-8")
    audit = ("audit", data, "--as-at", "2021-09-20", "--rule", "appraisal-overdue")
    asked: dict[str, tuple[object, ...]] = {
        "mapping": ("data", "check", data, "--mapping", file),
        "parameters": (*audit, "--parameters", file),
        "waivers": (*audit, "--waivers", file),
        "plan": ("plan", "new", file, "--db", tmp_path / "p.sqlite", "--role", "m", "--name", "m"),
    }
    began = time.process_time()
    result = cli(*asked.get(door, ("rules", "lint", "--rules", tmp_path / "rules")))
    assert (result.exit_code, "Traceback" in result.output) == (2, False), result.output[-2000:]
    if what == "more keys than are read":
        assert "more than 100,000 parts" in result.stderr
    # In proportion to their number they take one or two seconds on a slow machine; by its square a minute.
    assert time.process_time() - began < 20
