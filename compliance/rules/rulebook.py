"""Everything that people wrote about the law, read and checked: record kinds, catalogues, packs, rules (I/O: their files)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, cast

from compliance.errors import ComplianceError, Location, Problem, RulesError, nearest
from compliance.files import documents
from compliance.files.strict import Problems
from compliance.findings.grouping import Grouping
from compliance.kpis.kpi import Framework, Measure
from compliance.language.check import Names
from compliance.model import (
    SERVICES,
    Dated,
    Duty,
    FactText,
    Instrument,
    Layer,
    Pack,
    Parameter,
    Prompt,
    RecordKinds,
    Rule,
    Value,
)
from compliance.records.kinds import read_kinds
from compliance.rules import kpifile, rulefile
from compliance.rules.checking import CheckedRule, check_fact, check_rule, names_of
from compliance.rules.rulefile import Overrides


@dataclass(frozen=True)
class Rulebook:
    """All packs, sound in every expression.

    Args:
      rules: in the order of severity, then id: the order in which everything is reported.
      names: what the expressions of each pack may name.
      reading: the record kind to be read for each duty that only reading can settle.
      frameworks: of KPIs, by name.
      measures: each with its rule, where it is computed.
      instruments: by the name of their catalogue.
    """

    kinds: RecordKinds
    duties: Mapping[str, Duty]
    packs: Mapping[str, Pack]
    rules: tuple[CheckedRule, ...]
    names: Mapping[str, Names]
    reading: Mapping[str, str] = field(default_factory=dict)
    frameworks: Mapping[str, Framework] = field(default_factory=dict)
    measures: tuple[tuple[Measure, CheckedRule | None], ...] = ()
    instruments: Mapping[str, Instrument] = field(default_factory=dict)

    @property
    def figures(self) -> Mapping[str, Parameter]:
        """The parameters of all packs, with the agency's own in their place."""
        return {n: p for names in self.names.values() for n, p in names.parameters.items()}

    @property
    def every(self) -> tuple[CheckedRule, ...]:
        """The rules, and the KPIs as rules: everything that has cases."""
        return (*self.rules, *(r for _, r in self.measures if r is not None))

    def prompts(self) -> tuple[Prompt, ...]:
        """Every duty that only reading can settle and that says what to read, in the order of the catalogues."""
        return tuple(
            Prompt(
                duty=d.id,
                ref=d.ref,
                title=d.title,
                instrument=d.instrument,
                question=f"Do these records show it? {d.summary}",
                record=self.reading[d.id],
                binds=tuple(sorted(SERVICES[d.binds])),
                from_on=d.from_on,
                to_on=d.to_on,
            )
            for d in self.duties.values()
            if d.id in self.reading
        )

    def chosen(self, only: Sequence[str]) -> tuple[CheckedRule, ...]:
        """The rules with these ids; all, if none is named.

        Raises:
          RulesError: there is no such rule.
        """
        return _chosen(self.rules, only, "rule")

    def with_cases(self, only: Sequence[str]) -> tuple[CheckedRule, ...]:
        """The rules and KPIs with these ids; all, if none is named.

        Raises:
          RulesError: there is no such rule or KPI.
        """
        return _chosen(self.every, only, "rule or computed KPI")


def _chosen(rules: tuple[CheckedRule, ...], only: Sequence[str], what: str) -> tuple[CheckedRule, ...]:
    ids = [r.rule.id for r in rules]
    unknown = [i for i in only if i not in ids]
    if unknown:
        said = "; ".join(f"there is no {what} '{i}'{nearest(i, ids)}" for i in unknown)
        raise RulesError(f"{said[0].upper()}{said[1:]}")
    return tuple(r for r in rules if not only or r.rule.id in only)


def _read_catalogue(path: Path, schema: Path | None) -> tuple[Instrument, list[dict[str, Any]]]:
    """The instrument of a catalogue, and its entries.

    Args:
      schema: what it is held against; None: it came with the program, whose tests have done so.

    Raises:
      ComplianceError: it cannot be read, or is not as a catalogue is, with every problem.
    """
    catalogue = documents.load_json(path)
    if schema is not None:
        from jsonschema import Draft7Validator, FormatChecker

        checker = Draft7Validator(cast(dict[str, Any], documents.load_json(schema)), format_checker=FormatChecker())
        wrong = sorted(checker.iter_errors(catalogue), key=lambda e: [str(step) for step in e.absolute_path])
        if wrong:
            said = [f"{'.'.join(str(step) for step in e.absolute_path) or 'the file'}: {e.message}" for e in wrong]
            raise RulesError(f"{path} cannot be used.", [Problem(Location(str(path)), what) for what in said])
    whole = cast(dict[str, Any], catalogue)
    its, looked_at_on = whole["instrument"], whole["instrument"].get("looked_at_on")
    looked_at = date.fromisoformat(looked_at_on) if looked_at_on else None
    return Instrument(its["short_name"], looked_at), whole["duties"]


def read_duties(
    *folders: Path, shipped: Path | None = None, schema: Path | None = None
) -> tuple[dict[str, Instrument], dict[str, Duty]]:
    """Every instrument of every catalogue in the `instruments` of these folders by name, and every duty by id.

    Args:
      shipped: the folder that came with the program.
      schema: what the catalogues of others are held against.

    Raises:
      ComplianceError: a catalogue cannot be used.
    """
    instruments: dict[str, Instrument] = {}
    found: dict[str, Duty] = {}
    for folder, path in ((f, p) for f in folders for p in sorted((f / "instruments").glob("*.json"))):
        instruments[path.stem], entries = _read_catalogue(path, None if folder == shipped else schema)
        for entry in entries:
            in_force = entry["in_force"]
            duty = Duty(
                id=entry["id"],
                instrument=path.stem,
                ref=entry["ref"],
                title=entry["title"],
                layer=cast(Layer, entry["layer"]),
                modality=entry["modality"],
                checkable=entry["checkable"],
                from_on=date.fromisoformat(in_force["from"]) if in_force.get("from") else date.min,
                to_on=date.fromisoformat(in_force["to"]) if in_force.get("to") else None,
                confidence=entry.get("confidence", ""),
                note=entry.get("note") or "",
                summary=entry["summary"],
                subject=entry.get("subject", ""),
                binds=entry.get("binds", "all"),
                duty_on=entry.get("duty_on", ""),
                verification=entry.get("verification", ""),
            )
            if duty.id in found:
                raise RulesError(
                    "The catalogues cannot be used.", [Problem(Location(str(path)), f"duty '{duty.id}' stands twice")]
                )
            found[duty.id] = duty
    return instruments, found


def read(
    rules: Path,
    schemas: Path,
    overrides: Path | None = None,
    catalogues: Path | None = None,
    kpis_only: bool = False,
    added: Path | None = None,
) -> Rulebook:
    """Reads and checks everything.

    Args:
      overrides: an agency's own figures.
      kpis_only: leave the rules out; what packs share is there all the same.
      catalogues: the folder whose `instruments` hold the duties, for rules that bring none of their own.
      added: a folder with more packs, and catalogues of the duties that they cite beside the others.

    Raises:
      RulesError: with every problem in every file.
    """
    kinds = read_kinds(schemas / "records")
    brings_none = not (rules / "instruments").is_dir()
    catalogue = (catalogues if catalogues and brings_none else rules) / "instruments"
    folders = (rules, added) if added else (rules,)
    held_against = schemas / "instrument.schema.json"
    instruments, duties = read_duties(catalogue.parent, *folders[1:], shipped=catalogues, schema=held_against)
    problems: list[Problem] = []
    reading = _read_reading(catalogue / "reading.yaml", duties, kinds, problems)
    groups = _read_grouping(catalogue / "grouping.yaml", problems)
    packs: dict[str, Pack] = {}
    rules_of: dict[str, list[Rule]] = {}
    n_files = 0
    files: dict[str, Path] = {}
    for folder in (p.parent for root in folders for p in sorted(root.glob("*/pack.yaml"))):
        found = _read_pack(folder, duties, problems)
        if found is None:
            continue
        pack, cases_as_at = found
        if not _only_here(folder / "pack.yaml", pack.name, files, problems):
            continue
        for i, name in enumerate(pack.only_with):
            if name not in kinds:
                where = documents.locate(folder / "pack.yaml", ("only_with", i))
                problems.append(Problem(where, f"there is no record kind '{name}'{nearest(name, kinds.kinds)}"))
        packs[pack.name] = pack
        rules_of[pack.name] = []
        for path in sorted(folder.glob("*.yaml")) if not kpis_only else ():
            if path.name == "pack.yaml":
                continue
            n_files += 1
            rule = _read_rule(path, pack, cases_as_at, duties, groups, problems)
            if rule is not None:
                rules_of[pack.name].append(rule)
    frameworks, measures = _read_kpis([root / "kpi" for root in folders], packs, files, duties, problems)
    n_files += len(measures)
    for root in folders:
        if not any(path.is_relative_to(root) for path in files.values()) and not problems:
            raise RulesError(f"{root} holds no rule pack: no folder with a pack.yaml in it.")
    figures: Mapping[str, Parameter] = {}
    for pack in packs.values():
        for name in set(pack.parameters) & set(figures):
            problems.append(
                Problem(
                    Location(str(files[pack.name])),
                    f"parameter '{name}' belongs to another pack already",
                )
            )
        figures = {**figures, **pack.parameters}
    own = Overrides("", figures, {})
    if overrides is not None:
        own = _read_overrides(overrides, figures, problems)
        figures = own.parameters
    facts = _facts(packs.values(), files, kinds, figures, problems)
    names = {p.name: names_of(p, kinds, figures, facts) for p in packs.values()}
    checked: list[CheckedRule] = []
    ids: dict[str, str] = {}
    for pack_name, its_rules in rules_of.items():
        for rule in its_rules:
            if rule.id in ids:
                problems.append(Problem(Location(rule.file), f"there is another rule '{rule.id}' in {ids[rule.id]}"))
            ids[rule.id] = rule.file
            sound, wrong = check_rule(rule, names[pack_name], _locate_in)
            problems += wrong
            limit = own.limits.get(rule.id)
            if sound is not None and limit is not None:
                limited = sound.with_own_limit(limit, own.source)
                if limited is None:
                    where = documents.locate(cast(Path, overrides), ("limits", rule.id))
                    problems.append(Problem(where, f"rule '{rule.id}' has no limit of time that could be stricter"))
                sound = limited
            if sound is not None:
                checked.append(sound)
    problems += _repeated(rules_of.values()) if not kpis_only else []
    for rule_id in sorted(set(own.limits) - set(ids)) if not kpis_only else ():
        where = documents.locate(cast(Path, overrides), ("limits", rule_id))
        problems.append(Problem(where, f"there is no rule '{rule_id}'{nearest(rule_id, ids)}"))
    measured = []
    for measure, asked in measures:
        if measure.id in ids:
            problems.append(Problem(Location(measure.file), f"there is another '{measure.id}' in {ids[measure.id]}"))
        ids[measure.id] = measure.file
        sound = None
        if asked is not None:
            sound, wrong = check_rule(asked, names[measure.pack], _locate_in_kpi)
            problems += wrong
        measured.append((measure, sound))
    if problems:
        bad = len({p.where.file for p in problems})
        raise RulesError(
            f"{_n(len(problems), 'problem')} in {bad} of {_n(n_files, 'rule file')}; nothing was run.", problems
        )
    order = {"requirement": 0, "recommendation": 1, "advice": 2}
    checked.sort(key=lambda c: (order[c.rule.severity], c.rule.id))
    whole = {n: replace(p, rules=tuple(rules_of[n])) for n, p in packs.items() if n in rules_of}
    return Rulebook(kinds, duties, whole, tuple(checked), names, reading, frameworks, tuple(measured), instruments)


def _repeated(rules: Iterable[Iterable[Rule]]) -> list[Problem]:
    """What is wrong with the rules that others say they repeat."""
    by_id = {rule.id: rule for its in rules for rule in its}
    problems = []
    for rule in by_id.values():
        for i, id_ in enumerate(rule.repeats):
            other = by_id.get(id_)
            if other is None or other is rule:
                known = [r.id for r in by_id.values() if r.record == rule.record and r is not rule]
                what = f"there is no other rule '{id_}'{nearest(id_, known)}"
            elif other.record != rule.record:
                what = f"rule '{id_}' is asked of {other.record} records, this one of {rule.record}"
            else:
                continue
            problems.append(Problem(documents.locate(Path(rule.file), ("repeats", i)), what))
    return problems


def _only_here(path: Path, name: str, files: dict[str, Path], problems: list[Problem]) -> bool:
    """Whether no other pack has the name; if so its file is put down, if not that is a problem.

    The second is then left out: in the place of the first it would take away what the rules of all other packs name.
    """
    there = files.setdefault(name, path)
    if there != path:
        problems.append(Problem(documents.locate(path, ("pack",)), f"there is another pack '{name}' in {there.parent}"))
    return there == path


def _read_kpis(
    folders: Sequence[Path],
    packs: dict[str, Pack],
    files: dict[str, Path],
    duties: Mapping[str, Duty],
    problems: list[Problem],
) -> tuple[dict[str, Framework], list[tuple[Measure, Rule | None]]]:
    """The frameworks and measures, each with its rule, of every pack in `folders`; the packs join `packs`, their files `files`."""
    frameworks: dict[str, Framework] = {}
    measures: list[tuple[Measure, Rule | None]] = []
    for path in (p for folder in folders for p in sorted(folder.glob("*/pack.yaml"))):
        document, sound = _document(path, problems)
        if not sound:
            continue
        own = _problems_of(path)
        found = kpifile.pack(document, str(path), own, duties)
        if found is not None and found[0].name != path.parent.name:
            own.add(("pack",), f"pack is '{found[0].name}', but the folder is called '{path.parent.name}'")
        if found is not None:
            for name in set(found[2]) & set(frameworks):
                own.add(("frameworks", name), f"another pack has a framework '{name}'; their names are keys")
        problems += own.found
        if found is None:
            continue
        pack, cases_as_at, its = found
        if not _only_here(path, pack.name, files, problems):
            continue
        packs[pack.name] = pack
        frameworks.update(its)
        for file in sorted(p for p in path.parent.glob("*.yaml") if p != path):
            document, sound = _document(file, problems)
            if not sound:
                continue
            own = _problems_of(file)
            measure = kpifile.measure(document, str(file), file.stem, pack.name, cases_as_at, its, own)
            problems += own.found
            if measure is not None:
                measures.append(measure)
    keys: dict[tuple[str, str], str] = {}
    for m, _ in measures:
        for v in m.versions:
            there = keys.setdefault((v.framework, v.code), m.file)
            if there != m.file:
                what = f"framework '{v.framework}' has a KPI {v.code} in {there} already"
                problems.append(Problem(documents.locate(Path(m.file), ("versions", v.framework)), what))
    return frameworks, measures


def _facts(
    packs: Iterable[Pack],
    files: Mapping[str, Path],
    kinds: RecordKinds,
    figures: Mapping[str, Parameter],
    problems: list[Problem],
) -> dict[str, dict[str, FactText]]:
    """The facts of all packs, by kind and name; what is wrong with one is a problem."""
    found: dict[str, dict[str, FactText]] = {}
    own: list[tuple[Path, FactText]] = []
    for pack in packs:
        path = files[pack.name]
        for fact in pack.facts:
            if fact.name in found.setdefault(fact.kind, {}):
                loc = ("facts", fact.kind, fact.name)
                what = f"there is a fact '{fact.name}' of {fact.kind} in another pack already"
                problems.append(Problem(documents.locate(path, loc), what))
            found[fact.kind][fact.name] = fact
            own.append((path, fact))
    for path, fact in own:
        for mistake in check_fact(fact, kinds, figures, found):
            where = documents.locate_in(path, ("facts", fact.kind, fact.name, "is"), mistake.offset)
            problems.append(Problem(where, mistake.what, mistake.help))
    return found


def with_figures(book: Rulebook, values: Mapping[str, Dated[Value] | None]) -> Rulebook:
    """The same rules with other figures, as a case may have them."""
    names = {}
    for pack, its in book.names.items():
        parameters = {n: replace(p, value=values[n]) if n in values else p for n, p in its.parameters.items()}
        names[pack] = replace(its, parameters=parameters)
    return replace(book, names=names)


def _n(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _locate_in(file: str, loc: Sequence[str | int], offset: int) -> Location:
    return documents.locate_in(Path(file), loc, offset)


def _locate_in_kpi(file: str, loc: Sequence[str | int], offset: int) -> Location:
    """The place in a measure file of a mistake in the rule that was made of it."""
    keys: Sequence[str | int] = loc
    if loc[0] == "when":
        keys = ("denominator",)
    elif loc[0] == "require":
        document = documents.load_yaml(Path(file))
        wrapped = isinstance(document, dict) and document.get("direction") == "lower_is_better"
        keys, offset = ("numerator",), max(offset - len("not (") if wrapped else offset, 0)
    return documents.locate_in(Path(file), keys, offset)


def _problems_of(path: Path) -> Problems:
    return Problems(lambda loc: documents.locate(path, loc))


def _document(path: Path, problems: list[Problem]) -> tuple[object, bool]:
    try:
        return documents.load_yaml(path), True
    except ComplianceError as e:
        problems += e.problems or (Problem(Location(str(path)), e.message),)
        return None, False


def _read_pack(folder: Path, duties: Mapping[str, Duty], problems: list[Problem]) -> tuple[Pack, date] | None:
    path = folder / "pack.yaml"
    document, sound = _document(path, problems)
    if not sound:
        return None
    own = _problems_of(path)
    found = rulefile.pack(document, str(path), own, duties)
    if found is not None and found[0].name != folder.name:
        own.add(
            ("pack",), f"pack is '{found[0].name}', but the folder is called '{folder.name}'; they must be the same"
        )
    problems += own.found
    return found


def _read_rule(
    path: Path, pack: Pack, cases_as_at: date, duties: Mapping[str, Duty], groups: Grouping, problems: list[Problem]
) -> Rule | None:
    document, sound = _document(path, problems)
    if not sound:
        return None
    own = _problems_of(path)
    rule = rulefile.rule(document, str(path), path.stem, pack.name, cases_as_at, duties, groups, own, pack.lists)
    problems += own.found
    return None if rule is None else replace(rule, only_with=pack.only_with)


def _read_reading(
    path: Path, duties: Mapping[str, Duty], kinds: RecordKinds, problems: list[Problem]
) -> dict[str, str]:
    if not path.is_file():
        return {}
    document, sound = _document(path, problems)
    if not sound:
        return {}
    own = _problems_of(path)
    found = rulefile.reading(document, duties, kinds.kinds, own)
    problems += own.found
    return found


def _read_grouping(path: Path, problems: list[Problem]) -> Grouping:
    if not path.is_file():
        return Grouping()
    document, sound = _document(path, problems)
    if not sound:
        return Grouping()
    own = _problems_of(path)
    found = rulefile.grouping(document, own)
    problems += own.found
    return found


def _read_overrides(path: Path, figures: Mapping[str, Parameter], problems: list[Problem]) -> Overrides:
    document, sound = _document(path, problems)
    if not sound:
        return Overrides("", figures, {})
    own = _problems_of(path)
    changed = rulefile.overrides(document, figures, own)
    problems += own.found
    return changed
