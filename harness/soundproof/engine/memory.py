"""Measuring within the memory there is: passes in smaller parts when it runs out, and the same numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from soundproof.victim.prediction import EVALUATION_BATCH

if TYPE_CHECKING:
    from soundproof.measuring.outcome import Outcome
    from soundproof.measuring.protocols.base import Material


class InParts(nn.Module):
    """A classifier that is shown so many clips at once, whatever the batch.

    Attacks keep their batches, and with them their random streams. Activations of one part are held at a time: for
    gradients each part's forward pass runs twice.
    """

    def __init__(self, module: nn.Module, clips: int) -> None:
        super().__init__()
        self.module = module
        self.clips = clips

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[N, K]` of inputs `[N, ...]`."""
        parts = torch.split(inputs, self.clips)
        if not (torch.is_grad_enabled() and inputs.requires_grad):
            return torch.cat([self.module(part) for part in parts])
        return torch.cat([checkpoint(self.module, part, use_reentrant=False) for part in parts])


def within_memory(material: Material) -> Outcome:
    """Measure, in passes of fewer clips when memory runs out.

    Raises:
        torch.OutOfMemoryError: A pass of one clip is too much.
    """
    clips, module = EVALUATION_BATCH, material.subject.module
    while True:
        try:
            return material.cell.protocol.measure(material)
        except torch.OutOfMemoryError:
            if clips == 1:
                raise
        # Outside of `except`, whose traceback holds what did not fit.
        clips //= 2
        material = replace(material, subject=replace(material.subject, module=InParts(module, clips)))
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
