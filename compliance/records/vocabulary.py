"""What the dictionary's fields and kinds are called elsewhere: names as sets of words, and how alike two are (I/O: reads them)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from compliance.errors import RulesError
from compliance.files import documents
from compliance.files.documents import load_yaml
from compliance.files.strict import Problems, Strict, validated
from compliance.model import RecordKind, RecordKinds
from compliance.records.mapping import plain
from compliance.records.mappingfile import ColumnModel, MappingModel, SourceModel

Words = frozenset[str]
"""A name as it is compared: the words that carry it, without endings, in no order."""

LIGHT = frozenset({"id", "on"})
"""Words that say what sort of value a column has, and not which."""
HALF = 0.5
MOST = 0.7
Phrase = tuple[tuple[str, ...], tuple[str, ...]]
"""Words, and those of the dictionary that they stand for."""
ByFirst = dict[str, list[Phrase]]
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[a-z]+|\d+|#")


class SynonymsModel(Strict):
    """What is called how besides: words, record kinds, and fields as `kind.field`."""

    fillers: list[str]
    parts: list[str]
    words: dict[str, list[str]]
    kinds: dict[str, list[str]]
    fields: dict[str, list[str]]


@dataclass(frozen=True)
class LayoutSource:
    """One table of a layout: the names of its file or sheet, and those of the column of each field, as they are compared.

    Args:
      by_sheet: it is named by its sheet alone.
    """

    record: str
    names: tuple[str, ...]
    columns: Mapping[str, frozenset[str]]
    by_sheet: bool = False


@dataclass(frozen=True)
class Layout:
    """What a mapping that came with the program expects.

    Args:
      ask: the fields that it asks for, and what they are; `unused`: columns that nobody wants, as they are compared.
    """

    sources: tuple[LayoutSource, ...]
    ask: Mapping[str, str]
    unused: frozenset[str]


@dataclass(frozen=True)
class Vocabulary:
    """The names that fields and record kinds are known by.

    Args:
      phrases: what stands for which words of the dictionary, the longest first.
      fillers: words that carry no name; `parts`: those that tell the parts of one table from each other.
      kinds: the names of each kind; `fields`: those of each field of each kind.
      layouts: what each mapping that came with the program expects.
      codes: what cells of a field mean in mappings that came with the program, by the cell in small letters.
    """

    phrases: tuple[Phrase, ...]
    fillers: frozenset[str]
    parts: frozenset[str]
    kinds: Mapping[str, tuple[Words, ...]]
    fields: Mapping[str, Mapping[str, tuple[Words, ...]]]
    codes: Mapping[tuple[str, str], Mapping[str, object]]
    layouts: Mapping[str, Layout]

    def fitting(self, headers: Sequence[frozenset[str]]) -> str:
        """The mapping that came with the program of whose sources most are there; empty: of none.

        Args:
          headers: the names of the columns of each table, as they are compared.
        """
        shares = {
            name: sum(any(_fits(source, header) for header in headers) for source in layout.sources)
            / len(layout.sources)
            for name, layout in self.layouts.items()
        }
        best = max(shares, key=lambda name: shares[name], default="")
        return best if best and shares[best] >= MOST else ""

    def words(self, name: str) -> Words:
        """The words that carry a name."""
        if name not in self._known:
            self._known[name] = _words_of(name, self._by_first, self.fillers)
        return self._known[name]

    @cached_property
    def _known(self) -> dict[str, Words]:
        return {}

    @cached_property
    def _by_first(self) -> ByFirst:
        return _by_first(self.phrases)


def _fits(source: LayoutSource, header: frozenset[str]) -> bool:
    """Whether most columns of a source are there, by one of their names."""
    return sum(not names.isdisjoint(header) for names in source.columns.values()) >= MOST * len(source.columns)


def likeness(one: Words, other: Words) -> float:
    """From 0 to 1: the share of their words that two names have together."""
    if one == other:
        return 1.0
    both = _weight(one & other)
    return 2 * both / (_weight(one) + _weight(other)) if both else 0.0


def _weight(words: Words) -> float:
    return sum(HALF if w in LIGHT else 0.4 if w.isdigit() else 1.0 for w in words)


def spoken(name: str) -> tuple[str, ...]:
    """`CarerRef_No 2` -> carer, ref, no, 2."""
    return tuple(_WORD.findall(_CAMEL.sub(" ", name.replace("_", " ")).lower()))


def _words_of(name: str, by_first: ByFirst, fillers: frozenset[str]) -> Words:
    """The words that carry a name, once what stands for others is put into the words of the dictionary."""
    parts, found, i = spoken(name), list[str](), 0
    while i < len(parts):
        said, meant = next(
            (p for p in by_first.get(parts[i], []) if parts[i : i + len(p[0])] == p[0]), ((parts[i],), (parts[i],))
        )
        found += meant
        i += len(said)
    carrying = frozenset(_stem(w) for w in found if w not in fillers)
    return carrying or frozenset(map(_stem, found))


def _stem(word: str) -> str:
    for ending, instead in (("ies", "y"), ("ing", ""), ("ed", ""), ("al", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 4 - (ending == "s") and not word.endswith("ss"):
            word = word.removesuffix(ending) + instead
            break
    return word.removesuffix("e") if len(word) > 4 else word


def _by_first(phrases: Iterable[Phrase]) -> ByFirst:
    found: ByFirst = {}
    for phrase in phrases:
        found.setdefault(phrase[0][0], []).append(phrase)
    return found


def read_vocabulary(path: Path, kinds: RecordKinds, mappings: Collection[Path]) -> Vocabulary:
    """The synonyms that came with the program, and the names in its mappings.

    Raises:
      RulesError: a file of the program is not as it must be.
    """
    problems = Problems(lambda loc: documents.locate(path, loc))
    written = validated(SynonymsModel, load_yaml(path), problems)
    for kind in written.kinds if written else ():
        if kind not in kinds:
            problems.add(("kinds", kind), f"there is no record kind '{kind}'")
    for name in written.fields if written else ():
        kind, _, field = name.partition(".")
        if kind not in kinds or field not in kinds[kind].fields:
            problems.add(("fields", name), f"there is no field '{name}'")
    if written is None or problems.found:
        raise RulesError("The synonyms cannot be used.", problems.found)
    phrases = {spoken(said): spoken(word) for word, others in written.words.items() for said in (word, *others)}
    ordered = tuple(sorted(phrases.items(), key=lambda p: (-len(p[0]), p[0])))
    first, fillers = _by_first(ordered), frozenset(written.fillers)
    models = {m.stem: MappingModel.model_validate(load_yaml(m)) for m in mappings}
    sources = [s for m in models.values() for s in m.sources]
    return Vocabulary(
        ordered,
        fillers,
        frozenset(written.parts),
        {
            k: _unique(_words_of(n, first, fillers) for n in _kind_names(kinds[k], written, sources))
            for k in kinds.kinds
        },
        {
            k: {
                f: _unique(_words_of(n, first, fillers) for n in _field_names(k, f, written, sources))
                for f in kinds[k].fields
            }
            for k in kinds.kinds
        },
        _codes(sources),
        {n: Layout(tuple(map(_expected, m.sources)), m.ask, _unwanted(m)) for n, m in models.items()},
    )


def _expected(source: SourceModel) -> LayoutSource:
    called = [n for name in (source.file, source.sheet) if name for n in ([name] if isinstance(name, str) else name)]
    columns = {f: frozenset(map(plain, names)) for f, c in source.columns.items() if (names := _names(c))}
    return LayoutSource(source.record, tuple(called), columns, source.file is None)


def _unwanted(mapping: MappingModel) -> frozenset[str]:
    """Columns that fill no field, and are known."""
    rows = (where.column for s in mapping.sources for where in (s.only_where, s.skip_where) if where is not None)
    return frozenset(map(plain, [*mapping.unused, *rows]))


def _names(column: str | list[str] | ColumnModel) -> list[str]:
    written = column.column if isinstance(column, ColumnModel) else column
    return [written] if isinstance(written, str) else written or []


def _unique(names: Iterable[Words]) -> tuple[Words, ...]:
    return tuple(dict.fromkeys(names))


def _kind_names(kind: RecordKind, written: SynonymsModel, sources: list[SourceModel]) -> list[str]:
    own = [kind.name, kind.title, *written.kinds.get(kind.name, ())]
    mapped = [s.file or s.sheet for s in sources if s.record == kind.name]
    return own + [
        n.removesuffix(".csv") for names in mapped for n in ([names] if isinstance(names, str) else names or [])
    ]


def _field_names(kind: str, field: str, written: SynonymsModel, sources: list[SourceModel]) -> list[str]:
    names = [field, *written.fields.get(f"{kind}.{field}", ())]
    for s in sources:
        if s.record == kind and field in s.columns:
            names += _names(s.columns[field])
    return names


def _codes(sources: list[SourceModel]) -> dict[tuple[str, str], Mapping[str, object]]:
    found: dict[tuple[str, str], Mapping[str, object]] = {}
    for s in sources:
        for f, column in s.columns.items():
            if isinstance(column, ColumnModel) and column.codes:
                found[s.record, f] = {k.lower(): cast(object, v) for k, v in column.codes.items()}
    return found
