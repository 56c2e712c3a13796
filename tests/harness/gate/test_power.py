"""Simulated boards: how often a gate cries wolf, and how often it sees one."""

from __future__ import annotations

import numpy as np
import pytest

from soundproof.gate.outcomes import Column, Entry, Side
from soundproof.gate.rules import rules_of
from soundproof.gate.verdict import judge
from soundproof.measuring.metrics.intervals import Metric
from soundproof.types import Status

pytestmark = pytest.mark.slow

CLIPS, CLASSIFIERS, ATTACKS = 400, 8, 5
# Two clips of each recording, as in ESC-50 at the median.
GROUPS = np.arange(CLIPS) // 2
DATASET = {"id": "esc10"}
ROWS = [(classifier, attack) for classifier in range(CLASSIFIERS) for attack in range(ATTACKS)]


def board(generator, noise, drops=None):
    """Which clips survive on two runs of 40 rows, `[2, rows, clips]`, and by how many points rows fell.

    A clip has a hardness of its own, in part its recording's, which both runs share; a training adds noise,
    which is the same for all attacks on its classifier but for a rest. `drops` moves the second run's threshold.
    """

    def normal(*shape):
        return generator.normal(size=shape)

    def clustered(*shape):
        """Unit variance, half of it common to a recording."""
        return (normal(*shape, CLIPS) + normal(*shape, GROUPS.max() + 1)[..., GROUPS]) / 2**0.5

    hardness = clustered(CLASSIFIERS)[None, :, None]
    training = clustered(2, CLASSIFIERS)[:, :, None]
    rest = clustered(2, CLASSIFIERS, ATTACKS)
    score = hardness + noise * (training + 0.5 * rest)
    threshold = np.broadcast_to(np.linspace(-0.6, 0.6, ATTACKS), (2, CLASSIFIERS, ATTACKS)).copy()
    if drops is not None:
        threshold[1] += drops
    return (score > threshold[..., None]).reshape(2, len(ROWS), CLIPS)


def side(outcomes):
    """A run as the gate sees it."""
    entries = {}
    for (classifier, attack), survived in zip(ROWS, outcomes, strict=True):
        value = float(survived.mean())
        place = dict.fromkeys(("target", "representation"), None)
        place |= {"protocol": "bounded", "dataset": DATASET, "defense": {"id": "none"}}
        place |= {"model": {"id": f"model-{classifier}"}, "attack": {"id": f"attack-{attack}"}}
        column = Column(np.arange(CLIPS), survived.astype(float), np.ones(CLIPS, int))
        entries[f"{classifier}-{attack}"] = Entry(
            place, frozenset({f"{classifier}-{attack}"}), Status.OK, None, frozenset(),
            {"robust_accuracy": Metric(value, value, value, CLIPS)}, {"robust_accuracy": column},
        )  # fmt: skip
    dataset = '{"id":"esc10"}'
    return Side("run", "simulated", {}, {}, {dataset: "same"}, {dataset: GROUPS}, entries)


# A training's noise that flips 12 % of the clips, and a threshold that moves 6 % of them; the tests look
# whether they do.
NOISE = 0.27
SIX_POINTS = 0.17


def alarms(boards, direction, drops=None, seed=0):
    """The share of boards that fail, the churn and the mean drop of moved rows."""
    generator = np.random.default_rng(seed)
    rules = rules_of({"robust_accuracy": {"tolerance": 0.01, "direction": direction}})
    failed, churn, fell = [], [], []
    for _ in range(boards):
        before, after = board(generator, NOISE, drops)
        failed.append(judge(side(before), side(after), rules).code() == 1)
        churn.append((before != after).mean())
        if drops is not None:
            moved = np.broadcast_to(drops, (CLASSIFIERS, ATTACKS)).reshape(-1) > 0
            fell.append((before.mean(axis=1) - after.mean(axis=1))[moved].mean())
    return np.mean(failed), np.mean(churn), np.mean(fell) if fell else 0.0


def moved(rows=slice(None), attacks=slice(None)):
    drops = np.zeros((CLASSIFIERS, ATTACKS))
    drops[rows, attacks] = SIX_POINTS
    return drops


@pytest.mark.parametrize("direction", ["higher", "both"])
def test_unchanged_boards_seldom_fail(direction):
    failed, churn, _ = alarms(400, direction)
    assert churn == pytest.approx(0.12, abs=0.005)
    assert failed <= 0.06


@pytest.mark.parametrize("drops", [moved(3), moved(attacks=2)], ids=["one classifier", "one attack"])
def test_a_drop_of_six_points_is_found(drops):
    failed, _, fell = alarms(150, "both", drops, seed=1)
    assert fell == pytest.approx(0.06, abs=0.006)
    assert failed >= 0.85
