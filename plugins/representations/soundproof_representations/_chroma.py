"""Tonal centroids by librosa. Not differentiable: librosa estimates each clip's tuning."""

from __future__ import annotations

import warnings

import librosa
import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import nn

from soundproof_representations._picture import Picture

RATE = 22050
"""The rate that librosa's chroma is made for, Hz."""

_HOP = 512


class TonalCentroids(nn.Module):
    """Six tonal centroids a frame of clips at 22.05 kHz, as `librosa.feature.tonnetz`."""

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to centroids `[n, 6, frames]` in [-1, 1], hop 512.

        Rows are the fifths, the minor thirds and the major thirds, x and y each; the last two lie in [-½, ½].
        """
        centroids = [self._centroids(clip) for clip in waveforms.detach().cpu().numpy()]
        return torch.from_numpy(np.stack(centroids)).to(waveforms)

    def _centroids(self, clip: np.ndarray) -> np.ndarray:
        if not clip.any():
            return np.zeros((6, 1 + len(clip) // _HOP))
        return np.asarray(librosa.feature.tonnetz(y=clip, sr=RATE, hop_length=_HOP))


class HarmonicChange(nn.Module):
    """Harmonic change detection function (Harte, Sandler & Gasser 2006): how fast the smoothed centroids move.

    Args:
        tonnetz: Gives the centroids.
        sigma: Standard deviation of the Gaussian smoothing, frames.
    """

    def __init__(self, tonnetz: TonalCentroids, sigma: float) -> None:
        super().__init__()
        self.tonnetz = tonnetz
        self.sigma = sigma

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to distances ‖z(t+1) - z(t-1)‖₂ `[n, 1, frames]` in [0, 3], 0 at both ends."""
        centroids = self.tonnetz(waveforms)
        smooth = gaussian_filter1d(centroids.cpu().double().numpy(), self.sigma, axis=-1)
        distance = np.linalg.norm(smooth[..., 2:] - smooth[..., :-2], axis=1, keepdims=True)
        return torch.from_numpy(np.pad(distance, ((0, 0), (0, 0), (1, 1)))).to(waveforms)


class TonalPicture(Picture):
    """A picture of either, without librosa's remarks on short and on quiet clips."""

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to pictures `[n, 1, H, W]` in [0, 1].

        Raises:
            ValueError: The clips are not of the length it was made for.
        """
        with warnings.catch_warnings():  # around all threads: what is caught is the process's
            warnings.simplefilter("ignore", UserWarning)
            return super().forward(waveforms)
