"""Scaling and resizing."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from soundproof_representations._picture import Decibels, MinMax, Peak, Resize
from sounds import difference

values = st.integers(0, 999).map(lambda seed: torch.rand(2, 5, 7, generator=torch.Generator().manual_seed(seed)))


@given(values, st.sampled_from([1e-9, 1e-3, 1.0, 1e6]))
def test_decibels_are_librosa_s(power, level):
    power = power**20 * level
    for ours, each in zip(Decibels()(power), power.numpy(), strict=True):
        assert difference(ours, librosa.power_to_db(each, ref=np.max, top_db=80) / 80 + 1) < 1e-5
    for ours, each in zip(Decibels(exponent=1)(power), power.numpy(), strict=True):
        assert difference(ours, librosa.amplitude_to_db(each, ref=np.max, top_db=80) / 80 + 1) < 1e-5


@given(values)
def test_values_come_back_from_their_own_picture(power):
    for scale in (Decibels(), Decibels(exponent=1), Peak()):
        assert torch.allclose(scale.inverse(scale(power), power), power, rtol=1e-4)


def test_a_brighter_pixel_is_a_louder_value():
    power = torch.tensor([[[1.0, 1e-4, 0.0]]])
    scale = Decibels()
    louder = scale.inverse(scale(power) + torch.tensor([0.0, 0.125, 0.5]), power)
    assert torch.allclose(louder, torch.tensor([[[1.0, 1e-3, 1e-4]]]), rtol=1e-4)


def test_an_interval_of_no_width_stays_in_the_box():
    scale = MinMax(torch.tensor(1.0), torch.tensor(1.0))
    assert torch.equal(scale(torch.tensor([[[0.0, 1.0, 2.0]]])), torch.tensor([[[0.0, 0.0, 1.0]]]))


@pytest.mark.parametrize("source", [(1025, 216), (20, 40), (6, 216), (1, 1), (128, 128)])
@pytest.mark.parametrize("size", [(128, 128), (32, 48)])
def test_resizing_is_pillow_s_bilinear(source, size):
    picture = torch.rand(source, generator=torch.Generator().manual_seed(0))
    theirs = Image.fromarray(picture.numpy()).resize(size[::-1], Image.Resampling.BILINEAR)
    assert difference(Resize(source, size)(picture[None])[0], np.asarray(theirs)) < 1e-5


def test_resizing_has_a_right_inverse():
    small = torch.rand(3, 32, 48, generator=torch.Generator().manual_seed(0))
    resize = Resize((100, 200), (32, 48))
    assert torch.allclose(resize(resize.inverse(small)), small, atol=1e-4)
