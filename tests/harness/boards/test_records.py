"""The records of the repository: their pages are what their files give, byte for byte."""

from pathlib import Path

import pytest

from soundproof.boards import draw
from soundproof.boards.site import site
from soundproof.results.files import read

LEADERBOARDS = Path(__file__).parents[3] / "leaderboards"
RECORDS = sorted(path.parent for path in LEADERBOARDS.glob("*/run.json"))
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("folder", RECORDS, ids=lambda path: path.name)
def test_pages_are_what_their_files_give(folder):
    pages = draw(read(folder)).pages
    assert {name for name, text in pages.items() if (folder / name).read_bytes() != text.encode()} == set()


def test_the_index_is_what_the_records_give(tmp_path):
    for folder in RECORDS:
        (tmp_path / "leaderboards" / folder.name).mkdir(parents=True)
        for file in folder.iterdir():
            (tmp_path / "leaderboards" / folder.name / file.name).write_bytes(file.read_bytes())
    drawn = site(tmp_path / "leaderboards").read_bytes()
    assert (LEADERBOARDS / "index.html").read_bytes() == drawn
