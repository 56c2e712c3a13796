"""Mel-frequency cepstral coefficients."""

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
class MFCC(PictureRepresentation):
    """Mel-frequency cepstral coefficients, scaled by their range on the training clips."""

    id = "mfcc"
    # The best of arXiv 2007.13703, Table I and Fig. 3, where `lifter` is d · n_mfcc.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "002-esc10": {"sr": 8000, "n_mfcc": 20, "hop": 1024, "lifter": 0.0},
        "002-esc50": {"sr": 16000, "n_mfcc": 20, "hop": 1024, "lifter": 10.0},
        "002-urbansound8k": {"sr": 8000, "n_mfcc": 20, "hop": 1024, "lifter": 6.0},
        "003": {"sr": 22050, "n_mfcc": 39, "hop": 512, "size": (39, 128)},
    }
    fitted = True
    inverse = Inverse(
        error=1e-5, lost="detail across mel bands that the kept coefficients do not hold: it stays the clip's own"
    )

    sr: Annotated[int, Field(ge=1000, le=192000, description="sampling rate, Hz")] = 22050
    n_mfcc: Annotated[int, Field(ge=1, description="coefficients kept")] = 20
    norm: Annotated[
        Literal["ortho", "none"],
        Field(description="an orthonormal DCT basis, or plain sums (librosa's norm=None)"),
    ] = "ortho"
    dct_type: Annotated[Literal[2, 3], Field(description="type of the DCT")] = 2
    lifter: Annotated[float, Field(ge=0, description="liftering coefficient; 0 does not lifter")] = 0.0
    n_fft: Annotated[int, Field(ge=16, le=65536, multiple_of=2, description="points of the transform")] = 2048
    hop: Annotated[int, Field(ge=1, description="samples between frames")] = 1024
    n_mels: Annotated[int, Field(ge=1, description="mel bands")] = 128
    scaling: Annotated[
        Literal["coefficient", "all"],
        Field(description="one range for each coefficient, or one for all together"),
    ] = "coefficient"

    def __post_init__(self) -> None:
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc {self.n_mfcc} is more than the {self.n_mels} mel bands (n_mels)")

    @property
    def rate(self) -> int:
        """Sampling rate, Hz."""
        return self.sr

    def reason_to_skip(self, samples: int) -> str | None:
        """A clip must fill one frame."""
        return longer_than_fft(self, self.n_fft, samples)

    def build(self, waveforms: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """The range of the coefficients over the training clips becomes [0, 1]."""
        from soundproof_representations._picture import InvertiblePicture, fit_min_max
        from soundproof_representations._spectral import Cepstrum, MelPower, STFTPower

        mel = MelPower(STFTPower(self.n_fft, self.hop), sr=self.sr, n_mels=self.n_mels)
        transform = Cepstrum(
            mel, n_mfcc=self.n_mfcc, dct_type=self.dct_type, norm=self.norm, lifter=self.lifter
        ).to(waveforms.device)
        scale = fit_min_max(transform, waveforms, per_row=self.scaling == "coefficient")
        return InvertiblePicture(transform, scale, size, waveforms.shape[-1])
