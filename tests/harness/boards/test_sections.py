"""Where single classifiers fail, counted by hand."""

import json

import numpy as np
import pytest

from soundproof.boards.collect import collect
from soundproof.results.files import names_name


@pytest.fixture
def section(bench):
    """Twelve clips of two classes; two are wrong when clean, fgsm fools four, and cwa one of these and another."""
    labels = np.arange(12) % 2
    given = labels.copy()
    given[:2] = 1 - given[:2]
    bench.clean(labels, given)
    right = np.arange(2, 12)
    for attack, fooled in (("fgsm", [2, 3, 4, 5]), ("cwa", [5, 6])):
        row = bench.bounded(right, np.isin(right, fooled), tested=12, attack=attack)
        shown = np.where(np.isin(right, fooled), 1 - labels[right], labels[right])
        bench.samples[f"{row.key}/prediction"] = shown
        row = bench.reach(right, attack=attack)
        bench.samples[f"{row.key}/smallest"] = np.where(right == 11, np.nan, right / (2 if attack == "cwa" else 1))
    names = json.dumps([f"{clip}.wav" for clip in range(40)])
    bench.samples[names_name({"id": "synth"})] = np.frombuffer(names.encode(), np.uint8)
    (found,) = collect(bench.results()).sections
    return found


def test_classes_count_what_is_right_and_what_survives_all_attacks(section):
    assert section.classes == ((6, 5, 2), (6, 5, 3))


def test_confusions_cover_all_test_clips_clean_and_under_the_strongest(section):
    clean, attacked = section.confusions
    assert clean.cells == ((0, 0, 5), (0, 1, 1), (1, 0, 1), (1, 1, 5))
    assert attacked.attack.short == "fgsm"
    assert attacked.cells == ((0, 0, 3), (0, 1, 3), (1, 0, 3), (1, 1, 3))


def test_clips_are_ranked_by_the_attack_that_needs_least(section):
    assert section.easiest[0] == ("2.wav", 1.0)
    assert section.hardest[:2] == (("11.wav", None), ("10.wav", 5.0))


def test_curves_have_the_worst_case_first(section):
    assert [curve.attack and curve.attack.short for curve in section.sizes] == [None, "cwa", "fgsm"]
    assert section.sizes[0].rate[-1] == pytest.approx(0.9)


def test_controls_are_no_worst_case(bench):
    bench.controls("noise")
    bench.clean([0, 1], [0, 1])
    for attack, size in (("noise", 0.1), ("fgsm", 2.0)):
        bench.bounded([0, 1], [True, True], tested=2, attack=attack)
        row = bench.reach([0, 1], attack=attack)
        bench.samples[f"{row.key}/smallest"] = np.full(2, size)
    (found,) = collect(bench.results()).sections
    together = next(curve for curve in found.sizes if curve.attack is None)
    assert together.along == (2.0,)


def test_examples_of_other_classifiers_count_against_classes(bench):
    """No attack of its own fools clip 1; an example made against another classifier does."""
    bench.clean([0, 0], [0, 0])
    bench.bounded([0, 1], [False, False], tested=2)
    bench.clean([0, 0], [0, 0], model="other")
    bench.bounded([0, 1], [False, True], tested=2, model="other")
    target = {"id": "resnet", "defense": {"id": "none"}}
    bench.transfer([0, 1], [False, True], target, source_fooled=[False, True], model="other")
    found = {str(each.name.model): each.classes for each in collect(bench.results()).sections}
    assert found == {"resnet": ((2, 2, 1),), "other": ((2, 2, 1),)}
