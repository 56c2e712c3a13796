"""What an attack returns is checked before it counts."""

import pytest
import torch
from torch import nn

from soundproof import Ball, Goal, Norm
from soundproof.measuring.judge import check_examples, judge
from soundproof.measuring.outcome import InvalidExamplesError

CLEAN = torch.full((4, 1, 3, 3), 0.5)
BALL = Ball(Norm.L2, 0.3)


@pytest.mark.parametrize(
    ("examples", "reason"),
    [
        (CLEAN.tolist(), "list, not a tensor"),
        (CLEAN[1:], r"shape \(3, 1, 3, 3\)"),
        (CLEAN.double(), "float64"),
        (CLEAN * float("nan"), "NaN"),
        (CLEAN + torch.inf, "NaN or infinite"),
        (CLEAN - 0.50001, r"left the box .* span \[-1\.0\d*e-05, "),
        (CLEAN + 0.100001, r"left the ball: l2 norm 0\.30000\d+ where 0\.3 is allowed"),
    ],
)
def test_invalid_examples_are_refused_with_the_reason(examples, reason):
    with pytest.raises(InvalidExamplesError, match=reason):
        check_examples(examples, CLEAN, BALL)


def test_valid_examples_pass():
    for delta in (0.0, 0.1, -0.0999):
        assert torch.equal(check_examples(CLEAN + delta, CLEAN, BALL), CLEAN + delta)
    assert check_examples(torch.zeros_like(CLEAN), CLEAN, None).max() == 0


def test_verdict_is_recomputed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Flatten(), nn.Linear(9, 3))
    labels = module(CLEAN).argmax(dim=1)
    verdict = judge(module, CLEAN, CLEAN, Goal(labels))
    assert not verdict.fooled.any()
    assert (verdict.score < 0).all()
    assert not verdict.l2.any()
    wrong = (labels + 1) % 3
    aimed = judge(module, CLEAN + 0.1, CLEAN, Goal(wrong, labels))
    assert aimed.fooled.all()
    assert aimed.met.all()
    assert (aimed.target_score > 0).all()
    torch.testing.assert_close(aimed.l2, torch.full((4,), 0.3))
