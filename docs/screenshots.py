"""Takes the pictures of the HTML report that the documents show: `make pictures`.

They are taken of the sample agency as at a day of its own, in windows of two sizes, light and dark; taken again with the same browser and
fonts they are the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from browser import PHONE, Opened, chromium, opened
from click.testing import CliRunner

from compliance.cli import main

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "img"
AS_AT = "2021-09-20"
DESKTOP = (1200, 800)
MOST = 200_000
"""Bytes of a picture: the documents stay quick to open, and the repository quick to clone."""


def report(folder: Path) -> Path:
    """Everything on one page."""
    db, out = folder / "plan.sqlite", folder / "report.html"
    plan = ROOT / "fixtures" / "plans" / "fostering-2021.yaml"
    who = ("--role", "registered manager", "--name", "Ada Invented", "--on", AS_AT)
    for command in (
        ("plan", "new", plan, *who, "--db", db),
        ("report", ROOT / "fixtures" / "agency", "--as-at", AS_AT, "--db", db, "--out", out),
    ):
        result = CliRunner().invoke(main, [str(word) for word in command])
        if result.exit_code:
            sys.exit(result.output)
    return out


def _to(o: Opened, what: str) -> None:
    """Scrolls until it stands at the top."""
    o.page.locator(what).first.evaluate("x => scrollTo(0, x.getBoundingClientRect().top + scrollY - 12)")


def _first(o: Opened) -> None:
    """The first screen, as it opens."""


def _finding(o: Opened) -> None:
    """One finding, searched for and opened."""
    o.page.goto(o.page.url.partition("#")[0] + "#findings?q=child-death-not-notified")
    o.page.locator(".opens").first.click()
    _to(o, ".told")


def _kpis(o: Opened) -> None:
    """The cards, and one of them opened."""
    o.page.locator(".card summary").nth(4).click()
    _to(o, ".card >> nth=2")


def _plan(o: Opened) -> None:
    _to(o, "#plan")


PICTURES: Mapping[str, tuple[tuple[int, int], Callable[[Opened], None]]] = {
    "first": (DESKTOP, _first),
    "finding": (DESKTOP, _finding),
    "kpis": (DESKTOP, _kpis),
    "plan": (DESKTOP, _plan),
    "phone": (PHONE, _first),
}


def take(to: Path) -> None:
    """All of them."""
    to.mkdir(exist_ok=True)
    with TemporaryDirectory() as scratch, chromium() as browser:
        path = report(Path(scratch))
        for name, (size, act) in PICTURES.items():
            for scheme in ("light", "dark"):
                with opened(browser, path, size, scheme) as o:
                    act(o)
                    # Nothing is half drawn, and no keyboard's focus or pointer is in it.
                    o.page.evaluate("document.activeElement.blur()")
                    o.page.mouse.move(0, 0)
                    taken = o.page.screenshot(path=to / f"report-{name}-{scheme}.png", animations="disabled")
                    if len(taken) > MOST or o.messages:
                        sys.exit(f"report-{name}-{scheme}: {len(taken):,} bytes, {o.messages}")


if __name__ == "__main__":
    take(IMAGES)
