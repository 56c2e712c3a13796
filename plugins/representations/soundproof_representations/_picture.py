"""From a transform of clips to pictures in [0, 1]: scaling, resizing, and working through a batch."""

from __future__ import annotations

from functools import lru_cache
from math import log, log1p

import torch
from torch import nn

from soundproof_representations._batches import in_parallel
from soundproof_representations._spectral import root

DYNAMIC_RANGE = 80.0
"""Decibels between 0 and 1 in a picture."""


class Decibels(nn.Module):
    """Decibels below the clip's maximum, from -80 dB = 0 to 0 dB = 1.

    Args:
        exponent: 2 for power (10 log10, floor 1e-10), 1 for magnitude (20 log10, floor 1e-5).
    """

    def __init__(self, exponent: int = 2) -> None:
        super().__init__()
        self.factor = 20.0 / exponent
        self.floor = 10 ** (-100 / self.factor)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values `[n, F, T]` to [0, 1]."""
        levels = self.factor * values.clamp(min=self.floor).log10()
        loudest = levels.amax((-1, -2), keepdim=True)
        return ((levels - loudest) / DYNAMIC_RANGE + 1).clamp(min=0)

    def inverse(self, pictures: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Values that a picture stands for.

        Args:
            pictures: In [0, 1], `[n, F, T]`.
            reference: Values `[n, F, T]` that give the level of the clip; where a picture agrees with theirs,
                they are returned as they are.
        """
        loudest = reference.amax((-1, -2), keepdim=True).clamp(min=self.floor)
        quietest = loudest * 10 ** (-DYNAMIC_RANGE / self.factor)
        start = torch.where(pictures > 0, torch.maximum(reference, quietest), reference)
        change: torch.Tensor = (pictures - self(reference)) * (DYNAMIC_RANGE / self.factor)
        return start * torch.exp(change * log(10))


class LogMagnitude(nn.Module):
    """ln(1 + √P) of a power P, from 0 to what its largest value gives.

    Args:
        bound: Largest magnitude √P.
    """

    def __init__(self, bound: float) -> None:
        super().__init__()
        self.highest = log1p(bound)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Power `[n, F, T]` to [0, 1]."""
        return root(values).log1p() / self.highest

    def inverse(self, pictures: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """Power that a picture stands for; it holds the level, so that no reference is needed."""
        return (pictures * self.highest).expm1().square()


class Peak(nn.Module):
    """Values by the clip's maximum."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values `[n, F, T]`, not negative, to [0, 1]."""
        return values / _peak(values)

    def inverse(self, pictures: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Values that a picture stands for in a clip with the maximum of `reference`."""
        return pictures * _peak(reference)


class MinMax(nn.Module):
    """Maps an interval to [0, 1], and clips what lies beyond it.

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
        shares: torch.Tensor = (values - self.low) / span
        return shares.clamp(0, 1)

    def inverse(self, pictures: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Values that a picture stands for: those of `reference` `[n, F, T]`, changed as far as its picture is."""
        change: torch.Tensor = (pictures - self(reference)) * (self.high - self.low)
        return reference + change


def interval(low: float, high: float) -> MinMax:
    """Fixed bounds to [0, 1]."""
    return MinMax(torch.tensor(float(low)), torch.tensor(float(high)))


class Resize(nn.Module):
    """Bilinear resize that averages over what a smaller picture cannot show, as Pillow's `BILINEAR`.

    It is the product with two matrices, so that its gradient is the same bytes every time on a GPU too.

    Args:
        source: Height and width before.
        size: Height and width after.
    """

    rows: torch.Tensor
    columns: torch.Tensor

    def __init__(self, source: tuple[int, int], size: tuple[int, int]) -> None:
        super().__init__()
        self.register_buffer("rows", _interpolation(source[0], size[0]))
        self.register_buffer("columns", _interpolation(source[1], size[1]).T.contiguous())

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures `[n, F, T]` to `[n, H, W]`."""
        return torch.matmul(torch.matmul(self.rows, pictures), self.columns)

    def inverse(self, pictures: torch.Tensor) -> torch.Tensor:
        """The smallest pictures `[n, F, T]` that resize to `[n, H, W]`, or come nearest to it."""
        return torch.matmul(torch.matmul(torch.linalg.pinv(self.rows), pictures), torch.linalg.pinv(self.columns))


def resized(pictures: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Pictures `[n, F, T]` of any size to `[n, H, W]`, as `Resize`."""
    rows, columns = (_interpolation(*axis).to(pictures) for axis in zip(pictures.shape[-2:], size, strict=True))
    return torch.matmul(torch.matmul(rows, pictures), columns.T)


@lru_cache(maxsize=256)
def _interpolation(before: int, after: int) -> torch.Tensor:
    """The matrix `[after, before]` of a resize along one axis."""
    return nn.functional.interpolate(
        torch.eye(before)[None, None], (after, before), mode="bilinear", antialias=True
    )[0, 0]


class Picture(nn.Module):
    """A representation of one channel: transform, scale, resize.

    Args:
        transform: Waveforms `[n, T]` to values `[n, F, frames]`, row 0 the lowest frequency.
        scale: Those values to [0, 1].
        size: Height and width of the picture.
        samples: Length T of the clips.

    Attributes:
        transform: As given; its output is what librosa or PyWavelets would give.
        scale: As given.
        resize: `[n, F, frames]` to `[n, H, W]`.
    """

    def __init__(self, transform: nn.Module, scale: nn.Module, size: tuple[int, int], samples: int) -> None:
        super().__init__()
        self.samples = samples
        self.transform = transform
        self.scale = scale
        silence = in_parallel(transform, _silence(samples, like=transform))
        self.resize = Resize(_shape(silence), size)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to pictures `[n, 1, H, W]` in [0, 1].

        Raises:
            ValueError: The clips are not of the length it was made for.
        """
        check_length(waveforms, self.samples)
        return in_parallel(self._pictures, waveforms)

    def _pictures(self, waveforms: torch.Tensor) -> torch.Tensor:
        pictures = self.resize(self.scale(self.transform(waveforms)))
        return pictures[:, None].clamp(0, 1)  # type: ignore[no-any-return]  # the resize may round beyond the box


class InvertiblePicture(Picture):
    """A picture that can be turned back into sound."""

    def inverse(self, pictures: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Sound of pictures, e.g. of adversarial ones, given the sound they were made from.

        A picture has lost the phase, the level and, resized, most of its detail. All three come from the
        reference: only the difference to its picture is carried over, so that its own picture gives itself.
        The result's picture is the wanted one up to its level (each picture is relative to its own maximum) and
        up to what no sound can have: frames and rows overlap, and silence without a phase stays silent.

        Args:
            pictures: In [0, 1], `[n, 1, H, W]`.
            reference: Waveforms `[n, T]`.

        Returns:
            Waveforms `[n, T]`.
        """
        check_length(reference, self.samples)
        values = self.transform(reference)
        before = self.scale(values)
        change = self.resize.inverse(pictures[:, 0] - self.resize(before))
        after = (before + change).clamp(0, 1)
        return self.transform.inverse(self.scale.inverse(after, values), reference)  # type: ignore[no-any-return, operator]


def _peak(values: torch.Tensor) -> torch.Tensor:
    return values.amax((-1, -2), keepdim=True).clamp(min=torch.finfo(values.dtype).tiny)


class Joined(nn.Module):
    """Two pictures of the same clips side by side.

    Args:
        first: Waveforms `[n, T]` to pictures.
        second: Likewise.
        dim: -2 stacks rows, 1 channels.
        share: Rows or channels of the first.
    """

    def __init__(self, first: nn.Module, second: nn.Module, *, dim: int, share: int) -> None:
        super().__init__()
        self.first = first
        self.second = second
        self.dim = dim
        self.share = share

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to pictures `[n, C, H, W]` in [0, 1]; the first is in the lower rows."""
        return torch.cat([self.first(waveforms), self.second(waveforms)], self.dim)

    def inverse(self, pictures: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Sound of the first part of pictures `[n, C, H, W]`, given the sound `[n, T]` they were made from."""
        part = pictures.narrow(self.dim, 0, self.share)
        return self.first.inverse(part, reference)  # type: ignore[no-any-return, operator]


def check_length(waveforms: torch.Tensor, samples: int) -> None:
    """Refuse clips of another length than the transform was made for."""
    if waveforms.shape[-1] != samples:
        raise ValueError(
            f"this transform is for clips of {samples} samples, not {waveforms.shape[-1]}; fit another"
        )


def _silence(samples: int, *, like: nn.Module) -> torch.Tensor:
    device = next((buffer.device for buffer in like.buffers()), None)
    return torch.zeros(1, samples, device=device)


def _shape(values: torch.Tensor) -> tuple[int, int]:
    return values.shape[-2], values.shape[-1]


def fit_min_max(transform: nn.Module, waveforms: torch.Tensor, *, per_row: bool) -> MinMax:
    """The range of a transform over training clips `[N, T]`: of each row, or of everything."""
    over = -1 if per_row else (-1, -2)

    def ranges(part: torch.Tensor) -> torch.Tensor:
        values = transform(part)
        return torch.stack([values.amin(over, keepdim=True), values.amax(over, keepdim=True)], 1)

    with torch.no_grad():
        low, high = in_parallel(ranges, waveforms).unbind(1)
    return MinMax(low.amin(0), high.amax(0))
