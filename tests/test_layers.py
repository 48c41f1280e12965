"""Imports point one way: what each package may import, as data; lazy imports count."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "compliance"

EVERYBODYS = {"compliance", "errors", "model", "dates"}
"""What everything may speak of."""

# A line a package, innermost first, with the packages that it may import beside these. What two packages agree on has a line of its own.
ALLOWED = {
    "compliance": "",
    "errors": "",
    "model": "",
    "dates": "",
    "data": "",
    "files": "",
    "language": "",
    "kpis": "",
    "compiler.ir": "",
    "records.mapping": "",
    "findings": "files",
    "sql": "compiler.ir records.mapping findings",
    "engine": "compiler.ir sql findings kpis",
    "records": "files language records.mapping sql engine",
    "rules": "files records language kpis findings",
    "findings.report": "findings",
    "compiler": "language rules compiler.ir sql findings",
    "proving": "files language rules compiler sql engine findings",
    "tracker": "files findings",
    "report": "files records language kpis rules findings findings.report tracker",
    "privacy": "files report",
    "jobs": "files records records.mapping rules kpis compiler sql engine findings findings.report tracker report privacy",
    "cli": "files records rules kpis engine findings findings.report proving tracker report privacy jobs",
    "__main__": "cli",
}


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(p for p in parts if p != "__init__") or "compliance"


MODULES = {
    _name(p): p for p in sorted(PACKAGE.rglob("*.py")) if "shipped" not in p.parts and p.stem != "make_bank_holidays"
}


def _imports(path: Path) -> set[str]:
    """Our modules that a file imports, inside functions and `if TYPE_CHECKING` too."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{a.name}" for a in node.names]
        for name in names:
            if name == "compliance" or name.startswith("compliance."):
                short = name.removeprefix("compliance").lstrip(".") or "compliance"
                while short not in MODULES:
                    short = short.rpartition(".")[0] or "compliance"
                imported.add(short)
    return imported - {_name(path)}


IMPORTS = {name: _imports(path) for name, path in MODULES.items()}


def _line(module: str) -> str:
    """The line of the table that a module comes under."""
    line = module
    while line not in ALLOWED:
        assert line, f"{module} has no place in the table"
        line = line.rpartition(".")[0]
    return line


@pytest.mark.parametrize("line", ALLOWED)
def test_a_package_imports_what_its_line_allows_and_no_line_allows_more_than_is_used(line: str) -> None:
    order = list(ALLOWED)
    allowed = ALLOWED[line].split()
    assert all(order.index(a) < order.index(line) for a in allowed), f"{line}: what it may import stands above it"
    used = {(m, i) for m in MODULES if _line(m) == line for i in IMPORTS[m] if _line(i) not in (line, *EVERYBODYS)}
    wrong = {(m, i) for m, i in used if _line(i) not in allowed}
    assert not wrong, f"{line} may not import these"
    assert set(allowed) == {_line(i) for _, i in used}, f"{line} imports less than it may"


def test_no_module_imports_itself_by_way_of_others() -> None:
    # The package itself holds the version alone, and every module is in it.
    assert not IMPORTS["compliance"]
    TopologicalSorter({m: i - {"compliance"} for m, i in IMPORTS.items()}).prepare()


PURE = ("language", "compiler", "kpis", "findings", "findings.report", "dates", "model")
"""Lines that know no files, no clock and no terminal; and these modules of others:"""
PURE_MODULES = ("rules.checking", "rules.coverage", "engine.arranging", "engine.sampling", "proving.oracle")
READS = ("findings.waiverfile",)
"""What reads a file all the same."""


@pytest.mark.parametrize("name", [m for m in MODULES if (_line(m) in PURE or m in PURE_MODULES) and m not in READS])
def test_the_core_knows_no_files_no_clock_and_no_terminal(name: str) -> None:
    outside = {"os", "sys", "pathlib", "io", "time", "click", "tempfile", "shutil", "duckdb", "yaml", "logging"}
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {a.name.partition(".")[0] for a in node.names} & outside
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.module.partition(".")[0] not in outside
        called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        assert called not in ("today", "now")


def test_one_module_alone_names_the_database() -> None:
    def names_it(node: ast.AST) -> bool:
        match node:
            case ast.Import():
                return any(a.name.partition(".")[0] in ("duckdb", "_duckdb") for a in node.names)
            case ast.ImportFrom():
                return (node.module or "").partition(".")[0] in ("duckdb", "_duckdb")
            case ast.Constant():
                return node.value in ("duckdb", "_duckdb")
        return False

    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
    assert [name for name, tree in trees.items() if any(map(names_it, ast.walk(tree)))] == ["engine.database"]


def test_sql_text_stands_only_where_sql_is_made() -> None:
    for name, path in MODULES.items():
        if name.startswith("sql"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value.lstrip()
                assert (
                    not text.startswith(("SELECT ", "INSERT ", "CREATE ", "UPDATE ", "DROP ", "ALTER "))
                    or "(?:" in text
                ), (name, text)


# --- what is imported when ------------------------------------------------------------------------------------------

MADE_WITH = ("pydantic", "jsonschema", "yaml")
"""What people write is read with these."""
SHOWN_WITH = ("tabulate", "icalendar", "jinja2", "xlsxwriter", "sqlalchemy")
"""What only some outputs need."""


def _imported_by(code: str) -> list[str]:
    """Every module that is there when `code` has run in a Python of its own."""
    listed = f"import sys\n{code}\nprint('\\n'.join(['', 'LOADED', *sys.modules]))"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    return done.stdout.split("\nLOADED\n", 1)[1].split("\n")


def test_help_imports_nothing_heavy() -> None:
    modules = _imported_by("import compliance.cli")
    assert not {"duckdb", *MADE_WITH, *SHOWN_WITH} & set(modules)
    assert not [m for m in modules if m.startswith("compliance.jobs")]


@pytest.mark.parametrize(
    ("command", "out", "shown_with"),
    [
        (("audit", "--exit-zero"), "findings.json", set()),
        (("kpi",), "kpis.json", set()),
        (("report",), "report.html", {"jinja2"}),
    ],
)
def test_with_a_kept_plan_a_command_imports_what_runs_it_and_its_own_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], out: str, shown_with: set[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    export = tmp_path / "export"
    export.mkdir()
    # One rule can run on it: an audit in which none could ends with 2.
    (export / "staff.csv").write_text("staff_id,started_on,role,left_on\nS1,2019-04-01,mentor,\n", encoding="utf-8")
    signed = "supervision_id,staff_id,held_on,signed\nV1,S1,2021-09-01,yes\n"
    (export / "supervision.csv").write_text(signed, encoding="utf-8")
    name, *options = command
    words = [name, str(export), "--as-at", "2021-09-20", "--out", str(tmp_path / out), *options]
    if out.endswith("json"):
        words += ["--format", "json"]
    code = f"from compliance.cli import main\nmain({words!r}, standalone_mode=False)"
    code = f"try:\n    {code.replace(chr(10), chr(10) + '    ')}\nexcept SystemExit as e:\n    assert not e.code"
    first, again = _imported_by(code), _imported_by(code)
    assert {"pydantic", "compliance.compiler.prepare"} <= set(first)
    assert {*MADE_WITH, *SHOWN_WITH} & set(again) == shown_with
    assert [m for m in again if m.startswith("compliance.compiler.")] == ["compliance.compiler.ir"]
