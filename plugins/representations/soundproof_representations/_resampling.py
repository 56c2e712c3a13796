"""Representations of clips at another rate than theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
import torch
from torch import nn

from soundproof_representations._component import resampled_length


class Resampled(nn.Module):
    """A representation behind a resampling, done as data sets resample what they read: soxr's HQ, cut at ±1.

    Between two rates its gradient is a surrogate: that of an ideal resampling, without the ends of the clip.

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
        moved: torch.Tensor = _Resampling.apply(waveforms, self.native, self.rate, length)
        return moved.clamp(-1, 1)

    def inverse(self, inputs: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Sound of inputs, given the sound `[n, T]` they were made from.

        Only the change is resampled, so that what lies beyond the lower of both bands is the reference's.
        """
        if self.native == self.rate:
            return self.represent.inverse(inputs, reference)  # type: ignore[no-any-return, operator]
        heard = self.resample(reference)
        change = self.represent.inverse(inputs, heard) - heard  # type: ignore[operator]
        return reference + _resampled(change, self.rate, self.native, reference.shape[-1])


class _Resampling(torch.autograd.Function):
    """soxr, whose adjoint is nearly the way back, times the ratio of the rates."""

    @staticmethod
    def forward(ctx: Any, waveforms: torch.Tensor, native: int, rate: int, length: int) -> torch.Tensor:
        ctx.rates, ctx.length = (native, rate), waveforms.shape[-1]
        return _resampled(waveforms, native, rate, length)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        native, rate = ctx.rates
        return _resampled(gradient, rate, native, ctx.length) * (rate / native), None, None, None


def _resampled(waveforms: torch.Tensor, native: int, rate: int, length: int) -> torch.Tensor:
    """Waveforms `[n, T]` at another rate, cut or padded with zeros to a length."""
    given = waveforms.detach().cpu().numpy()
    clips = np.zeros((len(given), length), given.dtype)
    for row, clip in zip(clips, given, strict=True):
        sound = soxr.resample(clip, native, rate, quality="HQ")[:length]
        row[: len(sound)] = sound
    return torch.from_numpy(clips).to(waveforms)
