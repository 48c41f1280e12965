"""Pseudonyms in the place of ids, worked out by the engine; and the ids back from them. `$inner` and `$outer` are the key's pads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compliance.sql.text import literal, name

ORDER = "own__order"
"""A column with each record's place among all of its kind by their own ids."""
ANSWERS = "is empty; the record is reported as "


def pseudonym(kind: str, item: str) -> str:
    """That of an id of this kind; NULL of NULL. The kind is hashed too, for a child C1 and a household C1 are two."""
    return _hashed(literal(kind), item)


def _hashed(kind: str, item: str) -> str:
    said = f"encode({kind} || chr(31) || {item})"
    return f"('P' || substr(sha256($outer || unhex(sha256($inner || {said}))), 1, 16))"


def pseudonymised(table: str, key: str, ids: Mapping[str, str], of_any: Mapping[str, str]) -> str:
    """The table with pseudonyms for its ids.

    Args:
      ids: the columns that hold ids, and of which kind.
      of_any: those that hold ids of many kinds, and the column that says of which; where it does not, there is no pseudonym.
    """
    listed, joined = [], ""
    for i, (column, kind) in enumerate(ids.items()):
        c = name(column)
        if column == key:
            listed.append(f"{pseudonym(kind, f't.{c}')} AS {c}")
            continue
        # Many rows name the same record: each id is hashed once.
        listed.append(f"i{i}.made AS {c}")
        once = f"SELECT id, {pseudonym(kind, 'id')} AS made FROM (SELECT DISTINCT {c} AS id FROM {name(table)})"
        joined += f" LEFT JOIN ({once}) i{i} ON i{i}.id = t.{c}"
    listed += [
        f"{_hashed(f't.{name(kind)}', f't.{name(column)}')} AS {name(column)}" for column, kind in of_any.items()
    ]
    return (
        f"CREATE OR REPLACE TABLE {name(table)} AS SELECT t.* REPLACE ({', '.join(listed)}), row_number() OVER"
        f" (ORDER BY t.{name(key)}, t.rid) AS {name(ORDER)} FROM {name(table)} t{joined} ORDER BY t.rid"
    )


def quarantine(ids: Sequence[tuple[str, str, str]]) -> str:
    """The quarantine with pseudonyms for ids and without any other value, for nobody knows what stands in a cell that does not fit.

    Args:
      ids: kind, field (empty: the key of a whole row) and the kind of what it names.
    """
    whens = " ".join(
        f"WHEN record = {literal(kind)} AND field = {literal(f)} THEN {pseudonym(of, 'value')}" for kind, f, of in ids
    )
    keys = " ".join(
        f"WHEN record = {literal(kind)} THEN {literal(ANSWERS)} || {pseudonym(kind, f'substr(reason, {len(ANSWERS) + 1})')}"
        for kind in dict.fromkeys(kind for kind, _, _ in ids)
    )
    reason = f"CASE WHEN starts_with(reason, {literal(ANSWERS)}) THEN CASE {keys} END ELSE reason END"
    return f"UPDATE quarantine SET value = CASE {whens} END, reason = {reason}"


def turned_back(ids: Sequence[tuple[str, str, str]]) -> str:
    """Pseudonym and id, of those in `$wanted` that ids of an export have.

    Args:
      ids: table, column, and of which kind its ids are.
    """
    every = " UNION ".join(f"SELECT {literal(kind)} AS kind, {name(c)} AS id FROM {name(t)}" for t, c, kind in ids)
    whens = " ".join(f"WHEN {literal(k)} THEN {pseudonym(k, 'id')}" for k in dict.fromkeys(k for _, _, k in ids))
    return (
        f"SELECT pseudonym, id FROM (SELECT CASE kind {whens} END AS pseudonym, id FROM ({every}) WHERE id IS NOT NULL)"
        " WHERE list_contains($wanted, pseudonym)"
    )
