"""The best example so far of every clip, beside a bare loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from soundproof import Ball, Best, Budget, Goal, Norm, Victim

CLIPS = 5


def bare_loop(start, offers):
    """What `Best` should hold, clip by clip."""
    images, values = start.clone(), [-np.inf] * len(start)
    for batch, scores, clips in offers:
        for image, value, clip in zip(batch, scores.tolist(), clips.tolist(), strict=True):
            if value > values[clip]:
                images[clip], values[clip] = image, value
    return images, torch.tensor(values)


def draw(clips, generator):
    """Images and values, some of them equal, some infinite or not a number."""
    values = torch.randint(0, 4, (len(clips),), generator=generator).float()
    values[torch.rand(len(clips), generator=generator) < 0.1] = torch.nan
    values[torch.rand(len(clips), generator=generator) < 0.1] = -torch.inf
    return torch.rand(len(clips), 2, 3, generator=generator), values, clips


@pytest.mark.parametrize("seed", range(10))
def test_like_a_bare_loop(seed):
    generator = torch.Generator().manual_seed(seed)
    start = torch.rand(CLIPS, 2, 3, generator=generator)
    everyone, offers, best = torch.arange(CLIPS), [], Best(start)
    for _ in range(4):
        offers.append(draw(everyone, generator))
        best.update(*offers[-1][:2])
        some = torch.randperm(CLIPS, generator=generator)[:3]
        offers.append(draw(some, generator))
        best.update(*offers[-1])
        offers.append(draw(torch.randperm(CLIPS, generator=generator), generator))
        best.update(*offers[-1])
        offers.append(draw(torch.randint(0, CLIPS, (9,), generator=generator), generator))
        best.update_copies(*offers[-1])
    images, values = bare_loop(start, offers)
    assert torch.equal(best.images, images)
    assert torch.equal(best.values, values)


def test_what_it_began_with_and_what_it_is_offered_stay_as_they_are():
    start, offered = torch.zeros(2, 3), torch.ones(2, 3)
    best = Best(start)
    best.update(offered, torch.tensor([1.0, 2.0]))
    best.update(torch.full((1, 3), 0.5), torch.tensor([3.0]), torch.tensor([1]))
    best.update_copies(torch.full((2, 3), 0.7), torch.tensor([3.0, 4.0]), torch.tensor([0, 0]))
    assert not start.any()
    assert (offered == 1).all()
    torch.testing.assert_close(best.images[:, 0], torch.tensor([0.7, 0.5]))


def test_best_of_copies():
    best = Best(torch.zeros(6, 1))
    best.update(torch.arange(6.0)[:, None], torch.tensor([1.0, 5.0, 0.0, 2.0, 4.0, 0.0]))
    assert best.of_copies(2).flatten().tolist() == [3, 1, 2]


class Sum(torch.nn.Module):
    """The margin of a clip of label 0 is the sum of its values."""

    def forward(self, images):
        total = images.flatten(1).sum(dim=1)
        return torch.stack([torch.zeros_like(total), total], dim=1)


def test_a_victim_keeps_the_best_of_each_clip_within_radii_of_their_own():
    clean = torch.zeros(3, 1, 2)
    ball = Ball(Norm.LINF, torch.tensor([0.2, 0.4, 0.6]))
    goal = Goal(torch.zeros(3, dtype=torch.int64))
    victim = Victim(Sum(), clean, goal, Budget(max_queries=9), ball=ball)
    # Clips 2 and 0 twice over: what lies outside of a clip's own ball does not count, however high it scores.
    view = victim.select(torch.tensor([2, 0, 2, 0])).select(torch.tensor([0, 1, 2, 3]))
    view(torch.tensor([0.5, 0.1, 0.3, 0.3]).reshape(4, 1, 1).expand(-1, 1, 2))
    victim.select(torch.tensor([False, True, False]))(torch.full((1, 1, 2), 0.4))
    torch.testing.assert_close(victim.best[:, 0, 0], torch.tensor([0.1, 0.4, 0.5]))
