"""Rules and mapping as an audit needs them: made anew, or from the user's cache folder (I/O: that folder).

The cache holds plain JSON under a key made of the program's version and the content of every file that had a say. A stale, broken or
foreign entry is made anew without a word; a folder that cannot be written to costs time, nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance import __version__
from compliance.errors import ComplianceError, DataError, nearest
from compliance.files import documents
from compliance.findings.argument import argument_of
from compliance.model import Limit, Prompt, PutRight, RecordKinds, RuleInfo, Tables
from compliance.sql.planned import AheadPlan, Plan, Prepared, RecordPlan

if TYPE_CHECKING:
    from compliance.records.mapping import Mapping
    from compliance.rules.rulebook import Rulebook

PACKAGE = Path(__file__).parents[1]


def cache_folder() -> Path | None:
    """Where plans are kept; None where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "compliance"
    except RuntimeError:
        return None


def shipped() -> tuple[Path, Path]:
    """The folders `rules` and `schemas` that came with the program: inside the package, or beside it in a checkout."""
    root = PACKAGE / "shipped" if (PACKAGE / "shipped").is_dir() else PACKAGE.parent
    return root / "rules", root / "schemas"


def sample() -> tuple[Path, Path]:
    """The sample agency's export, a folder, and the plan to begin with, a file, that came with the program."""
    rules, _ = shipped()
    inside = rules.parent / "sample"
    if inside.is_dir():
        return inside, rules.parent / "sample-plan.yaml"
    fixtures = rules.parent / "fixtures"
    return fixtures / "agency", fixtures / "plans" / "sample-agency.yaml"


def rulebook(rules: Path | None, parameters: Path | None, kpis_only: bool = False) -> Rulebook:
    """Every rule and KPI, or the KPIs alone, read and checked; slow, and not cached.

    Raises:
      RulesError: with every problem in every file.
    """
    from compliance.rules.rulebook import read

    own, schemas = shipped()
    return read(rules or own, schemas, parameters, own, kpis_only)


def rule_ids(rules: Path | None) -> list[str]:
    """The ids of all rules, by the names of their files; quick."""
    folders = (p.parent for p in (rules or shipped()[0]).glob("*/pack.yaml"))
    return sorted(p.stem for folder in folders for p in folder.glob("*.yaml") if p.name != "pack.yaml")


def record_kinds() -> RecordKinds:
    """The record kinds."""
    from compliance.records.kinds import read_kinds

    return read_kinds(shipped()[1] / "records")


def plan(
    kinds: RecordKinds,
    tables: Tables,
    as_at: date,
    rules: Path | None,
    parameters: Path | None,
    only: tuple[str, ...],
    use_cache: bool,
    of_kpis: bool = False,
    days: int | None = None,
) -> Prepared:
    """The plan for an export of this shape.

    Args:
      only: rule ids; empty: all.
      of_kpis: they are ids of computed KPIs.
      days: of a forecast so far ahead; None: of an audit.

    Raises:
      RulesError: a rule cannot be used, or `only` names one that there is not.
    """
    folder = cache_folder() if use_cache else None
    path = None
    if folder is not None:
        own, schemas = shipped()
        read = [rules, own / "instruments"] if rules else [own]
        key = _key([*read, schemas / "records"], parameters, repr((_shape(tables), sorted(only), of_kpis, days)))
        path = folder / f"plan-{key}.json"
        found = _read(path)
        if found is not None and found.valid_from <= as_at <= found.valid_to:
            return found
    prepared = _make(kinds, tables, as_at, rules, parameters, only, of_kpis, days)
    if path is not None:
        _keep(path, json.dumps(asdict(prepared), default=str))
    return prepared


def _make(
    kinds: RecordKinds,
    tables: Tables,
    as_at: date,
    rules: Path | None,
    parameters: Path | None,
    only: tuple[str, ...],
    of_kpis: bool,
    days: int | None,
) -> Prepared:
    from compliance.compiler.prepare import prepare, prepare_forecast

    book = rulebook(rules, parameters, of_kpis)
    if days is not None:
        return prepare_forecast(book.chosen(only), kinds, book.figures, tables, as_at, days)
    made = prepare(book.with_cases(only) if of_kpis else book.chosen(only), kinds, book.figures, tables, as_at)
    return made if only else replace(made, prompts=book.prompts())


def _shape(tables: Tables) -> list[object]:
    return (
        [
            (kind, sorted(t.columns), sorted(t.doubted), sorted(t.links), t.order)
            for kind, t in sorted(tables.tables.items())
        ]
        + [sorted(tables.absent.items()), sorted(tables.services), sorted(tables.empty), sorted(tables.covers.items())]
        + [tables.personal]
    )


def _key(folders: Iterable[Path], extra: Path | None, more: str) -> str:
    digest = hashlib.sha256(f"{__version__} {sys.version_info[:2]} {more}".encode())
    files = [p for folder in folders for p in sorted(folder.rglob("*")) if p.suffix in (".yaml", ".json")]
    # A program that is being worked on must not run on yesterday's plan.
    files += sorted(PACKAGE.rglob("*.py"))
    for path in [*files, *([extra] if extra else [])]:
        try:
            content = path.read_bytes()
        except OSError:
            content = b""
        digest.update(f"{path.name} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def _read(path: Path) -> Prepared | None:
    try:
        stored = json.loads(path.read_bytes())
        return _prepared(stored)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _prepared(stored: dict[str, Any]) -> Prepared:
    def limit(v: dict[str, Any]) -> Limit:
        return Limit(v["amount"], v["unit"])

    def frozen(v: object) -> Any:
        return tuple(frozen(x) for x in v) if isinstance(v, list) else v

    def prompt(v: dict[str, Any]) -> Prompt:
        until = v["to_on"]
        days = {"from_on": date.fromisoformat(v["from_on"]), "to_on": date.fromisoformat(until) if until else None}
        return Prompt(**{**v, "binds": tuple(v["binds"]), **days})

    def info(v: dict[str, Any]) -> RuleInfo:
        right = v["put_right"]
        plain = {k: frozen(x) for k, x in v.items() if k != "put_right"}
        return RuleInfo(put_right=PutRight(limit(right["within"]), right["by"], right["workstream"]), **plain)

    plan = stored["plan"]
    records = tuple(RecordPlan(**{k: frozen(x) for k, x in r.items()}) for r in plan["records"])
    ahead = tuple(AheadPlan(**{k: frozen(x) for k, x in a.items()}) for a in plan["ahead"])
    rest = {k: frozen(x) for k, x in plan.items() if k not in ("records", "ahead")}
    made = Plan(records=records, ahead=ahead, **rest)
    return Prepared(
        tuple(info(r) for r in stored["rules"]),
        made,
        date.fromisoformat(stored["valid_from"]),
        date.fromisoformat(stored["valid_to"]),
        tuple(None if a is None else argument_of(a) for a in stored["arguments"]),
        tuple(prompt(p) for p in stored["prompts"]),
    )


def _keep(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        documents.write_private(path, [text.encode()])
    except (OSError, ComplianceError):
        pass


def mapping(path: Path | None, kinds: RecordKinds, use_cache: bool = True) -> Mapping | None:
    """The mapping, read and checked; or from the cache, if neither it nor the record kinds have changed.

    Args:
      path: a file; or the name of a mapping that came with the program, with what is to be set: `annex-a:snapshot_on=2021-09-20`.

    Raises:
      DataError: with every problem in it.
    """
    if path is None:
        return None
    own = shipped()[1] / "mappings"
    file, given = path, dict[str, str]()
    if not path.is_file() and (named := re.fullmatch(r"([\w-]+)((?::\w+=[^:]+)*)", str(path))):
        file = own / f"{named[1]}.yaml"
        given = dict(pair.split("=", 1) for pair in named[2].split(":")[1:])
        if not file.is_file():
            names = [p.stem for p in sorted(own.glob("*.yaml"))]
            near = nearest(named[1], names) or "."
            there = f"There are {' and '.join(names)}; of a file of your own, give the path"
            raise DataError(f"There is no mapping '{named[1]}'{near} {there}.")
    folder = cache_folder() if use_cache else None
    kept = None
    if folder is not None:
        kept = folder / f"mapping-{_key([shipped()[1] / 'records', own], file, f'mapping {given}')}.json"
        try:
            return _mapping(json.loads(kept.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            pass
    from compliance.records.mappingfile import read_mapping

    made = read_mapping(file, kinds, own, given)
    if kept is not None:
        _keep(kept, json.dumps(asdict(made)))
    return made


def _mapping(stored: dict[str, Any]) -> Mapping:
    from compliance.records.mapping import Column, Mapping, SourceOf

    def column(v: dict[str, Any]) -> Column:
        several = {k: tuple(v[k]) for k in ("names", "dates", "strip", "fields")}
        return Column(template=v["template"], codes=v["codes"], split=v["split"], **several)

    def source(v: dict[str, Any]) -> SourceOf:
        where = v["only_where"]
        columns = {f: column(c) for f, c in v["columns"].items()}
        only = (where[0], tuple(where[1])) if where else None
        return SourceOf(
            v["record"],
            v["file"],
            v["sheet"],
            columns,
            v["set"],
            tuple(v["only_if"]),
            only,
            v["header"],
            v["covers"] and tuple(v["covers"]),
        )

    return Mapping(
        tuple(source(s) for s in stored["sources"]),
        tuple(stored["dates"]),
        tuple(stored["empty"]),
        stored["encoding"],
        stored["delimiter"],
        tuple(stored["unused"]),
    )
