"""Pictures of several channels from one transform, each channel with its own size before resizing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from soundproof_representations._batches import in_parallel
from soundproof_representations._picture import MinMax, Resize, check_length

if TYPE_CHECKING:
    from collections.abc import Sequence


class Channels(nn.Module):
    """A representation of several channels: transform once, scale and resize each.

    Args:
        transform: Waveforms `[n, T]` to a list of values `[n, F, frames]`, one a channel.
        scales: Those values to [0, 1], one a channel.
        size: Height and width of the picture.
        samples: Length T of the clips.

    Attributes:
        transform: As given.
        scales: As given.
        resizes: `[n, F, frames]` to `[n, H, W]`, one a channel.
    """

    def __init__(
        self, transform: nn.Module, scales: Sequence[MinMax], size: tuple[int, int], samples: int
    ) -> None:
        super().__init__()
        self.samples = samples
        self.transform = transform
        self.scales = nn.ModuleList(scales)
        silence = torch.zeros(1, samples, device=scales[0].low.device)
        self.resizes = nn.ModuleList(
            Resize((values.shape[-2], values.shape[-1]), size) for values in transform(silence)
        )

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to pictures `[n, C, H, W]` in [0, 1].

        Raises:
            ValueError: The clips are not of the length it was made for.
        """
        check_length(waveforms, self.samples)
        return in_parallel(self._pictures, waveforms)

    def _pictures(self, waveforms: torch.Tensor) -> torch.Tensor:
        channels = zip(self.transform(waveforms), self.scales, self.resizes, strict=True)
        pictures = [resize(scale(values)) for values, scale, resize in channels]
        return torch.stack(pictures, 1).clamp(0, 1)  # the resize may round beyond the box


def fit_channels(
    transform: nn.Module, waveforms: torch.Tensor, size: tuple[int, int], *, together: bool
) -> Channels:
    """Scale channels by their ranges over training clips `[N, T]`: one range for all, or one for each."""
    transform = transform.to(waveforms.device)

    def ranges(part: torch.Tensor) -> torch.Tensor:
        bounds = [torch.stack([values.amin((1, 2)), values.amax((1, 2))], 1) for values in transform(part)]
        return torch.stack(bounds, 1)

    with torch.no_grad():
        lows, highs = in_parallel(ranges, waveforms).unbind(-1)
    low, high = lows.amin(0), highs.amax(0)
    if together:
        low, high = low.amin().expand_as(low).clone(), high.amax().expand_as(high).clone()
    scales = [MinMax(*bounds) for bounds in zip(low.clone(), high.clone(), strict=True)]
    return Channels(transform, scales, size, waveforms.shape[-1])
