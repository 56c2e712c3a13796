"""The inverse mapping network: from a waveform's spectrum to a latent vector (arXiv 2010.08534)."""

from __future__ import annotations

from itertools import pairwise
from math import log1p
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

Picture = Literal["log-magnitude", "real-part"]

FRAME, HOP = 256, 128
_BLOCKS = 2


class Spectrum(nn.Module):
    """The short-time Fourier transform of frames of 256 samples, 128 apart, under a periodic Hann window.

    The first frame starts with the clip, the last is padded with zeros.

    Args:
        picture: ln(1 + |X|), or the real part of X, which is what the published networks read.
    """

    window: torch.Tensor

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.picture = picture
        self.register_buffer("window", torch.hann_window(FRAME), persistent=False)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, T]` to `[n, 129, ⌈T / 128⌉]`, not scaled."""
        frames = -(-waveforms.shape[-1] // HOP)
        padded = functional.pad(waveforms, (0, FRAME + (frames - 1) * HOP - waveforms.shape[-1]))
        spectrum = torch.stft(padded, FRAME, HOP, window=self.window, center=False, return_complex=True)
        picture: torch.Tensor = spectrum.real if self.picture == "real-part" else spectrum.abs().log1p()
        return picture

    def image(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, T]` in [-1, 1] to three equal channels in [0, 1]: `[n, 3, 129, ⌈T / 128⌉]`."""
        # No bin exceeds the sum of the window.
        spectrum: torch.Tensor = self(waveforms)
        largest = FRAME / 2
        scaled = (spectrum / largest + 1) / 2 if self.picture == "real-part" else spectrum / log1p(largest)
        return scaled[:, None].expand(-1, 3, -1, -1)


class _Block(nn.Module):
    """Two 3×3 convolutions with offsets, around a shortcut (He et al. 2016)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, padding=1),
            _norm(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            _norm(channels),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride), _norm(channels))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.inner(maps) + self.shortcut(maps))


class Encoder(nn.Module):
    """ResNet-18 with offsets in all convolutions, from a waveform's spectrum to `outputs` numbers.

    Convolutions are padded alike on both sides; the published ones pad the even sizes more at the end.

    Args:
        outputs: Values of a latent vector.
        width: Channels of the first stage; 64 is ResNet-18.
        picture: What of the spectrum it reads.
    """

    def __init__(self, outputs: int, width: int, picture: Picture) -> None:
        super().__init__()
        self.spectrum = Spectrum(picture)
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 7, 2, padding=3), _norm(width), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)
        )
        widths = [width, width, 2 * width, 4 * width, 8 * width]
        self.blocks = nn.ModuleList(
            _stage(*pair, first=not number) for number, pair in enumerate(pairwise(widths))
        )
        self.head = nn.Linear(widths[-1], outputs)

    def stages(self, waveforms: torch.Tensor, count: int = 4) -> Sequence[torch.Tensor]:
        """The maps after each of the first stages, of waveforms `[n, T]` in [-1, 1]."""
        maps = [self.stem(self.spectrum.image(waveforms))]
        for stage in self.blocks[:count]:
            maps.append(stage(maps[-1]))
        return maps[1:]

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, T]` in [-1, 1] to `[n, outputs]`."""
        return self.head(self.stages(waveforms)[-1].mean(dim=(2, 3)))  # type: ignore[no-any-return]


def _stage(channels_in: int, channels: int, *, first: bool) -> nn.Sequential:
    blocks = [_Block(channels_in, channels, stride=1 if first else 2)]
    return nn.Sequential(*blocks, *(_Block(channels, channels, stride=1) for _ in range(_BLOCKS - 1)))


def _norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with the published ε; the momentum of 0.01 would take thousands of steps to settle."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1)
