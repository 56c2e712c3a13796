"""Short-time spectra in torch: framing, power spectrum, mel bands, cepstra.

Windows and filter banks come from librosa, DCT matrices from SciPy. They are buffers, so that `.to(device)` and
`.double()` carry them along.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

import librosa
import numpy as np
import scipy.fft
import torch
from torch import nn

if TYPE_CHECKING:
    import numpy.typing as npt

_MEL_STEPS = 50
"""Steps of the mel inverse; its bands are then within 1 % of the wanted ones."""

_UNCHANGED = 1e-3
"""Decibels that rounding alone can make."""

_FAINT = 1e-20
"""Power from which silence can grow again."""


def root(power: torch.Tensor) -> torch.Tensor:
    """Square root whose gradient at 0 is 0, not NaN: padded clips hold exact zeros."""
    return power.clamp(min=torch.finfo(power.dtype).tiny).sqrt()


class PowerSpectrum(nn.Module):
    """|FFT|² of windowed frames.

    Args:
        window: Its length is the frame's; frames are padded with zeros at their end up to `n_fft`.
        n_fft: Points of the transform.
        hop: Samples between frames.
        padding: Zeros before and after the clip.
    """

    window: torch.Tensor

    def __init__(self, window: npt.NDArray[np.floating], *, n_fft: int, hop: int, padding: int = 0) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.hop = hop
        self.padding = padding
        self.register_buffer("window", torch.from_numpy(window).float())

    def padded(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms with zeros before and after."""
        return nn.functional.pad(waveforms, (self.padding, self.padding))

    def spectrum(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to the complex spectrum, frames first: `[n, frames, 1 + n_fft // 2]`."""
        frames = self.padded(waveforms).unfold(-1, len(self.window), self.hop) * self.window
        spectrum: torch.Tensor = torch.fft.rfft(frames, self.n_fft)
        return spectrum

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to power `[n, 1 + n_fft // 2, frames]`."""
        spectrum = self.spectrum(waveforms)
        # Measured: three times as fast as adding the squares of the real and imaginary parts.
        power: torch.Tensor = (spectrum * spectrum.conj()).real
        return power.mT


class STFTPower(PowerSpectrum):
    """|STFT|² as `np.abs(librosa.stft(…))**2`: Hann window, centred frames, zeros beyond the ends.

    Args:
        n_fft: Points of the transform, even.
        hop: Samples between frames; frames of a shorter window leave samples between them unseen.
        window_length: Length of the window, centred among zeros; None is `n_fft`.
    """

    def __init__(self, n_fft: int, hop: int, window_length: int | None = None) -> None:
        window = librosa.filters.get_window("hann", window_length or n_fft, fftbins=True)
        window = librosa.util.pad_center(window, size=n_fft)
        super().__init__(window, n_fft=n_fft, hop=hop, padding=n_fft // 2)

    @property
    def bound(self) -> float:
        """Largest |X| that a clip in [-1, 1] can have: the sum of the window."""
        return float(self.window.sum())

    def synthesise(self, spectrum: torch.Tensor, samples: int) -> torch.Tensor:
        """The waveforms `[n, samples]` whose spectrum is nearest to `[n, frames, bins]` (Griffin & Lim 1984).

        Raises:
            RuntimeError: The windows overlap too little to invert.
        """
        return torch.istft(spectrum.mT, self.n_fft, self.hop, window=self.window, length=samples)

    def inverse(self, values: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Waveforms of a power spectrum.

        Args:
            values: Power `[n, bins, frames]`.
            reference: Waveforms `[n, T]` that give the phase.

        Returns:
            Waveforms `[n, T]`.
        """
        phase = torch.sgn(self.spectrum(reference))
        return self.synthesise(phase * values.clamp(min=0).sqrt().mT, reference.shape[-1])


class EndPaddedSTFTPower(STFTPower):
    """|STFT|² as `tf.signal.stft(…, pad_end=True)`: frame i begins at sample i · hop, ⌈T / hop⌉ of them."""

    def padded(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms with the zeros that the last frame needs."""
        samples = waveforms.shape[-1]
        last = (samples - 1) // self.hop * self.hop
        return nn.functional.pad(waveforms, (0, last + self.n_fft - samples))


class RealPart(nn.Module):
    """Re X of a short-time spectrum.

    Args:
        stft: Gives the spectrum.
    """

    def __init__(self, stft: STFTPower) -> None:
        super().__init__()
        self.stft = stft

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to real parts `[n, 1 + n_fft // 2, frames]`."""
        return self.stft.spectrum(waveforms).real.mT


class MelPower(nn.Module):
    """Power in mel bands, as `librosa.feature.melspectrogram`.

    Args:
        stft: Gives the power spectrum.
        sr: Sampling rate, Hz.
        n_mels: Number of bands.
        htk: The HTK scale instead of Slaney's.
        fmin: Lowest frequency, Hz.
        fmax: Highest frequency, Hz; None is `sr / 2`.

    Raises:
        ValueError: A band holds no point of the FFT.
    """

    bank: torch.Tensor

    def __init__(
        self,
        stft: STFTPower,
        *,
        sr: int,
        n_mels: int,
        htk: bool = False,
        fmin: float = 0.0,
        fmax: float | None = None,
    ) -> None:
        super().__init__()
        self.stft = stft
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Empty filters", category=UserWarning)
            bank = librosa.filters.mel(
                sr=sr, n_fft=stft.n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, dtype=np.float32
            )
        empty = int((bank == 0).all(axis=1).sum())
        if empty:
            raise ValueError(
                f"{empty} of {n_mels} mel bands hold no point of an FFT of {stft.n_fft}; "
                "lower n_mels or raise n_fft"
            )
        self.register_buffer("bank", torch.from_numpy(bank))

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to power `[n, n_mels, frames]`."""
        return torch.matmul(self.bank, self.stft(waveforms))

    def spectrum(self, values: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        """A power spectrum with given mel bands.

        Many spectra have the same bands. Multiplicative updates (Richardson 1972, Lucy 1974; they minimise the
        Kullback-Leibler divergence) keep it non-negative and near the one they start from.

        Args:
            values: Power in mel bands `[n, n_mels, frames]`.
            start: Power `[n, bins, frames]`; it stays where no band reaches.

        Returns:
            Power `[n, bins, frames]`.
        """
        tiny = torch.finfo(values.dtype).tiny
        power = start.clamp(min=_FAINT)
        weight = self.bank.sum(0)[:, None]
        for _ in range(_MEL_STEPS):
            ratio = values.clamp(min=0) / torch.matmul(self.bank, power).clamp(min=tiny)
            update = torch.matmul(self.bank.T, ratio) / weight.clamp(min=tiny)
            power = torch.where(weight > 0, power * update, start)
        return power

    def inverse(self, values: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Waveforms of a mel spectrum.

        Args:
            values: Power in mel bands `[n, n_mels, frames]`.
            reference: Waveforms `[n, T]` that give the phase and the detail within bands.

        Returns:
            Waveforms `[n, T]`.
        """
        return self.stft.inverse(self.spectrum(values, self.stft(reference)), reference)


class Cepstrum(nn.Module):
    """MFCC, as `librosa.feature.mfcc`: dB with 80 dB of range, DCT along the bands, liftering.

    Args:
        mel: Gives the mel bands.
        n_mfcc: Coefficients kept.
        dct_type: 2 or 3.
        norm: An orthonormal basis, or `none` for the plain sums (`norm=None` of SciPy and librosa).
        lifter: Liftering coefficient; 0 does not lifter.
    """

    basis: torch.Tensor

    def __init__(
        self, mel: MelPower, *, n_mfcc: int, dct_type: int, norm: Literal["ortho", "none"], lifter: float
    ) -> None:
        super().__init__()
        self.mel = mel
        scale = None if norm == "none" else norm
        basis = scipy.fft.dct(np.eye(len(mel.bank)), type=dct_type, norm=scale, axis=0)[:n_mfcc]
        if lifter > 0:
            basis *= 1 + lifter / 2 * np.sin(np.pi * np.arange(1, n_mfcc + 1) / lifter)[:, None]
        self.register_buffer("basis", torch.from_numpy(basis).float())

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to coefficients `[n, n_mfcc, frames]`."""
        return torch.matmul(self.basis, decibels(self.mel(waveforms)))

    def inverse(self, values: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Waveforms of coefficients.

        Args:
            values: Coefficients `[n, n_mfcc, frames]`.
            reference: Waveforms `[n, T]`; their mel bands are changed as little as these coefficients take, so
                that what the coefficients do not hold stays theirs.

        Returns:
            Waveforms `[n, T]`.
        """
        bands = self.mel(reference)
        levels = decibels(bands)
        change = torch.matmul(torch.linalg.pinv(self.basis), values - torch.matmul(self.basis, levels))
        # Bands below the range of 80 dB are heard at its end as soon as they are to change.
        start = torch.where(change.abs() > _UNCHANGED, 10 ** (levels / 10), bands)
        return self.mel.inverse(start * 10 ** (change / 10), reference)


def decibels(power: torch.Tensor) -> torch.Tensor:
    """`librosa.power_to_db(power)` for every clip: relative to 1, floor 1e-10, at most 80 dB below the maximum."""
    levels = 10 * power.clamp(min=1e-10).log10()
    return torch.maximum(levels, levels.amax((-1, -2), keepdim=True) - 80)
