"""Four numbers a clip: loudness and zero crossings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Domain, Representation

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class RMSZCR(Representation):
    """Mean and deviation of RMS and of the zero-crossing rate."""

    id = "rms-zcr"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"003": {"sr": 22050, "frame": 1024, "hop": 512}}
    domain = Domain.VECTOR

    sr: Annotated[int, Field(ge=1000, le=192000, description="sampling rate, Hz")] = 22050
    frame: Annotated[int, Field(ge=2, multiple_of=2, description="frame length, samples")] = 1024
    hop: Annotated[int, Field(ge=1, description="samples between frames")] = 512

    @property
    def rate(self) -> int:
        """Sampling rate, Hz."""
        return self.sr

    def shape(self, samples: int) -> tuple[int, ...]:  # noqa: ARG002
        """Mean RMS, its deviation, mean zero-crossing rate, its deviation."""
        return (4,)

    def fit(self, waveforms: torch.Tensor) -> nn.Module:
        """Nothing is fitted: all four lie in [0, 1] for clips in [-1, 1]."""
        from soundproof_representations._loudness import Loudness

        return Loudness(self.frame, self.hop).to(waveforms.device)
