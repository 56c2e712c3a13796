"""Harmonic-percussive separation."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - parameters are read from the annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof_representations._component import too_short
from soundproof_representations._speech import PUBLISHED, SpeechPicture

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class HPSS(SpeechPicture):
    """Harmonic and percussive parts as channels, scaled by their range on the training clips."""

    id = "hpss"
    shortest = 2048
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"000": {**PUBLISHED, "features": "decompose"}}

    features: Annotated[
        Literal["decompose", "stft", "llfb", "llfb-delta-delta", "power"],
        Field(
            description="log energies of clip, harmonic and percussive sound; dB of their spectra; log energies "
            "and dB of both parts; log energies, dB of the harmonic part and second derivative; dB of bands of "
            "harmonic part, percussive part and residual"
        ),
    ] = "decompose"
    n_filters: Annotated[int, Field(ge=1, le=256, description="filters of the log energies")] = 40

    def shape(self, samples: int) -> tuple[int, ...]:  # noqa: ARG002
        """Three channels of `size`."""
        return (3, *self.size)

    def reason_to_skip(self, samples: int) -> str | None:
        """A clip must fill one frame of 2048 samples."""
        return too_short(self, "a frame (2048 samples)", self.shortest, samples, "use longer clips")

    def channels(self) -> nn.Module:
        """The chosen features."""
        from soundproof_representations._separation import transform

        return transform(self.features, self.n_filters, self.rate)
