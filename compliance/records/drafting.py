"""What the files of an export are likely to be, column by column, guessed from names, values and joins, each with its reason. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as default

from compliance.model import Field, RecordKind, RecordKinds
from compliance.records.mapping import plain
from compliance.records.profiles import MANY_CODES, Profile, Profiled, contained
from compliance.records.vocabulary import LIGHT, Vocabulary, Words, likeness, spoken
from compliance.sql.loading import FALSE_WORDS, TRUE_WORDS

SURE = 0.78
"""From here on a column's name and cells leave no doubt worth a question."""
LEAST = 0.5
"""Below, a column is not taken for a field at all."""
LEAST_KIND = 0.34
CLOSE = 0.07
"""Two kinds whose scores lie nearer to each other leave a question."""
CANDIDATES = 9
SEPARATORS = ("|", ";", ",", "/")
UNKNOWN_WORDS = frozenset({"unknown", "not known", "not recorded", "n/k", "nk", "?", "not stated"})


@dataclass(frozen=True)
class Place:
    """Files or sheets that hold one table: `(file, sheet)`, the sheet of a CSV file being empty."""

    places: tuple[tuple[str, str], ...]
    table: Profiled

    @property
    def label(self) -> str:
        """What it is called."""
        file, sheet = self.places[0]
        return f"{file} [{sheet}]" if sheet else file


@dataclass(frozen=True)
class Drafted:
    """A field and the column that it is likely to be.

    Args:
      column: the cells; `score`: from 0 to 1.
      why: what speaks for it.
      dates: the formats in which its dates are written.
      codes: what its cells mean, where they are not what the dictionary says; None for a meaning that nobody can tell.
      split: what separates the items of a list; empty: it is none.
      question: what a person must look at; empty: nothing.
    """

    field: Field
    column: Profile
    score: float
    why: str
    dates: tuple[str, ...] = ()
    codes: Mapping[str, tuple[object, int]] = default(default_factory=dict)
    split: str = ""
    question: str = ""


@dataclass(frozen=True)
class Guess:
    """A table and the kind of record that it is likely to hold.

    Args:
      kind: None: nothing fits.
      score: from 0 to 1; `second`: the kind that came next, and its score.
      named: how like the kind's name that of the file is.
      key: the fields of which the key is made, where no column is one; empty otherwise.
      alike: how many rows share such a key with another.
    """

    place: Place
    kind: RecordKind | None
    score: float = 0.0
    second: tuple[str, float] = ("", 0.0)
    named: float = 0.0
    columns: tuple[Drafted, ...] = ()
    key: tuple[str, ...] = ()

    @property
    def unused(self) -> list[str]:
        """Columns that no field is drafted for."""
        used = {d.column.name for d in self.columns}
        return [c.name for c in self.place.table.columns if c.name not in used]


@dataclass(frozen=True)
class Ids:
    """What identifies a record in some table: the cells of its unique column, and which kind that is of."""

    kind: str
    values: frozenset[str]
    label: str


class Guesser:
    """Guesses with one dictionary and one vocabulary."""

    def __init__(self, kinds: RecordKinds, vocabulary: Vocabulary, only: frozenset[str]) -> None:
        self.kinds = kinds
        self.vocabulary = vocabulary
        self.only = only
        self._likeness: dict[tuple[Words, str, str], float] = {}
        self._drafted: dict[tuple[int, str, str], Drafted | None] = {}
        self._tried: dict[str, list[str]] = {}
        self._own = {k: frozenset[str]().union(*names[:2]) for k, names in vocabulary.kinds.items()}
        self._any = {
            k: {f: frozenset[str]().union(*names) for f, names in fields.items()}
            for k, fields in vocabulary.fields.items()
        }
        self._shared: dict[tuple[int, str], float] = {}

    def guesses(self, places: Sequence[Place]) -> list[Guess]:
        """Of each table; twice over, for what the others are says whom the ids in it mean."""
        guesses = [self._guess(p, ()) for p in places]
        ids = self._ids(guesses)
        guesses = [self._guess(p, [i for i in ids if i.label != p.label]) for p in places]
        return self._apart(guesses)

    def _apart(self, guesses: list[Guess]) -> list[Guess]:
        """Of several tables that seem to be of one kind, the best; another that is nearly as much of another kind is that."""
        best: dict[str, Guess] = {}
        for g in sorted(guesses, key=lambda g: -g.score):
            if g.kind is not None:
                best.setdefault(g.kind.name, g)
        ids = self._ids(guesses)
        apart = []
        for g in guesses:
            other = g.second[0]
            if (
                g.kind is not None
                and best[g.kind.name] is not g
                and other
                and other not in best
                and g.score - g.second[1] < CLOSE
            ):
                g = replace(
                    self._as(g.place, self.kinds[other], [i for i in ids if i.label != g.place.label]),
                    second=(g.kind.name, g.score),
                )
                best[other] = g
            apart.append(g)
        return apart

    def _ids(self, guesses: Sequence[Guess]) -> list[Ids]:
        ids = []
        for g in guesses:
            if g.kind is not None:
                key = next((d for d in g.columns if d.field.name == g.kind.key), None)
                if key is not None and key.column.nearly_unique:
                    ids.append(Ids(g.kind.name, key.column.values, g.place.label))
        return ids

    def _guess(self, place: Place, ids: Sequence[Ids]) -> Guess:
        if not place.table.named:
            return Guess(place, None)
        tried = [self._as(place, self.kinds[k], ids) for k in self._candidates(place)]
        tried.sort(key=lambda g: -g.score)
        if not tried or tried[0].score < LEAST_KIND:
            return Guess(
                place, None, second=(tried[0].kind.name, tried[0].score) if tried and tried[0].kind else ("", 0.0)
            )
        second = (tried[1].kind.name, tried[1].score) if len(tried) > 1 and tried[1].kind else ("", 0.0)
        return replace(tried[0], second=second)

    def _candidates(self, place: Place) -> list[str]:
        """The kinds that are worth a closer look, by the names of the table and its columns alone."""
        if place.label not in self._tried:
            scored = sorted((-self._quick(place, k), k) for k in self.only)
            self._tried[place.label] = [k for score, k in scored[:CANDIDATES] if score]
        return self._tried[place.label]

    def _named(self, place: Place, kind: str) -> float:
        """How like one of the kind's names that of the file or sheet is."""
        file, sheet = place.places[0]
        names = [sheet] if sheet else [re.sub(r"\.\w+$", "", file)]
        found = []
        for name in names:
            words = self.vocabulary.words(name)
            without = frozenset(w for w in words if not w.isdigit())
            found += [max(likeness(w, k) for w in (words, without) if w) for k in self.vocabulary.kinds[kind]]
        return max(found, default=0.0)

    def _quick(self, place: Place, kind: str) -> float:
        names = [self.vocabulary.words(c.name) for c in place.table.columns]
        near = sum(max(self._alike(w, kind, f) for f in self.kinds[kind].fields) >= SURE for w in names)
        return self._named(place, kind) + near / max(len(names), 1)

    def _alike(self, words: Words, kind: str, field_: str) -> float:
        """How like the field's names that of a column is, with and without the name of the kind in it."""
        at = (words, kind, field_)
        if words.isdisjoint(self._any[kind][field_]):
            return 0.0
        if at not in self._likeness:
            own = self._own[kind]
            bare = words - own if words - own - LIGHT else words
            named = self.vocabulary.fields[kind][field_]
            best = max(max(likeness(words, n), 0.97 * likeness(bare, n)) for n in named)
            self._likeness[at] = best
        return self._likeness[at]

    def fit(self, column: Profile, kind: RecordKind, f: Field) -> Drafted | None:
        """The column as that of a field, if it may be."""
        words = self.vocabulary.words(column.name)
        if f.name == kind.key or f.id_of:
            return self._id(column, kind, f, (), self._called(column, words, kind, f)[0])
        return self._column(column, words, kind, f)

    def _as(self, place: Place, kind: RecordKind, ids: Sequence[Ids]) -> Guess:
        """The table read as records of this kind."""
        pairs = []
        for i, column in enumerate(place.table.columns):
            words = self.vocabulary.words(column.name)
            for f in kind.fields.values():
                if f.name == kind.key or f.id_of:
                    one = self._id(column, kind, f, ids, self._called(column, words, kind, f)[0])
                else:
                    at = (id(column), kind.name, f.name)
                    if at not in self._drafted:
                        self._drafted[at] = self._column(column, words, kind, f)
                    one = self._drafted[at]
                if one is not None:
                    pairs.append((one.score, -i, f.name, one))
        pairs.sort(key=lambda p: (-p[0], -p[1], p[2]))
        taken: dict[str, Drafted] = {}
        used: set[str] = set()
        for _, _, f_name, one in pairs:
            if f_name not in taken and one.column.name not in used:
                taken[f_name] = one
                used.add(one.column.name)
        key = self._key(kind, taken, place)
        n = sum(1 for c in place.table.columns if c.filled or len(place.table.columns) < 4) or 1
        covered = sum(d.score for d in taken.values()) / n
        named = self._named(place, kind.name)
        lacking = sum(f.required and f.name not in taken and f.name != kind.key for f in kind.fields.values())
        score = 0.5 * covered + 0.5 * named - 0.12 * lacking - (0.1 if kind.key not in taken and not key else 0.0)
        ordered = tuple(taken[f] for f in kind.fields if f in taken)
        return Guess(place, kind, score, named=named, columns=ordered, key=key)

    def _key(self, kind: RecordKind, taken: dict[str, Drafted], place: Place) -> tuple[str, ...]:
        """Of what the key is made, where no column numbers the records: whose they are, and the day."""
        its = taken.get(kind.key)
        if its is not None and (its.column.nearly_unique or its.score >= SURE):
            return ()
        taken.pop(kind.key, None)
        whose = [x.field for x in kind.links.values() if x.field in taken][:2]
        whose = whose or [f for f in taken if kind.fields[f].id_of][:1]
        days = [f for f in (kind.date, *kind.counts_from) if f in taken]
        days = days or [f for f in taken if kind.fields[f].type == "date" and not kind.fields[f].personal]
        return (*whose, *days[:1]) if whose else ()

    def _called(self, column: Profile, words: Words, kind: RecordKind, f: Field) -> tuple[float, str]:
        """How like the field the column is called, and that in words."""
        if plain(column.name) == plain(f.name):
            return 1.05, f"called '{f.name}'"
        alike = self._alike(words, kind.name, f.name)
        if f.name == kind.date and alike < SURE and column.formats:
            # "Date" alone, or the day of what the file is about.
            own = frozenset().union(*self.vocabulary.kinds[kind.name])
            if words <= own | LIGHT and "on" in words:
                alike = 0.8
        if f.name == "name" and column.names and words <= self._own[kind.name]:
            # A person under what the person is: "Young Person", "Employee".
            alike = max(alike, 0.8)
        return alike, f"'{column.name}'"

    def _column(self, column: Profile, words: Words, kind: RecordKind, f: Field) -> Drafted | None:
        alike, why = self._called(column, words, kind, f)
        if column.names and f.type != "text":
            return None
        if f.type == "date":
            return self._date(column, f, alike, why)
        if column.formats and column.filled and not column.numeric:
            return None
        match f.type:
            case "boolean":
                return self._boolean(column.bare, kind, f, alike, why)
            case "integer" | "number":
                return (
                    Drafted(f, column, alike, why) if alike >= LEAST and (column.numeric or not column.filled) else None
                )
            case "list":
                return self._list(column, kind, f, alike, why)
        if f.codes:
            return self._coded(column.bare, kind, f, alike, why)
        if alike < LEAST or (column.yes_or_no and column.filled > 3 and not column.numeric):
            return None
        return Drafted(f, column, alike, why, question="" if alike >= SURE else "is this it?")

    def _id(self, column: Profile, kind: RecordKind, f: Field, ids: Sequence[Ids], alike: float) -> Drafted | None:
        if column.formats or (column.yes_or_no and column.filled > 3):
            return None
        own = f.name == kind.key
        joins = [(self._share(column, i), i) for i in ids]
        fits = [(share, i) for share, i in joins if share >= 0.8 and len(column.values) > 1]
        if own:
            if alike < LEAST and not (column.nearly_unique and column.idlike):
                return None
            own_rows = len(column.counts) / column.rows if column.rows else 0.8
            score = min(alike, 1.0) * (own_rows if column.nearly_unique or not column.rows else 0.55 * own_rows)
            if column.nearly_unique and column.idlike and alike < SURE:
                # A unique column that is nobody else's number is the record's own; the first of them is likeliest.
                score = max(score, 0.5 if fits else 0.66)
            return Drafted(
                f,
                column,
                score,
                f"unique in all {column.rows:,} rows"
                if column.unique
                else f"by its name; {len(column.counts):,} different in {column.rows:,} rows",
            )
        of_kind = [(share, i) for share, i in fits if i.kind == f.id_of]
        if of_kind:
            share, i = max(of_kind, key=lambda s: s[0])
            score = max(min(alike, 1.0), 0.6) + 0.25 * (alike < 1) if alike >= 0.3 else 0.55
            why = f"{share:.0%} of its ids stand in {i.label}" if share < 1 else f"all of its ids stand in {i.label}"
            return Drafted(
                f, column, min(score, 1.0), why, question="" if alike >= 0.3 else "is this whom it is about?"
            )
        if alike < LEAST or column.names:
            return None
        if fits:
            # Its ids are those of another kind.
            alike *= 0.6
        return (
            Drafted(f, column, alike, "by its name", question="" if alike >= SURE else "is this it?")
            if alike >= LEAST
            else None
        )

    def _share(self, column: Profile, ids: Ids) -> float:
        """The share of a column's cells that are among the ids."""
        at = (id(column), ids.label)
        if at not in self._shared:
            self._shared[at] = contained(column.values, ids.values)
        return self._shared[at]

    def _date(self, column: Profile, f: Field, alike: float, why: str) -> Drafted | None:
        formats = column.formats
        if formats and column.numeric and column.with_serials:
            formats = column.with_serials
        formats = formats or column.with_serials
        if alike < LEAST or (column.filled and not formats):
            return None
        questions = []
        if column.ambiguous:
            questions.append("no day in it is above 12: day first?")
        if alike < SURE:
            questions.append("is this it?")
        if column.no_dates:
            questions.append(f"{column.no_dates:,} of {column.filled:,} cells are no date")
        return Drafted(f, column, alike, why, dates=formats, question="; ".join(questions))

    def _boolean(self, column: Profile, kind: RecordKind, f: Field, alike: float, why: str) -> Drafted | None:
        if alike < LEAST:
            return None
        if column.yes_or_no or not column.filled:
            return Drafted(f, column, alike, why, question="" if alike >= SURE else "is this it?")
        if not column.recurs or len(column.counts) > 6 or column.numeric:
            return None
        codes = self._meanings(column, ("yes", "no"), self.vocabulary.codes.get((kind.name, f.name), {}))
        meant = {c: ({"yes": True, "no": False}.get(str(v), v), n) for c, (v, n) in codes.items()}
        known = sum(n for v, n in column.counts.items() if v.lower() in (*TRUE_WORDS, *FALSE_WORDS))
        known += sum(n for c, (v, n) in meant.items() if v is not None or c.lower() in UNKNOWN_WORDS)
        if known < 0.5 * column.filled:
            return None
        return Drafted(f, column, alike, why, codes=meant, question=_unmeant(meant))

    def _coded(self, column: Profile, kind: RecordKind, f: Field, alike: float, why: str) -> Drafted | None:
        if not column.filled:
            return Drafted(f, column, alike, why) if alike >= SURE else None
        if len(column.counts) > MANY_CODES or (alike < 0.3 and not column.recurs):
            return None
        if column.yes_or_no and not {"yes", "no"} & {c.lower() for c in f.codes}:
            return None
        codes = self._meanings(column, f.codes, self._shipped(kind.name, f))
        own = {c.lower() for c in f.codes}
        known = sum(n for v, n in column.counts.items() if v.lower() in own)
        known += sum(n for _, (v, n) in codes.items() if v is not None)
        share = known / column.filled
        if share >= NEARLY and known >= 3 and len(column.counts) > 1:
            alike = max(alike, 0.45 + 0.2 * (alike >= 0.3)) if alike < SURE else alike
            why += ", and its cells are codes of it"
        elif share < 0.3 and (alike < SURE or not column.recurs):
            return None
        if alike < LEAST:
            return None
        if not column.recurs:
            # What does not recur may be somebody's name or a sentence: it is not shown.
            codes = {c: m for c, m in codes.items() if m[0] is not None}
        return Drafted(f, column, alike * (0.6 + 0.4 * share), why, codes=codes, question=_unmeant(codes))

    def _shipped(self, kind: str, f: Field) -> Mapping[str, object]:
        """What cells of the field mean in mappings that came with the program; if in none, of fields of that name in other kinds."""
        if (kind, f.name) in self.vocabulary.codes:
            return self.vocabulary.codes[kind, f.name]
        others = [codes for (_, name), codes in self.vocabulary.codes.items() if name == f.name]
        meant = {cell: self._meaning(str(v), f.codes) for codes in others for cell, v in codes.items() if v is not None}
        return {cell: code for cell, code in meant.items() if code is not None}

    def _list(self, column: Profile, kind: RecordKind, f: Field, alike: float, why: str) -> Drafted | None:
        if alike < LEAST:
            return None
        own = {c.lower() for c in f.codes}
        best, split = -1.0, SEPARATORS[1]
        for separator in SEPARATORS:
            items = Counter[str]()
            for cell, n in column.counts.items():
                items.update({i.strip(): n for i in cell.split(separator) if i.strip()})
            known = sum(n for i, n in items.items() if i.lower() in own) / max(sum(items.values()), 1)
            if known + 0.01 * (len(items) != len(column.counts)) > best:
                best, split = known + 0.01 * (len(items) != len(column.counts)), separator
        return Drafted(
            f,
            column,
            alike,
            why,
            split=split,
            question="" if best >= NEARLY or not column.filled else "are its items so separated?",
        )

    def _meanings(
        self, column: Profile, codes: Sequence[str], shipped: Mapping[str, object]
    ) -> dict[str, tuple[object, int]]:
        """What cells mean that are no codes of the dictionary; the same cell in other letters once."""
        own = {c.lower() for c in codes}
        if set(codes) == {"yes", "no"}:
            own |= {*TRUE_WORDS, *FALSE_WORDS}
        found: dict[str, tuple[object, int]] = {}
        seen: dict[str, str] = {}
        for cell, n in sorted(column.counts.items(), key=lambda c: (-c[1], c[0])):
            lower = cell.lower()
            if lower in own:
                continue
            if lower in seen:
                found[seen[lower]] = (found[seen[lower]][0], found[seen[lower]][1] + n)
                continue
            seen[lower] = cell
            found[cell] = (shipped[lower] if lower in shipped else self._meaning(cell, codes), n)
        return found

    def _meaning(self, cell: str, codes: Sequence[str]) -> str | None:
        """The code that a cell stands for; None: several or none."""
        words, flat = self.vocabulary.words(cell), "".join(spoken(cell))
        same = [c for c in codes if "".join(spoken(c)) == flat or self.vocabulary.words(c) == words]
        if same:
            return same[0]
        initials = [c for c in codes if flat == "".join(w[0] for w in spoken(c)) and len(flat) > 1]
        if len(initials) == 1:
            return initials[0]
        begins = [c for c in codes if "".join(spoken(c)).startswith(flat)]
        if flat and len(begins) == 1:
            return begins[0]
        near = sorted(((likeness(words, self.vocabulary.words(c)), c) for c in codes), key=lambda s: (-s[0], s[1]))
        if near and near[0][0] >= 0.66 and (len(near) < 2 or near[0][0] - near[1][0] >= 0.15):
            return near[0][1]
        return None


NEARLY = 0.8


def _unmeant(codes: Mapping[str, tuple[object, int]]) -> str:
    return "what do the words without a meaning mean?" if any(v is None for v, _ in codes.values()) else ""


def grouped(places: Sequence[Place], parts: frozenset[str]) -> Iterator[list[Place]]:
    """Tables that stand in several files or sheets: with the same columns, and the same name but for figures, months and parts."""
    groups: dict[tuple[str, frozenset[str]], list[Place]] = {}
    for place in places:
        file, sheet = place.places[0]
        words = [w for w in spoken(re.sub(r"\.\w+$", "", sheet or file)) if not w.isdigit() and w not in parts]
        groups.setdefault((" ".join(words), frozenset(plain(c.name) for c in place.table.columns)), []).append(place)
    yield from groups.values()
