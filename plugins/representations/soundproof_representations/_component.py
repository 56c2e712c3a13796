"""Parts that all representations that give pictures share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from soundproof import Representation

if TYPE_CHECKING:
    import torch
    from torch import nn

Length = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, kw_only=True)
class PictureRepresentation(Representation):
    """A representation in pictures of one size."""

    size: Annotated[tuple[Length, Length], Field(description="height and width of the picture, pixels")] = (
        128,
        128,
    )

    def shape(self, samples: int) -> tuple[int, ...]:  # noqa: ARG002
        """One channel of `size`, whatever the length of the clip."""
        return (1, *self.size)

    def fit(self, waveforms: torch.Tensor) -> nn.Module:
        """Build the transform, on the device of the waveforms.

        Raises:
            ValueError: The clips are too short.
        """
        reason = self.reason_to_skip(waveforms.shape[-1])
        if reason is not None:
            raise ValueError(reason)
        return self.build(waveforms, self.size).to(waveforms.device)

    @abstractmethod
    def build(self, waveforms: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """Build the transform for clips that are long enough."""


def too_short(component: Representation, needed: str, length: int, samples: int, remedy: str) -> str | None:
    """Why a clip of so many samples is too short for something of a length, or None."""
    if length <= samples:
        return None
    return f"{component.id}: {needed} is longer than the clip of {samples} samples; {remedy}"


def longer_than_fft(component: Representation, n_fft: int, samples: int) -> str | None:
    """Why a clip of so many samples does not fill one frame of a transform, or None."""
    return too_short(component, f"n_fft {n_fft}", n_fft, samples, f"use at most {samples // 2 * 2}")


def resampled_length(samples: int, native: int, rate: int) -> int:
    """Samples that so many at a native rate become at another."""
    return round(samples * rate / native)
