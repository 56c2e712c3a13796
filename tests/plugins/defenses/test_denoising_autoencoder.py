"""The denoising autoencoder: its sizes, its pairs, its report, and that it denoises."""

import librosa
import numpy as np
import pytest
import torch
from torch import nn

from soundproof import Examples, Recipe, Sounds, Trainer, TrainingData
from soundproof_defenses._denoiser import Denoiser
from soundproof_defenses._denoising import Denoising, add_noise, improvement, pairs
from soundproof_defenses._purifiers import PicturePurifier, SoundPurifier
from soundproof_defenses.denoising_autoencoder import DenoisingAutoencoder

pytestmark = pytest.mark.slow

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
    purifier = PicturePurifier(1)
    nn.init.constant_(purifier.denoiser.layers[-1].bias, 0.3)  # takes some values below 0
    inputs = torch.rand(2, 1, 12, 12, requires_grad=True)
    purified = purifier(inputs)
    assert 0 <= purified.min() <= purified.max() <= 1
    (gradient,) = torch.autograd.grad(purified.sum(), inputs)
    assert gradient.abs().max() > 0


RATE, LENGTH = 8000, 2048


def tones(clips, seed):
    """Three partials each, with a slow swell."""
    generator = np.random.default_rng(seed)
    times = np.arange(LENGTH) / RATE
    pitch = generator.uniform(200, 900, (clips, 1))
    partials = sum(
        np.sin(2 * np.pi * n * pitch * times + generator.uniform(0, 6, (clips, 1))) / n for n in (1, 2, 3)
    )
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * generator.uniform(1, 4, (clips, 1)) * times)
    return (0.05 * partials * swell).astype(np.float32)


def as_samples(clips):
    """Sound as a classifier of waveforms is given it."""
    return torch.from_numpy((clips + 1) / 2)[:, None]


def sound_data(train=45, validation=12):
    sounds = Sounds(RATE, lambda: tones(train, 0), lambda: tones(validation, 1), as_samples)
    parts = [Examples(as_samples(tones(*part)), torch.zeros(part[0])) for part in ((train, 0), (validation, 1))]
    return TrainingData(*parts, 2, sounds)


def snr(clean, clips):
    return 10 * np.log10((clean**2).sum(axis=1) / ((clean - clips) ** 2).sum(axis=1))


def test_sound_gains_decibels_on_held_out_clips():
    """Measured on sound by its definition, and on noise that no training has seen."""
    torch.manual_seed(0)
    defense, trainer = DenoisingAutoencoder(architecture=1), Trainer(Recipe(), 0)
    defended = defense.wrap(nn.Flatten(), (1, LENGTH), 2)
    defense.fit(defended, sound_data(), trainer)
    reported = trainer.reports["snr_improvement_db"]
    assert reported.shape == (12,)
    assert max(epoch.score for epoch in trainer.curve) == pytest.approx(reported.mean(), abs=1e-3)
    clean = tones(20, 2)
    noisy = add_noise(clean, torch.Generator().manual_seed(7))
    with torch.no_grad():
        denoised = 2 * defended(as_samples(noisy)).numpy() - 1
    gains = snr(clean, denoised) - snr(clean, noisy)
    assert gains.mean() > 3
    assert (gains > 0).mean() > 0.9
    assert gains.mean() == pytest.approx(reported.mean(), abs=2)


def test_sound_keeps_its_phases_and_gets_the_denoised_magnitudes():
    """librosa's way there and back, with the same network in between."""
    torch.manual_seed(0)
    purifier = SoundPurifier(1, 1024)
    noisy = add_noise(tones(2, 0), torch.Generator().manual_seed(0))
    options = {"n_fft": 1024, "hop_length": 512, "window": "hann"}
    spectrum = librosa.stft(noisy, pad_mode="reflect", **options)
    with torch.no_grad():
        found = 2 * purifier(as_samples(noisy))[:, 0].numpy() - 1
        magnitude = purifier.denoiser(torch.from_numpy(np.abs(spectrum))[:, None])[:, 0].numpy()
    phase = np.exp(1j * np.angle(spectrum))
    expected = librosa.istft(np.maximum(magnitude, 0) * phase, length=LENGTH, **options)
    assert np.abs(found - expected.clip(-1, 1)).max() < 1e-4


def test_gradients_through_sound_are_exact():
    """Against central differences in double precision, along random directions; silence has finite ones."""
    torch.manual_seed(0)
    purifier = SoundPurifier(1, 1024).double()
    inputs = as_samples(add_noise(tones(1, 0), torch.Generator().manual_seed(0))).double().requires_grad_()
    weights = torch.randn(1, 1, LENGTH, dtype=torch.double)
    (gradient,) = torch.autograd.grad((weights * purifier(inputs)).sum(), inputs)
    for _ in range(3):
        direction = 1e-8 * torch.randn_like(inputs)
        with torch.no_grad():
            ahead, behind = ((weights * purifier(inputs + sign * direction)).sum() for sign in (1, -1))
        torch.testing.assert_close((gradient * direction).sum(), (ahead - behind) / 2, rtol=1e-4, atol=0)
    silence = torch.full((1, 1, LENGTH), 0.5, requires_grad=True)
    (gradient,) = torch.autograd.grad(purifier.float()(silence).sum(), silence)
    assert torch.isfinite(gradient).all()


def test_it_needs_waveforms_to_learn_from_and_inputs_that_it_can_read():
    defense, given = DenoisingAutoencoder(), data()
    silent = TrainingData(given.train, given.validation, 2)
    defended = defense.wrap(nn.Flatten(), (1, SIDE, SIDE), 2)
    with pytest.raises(ValueError, match="comes without any"):
        defense.fit(defended, silent, Trainer(Recipe(), 0))
    assert defense.reason_to_skip(None, (1, 64, 64), 2) is None
    assert "one channel" in defense.reason_to_skip(None, (2, 64, 64), 2)
    assert defense.reason_to_skip(None, (1, 1024), 2) is None
    assert "waveforms of 1024 samples or more, not 1023" in defense.reason_to_skip(None, (1, 1023), 2)
    assert "not inputs of shape (40,)" in defense.reason_to_skip(None, (40,), 2)
