"""Samples as inputs in [0, 1], and back."""

from __future__ import annotations

from math import log1p

import torch
from torch import nn


class Linear(nn.Module):
    """(x + 1) / 2 of the first `length` samples.

    Args:
        length: Longer clips are cut, shorter ones padded with zeros.
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def transform(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, T]` to `[n, length]` in [-1, 1]; louder samples are clipped."""
        missing = self.length - waveforms.shape[-1]
        return nn.functional.pad(waveforms, (0, missing)).clamp(-1, 1)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, T]` to `[n, 1, length]` in [0, 1]."""
        return ((self.transform(waveforms) + 1) / 2)[:, None]

    def inverse(self, inputs: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Inputs `[n, 1, length]` to waveforms `[n, T]`; what lies beyond them is the reference's, `[n, T]`."""
        samples = self.expanded(2 * inputs[:, 0] - 1)[..., : reference.shape[-1]]
        return torch.cat([samples, reference[..., samples.shape[-1] :]], -1)

    def expanded(self, companded: torch.Tensor) -> torch.Tensor:
        """Samples of what inputs hold, both in [-1, 1]."""
        return companded


class Companded(Linear):
    """Mu-law codes (ITU-T G.711 in continuous form): F = sign(x) ln(1 + μ|x|) / ln(1 + μ), rounded to a code.

    Rounding has no gradient; the one given is that of F, as if nothing were rounded.

    Args:
        length: Longer clips are cut, shorter ones padded with zeros.
        levels: Number of codes, μ + 1.
    """

    def __init__(self, length: int, levels: int) -> None:
        super().__init__(length)
        self.mu = levels - 1

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, T]` to `[n, 1, length]` in {0, 1 / μ, …, 1}."""
        samples = self.transform(waveforms)
        companded = samples.sign() * (self.mu * samples.abs()).log1p() / log1p(self.mu)
        exact = (companded + 1) / 2
        codes = (exact.detach() * self.mu + 0.5).floor() / self.mu
        return (exact + (codes - exact.detach()))[:, None]

    def expanded(self, companded: torch.Tensor) -> torch.Tensor:
        """Samples of their companded values, both in [-1, 1]."""
        return companded.sign() * torch.expm1(companded.abs() * log1p(self.mu)) / self.mu
