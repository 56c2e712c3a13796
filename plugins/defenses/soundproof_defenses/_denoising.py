"""Training of a denoiser: noisy and clean pairs, and what it minimises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from soundproof import Examples, Objective, TrainingData
from soundproof_defenses._purifiers import SoundPurifier

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import nn

    from soundproof import Sounds

# Deviation of the noise, drawn for every clip, in units of full scale.
_NOISE = (0.005, 0.02)
# Inputs denoised at once for early stopping; only memory depends on it.
_BATCH = 32
# Frames of a training example of sound, from anywhere in its clip: 5 s at 16 kHz have 157 and would cost ten times
# as much.
_FRAMES = 16


class Denoising(Objective):
    """The mean squared error against clean inputs; watched is the improvement on held-out ones."""

    def __init__(self, clean: torch.Tensor) -> None:
        """Take the clean inputs `[N, ...]`; labels are their rows."""
        super().__init__()
        self._clean = clean

    def loss(self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mean squared error of a batch."""
        return functional.mse_loss(module(inputs), self._clean[labels])

    def score(self, module: nn.Module, examples: Examples) -> float:
        """The mean improvement, dB."""
        return float(improvement(module, examples, self._clean).mean().item())


class MagnitudeDenoising(Denoising):
    """The mean squared error of magnitudes in some frames; watched is the improvement of the sound."""

    def __init__(self, clean: torch.Tensor, generator: torch.Generator) -> None:
        """Take the clean inputs `[N, 1, T]`, and what says which frames are next."""
        super().__init__(clean)
        self._generator = generator

    def loss(self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mean squared error of a batch, in the same frames of every clip."""
        assert isinstance(module, SoundPurifier)
        noisy, clean = (module.spectrum(part).abs()[:, None] for part in (inputs, self._clean[labels]))
        last = max(0, noisy.shape[-1] - _FRAMES)
        draw = torch.randint(last + 1, (1,), generator=self._generator, device=self._generator.device)
        frames = slice(int(draw), int(draw) + _FRAMES)
        return functional.mse_loss(module.denoiser(noisy[..., frames]), clean[..., frames])


def pairs(data: TrainingData, sounds: Sounds, generator: torch.Generator) -> tuple[TrainingData, torch.Tensor]:
    """Inputs of the original clips with noise, labelled with the rows of their clean ones, and those.

    Args:
        data: Clean inputs.
        sounds: Their waveforms.
        generator: Of the noise.

    Returns:
        Noisy inputs as training data, and clean inputs `[N, ...]`.
    """
    train = sounds.represent(add_noise(sounds.waveforms(), generator))
    validation = sounds.represent(add_noise(sounds.validation(), generator))
    rows = torch.arange(len(train) + len(validation), device=train.device)
    noisy = TrainingData(
        Examples(train, rows[: len(train)]), Examples(validation, rows[len(train) :]), data.classes
    )
    return noisy, torch.cat([data.train.inputs[: len(train)], data.validation.inputs])


def add_noise(waveforms: npt.NDArray[np.float32], generator: torch.Generator) -> npt.NDArray[np.float32]:
    """Waveforms `[n, T]` in [-1, 1] with white noise whose deviation is drawn evenly for every clip."""
    low, high = _NOISE
    device = generator.device
    level = low + (high - low) * torch.rand(len(waveforms), 1, generator=generator, device=device)
    noise = level * torch.randn(waveforms.shape, generator=generator, device=device)
    noisy: npt.NDArray[np.float32] = np.clip(waveforms + noise.cpu().numpy(), -1, 1)
    return noisy


def improvement(module: nn.Module, noisy: Examples, clean: torch.Tensor) -> torch.Tensor:
    """By how much each input's SNR against its clean one rises, dB, `[n]`.

    With SNR(c, y) = 10·log₁₀(Σc² / Σ(c − y)²) the signal cancels: what is left is the ratio of the errors. It is
    that of sound where inputs are waveforms, whatever their offset and scale.
    """
    improved = []
    for inputs, rows in zip(torch.split(noisy.inputs, _BATCH), torch.split(noisy.labels, _BATCH), strict=True):
        with torch.inference_mode():
            errors = [
                (values - clean[rows]).double().square().flatten(1).sum(dim=1)
                for values in (inputs, module(inputs).clamp(0, 1))
            ]
        improved.append(10 * torch.log10(errors[0] / errors[1]))
    return torch.cat(improved)
