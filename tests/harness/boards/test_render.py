import random
import subprocess
import sys

import pytest

from soundproof.boards import draw, render
from soundproof.errors import ResultsError
from soundproof.results.files import Results, write
from soundproof.types import Status

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
    assert render(tmp_path).pages.keys() == FILES
    assert {path.name for path in tmp_path.iterdir()} == FILES | before.keys()
    assert all((tmp_path / name).read_bytes() == content for name, content in before.items())


def test_the_same_results_give_the_same_bytes(crowded, tmp_path):
    write(crowded.results(), tmp_path)
    first = {name: (tmp_path / name).read_bytes() for name in render(tmp_path).pages}
    random.Random(1).shuffle(crowded.rows)
    samples = dict(sorted(crowded.samples.items(), reverse=True))
    write(Results(crowded.rows, samples, crowded.run), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in render(tmp_path).pages} == first


def test_shuffled_rows_give_the_same_pages(crowded):
    shuffled = list(crowded.rows)
    random.Random(2).shuffle(shuffled)
    assert draw(Results(shuffled, crowded.samples, crowded.run)).pages == draw(crowded.results()).pages


def test_a_run_without_any_score_renders(bench):
    bench.run = {}
    assert draw(bench.results()).pages.keys() == FILES


@pytest.mark.parametrize(
    "name", ["grey_level_db", "grey_fooling_auc", "accuracy", "</script>", "mean_fooling_auc"]
)
def test_whatever_a_defense_reports_renders(bench, name):
    bench.clean([0, 1], [0, 1], defense={"id": "wall"}, reports={name: (12.5, 9)})
    bench.bounded([0, 1], [True, False], tested=2, defense={"id": "wall"})
    found = draw(bench.results()).pages
    assert "12.5" in found["accuracy.csv"]
    assert "12.5" in found["accuracy.md"]
    assert "12.5" in found["index.html"]
    assert "grey_robust_accuracy" not in found["robustness.csv"]


def test_a_flag_of_another_version_is_shown_as_it_is(bench):
    bench.clean([0, 1], [0, 1], flags=("from-the-future",))
    found = draw(bench.results()).pages
    for page in ("index.html", "README.md", "accuracy.md", "accuracy.csv"):
        assert "from-the-future" in found[page]
    assert "no words for" in found["README.md"]


def test_a_diverged_cell_is_a_loss_on_every_page(bench):
    bench.broken("clean", Status.DIVERGED, "the loss is nan in epoch 3")
    found = draw(bench.results()).pages
    assert "1 diverged" in found["README.md"]
    assert "the loss is nan in epoch 3" in found["accuracy.md"]
    assert '<span class="diverged"><b>1</b> diverged</span>' in found["index.html"]


def test_a_reason_of_twenty_megabytes_makes_no_large_page(bench):
    bench.clean([0, 1], [0, 1])
    for number in range(3):
        bench.broken("clean", reason="x" * 20_000_000, model=f"net{number}")
    assert all(len(text) < 200_000 for text in draw(bench.results()).pages.values())


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ResultsError, match=r"results\.jsonl is missing"):
        render(tmp_path)


def test_rendering_does_not_load_torch():
    code = "import sys, soundproof.boards, soundproof.boards.page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
