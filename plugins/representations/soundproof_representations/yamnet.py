"""The log-mel patches of YAMNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundproof import Representation

if TYPE_CHECKING:
    import torch
    from torch import nn

SHORTEST = 15600
"""0.96 s and the overhang of the last window, samples."""

STEP = 7680
"""0.48 s, samples."""


@dataclass(frozen=True, kw_only=True)
class YAMNetPatch(Representation):
    """Log-mel patches of 0.96 s every 0.48 s, one a channel."""

    id = "yamnet-patch"

    @property
    def rate(self) -> int:
        """Sampling rate, Hz."""
        return 16000

    def shape(self, samples: int) -> tuple[int, ...]:
        """One channel a patch, of 64 bands and 96 frames."""
        return (1 + -(-max(0, samples - SHORTEST) // STEP), 64, 96)

    def fit(self, waveforms: torch.Tensor) -> nn.Module:
        """Nothing is fitted: log-mel values of clips in [-1, 1] have fixed bounds."""
        from soundproof_representations._patches import Patches

        samples = waveforms.shape[-1]
        return Patches(samples, SHORTEST + (self.shape(samples)[0] - 1) * STEP).to(waveforms.device)
