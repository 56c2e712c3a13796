"""YAMNet's log-mel spectrogram, cut into patches (tensorflow/models, research/audioset/yamnet)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import librosa
import numpy as np
import torch
from scipy.signal import get_window
from torch import nn

from soundproof_representations._batches import in_parallel
from soundproof_representations._picture import check_length, interval
from soundproof_representations._spectral import PowerSpectrum, root

if TYPE_CHECKING:
    import numpy.typing as npt

SR = 16000
N_FFT = 512
BANDS = 64
FRAMES = 96
STRIDE = 48
OFFSET = 0.001
"""Added to the mel magnitude before the logarithm."""


def mel_triangles() -> npt.NDArray[np.float64]:
    """64 triangles from 125 to 7500 Hz, linear on the HTK mel scale, of height 1: `[64, 257]`."""
    bins = librosa.hz_to_mel(np.linspace(0, SR / 2, 1 + N_FFT // 2), htk=True)
    low, high = librosa.hz_to_mel([125.0, 7500.0], htk=True)
    edges = np.linspace(low, high, BANDS + 2)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles: npt.NDArray[np.float64] = np.clip(np.minimum(rising, falling), 0, None)
    return triangles


class LogMel(nn.Module):
    """ln(mel magnitude + 0.001): 25 ms Hann frames every 10 ms at 16 kHz, not centred."""

    bank: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        window = get_window("hann", 400, fftbins=True)
        self.power = PowerSpectrum(window, n_fft=N_FFT, hop=160)
        bank = mel_triangles()
        self.register_buffer("bank", torch.from_numpy(bank).float())
        # Parseval bounds the magnitudes of a full-scale frame, Cauchy-Schwarz then a band of them.
        loudest = np.sqrt(N_FFT / 2 * np.sum(window**2)) * np.linalg.norm(bank, axis=1).max()
        self.bounds = float(np.log(OFFSET)), float(np.log(loudest + OFFSET))

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to `[n, 64, 1 + (T - 400) // 160]`."""
        return (torch.matmul(self.bank, root(self.power(waveforms))) + OFFSET).log()


class Patches(nn.Module):
    """Patches of 96 frames every 48, scaled from the bounds of log-mel values to [0, 1].

    Args:
        samples: Length T of the clips.
        length: Length after padding with zeros to whole patches.

    Attributes:
        transform: Padded waveforms to log-mel values.
        scale: Maps [`scale.low`, `scale.high`] to [0, 1]; a model that wants the values undoes it.
    """

    def __init__(self, samples: int, length: int) -> None:
        super().__init__()
        self.samples = samples
        self.length = length
        self.transform = LogMel()
        self.scale = interval(*self.transform.bounds)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to `[n, patches, 64, 96]` in [0, 1].

        Raises:
            ValueError: The clips are not of the length it was made for.
        """
        check_length(waveforms, self.samples)
        return in_parallel(self._patches, waveforms)

    def _patches(self, waveforms: torch.Tensor) -> torch.Tensor:
        padded = nn.functional.pad(waveforms, (0, self.length - self.samples))
        return self.scale(self.transform(padded)).unfold(-1, FRAMES, STRIDE).transpose(1, 2)  # type: ignore[no-any-return]
