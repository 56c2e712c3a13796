"""Log-linear filter bank and its derivatives along time, in torch."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import librosa
import numpy as np
import torch
from scipy.signal import get_window
from torch import nn

from soundproof_representations._spectral import PowerSpectrum

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

N_FFT = 512
WINDOW = 400
"""25 ms at 16 kHz."""

HOP = 160
"""10 ms at 16 kHz."""

DELTA_WIDTH = 9

_SILENCE = float(np.finfo(np.float64).eps)
"""Stands for zero before the logarithm: ln of it is -36.04."""


def triangles(filters: int, sr: int) -> npt.NDArray[np.float64]:
    """Triangles of height 1 on edges equally spaced from 0 to sr / 2: `[filters, 1 + N_FFT // 2]`."""
    edges = np.linspace(0, sr / 2, filters + 2)[:, None]
    bins = np.linspace(0, sr / 2, 1 + N_FFT // 2)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None)


class LinearBank(nn.Module):
    """Natural logarithm of linear filter-bank energies: 25 ms Hamming frames every 10 ms, |FFT|² / 512.

    Args:
        filters: Number of filters.
        sr: Sampling rate, Hz; frames are 400 samples at any.
    """

    bank: torch.Tensor

    def __init__(self, filters: int, sr: int) -> None:
        super().__init__()
        self.power = PowerSpectrum(get_window("hamming", WINDOW, fftbins=False), n_fft=N_FFT, hop=HOP)
        self.register_buffer("bank", torch.from_numpy(triangles(filters, sr) / N_FFT).float())

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to log energies `[n, filters, 1 + (T - 400) // 160]`."""
        return torch.matmul(self.bank, self.power(waveforms)).clamp(min=_SILENCE).log()


class Delta(nn.Module):
    """Savitzky-Golay derivative, as `librosa.feature.delta(width=9, mode="interp")`: a matrix.

    Args:
        order: 1 or 2, of the derivative and of the polynomial.
        axis: -1 for time, -2 for frequency.
    """

    def __init__(self, order: Literal[1, 2], axis: Literal[-2, -1] = -1) -> None:
        super().__init__()
        self.order = order
        self.axis = axis

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values `[n, F, T]` to their derivative per step, of the same shape; at least nine along the axis."""
        matrix = _derivative(self.order, values.shape[self.axis]).to(values)
        return torch.matmul(values, matrix.T) if self.axis == -1 else torch.matmul(matrix, values)


@lru_cache(maxsize=256)
def _derivative(order: int, length: int) -> torch.Tensor:
    """The matrix `[length, length]` of a derivative."""
    matrix = librosa.feature.delta(np.eye(length), width=DELTA_WIDTH, order=order, axis=0)
    return torch.from_numpy(matrix).float()


class Energies(nn.Module):
    """Log energies of a linear bank and their derivatives, as chosen.

    Args:
        orders: Of the derivatives, 0 being the energies themselves.
        filters: Number of filters.
        sr: Sampling rate, Hz.
        along_filters: Derivatives along the filters, not along time.
    """

    def __init__(
        self, orders: Sequence[Literal[0, 1, 2]], filters: int, sr: int, *, along_filters: bool = False
    ) -> None:
        super().__init__()
        self.bank = LinearBank(filters, sr)
        axis: Literal[-2, -1] = -2 if along_filters else -1
        self.derivatives = nn.ModuleList(Delta(order, axis) if order else nn.Identity() for order in orders)

    def forward(self, waveforms: torch.Tensor) -> list[torch.Tensor]:
        """Waveforms `[n, T]` to `[n, filters, frames]`, one an order."""
        energies = self.bank(waveforms)
        return [derivative(energies) for derivative in self.derivatives]
