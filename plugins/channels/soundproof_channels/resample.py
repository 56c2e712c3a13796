"""A narrow band: down to a lower sampling rate and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Channel

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Resample(Channel):
    """Resampling to a lower rate and back, as a telephone does: what lies above half of it is gone."""

    id: ClassVar[str] = "resample"

    to: Annotated[int, Field(ge=1000, le=192000, description="the lower sampling rate, Hz")] = 8000

    def reason_to_skip(self, rate: int, samples: int) -> str | None:  # noqa: ARG002
        """It changes nothing where clips have no higher rate."""
        if self.to < rate:
            return None
        return f"resample: clips at {rate} Hz lose nothing by {self.to} Hz; name a lower rate (to)"

    def carry(self, waveforms: torch.Tensor, rate: int, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """Twice through soxr's HQ, the resampler by which data sets are read."""
        import numpy as np
        import soxr
        import torch

        clips = waveforms.detach().cpu().numpy()
        arrived = np.zeros_like(clips)
        for clip, waveform in zip(arrived, clips, strict=True):
            low = soxr.resample(waveform, rate, self.to, quality="HQ")
            back = soxr.resample(low, self.to, rate, quality="HQ")[: len(clip)]
            clip[: len(back)] = back
        return torch.from_numpy(arrived).to(waveforms).clamp(-1, 1)
