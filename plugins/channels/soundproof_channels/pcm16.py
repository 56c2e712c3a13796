"""A file of 16-bit samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soundproof import Channel

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PCM16(Channel):
    """Samples rounded to 16 bits, as in a WAV file."""

    id: ClassVar[str] = "pcm16"

    def carry(self, waveforms: torch.Tensor, rate: int, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """The nearest of 65536 levels, k / 32768."""
        return (waveforms * 32768).round().clamp(-32768, 32767) / 32768
