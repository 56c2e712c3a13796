"""A clip that begins earlier or later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Channel

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Shift(Channel):
    """Later or earlier by U(−seconds, seconds), whole samples; silence takes the place of what leaves."""

    id: ClassVar[str] = "shift"
    differentiable: ClassVar[bool] = True

    seconds: Annotated[float, Field(gt=0, description="largest shift either way, s")] = 0.1

    def carry(self, waveforms: torch.Tensor, rate: int, generator: torch.Generator) -> torch.Tensor:
        """Each clip moved by its own time."""
        import torch

        samples = waveforms.shape[-1]
        drawn = (2 * torch.rand(len(waveforms), 1, generator=generator) - 1) * self.seconds * rate
        source = torch.arange(samples)[None] - drawn.round().long()
        inside = (source >= 0) & (source < samples)
        moved = waveforms.gather(1, source.clamp(0, samples - 1).to(waveforms.device))
        return moved * inside.to(waveforms)
