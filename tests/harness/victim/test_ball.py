"""Norm balls: sizes, steps and projections, for whatever images hypothesis makes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from soundproof import Ball, Norm

pictures = hnp.arrays(np.float32, (3, 1, 4, 5), elements=st.sampled_from([0.0, 1.0]) | st.floats(0, 1, width=32))
moves = hnp.arrays(np.float32, (3, 1, 4, 5), elements=st.floats(-2, 2, width=32))
balls = st.builds(Ball, st.sampled_from(Norm), st.floats(0, 5))


@given(pictures, moves, balls)
@settings(max_examples=200, deadline=None)
def test_projection_lies_in_ball_and_box(clean, move, ball):
    clean = torch.from_numpy(clean)
    moved = ball.project(clean + torch.from_numpy(move), clean)
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert ball.sizes(moved.double() - clean.double()).max() <= ball.radius + 1e-6


@pytest.mark.parametrize("radius", [0.128, 0.972, 3.0, 20.0])
@pytest.mark.parametrize("width", [1.0, 1e-3])
def test_projection_is_exact_at_full_size(radius, width):
    """16,384 values: where a norm summed in single precision is off by more than the tolerance."""
    generator = torch.Generator().manual_seed(0)
    clean = torch.rand(64, 1, 128, 128, generator=generator)
    ball = Ball(Norm.L2, radius)
    step = torch.randn(clean.shape, generator=generator) * width
    for moved in (ball.project(clean + step, clean), clean + ball.ascent(step)):
        sizes = (moved.double() - clean.double()).flatten(1).norm(dim=1)
        assert sizes.max() <= radius + 1e-6 * max(1.0, radius)


@given(pictures, moves, st.sampled_from(Norm))
@settings(max_examples=50, deadline=None)
def test_a_radius_of_zero_changes_no_bit(clean, move, norm):
    clean, ball = torch.from_numpy(clean), Ball(norm, 0.0)
    assert torch.equal(ball.project(clean + torch.from_numpy(move), clean), clean)
    assert torch.equal(ball.project(clean + ball.ascent(torch.from_numpy(move)), clean), clean)


@given(pictures, moves, balls)
@settings(max_examples=50, deadline=None)
def test_what_lies_inside_stays_where_it_is(clean, move, ball):
    clean = torch.from_numpy(clean)
    inside = ball.project(clean + torch.from_numpy(move), clean)
    torch.testing.assert_close(ball.project(inside, clean), inside, rtol=1e-5, atol=1e-6)


@given(moves, st.floats(0.1, 5))
@settings(max_examples=50, deadline=None)
def test_ascent_is_the_best_step_of_its_length(gradient, radius):
    """No step of the same size raises a linear function more: its gain is the radius times the dual norm."""
    gradient = torch.from_numpy(gradient)
    flat = gradient.flatten(1)
    for norm, dual in ((Norm.L2, flat.norm(dim=1)), (Norm.LINF, flat.abs().sum(dim=1))):
        step = Ball(norm, radius).ascent(gradient)
        assert Ball(norm, radius).sizes(step).max() <= radius * (1 + 1e-5)
        torch.testing.assert_close((step * gradient).flatten(1).sum(dim=1), radius * dual, rtol=1e-4, atol=1e-5)


def test_zero_gradient_gives_no_step():
    for norm in Norm:
        assert not Ball(norm, 1.0).ascent(torch.zeros(2, 1, 3, 3)).any()


@pytest.mark.parametrize("scale", [1e-35, 1e-25, 1e25, 1e35])
def test_the_scale_of_a_gradient_does_not_matter(scale):
    """Squares of these vanish or overflow in single precision."""
    gradient = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)) - 0.5
    for norm in Norm:
        ball = Ball(norm, 2.0)
        torch.testing.assert_close(ball.ascent(gradient * scale), ball.ascent(gradient))


def test_rows_may_have_their_own_radius():
    clean = torch.full((3, 1, 2, 2), 0.5)
    ball = Ball(Norm.L2, torch.tensor([0.0, 0.1, 0.2]))
    moved = ball.project(clean + 1, clean)
    np.testing.assert_allclose(ball.sizes(moved - clean), [0.0, 0.1, 0.2], atol=1e-6)
    chosen = torch.tensor([2, 0])
    torch.testing.assert_close(ball.select(chosen).project(clean[chosen] + 1, clean[chosen]), moved[chosen])


def test_inscribed_ball_touches_the_outer_one():
    inner = Ball(Norm.L2, 3.0).inscribed(Norm.LINF, 16384)
    corner = torch.full((1, 16384), float(inner.radius))
    assert Ball(Norm.L2, 0).sizes(corner).item() == pytest.approx(3.0, rel=1e-5)
    assert Ball(Norm.LINF, 0.1).inscribed(Norm.L2, 100).radius == 0.1
