"""Representations of clips at another rate than theirs."""

from __future__ import annotations

import numpy as np
import soxr
import torch
from torch import nn

from soundproof_representations._component import resampled_length


class Resampled(nn.Module):
    """A representation behind a resampling, done as data sets resample what they read: soxr's HQ, cut at ±1.

    Not differentiable unless both rates are the same.

    Args:
        represent: Waveforms at `rate` to inputs.
        native: Rate of the given clips, Hz.
        rate: Rate that `represent` wants, Hz.
    """

    def __init__(self, represent: nn.Module, native: int, rate: int) -> None:
        super().__init__()
        self.represent = represent
        self.native = native
        self.rate = rate

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` at the native rate to inputs."""
        return self.represent(self.resample(waveforms))  # type: ignore[no-any-return]

    def resample(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` at the native rate to `[n, T · rate / native]`."""
        if self.native == self.rate:
            return waveforms
        length = resampled_length(waveforms.shape[-1], self.native, self.rate)
        native = waveforms.detach().cpu().numpy()
        clips = np.zeros((len(native), length), native.dtype)
        for row, clip in zip(clips, native, strict=True):
            sound = soxr.resample(clip, self.native, self.rate, quality="HQ")[:length]
            row[: len(sound)] = sound.clip(-1, 1)
        return torch.from_numpy(clips).to(waveforms)
