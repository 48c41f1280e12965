"""Makes the catalogues (`rules/instruments/*.json`) from the reference facts.

    python rules/instruments/build.py FOLDER_OF_REFERENCE_FILES

The catalogues are kept in the repository: nobody needs the reference files to use or to test the program. Where a duty is classed
otherwise than in the reference, `overrides.yaml` says so and why; `additions.yaml` holds duties that the reference does not have.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SOURCES = {
    "fsr2011": "fostering-regulations-2011.yaml",
    "nms2011": "national-minimum-standards-2011.yaml",
    "cpr2010": "care-planning-regulations-2010.yaml",
    "safer": "safer-recruitment.yaml",
}
OWN = {"local": "policies.yaml", "council": "council.yaml", "ca1989": "acts.yaml"}
"""Catalogues whose duties are written here: on facts of the reference that are no list of duties, or on text that it does not hold."""
LAYERS = {"statutory": "statute", "minimum_standard": "standard", "good_practice": "good practice"}
MODALITY = {"statute": "must", "standard": "should", "good practice": "should"}
# Carried over as they are, where an entry has them.
KEPT = (
    "time_limit", "promptness", "items", "outcomes", "notify", "suspended", "replaced_by", "replaces", "temporary", "saving",
    "overridden_by", "regime", "exceptions", "same_duty_as", "related", "verification", "text_version",
)  # fmt: skip


def plain(value: object) -> Any:
    """Dates as text, everything else as JSON has it."""
    match value:
        case date():
            return value.isoformat()
        case dict():
            return {str(k): plain(v) for k, v in value.items()}
        case list():
            return [plain(v) for v in value]
    return value


def duty(entry: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """One entry of a catalogue."""
    layer = LAYERS[entry["category"]]
    made: dict[str, Any] = {
        "id": entry["id"],
        "ref": entry["ref"],
        "title": entry["title"],
        "summary": entry["requirement"],
        "when": entry.get("when"),
        "duty_on": entry["duty_on"].replace("_", " "),
        "binds": entry.get("applies_to", "all"),
        "subject": entry["subject"],
        "modality": entry.get("modality", MODALITY[layer]),
        "checkable": entry["checkable"],
        "layer": layer,
        "in_force": plain({"from": entry["in_force"].get("from"), "to": entry["in_force"].get("to")}),
        "confidence": entry["confidence"],
        "note": entry.get("note"),
        "source": entry.get("official") or entry["source"],
    }
    made.update({k: plain(entry[k]) for k in KEPT if entry.get(k) is not None})
    made.update(changes)
    return {k: v for k, v in made.items() if v is not None}


def found(reference: Path, way: str) -> str:
    """The document and section of a fact: its file, then keys, or in lists the `id` or `forum` of an item."""
    name, *keys = way.split("/")
    here: Any = yaml.safe_load((reference / f"{name}.yaml").read_text(encoding="utf-8"))
    sources, src = here["sources"], None
    for key in keys:
        here = next(i for i in here if key in (i.get("id"), i.get("forum"))) if isinstance(here, list) else here[key]
        src = here.get("src", src) if isinstance(here, dict) else src
    if src is None:
        sys.exit(f"nothing says where {way} stands")
    return f"{sources[src[0]]['what'].partition(' (')[0]}: {src[1]}"


def own_duty(reference: Path, entry: dict[str, Any]) -> dict[str, Any]:
    """One duty that is written here: of local policy, unless it says otherwise."""
    source = found(reference, entry["fact"]) if "fact" in entry else entry["source"]
    layer = entry.get("layer", "local policy")
    made = {
        "id": entry["id"],
        "ref": entry.get("ref", source),
        "title": entry["title"],
        "summary": entry["summary"],
        "when": entry.get("when"),
        "duty_on": entry.get("duty_on", "council"),
        "binds": "all",
        "subject": entry["subject"],
        "modality": entry.get("modality") or MODALITY.get(layer, "should"),
        "checkable": "machine",
        "layer": layer,
        "in_force": plain({"from": entry["from"], "to": None}),
        "confidence": entry["confidence"],
        "note": entry.get("note"),
        "source": source,
    }
    made.update({k: plain(entry[k]) for k in KEPT if entry.get(k) is not None})
    return {k: v for k, v in made.items() if v is not None}


def write(name: str, instrument: dict[str, Any], duties: list[dict[str, Any]]) -> None:
    """One catalogue."""
    looked_at: dict[str, date] = yaml.safe_load((HERE / "looked_at.yaml").read_text(encoding="utf-8"))
    if name in looked_at:
        instrument = {**instrument, "looked_at_on": looked_at[name].isoformat()}
    lines = ",\n".join(json.dumps(d, ensure_ascii=False) for d in duties)
    head = json.dumps(instrument, ensure_ascii=False, indent=1)
    text = f'{{"instrument": {head},\n"duties": [\n{lines}\n]}}\n'
    (HERE / f"{name}.json").write_text(text, encoding="utf-8")
    print(f"{name}.json: {len(duties)} duties")


def main(reference: Path) -> None:
    """Writes all catalogues."""
    overrides: dict[str, Any] = yaml.safe_load((HERE / "overrides.yaml").read_text(encoding="utf-8")) or {}
    additions: dict[str, Any] = yaml.safe_load((HERE / "additions.yaml").read_text(encoding="utf-8")) or {}
    if strangers := set(additions) - set(SOURCES):
        sys.exit(f"additions.yaml names catalogues that there are not: {', '.join(sorted(strangers))}")
    unused = set(overrides)
    for name, file in SOURCES.items():
        read = yaml.safe_load((reference / file).read_text(encoding="utf-8"))
        instrument = {k: plain(v) for k, v in read["instrument"].items()}
        duties = []
        for entry in [*read["duties"], *additions.get(name, [])]:
            changes = {name: change for name, change in overrides.items() if fnmatchcase(entry["id"], name)}
            unused -= set(changes)
            values = {k: v for change in changes.values() for k, v in change["set"].items()}
            why = {"classed_here": " ".join(change["why"] for change in changes.values())} if changes else {}
            duties.append(duty(entry, {**plain(values), **why}))
        replaced_in = {d["id"]: d["in_force"] for d in duties}
        for made in duties:
            for other in made.get("overridden_by", []):
                other.update(replaced_in[other["id"]])
        write(name, instrument, duties)
    for name, file in OWN.items():
        own = yaml.safe_load((HERE / file).read_text(encoding="utf-8"))
        write(name, own["instrument"], [own_duty(reference, entry) for entry in own["duties"]])
    if unused:
        sys.exit(f"overrides.yaml names duties that there are not: {', '.join(sorted(unused))}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
