"""The denoising autoencoder: its sizes, its pairs, its report, and that it denoises."""

import numpy as np
import pytest
import torch
from torch import nn

from soundproof import Examples, Recipe, Sounds, Trainer, TrainingData
from soundproof_defenses._denoiser import Denoiser, Purifier
from soundproof_defenses._denoising import Denoising, add_noise, improvement, pairs
from soundproof_defenses.denoising_autoencoder import DenoisingAutoencoder

SIDE = 16


def represent(waveforms):
    """Waveforms as square pictures, out of reach of gradients, as the pipeline makes them."""
    with torch.no_grad():
        return torch.from_numpy((waveforms.reshape(-1, 1, SIDE, SIDE) + 1) / 2)


def waveforms(clips, seed):
    """Slow tones at half the scale."""
    generator = np.random.default_rng(seed)
    phase, pace = generator.uniform(0, 6, (clips, 1)), generator.uniform(0.02, 0.1, (clips, 1))
    return (0.5 * np.sin(phase + pace * np.arange(SIDE * SIDE))).astype(np.float32)


def data(train=90, validation=20):
    sounds = Sounds(
        rate=8000,
        waveforms=lambda: waveforms(train, 0),
        validation=lambda: waveforms(validation, 1),
        represent=represent,
    )
    pictures = [represent(waveforms(*part)).clone() for part in ((train, 0), (validation, 1))]
    copies = torch.cat([pictures[0], torch.zeros_like(pictures[0])])  # augmented copies follow the originals
    return TrainingData(
        Examples(copies, torch.arange(len(copies)) % 2),
        Examples(pictures[1], torch.arange(validation) % 2),
        2,
        sounds,
    )


@pytest.mark.parametrize(("architecture", "parameters"), [(1, 46_913), (2, 195_265)])
def test_parameters_are_the_sources(architecture, parameters):
    assert sum(values.numel() for values in Denoiser(architecture).parameters()) == parameters


@pytest.mark.parametrize("architecture", [1, 2])
@pytest.mark.parametrize("size", [(32, 32), (31, 43), (9, 10)])
def test_any_size_goes_in_and_out(architecture, size):
    assert Denoiser(architecture)(torch.rand(2, 1, *size)).shape == (2, 1, *size)


def test_noise_has_the_levels_of_the_source():
    silence = np.zeros((400, 2000), np.float32)
    levels = add_noise(silence, torch.Generator().manual_seed(0)).std(axis=1)
    assert 0.0048 < levels.min() < 0.006
    assert 0.019 < levels.max() < 0.0206
    assert levels.mean() == pytest.approx(0.0125, abs=5e-4)


def test_pairs_match_and_leave_augmented_copies_out():
    given = data()
    noisy, clean = pairs(given, given.sounds, torch.Generator().manual_seed(0))
    assert (len(noisy.train), len(noisy.validation), len(clean)) == (90, 20, 110)
    for part in (noisy.train, noisy.validation):
        distances = torch.cdist(part.inputs.flatten(1), clean.flatten(1))
        assert torch.equal(distances.argmin(dim=1), part.labels)
        assert not part.inputs.is_inference()


def test_the_loss_is_the_mean_squared_error_of_its_pair():
    clean, noisy = torch.rand(2, 5, 1, 8, 8)
    rows = torch.tensor([4, 0, 2])
    loss = Denoising(clean).loss(nn.Identity(), noisy[rows], rows)
    torch.testing.assert_close(loss, (noisy[rows] - clean[rows]).square().mean())


def test_improvement_is_the_difference_of_two_ratios():
    clean, noisy = torch.rand(2, 5, 1, 8, 8)
    module = nn.Threshold(0.5, 0.5)

    def ratio(pictures):
        return 10 * torch.log10(clean.square().sum((1, 2, 3)) / (clean - pictures).square().sum((1, 2, 3)))

    found = improvement(module, Examples(noisy, torch.arange(5)), clean)
    torch.testing.assert_close(found.float(), ratio(module(noisy)) - ratio(noisy))


def test_it_denoises_held_out_clips_and_says_by_how_much():
    torch.manual_seed(0)
    defense, given = DenoisingAutoencoder(architecture=1), data()
    defended = defense.wrap(nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 2)), (1, SIDE, SIDE), 2)
    before = defended[1][1].weight.clone()
    trainer = Trainer(Recipe(), 0)
    defense.fit(defended, given, trainer)
    values = trainer.reports["picture_snr_improvement_db"]
    assert values.shape == (20,)
    assert np.isfinite(values).all()
    assert len(trainer.curve) == 20
    assert max(epoch.score for epoch in trainer.curve) == pytest.approx(values.mean(), abs=1e-4)
    assert trainer.curve[-1].loss < trainer.curve[0].loss / 5
    assert torch.equal(defended[1][1].weight, before)


def test_it_stays_in_the_box_and_lets_gradients_through():
    torch.manual_seed(0)
    purifier = Purifier(1)
    nn.init.constant_(purifier.denoiser.layers[-1].bias, 0.3)  # takes some values below 0
    inputs = torch.rand(2, 1, 12, 12, requires_grad=True)
    purified = purifier(inputs)
    assert 0 <= purified.min() <= purified.max() <= 1
    (gradient,) = torch.autograd.grad(purified.sum(), inputs)
    assert gradient.abs().max() > 0


def test_it_needs_waveforms_and_pictures_of_one_channel():
    defense, given = DenoisingAutoencoder(), data()
    silent = TrainingData(given.train, given.validation, 2)
    defended = defense.wrap(nn.Flatten(), (1, SIDE, SIDE), 2)
    with pytest.raises(ValueError, match="comes without any"):
        defense.fit(defended, silent, Trainer(Recipe(), 0))
    assert defense.reason_to_skip(None, (1, 64, 64), 2) is None
    assert "one channel" in defense.reason_to_skip(None, (2, 64, 64), 2)
    assert "one channel" in defense.reason_to_skip(None, (1, 16000), 2)
