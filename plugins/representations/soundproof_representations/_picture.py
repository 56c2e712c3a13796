"""From a transform of clips to a picture in [0, 1]: scaling, resizing, and working through a batch."""

from __future__ import annotations

import torch
from torch import nn

DYNAMIC_RANGE = 80.0
"""Decibels between black and white."""

_CHUNK = 4
"""Clips at a time on a CPU: their intermediate results then stay in the cache (measured: twice as fast as 64)."""


class Decibels(nn.Module):
    """Power to decibels below the clip's maximum, from -80 dB = 0 to 0 dB = 1."""

    def forward(self, power: torch.Tensor) -> torch.Tensor:
        """Power `[n, F, T]` to [0, 1]."""
        decibels = 10 * power.clamp(min=1e-10).log10()
        loudest = decibels.amax((-1, -2), keepdim=True)
        return ((decibels - loudest) / DYNAMIC_RANGE + 1).clamp(min=0)


class MinMax(nn.Module):
    """Maps an interval fixed on the training clips to [0, 1], and clips what lies beyond it.

    Args:
        low: Becomes 0; broadcasts against `[n, F, T]`.
        high: Becomes 1.
    """

    low: torch.Tensor
    high: torch.Tensor

    def __init__(self, low: torch.Tensor, high: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("low", low)
        self.register_buffer("high", high)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values `[n, F, T]` to [0, 1]."""
        span = (self.high - self.low).clamp(min=torch.finfo(values.dtype).tiny)
        return ((values - self.low) / span).clamp(0, 1)


class Resize(nn.Module):
    """Bilinear resize of `[n, F, T]` to `[n, *size]`, averaging over what a smaller picture cannot show."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures `[n, F, T]` to `[n, H, W]`."""
        return nn.functional.interpolate(
            pictures[:, None], self.size, mode="bilinear", align_corners=False, antialias=True
        )[:, 0]


class Picture(nn.Module):
    """A representation of one channel: transform, scale, resize.

    Attributes:
        transform: Waveforms `[n, T]` to values `[n, F, frames]`, row 0 the lowest frequency.
        scale: Those values to [0, 1].
        resize: `[n, F, frames]` to `[n, H, W]`.
    """

    def __init__(self, transform: nn.Module, scale: nn.Module, size: tuple[int, int]) -> None:
        super().__init__()
        self.transform = transform
        self.scale = scale
        self.resize = Resize(size)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to pictures `[n, 1, H, W]` in [0, 1]."""
        chunks = torch.split(waveforms, _CHUNK if waveforms.device.type == "cpu" else len(waveforms))
        return torch.cat([self.resize(self.scale(self.transform(chunk))) for chunk in chunks])[:, None]


def fit_min_max(transform: nn.Module, waveforms: torch.Tensor, *, per_row: bool) -> MinMax:
    """The range of a transform over training clips `[N, T]`: of each row, or of everything."""
    over = (0, 2) if per_row else (0, 1, 2)
    with torch.no_grad():
        parts = [transform(chunk) for chunk in torch.split(waveforms, _CHUNK)]
        low = torch.stack([part.amin(over, keepdim=True) for part in parts]).amin(0)
        high = torch.stack([part.amax(over, keepdim=True) for part in parts]).amax(0)
    return MinMax(low[0], high[0])
