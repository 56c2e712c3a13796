"""A page of ten thousand rows: how long it takes to draw, to open, to sort and to search.

pytest tests/benchmarks/test_page.py --benchmark-enable
"""

import pytest

from crowd import crowd
from soundproof.boards import draw
from soundproof.results.files import read, write

pytestmark = pytest.mark.slow

TIMED = (
    "() => {{ const start = performance.now(); {}; document.body.offsetHeight; return performance.now() - start }}"
)
SORT = TIMED.format("document.querySelector('[data-column=fooling_rate]').click()")
SEARCH = TIMED.format(
    "const box = document.querySelector('#search'); box.value = 'net'; box.dispatchEvent(new Event('input'))"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("crowd")
    write(crowd(), out)
    return out


def test_drawing(benchmark, folder):
    drawn = benchmark.pedantic(lambda: draw(read(folder)), rounds=3)
    assert len(drawn.pages["index.html"]) < 6_000_000


def test_in_the_browser(benchmark, folder, visit):
    page = visit(draw(read(folder)).pages["index.html"], "#view=attacks")
    opened = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")
    found = {"open_ms": opened, "sort_ms": page.evaluate(SORT), "search_ms": page.evaluate(SEARCH)}
    benchmark.extra_info.update(found)
    benchmark.pedantic(lambda: page.evaluate(SORT), rounds=5)
    assert page.column("name")
