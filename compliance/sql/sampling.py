"""How records to be read are drawn."""

from __future__ import annotations

from collections.abc import Sequence

from compliance.sql.text import literal, name

WEIGHT = (
    "1 + CASE WHEN found THEN 4 ELSE 0 END + CASE WHEN unseen THEN 2 ELSE 0 END + CASE WHEN newest THEN 1 ELSE 0 END"
)
"""A record with findings is five times as likely to be read as one that nothing speaks for."""
SHARE_UNSEEN, SHARE_NEWEST = "0.25", "0.1"
# 52 bits of the hash, as a number between 0 and 1.
CHANCE = "(CAST(concat('0x', substr(md5(concat({seed}, '/', d.id, '/', f.key)), 1, 13)) AS BIGINT) + 0.5) / 4503599627370496.0"


def draw(
    kind: str,
    key: str,
    duties: Sequence[tuple[int, str]],
    rules: Sequence[int],
    above: Sequence[tuple[str, Sequence[int]]],
    below: Sequence[tuple[list[tuple[str, str]], Sequence[int]]],
    seen: Sequence[tuple[str, str, str, str]],
    since: str,
    there: str,
    seed: int,
    n: int,
) -> str:
    """For each duty its number, how many records there are, and the keys that are drawn, with why they were likely to be.

    Args:
      duties: number and id.
      rules: those that ask about the kind itself.
      above: links up, with the rules of the kind that each leads to.
      below: ways of links up from other kinds to this one, each step its kind and link, with the rules of the first.
      seen: kinds that belong to it, with the link up, the day that something happened on, and whether that of a row `s` counts.
      since, there: the day since when a record `p` is there, and whether it is; empty where the export does not say.
    """

    def of(numbers: Sequence[int]) -> str:
        return f"h.rule IN ({', '.join(str(r) for r in numbers)})"

    found = [f"SELECT h.rid FROM hit h WHERE {of(rules)}"] if rules else []
    found += [
        f"SELECT p.rid FROM {name(f't_{kind}')} p JOIN hit h ON h.rid = p.{name(f'link__{link}')} WHERE {of(numbers)}"
        for link, numbers in above
    ]
    for way, numbers in below:
        joined = "hit h"
        at = "h.rid"
        for i, (child, link) in enumerate(way):
            joined += f" JOIN {name(f't_{child}')} b{i} ON b{i}.rid = {at}"
            at = f"b{i}.{name(f'link__{link}')}"
        found.append(f"SELECT {at} AS rid FROM {joined} WHERE {of(numbers)}")
    days = [
        f"SELECT {name(f'link__{link}')} AS rid, {name(day)} AS day FROM {name(f't_{child}')} s WHERE {counts}"
        for child, link, day, counts in seen
    ]
    with_ = [f"found AS (SELECT DISTINCT rid FROM ({' UNION ALL '.join(found)}))"] if found else []
    with_ += [f"seen AS (SELECT rid, max(day) AS day FROM ({' UNION ALL '.join(days)}) GROUP BY rid)"] if days else []
    is_found = "x.rid IS NOT NULL" if found else "FALSE"
    # Where more stand first side by side than the share allows, none of them does.
    unseen = f"cume_dist() OVER (ORDER BY s.day NULLS FIRST) <= {SHARE_UNSEEN}" if days else "FALSE"
    newest = (
        f"{since} IS NOT NULL AND cume_dist() OVER (ORDER BY {since} DESC NULLS LAST) <= {SHARE_NEWEST}"
        if since
        else "FALSE"
    )
    joined = (" LEFT JOIN found x ON x.rid = p.rid" if found else "") + (
        " LEFT JOIN seen s ON s.rid = p.rid" if days else ""
    )
    where = f" WHERE {there}" if there else ""
    with_.append(
        f"frame AS (SELECT p.{name(key)} AS key, {is_found} AS found, {unseen} AS unseen, {newest} AS newest"
        f" FROM {name(f't_{kind}')} p{joined}{where})"
    )
    asked = ", ".join(f"({i}, {literal(duty)})" for i, duty in duties)
    place = f"- ln({CHANCE.format(seed=literal(str(seed)))}) / ({WEIGHT})"
    return (
        f"WITH {', '.join(with_)} SELECT d.n, count(*),"
        f" min({{'place': {place}, 'key': f.key, 'found': found, 'unseen': unseen, 'newest': newest}}, {n})"
        f" FROM frame f, (VALUES {asked}) d(n, id) GROUP BY d.n"
    )
