"""The short-time Fourier transform: decibels, log magnitude or real part."""

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

# The digit classifier of arXiv 2010.08534 sees one second resampled to 16,384 Hz, bin by bin and frame by frame.
_DIGITS: dict[str, Any] = {
    "sr": 16384,
    "n_fft": 256,
    "hop": 128,
    "framing": "end-padded",
    "size": (129, 128),
}


@dataclass(frozen=True, kw_only=True)
class STFT(PictureRepresentation):
    """STFT spectrogram, by default of the power in dB below the clip's maximum.

    The other two `values` keep the level of the clip: for samples in [-1, 1] no |X| exceeds the sum Σw of the
    window, so that ln(1 + |X|) / ln(1 + Σw) and (Re X / Σw + 1) / 2 lie in [0, 1].
    """

    id = "stft"
    inverse: ClassVar[Inverse | None] = Inverse(error=1e-5)
    # 2048/512 of arXiv 2008.11618 §VI; of arXiv 2007.13703 the best of Table II and Fig. 4, whose hop stays 512.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "001": {"sr": 22050, "n_fft": 2048, "hop": 512},
        "002-esc10": {"n_fft": 1024, "window_scale": 1.0, "hop": 512},
        "002-esc50": {"n_fft": 1024, "window_scale": 0.5, "hop": 512},
        "002-urbansound8k": {"n_fft": 2048, "window_scale": 0.5, "hop": 512},
        "004": {**_DIGITS, "values": "real"},
        "004-log": {**_DIGITS, "values": "log1p"},
    }

    sr: Annotated[int, Field(ge=1000, le=192000, description="sampling rate, Hz")] = 22050
    n_fft: Annotated[int, Field(ge=16, le=65536, multiple_of=2, description="points of the transform")] = 2048
    window_scale: Annotated[float, Field(gt=0, le=1, description="window length as a share of n_fft")] = 1.0
    hop: Annotated[
        int | None,
        Field(
            ge=1,
            description="samples between frames; none is min(512, window / 2); above a window some are unseen",
        ),
    ] = None
    framing: Annotated[
        Literal["centred", "end-padded"],
        Field(description="frames centred on multiples of the hop, or beginning there (tf.signal.stft's pad_end)"),
    ] = "centred"
    values: Annotated[
        Literal["decibels", "log1p", "real"],
        Field(description="10 log10 |X|² below the clip's maximum, ln(1 + |X|), or Re X"),
    ] = "decibels"

    def __post_init__(self) -> None:
        if self.window < 2:
            raise ValueError(f"window_scale {self.window_scale} leaves a window of {self.window} samples")

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

    def reason_without_inverse(self) -> str | None:
        """Overlap-add needs centred windows that overlap by half, and Re X alone is no spectrum."""
        if self.values == "real":
            return f"{self.id}: Re X has lost Im X, so that there is no way back to sound"
        if self.framing != "centred" or 2 * self.step > self.window:
            return f"{self.id}: only centred windows that overlap by half or more can be added up to sound"
        return super().reason_without_inverse()

    def build(self, waveforms: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """Nothing is fitted: the scale is the clip's own, or fixed."""
        from soundproof_representations._picture import (
            Decibels,
            InvertiblePicture,
            LogMagnitude,
            Picture,
            interval,
        )
        from soundproof_representations._spectral import EndPaddedSTFTPower, RealPart, STFTPower

        framed = STFTPower if self.framing == "centred" else EndPaddedSTFTPower
        power = framed(self.n_fft, self.step, self.window)
        samples = waveforms.shape[-1]
        if self.values == "real":
            return Picture(RealPart(power), interval(-power.bound, power.bound), size, samples)
        scale = Decibels() if self.values == "decibels" else LogMagnitude(power.bound)
        invertible = self.reason_without_inverse() is None
        return (InvertiblePicture if invertible else Picture)(power, scale, size, samples)
