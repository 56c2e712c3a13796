"""The built-in data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl

if TYPE_CHECKING:
    from soundproof import Dataset


@hookimpl
def soundproof_components() -> list[type[Dataset]]:
    """All data sets of this package."""
    from soundproof_datasets.asvspoof import ASVspoof2019LA
    from soundproof_datasets.esc import ESC10, ESC50
    from soundproof_datasets.folder import Folder
    from soundproof_datasets.fsdd import FSDD
    from soundproof_datasets.sc09 import SC09
    from soundproof_datasets.spoofed_speech import SpoofedSpeech
    from soundproof_datasets.synth import Synth
    from soundproof_datasets.urbansound8k import UrbanSound8K

    return [ASVspoof2019LA, ESC10, ESC50, FSDD, Folder, SC09, SpoofedSpeech, Synth, UrbanSound8K]
