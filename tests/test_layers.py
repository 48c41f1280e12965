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
    ("cells", ""),
    ("filling", ""),
    ("privacy", "errors"),
    ("engine", ""),
    ("engine.sidebyside", ""),
    ("language", ""),
    ("language.tree", "model"),
    ("language.check", "errors language model"),
    ("language.describe", "dates language model"),
    ("kpis", ""),
    ("kpis.kpi", "dates model"),
    ("kpis.measuring", "dates errors kpis.kpi language.check model"),
    ("strict", "dates errors model"),
    ("rules", ""),
    ("rules.rulefile", "dates errors grouping model strict"),
    ("rules.kpifile", "dates errors kpis.kpi model rules.rulefile strict"),
    ("rules.checking", "errors language model"),
    ("proving", ""),
    ("proving.oracle", "dates language model rules.checking"),
    ("sql", ""),
    ("sql.text", ""),
    ("compiler", ""),
    ("ir", ""),
    ("sql.duckdb", "ir model sql.text"),
    ("sql.privacy", "sql"),
    ("sql.loading", "mapping model sql"),
    ("sql.reporting", "model sql"),
    ("sql.forecasting", "model sql"),
    ("sql.planned", "model sql"),
    ("compiler.lower", "dates ir language model rules.checking"),
    ("compiler.argue", "compiler ir language model rules.checking"),
    ("compiler.ahead", "compiler ir rules.checking"),
    ("compiler.plan", "compiler ir model sql"),
    ("compiler.prepare", "compiler dates ir model rules.checking sql"),
    ("previous", "model"),
    ("waivers", "dates errors model"),
    ("findings", "model previous rules.checking waivers"),
    ("forecast", "model"),
    ("sql.sampling", "sql"),
    ("engine.sampling", "grouping model sql"),
    ("engine.arranging", "grouping model previous sql"),
    ("rules.coverage", "model"),
    ("documents", "errors"),
    ("exports", ""),
    ("exports.records", "documents errors model"),
    ("exports.reading", "errors mapping"),
    ("exports.answers", "cells documents errors exports.reading filling"),
    ("exports.mappingfile", "dates documents errors mapping model strict"),
    ("exports.loading", "engine.sidebyside errors exports.reading mapping model sql"),
    ("waiverfile", "documents errors model strict waivers"),
    (
        "rules.rulebook",
        "documents errors exports.records grouping kpis.kpi language model rules.checking rules.kpifile "
        "rules.rulefile strict",
    ),
    ("engine.run", "dates engine.sampling engine.sidebyside errors kpis.measuring model previous sql"),
    ("engine.foresee", "engine.run engine.sidebyside forecast model sql"),
    ("proving.cases", "compiler dates engine.run errors model rules.checking rules.rulebook sql"),
    ("proving.variants", "dates language model proving.cases rules.checking"),
    (
        "proving.mutants",
        "dates language model proving.cases proving.oracle proving.variants rules.checking rules.rulebook",
    ),
    (
        "proving.boundaries",
        "compiler.prepare engine.run model proving.cases proving.mutants proving.variants rules.checking "
        "rules.rulebook",
    ),
    ("kpis.suppression", "kpis.kpi"),
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
    ("report.csv", "cells findings model report"),
    ("report.sarif", "findings model report.words"),
    ("report.junit", "findings model report.words"),
    ("report.github", "findings model report.words"),
    ("report.gitlab", "findings model report.words"),
    ("report.markdown", "dates findings model report.table report.words"),
    ("report.rules", "dates engine.run language model report rules.checking rules.rulebook"),
    ("report.coverage", "dates report rules.coverage"),
    ("report.dictionary", "errors model report"),
    ("report.regulations", "findings grouping model rules.checking"),
    ("whole", "findings forecast kpis.kpi tracker"),
    ("report.kpi.words", "dates kpis.kpi"),
    ("report.kpi.table", "dates kpis.kpi report"),
    ("report.kpi.json", "dates kpis.kpi"),
    ("report.kpi.csv", "cells kpis.kpi report report.csv"),
    ("report.kpi.chart", "dates kpis.kpi kpis.suppression model report"),
    ("report.forecast.words", "dates forecast"),
    ("report.forecast.table", "dates forecast report"),
    ("report.forecast.json", "forecast"),
    ("report.forecast.csv", "cells forecast report.csv"),
    ("report.forecast.ics", "forecast report.forecast"),
    ("report.trend.table", "dates model report trend"),
    ("report.trend.json", "model trend"),
    ("report.trend.csv", "cells model report.csv trend"),
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
    ("report.plan.csv", "cells report.csv tracker"),
    ("report.plan.jsonl", "tracker"),
    ("report.plan.yaml", "tracker"),
    ("report.plan.oscal", "report tracker"),
    ("report.plan.exports", "report tracker"),
    ("report.html.audit", "dates findings model report rules.checking waivers"),
    ("report.html.ahead", "forecast model report"),
    ("report.html.kpis", "kpis.kpi report"),
    ("report.html.plan", "report tracker"),
    ("report.html.page", "dates model report whole"),
    ("report.html", "findings forecast kpis.kpi whole"),
    ("report.xlsx.sheet", "dates report.words"),
    ("report.xlsx.findings", "findings model report"),
    ("report.xlsx.earlier", "previous report waivers"),
    ("report.xlsx.rules", "dates findings model report rules.checking"),
    ("report.xlsx.regulations", "findings model report rules.checking"),
    ("report.xlsx.fill", "filling findings model report rules.checking"),
    ("report.xlsx.ahead", "forecast report"),
    ("report.xlsx.kpis", "dates kpis.kpi report"),
    ("report.xlsx.plan", "report tracker"),
    ("report.xlsx.data", "findings report"),
    ("report.xlsx.summary", "dates model report whole"),
    ("report.xlsx.book", "dates filling report whole"),
    ("report.xlsx", "findings forecast kpis.kpi report whole"),
    ("report.wholes", "report whole"),
    ("report.kpi", "kpis.kpi report"),
    ("report.forecast", "forecast report"),
    ("report", "findings report"),
    ("planning", "compiler documents errors exports.mappingfile exports.records mapping model rules.rulebook sql"),
    ("schemas", "documents exports.mappingfile rules.kpifile rules.rulefile tracker waiverfile"),
    (
        "pipeline",
        "compiler dates documents engine.arranging engine.foresee engine.run engine.sampling errors "
        "exports.answers exports.loading exports.reading findings forecast grouping kpis.kpi kpis.measuring mapping model planning "
        "previous privacy rules.checking rules.coverage rules.rulebook sql trend waiverfile waivers",
    ),
    ("demo", "documents errors findings kpis.kpi model pipeline planning report tracker whole"),
    ("reidentifying", "cells documents errors privacy report"),
    ("cli.terminal", "documents errors forecast model pipeline privacy report whole"),
    ("cli.waive", "cli.terminal waiverfile"),
    ("cli.demo", "cli.terminal demo report.grid"),
    (
        "cli.data",
        "cli.terminal exports.loading exports.records pipeline planning privacy reidentifying report.dictionary report.grid",
    ),
    (
        "cli.rules",
        "cli.terminal engine.run errors pipeline planning proving.boundaries proving.cases proving.mutants "
        "report.coverage report.rules rules.rulebook",
    ),
    ("cli.schemas", "cli.terminal planning schemas"),
    ("cli.kpi", "cli.terminal documents kpis.kpi kpis.suppression model pipeline report rules.kpifile"),
    ("cli.forecast", "cli.terminal pipeline report.forecast"),
    ("cli.audit", "cli.terminal findings model pipeline report"),
    ("ciworkflow", "errors"),
    ("cli.ci", "ciworkflow documents errors"),
    ("cli.plan", "cli.terminal errors report tracker"),
    ("cli.plan_audit", "cli.plan cli.terminal errors report tracker"),
    ("cli.report", "cli.plan cli.terminal pipeline report whole"),
    ("cli.plan_report", "cli.plan cli.terminal dates errors report tracker whole"),
    ("cli", ""),
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
            names = [f"{node.module}.{a.name}" for a in node.names]
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
        "rules.checking",
        "rules.coverage",
        "grouping",
        "previous",
        "waivers",
        "engine.arranging",
        "forecast",
        "compiler.ahead",
        "proving.oracle",
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
