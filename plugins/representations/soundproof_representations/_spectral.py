"""Short-time spectra in torch: framing, power spectrum, mel bands, cepstra.

Windows, filter banks and DCT matrices come from librosa and SciPy and are buffers, so that `.to(device)` and
`.double()` carry them along.
"""

from __future__ import annotations

from typing import Literal

import librosa
import numpy as np
import scipy.fft
import torch
from torch import nn


class PowerSpectrum(nn.Module):
    """|STFT|² of clips, as `np.abs(librosa.stft(…))**2`: centred frames, zeros beyond the ends.

    Args:
        n_fft: Points of the transform.
        hop: Samples between frames.
        window_length: Samples of the Hann window, padded with zeros to `n_fft`; None is `n_fft`.
    """

    window: torch.Tensor

    def __init__(self, n_fft: int, hop: int, window_length: int | None = None) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.hop = hop
        window = librosa.filters.get_window("hann", window_length or n_fft, fftbins=True)
        window = librosa.util.pad_center(window, size=n_fft)
        self.register_buffer("window", torch.from_numpy(window).float())

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to power `[n, 1 + n_fft // 2, 1 + T // hop]`."""
        spectrum = self.spectrum(waveforms)
        return (spectrum.real.square() + spectrum.imag.square()).transpose(-1, -2)

    def spectrum(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to the complex spectrum with time first, `[n, 1 + T // hop, 1 + n_fft // 2]`."""
        padded = nn.functional.pad(waveforms, (self.n_fft // 2, self.n_fft // 2))
        return torch.fft.rfft(padded.unfold(-1, self.n_fft, self.hop) * self.window)


class MelSpectrum(nn.Module):
    """Power in mel bands, as `librosa.feature.melspectrogram`.

    Args:
        spectrum: Gives the power spectrum.
        sr: Sampling rate, Hz.
        n_mels: Number of bands.
        htk: The HTK scale instead of Slaney's.
        fmin: Lowest frequency, Hz.
        fmax: Highest frequency, Hz; None is `sr / 2`.
    """

    bank: torch.Tensor

    def __init__(
        self,
        spectrum: PowerSpectrum,
        *,
        sr: int,
        n_mels: int,
        htk: bool = False,
        fmin: float = 0.0,
        fmax: float | None = None,
    ) -> None:
        super().__init__()
        self.spectrum = spectrum
        bank = librosa.filters.mel(
            sr=sr, n_fft=spectrum.n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, dtype=np.float32
        )
        self.register_buffer("bank", torch.from_numpy(bank))

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to power `[n, n_mels, frames]`."""
        return self.bank @ self.spectrum(waveforms)


class Cepstrum(nn.Module):
    """MFCC, as `librosa.feature.mfcc`: dB with 80 dB of range, DCT along the bands, liftering.

    Args:
        mel: Gives the mel bands.
        n_mfcc: Coefficients kept.
        dct_type: 2 or 3.
        norm: Orthonormal basis, or none.
        lifter: Liftering coefficient; 0 does not lifter.
    """

    basis: torch.Tensor

    def __init__(
        self, mel: MelSpectrum, *, n_mfcc: int, dct_type: int, norm: Literal["ortho"] | None, lifter: float
    ) -> None:
        super().__init__()
        self.mel = mel
        basis = scipy.fft.dct(np.eye(len(mel.bank)), type=dct_type, norm=norm, axis=0)[:n_mfcc]
        if lifter > 0:
            basis *= 1 + lifter / 2 * np.sin(np.pi * np.arange(1, n_mfcc + 1) / lifter)[:, None]
        self.register_buffer("basis", torch.from_numpy(basis).float())

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to coefficients `[n, n_mfcc, frames]`."""
        decibels = 10 * self.mel(waveforms).clamp(min=1e-10).log10()
        floor = decibels.amax((-1, -2), keepdim=True) - 80
        return self.basis @ torch.maximum(decibels, floor)
