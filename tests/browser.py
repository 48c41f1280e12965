"""Pages opened from disk in headless Chromium, as a person would open them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import ROOT
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
AXE = ROOT / "tests" / "data" / "axe-core" / "axe.min.js"
DESKTOP, PHONE, REFLOW = (1280, 900), (390, 844), (320, 640)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of the machine; `.ci/run` installs it."""
    with sync_playwright() as playwright:
        # The sandbox needs rights that a container does not give; what is opened is our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page, with everything that it asked for, complained of or tried to show."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def axe(self, within: str = "html") -> list[str]:
        """What axe-core finds wrong by WCAG 2.2 A and AA and by its best practices."""
        # Run through the debugger, which the page's policy does not bind.
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found: dict[str, Any] = self.page.evaluate(f"axe.run({json.dumps(within)}, {{runOnly: {json.dumps(tags)}}})")
        assert len(found["passes"]) > 20, "axe looked at something"
        return [f"{v['id']}: {n['html'][:160]} {n['failureSummary']}" for v in found["violations"] for n in v["nodes"]]


@contextmanager
def opened(
    browser: Browser,
    path: Path,
    size: tuple[int, int] = DESKTOP,
    scheme: Any = "light",
    script: bool = True,
    at: str = "",
) -> Iterator[Opened]:
    """Opens a file, at a place in it.

    Args:
      at: what stands after the file's name in the address.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    found = Opened(page)
    page.on("request", lambda r: found.requests.append(r.url))
    page.on("console", lambda m: found.messages.append(m.text))
    page.on("pageerror", lambda e: found.messages.append(str(e)))

    def dismissed(dialog: Dialog) -> None:
        found.messages.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismissed)
    page.goto(path.as_uri() + at)
    yield found
    context.close()
