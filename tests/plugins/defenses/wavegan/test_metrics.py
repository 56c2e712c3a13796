"""Structural similarity against scipy's windows, and its closed forms."""

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter

from soundproof_defenses.wavegan.metrics import mean_squared_error, structural_similarity


def by_scipy(first, second, window=7):
    """Wang et al. 2004, Eq. 13, written with scipy's running means."""
    spread = max(first.max(), second.max()) - min(first.min(), second.min())
    inside = (slice(window // 2, -(window // 2)),) * 2
    mean_1, mean_2 = (uniform_filter(p, window)[inside] for p in (first, second))
    unbiased = window**2 / (window**2 - 1)
    var_1, var_2 = (
        unbiased * (uniform_filter(p * p, window)[inside] - m * m) for p, m in ((first, mean_1), (second, mean_2))
    )
    covariance = unbiased * (uniform_filter(first * second, window)[inside] - mean_1 * mean_2)
    c1, c2 = (0.01 * spread) ** 2, (0.03 * spread) ** 2
    map_ = (2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)
    return (map_ / ((mean_1**2 + mean_2**2 + c1) * (var_1 + var_2 + c2))).mean()


def test_it_equals_scipy():
    generator = np.random.default_rng(0)
    first = generator.normal(3, 2, (4, 20, 31))
    second = first + generator.normal(0, [[[0.1]], [[1]], [[3]], [[10]]], first.shape)
    found = structural_similarity(torch.from_numpy(first), torch.from_numpy(second))
    expected = [by_scipy(a, b) for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_equal_pictures_are_one_and_constants_have_a_closed_form():
    pictures = torch.rand(2, 9, 9)
    torch.testing.assert_close(structural_similarity(pictures, pictures), torch.ones(2))
    silence = torch.zeros(1, 9, 9)
    assert structural_similarity(silence, silence).item() == 1
    a, b = 0.2, 0.8
    c1 = (0.01 * (b - a)) ** 2
    found = structural_similarity(torch.full((1, 9, 9), a), torch.full((1, 9, 9), b))
    assert found.item() == pytest.approx((2 * a * b + c1) / (a * a + b * b + c1), rel=1e-5)


def test_squared_error_is_per_clip():
    clips = torch.zeros(2, 4)
    assert mean_squared_error(clips, torch.tensor([[1.0, 1, 1, 1], [2, 0, 0, 0]])).tolist() == [1, 1]
