"""Chromium without a window, as the machine has it: pages are opened from files, and nothing may go elsewhere."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = "Chromium is not installed: `.ci/run` installs it"


@dataclass
class Opened:
    """A page in the browser, with everything that it said and asked for."""

    page: object
    said: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def __getattr__(self, name):
        return getattr(self.page, name)

    @property
    def hash(self):
        return self.page.evaluate("location.hash")

    def column(self, name):
        """The main text of a column's cells, row by row."""
        find = """name => {
          const heads = [...document.querySelectorAll("#board thead button")].map(each => each.dataset.column);
          const at = heads.indexOf(name);
          return [...document.querySelectorAll("#board tbody tr")].map(tr => {
            const cell = tr.cells[at];
            return (cell.querySelector("button, b") || cell).textContent;
          });
        }"""
        return self.page.evaluate(find, name)

    def heads(self):
        return self.page.eval_on_selector_all("#board thead button", "all => all.map(each => each.dataset.column)")

    def settle(self):
        """Wait until everything is drawn."""
        self.page.wait_for_timeout(60)
        self.page.wait_for_selector("html[data-drawn], html:not(:has(script))")


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, tmp_path):
    """Opens a page's text with a link; fails at the end if it complained or asked the network for anything."""
    visited, contexts = [], []

    def go(text, link="", width=1400, scheme="light", **options):
        file = tmp_path / "index.html"
        file.write_text(text, encoding="utf-8")
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.on("console", lambda message: opened.said.append(message.text))
        opened.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.on("request", lambda request: opened.asked.append(request.url))
        opened.goto(file.as_uri() + link)
        if options.get("java_script_enabled", True):
            opened.settle()
        visited.append(opened)
        return opened

    yield go
    for opened in visited:
        assert opened.said == []
        assert all(url.startswith(("file:", "data:", "blob:")) for url in opened.asked), opened.asked
    for context in contexts:
        context.close()
