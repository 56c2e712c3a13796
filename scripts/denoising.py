"""Prints how much the denoising autoencoders improve real clips, as in docs/defenses.md.

    SOUNDPROOF_DATA=… python scripts/denoising.py

ESC-10 at 16 kHz, the publisher's fold 1 held out. White noise of U(0.005, 0.02) of full scale is added to every
clip, once. The magnitudes of an STFT of 1024 points and a hop of 512 are denoised, and sound is made of them with
the noisy clip's phase. SNR(c, y) = 10·log₁₀(Σc² / Σ(c − y)²) compares sound with sound.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import mse_loss

from soundproof_datasets.esc import ESC10
from soundproof_defenses._denoiser import Denoiser
from soundproof_defenses._denoising import add_noise

RATE, N_FFT, HOP, EPOCHS, BATCH = 16_000, 1024, 512, 20, 15
# A training example is so many frames from anywhere in a clip: a whole clip of 157 would cost ten times as much.
FRAMES = 16
WINDOW = torch.hann_window(N_FFT)


class Direct(Denoiser):
    """The output is the clean magnitude itself, as the autoencoders were first described."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Magnitudes `[n, 1, bins, frames]`."""
        return values - super().forward(values)


def spectra(waveforms: torch.Tensor) -> torch.Tensor:
    """Complex spectra `[n, bins, frames]`."""
    return torch.stft(waveforms, N_FFT, HOP, window=WINDOW, return_complex=True)


def train(network: nn.Module, noisy: torch.Tensor, clean: torch.Tensor) -> None:
    """Least squares between magnitudes `[n, bins, frames]`, Adam at 1e-3."""
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(noisy), generator=generator).split(BATCH):
            start = int(torch.randint(noisy.shape[-1] - FRAMES + 1, (1,), generator=generator))
            part = slice(start, start + FRAMES)
            optimizer.zero_grad()
            mse_loss(network(noisy[rows, None, :, part]), clean[rows, None, :, part]).backward()
            optimizer.step()


def improvement(network: nn.Module, clean: torch.Tensor, noisy: torch.Tensor) -> torch.Tensor:
    """SNR of the denoised clips minus that of the noisy ones, dB, `[n]`: the signal's energy cancels."""
    spectrum = spectra(noisy)
    with torch.inference_mode():
        magnitudes = [network(clip.abs()[None, None])[0, 0].clamp(min=0) for clip in spectrum]
    denoised = torch.istft(
        torch.stack(magnitudes) * torch.sgn(spectrum), N_FFT, HOP, window=WINDOW, length=clean.shape[1]
    )
    return 10 * torch.log10(energy(clean - noisy) / energy(clean - denoised))


def energy(waveforms: torch.Tensor) -> torch.Tensor:
    """Sums of squares, `[n]`."""
    return waveforms.double().square().sum(dim=1)


def main() -> None:
    """Train and measure both architectures, each predicting noise and predicting the magnitude."""
    root = Path(os.environ["SOUNDPROOF_DATA"])
    folds = ESC10().index(root).folds
    assert folds is not None
    waveforms = ESC10().waveforms(root, RATE)
    noisy = torch.from_numpy(add_noise(waveforms, torch.Generator().manual_seed(0)))
    clean = torch.from_numpy(waveforms)
    test, rest = (torch.from_numpy(np.flatnonzero(part)) for part in (folds == folds.min(), folds != folds.min()))
    before = 10 * torch.log10(energy(clean[test]) / energy(clean[test] - noisy[test]))
    sys.stdout.write(f"{len(test)} held-out clips, SNR {summary(before)}\n")
    for architecture in (1, 2):
        for kind in (Denoiser, Direct):
            torch.manual_seed(0)
            network = kind(architecture)
            train(network, spectra(noisy[rest]).abs(), spectra(clean[rest]).abs())
            gains = improvement(network, clean[test], noisy[test])
            worse = (gains < 0).double().mean()
            sys.stdout.write(f"{kind.__name__} {architecture}: {summary(gains)}; {worse:.0%} worse than before\n")
            sys.stdout.flush()


def summary(values: torch.Tensor) -> str:
    """Mean, median and range, dB."""
    low, high = values.min(), values.max()
    return f"{values.mean():+.2f} dB on average, median {values.median():+.2f}, {low:+.1f} to {high:+.1f}"


if __name__ == "__main__":
    main()
