"""How a denoiser of pictures learns: noisy and clean pairs, and what it minimises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from soundproof import Examples, Objective, TrainingData

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import nn

    from soundproof import Sounds

# Deviation of the noise, drawn for every clip, in units of full scale.
_NOISE = (0.005, 0.02)
# Pictures denoised at once for early stopping; only memory depends on it.
_BATCH = 32


class Denoising(Objective):
    """The mean squared error against clean pictures; watched is the improvement on held-out ones."""

    def __init__(self, clean: torch.Tensor) -> None:
        """Take the clean pictures `[N, 1, H, W]`; labels are their rows."""
        super().__init__()
        self._clean = clean

    def loss(self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mean squared error of a batch."""
        return functional.mse_loss(module(inputs), self._clean[labels])

    def score(self, module: nn.Module, examples: Examples) -> float:
        """The mean improvement, dB."""
        return float(improvement(module, examples, self._clean).mean().item())


def pairs(data: TrainingData, sounds: Sounds, generator: torch.Generator) -> tuple[TrainingData, torch.Tensor]:
    """Noisy pictures of the original clips, labelled with the rows of their clean ones, and those.

    Args:
        data: Clean pictures.
        sounds: Their waveforms.
        generator: Of the noise.

    Returns:
        Noisy pictures as training data, and clean pictures `[N, 1, H, W]`.
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
    """By how much each picture's SNR against its clean one rises, dB, `[n]`.

    With SNR(c, y) = 10·log₁₀(Σc² / Σ(c − y)²) the signal cancels: what is left is the ratio of the errors.
    """
    improved = []
    for pictures, rows in zip(torch.split(noisy.inputs, _BATCH), torch.split(noisy.labels, _BATCH), strict=True):
        with torch.inference_mode():
            errors = [
                (values - clean[rows]).double().square().flatten(1).sum(dim=1)
                for values in (pictures, module(pictures).clamp(0, 1))
            ]
        improved.append(10 * torch.log10(errors[0] / errors[1]))
    return torch.cat(improved)
