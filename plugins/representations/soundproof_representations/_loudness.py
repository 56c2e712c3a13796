"""RMS and zero-crossing rate in torch."""

from __future__ import annotations

import torch
from torch import nn

from soundproof_representations._spectral import root

_SILENCE = 1e-10
"""Samples no larger count as zero, and zero as positive."""


class Loudness(nn.Module):
    """Frame-wise RMS and zero-crossing rate, and their statistics over a clip.

    Args:
        frame: Samples of a frame, even.
        hop: Samples between frames.
    """

    def __init__(self, frame: int, hop: int) -> None:
        super().__init__()
        self.frame = frame
        self.hop = hop

    def rms(self, waveforms: torch.Tensor) -> torch.Tensor:
        """As `librosa.feature.rms`: `[n, T]` to `[n, frames]`, zeros beyond the ends."""
        padded = nn.functional.pad(waveforms, (self.frame // 2, self.frame // 2))
        return root(padded.unfold(-1, self.frame, self.hop).square().mean(-1))

    def crossings(self, waveforms: torch.Tensor) -> torch.Tensor:
        """As `librosa.feature.zero_crossing_rate`: `[n, T]` to `[n, frames]`, the end samples repeated.

        Piecewise constant, so its gradient is zero.
        """
        negative = (waveforms < -_SILENCE).to(waveforms)
        padded = nn.functional.pad(negative[:, None], (self.frame // 2, self.frame // 2), mode="replicate")[:, 0]
        changes = (padded[..., 1:] - padded[..., :-1]).abs()
        return changes.unfold(-1, self.frame - 1, self.hop).sum(-1) / self.frame

    def transform(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, T]` to `[n, 2, frames]`: RMS and zero-crossing rate."""
        return torch.stack([self.rms(waveforms), self.crossings(waveforms)], 1)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, T]` to `[n, 4]`: mean and population deviation of RMS, then of the zero-crossing rate."""
        frames = self.transform(waveforms)
        return torch.stack([frames.mean(-1), root(frames.var(-1, correction=0))], -1).flatten(1)
