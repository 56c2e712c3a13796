"""Certified radii against closed forms (Cohen et al. 2019)."""

import numpy as np
import pytest
import torch
from scipy.stats import binom, norm

from soundproof.measuring.certificate import ABSTAINED, ALPHA, certify, lowest_share

SIGMA, DIMENSION = 0.25, 32


def halves(weight):
    """Two classes on either side of a hyperplane through 0, on inputs with Gaussian noise."""

    def classify(images):
        side = (images + SIGMA * torch.randn_like(images)).flatten(1) @ weight
        return torch.stack([side, -side], dim=1)

    return classify


@pytest.fixture
def weight():
    drawn = torch.randn(DIMENSION, generator=torch.Generator().manual_seed(0))
    return drawn / drawn.norm()


def test_radii_on_a_hyperplane_are_at_most_the_distance_and_near_it(weight):
    """The vote is right with probability Φ(d/σ), so that the exact radius is the distance d itself."""
    torch.manual_seed(0)
    distances = torch.tensor([0.1, 0.2, 0.3, 0.4])
    found = certify(halves(weight), distances[:, None] * weight, SIGMA, 2, draws=20_000)
    assert (found.prediction == 0).all()
    assert (found.radius <= distances.numpy()).all()
    # What 20,000 draws can tell: the bound lies about 3.1 standard errors of the share below it.
    share = norm.cdf(distances.numpy() / SIGMA)
    expected = SIGMA * norm.ppf(lowest_share(np.round(share * 20_000), 20_000))
    np.testing.assert_allclose(found.radius, expected, atol=0.012)


def test_more_draws_prove_more(weight):
    torch.manual_seed(0)
    clip = 0.3 * weight[None]
    few, many = (certify(halves(weight), clip, SIGMA, 2, draws=draws).radius[0] for draws in (100, 10_000))
    assert few < many < 0.3


def test_a_vote_without_a_majority_abstains(weight):
    torch.manual_seed(0)
    found = certify(halves(weight), torch.zeros(3, DIMENSION), SIGMA, 2)
    assert (found.prediction == ABSTAINED).all()
    assert (found.radius == 0).all()


@pytest.mark.parametrize("votes", [1, 500, 990, 1000])
def test_the_lowest_share_is_clopper_and_pearsons(votes):
    """At that share, as many votes or more come with probability α."""
    low = lowest_share(np.array([votes]), 1000)[0]
    assert binom.sf(votes - 1, 1000, low) == pytest.approx(ALPHA, rel=1e-6)


def test_no_votes_prove_nothing():
    assert lowest_share(np.array([0]), 1000)[0] == 0
