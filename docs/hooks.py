"""What MkDocs makes of files outside docs/: the first page, the record dictionary, the rule book, and every file that a page links to.

Links are written as they work in the repository; here they are led to the page or the file that stands for their target on the site.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from compliance.dates import english
from compliance.jobs.book import SHIPPED, read_rulebook
from compliance.kpis.kpi import Band, Measure, Version
from compliance.model import Dated, Duty, Parameter, RecordKind, RecordKinds
from compliance.report.dictionary import GROUPS, remarks, type_words
from compliance.report.rules import explained
from compliance.rules.checking import CheckedRule
from compliance.rules.rulebook import Rulebook

ROOT = Path(__file__).parent.parent
WHOLE = {
    "README.md": "index.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "rules/CHANGELOG.md": "rules/CHANGELOG.md",
}
"""Pages of the repository that are pages of the site; what is under docs/ is one too."""
LINK = re.compile(r"(\]\()([^)\s#]+)?(#[^)\s]*)?(\))")

_brought: set[str] = set()
"""Files of the repository that pages link to."""


@cache
def _book() -> Rulebook:
    return read_rulebook(SHIPPED, None)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Names the generated pages in the navigation."""
    for entry in config.nav or ():
        if isinstance(entry, dict) and "Record dictionary" in entry:
            entry["Record dictionary"] = [{title: uri} for title, uri, _ in _dictionary(_book().kinds)]
        if isinstance(entry, dict) and "Rule book" in entry:
            entry["Rule book"] = [{title: uri} for title, uri, _ in _rule_pages(_book())]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what is generated, and what is linked to."""
    sources = {uri: (ROOT / name).read_text(encoding="utf-8") for name, uri in WHOLE.items()}
    for uri, text in sources.items():
        files.append(File.generated(config, uri, content=text))
    for _, uri, make in [*_dictionary(_book().kinds), *_rule_pages(_book())]:
        files.append(File.generated(config, uri, content="\n".join(make()) + "\n"))
    for page in files.documentation_pages():
        _led(page.content_string, page.src_uri)
    for name in sorted(_brought):
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, /, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leads links out of docs/ to what stands for their target."""
    return _led(markdown, page.file.src_uri)


def _led(markdown: str, uri: str) -> str:
    """The page with its links as the site has them; notes the files that are to be brought in."""
    at = {u: name for name, u in WHOLE.items()}.get(uri, f"docs/{uri}")

    def led(found: re.Match[str]) -> str:
        target, anchor = found[2] or "", found[3] or ""
        if not target or "://" in target or target.startswith("mailto:"):
            return found[0]
        name = posixpath.normpath(posixpath.join(posixpath.dirname(at), target))
        to, anchor = _on_site(name, anchor)
        return f"{found[1]}{posixpath.relpath(to, posixpath.dirname(uri) or '.')}{anchor}{found[4]}" if to else found[0]

    parts = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else LINK.sub(led, part) for part in parts)


def _on_site(name: str, anchor: str) -> tuple[str, str]:
    """Where a file of the repository is on the site; empty: nowhere, and MkDocs says so."""
    if name in WHOLE:
        return WHOLE[name], anchor
    if name.startswith("docs/"):
        return name.removeprefix("docs/"), anchor
    path = Path(name)
    if path.parts[0] == "rules" and path.suffix == ".yaml" and path.stem in _ids():
        return f"{_page_of(path.parent)}", f"#{path.stem}"
    if (ROOT / name).is_file():
        _brought.add(name)
        return name, anchor
    return "", anchor


@cache
def _ids() -> frozenset[str]:
    return frozenset([*(r.rule.id for r in _book().rules), *(m.id for m, _ in _book().measures)])


def _page_of(folder: Path) -> str:
    """The page of a pack."""
    return f"rulebook/{'-'.join(folder.parts[1:])}.md"


Made = tuple[str, str, Callable[[], Iterator[str]]]
"""Title, place on the site, and what makes the lines."""


def _text(text: str) -> str:
    """Text in which nothing is taken for markup."""
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", html.escape(text, quote=False))


def _cell(text: str) -> str:
    return _text(text).replace("\n", " ")


# --- record dictionary ----------------------------------------------------------------------------------------------


TITLES = {"annex a": "Annex A", "ssda903": "SSDA903", "kpis": "KPIs"}
"""Of groups that are written otherwise than they are named."""


def _dictionary(kinds: RecordKinds) -> list[Made]:
    groups = sorted({k.group for k in kinds.kinds.values()}, key=lambda g: (g not in GROUPS, GROUPS.index(g)))
    return [
        (TITLES.get(g, g.capitalize()), _dictionary_page(g), lambda g=g: _group(g, kinds))  # type: ignore[misc]
        for g in groups
    ]


def _dictionary_page(group: str) -> str:
    return f"dictionary/{group.replace(' ', '-')}.md"


def _group(group: str, kinds: RecordKinds) -> Iterator[str]:
    yield f"# Record kinds: {TITLES.get(group, group)}"
    yield ""
    yield "Made from `schemas/records/`. [Record kinds](../records.md) says what the words mean."
    for kind in sorted((k for k in kinds.kinds.values() if k.group == group), key=lambda k: k.name):
        yield from _kind(kind, kinds)


def _kind(kind: RecordKind, kinds: RecordKinds) -> Iterator[str]:
    def link(name: str) -> str:
        return f"[`{name}`]({posixpath.relpath(_dictionary_page(kinds[name].group), 'dictionary')}#{name})"

    yield from ("", f"## {kind.title} {{#{kind.name}}}", "", _text(kind.description), "")
    yield f"- Name in rules and files: `{kind.name}`; key: `{kind.key}`."
    if kind.date:
        yield f"- Happened on: `{kind.date}`."
    if kind.counts_from:
        yield f"- Exists from: {', else '.join(f'`{f}`' for f in kind.counts_from)}."
    for up in kind.links.values():
        yield f"- Up to {link(up.to)} as `{up.name}`, by `{up.field}`; from there back as `{up.back}`."
    below = sorted(kinds.down[kind.name].items())
    if below:
        yield f"- Down to: {', '.join(f'`{name}` ({link(to.kind)})' for name, to in below)}."
    yield from ("", "| field | type | meaning |", "| --- | --- | --- |")
    for f in kind.fields.values():
        yield f"| `{f.name}` | {_cell(type_words(f))} | {_cell(remarks(f))} |"


# --- rule book ------------------------------------------------------------------------------------------------------


def _rule_pages(book: Rulebook) -> list[Made]:
    made: list[Made] = []
    for pack in book.packs.values():
        its = sorted((r for r in book.rules if r.rule.pack == pack.name), key=lambda r: r.rule.id)
        if its:
            page = _page_of(Path("rules") / pack.name)
            made.append((pack.title, page, lambda t=pack.title, its=its: _rules_of(t, its, book)))  # type: ignore[misc]
    for name in dict.fromkeys(m.pack for m, _ in book.measures):
        measures = sorted((m for m in book.measures if m[0].pack == name), key=lambda m: m[0].id)
        title = f"KPIs: {name.removeprefix('kpi/')}"
        page = _page_of(Path(measures[0][0].file).relative_to(ROOT).parent)
        made.append((title, page, lambda t=title, its=measures: _measures_of(t, its, book)))  # type: ignore[misc]
    return made


def _rules_of(title: str, rules: Sequence[CheckedRule], book: Rulebook) -> Iterator[str]:
    yield from (f"# {title}", "")
    yield f"{len(rules):,} rules, made from their files. [How far to trust them](../trust.md)."
    yield from ("", "| rule | what is wrong where it finds something | severity |", "| --- | --- | --- |")
    for r in rules:
        yield f"| [`{r.rule.id}`](#{r.rule.id}) | {_cell(r.rule.said(r.rule.title, ''))} | {r.rule.severity} |"
    for r in rules:
        yield from ("", f"## {_text(r.rule.said(r.rule.title, ''))} {{#{r.rule.id}}}", "", f"`{r.rule.id}`", "")
        yield from _asks(r, book)


def _asks(r: CheckedRule, book: Rulebook) -> Iterator[str]:
    """Citations, what is asked, figures and the number of cases."""
    for duty in r.rule.cites:
        yield f"- {_citation(duty)}"
    body = explained(r, book.kinds).split("\n\n", 2)[2]
    for block in body.split("\n\n"):
        yield ""
        before = ""
        for line in block.splitlines():
            if line.startswith("  - ") and not before.startswith("  "):
                yield ""
            # Every line that is no item of a list and no second line of one stands by itself.
            yield (f"- {_text(line[4:])}" if line.startswith("  - ") else f"  {_text(line.strip())}") + (
                "" if line.startswith("  ") else "<br>"
            )
            before = line
    if r.parameters:
        figures: dict[str, Parameter] = {n: p for names in book.names.values() for n, p in names.parameters.items()}
        yield from ("", "| figure | value | whose it is | source |", "| --- | --- | --- | --- |")
        for name in r.parameters:
            p = figures[name]
            yield f"| {_cell(p.title)} (`{name}`) | {_cell(_dated(p.value))} | {p.basis} | {_cell(p.source)} |"
    yield from ("", f"{len(r.rule.cases):,} cases in its file.")


def _citation(duty: Duty) -> str:
    sure = f"confidence {duty.confidence}" if duty.confidence else "confidence not stated"
    note = f" Note: {_text(duty.note)}" if duty.note else ""
    return f"`{duty.id}` {_text(duty.ref)}: {_text(duty.title)} ({duty.layer}; {sure}).{note}"


def _dated(value: Dated[Any] | None) -> str:
    if value is None:
        return "off"
    said = [("" if since == date.min else f"from {english(since)}: ") + _figure(v) for since, v in value.versions]
    return "; ".join(said)


def _figure(value: object) -> str:
    if isinstance(value, Band):
        return f"{value.lower} to {value.upper}"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _measures_of(title: str, measures: Sequence[tuple[Measure, CheckedRule | None]], book: Rulebook) -> Iterator[str]:
    yield from (f"# {title}", "", "[KPIs](../kpis.md) says how a value and its status come about.", "")
    yield from ("| code | KPI | computed |", "| --- | --- | --- |")
    for m, rule in measures:
        codes = ", ".join(dict.fromkeys(v.code for v in m.versions))
        yield f"| {_cell(codes)} | [{_cell(m.title)}](#{m.id}) | {'yes' if rule else 'reported'} |"
    for m, rule in measures:
        yield from ("", f"## {_text(m.title)} {{#{m.id}}}", "", f"`{m.id}`: {m.unit.replace('_', ' ')}, by {m.period}.")
        yield from ("", "| framework | code | held to |", "| --- | --- | --- |")
        for v in m.versions:
            yield f"| {_cell(book.frameworks[v.framework].title)} (`{v.framework}`) | {_cell(v.code)} | {_cell(_held_to(v))} |"
        if rule is None:
            yield from ("", f"Reported, not computed: {_text(m.reported)}")
        else:
            yield ""
            yield from _asks(rule, book)
        if m.note and rule is None:
            yield from ("", f"Note: {_text(m.note)}")


def _held_to(v: Version) -> str:
    said = [
        f"{what} {_dated(value)}"
        for what, value in (("target", v.target), ("tolerance", v.band), ("usual", v.usual))
        if value is not None
    ]
    return ("; ".join(said) or "nothing") + ("" if v.confirmed else " (suggested, never agreed)")
