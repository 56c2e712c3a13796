import re

import pytest

from soundproof.boards.collect import collect
from soundproof.boards.markdown import documents, plain
from soundproof.boards.provenance import provenance


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


def test_numbers_carry_interval_and_n(found):
    (ranking, single) = tables(found["robustness"])[:2]
    column = [cell.strip() for cell in ranking[0]].index("Robust accuracy %")
    for row in ranking[2:] + single[2:]:
        assert re.search(r"[\d.]+<br><sub>[\d.]+–[\d.]+ · n \d+</sub>", row[column])


def test_informed_and_grey_box_attackers_stand_side_by_side(found, bench):
    for table in tables(found["robustness"])[:2]:
        heads = [cell.strip() for cell in table[0]]
        for name in ("Robust accuracy %", "Fooling rate %", "Fooling AUC"):
            assert heads[heads.index(name) + 1] == f"Grey-box {name[0].lower()}{name[1:]}"
    for name in ("README", "robustness"):
        assert "A defense faces two attackers." in found[name]
    bench.clean([0, 1], [0, 1])
    bench.bounded([0, 1], [True, False], tested=2)
    for text in documents(collect(bench.results()), provenance(bench.run)).values():
        assert "rey-box" not in text
        assert "raining gradients" not in text


def test_what_a_defense_reports_is_a_column_with_a_meaning(found):
    (table, *_) = tables(found["accuracy"])
    heads = [cell.strip() for cell in table[0]]
    assert heads[-5] == "Training gradients"
    assert "=gain dB" in heads
    assert found["accuracy"].count("What a defense measured of itself") == 2
    assert not any("# Training" in text for text in found.values())  # the curves are the page's


def test_the_readme_leads_to_everything(found):
    for board in ("accuracy", "robustness", "cost", "transferability"):
        assert f"]({board}.md)" in found["README"]
        assert f"]({board}.csv)" in found["README"]
    assert "](index.html)" in found["README"]
    assert "56 ok, 1 skipped, 2 failed, 1 invalid" in found["README"]
    assert "‖ε‖₂ ≤ 3" in found["README"]


def test_the_readme_shows_only_the_top(bench):
    for number in range(9):
        bench.clean([0] * 10, [0] * (9 - number) + [1] * (number + 1), model=f"net{number}")
    text = documents(collect(bench.results()), provenance(bench.run))
    assert "net4" in text["README"]
    assert "net5" not in text["README"]
    assert "net8" in text["accuracy"]


def test_losses_stand_apart_with_their_reasons(found):
    scores, losses = found["accuracy"].split("## Cells without a score")
    assert "yamnet" not in scores
    assert "yamnet" in losses
    assert r"\@needs an image" in losses
    assert "NaN" in found["transferability"].split("## Cells without a score")[1]


def test_flags_are_explained(found):
    assert "**leaky**: Clips of one recording" in found["accuracy"]
    assert "**-odd flag**" in found["transferability"]
    assert "not reached" in found["cost"]


def test_equal_winners_share_one_headline(bench):
    for model in ("a", "b"):
        bench.clean([0, 1], [0, 1], model=model)
    text = documents(collect(bench.results()), provenance(bench.run))["README"]
    assert "synth, most accurate: 2 classifiers alike with 100.0 %" in text
