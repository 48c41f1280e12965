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
    ("findings", ""),
    ("findings.grouping", "model"),
    ("records", ""),
    ("records.mapping", ""),
    ("data", ""),
    ("files", ""),
    ("files.cells", ""),
    ("records.filling", ""),
    ("privacy", ""),
    ("privacy.pseudonyms", "errors"),
    ("engine", ""),
    ("engine.sidebyside", ""),
    ("language", ""),
    ("language.tree", "model"),
    ("language.check", "errors language model"),
    ("language.describe", "dates language model"),
    ("kpis", ""),
    ("kpis.kpi", "dates model"),
    ("kpis.measuring", "dates errors kpis.kpi language.check model"),
    ("files.strict", "dates errors model"),
    ("rules", ""),
    ("rules.rulefile", "dates errors findings.grouping model files.strict"),
    ("rules.kpifile", "dates errors kpis.kpi model rules.rulefile files.strict"),
    ("rules.checking", "errors language model"),
    ("proving", ""),
    ("proving.oracle", "dates language model rules.checking"),
    ("sql", ""),
    ("sql.text", ""),
    ("compiler", ""),
    ("compiler.ir", ""),
    ("sql.duckdb", "compiler.ir model sql.text"),
    ("sql.privacy", "sql"),
    ("sql.loading", "records.mapping model sql"),
    ("sql.reporting", "model sql"),
    ("sql.forecasting", "model sql"),
    ("sql.planned", "model sql"),
    ("compiler.lower", "dates compiler.ir language model rules.checking"),
    ("compiler.argue", "compiler compiler.ir language model rules.checking"),
    ("compiler.ahead", "compiler compiler.ir rules.checking"),
    ("compiler.plan", "compiler compiler.ir model sql"),
    ("compiler.prepare", "compiler dates compiler.ir model rules.checking sql"),
    ("findings.previous", "model"),
    ("findings.waivers", "dates errors model"),
    ("findings.report", "model findings.previous rules.checking findings.waivers"),
    ("findings.forecast", "model"),
    ("sql.sampling", "sql"),
    ("engine.sampling", "findings.grouping model sql"),
    ("engine.arranging", "findings.grouping model findings.previous sql"),
    ("rules.coverage", "model"),
    ("files.documents", "errors"),
    ("records.kinds", "files.documents errors model"),
    ("records.reading", "errors records.mapping"),
    ("records.answers", "files.cells files.documents errors records.reading records.filling"),
    ("records.mappingfile", "dates files.documents errors records.mapping model files.strict"),
    ("records.loading", "engine.sidebyside errors records.reading records.mapping model sql"),
    ("findings.waiverfile", "files.documents errors model files.strict findings.waivers"),
    (
        "rules.rulebook",
        "files.documents errors records.kinds findings.grouping kpis.kpi language model rules.checking "
        "rules.kpifile rules.rulefile files.strict",
    ),
    ("engine.run", "dates engine.sampling engine.sidebyside errors kpis.measuring model findings.previous sql"),
    ("engine.foresee", "engine.run engine.sidebyside findings.forecast model sql"),
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
    ("findings.trend", "model"),
    ("tracker", ""),
    ("tracker.model", ""),
    ("tracker.accounts", "tracker"),
    ("tracker.plain", "tracker"),
    ("tracker.events", ""),
    ("tracker.state", "tracker"),
    ("tracker.targets", ""),
    ("tracker.life", "errors tracker"),
    ("tracker.proposing", "tracker"),
    ("tracker.auditfile", "files.documents errors findings.previous tracker"),
    ("tracker.due", "tracker"),
    ("tracker.history", "tracker"),
    ("tracker.written", "tracker"),
    ("tracker.cellformats", ""),
    ("tracker.importing", "errors tracker"),
    ("tracker.spreadsheet", "errors tracker"),
    ("tracker.choosing", "tracker"),
    ("tracker.telling", "tracker"),
    ("tracker.planfile", "files.documents errors files.strict tracker"),
    ("tracker.eventsfile", "errors tracker"),
    ("tracker.store", "errors tracker"),
    ("tracker.migrations", ""),
    ("tracker.migrations.versions", ""),
    ("tracker.migrations.env", "tracker"),
    ("tracker.migrations.versions.0001_events", ""),
    ("report.grid", ""),
    ("report.words", "dates model findings.waivers"),
    ("report.table", "dates findings.report findings.forecast model findings.previous report findings.waivers"),
    ("report.json", "dates findings.report model findings.previous report.words findings.waivers"),
    ("report.csv", "files.cells findings.report model report"),
    ("report.sarif", "findings.report model report.words"),
    ("report.junit", "findings.report model report.words"),
    ("report.github", "findings.report model report.words"),
    ("report.gitlab", "findings.report model report.words"),
    ("report.markdown", "dates findings.report model report.table report.words"),
    ("report.rules", "dates engine.run language model report rules.checking rules.rulebook"),
    ("report.coverage", "dates report rules.coverage"),
    ("report.dictionary", "errors model report"),
    ("report.regulations", "findings.report findings.grouping model rules.checking"),
    ("findings.whole", "findings.report findings.forecast kpis.kpi tracker"),
    ("report.kpi.words", "dates kpis.kpi"),
    ("report.kpi.table", "dates kpis.kpi report"),
    ("report.kpi.json", "dates kpis.kpi"),
    ("report.kpi.csv", "files.cells kpis.kpi report report.csv"),
    ("report.kpi.chart", "dates kpis.kpi kpis.suppression model report"),
    ("report.forecast.words", "dates findings.forecast"),
    ("report.forecast.table", "dates findings.forecast report"),
    ("report.forecast.json", "findings.forecast"),
    ("report.forecast.csv", "files.cells findings.forecast report.csv"),
    ("report.forecast.ics", "findings.forecast report.forecast"),
    ("report.trend.table", "dates model report findings.trend"),
    ("report.trend.json", "model findings.trend"),
    ("report.trend.csv", "files.cells model report.csv findings.trend"),
    ("report.trend", "report findings.trend"),
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
    ("report.plan.csv", "files.cells report.csv tracker"),
    ("report.plan.jsonl", "tracker"),
    ("report.plan.yaml", "tracker"),
    ("report.plan.oscal", "report tracker"),
    ("report.plan.exports", "report tracker"),
    ("report.html.audit", "dates findings.report model report rules.checking findings.waivers"),
    ("report.html.ahead", "findings.forecast model report"),
    ("report.html.kpis", "kpis.kpi report"),
    ("report.html.plan", "report tracker"),
    ("report.html.page", "dates model report findings.whole"),
    ("report.html", "findings.report findings.forecast kpis.kpi findings.whole"),
    ("report.xlsx.sheet", "dates report.words"),
    ("report.xlsx.findings", "findings.report model report"),
    ("report.xlsx.earlier", "findings.previous report findings.waivers"),
    ("report.xlsx.rules", "dates findings.report model report rules.checking"),
    ("report.xlsx.regulations", "findings.report model report rules.checking"),
    ("report.xlsx.fill", "records.filling findings.report model report rules.checking"),
    ("report.xlsx.ahead", "findings.forecast report"),
    ("report.xlsx.kpis", "dates kpis.kpi report"),
    ("report.xlsx.plan", "report tracker"),
    ("report.xlsx.data", "findings.report report"),
    ("report.xlsx.summary", "dates model report findings.whole"),
    ("report.xlsx.book", "dates records.filling report findings.whole"),
    ("report.xlsx", "findings.report findings.forecast kpis.kpi report findings.whole"),
    ("report.wholes", "report findings.whole"),
    ("report.kpi", "kpis.kpi report"),
    ("report.forecast", "findings.forecast report"),
    ("report", "findings.report report"),
    ("jobs", ""),
    (
        "jobs.planning",
        "compiler files.documents errors records.mappingfile records.kinds records.mapping model rules.rulebook sql",
    ),
    ("jobs.schemas", "files.documents records.mappingfile rules.kpifile rules.rulefile tracker findings.waiverfile"),
    (
        "jobs.pipeline",
        "compiler dates files.documents engine.arranging engine.foresee engine.run engine.sampling errors "
        "records.answers records.loading records.reading findings.report findings.forecast findings.grouping "
        "kpis.kpi kpis.measuring records.mapping model jobs.planning findings.previous privacy.pseudonyms "
        "rules.checking rules.coverage rules.rulebook sql findings.trend findings.waiverfile findings.waivers",
    ),
    (
        "jobs.demo",
        "files.documents errors findings.report kpis.kpi model jobs.pipeline jobs.planning report tracker "
        "findings.whole",
    ),
    ("privacy.reidentifying", "files.cells files.documents errors privacy.pseudonyms report"),
    (
        "cli.terminal",
        "files.documents errors findings.forecast model jobs.pipeline privacy.pseudonyms report findings.whole",
    ),
    ("cli.waive", "cli.terminal findings.waiverfile"),
    ("cli.demo", "cli.terminal jobs.demo report.grid"),
    (
        "cli.data",
        "cli.terminal records.loading records.kinds jobs.pipeline jobs.planning privacy.pseudonyms "
        "privacy.reidentifying report.dictionary report.grid",
    ),
    (
        "cli.rules",
        "cli.terminal engine.run errors jobs.pipeline jobs.planning proving.boundaries proving.cases "
        "proving.mutants report.coverage report.rules rules.rulebook",
    ),
    ("cli.schemas", "cli.terminal jobs.planning jobs.schemas"),
    ("cli.kpi", "cli.terminal files.documents kpis.kpi kpis.suppression model jobs.pipeline report rules.kpifile"),
    ("cli.forecast", "cli.terminal jobs.pipeline report.forecast"),
    ("cli.audit", "cli.terminal findings.report model jobs.pipeline report"),
    ("jobs.ciworkflow", "errors"),
    ("cli.ci", "jobs.ciworkflow files.documents errors"),
    ("cli.plan", "cli.terminal errors report tracker"),
    ("cli.plan_audit", "cli.plan cli.terminal errors report tracker"),
    ("cli.report", "cli.plan cli.terminal jobs.pipeline report findings.whole"),
    ("cli.plan_report", "cli.plan cli.terminal dates errors report tracker findings.whole"),
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
        "findings.report",
        "dates",
        "rules.checking",
        "rules.coverage",
        "findings.grouping",
        "findings.previous",
        "findings.waivers",
        "engine.arranging",
        "findings.forecast",
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
