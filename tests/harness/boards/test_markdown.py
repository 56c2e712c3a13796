import re

import pytest

from soundproof.boards.collect import collect
from soundproof.boards.markdown import documents, plain
from soundproof.boards.provenance import provenance

pytestmark = pytest.mark.slow


@pytest.fixture
def found(crowded):
    return documents(collect(crowded.results()), provenance(crowded.run))


def tables(text):
    """The tables of a page, each a list of rows of cells."""
    blocks = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    return [[re.split(r"(?<!\\)\|", line)[1:-1] for line in block.splitlines()] for block in blocks]


def test_every_row_of_a_table_has_all_its_cells(found):
    for text in found.values():
        for table in tables(text):
            assert len({len(row) for row in table}) == 1


def test_names_are_shown_and_never_markup(found):
    for name, text in found.items():
        assert "<img" not in text.replace(r"\<img", ""), name
        assert "http://" not in text
        tags = set(re.findall(r"(?<!\\)<(/?\w+)", text))
        assert tags <= {"br", "sub", "/sub"}


@pytest.mark.parametrize(
    "name", ["a|b", "a`b`", "*a*", "_a_", "[a](b)", "<b>", "a\nb", "~a~", "#1", "@me", "a\\|b"]
)
def test_plain_text_is_one_line_without_markup(name):
    shown = plain(name)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>|~#@]", shown)


def heads(table):
    return [cell.strip() for cell in table[0]]


def test_numbers_carry_their_interval_and_clips_are_counted_once(found):
    for table in tables(found["robustness"])[:2]:
        column = heads(table).index("Robust accuracy %")
        for row in table[2:]:
            assert re.search(r"[\d.]+<br><sub>[\d.]+–[\d.]+</sub>", row[column])
    assert "<sub>Clips (n): Clean accuracy % 40, Robust accuracy % 40" in found["robustness"]


def test_no_table_is_wider_than_a_page(found, bench):
    """Nor where a defense reports a lot, and examples move between many classifiers."""
    reports = {f"number_{i}": (i + 1.0, 9) for i in range(20)}
    bench.clean([0, 1], [0, 1], reports=reports)
    for number in range(10):
        bench.transfer([0, 1], [1, 0], target={"id": f"net{number}"})
    wide = documents(collect(bench.results()), provenance(bench.run))
    for text in (*found.values(), *wide.values()):
        assert max((len(table[0]) for table in tables(text)), default=0) <= 8
    assert all(f"Number {i} |" in wide["accuracy"] for i in range(20))
    assert all(f"net{i}<br>" in wide["transferability"] for i in range(10))


def test_informed_and_grey_box_attackers_stand_side_by_side(found, bench):
    for table in tables(found["robustness"])[:2]:
        names = heads(table)
        assert names[names.index("Robust accuracy %") + 1] == "Grey-box robust accuracy %"
    assert "A defense faces two attackers." in found["robustness"]
    bench.clean([0, 1], [0, 1])
    bench.bounded([0, 1], [True, False], tested=2)
    for text in documents(collect(bench.results()), provenance(bench.run)).values():
        assert "rey-box" not in text
        assert "raining gradients" not in text


def test_what_a_defense_reports_is_a_column_with_a_meaning(found):
    table = tables(found["accuracy"].partition("## What defenses measured of themselves")[2])[0]
    assert heads(table)[:2] == ["Classifier", "Training gradients"]
    assert "=gain dB" in heads(table)
    assert all("none" not in row[0] for row in table[2:])
    assert found["accuracy"].count("What a defense measured of itself") == 2
    assert not any("# Training" in text for text in found.values())  # the curves are the page's


def test_no_word_is_explained_twice(found):
    explained = [name for text in found.values() for name in re.findall(r"^- \*\*(.+?)\*\*:", text, re.MULTILINE)]
    assert len(explained) == len(set(explained))
    shown = {name for text in found.values() for table in tables(text) for name in heads(table)}
    assert {"Accuracy %", "Robust accuracy %", "Gradients", "ε ratio", "Rank"} & shown <= set(explained)


def test_the_readme_leads_to_everything(found):
    for board in ("accuracy", "robustness", "cost", "transferability"):
        assert f"]({board}.md)" in found["README"]
        assert f"]({board}.csv)" in found["README"]
    assert "](index.html)" in found["README"]
    assert "64 ok, 1 skipped, 1 failed, 1 diverged, 1 invalid" in found["README"]
    assert "‖ε‖₂ ≤ 3" in found["README"]


def test_the_readme_shows_only_the_top(bench):
    for number in range(10):
        bench.clean([0] * 12, [0] * (11 - number) + [1] * (number + 1), model=f"net{number}")
    text = documents(collect(bench.results()), provenance(bench.run))
    assert "net7" in text["README"]
    assert "net8" not in text["README"]
    assert "net9" in text["accuracy"]


def test_the_readme_of_eight_classifiers_is_short(bench):
    for model in ("resnet", "alexnet"):
        for representation in ("stft", "mfcc"):
            for defense in ("none", "adversarial-training"):
                where = {
                    "model": {"id": model, "depth": 8, "stem_stride": 2},
                    "representation": {"id": representation, "size": [48, 48]},
                    "defense": {"id": defense},
                }
                bench.clean([0] * 20, [0] * 16 + [1] * 4, **where)
                for attack in ("fgsm", "bim-a", "bim-b", "noise"):
                    bench.bounded(range(16), [True] * 16, tested=20, attack=attack, **where)
                    bench.reach(range(16), attack=attack, ratio=(2.0, 16), gradients=12.5, **where)
    readme = documents(collect(bench.results()), provenance(bench.run))["README"]
    assert len(tables(readme)[0]) == 2 + 8
    assert len(readme.encode()) < 6000


def test_the_boards_say_what_means_are_over(bench):
    bench.clean([0, 1], [0, 1])
    for attack in ("fgsm", "bim-a", "noise"):
        bench.bounded([0, 1], [True, False], tested=2, attack=attack)
        bench.reach([0, 1], attack=attack)
    found = documents(collect(bench.results()), provenance(bench.run))
    for board in ("robustness", "cost", "README"):
        assert "mean over 2 attacks: fgsm, bim-a" in found[board]


def test_losses_stand_apart_with_their_reasons(found):
    scores, losses = found["accuracy"].split("## Cells without a score")
    assert "yamnet" not in scores
    assert "yamnet" in losses
    assert r"\@needs an image" in losses
    assert "NaN" in found["transferability"].split("## Cells without a score")[1]


def test_flags_are_explained(found):
    assert "**leaky**: Clips of one recording" in found["README"]
    assert "**leaky**" in found["accuracy"]
    assert "**-odd flag**: A warning that this version has no words for" in found["README"]
    assert "not reached" in found["cost"]


def test_equal_winners_share_one_headline(bench):
    for model in ("a", "b"):
        bench.clean([0, 1], [0, 1], model=model)
    text = documents(collect(bench.results()), provenance(bench.run))["README"]
    assert "synth, most accurate of 2: 2 classifiers alike with 100.0 %" in text
