"""What is personal is in no output unless asked for; ids can be pseudonyms, which hold from audit to audit and can be turned back.

Words are planted in every personal field (tests/planting.py) and searched for in all that the commands write. Formats are taken from
their registries, so that a new one is searched too.
"""

from __future__ import annotations

import csv
import hmac
import io
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import ROOT, _run
from planting import (
    AS_AT,
    DUPLICATE,
    FAMILY,
    ID,
    SHIFTED,
    WORD,
    Planted,
    plant_agency,
    plant_all,
    searched,
    shipped_rules,
    text_of,
    write_rules,
)

from compliance.jobs import planning, reidentification
from compliance.jobs.asked import Export
from compliance.privacy import reidentifying
from compliance.privacy.pseudonyms import PSEUDONYM, read_key
from compliance.report import FORMATS
from compliance.report.forecast import FORMATS as FORECAST_FORMATS
from compliance.report.kpi import FORMATS as KPI_FORMATS
from compliance.report.plan.proposals import FORMATS as PROPOSALS
from compliance.report.trend import FORMATS as TREND_FORMATS

Cli = Callable[..., Result]
pytestmark = pytest.mark.xdist_group("privacy")

AGENCY_IDS = re.compile(r"\b(?:C|F|H|S|PL|V|HM|FP|AG|REF|CHK)-?\d{3,6}\b")
"""What the sample agency's own ids look like."""
LOOK_ALIKE = re.compile(r' (?:r|ref|sqref)="[A-Z]+\d+(?::[A-Z]+\d+)?"|<a:srgbClr val="[0-9A-F]{6}"')
"""Where a cell stands in a sheet, and a colour: they look like ids, and are nobody's."""
MORE_THAN_TEXT = ("duplicate", SHIFTED)
"""What is never told, whoever asks: of two rows with one key neither counts, and a row of the wrong length is not taken apart."""


@dataclass
class Place:
    """Exports, rules and a key that the tests of this file share."""

    folder: Path
    all: Planted
    family: Planted
    agency: Planted
    rules: Path
    key: Path

    def own(self, planted: Planted) -> tuple[object, ...]:
        """An audit of an export of this file's with its own rules."""
        return ("audit", planted.folder, "--as-at", AS_AT, "--rules", self.rules)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("privacy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("COLUMNS", "120")
        key = folder / "pseudonyms.key"
        assert _run("data", "new-key", key).exit_code == 0
        made = (plant_all(folder / "all"), plant_all(folder / "family", FAMILY), plant_agency(folder / "agency"))
        yield Place(folder, *made, write_rules(folder / "rules"), key)


def every_format(place: Place, to: str, *args: object) -> dict[str, bytes]:
    """One audit written in every format, with what it said on the screen."""
    out = place.folder / to
    out.mkdir()
    also = [x for f in FORMATS for x in ("--also", f"{f}={out / f}")]
    result = _run(*args, "--out", out / "first", "--timings", *also)
    assert result.exit_code == 1, result.output
    return {**{f: (out / f).read_bytes() for f in FORMATS}, "": result.output.encode()}


@pytest.fixture(scope="module")
def plain(place: Place) -> dict[str, bytes]:
    """Some record kinds, with rows that can be used and rows that cannot."""
    return every_format(place, "plain", *place.own(place.family), "--by", "subject")


@pytest.fixture(scope="module")
def hidden(place: Place) -> dict[str, bytes]:
    """The same with pseudonyms."""
    return every_format(place, "hidden", *place.own(place.family), "--by", "subject", "--pseudonymise", place.key)


@pytest.fixture(scope="module")
def shown(place: Place) -> dict[str, bytes]:
    """The same with what is personal."""
    return every_format(place, "shown", *place.own(place.family), "--by", "subject", "--personal")


@pytest.fixture(scope="module")
def of_agency(place: Place) -> dict[str, bytes]:
    """The sample agency with shipped rules, and with pseudonyms."""
    rules = shipped_rules(place.folder / "shipped")
    asked = ("audit", place.agency.folder, "--as-at", "2021-09-20", "--by", "team", "--rules", rules)
    return every_format(place, "agency-out", *asked, "--pseudonymise", place.key)


SAID = [*FORMATS, ""]


@pytest.mark.parametrize("format_", SAID)
def test_no_personal_field_is_in_an_audit(place: Place, plain: dict[str, bytes], format_: str) -> None:
    assert place.family.out(plain[format_]) == set()
    assert ID in searched(plain[format_]) or format_ == "", "ids are there, and the search finds them"


@pytest.mark.parametrize("format_", SAID)
def test_with_pseudonyms_neither_a_personal_field_nor_an_id_is_in_an_audit(
    place: Place, hidden: dict[str, bytes], format_: str
) -> None:
    assert place.family.out(hidden[format_]) == set()
    assert ID not in searched(hidden[format_])


def test_of_every_record_kind_there_is_no_personal_field_and_no_id_is_told(place: Place) -> None:
    asked = (*place.own(place.all), "--format", "json")
    told_plainly, told_of_nobody = (_run(*asked, *how).stdout for how in ((), ("--pseudonymise", place.key)))
    assert place.all.out(told_plainly.encode()) == set()
    assert place.all.out(told_of_nobody.encode()) == set()
    findings = json.loads(told_plainly)["findings"]
    assert {f["subject"]["record"] for f in findings} == planning.record_kinds().kinds.keys()
    assert ID in told_plainly
    assert ID not in told_of_nobody


@pytest.mark.parametrize("format_", SAID)
def test_neither_a_personal_field_nor_an_id_of_the_sample_agency_is_in_an_audit(
    place: Place, of_agency: dict[str, bytes], format_: str
) -> None:
    assert place.agency.out(of_agency[format_]) == set()
    found = AGENCY_IDS.findall(LOOK_ALIKE.sub("", text_of(of_agency[format_])))
    assert found == []


@pytest.mark.parametrize("format_", FORMATS)
def test_the_search_finds_what_is_personal_where_it_was_asked_for(
    place: Place, shown: dict[str, bytes], format_: str
) -> None:
    assert place.family.out(shown[format_]) != set()


def test_whoever_asks_is_shown_every_personal_field(place: Place, shown: dict[str, bytes]) -> None:
    left = place.family.words.keys() - place.family.out(shown["json"])
    assert {w for w in left if not w.endswith(MORE_THAN_TEXT)} == set()


def test_a_report_says_at_its_head_what_it_shows(shown: dict[str, bytes], hidden: dict[str, bytes]) -> None:
    for format_ in ("table", "html", "markdown", "json", ""):
        assert b"This holds personal data" in shown[format_], format_
        assert b"Ids are pseudonyms, made with the key" in hidden[format_], format_
    assert "this holds personal data" in searched(shown["xlsx"])
    assert "ids are pseudonyms, made with the key" in searched(hidden["xlsx"])
    assert b"Fields marked personal are not in this file" not in shown["html"]
    assert json.loads(shown["json"])["personal"] is True
    assert re.fullmatch(r"[0-9a-f]{8}", json.loads(hidden["json"])["pseudonyms"])


# --- the other commands ---------------------------------------------------------------------------------------------


def run_into(place: Place, *args: object) -> bytes:
    """What a command said and wrote."""
    out = place.folder / f"out-{time.monotonic_ns()}"
    out.mkdir()
    result = _run(*(str(a).replace("OUT", str(out)) for a in args))
    assert result.exit_code in (0, 1), result.output
    written = [p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()]
    return b"\n".join([result.output.encode(), *(searched(w).encode() for w in written)])


def nothing_out(place: Place, planted: Planted, content: bytes, ids: bool = False) -> None:
    assert planted.out(content) == set()
    assert ids or ID not in searched(content)


@pytest.mark.parametrize("format_", FORECAST_FORMATS)
def test_a_forecast_shows_nothing_personal_and_no_id(place: Place, format_: str) -> None:
    asked = ("forecast", place.family.folder, "--as-at", AS_AT, "--rules", place.rules, "--format", format_)
    content = run_into(place, *asked, "--out", "OUT/due", "--pseudonymise", place.key)
    nothing_out(place, place.family, content)
    assert PSEUDONYM.search(content.decode().replace("P", "p").replace("p", "P")), "something is due"


def test_a_forecast_shows_nothing_personal_without_pseudonyms(place: Place) -> None:
    asked = ("forecast", place.family.folder, "--as-at", AS_AT, "--rules", place.rules, "--timings")
    nothing_out(place, place.family, run_into(place, *asked), ids=True)


@pytest.mark.parametrize("format_", KPI_FORMATS)
def test_kpis_and_their_charts_show_nothing_personal_and_no_id(place: Place, format_: str) -> None:
    asked = ("kpi", place.family.folder, "--as-at", AS_AT, "--format", format_, "--out", "OUT/kpis")
    chart = ("--chart", "OUT/charts") if format_ == "table" else ()
    nothing_out(place, place.family, run_into(place, *asked, *chart, "--pseudonymise", place.key))


def test_the_records_of_a_kpi_show_nothing_personal_and_no_id(place: Place) -> None:
    asked = ("kpi", place.agency.folder, "--as-at", "2021-09-20", "--cases", "FOS-2", "--format", "json")
    content = run_into(place, *asked, "--pseudonymise", place.key)
    nothing_out(place, place.agency, content)
    assert AGENCY_IDS.findall(content.decode()) == []
    assert PSEUDONYM.search(content.decode())


@pytest.mark.parametrize("format_", TREND_FORMATS)
def test_a_trend_shows_nothing_personal_and_no_id(place: Place, format_: str) -> None:
    asked = (*place.own(place.family), "--every", "month", "--from", "2020-03-01", "--format", format_)
    nothing_out(place, place.family, run_into(place, *asked, "--out", "OUT/trend"))


def test_the_page_with_everything_shows_nothing_personal_and_no_id(place: Place) -> None:
    asked = ("report", place.family.folder, "--as-at", AS_AT, "--rules", place.rules, "--out", "OUT/all.html")
    nothing_out(place, place.family, run_into(place, *asked, "--pseudonymise", place.key))


def test_a_check_of_the_data_shows_nothing_personal_unless_asked(place: Place) -> None:
    check = ("data", "check", place.family.folder)
    nothing_out(place, place.family, run_into(place, *check), ids=True)
    nothing_out(place, place.family, run_into(place, *check, "--pseudonymise", place.key))
    assert place.family.out(run_into(place, *check, "--personal")) != set()


def test_a_rule_explained_for_a_record_shows_nothing_personal(place: Place) -> None:
    asked = ("rules", "explain", "all-of-child", "--record", f"{ID}-child-2-", "--data", place.family.folder)
    content = run_into(place, *asked, "--as-at", AS_AT, "--rules", place.rules)
    nothing_out(place, place.family, content, ids=True)
    assert b"name: recorded" in content


@pytest.mark.parametrize("format_", PROPOSALS)
def test_actions_proposed_show_nothing_personal_and_no_id(place: Place, hidden: dict[str, bytes], format_: str) -> None:
    findings = place.folder / "hidden" / "json"
    db = place.folder / f"plan-{format_}.sqlite"
    plan = ROOT / "fixtures" / "plans" / "sample-agency.yaml"
    who = ("--role", "registered manager", "--name", "Ada Invented", "--db", db)
    assert _run("plan", "new", plan, "--on", "2020-05-01", *who).exit_code == 0
    content = run_into(place, "plan", "propose", "--findings", findings, *who, "--format", format_, "--out", "OUT/p")
    nothing_out(place, place.family, content)
    nothing_out(place, place.family, db.read_bytes())


def test_a_plan_keeps_no_name_though_the_audit_that_it_was_proposed_from_shows_all(
    place: Place, plain: dict[str, bytes], shown: dict[str, bytes]
) -> None:
    plan, made = ROOT / "fixtures" / "plans" / "sample-agency.yaml", []
    for audit in ("plain", "shown"):
        db = place.folder / f"plan-of-{audit}.sqlite"
        who = ("--role", "registered manager", "--name", "Ada Invented", "--db", db)
        assert _run("plan", "new", plan, "--on", "2020-05-01", *who).exit_code == 0
        done = _run("plan", "propose", "--findings", place.folder / audit / "json", *who, "--format", "json")
        assert done.exit_code == 0, done.output
        assert place.family.out(db.read_bytes()) == set()
        made.append(done.stdout)
    assert made[0] == made[1]
    assert f" {ID}" in made[0], "keys are kept"


def test_messages_about_what_cannot_be_read_quote_nothing_of_it(place: Place, cli: Cli, tmp_path: Path) -> None:
    """Each of these stops a command or is told in passing; the operator's own words may be in it, a record's never."""
    word = f"{WORD}-in-an-error"
    data = tmp_path / "data"
    data.mkdir()
    good = "child_id,name,date_of_birth\n"
    written = {
        "no header": f"C1,{word},2010-01-01\nC2,{word},2010-01-01\n",
        "an open quotation mark": f'{good}C1,"{word},2010-01-01\n',
        "a quotation mark within": f'{good}\n\nC1,"{word}"{word},2010-01-01\n',
        "a cell without end": f"{good}C1,{word * 200_000},2010-01-01\n",
        "another encoding": f"{good}C1,{word}\udce9,2010-01-01\n",
        "strictly": f"{good}C1,x,{word}\n",
    }
    for what, text in written.items():
        (data / "child.csv").write_bytes(text.encode("utf-8", errors="surrogateescape"))
        for asked in (("audit", data, "--as-at", AS_AT, "--rules", place.rules, "--strict"), ("data", "check", data)):
            result = cli(*asked)
            assert word not in result.output, (what, asked)
            assert "Traceback" not in result.output


# --- pseudonyms -----------------------------------------------------------------------------------------------------


def told(place: Place, *args: object, key: Path | None = None, code: int = 1) -> dict[str, Any]:
    shown = ("--pseudonymise", key) if key else ()
    result = _run("audit", *args, "--as-at", AS_AT, "--format", "json", "--sample", 0, *shown)
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def by_row(report: dict[str, Any]) -> dict[tuple[object, ...], dict[str, Any]]:
    """Findings by what has no pseudonym: the rule, and the row of the export."""
    return {(f["rule"], f["source"]["file"], f["source"]["row"]): f for f in report["findings"]}


def test_a_pseudonym_is_what_any_program_makes_of_kind_and_id_with_the_key(
    place: Place, plain: dict[str, bytes], hidden: dict[str, bytes]
) -> None:
    secret = bytes.fromhex(place.key.read_text(encoding="ascii"))

    def pseudonym(kind: str, id_: str) -> str:
        return "P" + hmac.new(secret, f"{kind}\x1f{id_}".encode(), sha256).hexdigest()[:16]

    before, after = (by_row(json.loads(x["json"])) for x in (plain, hidden))
    assert before.keys() == after.keys()
    assert len(before) > 20
    for at, f in before.items():
        assert after[at]["subject"]["key"] == pseudonym(f["subject"]["record"], f["subject"]["key"])
        assert after[at]["fingerprint"] != f["fingerprint"]
    household = after["all-of-household", "household.csv", 3]["evidence"]
    assert household["worker_id"] == pseudonym("staff", f"{ID}-staff-1-")


def test_pseudonyms_hold_from_audit_to_audit_and_differ_by_key(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    assert _run("data", "new-key", other).exit_code == 0
    _, data, *_, rules = _never_left(tmp_path)[:6]
    first, again, others = (told(place, data, "--rules", rules, key=k) for k in (place.key, place.key, other))
    assert first["findings"] == again["findings"]
    keys = {f["subject"]["key"] for f in first["findings"]}
    assert len(keys) == 2
    assert not keys & {f["subject"]["key"] for f in others["findings"]}


def _same_day(folder: Path, n: int) -> Path:
    """People with two checks on the same day, of which the one with the greater id counts."""
    folder.mkdir()
    people = "".join(f"S{i},2019-01-01\n" for i in range(n))
    checks = "".join(f"K{i}-a,S{i},2020-01-01,enhanced\nK{i}-b,S{i},2020-01-01,basic\n" for i in range(n))
    (folder / "staff.csv").write_text(f"staff_id,started_on\n{people}", encoding="utf-8")
    (folder / "check.csv").write_text(f"check_id,staff_id,completed_on,level\n{checks}", encoding="utf-8")
    return folder


def _rule(folder: Path, id_: str, text: str) -> Path:
    pack = folder / "pack"
    pack.mkdir(parents=True, exist_ok=True)
    (pack / "pack.yaml").write_text("pack: pack\ntitle: Made up\ncases_as_at: 2020-06-01\n", encoding="utf-8")
    rest = "put_right: {within: 28 days, by: nobody, workstream: none}\nremedy: None.\n"
    head = f"id: {id_}\ntitle: Made up\ncites: [FSR-20-3-info]\nseverity: requirement\n"
    (pack / f"{id_}.yaml").write_text(head + text + rest, encoding="utf-8")
    return folder


def test_no_outcome_depends_on_whether_ids_are_pseudonyms(place: Place, tmp_path: Path) -> None:
    data = _same_day(tmp_path / "data", 40)
    rules = _rule(
        tmp_path / "rules",
        "latest",
        "record: staff\nrequire: {the last check is enhanced: latest(c for c in checks).level == 'enhanced'}\n",
    )
    _rule(
        rules,
        "previous",
        "record: staff\nrequire: {it gets better: all(c.previous.level is None or c.level == 'enhanced' for c in checks)}\n",
    )
    before, after = (by_row(told(place, data, "--rules", rules, key=k)) for k in (None, place.key))
    assert len(before) == 80
    assert before.keys() == after.keys()


def test_every_shipped_rule_comes_out_for_the_sample_agency_as_it_does_without_pseudonyms(
    place: Place, kept: Cli
) -> None:
    asked = ("audit", ROOT / "fixtures" / "agency", "--as-at", "2021-09-20", "--format", "json", "--sample", 0)
    before, after = (json.loads(kept(*asked, *more).stdout) for more in ((), ("--pseudonymise", place.key)))
    told_of = [[(r["id"], r["status"], r["outcomes"]) for r in report["rules"]] for report in (before, after)]
    assert told_of[0] == told_of[1]
    argued = [
        sorted(
            (f["rule"], f["outcome"], f["source"]["file"], f["source"]["row"], f["due_on"] or "")
            for f in report["findings"]
        )
        for report in (before, after)
    ]
    assert argued[0] == argued[1]
    assert len(argued[0]) > 200


def test_a_rule_that_reads_an_id_as_a_text_does_not_run_on_pseudonyms(place: Place, tmp_path: Path) -> None:
    data = _same_day(tmp_path / "data", 3)
    rules = _rule(tmp_path / "rules", "by-number", "record: staff\nrequire:\n  it is a T: starts_with(staff_id, 'T')\n")
    assert len(told(place, data, "--rules", rules)["findings"]) == 3
    # It is the one rule that is asked: an audit in which nothing could run.
    report = told(place, data, "--rules", rules, key=place.key, code=2)
    assert [(r["status"], r["why_not"]) for r in report["rules"]] == [
        ("could not run", "it reads staff.staff_id as a text, and pseudonyms stand for ids")
    ]


def _never_left(folder: Path) -> tuple[object, ...]:
    """A small audit with two findings."""
    (folder / "data").mkdir()
    (folder / "data" / "staff.csv").write_text("staff_id,left_on\nS0,\nS1,\n", encoding="utf-8")
    asked = "record: staff\nrequire: {it has left: left_on is not None}\nshow: [staff_id]\n"
    rules = _rule(folder / "rules", "never", asked)
    return ("audit", folder / "data", "--as-at", AS_AT, "--rules", rules, "--format", "json")


def test_pseudonymised_audits_are_held_against_each_other_and_against_no_others(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    _run("data", "new-key", other)
    asked = _never_left(tmp_path)
    key = ("--pseudonymise", place.key)
    made = {"plain": (), "keyed": key, "others": ("--pseudonymise", other)}
    files = {name: tmp_path / f"{name}.json" for name in made}
    for name, how in made.items():
        assert _run(*asked, "--out", files[name], *how).exit_code == 1
    result = _run(*asked, "--baseline", files["keyed"], *key)
    assert (result.exit_code, len(json.loads(result.stdout)["findings"])) == (0, 2), "nothing is new"
    assert json.loads(result.stdout)["previous"]["no_longer_found"] == []
    refused = [
        ((), "keyed", "its ids are pseudonyms, made with the key", "this audit has no --pseudonymise"),
        (key, "plain", "its ids are the export's own", "the key given is"),
        (key, "others", "its ids are pseudonyms, made with the key", "the key given is"),
    ]
    for how, name, *said in refused:
        result = _run(*asked, "--previous", files[name], *how)
        assert result.exit_code == 2
        assert all(s in result.stderr for s in said), result.stderr


def test_a_plan_takes_no_audit_whose_findings_have_other_names(place: Place, tmp_path: Path) -> None:
    """Or all that its actions answer would look put right."""
    asked = _never_left(tmp_path)
    for name, how in (("plain", ()), ("keyed", ("--pseudonymise", place.key))):
        assert _run(*asked, "--out", tmp_path / f"{name}.json", *how).exit_code == 1
    who = ("--role", "registered manager", "--name", "Ada Invented", "--db", tmp_path / "plan.sqlite")
    _run("plan", "new", ROOT / "fixtures" / "plans" / "sample-agency.yaml", "--on", "2020-05-01", *who)
    assert _run("plan", "propose", "--findings", tmp_path / "plain.json", *who).exit_code == 0
    result = _run("plan", "verify", "--findings", tmp_path / "keyed.json", *who)
    assert result.exit_code == 2
    assert "had the export's own ids, and this one was made with the key" in result.stderr


def test_a_risk_is_accepted_under_the_name_that_it_was_accepted_by(place: Place, tmp_path: Path) -> None:
    asked = _never_left(tmp_path)
    data = tmp_path / "data"
    key = ("--pseudonymise", place.key)
    terms = ("--reason", "None", "--legal-basis", "None", "--approved-by", "board", "--until", "2020-07-01")
    for n, how in enumerate(((), key)):
        _run(*asked, "--out", tmp_path / "f.json", *how)
        finding = json.loads((tmp_path / "f.json").read_text())["findings"][0]
        named = (tmp_path / "f.json", "never", finding["subject"]["key"])
        assert _run("waive", *named, *terms, "--to", data / "waivers.yaml").exit_code == 0
        report = json.loads(_run(*asked, *how).stdout)
        assert [w["state"] for w in report["waivers"]] == ["in force"]
        assert sum(f["waiver"] is not None for f in report["findings"]) == 1
        notes = " ".join(report["summary"]["notes"])
        assert ("1 accepted risk in waivers.yaml names records by their own ids" in notes) == (n == 1)
    assert "names records by pseudonyms, and is not applied" in _run(*asked).output


def test_what_a_waiver_rests_on_is_never_personal(place: Place, tmp_path: Path) -> None:
    asked = (*place.own(place.family), "--personal", "--format", "json", "--out", tmp_path / "f.json")
    assert _run(*asked).exit_code == 1
    fingerprint = json.loads((tmp_path / "f.json").read_text())["findings"][0]["fingerprint"]
    terms = ("--reason", "r", "--approved-by", "board", "--until", "2020-07-01", "--to", tmp_path / "w.yaml")
    result = _run("waive", tmp_path / "f.json", fingerprint, *terms)
    assert result.exit_code == 2
    assert "was made with --personal" in result.stderr
    assert not (tmp_path / "w.yaml").exists()


# --- and back -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ids(place: Place, hidden: dict[str, bytes]) -> dict[str, str]:
    """Each pseudonym's id, as the command asks for them."""
    asked = reidentifying.read(place.folder / "hidden" / "json").pseudonyms
    return reidentification.ids(Export(place.family.folder), read_key(place.key), asked)


@pytest.mark.parametrize("format_", FORMATS)
def test_the_pseudonyms_of_a_report_are_turned_back(
    place: Place, plain: dict[str, bytes], hidden: dict[str, bytes], ids: dict[str, str], format_: str, tmp_path: Path
) -> None:
    report = tmp_path / ("report.csv" if format_ == "csv" else "report.md" if format_ == "markdown" else "report")
    report.write_bytes(hidden[format_])
    content = reidentifying.read(report).turned_back(ids)
    assert not PSEUDONYM.search(searched(content).replace("p", "P"))
    named = re.compile(rf"{ID}-[\w-]*\w")
    back = set(named.findall(searched(content)))
    assert back <= set(named.findall(searched(plain["json"])))
    assert back or not reidentifying.read(report).pseudonyms


HOSTILE = '=1+"<b>&\\S'
"""An id that would be something else in most formats."""


@pytest.fixture(scope="module")
def hostile(place: Place) -> tuple[Path, Path]:
    data = place.folder / "hostile"
    data.mkdir()
    with (data / "staff.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["staff_id", "left_on", "started_on"], [HOSTILE, "", "2020-01-15"]])
    rules = _rule(
        place.folder / "hostile-rules", "never", "record: staff\nrequire: {it has left: left_on is not None}\n"
    )
    return data, _rule(rules, "due", "record: staff\ndeadline: {start: started_on, done: left_on, within: 6 months}\n")


def turned_back(place: Place, hostile: tuple[Path, Path], command: str, format_: str, to: Path) -> str:
    data, rules = hostile
    asked = (command, data, "--as-at", AS_AT, "--rules", rules, "--format", format_, "--out", to)
    _run(*asked, "--pseudonymise", place.key)
    out = to.with_suffix(f".back{to.suffix}")
    result = _run("data", "reidentify", to, "--key", place.key, "--data", data, "--out", out)
    assert result.exit_code == 0, result.output
    return out.read_bytes().decode()


def test_an_id_that_comes_back_is_written_as_its_format_writes_a_text(
    place: Place, hostile: tuple[Path, Path], tmp_path: Path
) -> None:
    back = json.loads(turned_back(place, hostile, "audit", "json", tmp_path / "a.json"))
    assert {f["subject"]["key"] for f in back["findings"]} == {HOSTILE}
    rows = list(csv.DictReader(io.StringIO(turned_back(place, hostile, "audit", "csv", tmp_path / "a.csv"))))
    assert {r["subject"] for r in rows} == {f"'{HOSTILE}"}, "no spreadsheet runs it"
    page = turned_back(place, hostile, "audit", "html", tmp_path / "a.html")
    assert "&lt;b&gt;" in page
    assert '"<b>' not in page
    embedded = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)
    assert embedded is not None
    assert HOSTILE in json.dumps(json.loads(embedded[1]), ensure_ascii=False).encode().decode("unicode_escape")
    diary = turned_back(place, hostile, "forecast", "ics", tmp_path / "a.ics")
    assert HOSTILE.replace("\\", "\\\\") in diary.replace("\r\n ", "")
    assert max(len(line.encode()) for line in diary.splitlines()) <= 75


def test_one_pseudonym_is_turned_back_by_itself(
    place: Place, hidden: dict[str, bytes], hostile: tuple[Path, Path]
) -> None:
    finding = by_row(json.loads(hidden["json"]))["all-of-household", "household.csv", 3]
    asked = ("data", "reidentify", finding["evidence"]["worker_id"], "--key", place.key)
    for exports in ([place.family.folder], [hostile[0], place.family.folder]):
        result = _run(*asked, *(x for e in exports for x in ("--data", e)))
        assert (result.exit_code, result.stdout) == (0, f"{ID}-staff-1-\n")


def test_what_cannot_be_turned_back_is_said(place: Place, hostile: tuple[Path, Path], tmp_path: Path, cli: Cli) -> None:
    report, key = tmp_path / "report.txt", tmp_path / "other.key"
    report.write_text("P0123456789abcdef\n", encoding="utf-8")
    asked = ("data", "reidentify", report, "--key", place.key, "--data", hostile[0])
    result = cli(*asked)
    assert (result.exit_code, result.stdout) == (1, "P0123456789abcdef\n")
    assert "0 of 1 pseudonym turned back" in result.stderr
    assert "Not of this key, or of no record in this export: P0123456789abcdef" in result.stderr
    assert "is the report itself" in cli(*asked, "--out", report).stderr
    result = cli("data", "reidentify", "P123", "--key", place.key, "--data", hostile[0])
    assert (result.exit_code, "There is no file P123" in result.stderr) == (2, True)
    assert not key.exists()


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path, cli: Cli) -> None:
    key = tmp_path / "k"
    before = os.umask(0)
    try:
        assert cli("data", "new-key", key).exit_code == 0
    finally:
        os.umask(before)
    content = key.read_text(encoding="ascii")
    assert (stat.S_IMODE(key.stat().st_mode), len(bytes.fromhex(content))) == (0o600, 32)
    result = cli("data", "new-key", key)
    assert (result.exit_code, key.read_text(encoding="ascii")) == (2, content)
    assert "There is a file" in result.stderr
    assert cli("data", "new-key", tmp_path / "no" / "k").exit_code == 2


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("ab" * 31, 0o600, "is no key: a key is 64 hexadecimal digits"),
        ("secret", 0o600, "is no key"),
        ("ab" * 32, 0o640, "others can read it"),
        (None, 0o600, "There is no key"),
    ],
)
def test_a_key_that_is_none_or_no_secret_is_refused(
    place: Place, tmp_path: Path, cli: Cli, content: str | None, mode: int, said: str
) -> None:
    key = tmp_path / "k"
    if content is not None:
        key.write_text(content, encoding="ascii")
        key.chmod(mode)
    result = cli(*place.own(place.family), "--pseudonymise", key)
    assert result.exit_code == 2
    assert said in result.stderr
    assert content is None or content not in result.output


def test_a_file_that_is_much_too_large_for_a_key_is_not_read(place: Place, tmp_path: Path, cli: Cli) -> None:
    key = tmp_path / "k"
    with key.open("wb") as file:
        file.truncate(1 << 43)  # which takes no room
    key.chmod(0o600)
    result = cli(*place.own(place.family), "--pseudonymise", key)
    assert (result.exit_code, "is no key" in result.stderr) == (2, True), result.output


def test_pseudonyms_and_what_is_personal_are_not_asked_for_together(place: Place, cli: Cli, tmp_path: Path) -> None:
    both = ("--personal", "--pseudonymise", place.key)
    page = ("report", place.family.folder, "--as-at", AS_AT, "--out", tmp_path / "x.html")
    for asked in (place.own(place.family), ("forecast", *place.own(place.family)[1:]), page):
        result = cli(*asked, *both)
        assert (result.exit_code, "give one of them" in result.stderr) == (2, True)
    with_plan = cli(*page, "--pseudonymise", place.key, "--db", tmp_path / "plan.sqlite")
    assert (with_plan.exit_code, "it goes with no --pseudonymise" in with_plan.stderr) == (2, True)


# --- files ----------------------------------------------------------------------------------------------------------


def test_every_file_with_case_data_is_its_owners_alone(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the user's own files are readable by."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    data = place.family.folder
    day, rules = ("--as-at", AS_AT), ("--rules", place.rules)
    who = ("--role", "registered manager", "--name", "Ada Invented", "--db", "plan.sqlite")
    made = (
        (
            "audit",
            data,
            *day,
            *rules,
            "--format",
            "json",
            "--out",
            "f.json",
            *(x for f in FORMATS for x in ("--also", f"{f}=a.{f}")),
        ),
        (
            "audit",
            data,
            *day,
            *rules,
            "--every",
            "month",
            "--from",
            "2020-03-01",
            "--format",
            "csv",
            "--out",
            "trend.csv",
        ),
        ("forecast", data, *day, *rules, "--format", "ics", "--out", "due.ics"),
        ("kpi", data, *day, "--out", "kpis.txt", "--chart", "charts"),
        ("audit", data, *day, *rules, "--pseudonymise", place.key, "--out", "hidden.txt"),
        ("data", "reidentify", "hidden.txt", "--key", place.key, "--data", data, "--out", "back.txt"),
        ("data", "template", "template"),
        ("plan", "new", ROOT / "fixtures" / "plans" / "sample-agency.yaml", "--on", "2020-05-01", *who),
        ("plan", "propose", "--findings", "f.json", *who, "--out", "proposed.txt"),
        ("plan", "export", "--db", "plan.sqlite", "--format", "jsonl", "--out", "plan.jsonl"),
    )
    before = os.umask(0)
    try:
        for args in made:
            result = _run(*args)
            assert result.exit_code in (0, 1), (args, result.output)
    finally:
        os.umask(before)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) > 20
    assert [p for p in files if stat.S_IMODE(p.stat().st_mode) & 0o077] == []
    assert [p for p in (tmp_path / "cache").rglob("*") if p.is_dir() and stat.S_IMODE(p.stat().st_mode) & 0o077] == []


def test_what_is_kept_of_a_plan_of_rules_is_not_used_for_whoever_asks_otherwise(place: Place) -> None:
    """A cached plan shows what is personal, or not."""
    asked = (*place.own(place.family), "--format", "json")
    for personal in (("--personal",), (), ("--personal",), ()):
        content = _run(*asked, *personal).stdout.encode()
        assert bool(place.family.out(content)) == bool(personal)


def test_duplicates_are_planted_too(place: Place) -> None:
    assert any(w.endswith(DUPLICATE) for w in place.family.words)
