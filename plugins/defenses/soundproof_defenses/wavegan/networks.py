"""WaveGAN's generator and critic (Donahue et al. 2019, tables 3 and 4)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

KERNEL = 25
# Samples of the shortest layer, which the dense layers read and write.
SEED = 16
# The critic's phases are shifted by at most so many samples, or it would learn the artefacts of upsampling.
SHUFFLE = 2


class Generator(nn.Module):
    """Latent vectors to waveforms, by transposed convolutions of kernel 25.

    Args:
        latent: Values of a latent vector.
        width: Channels of the layer before the last; every layer before has twice as many.
        strides: By how much each layer lengthens; their product times 16 is the length of a waveform.
    """

    def __init__(self, latent: int, width: int, strides: Sequence[int]) -> None:
        super().__init__()
        channels = [*reversed(_channels(width, strides)), 1]
        self.first = nn.Linear(latent, SEED * channels[0])
        self.layers = nn.ModuleList(
            nn.ConvTranspose1d(*pair, KERNEL, stride, padding=(KERNEL - stride + 1) // 2, output_padding=1)
            for pair, stride in zip(pairwise(channels), strides, strict=True)
        )
        _initialise(self)

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """`[n, latent]`, in training uniform in [-1, 1], to `[n, T]` in [-1, 1]."""
        maps = self.first(latents).unflatten(1, (-1, SEED))
        for layer in self.layers:
            maps = layer(functional.relu(maps))
        waveforms: torch.Tensor = maps[:, 0].tanh()
        return waveforms


class Critic(nn.Module):
    """Waveforms to one number each that is higher for real ones, by strided convolutions with phase shuffle.

    Args:
        width: Channels of the first layer; every following one has twice as many.
        strides: As the generator's.
    """

    def __init__(self, width: int, strides: Sequence[int]) -> None:
        super().__init__()
        channels = [1, *_channels(width, strides)]
        self.layers = nn.ModuleList(
            nn.Conv1d(*pair, KERNEL, stride) for pair, stride in zip(pairwise(channels), strides, strict=True)
        )
        self.last = nn.Linear(SEED * channels[-1], 1)
        self.strides = tuple(strides)
        _initialise(self)

    def shifts(self, generator: torch.Generator) -> torch.Tensor:
        """Draw the phase shifts of one call: int64 `[layers - 1]` in {-2, …, 2}."""
        size = (len(self.strides) - 1,)
        return torch.randint(-SHUFFLE, SHUFFLE + 1, size, generator=generator, device=generator.device)

    def forward(self, waveforms: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
        """`[n, T]` in [-1, 1] and the shifts of all but the last layer to `[n]`."""
        maps = waveforms[:, None]
        for number, (layer, stride) in enumerate(zip(self.layers, self.strides, strict=True)):
            missing = KERNEL - stride
            maps = layer(functional.pad(maps, (missing // 2, missing - missing // 2)))
            maps = functional.leaky_relu(maps, 0.2)
            if number < len(shifts):
                maps = shifted(maps, shifts[number])
        return self.last(maps.flatten(1))[:, 0]  # type: ignore[no-any-return]


def shifted(maps: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Maps `[n, C, T]` moved along time by an integer tensor; what moves in is reflected at the edge."""
    last = maps.shape[-1] - 1
    times = (torch.arange(last + 1, device=maps.device) - shift).abs()
    return maps[..., last - (last - times).abs()]


def _channels(width: int, strides: Sequence[int]) -> list[int]:
    return [width * 2**level for level in range(len(strides))]


def _initialise(module: nn.Module) -> None:
    """Glorot's uniform weights and no offsets, as in the published implementation."""
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv1d, nn.ConvTranspose1d)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
