"""The built-in representations: from waveforms to what a classifier sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl
from soundproof_representations.hpss import HPSS
from soundproof_representations.llfb import LLFB
from soundproof_representations.mel import Mel
from soundproof_representations.mfcc import MFCC
from soundproof_representations.rms_zcr import RMSZCR
from soundproof_representations.stft import STFT
from soundproof_representations.tonnetz import DWTTonnetz, STFTTonnetz, Tonnetz
from soundproof_representations.waveform import MuLaw, Waveform
from soundproof_representations.wavelet import Haar, MexicanHat, Morlet
from soundproof_representations.yamnet import YAMNetPatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from soundproof import Component


@hookimpl
def soundproof_components() -> Iterable[type[Component]]:
    """The built-in representations."""
    return (
        DWTTonnetz, HPSS, Haar, LLFB, MFCC, Mel, MexicanHat, Morlet, MuLaw, RMSZCR, STFT, STFTTonnetz, Tonnetz,
        Waveform, YAMNetPatch,
    )  # fmt: skip
