import pytest

from soundproof.boards.measures import BOARDS, MEASURES, REPORT, Unit, columns, measure


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("snr_improvement_db", "Snr improvement dB"),
        ("reconstruction_mse", "Reconstruction mse"),
        ("decibels", "Decibels"),
        ("grey_level_db", "Grey level dB"),
        ("accuracy", "Accuracy"),
        ("_db", " dB"),
    ],
)
def test_measures_that_a_defense_reports_are_titled_by_their_name(name, title):
    words = measure(f"{REPORT}{name}")
    assert (words.title, words.unit) == (title, Unit.NUMBER)
    assert words.meaning


def test_known_measures_keep_their_words():
    assert all(measure(name) is words for name, words in MEASURES.items())


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_always_has_its_own_columns_and_no_empty_further_ones(board):
    assert columns(board, ()) == BOARDS[board]
    assert all(name in MEASURES for name in BOARDS[board])


def test_further_columns_stand_where_something_has_them():
    grey = ("grey_robust_accuracy", "grey_fooling_rate", "grey_fooling_auc")
    measured = {"accuracy", "reach_l2", "mean_fooling_auc", "mean_grey_fooling_auc", *grey}
    assert columns("robustness", measured) == (*BOARDS["robustness"], "reach_l2", *grey)
    reported = columns("accuracy", {"report_b_db", "accuracy", "report_a", "b", "training_gradients"})
    assert reported == (*BOARDS["accuracy"], "training_gradients", "report_a", "report_b_db")
