"""Noise of the surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import Channel

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Background(Channel):
    """Gaussian noise at a signal-to-noise ratio of every clip.

    Pink noise, whose power falls by 3 dB an octave, is the usual stand-in for the noise of rooms and streets. A
    silent clip has no such ratio and stays silent.
    """

    id: ClassVar[str] = "background"
    differentiable: ClassVar[bool] = True

    snr: Annotated[float, Field(ge=-40, le=120, description="power of the clip over that of the noise, dB")] = 20.0
    colour: Annotated[Literal["pink", "white"], Field(description="spectrum of the noise")] = "pink"

    def carry(self, waveforms: torch.Tensor, rate: int, generator: torch.Generator) -> torch.Tensor:
        """Clips with noise, cut at ±1."""
        import torch

        noise = torch.randn(waveforms.shape, generator=generator)
        if self.colour == "pink":
            spectrum = torch.fft.rfft(noise)
            frequencies = torch.linspace(0, rate / 2, spectrum.shape[-1])
            # Nothing below 20 Hz, which nobody hears and which would hold much of the power.
            shape = torch.where(frequencies < 20, 0, frequencies.clamp(min=20) ** -0.5)
            noise = torch.fft.irfft(spectrum * shape, waveforms.shape[-1])
        noise = noise.to(waveforms)
        # The level follows the clip as it is: no gradient through it.
        power = waveforms.detach().square().mean(-1, keepdim=True)
        wanted = power * 10 ** (-self.snr / 10)
        present = noise.square().mean(-1, keepdim=True).clamp(min=torch.finfo(noise.dtype).tiny)
        return (waveforms + noise * (wanted / present).sqrt()).clamp(-1, 1)
