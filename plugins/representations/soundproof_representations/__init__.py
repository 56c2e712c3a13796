"""The built-in representations: from waveforms to what a classifier sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl
from soundproof_representations.mfcc import MFCC
from soundproof_representations.stft import STFT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from soundproof import Component


@hookimpl
def soundproof_components() -> Iterable[type[Component]]:
    """The built-in representations."""
    return (MFCC, STFT)
