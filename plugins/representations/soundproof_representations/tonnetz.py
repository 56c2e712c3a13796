"""Tonal centroids, alone and beside a spectrogram."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping  # noqa: TC003 - parameters are read from the annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Inverse
from soundproof_representations._component import PictureRepresentation, resampled_length
from soundproof_representations.stft import STFT
from soundproof_representations.wavelet import Morlet

if TYPE_CHECKING:
    import torch
    from torch import nn

CHROMA_RATE = 22050
"""Rate of the sound that centroids are taken from, Hz."""

SPECTRAL_SHARE = 768 / 1308
"""Of the rows of a joined picture: 768 of the spectrogram and 540 of the centroids in the paper."""


@dataclass(frozen=True, kw_only=True)
class Tonnetz(PictureRepresentation):
    """Tonal centroids of a constant-Q chromagram."""

    id = "tonnetz"
    differentiable = False

    output: Annotated[
        Literal["centroids", "hcdf"],
        Field(description="the six centroids, or the harmonic change detection function made of them"),
    ] = "centroids"
    sigma: Annotated[float, Field(gt=0, description="smoothing of the hcdf, frames")] = 8.0

    @property
    def rate(self) -> int:
        """Sampling rate, Hz."""
        return CHROMA_RATE

    def build(self, waveforms: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """Nothing is fitted: centroids have fixed bounds."""
        from soundproof_representations import _chroma
        from soundproof_representations._picture import Peak, interval

        samples = waveforms.shape[-1]
        centroids = _chroma.TonalCentroids()
        if self.output == "centroids":
            return _chroma.TonalPicture(centroids, interval(-1, 1), size, samples)
        return _chroma.TonalPicture(_chroma.HarmonicChange(centroids, self.sigma), Peak(), size, samples)


@dataclass(frozen=True, kw_only=True)
class _WithTonnetz(PictureRepresentation, ABC):
    """A spectrogram with tonal centroids; goes before the spectrogram's class, whose rate is its `sr`."""

    differentiable = False
    # The gradient is the spectrogram's, as if the centroids stood still.
    surrogate = True
    # librosa's estimate of a clip's tuning can jump with rounding, and centroids with it.
    inverse: ClassVar[Inverse | None] = Inverse(
        error=0.1, lost="the tonal centroids: a sound is made of the spectrogram part, and they follow from it"
    )

    join: Annotated[
        Literal["rows", "channels"],
        Field(description="centroids in the rows above the spectrogram, or as a second channel"),
    ] = "rows"

    @property
    def rate(self) -> int:
        """Sampling rate of the clips, Hz: the higher of both parts', which resample to their own."""
        return max(CHROMA_RATE, self._spectral_rate)

    @property
    def _spectral_rate(self) -> int:
        return super().rate  # type: ignore[safe-super]

    def shape(self, samples: int) -> tuple[int, ...]:  # noqa: ARG002
        """One channel of `size`, or two."""
        return (1 if self.join == "rows" else 2, *self.size)

    def reason_to_skip(self, samples: int) -> str | None:
        """Why the spectrogram of clips of so many samples cannot be made."""
        return super().reason_to_skip(resampled_length(samples, self.rate, self._spectral_rate))

    def build(self, waveforms: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """Build both parts for their share of the picture, each behind a resampling to its rate."""
        from soundproof_representations import _chroma
        from soundproof_representations._picture import Joined, interval
        from soundproof_representations._resampling import Resampled

        height, width = size
        below = round(height * SPECTRAL_SHARE) if self.join == "rows" else height
        above = height - below if self.join == "rows" else height
        if not below or not above:
            raise ValueError(f"{self.id}: a picture of {height} row has no room for both parts; use a taller size")
        samples = waveforms.shape[-1]

        def at(rate: int) -> torch.Tensor:
            return waveforms.new_zeros(1, resampled_length(samples, self.rate, rate))

        spectral = super().build(at(self._spectral_rate), (below, width))  # type: ignore[safe-super]
        tonal = _chroma.TonalPicture(
            _chroma.TonalCentroids(), interval(-1, 1), (above, width), at(CHROMA_RATE).shape[-1]
        )
        return Joined(
            Resampled(spectral, self.rate, self._spectral_rate),
            Resampled(tonal, self.rate, CHROMA_RATE),
            dim=-2 if self.join == "rows" else 1,
            share=below if self.join == "rows" else 1,
        )


@dataclass(frozen=True, kw_only=True)
class STFTTonnetz(_WithTonnetz, STFT):
    """STFT spectrogram with tonal centroids."""

    id = "stft-tonnetz"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"001": STFT.presets["001"]}


@dataclass(frozen=True, kw_only=True)
class DWTTonnetz(_WithTonnetz, Morlet):
    """Scalogram of the complex Morlet wavelet with tonal centroids."""

    id = "dwt-tonnetz"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        name: values for name, values in Morlet.presets.items() if name.startswith("001")
    }
