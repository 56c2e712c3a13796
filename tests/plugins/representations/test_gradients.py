"""Gradients of classifiers of sound: through representation and network they are those of finite differences."""

import numpy as np
import pytest
import torch

from soundproof import Goal, Victim
from soundproof.contract.discovery import discover
from soundproof.types import Kind, Ref
from soundproof.victim.ball import l2_sizes
from soundproof.victim.hearing import Hearing, boxed, sound
from soundproof_representations._resampling import Resampled
from sounds import sound as noise_of

pytestmark = pytest.mark.slow

SAMPLES, SIZE = 3000, (16, 24)
EXACT = ["dwt-haar", "dwt-mexican-hat", "dwt-morlet", "hpss", "llfb", "mel", "mfcc", "rms-zcr", "stft", "waveform"]
# Their spectrogram part has gradients; what stands beside it is held still.
HELD = ["dwt-tonnetz", "stft-tonnetz"]
STEP = 1e-6


def hearing(name, **parameters):
    """A representation and a small smooth network, in double precision."""
    component = discover().build(Ref(Kind.REPRESENTATION, name, parameters))
    sized = "size" in component.parameters()
    component = discover().build(
        Ref(Kind.REPRESENTATION, name, {**parameters, "size": list(SIZE)} if sized else parameters)
    )
    training = torch.stack([torch.from_numpy(noise_of("noise", SAMPLES, seed)) for seed in (1, 2)])
    torch.manual_seed(0)
    width = int(np.prod(component.shape(SAMPLES)))
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(width, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)
    )
    return Hearing(component.fit(training), network).double()


def clip():
    return boxed(0.7 * torch.from_numpy(noise_of("noise", SAMPLES, 3))[None].double())


def slopes(module, waveforms):
    """The goal's gradient, and the differences of its loss along random directions beside what it says of them."""
    victim = Victim(module, waveforms, Goal(torch.tensor([0])))
    told = victim.gradient(waveforms).gradient
    assert victim.ledger.gradients.tolist() == [1]
    generator = torch.Generator().manual_seed(0)
    pairs = []
    for _ in range(4):
        along = torch.randn(waveforms.shape, dtype=torch.float64, generator=generator)
        along /= l2_sizes(along)
        with torch.no_grad():
            ends = [victim.goal.loss(module(waveforms + sign * STEP * along)).item() for sign in (1, -1)]
        pairs.append(((told * along).sum().item(), (ends[0] - ends[1]) / (2 * STEP)))
    return told, np.array(pairs)


@pytest.mark.parametrize("name", EXACT)
def test_gradients_of_the_sound_are_those_of_finite_differences(name):
    told, pairs = slopes(hearing(name), clip())
    assert told.shape == (1, 1, SAMPLES)
    assert np.abs(pairs[:, 1]).max() > 0
    np.testing.assert_allclose(pairs[:, 0], pairs[:, 1], rtol=1e-3, atol=1e-3 * np.abs(pairs[:, 1]).max())


@pytest.mark.parametrize("name", HELD)
def test_what_has_a_surrogate_has_the_exact_gradient_of_its_spectrogram(name):
    parameters = {"sr": 22050}  # the rate of the centroids too, so that nothing is resampled
    module = hearing(name, **parameters)
    joined = module.represent.representation

    def alone(waveforms):
        with torch.no_grad():
            tonal = joined.second(clip_samples)
        return torch.cat([joined.first(waveforms), tonal.to(waveforms)], joined.dim)

    clip_samples = sound(clip())
    _, pairs = slopes(module, clip())
    module.represent.representation = _Function(alone)
    _, held = slopes(module, clip())
    np.testing.assert_allclose(pairs[:, 0], held[:, 1], rtol=1e-3, atol=1e-3 * np.abs(held[:, 1]).max())


class _Function(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, waveforms):
        return self.function(waveforms)


@pytest.mark.parametrize(("native", "rate"), [(22050, 8000), (8000, 22050)])
def test_the_surrogate_of_a_resampling_is_nearly_its_adjoint(native, rate):
    """⟨R x, y⟩ = ⟨x, Rᵀ y⟩ for sound that both rates can hold, away from the ends."""
    generator = np.random.default_rng(0)
    time = np.arange(native) / native
    tones = sum(
        a * np.sin(2 * np.pi * f * time)
        for a, f in zip(generator.normal(size=5), [200, 440, 900, 1500, 2600], strict=True)
    )
    window = np.hanning(len(time))
    waveforms = torch.from_numpy(0.05 * tones * window)[None].requires_grad_()
    module = Resampled(torch.nn.Identity(), native, rate)
    moved = module(waveforms)
    (slope,) = torch.autograd.grad(moved.square().sum() / 2, waveforms)
    # The gradient of half the energy of R x is RᵀR x; in the band of both rates RᵀR is rate / native.
    expected = waveforms.detach() * rate / native
    assert (slope - expected).norm() / expected.norm() < 1e-3


def test_a_hearing_hears_what_training_heard():
    """Mapping samples to [0, 1] and back changes them by next to nothing, and no picture visibly."""
    samples = torch.from_numpy(noise_of("noise", SAMPLES, 5))[None]
    back = sound(boxed(samples))
    assert (back - samples).abs().max() < 1.5e-7
