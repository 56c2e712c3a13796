"""Wavelet scalograms of three mother wavelets; the papers call them DWT."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping  # noqa: TC003 - parameters are read from the annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Inverse
from soundproof_representations._component import PictureRepresentation, too_short

if TYPE_CHECKING:
    import torch
    from torch import nn

    from soundproof_representations._mothers import Mother

LOWEST = 60.0
"""Centre frequency of the lowest row, Hz; the highest row's is half the sampling rate."""


@dataclass(frozen=True, kw_only=True)
class WaveletScalogram(PictureRepresentation, ABC):
    """Magnitude of a continuous wavelet transform, averaged over half-overlapping frames."""

    # Rounding is amplified where an impulse is faint in a row; recordings come back exactly.
    inverse: ClassVar[Inverse | None] = Inverse(error=1e-3)
    # The rates that are best in arXiv 2007.13703, Table III.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "002-esc10": {"sr": 8000, "frame": 50.0},
        "002-esc50": {"sr": 16000, "frame": 50.0},
        "002-urbansound8k": {"sr": 8000, "frame": 50.0},
    }

    sr: Annotated[int, Field(ge=1000, le=192000, description="sampling rate, Hz")] = 8000
    frame: Annotated[float, Field(gt=0, le=1000, description="frame length, ms; frames overlap by half")] = 50.0
    scales: Annotated[
        int | None, Field(ge=2, description="scales, log-spaced; none is one a row of the picture")
    ] = None
    magnitude: Annotated[
        Literal["log", "linear", "log_real"],
        Field(description="dB of |W|, |W| by the clip's maximum, or dB of |Re W|"),
    ] = "log"

    def __post_init__(self) -> None:
        if self.hop < 1:
            raise ValueError(f"frame {self.frame} ms is shorter than two samples at {self.sr} Hz")

    @property
    def hop(self) -> int:
        """Samples between frames; a frame is two hops."""
        return round(self.sr * self.frame / 2000)

    @property
    def rate(self) -> int:
        """Sampling rate, Hz."""
        return self.sr

    @abstractmethod
    def mother(self) -> Mother:
        """The mother wavelet."""

    def reason_to_skip(self, samples: int) -> str | None:
        """A clip must fill one frame."""
        longest = 2000 * (samples // 2) / self.sr
        needed = f"a frame of {self.frame} ms ({2 * self.hop} samples)"
        return too_short(self, needed, 2 * self.hop, samples, f"use a frame of at most {longest:.4g} ms")

    def build(self, waveforms: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """Nothing is fitted: the scale is the clip's own."""
        import numpy as np

        from soundproof_representations._picture import Decibels, InvertiblePicture, Peak
        from soundproof_representations._scalogram import Scalogram

        samples = waveforms.shape[-1]
        mother = self.mother()
        frequencies = np.geomspace(LOWEST, self.sr / 2, self.scales or max(2, size[0]))
        filters = [mother.filter(scale) for scale in mother.frequency * self.sr / frequencies]
        parts = 2 if mother.is_complex and self.magnitude != "log_real" else 1
        transform = Scalogram(filters, parts=parts, hop=self.hop, samples=samples)
        scale = Peak() if self.magnitude == "linear" else Decibels(exponent=1)
        return InvertiblePicture(transform, scale, size, samples)


@dataclass(frozen=True, kw_only=True)
class Morlet(WaveletScalogram):
    """Scalogram of the complex Morlet wavelet."""

    id = "dwt-morlet"
    # arXiv 2008.11618, §VI.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "001-esc50": {"sr": 16000, "frame": 50.0},
        "001-urbansound8k": {"sr": 8000, "frame": 50.0},
        **WaveletScalogram.presets,
    }

    def mother(self) -> Mother:
        """exp(iω₀t) under a Gaussian."""
        from soundproof_representations._mothers import morlet

        return morlet()


@dataclass(frozen=True, kw_only=True)
class MexicanHat(WaveletScalogram):
    """Scalogram of the Mexican hat wavelet."""

    id = "dwt-mexican-hat"

    def mother(self) -> Mother:
        """The second derivative of a Gaussian."""
        from soundproof_representations._mothers import mexican_hat

        return mexican_hat()


@dataclass(frozen=True, kw_only=True)
class Haar(WaveletScalogram):
    """Scalogram of the Haar wavelet."""

    id = "dwt-haar"

    def mother(self) -> Mother:
        """One step up, one down."""
        from soundproof_representations._mothers import haar

        return haar()
