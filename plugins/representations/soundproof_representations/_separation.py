"""Harmonic-percussive separation in torch, and the features made of it.

Median filters after FitzGerald (2010), margins and the residual after Driedger, Müller & Disch (2014).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import nn

from soundproof_representations._linear_bank import Delta, LinearBank, triangles
from soundproof_representations._spectral import STFTPower, decibels

Features = Literal["decompose", "stft", "llfb", "llfb-delta-delta", "power"]

_KERNEL = 31
"""Frames or frequency bins of the median filters."""

_PRE_EMPHASIS = 0.97
_POWER_MARGIN = 3.0
_POWER_FILTERS = 128


def separate(spectrum: torch.Tensor, margin: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Harmonic and percussive part of a complex spectrum `[n, frames, bins]`, as `librosa.decompose.hpss`.

    Harmonic is what the median over 31 frames keeps, percussive what the median over 31 bins keeps; soft masks
    of power 2. A margin above 1 leaves a residual.
    """
    magnitude = spectrum.abs()
    harmonic = _median(magnitude, 1)
    percussive = _median(magnitude, 2)
    undecided = 0.5 if margin == 1 else 0.0
    return (
        spectrum * _mask(harmonic, percussive * margin, undecided),
        spectrum * _mask(percussive, harmonic * margin, undecided),
    )


def _median(values: torch.Tensor, dim: int) -> torch.Tensor:
    """Sliding median along one dimension, edges mirrored."""
    mirrored = np.pad(np.arange(values.shape[dim]), _KERNEL // 2, mode="symmetric")
    padded = values.index_select(dim, torch.from_numpy(mirrored).to(values.device))
    windows = padded.unfold(dim, _KERNEL, 1)
    if values.device.type == "cpu":
        return windows.median(-1).values
    return windows.sort(-1).values[..., _KERNEL // 2]  # `median` is not deterministic on a GPU


def _mask(wanted: torch.Tensor, other: torch.Tensor, undecided: float) -> torch.Tensor:
    """wanted² / (wanted² + other²), and `undecided` where both are zero."""
    larger = torch.maximum(wanted, other)
    silent = larger < torch.finfo(torch.float32).tiny
    larger = torch.where(silent, 1, larger)
    share, rest = (wanted / larger).square(), (other / larger).square()
    return torch.where(silent, undecided, share / torch.where(silent, 1, share + rest))


class Decomposed(nn.Module):
    """Log energies of a clip, of its harmonic and of its percussive part, separated by `librosa.effects.hpss`."""

    def __init__(self, filters: int, sr: int) -> None:
        super().__init__()
        self.stft = STFTPower(2048, 512)
        self.bank = LinearBank(filters, sr)

    def forward(self, waveforms: torch.Tensor) -> list[torch.Tensor]:
        """Waveforms `[n, T]` to three `[n, filters, frames]`."""
        parts = separate(self.stft.spectrum(waveforms))
        sounds = [waveforms, *(self.stft.synthesise(part, waveforms.shape[-1]) for part in parts)]
        return [self.bank(sound) for sound in sounds]


class Spectra(nn.Module):
    """Decibels of an emphasised clip's spectrum and its parts: |S|, |H|, |P|, each at most 80 dB down."""

    def __init__(self) -> None:
        super().__init__()
        self.stft = STFTPower(512, 160, 400)

    def forward(self, waveforms: torch.Tensor) -> list[torch.Tensor]:
        """Waveforms `[n, T]` to three `[n, 257, frames]`."""
        spectrum = self.stft.spectrum(_emphasise(waveforms))
        return [decibels(_power(part)) for part in (spectrum, *separate(spectrum))]


class MixedSpectra(nn.Module):
    """Log energies of the clip, dB of the harmonic part, and dB of the percussive part or a second derivative."""

    def __init__(self, filters: int, sr: int, *, second_derivative: bool) -> None:
        super().__init__()
        self.spectra = Spectra()
        self.bank = LinearBank(filters, sr)
        self.derivative = Delta(2) if second_derivative else None

    def forward(self, waveforms: torch.Tensor) -> list[torch.Tensor]:
        """Waveforms `[n, T]` to `[n, filters, frames]` and two more."""
        energies = self.bank(waveforms)
        _, harmonic, percussive = self.spectra(waveforms)
        return [energies, harmonic, percussive if self.derivative is None else self.derivative(energies)]


class Bands(nn.Module):
    """Decibels of harmonic, percussive and residual power in 128 linear bands, separated with margin 3."""

    bank: torch.Tensor

    def __init__(self, sr: int) -> None:
        super().__init__()
        self.stft = STFTPower(512, 160, 400)
        self.register_buffer("bank", torch.from_numpy(triangles(_POWER_FILTERS, sr)).float())

    def forward(self, waveforms: torch.Tensor) -> list[torch.Tensor]:
        """Waveforms `[n, T]` to three `[n, 128, frames]`."""
        spectrum = self.stft.spectrum(_emphasise(waveforms))
        harmonic, percussive = separate(spectrum, _POWER_MARGIN)
        parts = (harmonic, percussive, spectrum - harmonic - percussive)
        return [decibels(torch.matmul(self.bank, _power(part))) for part in parts]


def transform(features: Features, filters: int, sr: int) -> nn.Module:
    """The transform behind each choice of features, from waveforms `[n, T]` to a list of channels."""
    if features == "decompose":
        return Decomposed(filters, sr)
    if features == "stft":
        return Spectra()
    if features == "power":
        return Bands(sr)
    return MixedSpectra(filters, sr, second_derivative=features == "llfb-delta-delta")


def _emphasise(waveforms: torch.Tensor) -> torch.Tensor:
    """y[n] = x[n] - 0.97 x[n - 1]."""
    return waveforms - _PRE_EMPHASIS * nn.functional.pad(waveforms[..., :-1], (1, 0))


def _power(spectrum: torch.Tensor) -> torch.Tensor:
    """|.|² of `[n, frames, bins]`, frequency first."""
    return (spectrum * spectrum.conj()).real.mT
