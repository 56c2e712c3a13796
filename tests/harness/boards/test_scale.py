"""A board of thousands of rows: what it weighs. How long it takes is a benchmark's (tests/benchmarks)."""

import pytest

from crowd import crowd
from soundproof.boards import draw

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def thousand():
    return crowd(datasets=("esc10",), representations=("stft", "mfcc"), models=("alexnet", "vgg16", "resnet18"))


def test_a_row_weighs_little(thousand):
    """Ten thousand rows at less than 6 MB; a small board carries the script, the style and the words, too."""
    pages = draw(thousand).pages
    assert len(pages["index.html"].encode()) < 120_000 + 600 * len(thousand.rows)
    assert all(text.count("\n|") < 200 for name, text in pages.items() if name.endswith(".md"))


def test_a_large_board_makes_forty_rows_and_more_on_demand(thousand, visit):
    page = visit(draw(thousand).pages["index.html"], "#view=attacks")
    attacks = 2 * 3 * 2 * 7
    assert page.inner_text("#count") == f"{attacks} rows"
    assert len(page.column("name")) == 40
    page.evaluate("document.querySelector('#more').scrollIntoView()")
    page.wait_for_function("() => document.querySelectorAll('#board tbody tr').length > 40")
    page.wait_for_selector("#more", state="hidden")
    assert len(page.column("name")) == attacks
