"""Changes in the time-frequency plane, with a way back to sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import librosa
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Waveform = npt.NDArray[np.float64]
    Spectrogram = npt.NDArray[np.float64]

# Frames and their distance, samples: of the distortions, and of phase reconstruction.
FRAME, HOP = 1024, 512
_SHORT, _SHORT_HOP = 512, 128
# SpecAugment (Park et al. 2019): bands, widest masks of bands and frames, number of each, farthest warp.
_BANDS, _WIDEST, _LONGEST, _MASKS, _WARP = 256, 27, 100, 2, 80
_HIGHEST = 8000


def spectral_distortion(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Every bin turned by one random phase, normal with a deviation uniform in [0.4, 0.9) rad."""
    phases = generator.normal(0, generator.uniform(0.4, 0.9), FRAME // 2 + 1)
    spectrum = librosa.stft(waveform, n_fft=FRAME, hop_length=HOP)
    return librosa.istft(spectrum * np.exp(1j * phases)[:, None], hop_length=HOP, length=len(waveform))


def checkerboard(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Bins weighted by a mask: alternating (a quarter of cases), uniform in [0, 1) (a quarter), or 0 and 1."""
    spectrum = librosa.stft(waveform, n_fft=FRAME, hop_length=HOP)
    kind = generator.integers(4)
    if kind == 0:
        mask = np.indices(spectrum.shape).sum(axis=0) % 2
    elif kind == 1:
        mask = generator.random(spectrum.shape)
    else:
        mask = generator.integers(0, 2, spectrum.shape)
    return librosa.istft(spectrum * mask, hop_length=HOP, length=len(waveform))


def phase_vocoder(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Played at a rate uniform in [0.85, 1.15) by moving STFT frames of 2048, 512 apart; the pitch stays."""
    spectrum = librosa.stft(waveform, n_fft=2048, hop_length=512)
    moved = librosa.phase_vocoder(spectrum, rate=generator.uniform(0.85, 1.15), hop_length=512)
    return librosa.istft(moved, hop_length=512)


def griffin_lim(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Phases thrown away and guessed again in 200 iterations: Hamming frames of 512 samples, 128 apart."""
    spectrum = librosa.stft(waveform, n_fft=_SHORT, hop_length=_SHORT_HOP, window="hamming")
    return _sound_of(np.abs(spectrum), generator, _SHORT_HOP, 200, len(waveform), window="hamming")


def mel_round_trip(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """To 128 mel bands and back, phases guessed in 32 iterations."""
    mel = librosa.feature.melspectrogram(y=waveform, sr=rate, n_mels=128, fmax=_highest(rate))
    return _sound_of_mel(mel, rate, generator, 512, len(waveform))


def spec_augment(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """Two masks of frames, two masks of bands, a warp of time, or all three, on 256 mel bands (Park et al. 2019).

    Widths are uniform below 100 frames and 27 bands, the warp below 80 frames, and no more than half the clip.
    """
    mel = librosa.feature.melspectrogram(
        y=waveform, sr=rate, n_mels=_BANDS, hop_length=_SHORT_HOP, fmax=_highest(rate)
    )
    kind = generator.integers(4)
    if kind in {2, 3}:
        mel = _warped(mel, generator)
    if kind in {0, 3}:
        _mask(mel.T, _LONGEST, generator)
    if kind in {1, 3}:
        _mask(mel, _WIDEST, generator)
    return _sound_of_mel(mel, rate, generator, _SHORT_HOP, len(waveform))


def _mask(rows: Spectrogram, widest: int, generator: np.random.Generator) -> None:
    """Silence some runs of rows, in place."""
    for _ in range(_MASKS):
        width = int(generator.integers(min(widest, len(rows) // 2 + 1)))
        start = int(generator.integers(len(rows) - width + 1))
        rows[start : start + width] = 0


def _warped(mel: Spectrogram, generator: np.random.Generator) -> Spectrogram:
    """Some frame moved, and the time before and after it stretched or shortened to match."""
    last = mel.shape[1] - 1
    reach = min(_WARP, last // 2)
    middle = generator.uniform(reach, last - reach)
    target = np.clip(middle + generator.uniform(-reach, reach), 1e-3 * last, last - 1e-3 * last)
    times = np.interp(np.arange(last + 1), [0, target, last], [0, middle, last])
    return np.stack([np.interp(times, np.arange(last + 1), band) for band in mel])


def _sound_of_mel(mel: Spectrogram, rate: int, generator: np.random.Generator, hop: int, samples: int) -> Waveform:
    magnitude = librosa.feature.inverse.mel_to_stft(mel, sr=rate, fmax=_highest(rate))
    return _sound_of(magnitude, generator, hop, 32, samples)


def _sound_of(
    magnitude: Spectrogram,
    generator: np.random.Generator,
    hop: int,
    iterations: int,
    samples: int,
    window: str = "hann",
) -> Waveform:
    """A sound with about these magnitudes (Griffin and Lim 1984; Perraudin et al. 2013)."""
    seed = int(generator.integers(2**31))
    return librosa.griffinlim(
        magnitude, n_iter=iterations, hop_length=hop, length=samples, window=window, random_state=seed
    )


def _highest(rate: int) -> float:
    return min(_HIGHEST, rate / 2)
