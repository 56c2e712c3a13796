"""Harmonic-percussive separation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from soundproof_representations._component import PictureRepresentation, too_short

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class HPSS(PictureRepresentation):
    """Harmonic and percussive parts as channels, scaled by their range on the training clips."""

    id = "hpss"
    fitted = True

    features: Annotated[
        Literal["decompose", "stft", "llfb", "llfb-delta-delta", "power"],
        Field(
            description="log energies of clip, harmonic and percussive sound; dB of their spectra; log energies "
            "and dB of both parts; log energies, dB of the harmonic part and second derivative; dB of bands of "
            "harmonic part, percussive part and residual"
        ),
    ] = "decompose"
    n_filters: Annotated[int, Field(ge=1, le=256, description="filters of the log energies")] = 40
    scaling: Annotated[
        Literal["all", "channel"], Field(description="one range for all channels together, or one for each")
    ] = "all"

    @property
    def rate(self) -> int:
        """Sampling rate, Hz."""
        return 16000

    def shape(self, samples: int) -> tuple[int, ...]:  # noqa: ARG002
        """Three channels of `size`."""
        return (3, *self.size)

    def reason_to_skip(self, samples: int) -> str | None:
        """A clip must fill one frame of 2048 samples."""
        return too_short(self, "a frame (2048 samples)", 2048, samples, "use longer clips")

    def build(self, waveforms: torch.Tensor, size: tuple[int, int]) -> nn.Module:
        """The range of the values over the training clips becomes [0, 1]."""
        from soundproof_representations._channels import fit_channels
        from soundproof_representations._separation import transform

        features = transform(self.features, self.n_filters, self.rate, waveforms.shape[-1])
        return fit_channels(features, waveforms, size, together=self.scaling == "all")
