"""The STFT power spectrogram in decibels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from soundproof_representations._component import PictureRepresentation, longer_than_fft

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class STFT(PictureRepresentation):
    """STFT power spectrogram in dB below the clip's maximum."""

    id = "stft"

    sr: Annotated[int, Field(ge=1000, le=192000, description="sampling rate, Hz")] = 22050
    n_fft: Annotated[int, Field(ge=16, le=65536, multiple_of=2, description="points of the transform")] = 2048
    window_scale: Annotated[float, Field(gt=0, le=1, description="window length as a share of n_fft")] = 1.0
    hop: Annotated[int | None, Field(ge=1, description="samples between frames; none is min(512, window / 2)")] = (
        None
    )

    def __post_init__(self) -> None:
        if self.window < 2:
            raise ValueError(f"window_scale {self.window_scale} leaves a window of {self.window} samples")
        if self.step > self.window:
            raise ValueError(f"hop {self.step} leaves samples unseen between windows of {self.window} samples")

    @property
    def window(self) -> int:
        """Length of the Hann window, samples."""
        return round(self.window_scale * self.n_fft)

    @property
    def step(self) -> int:
        """Samples between frames."""
        return self.hop or min(512, self.window // 2)

    @property
    def rate(self) -> int:
        """Sampling rate, Hz."""
        return self.sr

    def reason_to_skip(self, samples: int) -> str | None:
        """A clip must fill one frame."""
        return longer_than_fft(self, self.n_fft, samples)

    def build(self, waveforms: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """Nothing is fitted: the scale is the clip's own."""
        from soundproof_representations._picture import Decibels, InvertiblePicture
        from soundproof_representations._spectral import STFTPower

        transform = STFTPower(self.n_fft, self.step, self.window)
        return InvertiblePicture(transform, Decibels(), size, waveforms.shape[-1])
