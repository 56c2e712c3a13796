"""The fixed wavelet pyramid of ARWaveletCNN."""

from __future__ import annotations

import torch
from torch import nn


class HaarPyramid(nn.Module):
    """Levels of a two-dimensional Haar transform with means for low and absolute differences for high.

    Of each pair of rows, then of columns, L = (a + b) / 2 and H = |a − b|; the next level works on LL. Without the
    absolute values, `signed`, the bands LL, LH, HL, HH are PyWavelets' cA / 2, cV, cH, 2 · cD of `haar`; with them
    the pyramid cannot be inverted.
    """

    def __init__(self, levels: int, *, signed: bool = False) -> None:
        super().__init__()
        self.levels = levels
        self.signed = signed

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Maps `[n, 4·C, H / 2^l, W / 2^l]` of levels l = 1, 2, … of images `[n, C, H, W]`.

        The maps of a channel are LL, LH, HL, HH, and follow those of the channel before. Sides must be divisible
        by 2^levels.
        """
        found = []
        for _ in range(self.levels):
            rows = self._split(images[:, :, ::2], images[:, :, 1::2])
            bands = [band for half in rows for band in self._split(half[..., ::2], half[..., 1::2])]
            images = bands[0]
            found.append(torch.stack(bands, dim=2).flatten(1, 2))
        return found

    def _split(self, first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        difference = first - second
        return (first + second) / 2, difference if self.signed else difference.abs()
