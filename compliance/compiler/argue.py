"""The sentence that argues a finding, its evidence and what is missing: operations too, so that the engine writes them.

Built from the rule and the record's values; no rule brings a sentence of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from compliance.compiler.ir import (
    FALSE,
    NULL,
    TRUE,
    AsAt,
    Const,
    Ir,
    Ordinal,
    and_,
    case,
    const,
    is_null,
    not_,
    op,
    or_,
)
from compliance.compiler.lower import Lowered, Lowerer, Scope, Value, consts
from compliance.language import tree
from compliance.language.describe import english_of, field_words, path_words, source_words, words
from compliance.model import LAYERS, Unit
from compliance.rules.checking import CheckedDeadline, CheckedEvery, CheckedRule, Conditions


@dataclass(frozen=True)
class Argument:
    """What the engine writes for a finding; every part is a text.

    Args:
      sentence: the argument.
      failed: labels of conditions that do not hold, as the inside of a JSON list.
      missing: fields that are missing, likewise; means something only where the verdict is unknown.
      evidence: names and values, as the inside of a JSON object.
      due_on: the day the duty fell due, YYYY-MM-DD, or NULL.
      late: how late, in words, or NULL.
      margin: days from what was done (or from the as-at date) to the day due, as text; NULL without one.
      conditions: label, truth (true, false, NULL) and terms of each condition, for `explain`.
    """

    sentence: Ir
    failed: Ir
    missing: Ir
    evidence: Ir
    due_on: Ir
    late: Ir
    margin: Ir
    conditions: tuple[tuple[str, Ir, Ir], ...]


@dataclass(frozen=True)
class Term:
    """A value that a condition rests on: as a phrase, and as evidence."""

    phrase: Ir
    key: str
    json: Ir
    missing: tuple[tuple[Ir, str], ...]


@dataclass(frozen=True)
class Needed:
    """What is needed to tell one condition, and when nobody can tell it."""

    unknown: Ir
    terms: list[Term]


def text(value: str) -> Ir:
    """A constant text."""
    return const(value)


def concat(*items: Ir) -> Ir:
    """Texts one after the other; NULL adds nothing, and constants side by side are one."""
    joined: list[Ir] = []
    for item in items:
        last = joined[-1] if joined else NULL
        if (
            isinstance(item, Const)
            and isinstance(last, Const)
            and isinstance(item.value, str)
            and isinstance(last.value, str)
        ):
            joined[-1] = text(last.value + item.value)
        elif item != NULL:
            joined.append(item)
    return op("concat", *joined)


def argue(lowered: Lowered, lowerer: Lowerer) -> Argument:
    """The argument of one rule."""
    rule = lowered.rule.rule
    scopes = (Scope(0, rule.record),)
    empty = _may_be_empty(lowered.rule)
    ref = _citation(lowered, lowerer)
    when_terms = _terms([lowered.rule.when] if lowered.rule.when else [], lowerer, scopes, empty)
    shown = _terms(lowered.rule.show, lowerer, scopes, empty)
    if lowered.lawful is not None:
        ref = text(f"own policy; {lowered.source}")
    elif rule.cites and all(d.layer == "local policy" for d in rule.cites):
        ref = concat(text("local policy, not law; "), ref)
    whether = is_null(lowered.when)
    unsure = concat(text("Not evidenced whether this applies ("), _phrases(when_terms), text("). "), ref, text("."))
    late: Ir = NULL
    due_on: Ir = NULL
    margin: Ir = NULL
    rows: list[tuple[str, Ir, Ir]] = []
    extra: list[tuple[str, Ir]] = []
    match lowered.rule.check:
        case Conditions(items=items):
            per = [
                (lowered.said(label), truth, _terms([node], lowerer, scopes, empty))
                for (label, node), (_, truth) in zip(items, lowered.conditions, strict=True)
            ]
            rows = [(label, truth, _phrases(terms)) for label, truth, terms in per]
            terms = [t for _, _, ts in per for t in ts]
            needed = [Needed(is_null(truth), ts) for _, truth, ts in per]
            no = op("join", text("; "), *(case(not_(truth), _with(label, said), NULL) for label, truth, said in rows))
            unknown = op(
                "join", text("; "), *(case(is_null(truth), _with(label, said), NULL) for label, truth, said in rows)
            )
            any_no = or_(*(not_(truth) for _, truth, _ in rows))
            any_unknown = or_(*(is_null(truth) for _, truth, _ in rows))
            sentence = concat(
                case(any_no, concat(text("Not met: "), no, text(". ")), NULL),
                case(any_unknown, concat(text("Not evidenced: "), unknown, text(". ")), NULL),
                ref,
                text("."),
            )
            failed = op("join", text(","), *(case(_not_true(t), op("json", text(label)), NULL) for label, t, _ in rows))
        case CheckedDeadline() as d:
            assert lowered.due is not None
            sentence, late = _deadline(d, lowered, ref)
            due_on = op("text", lowered.due.due)
            on = op("coalesce", lowered.due.done.node, AsAt())
            margin = op("text", op("days_between", on, lowered.due.due))
            terms = _terms([d.start, d.done], lowerer, scopes, empty)
            terms += _terms([r.condition for r in d.within if r.condition], lowerer, scopes, empty)
            rows = [(lowered.said(label), truth, _phrases(terms)) for label, truth in lowered.conditions]
            failed = op("json", text(rows[0][0]))
            extra = [("due_on", op("json", lowered.due.due))]
        case CheckedEvery() as e:
            assert lowered.due is not None
            sentence, late = _every(e, lowered, ref)
            due_on = op("text", lowered.due.due)
            margin = op("text", op("days_between", lowered.due.end or AsAt(), lowered.due.due))
            terms = _terms([e.start, *(r.condition for r in e.within if r.condition)], lowerer, scopes, empty)
            # An empty end is no end; it is missing from nothing.
            ends = _terms([e.until] if e.until else [], lowerer, scopes, empty)
            terms += [Term(t.phrase, t.key, t.json, ()) for t in ends]
            inside = _inner_fields(e.done.source, [e.done.value, *([e.done.condition] if e.done.condition else [])])
            done_missing = tuple((is_null(lowered.conditions[0][1]), name) for name in inside)
            gaps = concat(text("["), lowered.due.gaps or NULL, text("]"))
            terms.append(Term(NULL, "late_gaps", gaps, done_missing))
            rows = [(lowered.said(label), truth, _phrases(terms)) for label, truth in lowered.conditions]
            failed = op("json", text(rows[0][0]))
            extra = [("last_on", op("json", lowered.due.done.node)), ("next_due_on", op("json", lowered.due.due))]
    if rule.each is not None and not any("{" + rule.each[0] in label for label, _ in lowered.conditions):
        sentence = concat(text(f"{lowered.part}: "), sentence)
    if lowered.lawful is not None:
        within = WITHIN[min((d.layer for d in rule.cites), key=LAYERS.index)]
        as_well = text("Breaks your own policy as well: ")
        sentence = concat(
            case(not_(lowered.lawful), as_well, text(f"{within}, but breaks your own policy: ")), sentence
        )
    if not isinstance(lowered.rule.check, Conditions):
        needed = [Needed(is_null(lowered.conditions[0][1]), terms)]
    everything = list({t.key: t for t in (*shown, *when_terms, *terms)}.values())
    evidence = _pairs([(t.key, t.json) for t in everything] + extra)
    return Argument(
        sentence=case(whether, unsure, sentence),
        failed=failed,
        missing=case(whether, _missing([Needed(TRUE, when_terms)]), _missing(needed)),
        evidence=evidence,
        due_on=due_on,
        late=late,
        margin=margin,
        conditions=(
            *(((english_of(lowered.rule.when)), lowered.when, _phrases(when_terms)) for _ in [0] if lowered.rule.when),
            *rows,
        ),
    )


WITHIN = {"statute": "Lawful", "standard": "Within the standard", "good practice": "Within good practice"}
"""What is said of a record that keeps the figure of a layer, but not the agency's own."""


def _not_true(truth: Ir) -> Ir:
    return not_(op("coalesce", truth, FALSE))


def _with(label: str, said: Ir) -> Ir:
    return text(label) if said == text("") else concat(text(f"{label} ("), said, text(")"))


def _phrases(terms: Iterable[Term]) -> Ir:
    said = [t.phrase for t in terms if t.phrase != NULL]
    return op("join", text("; "), *said) if said else text("")


def _pairs(pairs: list[tuple[str, Ir]]) -> Ir:
    parts: list[Ir] = []
    for i, (key, value) in enumerate(pairs):
        # The key is ours or a field's name, never a record's value.
        parts += [text(("," if i else "") + _json_text(key) + ":"), value]
    return concat(*parts) if parts else text("")


def _json_text(value: str) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _missing(parts: Iterable[Needed]) -> Ir:
    by_name: dict[str, list[Ir]] = {}
    for part in parts:
        for term in part.terms:
            for is_missing, name in term.missing:
                by_name.setdefault(name, []).append(and_(part.unknown, is_missing))
    named = [case(or_(*whens), text(_json_text(name)), NULL) for name, whens in by_name.items()]
    return op("join", text(","), *named) if named else text("")


# --- the two clocks ---


def _count_late(due: Ir, until: Ir, units: frozenset[Unit]) -> Ir:
    """How many days late, in the unit of the limit where that is working days."""
    working = units == {"working_days"}
    n = op("sub", Ordinal(until), Ordinal(due)) if working else op("days_between", due, until)
    unit = "working day" if working else "day"
    return concat(op("text", n), case(op("eq", n, const(1)), text(f" {unit}"), text(f" {unit}s")))


def _start_words(node: tree.Node) -> str:
    if isinstance(node, tree.FieldOf):
        return field_words(node).removesuffix(" on")
    return english_of(node)


def _citation(lowered: Lowered, lowerer: Lowerer) -> Ir:
    """The clause that a finding quotes: of the duties cited that weigh as much as the first, the one in force on the day that decides."""
    rule = lowered.rule.rule
    about = next((d for d in rule.cites if d.id == lowered.part), None)
    if about is not None:
        return text(about.ref)
    if not rule.cites:
        return text("KPI")
    first = rule.cites[0]
    its = [d for d in rule.cites if d.instrument == first.instrument and d.layer == first.layer]
    day = lowerer.judged if lowered.rule.judged_on is not None or lowered.due is None else lowered.due.due
    found: list[Ir] = []
    for duty in its:
        since = NULL if duty.from_on <= rule.from_on else op("ge", day, const(duty.from_on))
        until = NULL if duty.to_on is None else op("le", day, const(duty.to_on))
        conditions = [c for c in (since, until) if c != NULL]
        found += [and_(*conditions), text(duty.ref)]
        if not conditions:
            break
    if len(set(found[1::2])) == 1:
        return found[1]
    return case(*found, text(first.ref))


def _deadline(d: CheckedDeadline, lowered: Lowered, ref: Ir) -> tuple[Ir, Ir]:
    due = lowered.due
    assert due is not None
    done = due.done.node
    on = case(is_null(done), AsAt(), done)
    late = _count_late(due.due, on, due.units)
    start = _start_words(d.start)
    what = lowered.said(d.what)
    if not d.within:
        why = concat(text(f" ({start}, "), ref, text("); "))
        if isinstance(d.start, tree.FieldOf) or not isinstance(d.start, tree.Literal):
            why = concat(text(f" ({start}; "), ref, text("); "))
        head: Ir = concat(text(f"{what} due by "), op("english", due.due), why)
    else:
        head = concat(
            text(f"{what} due "),
            op("english", due.due),
            text(f" ({start} "),
            op("english", due.start.node),
            text(" + "),
            due.words,
            text(", "),
            ref,
            text("); "),
        )
    after = case(
        is_null(done),
        concat(text("none recorded; "), late, text(" late on "), op("english", AsAt()), text(".")),
        concat(text("done "), op("english", done), text("; "), late, text(" late.")),
    )
    unknown = case(
        is_null(due.due),
        _cannot_be_judged(what, start, ref),
        concat(
            head,
            text("not evidenced whether it was done: a date or a record it hangs on cannot be read or is missing."),
        ),
    )
    truth = lowered.conditions[0][1]
    return case(is_null(truth), unknown, concat(head, after)), case(not_(truth), late, NULL)


def _cannot_be_judged(what: str, start: str, ref: Ir) -> Ir:
    because = f"{what[0].lower()}{what[1:]} cannot be judged, because {start} is not recorded or cannot be read. "
    return concat(text(f"Not evidenced: {because}"), ref, text("."))


def _every(e: CheckedEvery, lowered: Lowered, ref: Ir) -> tuple[Ir, Ir]:
    due = lowered.due
    assert due is not None and due.n_late is not None and due.end is not None
    start = _start_words(e.start)
    what = lowered.said(e.what)
    open_late = op("gt", due.end, due.due)
    late = _count_late(due.due, due.end, due.units)
    last = case(
        is_null(due.done.node),
        concat(text(f"{start} "), op("english", due.start.node)),
        concat(text("last "), op("english", due.done.node)),
    )
    still = concat(
        text(f"{what} due "),
        op("english", due.due),
        text(" ("),
        last,
        text(" + "),
        due.words,
        text(", "),
        ref,
        text("); none since; "),
        late,
        text(" late on "),
        op("english", due.end),
        text("."),
    )
    past = concat(
        op("text", due.n_late),
        case(op("eq", due.n_late, const(1)), text(" earlier gap"), text(" earlier gaps")),
        text(" too long: "),
        due.gaps_text or NULL,
        text(" ("),
        ref,
        text(")."),
    )
    said = concat(
        case(open_late, still, NULL),
        case(and_(open_late, op("gt", due.n_late, const(0))), text(" "), NULL),
        case(op("gt", due.n_late, const(0)), concat(case(open_late, NULL, text(f"{what}: ")), past), NULL),
    )
    unknown = case(
        is_null(due.start.node),
        _cannot_be_judged(what, start, ref),
        is_null(due.due),
        concat(said, text("Not evidenced: which limit holds cannot be told. "), ref, text(".")),
        concat(said, text(" Not evidenced: a record without a readable date may fill a gap.")),
    )
    truth = lowered.conditions[0][1]
    return case(is_null(truth), unknown, said), case(and_(not_(truth), open_late), late, NULL)


# --- terms ---


def _leaves(node: tree.Node) -> list[tree.Node]:
    if isinstance(node, tree.FieldOf | tree.Aggregate | tree.Gap | tree.HasAll):
        return [node]
    return [leaf for child in tree.children(node) for leaf in _leaves(child)]


def _may_be_empty(rule: CheckedRule) -> frozenset[tree.Node]:
    """Fields of which the rule asks whether they are empty: then being empty is an answer, and nothing is missing."""
    asked = {inner for n in rule.nodes() if isinstance(n, tree.IsNone) for inner in _through_facts(n.item)}
    for n in rule.nodes():
        if isinstance(n, tree.Extreme) and n.fn in ("first_of", "last_of"):
            asked.update(inner for i in n.items for inner in _through_facts(i))
    if isinstance(rule.check, CheckedDeadline):
        asked.add(rule.check.done)
    return frozenset(asked)


def _through_facts(node: tree.Node) -> list[tree.Node]:
    return [node, *_through_facts(node.item)] if isinstance(node, tree.Fact) else [node]


def _terms(
    nodes: Iterable[tree.Node], lowerer: Lowerer, scopes: tuple[Scope, ...], may_be_empty: frozenset[tree.Node]
) -> list[Term]:
    found: dict[str, Term] = {}
    for node in nodes:
        for leaf in _leaves(node):
            term = _term(leaf, lowerer, scopes, may_be_empty)
            # Of two questions about the same records one is told, but both may lack something.
            before = found.get(term.key)
            found[term.key] = term if before is None else replace(before, missing=(*before.missing, *term.missing))
            # What the filter of a `for` says of the record itself is evidence too.
            for inner in tree.walk(leaf)[1:]:
                if isinstance(inner, tree.FieldOf) and inner.scope == 0:
                    own = _term(inner, lowerer, scopes, may_be_empty)
                    found.setdefault(own.key, own)
    return list(found.values())


def _field_name(f: tree.FieldOf) -> str:
    return ".".join([*(link.name for link in f.path), f.field])


def _shown(value: Ir, type_: str) -> Ir:
    match type_:
        case "date":
            return op("english", value)
        case "boolean":
            return case(value, text("yes"), text("no"))
        case "list":
            return op("listed", value)
    return op("text", value)


def _term(node: tree.Node, lowerer: Lowerer, scopes: tuple[Scope, ...], may_be_empty: frozenset[tree.Node]) -> Term:
    value = lowerer.value(node, scopes)
    match node:
        case tree.FieldOf():
            return _field_term(node, value, node in may_be_empty, node.personal and not lowerer.personal)
        case tree.HasAll(item=item, options=options):
            said = english_of(item)
            listed = lowerer.value(item, scopes).node
            lacks = lowerer.options(options, lambda o: op("lacking", listed, *consts(o)), scopes)
            phrase = case(
                is_null(listed),
                text(f"{said}: not recorded"),
                value.node,
                text(f"{said}: complete"),
                concat(text(f"{said} lacks: "), lacks),
            )
            inside = tuple(
                (is_null(value.node), _field_name(f)) for f in tree.walk(item) if isinstance(f, tree.FieldOf)
            )
            hidden = not lowerer.personal and _personal(item)
            if hidden:
                phrase = case(is_null(listed), text(f"{said}: not recorded"), text(f"{said}: recorded"))
            return Term(phrase, f"{said}, lacking", _recorded(listed) if hidden else op("json", lacks), inside)
        case tree.Aggregate(fn="count"):
            said = f"{source_words(node.source)} counted: "
            n: Ir = op("text", value.node)
            json: Ir = op("json", value.node)
            missing: tuple[tuple[Ir, str], ...] = ()
            if value.most is not None:
                unsure = op("ne", value.node, value.most)
                spread = concat(op("text", value.node), text(" to "), op("text", value.most))
                n, json = case(unsure, spread, n), case(unsure, op("json", spread), json)
                missing = tuple((unsure, name) for name in _inner_fields(node.source, [node.condition]))
            return Term(concat(text(said), n), english_of(node), json, missing)
        case tree.Aggregate(fn="any" | "all"):
            n = lowerer.count(node.source, scopes, TRUE)
            missing = tuple((is_null(value.node), f) for f in _inner_fields(node.source, [node.condition, node.value]))
            them = source_words(node.source)
            said = f"{them} on record"
            which = "none" if node.fn == "any" else "not all"
            phrase = case(
                op("eq", n, const(0)),
                text(f"no {said}"),
                not_(value.node),
                concat(text(f"{which} of the {them} on record ("), op("text", n), text(")")),
                is_null(value.node),
                concat(text(f"not shown by the {them} on record ("), op("text", n), text(")")),
                concat(text(f"{said}: "), op("text", n)),
            )
            return Term(phrase, said, op("json", n), missing)
        case tree.Aggregate():
            said = _short(node)
            inner = _inner_fields(node.source, [node.condition, node.value])
            hidden = node.personal and not lowerer.personal
            shown = text("recorded") if hidden else _shown(value.node, node.type.name)
            phrase = case(
                value.doubt,
                text(f"{said}: not evidenced"),
                is_null(value.node),
                text(f"{said}: none"),
                concat(text(f"{said}: "), shown),
            )
            json = _recorded(value.node) if hidden else op("json", value.node)
            return Term(phrase, english_of(node), json, tuple((is_null(value.node), f) for f in inner))
    assert isinstance(node, tree.Gap)
    inner = _inner_fields(node.source, [node.condition, node.start, node.end])
    hidden = not lowerer.personal and _personal(node)
    n = text("recorded") if hidden else concat(op("text", value.node), text(" days"))
    phrase = case(is_null(value.node), text("largest gap: not evidenced"), concat(text("largest gap: "), n))
    json = _recorded(value.node) if hidden else op("json", value.node)
    return Term(phrase, english_of(node), json, tuple((is_null(value.node), f) for f in inner))


def _personal(node: tree.Node) -> bool:
    """Whether a value is, or is worked out from, something personal."""
    return any(isinstance(n, tree.FieldOf) and n.personal for n in tree.walk(node))


def _recorded(value: Ir) -> Ir:
    """That there is a value, and no more."""
    return case(is_null(value), op("json", NULL), text('"recorded"'))


def _short(a: tree.Aggregate) -> str:
    """An aggregate in few words; the evidence has the whole."""
    if a.fn in ("latest", "earliest"):
        return f"{words(a.pick)} of the {a.fn} of the {source_words(a.source)}"
    value = words(a.value.field) if isinstance(a.value, tree.FieldOf) else "value"
    dates = a.type.name == "date"
    said = {"min": "earliest" if dates else "smallest", "max": "latest" if dates else "largest", "sum": "total"}[a.fn]
    return f"{said} {value} of the {source_words(a.source)}"


def _field_term(f: tree.FieldOf, value: Value, may_be_empty: bool, hidden: bool) -> Term:
    said = f"{path_words(f.path)}{words(f.field)}"
    dates = f.type.name == "date"
    glue = " " if dates and said.endswith(" on") else ": "
    shown = text("recorded") if hidden else _shown(value.node, f.type.name)
    phrase = case(
        value.doubt,
        text(f"{said}: cannot be read"),
        is_null(value.node),
        text(f"{said}: not recorded"),
        concat(text(said + glue), shown),
    )
    json = _recorded(value.node) if hidden else op("json", value.node)
    missing = value.doubt if may_be_empty else is_null(value.node)
    return Term(phrase, _field_name(f), json, ((missing, _field_name(f)),) if missing != FALSE else ())


def _inner_fields(source: tree.Source, nodes: Iterable[tree.Node | None]) -> list[str]:
    """Fields of linked records that a `for` looks at, by the name of the link."""
    way = ".".join([*(link.name for link in source.path), source.link.back])
    found = []
    for node in nodes:
        for n in tree.walk(node):
            if isinstance(n, tree.FieldOf) and n.scope > 0:
                found.append(f"{way}.{_field_name(n)}")
    return list(dict.fromkeys(found))
