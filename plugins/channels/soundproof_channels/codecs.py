"""Lossy codecs, by libsndfile."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Channel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

# Sampling rates that MPEG-1, -2 and -2.5 layer III know, Hz.
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True)
class _Codec(Channel, ABC):
    delay: ClassVar[int] = 0
    """Samples that precede a clip where a file has no room to say so."""

    def carry(self, waveforms: torch.Tensor, rate: int, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """Each clip encoded and decoded, without the codec's delay."""
        import numpy as np
        import torch

        arrived = np.zeros(waveforms.shape, np.float32)
        for clip, waveform in zip(arrived, waveforms.detach().cpu().numpy(), strict=True):
            decoded = self._through(waveform, rate)[: len(clip)]
            clip[: len(decoded)] = decoded
        return torch.from_numpy(arrived).to(waveforms).clamp(-1, 1)

    def _through(self, waveform: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
        """One clip `[T]` encoded and decoded, at a rate that the codec knows."""
        import soundfile
        import soxr

        coded = self.rate_for(rate)
        given = waveform if coded == rate else soxr.resample(waveform, rate, coded, quality="HQ")
        file = io.BytesIO()
        soundfile.write(file, given, coded, **self.encoding(coded))
        file.seek(0)
        decoded, _ = soundfile.read(file, dtype="float32")
        if len(decoded) > len(given):
            decoded = decoded[self.delay :]
        found: npt.NDArray[np.float32] = (
            decoded if coded == rate else soxr.resample(decoded, coded, rate, quality="HQ")
        )
        return found

    def rate_for(self, rate: int) -> int:
        """The rate, Hz, at which clips of a rate are encoded."""
        return rate

    @abstractmethod
    def encoding(self, rate: int) -> dict[str, Any]:
        """Format and quality, as soundfile takes them."""


@dataclass(frozen=True)
class MP3(_Codec):
    """MP3 at a constant bitrate, the nearest one that there is for the sampling rate.

    Clips of a rate that MP3 does not know are coded at the next higher one. The encoder, LAME, lowers the level by
    0.45 dB.
    """

    id: ClassVar[str] = "mp3"
    # Of LAME, 576, and of every decoder, 529; files of low bitrates have no room for the tag that tells of it.
    delay: ClassVar[int] = 1105

    bitrate: Annotated[float, Field(ge=8, le=320, description="kbit/s")] = 64

    def rate_for(self, rate: int) -> int:
        """The next rate of the standard from this one on."""
        return min((known for known in MP3_RATES if known >= rate), default=MP3_RATES[-1])

    def encoding(self, rate: int) -> dict[str, Any]:
        """Libsndfile counts from the best bitrate, 0, to the worst, 1."""
        low, high = bitrates(rate)
        level = (high - min(max(self.bitrate, low), high)) / (high - low)
        return {
            "format": "MP3",
            "subtype": "MPEG_LAYER_III",
            "bitrate_mode": "CONSTANT",
            "compression_level": min(level, _WORST),
        }


# libsndfile refuses exactly 1.
_WORST = 0.999


def bitrates(rate: int) -> tuple[float, float]:
    """Lowest and highest bitrate of MP3 at a sampling rate of its own, kbit/s."""
    if rate >= 32000:
        return 32.0, 320.0
    return (8.0, 160.0) if rate >= 16000 else (8.0, 64.0)


@dataclass(frozen=True)
class Vorbis(_Codec):
    """Ogg Vorbis at a quality."""

    id: ClassVar[str] = "vorbis"

    quality: Annotated[float, Field(ge=0, le=1, description="0 is the worst, 1 the best")] = 0.4

    def encoding(self, rate: int) -> dict[str, Any]:  # noqa: ARG002
        """Libsndfile counts from the best quality, 0, to the worst, 1."""
        return {"format": "OGG", "subtype": "VORBIS", "compression_level": 1 - self.quality}
