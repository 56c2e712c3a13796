"""Prints how far each transform is from its reference, as in docs/representations.md.

    SOUNDPROOF_DATA=… python docs/agreement.py

The difference is the largest over all values of ten real clips, relative to the reference's largest value.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import librosa
import numpy as np
import pywt
import torch
from pictures import clips
from scipy.signal import fftconvolve
from scipy.special import erf

from soundproof_representations import HPSS, MFCC, RMSZCR, STFT, Haar, Mel, MexicanHat, Morlet, Tonnetz
from soundproof_representations._mothers import morlet

if TYPE_CHECKING:
    from collections.abc import Callable

    from soundproof_representations.wavelet import WaveletScalogram


def frames(magnitude: np.ndarray, hop: int) -> np.ndarray:
    """Mean over frames of two hops, a hop apart."""
    hops = magnitude[:, : magnitude.shape[1] // hop * hop].reshape(len(magnitude), -1, hop).mean(-1)
    means: np.ndarray = (hops[:, 1:] + hops[:, :-1]) / 2
    return means


def scales(of: WaveletScalogram) -> np.ndarray:
    """The scales of its 128 rows, samples."""
    grid: np.ndarray = of.mother().frequency * of.sr / np.geomspace(60, of.sr / 2, 128)
    return grid


def by_pywt(of: WaveletScalogram, name: str, precision: int) -> Callable[[np.ndarray], np.ndarray]:
    """PyWavelets' transform, averaged over frames."""
    grid = scales(of)
    return lambda clip: frames(
        np.abs(pywt.cwt(clip.astype(float), grid, name, method="fft", precision=precision)[0]), of.hop
    )


def by_definition(
    of: WaveletScalogram, antiderivative: Callable[[np.ndarray], np.ndarray]
) -> Callable[[np.ndarray], np.ndarray]:
    """The integral over each sample in closed form, averaged over frames."""

    def row(clip: np.ndarray, scale: float) -> np.ndarray:
        length = int(16 * scale)
        taps = np.sqrt(scale) * np.diff(antiderivative(-8 + np.arange(length + 1) / scale))
        beyond = np.pad(clip.astype(float), (length // 2, length - length // 2 - 1))
        return np.abs(fftconvolve(beyond, taps[::-1], "valid"))

    return lambda clip: frames(np.stack([row(clip, scale) for scale in scales(of)]), of.hop)


def morlet_antiderivative(time: np.ndarray) -> np.ndarray:
    """Of the conjugate Morlet wavelet, ω₀ = 6."""
    integral: np.ndarray = np.exp(-18) / 2 * erf((time + 6j) / np.sqrt(2))
    return integral


def hat_antiderivative(time: np.ndarray) -> np.ndarray:
    """Of the Mexican hat."""
    integral: np.ndarray = 2 / (np.sqrt(3) * np.pi**0.25) * time * np.exp(-(time**2) / 2)
    return integral


def haar(clip: np.ndarray) -> np.ndarray:
    """The Haar wavelet by its definition, from the integral of the clip."""
    integral = np.concatenate([[0], np.cumsum(np.pad(clip.astype(float), (0, 200)))])
    time, points = np.arange(len(clip)), np.arange(len(integral))

    def row(scale: float) -> np.ndarray:
        start, middle, end = (np.interp(time + share * scale, points, integral) for share in (0, 0.5, 1))
        return np.abs(2 * middle - start - end) / np.sqrt(scale)

    return frames(np.stack([row(scale) for scale in scales(Haar())]), Haar().hop)


MORLET = f"cmor2.0-{morlet().frequency!r}"
REFERENCES: list[tuple[str, object, Callable[[np.ndarray], np.ndarray]]] = [
    ("`stft` / `librosa.stft`", STFT(), lambda clip: np.abs(librosa.stft(clip)) ** 2),
    ("`mel` / `melspectrogram`", Mel(), lambda clip: librosa.feature.melspectrogram(y=clip, sr=22050)),
    ("`mfcc` / `librosa.feature.mfcc`", MFCC(), lambda clip: librosa.feature.mfcc(y=clip, hop_length=1024)),
    ("`tonnetz` / `librosa.feature.tonnetz`", Tonnetz(), lambda clip: librosa.feature.tonnetz(y=clip, sr=22050)),
    (
        "`rms-zcr` / `rms`, `zero_crossing_rate`",
        RMSZCR(),
        lambda clip: np.concatenate([
            librosa.feature.rms(y=clip, frame_length=1024, hop_length=512),
            librosa.feature.zero_crossing_rate(clip, frame_length=1024, hop_length=512),
        ]),
    ),
    ("`dwt-haar` / its definition", Haar(), haar),
    ("`dwt-morlet` / its definition", Morlet(), by_definition(Morlet(), morlet_antiderivative)),
    ("`dwt-mexican-hat` / its definition", MexicanHat(), by_definition(MexicanHat(), hat_antiderivative)),
    *(
        (f"`{of.id}` / `pywt.cwt`, precision {precision}", of, by_pywt(of, name, precision))
        for of, name in ((Morlet(), MORLET), (MexicanHat(), "mexh"))
        for precision in (12, 16, 20, 22)
    ),
]  # fmt: skip


def main() -> None:
    """Measure all of them."""
    folder = os.environ.get("SOUNDPROOF_DATA")
    if not folder:
        sys.exit("SOUNDPROOF_DATA must name the folder that holds ESC-50-master/")
    sounds = clips(Path(folder) / "ESC-50-master").values()
    for name, of, reference in REFERENCES:
        worst = 0.0
        resampled = [librosa.resample(clip, orig_sr=rate, target_sr=of.rate) for clip, rate in sounds]
        waveforms = torch.from_numpy(np.stack(resampled))
        with torch.inference_mode():
            ours = of.fit(waveforms).transform(waveforms).numpy()
        for mine, clip in zip(ours, resampled, strict=True):
            theirs = reference(clip)
            worst = max(worst, float(np.abs(mine - theirs).max() / np.abs(theirs).max()))
        sys.stdout.write(f"| {name} | {worst:.1e} |\n")
    waveforms = waveforms[:, : 2 * of.rate]
    whole = HPSS().fit(waveforms).transform
    separated = np.stack([librosa.effects.hpss(clip) for clip in waveforms.numpy()], axis=1)
    pairs = zip(whole(waveforms)[1:], map(whole.bank, torch.from_numpy(separated)), strict=True)
    worst = max(float((mine - theirs).abs().max() / theirs.abs().max()) for mine, theirs in pairs)
    sys.stdout.write(f"| `hpss` / `librosa.effects.hpss` | {worst:.1e} |\n")


if __name__ == "__main__":
    main()
