"""Networks that read three channels, in front of inputs that have another number."""

from __future__ import annotations

import torch
from torch import nn


class OfThreeChannels(nn.Module):
    """Shows grey pictures `[n, 1, H, W]` to a network of three channels; of several outputs the first counts."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]`."""
        found = self.network(inputs.expand(-1, 3, *inputs.shape[2:]) if inputs.shape[1] == 1 else inputs)
        # Two networks of torchvision also return those of auxiliary heads while they train.
        logits: torch.Tensor = found if isinstance(found, torch.Tensor) else found[0]
        return logits
