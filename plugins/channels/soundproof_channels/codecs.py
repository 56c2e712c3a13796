"""Lossy codecs, by libsndfile."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Channel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch


@dataclass(frozen=True)
class _Codec(Channel, ABC):
    def carry(self, waveforms: torch.Tensor, rate: int, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """Each clip encoded and decoded, without the codec's delay."""
        import numpy as np
        import torch

        clips = waveforms.detach().cpu().numpy()
        arrived = np.stack([self.through(clip, rate) for clip in clips]) if len(clips) else clips
        return torch.from_numpy(arrived).to(waveforms).clamp(-1, 1)

    @abstractmethod
    def through(self, waveform: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
        """One clip `[T]` encoded and decoded."""


@dataclass(frozen=True)
class MP3(_Codec):
    """MP3 at a constant bitrate, the nearest one that there is for the sampling rate.

    Clips of a rate that MP3 does not know are coded at the next higher one. The encoder, LAME, lowers the level by
    0.45 dB.
    """

    id: ClassVar[str] = "mp3"

    bitrate: Annotated[float, Field(ge=8, le=320, description="kbit/s")] = 64

    def through(self, waveform: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
        """One clip `[T]` encoded and decoded."""
        from soundproof import decode_mp3, encode_mp3

        return decode_mp3(encode_mp3(waveform, rate, self.bitrate), rate, len(waveform))


@dataclass(frozen=True)
class Vorbis(_Codec):
    """Ogg Vorbis at a quality."""

    id: ClassVar[str] = "vorbis"

    quality: Annotated[float, Field(ge=0, le=1, description="0 is the worst, 1 the best")] = 0.4

    def through(self, waveform: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
        """One clip `[T]` encoded and decoded; libsndfile counts from the best quality, 0, to the worst, 1."""
        import soundfile

        file = io.BytesIO()
        soundfile.write(file, waveform, rate, format="OGG", subtype="VORBIS", compression_level=1 - self.quality)
        file.seek(0)
        decoded: npt.NDArray[np.float32] = soundfile.read(
            file, frames=len(waveform), dtype="float32", fill_value=0
        )[0]
        return decoded
