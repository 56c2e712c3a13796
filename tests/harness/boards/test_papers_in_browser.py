"""The page of the papers in a real browser: accessible, and not wider than the screen."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from soundproof.boards import papers
from soundproof.results.files import read
from soundproof.results.soundness import screened

pytestmark = pytest.mark.slow
RECORD = Path(__file__).parents[3] / "leaderboards" / "esc10"


@pytest.fixture(scope="module")
def html():
    return papers.pages(screened(read(RECORD)))["papers.html"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(html, visit, scheme):
    found = Axe().run(visit(html, scheme=scheme).page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


@pytest.mark.parametrize("width", [320, 1400])
def test_nothing_goes_sideways(html, visit, width):
    page = visit(html, width=width)
    assert page.evaluate("document.scrollingElement.scrollWidth") == width


def test_the_verdicts_stand_first_and_lead_to_their_evidence(html, visit):
    page = visit(html)
    verdicts = page.evaluate(
        "[...document.querySelectorAll('table')[0].querySelectorAll('.verdict')].map(e => e.textContent)"
    )
    titles = page.evaluate("[...document.querySelectorAll('h3[id] .verdict')].map(e => e.textContent)")
    assert verdicts == titles
    assert set(verdicts) <= {"holds", "does not", "undecided"}
    link = page.evaluate("document.querySelector('main table a').getAttribute('href')")
    assert page.is_visible(f"h3{link}")
