"""The built-in channels: what happens to a sound before a classifier hears it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl

if TYPE_CHECKING:
    from soundproof import Channel


@hookimpl
def soundproof_components() -> list[type[Channel]]:
    """All channels of this package."""
    from soundproof_channels.background import Background
    from soundproof_channels.codecs import MP3, Vorbis
    from soundproof_channels.pcm16 import PCM16
    from soundproof_channels.resample import Resample
    from soundproof_channels.room import Room
    from soundproof_channels.shift import Shift

    return [Background, MP3, PCM16, Resample, Room, Shift, Vorbis]
