import random
import subprocess
import sys

import pytest

from soundproof.boards import pages, render
from soundproof.errors import ResultsError
from soundproof.results.files import Results, write

FILES = {
    "index.html",
    "README.md",
    *(
        f"{board}.{end}"
        for board in ("accuracy", "robustness", "cost", "transferability")
        for end in ("md", "csv")
    ),
}


def test_render_writes_every_page_and_says_which(crowded, tmp_path):
    write(crowded.results(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    written = render(tmp_path)
    assert {path.name for path in written} == FILES
    assert {path.name for path in tmp_path.iterdir()} == FILES | before.keys()
    assert all((tmp_path / name).read_bytes() == content for name, content in before.items())


def test_the_same_results_give_the_same_bytes(crowded, tmp_path):
    write(crowded.results(), tmp_path)
    first = {path.name: path.read_bytes() for path in render(tmp_path)}
    random.Random(1).shuffle(crowded.rows)
    samples = dict(sorted(crowded.samples.items(), reverse=True))
    write(Results(crowded.rows, samples, crowded.run), tmp_path)
    assert {path.name: path.read_bytes() for path in render(tmp_path)} == first


def test_shuffled_rows_give_the_same_pages(crowded):
    shuffled = list(crowded.rows)
    random.Random(2).shuffle(shuffled)
    assert pages(Results(shuffled, crowded.samples, crowded.run)) == pages(crowded.results())


def test_a_run_without_any_score_renders(bench):
    bench.run = {}
    assert pages(bench.results()).keys() == FILES


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ResultsError, match=r"results\.jsonl is missing"):
        render(tmp_path)


def test_rendering_does_not_load_torch():
    code = "import sys, soundproof.boards, soundproof.boards.page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
