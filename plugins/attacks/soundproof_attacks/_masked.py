"""Changes of sound that a clip masks."""

from __future__ import annotations

import torch

from soundproof import Masking


class Mask:
    """How large a change of a clip may be, over time and frequency, before it is heard.

    Args:
        sounds: The clips, waveforms `[n, T]` in [-1, 1].
        rate: Sampling rate, Hz.
        allowance: Decibels above the masking threshold that are allowed; below it where negative.

    Attributes:
        amplitudes: Of the short-time spectrum of a change, `[n, bins, frames]`.
    """

    def __init__(self, sounds: torch.Tensor, rate: int, allowance: float) -> None:
        masking = Masking(rate, sounds.device)
        self._points, self._hop, self._samples = masking.window, masking.hop, sounds.shape[-1]
        self._window = torch.hann_window(self._points, dtype=sounds.dtype, device=sounds.device)
        # Frames that are centred as those of the spectrum below.
        half = self._points // 2
        threshold = masking.threshold(torch.nn.functional.pad(sounds, (half, half)))
        levels = threshold.levels + threshold.loudest - 96.0 + allowance
        amplitudes = self._points * (3 / 8) ** 0.5 * 10 ** (levels / 20)
        self.amplitudes = amplitudes[..., : 1 + self._samples // self._hop].to(sounds.dtype)

    def steered(self, gradient: torch.Tensor) -> torch.Tensor:
        """The direction `[n, T]` that climbs fastest for what is heard of it.

        Of all changes Δ with the same Σ|Δ|²/A² over the short-time spectrum, A being the amplitudes, it is the one
        along A² times the spectrum of the gradient `[n, T]`.
        """
        return self._sound(self._spectrum(gradient) * self.amplitudes.square())

    def hidden(self, change: torch.Tensor) -> torch.Tensor:
        """A change `[n, T]` with every bin of its short-time spectrum held to what is masked."""
        spectrum = self._spectrum(change)
        size = spectrum.abs().clamp(min=torch.finfo(change.dtype).tiny)
        return self._sound(spectrum * (self.amplitudes / size).clamp(max=1.0))

    def _spectrum(self, waveforms: torch.Tensor) -> torch.Tensor:
        return torch.stft(
            waveforms,
            self._points,
            self._hop,
            window=self._window,
            center=True,
            pad_mode="constant",
            return_complex=True,
        )

    def _sound(self, spectrum: torch.Tensor) -> torch.Tensor:
        return torch.istft(spectrum, self._points, self._hop, window=self._window, length=self._samples)
