"""Imports point one way: what each module may import, as data; lazy imports count."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "compliance"

# Innermost first. A module may import only modules above it, and of those only what its line allows.
LAYERS: list[tuple[str, str]] = [
    ("compliance", ""),
    ("errors", ""),
    ("model", ""),
    ("dates", "model"),
    ("grouping", "model"),
    ("mapping", ""),
    ("data", ""),
    ("sidebyside", ""),
    ("language", ""),
    ("language.tree", "model"),
    ("language.check", "errors language model"),
    ("language.describe", "dates language model"),
    ("kpi", "dates model"),
    ("measuring", "dates errors kpi language.check model"),
    ("strict", "dates errors model"),
    ("rulefile", "dates errors grouping model strict"),
    ("kpifile", "dates errors kpi model rulefile strict"),
    ("checking", "errors language model"),
    ("oracle", "checking dates language model"),
    ("sql", ""),
    ("sql.text", ""),
    ("compiler", ""),
    ("compiler.ir", ""),
    ("sql.duckdb", "compiler.ir sql.text"),
    ("sql.loading", "mapping model sql"),
    ("sql.reporting", "model sql"),
    ("sql.forecasting", "model sql"),
    ("sql.planned", "model sql"),
    ("compiler.lower", "checking compiler.ir dates language model"),
    ("compiler.argue", "checking compiler language model"),
    ("compiler.ahead", "checking compiler"),
    ("compiler.plan", "compiler model sql"),
    ("compiler.prepare", "checking compiler dates model sql"),
    ("previous", "model"),
    ("waivers", "dates errors model"),
    ("findings", "checking model previous waivers"),
    ("forecast", "model"),
    ("sql.sampling", "sql"),
    ("sampling", "grouping model sql"),
    ("arranging", "grouping model previous sql"),
    ("coverage", "model"),
    ("documents", "errors"),
    ("records", "documents errors model"),
    ("reading", "errors mapping"),
    ("mappingfile", "dates documents errors mapping model strict"),
    ("loading", "compliance errors mapping model reading sidebyside sql"),
    ("waiverfile", "documents errors model strict waivers"),
    ("rulebook", "checking compliance documents errors grouping kpi kpifile language model records rulefile strict"),
    ("run", "dates errors measuring model previous sampling sidebyside sql"),
    ("foresee", "forecast model run sidebyside sql"),
    ("cases", "checking compiler dates errors model rulebook run sql compliance"),
    ("variants", "cases checking dates language model"),
    ("mutants", "cases checking dates language model oracle rulebook variants"),
    ("boundaries", "cases checking compiler.prepare model mutants rulebook run variants compliance"),
    ("suppression", "kpi"),
    ("trend", "model"),
    ("tracker", ""),
    ("tracker.model", ""),
    ("tracker.accounts", "tracker"),
    ("tracker.plain", "tracker"),
    ("tracker.events", ""),
    ("tracker.state", "tracker"),
    ("tracker.targets", ""),
    ("tracker.life", "errors tracker"),
    ("tracker.proposing", "tracker"),
    ("tracker.auditfile", "documents errors previous tracker"),
    ("tracker.due", "tracker"),
    ("tracker.history", "tracker"),
    ("tracker.written", "tracker"),
    ("tracker.cellformats", ""),
    ("tracker.importing", "errors tracker"),
    ("tracker.spreadsheet", "errors tracker"),
    ("tracker.choosing", "tracker"),
    ("tracker.telling", "tracker"),
    ("tracker.planfile", "documents errors strict tracker"),
    ("tracker.eventsfile", "errors tracker"),
    ("tracker.store", "errors tracker"),
    ("tracker.migrations", ""),
    ("tracker.migrations.versions", ""),
    ("tracker.migrations.env", "tracker"),
    ("tracker.migrations.versions.0001_events", ""),
    ("report.grid", ""),
    ("report.words", "dates model waivers"),
    ("report.table", "dates findings forecast model previous report waivers"),
    ("report.json", "dates findings model previous report.words waivers"),
    ("report.csv", "findings model report"),
    ("report.sarif", "compliance findings model report.words"),
    ("report.junit", "compliance findings model report.words"),
    ("report.github", "findings model report.words"),
    ("report.gitlab", "findings model report.words"),
    ("report.markdown", "dates findings model report.table report.words"),
    ("report.rules", "checking dates language model report run rulebook"),
    ("report.coverage", "coverage dates report"),
    ("report.dictionary", "errors model report"),
    ("report.regulations", "checking findings grouping model"),
    ("whole", "findings forecast kpi tracker"),
    ("report.kpi.words", "dates kpi"),
    ("report.kpi.table", "dates kpi report"),
    ("report.kpi.json", "dates kpi"),
    ("report.kpi.csv", "kpi report.csv report"),
    ("report.kpi.chart", "dates kpi model report suppression"),
    ("report.forecast.words", "dates forecast"),
    ("report.forecast.table", "dates forecast report"),
    ("report.forecast.json", "forecast"),
    ("report.forecast.csv", "forecast report.csv"),
    ("report.forecast.ics", "compliance forecast report.forecast"),
    ("report.trend.table", "dates model report trend"),
    ("report.trend.json", "model trend"),
    ("report.trend.csv", "model report.csv trend"),
    ("report.trend", "report trend"),
    ("report.plan", ""),
    ("report.plan.words", "tracker"),
    ("report.plan.actions", "report tracker"),
    ("report.plan.page", "report"),
    ("report.plan.numbers", "dates report tracker"),
    ("report.plan.level_one", "dates report tracker"),
    ("report.plan.level_two", "dates report tracker"),
    ("report.plan.proposals", "report tracker"),
    ("report.plan.verdicts", "report tracker"),
    ("report.plan.measures", "report tracker"),
    ("report.plan.progress", "dates report tracker"),
    ("report.plan.board", "dates report tracker"),
    ("report.plan.csv", "report.csv tracker"),
    ("report.plan.jsonl", "tracker"),
    ("report.plan.yaml", "tracker"),
    ("report.plan.oscal", "report tracker"),
    ("report.plan.exports", "report tracker"),
    ("report.html.audit", "checking dates findings model report waivers"),
    ("report.html.ahead", "forecast model report"),
    ("report.html.kpis", "kpi report"),
    ("report.html.plan", "report tracker"),
    ("report.html.page", "dates model report whole"),
    ("report.html", "findings forecast kpi whole"),
    ("report.kpi", "kpi report"),
    ("report.forecast", "forecast report"),
    ("report", "findings report"),
    ("planning", "compliance errors model sql documents mapping mappingfile records rulebook compiler"),
    ("schemas", "compliance documents kpifile mappingfile rulefile tracker waiverfile"),
    (
        "pipeline",
        "compliance arranging coverage dates documents errors findings forecast foresee grouping kpi measuring model trend"
        " previous sampling sql waiverfile waivers reading run loading planning checking compiler rulebook",
    ),
    ("demo", "documents errors findings kpi model pipeline planning report tracker"),
    ("terminal", "documents errors report"),
    ("ciworkflow", "compliance errors"),
    ("cli_ci", "ciworkflow compliance documents errors"),
    ("cli_plan", "compliance errors report terminal tracker"),
    ("cli_plan_audit", "cli_plan compliance errors report terminal tracker"),
    ("cli_report", "cli_plan pipeline report terminal whole"),
    ("cli_plan_report", "cli_plan compliance dates errors report terminal tracker"),
    (
        "cli",
        "compliance cli_ci cli_plan cli_plan_audit cli_plan_report cli_report demo errors terminal kpi kpifile waiverfile report"
        " schemas pipeline planning suppression boundaries mutants run rulebook cases"
        " records loading findings forecast"
        " model documents",
    ),
    ("__main__", "cli"),
]


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(p for p in parts if p != "__init__") or "compliance"


MODULES = {
    _name(p): p for p in sorted(PACKAGE.rglob("*.py")) if "shipped" not in p.parts and p.stem != "make_bank_holidays"
}


def _imports(path: Path) -> set[str]:
    """Our modules that a file imports, inside functions and `if TYPE_CHECKING` too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{a.name}" for a in node.names] + [node.module]
        for name in names:
            if name == "compliance" or name.startswith("compliance."):
                short = name.removeprefix("compliance").lstrip(".") or "compliance"
                while short not in MODULES:
                    short = short.rpartition(".")[0] or "compliance"
                found.add(short)
    return found - {_name(path)}


def test_every_module_has_its_place() -> None:
    assert sorted(MODULES) == sorted(n for n, _ in LAYERS)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_inwards(name: str) -> None:
    order = [n for n, _ in LAYERS]
    allowed = dict(LAYERS)[name].split()
    for imported in _imports(MODULES[name]):
        if imported == "compliance":
            continue
        assert order.index(imported) < order.index(name) or imported.startswith(f"{name}."), (
            f"{name} -> {imported}: a circle"
        )
        fits = any(imported == a or imported.startswith(f"{a}.") for a in allowed) or imported.startswith(f"{name}.")
        assert fits, f"{name} may not import {imported}"


@pytest.mark.parametrize(
    "name",
    [
        "language.check",
        "compiler.lower",
        "compiler.plan",
        "compiler.argue",
        "findings",
        "dates",
        "checking",
        "coverage",
        "grouping",
        "previous",
        "waivers",
        "arranging",
        "forecast",
        "compiler.ahead",
        "oracle",
    ],
)
def test_the_core_knows_no_files_no_clock_and_no_terminal(name: str) -> None:
    outside = {"os", "sys", "pathlib", "io", "time", "click", "tempfile", "shutil", "duckdb", "yaml", "logging"}
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {a.name.partition(".")[0] for a in node.names} & outside
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.module.partition(".")[0] not in outside
        called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        assert called not in ("today", "now")


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


def test_help_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    heavy = ("duckdb", "pydantic", "yaml", "tabulate", "jsonschema", "matplotlib")
    code = f"import sys, compliance.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
