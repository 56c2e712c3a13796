"""The page's script, run by Chromium: what a link asks for is what the reader sees."""

import re
import shutil
import subprocess

import pytest

from soundproof.boards.collect import collect
from soundproof.boards.page import page
from soundproof.boards.provenance import provenance

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=2000"),
)
pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"), pytest.mark.slow]


@pytest.fixture
def show(bench, tmp_path):
    """Opens the page with a link and gives its document back."""
    for model, right in (("alexnet", 6), ("resnet", 9), ("vgg", 8)):
        bench.clean([0] * 10, [0] * right + [1] * (10 - right), model=model)
        for attack, fooled in (("fgsm", 1), ("cwa", 4)):
            outcomes = [True] * fooled + [False] * (right - fooled)
            bench.bounded(range(right), outcomes, tested=10, attack=attack, l2=right / fooled, model=model)
        bench.learned(bench.rows[-3], [1.0, 0.5], [0.5, 0.9])
    bench.clean([0] * 10, [0] * 10, model="leaks", flags=("leaky",))
    file = tmp_path / "index.html"
    file.write_text(page(collect(bench.results()), provenance(bench.run)), encoding="utf-8")

    def dump(link=""):
        url = f"{file.as_uri()}{link}"
        command = [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", url]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    return dump


def visible(document, board):
    """Model and attack of the visible rows of a board, in order."""
    section = document.split(f'<section id="{board}"')[1].split("</section>")[0]
    rows = re.findall(r"<tr class=\"(?:head|part)\"([^>]*)>", section)
    shown = [row for row in rows if "hidden" not in row]
    return [tuple(re.findall(r"data-(?:model|attack)=\"([^\"]*)\"", row)) for row in shown]


def test_without_a_wish_the_ranking_stands_as_written(show):
    document = show()
    assert visible(document, "accuracy") == [("resnet",), ("vgg",), ("alexnet",), ("leaks",)]
    assert visible(document, "robustness") == [("resnet",), ("vgg",), ("alexnet",)]
    assert "7 rows</output>" in document


def test_sorting_goes_by_the_raw_value_with_nothing_last(show):
    document = show("#sort-accuracy=rank:down&sort-robustness=robust_accuracy:up")
    assert visible(document, "accuracy") == [("alexnet",), ("vgg",), ("resnet",), ("leaks",)]
    assert re.search(r'data-column="rank" aria-sort="descending"', document)


def test_filters_search_and_facets_combine(show):
    document = show("#q=resn+synth&attack=cwa&theme=dark")
    assert visible(document, "robustness") == [("resnet", "cwa")]
    assert visible(document, "accuracy") == [("resnet",)]
    assert "2 of 10 rows</output>" in document
    assert 'data-theme="dark"' in document


def test_every_attack_can_be_sorted_across_classifiers(show):
    document = show("#view=attacks&sort-robustness=l2:up")
    lengths = {("alexnet", "cwa"): 6 / 4, ("resnet", "cwa"): 9 / 4, ("vgg", "cwa"): 8 / 4}
    lengths |= {("alexnet", "fgsm"): 6.0, ("resnet", "fgsm"): 9.0, ("vgg", "fgsm"): 8.0}
    assert visible(document, "robustness") == sorted(lengths, key=lengths.get)


def test_what_takes_attacks_together_is_no_column_of_single_ones(show):
    assert re.search(r'<table class="board flat"', show("#view=attacks"))
    assert not re.search(r'<table class="board flat"', show())


def test_means_over_attacks_stand_only_where_no_attack_is_chosen(bench, tmp_path, show):
    for attack in ("fgsm", "cwa"):
        bench.reach(range(6), attack=attack, model="alexnet")
    (tmp_path / "index.html").write_text(page(collect(bench.results()), provenance(bench.run)), encoding="utf-8")
    assert [attack for _, attack in visible(show(), "cost")] == ["mean over attacks", "cwa", "fgsm"]
    assert visible(show("#attack=fgsm"), "cost") == [("alexnet", "fgsm")]


def test_learning_curves_follow_the_filters(show):
    def models(document):
        section = document.split('<section id="training"')[1].split("</section>")[0]
        figures = re.findall(r"<(?:figure|details)([^>]*)>", section)
        return [re.findall(r'data-model="([^"]*)"', each) for each in figures if "hidden" not in each]

    assert models(show()) == [[], ["alexnet"], ["resnet"], ["vgg"]]
    assert models(show("#model=vgg&attack=cwa")) == [[], ["vgg"]]
    assert models(show("#q=synth+resn")) == [[], ["resnet"]]
    assert models(show("#q=nobody")) == []


def test_an_unknown_wish_is_ignored(show):
    document = show("#model=nobody&sort-accuracy=nothing:down&sort-cost=__proto__:up")
    assert "7 rows</output>" in document
