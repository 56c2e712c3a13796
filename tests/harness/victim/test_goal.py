"""Scores and losses against plain loops."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from soundproof import Goal, margin, target_margin

logits = hnp.arrays(np.float32, (6, 4), elements=st.floats(-50, 50, width=32))


@given(logits)
@settings(max_examples=50, deadline=None)
def test_margin_is_the_best_wrong_logit_minus_the_right_one(values):
    labels = torch.arange(6) % 4
    expected = [
        max(row[j] for j in range(4) if j != label) - row[label] for row, label in zip(values, labels, strict=True)
    ]
    np.testing.assert_array_equal(margin(torch.from_numpy(values), labels), np.float32(expected))
    np.testing.assert_array_equal(target_margin(torch.from_numpy(values), labels), -np.float32(expected))


def test_a_targeted_attack_descends_to_the_target():
    values = torch.tensor([[3.0, 0.0, 1.0], [0.0, 2.0, 0.0]])
    untargeted = Goal(torch.tensor([0, 1]))
    targeted = Goal(torch.tensor([0, 1]), torch.tensor([2, 0]))
    reference = torch.nn.functional.cross_entropy
    torch.testing.assert_close(
        untargeted.loss(values).sum(), reference(values, untargeted.labels, reduction="sum")
    )
    torch.testing.assert_close(targeted.loss(values).sum(), -reference(values, targeted.targets, reduction="sum"))
    assert untargeted.met(values).tolist() == [False, False]
    assert targeted.met(torch.tensor([[0.0, 1.0, 5.0], [9.0, 0.0, 0.0]])).tolist() == [True, True]
    assert targeted.met(torch.tensor([[0.0, 5.0, 1.0], [9.0, 0.0, 0.0]])).tolist() == [False, True]


def test_selection_keeps_labels_with_targets():
    goal = Goal(torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0])).select(torch.tensor([2, 0]))
    assert goal.labels.tolist() == [2, 0]
    assert goal.targets.tolist() == [0, 1]
