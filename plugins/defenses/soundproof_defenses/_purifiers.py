"""Denoisers of a classifier's inputs: of pictures, and of sound through its spectrum."""

from __future__ import annotations

import torch
from torch import nn

from soundproof_defenses._denoiser import Denoiser

# Magnitudes below it have no phase to speak of; 16 bits of sound round to several times as much.
_SILENT = 1e-5


class PicturePurifier(nn.Module):
    """A denoiser of pictures in [0, 1].

    Attributes:
        denoiser: What is trained.
    """

    def __init__(self, architecture: int) -> None:
        super().__init__()
        self.denoiser = Denoiser(architecture)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures `[n, 1, H, W]`, denoised and back in the box."""
        return self.denoiser(pictures).clamp(0, 1)  # type: ignore[no-any-return]


class SoundPurifier(nn.Module):
    """A denoiser of waveforms in [0, 1], which changes the magnitudes of their spectrum and keeps its phases.

    Attributes:
        denoiser: What is trained, on magnitudes.
        frame: Samples of a frame; the next begins half as many later.
    """

    window: torch.Tensor

    def __init__(self, architecture: int, frame: int) -> None:
        super().__init__()
        self.denoiser = Denoiser(architecture)
        self.frame = frame
        self.register_buffer("window", torch.hann_window(frame), persistent=False)

    def spectrum(self, inputs: torch.Tensor) -> torch.Tensor:
        """The STFT of inputs `[n, 1, T]` as sound in [-1, 1]: complex `[n, frame / 2 + 1, frames]`."""
        sound = 2 * inputs[:, 0] - 1
        return torch.stft(sound, self.frame, self.frame // 2, window=self.window, return_complex=True)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs `[n, 1, T]` in [0, 1], denoised and back in the box; T is a frame or more."""
        spectrum = self.spectrum(inputs)
        magnitude = spectrum.abs()
        denoised = self.denoiser(magnitude[:, None])[:, 0].clamp_min(0)
        # The phase is bounded where there is none: its derivative would grow without limit towards silence.
        phase = spectrum / torch.hypot(magnitude, torch.full_like(magnitude, _SILENT))
        cleaner, samples = denoised * phase, inputs.shape[2]
        sound = torch.istft(cleaner, self.frame, self.frame // 2, window=self.window, length=samples)
        return ((sound + 1) / 2).clamp(0, 1)[:, None]
