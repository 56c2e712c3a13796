"""Pictures of several channels from one transform, each channel with its own size before resizing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from soundproof_representations._batches import in_parallel
from soundproof_representations._picture import MinMax, check_length, resized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Parts = Callable[[torch.Tensor], Iterable[torch.Tensor]]


class Channels(nn.Module):
    """A representation of several channels: transform once, scale and resize each.

    Args:
        transform: Waveforms `[n, T]` to a list of values `[n, F, frames]`, one a channel.
        scales: Those values to [0, 1], one a channel.
        size: Height and width of the picture.
        samples: Length T of the clips.
        parts: Splits clips into what goes through the transform together, `as_given` or `Unpadded`.

    Attributes:
        transform: As given.
        scales: As given.
    """

    def __init__(
        self, transform: nn.Module, scales: Sequence[MinMax], size: tuple[int, int], samples: int, parts: Parts
    ) -> None:
        super().__init__()
        self.samples = samples
        self.size = size
        self.transform = transform
        self.scales = nn.ModuleList(scales)
        self._parts = parts

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to pictures `[n, C, H, W]` in [0, 1].

        Raises:
            ValueError: The clips are not of the length it was made for.
        """
        check_length(waveforms, self.samples)
        return in_parallel(lambda some: torch.cat([self._pictures(part) for part in self._parts(some)]), waveforms)

    def _pictures(self, waveforms: torch.Tensor) -> torch.Tensor:
        channels = zip(self.transform(waveforms), self.scales, strict=True)
        pictures = [resized(scale(values), self.size) for values, scale in channels]
        return torch.stack(pictures, 1).clamp(0, 1)  # the resize may round beyond the box


def as_given(waveforms: torch.Tensor) -> Iterable[torch.Tensor]:
    """Clips `[n, T]` all together, with what pads them."""
    return (waveforms,)


class Unpadded:
    """Clips one by one, each without the zeros at its end that pad a recording to a clip.

    Args:
        shortest: Samples that are kept at least.
    """

    def __init__(self, shortest: int) -> None:
        self.shortest = shortest

    def __call__(self, waveforms: torch.Tensor) -> Iterable[torch.Tensor]:
        """Clips `[n, T]` to `[1, t]` each; t ends with the last sample that is not zero."""
        for clip in waveforms:
            sounding = clip.detach().nonzero()
            last = int(sounding[-1, 0]) + 1 if len(sounding) else 0
            yield clip[None, : max(self.shortest, last)]


def fit_channels(
    transform: nn.Module, waveforms: torch.Tensor, size: tuple[int, int], *, together: bool, parts: Parts
) -> Channels:
    """Scale channels by their ranges over training clips `[N, T]`: one range for all, or one for each."""
    transform = transform.to(waveforms.device)

    def ranges(some: torch.Tensor) -> torch.Tensor:
        return torch.cat([_bounds(transform(part)) for part in parts(some)])

    with torch.no_grad():
        lows, highs = in_parallel(ranges, waveforms).unbind(-1)
    low, high = lows.amin(0), highs.amax(0)
    if together:
        low, high = low.amin().expand_as(low).clone(), high.amax().expand_as(high).clone()
    scales = [MinMax(*bounds) for bounds in zip(low.clone(), high.clone(), strict=True)]
    return Channels(transform, scales, size, waveforms.shape[-1], parts)


def _bounds(channels: Sequence[torch.Tensor]) -> torch.Tensor:
    """Lowest and highest of channels `[n, F, frames]`: `[n, C, 2]`."""
    return torch.stack([torch.stack([values.amin((1, 2)), values.amax((1, 2))], 1) for values in channels], 1)
