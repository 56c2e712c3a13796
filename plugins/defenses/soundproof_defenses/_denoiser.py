"""The two convolutional denoising autoencoders."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

# Maps of the encoder's convolutions; the decoder's are the reverse, and begin with as many as these end with.
_WIDTHS = {1: (64, 32), 2: (128, 64, 32)}


class Denoiser(nn.Module):
    """Magnitudes or pictures of one channel to cleaner ones of the same size.

    3×3 convolutions with ReLU, each pooled by 2 (64, 32 maps in architecture 1; 128, 64, 32 in 2), the same
    backwards with nearest-neighbour upsampling, and a linear 1×1 convolution. Sides that 2 does not divide are
    pooled up and cropped in the end. 46,913 and 195,265 parameters.

    The network's output is the noise, which is subtracted (residual learning, Zhang et al. 2017): what has passed
    the pooling is too coarse to stand for the values themselves, unless there is more noise than signal.
    """

    def __init__(self, architecture: int) -> None:
        super().__init__()
        down = _WIDTHS[architecture]
        layers: list[nn.Module] = []
        for before, maps in pairwise((1, *down)):
            layers += [_convolution(before, maps), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
        up = down[::-1]
        for before, maps in pairwise((up[0], *up)):
            layers += [_convolution(before, maps), nn.ReLU(), nn.Upsample(scale_factor=2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(up[-1], 1, 1))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values `[n, 1, H, W]`, denoised; not confined to any range."""
        height, width = values.shape[2:]
        noise: torch.Tensor = self.layers(values)
        return values - noise[:, :, :height, :width]


def _convolution(before: int, maps: int) -> nn.Module:
    return nn.Conv2d(before, maps, 3, padding=1)
