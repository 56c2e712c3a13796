"""Bounds: four ways of giving the size of a perturbation, and the radius that each makes of it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from soundproof import Budget, Norm
from soundproof.types import Domain, Surface
from soundproof.victim.bound import bound_of

WAVE, PICTURE = (1, 64), (1, 8, 8)


def waves(**options):
    values = st.floats(-1, 1, width=32)
    return arrays.arrays(np.float32, (3, 64), elements=values, **options)


def boxed(samples):
    return torch.from_numpy((samples[:, None] + 1) / 2)


@settings(max_examples=50, deadline=None)
@given(waves(), st.floats(-20, 80))
def test_an_snr_is_that_of_the_sound(samples, snr):
    """Recomputed from samples in [-1, 1], not from what attacks see."""
    radius = bound_of(Budget(snr_db=snr), WAVE).limit(boxed(samples)).radius.numpy()
    exact = np.linalg.norm((2 * boxed(samples)[:, 0] - 1).double().numpy(), axis=1)
    loud = exact > 0
    np.testing.assert_array_equal(radius[~loud], 0)
    # A perturbation of samples is twice that of what is mapped to [0, 1].
    np.testing.assert_allclose(20 * np.log10(exact[loud] / (2 * radius[loud])), snr, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(waves(), st.floats(0, 2))
def test_a_share_of_a_picture_is_taken_from_zero(samples, share):
    pictures = torch.from_numpy(np.abs(samples)).reshape(3, *PICTURE)
    radius = bound_of(Budget(relative=share), PICTURE).limit(pictures).radius.numpy()
    np.testing.assert_allclose(radius, share * np.linalg.norm(np.abs(samples).astype(np.float64), axis=1))


def test_a_share_in_linf_is_of_the_largest_value():
    samples = np.array([[0.5, -0.25], [0.0, 0.125]], np.float32)
    ball = bound_of(Budget(Norm.LINF, relative=0.1), (1, 2)).limit(boxed(samples))
    np.testing.assert_allclose(ball.radius, [0.025, 0.00625])  # half of what the samples may change by
    assert ball.norm is Norm.LINF


@pytest.mark.parametrize("shape", [WAVE, PICTURE, (16,)])
def test_rms_and_epsilon_are_the_same_for_all_clips(shape):
    clean = torch.rand(3, *shape)
    assert bound_of(Budget(epsilon=0.5), shape).limit(clean).radius == 0.5
    assert bound_of(Budget(rms=0.01), shape).limit(clean).radius == pytest.approx(0.01 * np.prod(shape) ** 0.5)


def walked(ball, clean, steps=10):
    """All samples to the surface, then short steps of few of them, each projected back."""
    generator = torch.Generator().manual_seed(0)
    images = ball.project(clean + ball.ascent(torch.randn(clean.shape, generator=generator)), clean)
    for _ in range(steps):
        few = torch.rand(clean.shape, generator=generator) < 0.01
        step = torch.randn(clean.shape, generator=generator) * few
        images = ball.project(images + ball.scaled(0.05).ascent(step), clean)
    return images


def test_rounding_does_not_take_sound_out_of_the_ball():
    """Of a quiet clip most samples move by a few steps of single precision, which a projection cannot shorten."""
    quiet = boxed(np.random.default_rng(0).normal(0, 0.002, (1, 80_000)).astype(np.float32))
    bound = bound_of(Budget(snr_db=50.0), (1, 80_000))
    limit = bound.limit(quiet)

    def excess(ball):
        return (limit.sizes(walked(ball, quiet).double() - quiet.double()) / limit.radius - 1).item()

    assert excess(bound.ball(quiet)) <= 1e-7
    assert excess(limit) > 1e-4, "else nothing has to be kept free for rounding"
    assert bound.ball(quiet).radius / limit.radius > 0.95


def test_pictures_need_no_room_for_rounding():
    clean = torch.rand(2, *PICTURE)
    for budget in (Budget(epsilon=0.5), Budget(relative=0.1)):
        bound = bound_of(budget, PICTURE)
        assert torch.as_tensor(bound.ball(clean).radius).equal(torch.as_tensor(bound.limit(clean).radius))


def test_the_ladder_ends_where_nothing_is_left():
    assert bound_of(Budget(epsilon=3.0), PICTURE).whole(64) == 8
    assert bound_of(Budget(Norm.LINF, epsilon=0.1), PICTURE).whole(64) == 1
    assert bound_of(Budget(snr_db=40.0), WAVE).whole(64) == 1


def test_zero_is_the_middle_of_a_waveform_only():
    assert [Domain.of(shape).zero for shape in (WAVE, PICTURE, (16,))] == [0.5, 0, 0]


def test_a_budget_has_one_size():
    assert Budget().epsilon == 3.0
    assert (Budget(snr_db=40.0).unit, Budget(snr_db=40.0).size, Budget(snr_db=40.0).epsilon) == (
        "snr_db",
        40.0,
        None,
    )
    with pytest.raises(ValueError, match="epsilon and snr_db are given"):
        Budget(epsilon=1.0, snr_db=40.0)
    with pytest.raises(ValueError, match="snr_db is a ratio of energies"):
        Budget(Norm.LINF, snr_db=40.0)
    changed = Budget(epsilon=1.0, max_queries=7).but(snr_db=30.0)
    assert changed == Budget(snr_db=30.0, max_queries=7)


def test_results_say_what_they_said_before_there_were_other_sizes():
    """Keys of rows are digests of this."""
    assert Budget(epsilon=0.8).to_json() == {
        "norm": "l2",
        "epsilon": 0.8,
        "target_auc": 0.9,
        "max_gradients": None,
        "max_queries": None,
    }
    told = Budget(snr_db=40.0, domain=Surface.WAVEFORM).to_json()
    assert told.keys() & {"epsilon", "snr_db", "domain"} == {"snr_db", "domain"}
