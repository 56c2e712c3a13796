"""The mel spectrogram in decibels."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - parameters are read from the annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Inverse
from soundproof_representations._component import PictureRepresentation, longer_than_fft

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Mel(PictureRepresentation):
    """Mel spectrogram in dB below the clip's maximum."""

    id = "mel"
    inverse = Inverse(error=1e-5)
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "003": {"sr": 22050, "n_fft": 2048, "hop": 512, "n_mels": 128, "size": (128, 256)},
        "003-mobilenet": {"sr": 22050, "n_fft": 2048, "hop": 512, "n_mels": 128, "size": (224, 224)},
    }

    sr: Annotated[int, Field(ge=1000, le=192000, description="sampling rate, Hz")] = 22050
    n_fft: Annotated[int, Field(ge=16, le=65536, multiple_of=2, description="points of the transform")] = 2048
    hop: Annotated[int, Field(ge=1, description="samples between frames")] = 512
    n_mels: Annotated[int, Field(ge=1, description="mel bands")] = 128
    fmin: Annotated[float, Field(ge=0, description="lowest frequency, Hz")] = 0.0
    fmax: Annotated[float | None, Field(gt=0, description="highest frequency, Hz; none is sr / 2")] = None
    scale: Annotated[Literal["slaney", "htk"], Field(description="formula of the mel scale")] = "slaney"

    def __post_init__(self) -> None:
        highest = self.sr / 2 if self.fmax is None else self.fmax
        if not self.fmin < highest <= self.sr / 2:
            raise ValueError(f"fmin {self.fmin} < fmax {highest} <= sr / 2 = {self.sr / 2} does not hold")
        if self.hop > self.n_fft:
            raise ValueError(f"hop {self.hop} leaves samples unseen between frames of {self.n_fft} (n_fft)")

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
        from soundproof_representations._spectral import MelPower, STFTPower

        transform = MelPower(
            STFTPower(self.n_fft, self.hop),
            sr=self.sr,
            n_mels=self.n_mels,
            htk=self.scale == "htk",
            fmin=self.fmin,
            fmax=self.fmax,
        )
        return InvertiblePicture(transform, Decibels(), size, waveforms.shape[-1])
