"""Recordings: the sound behind a classifier's test clips, and the way between both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch

from soundproof.digest import seed_from

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    from torch import nn

    from soundproof.contract.components import Channel

# Clips whose spectra and coefficients are held at once.
_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Recordings:
    """Sound of a subject's test clips.

    Attributes:
        rate: Sampling rate, Hz.
        waveforms: float32 `[N, T]` in [-1, 1], in the order of the subject's clips, on the device.
        module: The representation, from waveforms `[n, T]` to inputs.
    """

    rate: int
    waveforms: torch.Tensor
    module: nn.Module

    def represent(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Inputs `[n, ...]` of waveforms `[n, T]`."""
        with torch.no_grad():
            return torch.cat([self.module(part).float() for part in torch.split(waveforms, _AT_ONCE)])

    def realise(self, inputs: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
        """Sound of inputs `[n, ...]`, given the clips `[n, T]` they were made from: `[n, T]`, cut at ±1.

        Raises:
            ValueError: The representation's way back gives something that is no sound.
        """
        inverse = cast("Callable[..., torch.Tensor]", self.module.inverse)
        with torch.no_grad():
            parts = zip(torch.split(inputs, _AT_ONCE), torch.split(clean, _AT_ONCE), strict=True)
            sounds = torch.cat([inverse(*part).float() for part in parts])
        return _checked(sounds, clean, "the representation's inverse").clamp(-1, 1)

    def through(
        self, channel: Channel, name: object, waveforms: torch.Tensor, clips: npt.NDArray[np.int64]
    ) -> torch.Tensor:
        """Waveforms `[n, T]` played through a channel, one after the other.

        Args:
            channel: The channel.
            name: Names its randomness.
            waveforms: Of the clips, clean or attacked.
            clips: `[n]`, rows of the data set's index: a clip meets the same channel whatever was done to it.

        Raises:
            ValueError: What arrives is no sound.
        """
        arrived = []
        for clip, waveform in zip(clips.tolist(), waveforms.cpu(), strict=True):
            generator = torch.Generator().manual_seed(seed_from([name, clip]))
            with torch.no_grad():
                arrived.append(channel.carry(waveform[None].clone(), self.rate, generator))
            _checked(arrived[-1], waveform[None], channel.id)
        return torch.cat(arrived).to(waveforms).clamp(-1, 1)


def _checked(sounds: torch.Tensor, like: torch.Tensor, whose: str) -> torch.Tensor:
    """Sounds, if they are some.

    Raises:
        ValueError: They have another shape than their clips, or hold NaN.
    """
    if sounds.shape != like.shape:
        raise ValueError(f"{whose} made sounds {tuple(sounds.shape)} of clips {tuple(like.shape)}")
    if not torch.isfinite(sounds).all():
        raise ValueError(f"{whose} made NaN or infinite samples")
    return sounds
