"""Pictures at random magnifications, while a network trains."""

from __future__ import annotations

import torch
from torch import nn


class RandomZoom(nn.Module):
    """Stretches height and width of every picture about its centre, each by its own U(1 - share, 1 + share).

    Bilinear, edges repeated, only in training mode and drawn from torch's generator, as dropout is. Two matrix
    products for each picture: their gradient is the same bytes every time on a GPU too.

    Args:
        share: In [0, 1).
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images `[n, C, H, W]` to such."""
        if not self.training or not self.share:
            return images
        rows, columns = (self._matrices(images, side) for side in images.shape[2:])
        return rows @ images @ columns.mT

    def _matrices(self, images: torch.Tensor, side: int) -> torch.Tensor:
        """Interpolations along one side, `[n, 1, side, side]`."""
        strides = 1 + self.share * (2 * torch.rand(len(images), 1, 1, 1, device=images.device) - 1)
        places = torch.arange(side, device=images.device, dtype=images.dtype)
        middle = (side - 1) / 2
        sources = (middle + strides * (places[:, None] - middle)).clamp(0, side - 1)
        return (1 - (sources - places).abs()).clamp(min=0)
