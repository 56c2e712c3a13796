import math
import re

import pytest

from soundproof.boards import learning
from soundproof.boards.entries import Curve, Training
from soundproof.boards.names import Called, Name

OF = Name(*(Called(name, name) for name in ("synth", "stft", "resnet", "none")))


def draw(*lines, of=OF):
    return learning._picture(Training(of, tuple(lines)))


def points(thread):
    return [tuple(map(float, pair)) for pair in re.findall(r"[ML](\S+?) ([-\d.]+)", thread.path)]


def test_lines_span_the_epochs_and_stay_in_the_frame():
    picture = draw(Curve(0, 0, (4.0, 2.0, 1.0), (0.0, 0.5, 1.0)), Curve(0, 1, (3.0, 2.0), (0.25, 0.25)))
    loss, score = picture.frames
    assert [x for x, _ in points(loss.threads[0])] == [
        learning.LEFT,
        (learning.LEFT + learning.RIGHT) / 2,
        learning.RIGHT,
    ]
    height = loss.bottom - loss.top
    assert [(loss.bottom - y) / height for _, y in points(loss.threads[0])] == pytest.approx(
        [1, 0.5, 0.25], abs=0.01
    )
    assert (score.bottom - points(score.threads[1])[0][1]) / height == pytest.approx(0.25, abs=0.01)
    assert (loss.high, loss.low, score.high, score.low) == ("4.00", "0", "1.00", "0")
    assert picture.epochs == 3
    assert len(points(loss.threads[1])) == 2


def test_medians_are_over_the_trainings_that_ended():
    lines = [
        Curve(0, seed, (first, last), (best, 0.0)) for seed, first, last, best in ((0, 3, 1, 0.5), (1, 5, 2, 0.7))
    ]
    picture = draw(*lines, Curve(0, 2, (99.0,), (0.9,), "TrainingError: nan"))
    assert picture.summary == "loss 4.00 → 1.50, best validation 0.600"
    assert (picture.failed, picture.failures) == (1, ("TrainingError: nan",))
    assert [thread.failed for thread in picture.frames[0].threads] == [False, False, True]
    for words in ("resnet", "stft", "2 epochs", "3 trainings", "1 of them broke off", picture.summary):
        assert words in picture.alternative


def test_a_diverging_loss_leaves_the_frame_and_presses_nothing_flat():
    whole, broken = Curve(0, 0, (2.0, 1.0), (0.5, 0.5)), Curve(0, 1, (1e30, 1e35), (0.5, 0.5), "TrainingError")
    loss, _ = draw(whole, broken).frames
    assert loss.high == "2.00"
    assert [y for _, y in points(loss.threads[0])] == [loss.top, (loss.top + loss.bottom) / 2]
    assert {y for _, y in points(loss.threads[1])} == {loss.top}


def test_scores_that_are_no_shares_get_a_scale_of_their_own():
    _, score = draw(Curve(0, 0, (1.0, 1.0), (-8.0, -2.0))).frames
    assert (score.high, score.low) == ("-2.00", "-8.00")
    assert [y for _, y in points(score.threads[0])] == [score.bottom, score.top]


def test_what_is_not_finite_is_a_gap():
    loss, _ = draw(Curve(0, 0, (1.0, math.nan, 0.5, math.inf), (0.5,) * 4)).frames
    assert len(points(loss.threads[0])) == 2
    assert loss.threads[0].path.count("M") == 2
    assert "nan" not in loss.threads[0].path
    assert "inf" not in loss.threads[0].path


def test_a_single_epoch_is_a_dot_and_none_is_no_line():
    assert draw(Curve(0, 0, (1.0,), (0.5,))).frames[0].threads[0].path.endswith("h.1")
    nothing = draw(Curve(0, 0, (), (), "TrainingError: in epoch 1"))
    assert [thread.path for frame in nothing.frames for thread in frame.threads] == ["", ""]
    assert (nothing.frames[0].high, nothing.epochs, nothing.summary) == ("", 0, "")
