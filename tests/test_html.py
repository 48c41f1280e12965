"""The HTML report in a real browser: what it says, that it can be used by anybody, and that nothing leaves it or runs in it."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import report_fixture
from browser import DESKTOP, PHONE, REFLOW, chromium, opened
from click.testing import Result
from conftest import ROOT, _run
from playwright.sync_api import Browser, Page
from python_calamine import CalamineWorkbook

pytestmark = pytest.mark.xdist_group("browser")

AGENCY = ROOT / "fixtures" / "agency"
AS_AT = "2021-09-20"
N = (AGENCY / "ANSWERS.yaml").read_text(encoding="utf-8").count("\n- rule: ")
"""Findings in the sample agency."""
REQUIREMENTS = 144
Kept = Callable[..., Result]

HOSTILE = "</script><script>alert('ran')</script><img src=x onerror=alert('ran')>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample agency's audit."""
    path = tmp_path_factory.mktemp("html") / "report.html"
    result = _run("audit", AGENCY, "--as-at", AS_AT, "--format", "html", "--out", path, "--exit-zero")
    assert result.exit_code == 0, result.stderr
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export, and rules, in which every text that a report may show tries to run; one rule cannot run."""
    folder = tmp_path_factory.mktemp("hostile")
    data, pack = folder / "data <b>", folder / "rules" / "pack"
    data.mkdir()
    pack.mkdir(parents=True)
    rows = [["staff_id", "role", "started_on", "team"], [f"S1 {HOSTILE}", HOSTILE, "2020-01-01", HOSTILE]]
    rows += [[f"S{n}", HOSTILE, HOSTILE, "North"] for n in range(2, 5)]
    with (data / "staff.csv").open("w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows(rows)
    (pack / "pack.yaml").write_text("pack: pack\ntitle: Made up\ncases_as_at: 2021-09-20\n", encoding="utf-8")
    for name, record, condition in (
        ("stays", "staff", "team is None"),
        ("lacks", "household", "approved_on is not None"),
    ):
        rule = {
            "id": name,
            "title": f"Title {HOSTILE}",
            "cites": ["FSR-28-12"],
            "record": record,
            "require": {f"label {HOSTILE}": condition},
            "severity": "requirement",
            "put_right": {"within": "7 days", "by": f"by {HOSTILE}", "workstream": "safer-recruitment"},
            "remedy": f"Remedy {HOSTILE}",
            "note": f"Note {HOSTILE}",
        }
        if record == "staff":
            rule["show"] = ["role", "started_on"]
        (pack / f"{name}.yaml").write_text(json.dumps(rule), encoding="utf-8")
    path = folder / "report.html"
    result = _run(
        "audit", data, "--rules", folder / "rules", "--as-at", AS_AT, "--format", "html", "--out", path, "--exit-zero"
    )
    assert result.exit_code == 0, result.stderr
    return path


@pytest.fixture(scope="module")
def findings() -> list[dict[str, Any]]:
    """What the page must agree with."""
    result = _run("audit", AGENCY, "--as-at", AS_AT, "--format", "json", "--by", "team", "--exit-zero")
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def shown(page: Page) -> str:
    return page.locator("#shown").inner_text()


def wait_for(page: Page, text: str) -> None:
    page.wait_for_function("t => document.getElementById('shown').textContent.includes(t)", arg=text)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample agency's audit, forecast, KPIs and plan on one page."""
    folder = tmp_path_factory.mktemp("whole")
    plan = ROOT / "fixtures" / "plans" / "fostering-2021.yaml"
    who = ("--role", "registered manager", "--name", "a test")
    assert _run("plan", "new", plan, *who, "--on", "2021-09-01", "--db", folder / "p.sqlite").exit_code == 0
    result = _run("report", AGENCY, "--as-at", AS_AT, "--db", folder / "p.sqlite", "--out", folder / "report.html")
    assert result.exit_code == 0, result.stderr
    return folder / "report.html"


# --- nothing leaves it, nothing runs in it ---


def test_the_page_asks_for_nothing_and_its_policy_allows_nothing(browser: Browser, report: Path) -> None:
    with opened(browser, report) as o:
        o.page.locator(".opens").first.click()
        assert o.requests == [report.as_uri()]
        assert o.messages == []
        # The policy is there and holds: neither a request nor a style nor a script of somebody else's gets through.
        refused = o.page.evaluate(
            """async () => {
              const said = [];
              document.addEventListener('securitypolicyviolation', (e) => said.push(e.effectiveDirective));
              await fetch('https://example.invalid/').catch(() => 0);
              const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);
              const i = document.createElement('img'); i.src = 'https://example.invalid/x.png'; document.body.append(i);
              document.body.setAttribute('style', 'color: red');
              await new Promise((r) => setTimeout(r, 200));
              return [said.sort(), window.ran];
            }"""
        )
        assert refused == [["connect-src", "img-src", "script-src-elem", "style-src-attr"], None]


def test_what_stands_in_the_data_is_shown_and_never_run(browser: Browser, hostile: Path) -> None:
    with opened(browser, hostile) as o:
        assert o.page.evaluate("document.documentElement.dataset.ready") == "yes"
        for button in o.page.locator(".opens").all():
            button.click()
        o.page.locator("#f-q").fill(HOSTILE)
        o.page.wait_for_timeout(300)
        assert o.messages == []
        assert o.page.locator("img, main script").count() == 0
        assert HOSTILE in o.page.locator("#rows").inner_text()
        assert HOSTILE in o.page.locator("#f-team").inner_text()


def test_the_same_input_gives_the_same_bytes_for_its_owner_alone(report: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.html"
    _run("audit", AGENCY, "--as-at", AS_AT, "--format", "html", "--out", again, "--exit-zero", "--threads", "2")
    assert again.read_bytes() == report.read_bytes()
    assert again.stat().st_mode & 0o077 == 0


# --- what it says ---


def test_the_page_holds_every_finding_with_its_argument_team_and_source(
    report: Path, findings: list[dict[str, Any]]
) -> None:
    text = report.read_text(encoding="utf-8")
    embedded = re.search(r'<script type="application/json" id="findings-data">(.*?)</script>', text, re.DOTALL)
    assert embedded is not None
    data = json.loads(embedded[1])

    def told(f: list[Any]) -> tuple[object, ...]:
        rule = data["rules"][f[0]]
        outcome = "not_evidenced" if f[1] else "breach"
        # The page calls what is evidence by its titles, and tells long times in months and years.
        return (
            rule["id"], rule["part"] or None, outcome, f[2], tuple(data["causes"][f[4]][0]), tuple(f[5]),
            len(data["names"][f[6]]), data["files"][f[8]], f[9], f[10], bool(f[11]), data["teams"][f[13]],
        )  # fmt: skip

    expected = Counter(
        (
            f["rule"], f["subject"]["part"], f["outcome"], f["subject"]["key"], tuple(f["failed"]),
            tuple(f["missing"]), len(f["evidence"]), f["source"]["file"],
            f["source"]["row"], f["due_on"] or "", bool(f["late"]), f["group"],
        )
        for f in findings
    )  # fmt: skip
    assert Counter(told(f) for f in data["findings"]) == expected
    # The record that came nearest follows the argument, with its place inside.
    arguments = sorted(f[3] for f in data["findings"])
    for said, f in zip(arguments, sorted(findings, key=lambda f: f["argument"]), strict=True):
        assert said.startswith(f["argument"]), (said, f["argument"])


SEVERAL = "No criminal record certificate of the right level before the first day"
"""A cause of several findings."""


def test_causes_count_every_finding_once_and_lead_to_exactly_these(browser: Browser, report: Path) -> None:
    with opened(browser, report) as o:
        total = sum(int(t.replace(",", "")) for t in o.page.locator(".cause .how-many").all_text_contents())
        folded = re.search(r"([\d,]+) findings under a standard repeat", o.page.locator("#first").inner_text())
        assert folded and int(folded[1]) > 0
        assert total + int(folded[1]) == N
        cause = o.page.locator(".cause", has_text=SEVERAL).first
        cause.locator("summary").click()
        cause.locator("a").click()
        wait_for(o.page, "Findings 1 to 2 of 2 that match")
        titles = set(o.page.locator(".opens").all_inner_texts())
        assert titles == {SEVERAL}
        assert o.page.locator("#cause-chosen").is_visible()
        o.page.locator("#cause-chosen button").click()
        wait_for(o.page, f"of {N}.")


def test_regulations_say_what_is_breached_not_shown_attested_and_met(browser: Browser, report: Path) -> None:
    with opened(browser, report) as o:
        rows = {
            r[0]: r[1:]
            for r in o.page.evaluate(
                "[...document.querySelectorAll('.law tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))"
            )
        }
    head = ["standing", "findings", "breached", "not evidenced", "met", "attested", "nothing to look at", "left out"]
    assert all(len(r) == len(head) for r in rows.values())
    notifications = dict(zip(head, rows["Fostering Regulations 2011, reg 36"], strict=True))
    assert notifications["standing"] == "✕ Breached"
    assert int(notifications["findings"]) > 10
    assert dict(zip(head, rows["Care Planning Regulations 2010, reg 7"], strict=True))["standing"] == "✓ Attested"
    assert sum(int(r[1].replace("–", "0")) for r in rows.values()) == N


def test_what_could_not_run_is_told_first_and_never_counts_as_met(browser: Browser, hostile: Path) -> None:
    with opened(browser, hostile) as o:
        assert "This audit is not complete." in o.page.locator("#summary").inner_text()
        standings = Counter(o.page.locator(".law .standing").all_inner_texts())
        assert standings == {"✕ Breached": 1}
        assert int(o.page.locator(".law tbody td").nth(3).inner_text()) == 1
        assert o.page.locator("#data tbody tr").first.is_visible()


def test_an_opened_finding_says_what_why_whereof_and_what_then(browser: Browser, report: Path) -> None:
    with opened(browser, report, at="#findings?q=child-death-not-notified&subject=NE0016") as o:
        button = o.page.locator(".opens").first
        assert button.get_attribute("aria-expanded") == "false"
        button.focus()
        o.page.keyboard.press("Enter")
        assert button.get_attribute("aria-expanded") == "true"
        told = o.page.locator(".detail").inner_text()
        for part in (
            "otice due 1 March 2016 (1 day after the day the service learned of it, 29 February 2016; reg 36(1)); none recorded",
            "What does not hold",
            "CB_Notifiable_event.csv, row 17",
            "must be done within",
            "FSR-36-1 · statute · confidence",
            "Putting it right",
        ):
            assert part in told, part
        o.page.keyboard.press("Enter")
        assert o.page.locator(".detail").count() == 0


# --- sorted, filtered, searched, by keyboard, with the address saying so ---


def test_filters_are_in_the_address_and_come_back_from_it(
    browser: Browser, report: Path, findings: list[dict[str, Any]]
) -> None:
    wanted = [f for f in findings if f["severity"] == "requirement" and f["group"] == "Eastbrook"]
    late = [f for f in wanted if f["due_on"] and f["due_on"] <= AS_AT]
    assert len(wanted) > len(late) > 0
    with opened(browser, report) as o:
        o.page.locator("#f-severity").select_option("requirement")
        o.page.locator("#f-team").select_option("Eastbrook")
        wait_for(o.page, f"of {len(wanted)} that match")
        o.page.locator("#f-due").select_option("passed")
        wait_for(o.page, f"of {len(late)} that match")
        assert o.page.evaluate("location.hash") == "#findings?severity=requirement&team=Eastbrook&due=passed"
    with opened(
        browser, report, at="#findings?severity=requirement&team=Eastbrook&due=passed&sort=subject&dir=desc"
    ) as o:
        assert f"of {len(late)} that match" in shown(o.page)
        assert o.page.locator("#f-team").input_value() == "Eastbrook"
        assert o.page.locator("th[aria-sort=descending]").inner_text() == "About"
        o.page.locator("button[type=reset]").click()
        wait_for(o.page, f"of {N}.")
        assert o.page.evaluate("location.hash") == "#findings?sort=subject&dir=desc"


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("outcome", lambda f: f["outcome"]),
        ("workstream", lambda f: f["workstream"]),
        ("severity", lambda f: f["severity"]),
        ("team", lambda f: f["group"]),
    ],
)
def test_each_filter_shows_what_it_counts(
    browser: Browser, report: Path, findings: list[dict[str, Any]], name: str, of: Callable[[dict[str, Any]], str]
) -> None:
    with opened(browser, report) as o:
        select = o.page.locator(f"#f-{name}")
        offered = select.evaluate("s => [...s.options].slice(1).map(o => [o.value, o.textContent])")
        counted = {v: int(re.findall(r"\((\d+)\)$", said)[0]) for v, said in offered}
        assert counted == Counter(of(f) for f in findings)
        for value, n in list(counted.items())[:4]:
            select.select_option(value)
            wait_for(o.page, f"of {n} that match")


def test_everything_works_by_keyboard_alone(browser: Browser, report: Path) -> None:
    with opened(browser, report) as o:
        keyboard = o.page.keyboard
        keyboard.press("Tab")
        assert o.page.evaluate("document.activeElement.textContent") == "Skip to the report"
        assert o.page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
        o.page.locator("#f-q").focus()
        keyboard.type("NE0016 clinical")
        wait_for(o.page, "that match")
        assert o.page.locator(".opens").count() == int(re.findall(r"of (\d+) that", shown(o.page))[0]) > 0
        keyboard.press("ControlOrMeta+a")
        keyboard.press("Delete")
        # What was typed last counts, however soon the next thing is done.
        o.page.locator("th[data-sort=on] button").focus()
        keyboard.press("Enter")
        keyboard.press("Space")
        assert o.page.locator("th[aria-sort=descending]").inner_text() == "Put right by"
        dates = o.page.evaluate(
            "[...document.querySelectorAll('td[data-label=\"Put right by\"]')].map(d => Date.parse(d.innerText.split('\\n')[0]))"
        )
        assert dates == sorted(dates, reverse=True)
        assert len(set(dates)) > 1
        o.page.locator("#next").focus()
        keyboard.press("Enter")
        assert shown(o.page) == f"Findings 51 to 100 of {N}."
        assert "page=2" in o.page.evaluate("location.hash")
        assert o.page.evaluate("document.activeElement.id") == "next"


def test_tab_walks_through_everything_in_order_and_shows_where_it_is(browser: Browser, report: Path) -> None:
    with opened(browser, report) as o:
        n = o.page.evaluate(
            """() => {
              window.stops = [...document.querySelectorAll('a[href], button:enabled, input, select, summary, [tabindex="0"]')]
                .filter((e) => e.checkVisibility());
              return stops.length;
            }"""
        )
        assert n > 100
        for i in range(n):
            o.page.keyboard.press("Tab")
            at, outlined, seen = o.page.evaluate(
                """() => {
                  const e = document.activeElement, box = e.getBoundingClientRect();
                  return [stops.indexOf(e), parseFloat(getComputedStyle(e).outlineWidth) >= 2, box.bottom > 0 && box.top < innerHeight];
                }"""
            )
            assert (at, outlined, seen) == (i, True, True), o.page.evaluate("document.activeElement.outerHTML")[:200]


def test_a_cause_leads_by_keyboard_to_its_findings_and_on(browser: Browser, report: Path) -> None:
    with opened(browser, report) as o:
        keyboard, cause = o.page.keyboard, o.page.locator(".cause", has_text=SEVERAL).first
        cause.locator("summary").focus()
        keyboard.press("Enter")
        keyboard.press("Tab")
        keyboard.press("Enter")
        o.page.wait_for_function("document.activeElement.id === 'findings-h'")
        number = int(cause.locator(".how-many").inner_text())
        assert o.page.locator(".opens").count() == number > 1
        for _ in range(60):
            keyboard.press("Tab")
            if o.page.evaluate("document.activeElement.className") == "opens":
                break
        keyboard.press("Space")
        assert o.page.locator(".detail").count() == 1


def test_an_address_that_makes_no_sense_shows_everything(browser: Browser, report: Path) -> None:
    with opened(browser, report, at="#findings?cause=zz&sort=__proto__&page=-9&due=constructor") as o:
        assert shown(o.page) == f"Findings 1 to 50 of {N}."
        assert o.messages == []


def test_without_the_script_the_summary_causes_and_first_findings_are_there(browser: Browser, report: Path) -> None:
    with opened(browser, report, script=False) as o:
        assert f"{N} findings" in o.page.locator("#summary").inner_text()
        assert o.page.locator("#rows tr").count() == 50
        assert o.page.locator("#rows .said").first.is_visible()
        assert not o.page.locator("#filters").is_visible()
        assert "JavaScript" in shown(o.page)


# --- for everybody ---


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_axe_finds_nothing_wrong_whatever_is_chosen(
    browser: Browser, report: Path, size: tuple[int, int], scheme: str
) -> None:
    with opened(browser, report, size, scheme) as o:
        for chosen in ("severity=requirement&sort=subject&dir=desc&page=2", "q=nothing-has-this-word", "cause=0"):
            o.page.evaluate(f"location.hash = '#findings?{chosen}'")
            o.page.wait_for_function("c => location.hash.endsWith(c)", arg=chosen)
            for button in o.page.locator(".opens").all()[:1]:
                button.click()
            assert o.axe("#findings") == [], chosen


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark"), (REFLOW, "light")])
def test_axe_finds_nothing_wrong_with_a_plan_alone(
    browser: Browser, plan: Path, size: tuple[int, int], scheme: str
) -> None:
    with opened(browser, plan, size, scheme) as o:
        assert o.axe() == []
        assert o.page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_the_page_reflows_at_320_pixels(browser: Browser, report: Path) -> None:
    with opened(browser, report, REFLOW) as o:
        o.page.locator(".opens").first.click()
        o.page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        assert o.page.evaluate("document.documentElement.scrollWidth") <= REFLOW[0]


def test_headings_go_down_one_level_at_a_time(browser: Browser, report: Path) -> None:
    with opened(browser, report) as o:
        o.page.locator(".opens").first.click()
        levels = o.page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def printed(page: Page, *, parts: str = "h2") -> list[str]:
    """What of the page is on paper."""
    return [h.inner_text() for h in page.locator(parts).all() if h.is_visible()]


def test_a_summary_is_printed_and_findings_only_if_chosen(browser: Browser, report: Path) -> None:
    with opened(browser, report) as o:
        o.page.emulate_media(media="print")
        before, after = "dispatchEvent(new Event('beforeprint'))", "dispatchEvent(new Event('afterprint'))"
        o.page.evaluate(before)
        assert {"What to fix first", "By regulation", "Every rule"} <= set(printed(o.page))
        assert not o.page.locator("#table").is_visible()
        assert f"Not printed: {N} findings" in shown(o.page)
        assert not o.page.locator("#filters").is_visible()
        assert o.page.locator(".cause .name").first.is_visible()
        assert not o.page.locator(".cause .inside").first.is_visible()
        o.page.evaluate(after)
        o.page.evaluate("location.hash = '#findings?severity=requirement'")
        wait_for(o.page, f"{REQUIREMENTS} that match")
        o.page.evaluate(before)
        assert o.page.locator("#rows tr").count() == REQUIREMENTS
        assert o.page.locator("#rows .said").first.is_visible()
        assert shown(o.page) == f"{REQUIREMENTS} of {N} findings (Severity: Requirement)."
        assert "By regulation" in printed(o.page)
        o.page.evaluate(after)
        assert o.page.locator("#rows tr").count() == 50


def test_the_button_prints_the_findings_and_nothing_else(browser: Browser, report: Path) -> None:
    with opened(browser, report) as o:
        # The dialogue is the system's; all that is told of it here is when it opens.
        o.page.evaluate("window.print = () => { dispatchEvent(new Event('beforeprint')); }")
        button = o.page.get_by_role("button", name="Print these findings")
        button.focus()
        o.page.keyboard.press("Enter")
        o.page.emulate_media(media="print")
        assert printed(o.page) == ["Findings"]
        assert o.page.locator("#rows tr").count() == N
        assert shown(o.page) == f"{N} findings."
        o.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert "Every rule" in printed(o.page)


def test_what_is_open_is_printed(browser: Browser, whole: Path) -> None:
    with opened(browser, whole) as o:
        o.page.locator(".cause summary").first.click()
        o.page.locator(".timeline summary").first.click()
        o.page.locator(".card summary").first.click()
        o.page.emulate_media(media="print")
        o.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        for part, n in ((".cause .inside", 1), (".timeline table", 1), (".card", 1), (".workstream", 0)):
            assert sum(x.is_visible() for x in o.page.locator(part).all()) == n, part
        # Every KPI stands in the table that only paper has, and "Each workstream" heads nothing.
        assert o.page.locator(".on-paper tbody tr").count() == o.page.locator(".card").count()
        assert all(r.is_visible() for r in o.page.locator(".on-paper tbody tr").all())
        assert "Each workstream" not in printed(o.page, parts="h3")


def test_the_whole_prints_on_ten_pages_of_a4(browser: Browser, whole: Path) -> None:
    with opened(browser, whole) as o:
        paper = o.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type */Page\b", paper)) <= 10
    width, height = re.findall(rb"/MediaBox *\[0 0 ([\d.]+) ([\d.]+)\]", paper)[0]
    assert (round(float(width)), round(float(height))) == (595, 842)


def test_nothing_found_is_said_with_how_much_was_looked_at(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "clean.html"
    _run("audit", ROOT / "fixtures" / "clean", "--as-at", AS_AT, "--rule", "staff-references-incomplete",
         "--format", "html", "--out", path)  # fmt: skip
    with opened(browser, path) as o:
        assert "No findings under the 1 rule that ran" in o.page.locator("#summary").inner_text()
        assert o.page.locator("#findings").count() == 0
        assert o.messages == []
        assert o.axe() == []


# --- everything on one page ---


def test_one_page_holds_the_audit_what_falls_due_the_kpis_and_the_plan(
    browser: Browser, whole: Path, kept: Kept
) -> None:
    due = json.loads(kept("forecast", AGENCY, "--as-at", AS_AT, "--format", "json").stdout)
    kpis = json.loads(kept("kpi", AGENCY, "--as-at", AS_AT, "--format", "json").stdout)["kpis"]
    with opened(browser, whole) as o:
        assert o.messages == []
        assert o.requests == [whole.as_uri()]
        assert f"{N} findings" in o.page.locator("#summary").inner_text()
        weeks = Counter(
            {
                t.split("\n")[0].removeprefix("Week of "): int(re.findall(r"([\d,]+) due", t)[0].replace(",", ""))
                for t in o.page.locator(".timeline summary").all_inner_texts()
            }
        )
        assert weeks.total() == len(due["due"]) > 500
        assert o.page.locator(".timeline tbody tr").count() == len(due["due"])
        cards = o.page.locator(".card")
        assert cards.count() == len(kpis)
        shown_as = {c.locator(".code").inner_text(): c for c in cards.all()}
        for kpi in kpis:
            card = shown_as[kpi["code"]]
            if kpi["status"]:
                assert kpi["status"].capitalize() in card.locator(".judged").inner_text()
            if kpi["value"] is not None and kpi["unit"] == "percent":
                assert f"{kpi['value']:.1f} %" in card.locator(".value").inner_text()
        assert o.page.locator(".chart svg[role=img]").count() == len(kpis)
        assert o.page.locator(".workstream").count() == 7
        o.page.locator(".workstream summary").first.click()
        assert "WS1.1" in o.page.locator(".workstream").first.inner_text()


def test_every_card_shows_the_course_of_its_values(browser: Browser, whole: Path, kept: Kept) -> None:
    """One mark for every value, a bar where it is not certain; what has none leaves a gap."""
    kpis = json.loads(kept("kpi", AGENCY, "--as-at", AS_AT, "--format", "json").stdout)["kpis"]
    with opened(browser, whole) as o:
        cards = {c.locator(".code").inner_text(): c for c in o.page.locator(".card").all()}
        for kpi in kpis:
            points = [(p["low"], p["high"]) for p in kpi["history"]]
            certain = sum(low is not None and low == high for low, high in points)
            lines = [line.get_attribute("points") or "" for line in cards[kpi["code"]].locator("polyline").all()]
            on_lines = {at for line in lines for at in line.split()}
            dots = cards[kpi["code"]].locator(".course circle")
            at_dots = {f"{d.get_attribute('cx')},{d.get_attribute('cy')}" for d in dots.all()}
            assert len(on_lines | at_dots) == certain, kpi["code"]
            bars = cards[kpi["code"]].locator(".course line").count()
            assert bars == sum(low is not None and low != high for low, high in points), kpi["code"]


def test_charts_keep_their_look_without_styles_in_their_elements(browser: Browser, whole: Path) -> None:
    text = whole.read_text(encoding="utf-8")
    assert " style=" not in text
    with opened(browser, whole) as o:
        o.page.locator(".card summary").first.click()
        fills = o.page.evaluate(
            "[...new Set([...document.querySelectorAll('.chart svg path')].map(p => getComputedStyle(p).stroke))]"
        )
        assert len(fills) > 3


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_axe_finds_nothing_wrong_on_the_whole(
    browser: Browser, whole: Path, size: tuple[int, int], scheme: str
) -> None:
    with opened(browser, whole, size, scheme) as o:
        o.page.locator(".opens").first.click()
        # Of weeks and of causes, which are all alike, the first ones: axe would look at ten thousand cells.
        alike = ".timeline li:nth-child(n+3) details, .more .cause"
        o.page.evaluate(
            "a => { for (const d of document.querySelectorAll('details')) d.open = !d.matches(a); }", arg=alike
        )
        assert o.axe() == []
        assert o.page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_long_lists_of_what_falls_due_are_cut_and_say_so(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compliance.report.html.ahead.MOST_A_WEEK", 5)
    monkeypatch.setattr("compliance.report.html.ahead.MOST_PEOPLE", 3)
    due = json.loads(kept("forecast", AGENCY, "--as-at", AS_AT, "--format", "json").stdout)["due"]
    _run("forecast", AGENCY, "--as-at", AS_AT, "--format", "html", "--out", tmp_path / "due.html")
    text = (tmp_path / "due.html").read_text(encoding="utf-8")
    weeks = [
        w for w in re.findall(r"<li>(.*?)</li>", text[text.index('class="timeline"') :], re.DOTALL) if "<table" in w
    ]
    listed = [w.count("<tr>") - 1 for w in weeks]
    more = [int(n.replace(",", "")) for w in weeks for n in re.findall(r"And ([\d,]+) more: compliance forecast", w)]
    assert max(listed) == 5
    assert sum(listed) + sum(more) == len(due)
    people = {d["responsible"]["staff"] or d["responsible"]["role"] for d in due}
    assert f"And {len(people) - 3} others: compliance forecast says" in text


def test_kpis_and_a_forecast_are_pages_of_their_own(browser: Browser, tmp_path: Path) -> None:
    for command, part in (("kpi", "#kpis"), ("forecast", "#ahead")):
        path = tmp_path / f"{command}.html"
        assert _run(command, AGENCY, "--as-at", AS_AT, "--format", "html", "--out", path).exit_code == 0
        with opened(browser, path) as o:
            assert o.page.locator(part).is_visible()
            assert o.page.locator("main section").count() == 1
            assert o.messages == []


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan alone."""
    folder = tmp_path_factory.mktemp("plan")
    its = ROOT / "fixtures" / "plans" / "fostering-2021.yaml"
    assert (
        _run("plan", "new", its, "--role", "r", "--name", "n", "--on", AS_AT, "--db", folder / "p.sqlite").exit_code
        == 0
    )
    result = _run("plan", "report", "page", "--format", "html", "--as-at", "2022-02-23", "--db", folder / "p.sqlite",
                  "--out", folder / "plan.html")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return folder / "plan.html"


def test_a_plan_is_a_page_of_its_own_with_every_action(browser: Browser, plan: Path) -> None:
    listed = json.loads(_run("plan", "list", "--db", plan.with_name("p.sqlite"), "--as-at", "2022-02-23",
                             "--format", "json").stdout)["actions"]  # fmt: skip
    assert plan.stat().st_mode & 0o077 == 0
    with opened(browser, plan) as o:
        assert o.page.title() == "Improvement plan: Fostering improvement plan, 23 February 2022"
        assert o.page.locator("main section").count() == 1
        assert o.messages == []
        assert o.requests == [plan.as_uri()]
        shown_ids = set(o.page.locator(".workstream tbody th").all_inner_texts())
        assert {a["id"] for a in listed} <= shown_ids
        assert "finding" not in o.page.locator("footer").inner_text()


def test_a_plan_that_had_not_begun_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    plan = ROOT / "fixtures" / "plans" / "fostering-2021.yaml"
    _run("plan", "new", plan, "--role", "r", "--name", "n", "--on", "2021-12-01", "--db", tmp_path / "p.sqlite")
    result = _run("report", AGENCY, "--as-at", AS_AT, "--db", tmp_path / "p.sqlite", "--out", tmp_path / "r.html")
    assert result.exit_code == 2
    assert "begins on 2021-12-01" in result.stderr
    assert not (tmp_path / "r.html").exists()


# --- findings and the actions that answer them ---


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Findings of 15 members of staff, with names, and a plan: one action proposed for 14 of them, one of its own for the rule."""
    folder = tmp_path_factory.mktemp("answered")
    data, pack, db = folder / "data", folder / "rules" / "pack", folder / "p.sqlite"
    data.mkdir()
    pack.mkdir(parents=True)
    rows = [
        ["staff_id", "name", "role", "team"],
        *([f"S{n:02}", f"Nobody Number{n}", "", "North"] for n in range(1, 16)),
    ]
    rows[15][2] = "panel adviser"
    with (data / "staff.csv").open("w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows(rows)
    (pack / "pack.yaml").write_text("pack: pack\ntitle: Made up\ncases_as_at: 2021-09-20\n", encoding="utf-8")
    for name, condition in (("no-role", "role is not None"), ("in-the-north", "team != 'North'")):
        rule = {
            "id": name,
            "title": f"Title of {name}",
            "cites": ["FSR-28-12"],
            "record": "staff",
            "require": {"it is so": condition},
            "severity": "requirement",
            "put_right": {"within": "7 days", "by": "registered manager", "workstream": "safer-recruitment"},
            "remedy": "Mend it.",
        }
        (pack / f"{name}.yaml").write_text(json.dumps(rule), encoding="utf-8")
    plan = {"plan": "small", "title": "A small plan", "workstreams": [
        {"id": "A", "title": "All of it", "takes": ["safer-recruitment"],
         "actions": [{"id": "A1", "text": "Ask them all", "answers": ["in-the-north"]}]}]}  # fmt: skip
    (folder / "plan.yaml").write_text(json.dumps(plan), encoding="utf-8")
    who = ("--role", "registered manager", "--name", "a test", "--db", db)
    asked = (data, "--rules", folder / "rules", "--as-at", AS_AT, "--personal")
    for command in (
        ("audit", *asked, "--format", "json", "--out", folder / "f.json", "--exit-zero"),
        ("plan", "new", folder / "plan.yaml", "--on", "2021-09-01", *who),
        ("plan", "propose", "--findings", folder / "f.json", *who),
        ("report", *asked, "--db", db, "--out", folder / "report.html"),
        ("report", *asked, "--db", db, "--out", folder / "report.xlsx"),
        ("plan", "report", "page", "--as-at", AS_AT, "--db", db, "--out", folder / "plan.html"),
    ):
        result = _run(*command)
        assert result.exit_code == 0, result.output
    return folder / "report.html"


def test_a_finding_leads_to_its_action_and_an_action_to_its_findings_by_keyboard(
    browser: Browser, answered: Path
) -> None:
    with opened(browser, answered) as o:
        o.page.locator("#f-q").fill("no-role S03")
        wait_for(o.page, "1 that match")
        o.page.locator(".opens").focus()
        o.page.keyboard.press("Enter")
        action = o.page.locator(".detail dd a")
        assert action.inner_text() == "A-a1"
        action.focus()
        o.page.keyboard.press("Enter")
        o.page.wait_for_function("document.activeElement.id === 'action-A-a1'")
        row = o.page.locator("#action-A-a1")
        assert row.is_visible(), "the workstream that was folded is open"
        leads = row.locator(".leads")
        assert leads.text_content() == "Show its 14 findings of action A-a1"
        leads.focus()
        o.page.keyboard.press("Enter")
        o.page.wait_for_function("document.activeElement.id === 'findings-h'")
        assert "14 that match, of 29" in shown(o.page)
        assert o.page.locator("#cause-chosen").inner_text().startswith("Only: what action A-a1 answers")
        o.page.get_by_role("button", name="Show all findings").click()
        assert "of 29." in shown(o.page)
        assert o.messages == []


def test_an_action_answers_the_findings_of_its_rule_and_a_link_to_it_can_be_sent(
    browser: Browser, answered: Path
) -> None:
    with opened(browser, answered, at="#findings?action=A1") as o:
        assert "15 that match, of 29" in shown(o.page)
        cells = o.page.locator("#rows tr td:last-child").all_inner_texts()
        assert all("Action A1 (open)" in c for c in cells)
    with opened(browser, answered, at="#findings?action=nothing-has-this-id") as o:
        assert shown(o.page) == "Findings 1 to 29 of 29."
    with opened(browser, answered, at="#action-A1") as o:
        assert o.page.locator("#action-A1").is_visible()


def test_actions_name_whom_they_are_about_only_where_names_were_asked_for(browser: Browser, answered: Path) -> None:
    with opened(browser, answered, at="#action-A-a1") as o:
        about = o.page.locator("#action-A-a1 .about.screen")
        assert (
            about.locator("summary")
            .inner_text()
            .startswith("About staff S01 (Nobody Number1); staff S02 (Nobody Number2) and 12 more")
        )
        assert "Number14" not in o.page.locator("#action-A-a1").inner_text()
        about.locator("summary").click()
        assert "staff S14 (Nobody Number14)" in o.page.locator("#action-A-a1").inner_text()
    alone = answered.with_name("plan.html").read_text(encoding="utf-8")
    assert "staff S14" in alone
    assert "Nobody Number" not in alone
    assert b"Nobody Number" not in answered.with_name("p.sqlite").read_bytes()
    with CalamineWorkbook.from_path(answered.with_name("report.xlsx")) as book:
        rows = book.get_sheet_by_name("Plan actions").to_python()
    about_whom = {r[1]: str(r[rows[0].index("About")]) for r in rows[1:]}
    assert about_whom["A-a1"].startswith("staff S01 (Nobody Number1); staff S02 (Nobody Number2); staff S03")
    assert about_whom["A1"] == ""


def test_what_is_folded_of_an_action_is_printed_and_its_links_are_not(browser: Browser, answered: Path) -> None:
    with opened(browser, answered.with_name("plan.html")) as o:
        o.page.emulate_media(media="print")
        row = o.page.locator("#action-A-a1")
        assert "staff S14." in row.inner_text()
        assert row.inner_text().count("staff S01") == 1
    with opened(browser, answered, at="#action-A-a1") as o:
        o.page.emulate_media(media="print")
        assert not o.page.locator(".leads").first.is_visible()


def test_an_action_about_more_records_than_a_page_names_says_how_many_and_where_they_are(
    answered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compliance.report.html.plan.MOST", 13)
    asked = ("--as-at", AS_AT, "--db", answered.with_name("p.sqlite"), "--out", tmp_path / "plan.html")
    assert _run("plan", "report", "page", *asked).exit_code == 0
    text = (tmp_path / "plan.html").read_text(encoding="utf-8")
    assert "staff S02 and 12 more" in text
    assert "staff S13 and 1 more, which compliance plan show A-a1 lists." in text


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_axe_finds_nothing_wrong_with_findings_and_actions_that_lead_to_each_other(
    browser: Browser, answered: Path, size: tuple[int, int], scheme: str
) -> None:
    with opened(browser, answered, size, scheme, at="#action-A-a1") as o:
        o.page.locator(".opens").first.click()
        o.page.evaluate("for (const d of document.querySelectorAll('#plan details, .cause')) d.open = true")
        assert o.axe() == []
        assert o.page.evaluate("document.documentElement.scrollWidth") <= size[0]


# --- the report that all formats are tested with ---


def test_accepted_restated_own_policy_and_hostile_findings_are_told_as_such(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(report_fixture.written("html", report_fixture.against_a_baseline()), encoding="utf-8")
    with opened(browser, path) as o:
        assert o.messages == []
        assert "accepted until 31 March 2022" in o.page.locator("#rows").inner_text()
        assert "1 is accepted for a time" in o.page.locator("#summary").inner_text()
        assert o.page.locator("#waivers tbody tr").count() == 1
        assert "no longer found" in o.page.locator("#previous").inner_text()
        for button in o.page.locator(".opens").all():
            button.click()
        told = o.page.locator("#rows").inner_text()
        assert "since 17 Dec 2020, 3 audits" in told
        assert "What is not shown" in told
        assert "<script" in told
        assert o.messages == []


def test_the_cases_of_a_kpi_are_a_page_though_no_law_is_cited(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "cases.html"
    result = _run("kpi", AGENCY, "--as-at", AS_AT, "--cases", "FOS-5", "--format", "html", "--out", path)
    assert result.exit_code == 0, result.stderr
    with opened(browser, path) as o:
        assert o.page.locator(".opens").count() == 7
        o.page.locator(".opens").first.click()
        assert "What the rule asks" in o.page.locator(".detail").inner_text()
        assert o.messages == []
