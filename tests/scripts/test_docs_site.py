"""The documentation site: it builds without a warning, and what is made of the code is there."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

import soundproof
from soundproof.contract.discovery import discover
from soundproof.contract.registry import BUILT_IN
from soundproof.types import Kind

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; every warning is an error: broken links and anchors, pages that nobody finds."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, check=False, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def headings(page):
    text = page.read_text("utf-8")
    return [
        re.sub(r"<[^>]+>|¶", "", unescape(each)).strip()
        for each in re.findall(r"<h[23][^>]*>(.*?)</h", text, re.S)
    ]


def test_every_component_has_its_entry(site):
    registry = discover()
    built_in = [
        name for kind in Kind for name in registry.ids(kind) if registry.find(kind, name).distribution == BUILT_IN
    ]
    assert len(built_in) > 60
    assert sorted(
        each for each in headings(site / "reference/components.html") if each in set(built_in)
    ) == sorted(built_in)


def test_every_public_name_has_its_entry(site):
    names = set(soundproof.__all__) - {"conformance"}
    # What kind of thing it is stands behind the name.
    assert names - {each.split()[0] for each in headings(site / "reference/python.html")} == set()


def test_every_command_has_its_help(site):
    from soundproof.cli import parser

    (commands,) = [action.choices for action in parser()._actions if action.choices]
    assert {f"bench {name}" for name in commands} <= set(headings(site / "reference/commands.html"))


def test_the_records_are_a_link_away(site):
    assert 'href="leaderboards/index.html"' in (site / "index.html").read_text("utf-8")
    assert (site / "leaderboards/quick/index.html").read_bytes() == (
        ROOT / "leaderboards/quick/index.html"
    ).read_bytes()


def test_nothing_is_fetched_from_elsewhere(site):
    """Scripts, styles, fonts and pictures of the pages themselves; links for people may lead anywhere."""
    for page in site.glob("**/*.html"):
        fetched = re.findall(
            r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"?(https?:[^\"\s>]+)", page.read_text("utf-8")
        )
        assert fetched == [], page
