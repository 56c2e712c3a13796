"""Outputs in another order than the classes are seen by the confusions."""

import numpy as np
import pytest

from soundproof.measuring.metrics.renaming import renaming

LABELS = np.repeat(np.arange(5), 6)


def test_a_permutation_is_found():
    found = renaming(LABELS, np.array([2, 1, 0, 4, 3])[LABELS], 5)
    assert found.outputs == {0: 2, 2: 0, 3: 4, 4: 3}
    assert (found.right, found.renamed) == (0.2, 1.0)


def test_errors_do_not_hide_it():
    wrong = np.array([2, 1, 0, 4, 3])[LABELS]
    wrong[::4] = 1
    assert renaming(LABELS, wrong, 5).outputs == {0: 2, 2: 0, 3: 4, 4: 3}


@pytest.mark.parametrize("seed", range(60))
def test_neither_a_good_nor_a_guessing_classifier_is_renamed(seed):
    generator = np.random.default_rng(seed)
    good = np.where(generator.random(30) < 0.7, LABELS, generator.integers(0, 5, 30))
    assert renaming(LABELS, good, 5) is None
    assert renaming(LABELS, generator.integers(0, 5, 30), 5) is None
    assert renaming(LABELS, np.zeros(30, int), 5) is None


def test_two_that_are_swapped_among_many_are_no_other_order():
    """The classifier is right on most clips: two classes that it confuses are its own fault."""
    assert renaming(LABELS, np.array([1, 0, 2, 3, 4])[LABELS], 5) is None


def test_a_few_clips_say_nothing():
    assert renaming(np.array([0, 1, 2]), np.array([1, 2, 0]), 3) is None
