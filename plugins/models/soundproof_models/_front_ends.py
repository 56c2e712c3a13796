"""Differentiable front ends of audio classifiers of the hub: what their feature extractors compute, in torch.

Each takes waveforms `[n, T]` in [-1, 1] and gives what the extractor of the `transformers` library gives, to 1e-4.
Filter banks come from that library itself. Logarithms of faint bands need double precision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from soundproof import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt


class Standardised(nn.Module):
    """Samples of zero mean and unit variance, clip by clip: `Wav2Vec2FeatureExtractor`."""

    def __init__(self, extractor: Any) -> None:
        super().__init__()
        self.normalises = bool(extractor.do_normalize)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, T]`."""
        if not self.normalises:
            return waveforms
        variance, mean = torch.var_mean(waveforms, dim=1, correction=0, keepdim=True)
        return (waveforms - mean) / (variance + 1e-7).sqrt()


class KaldiBank(nn.Module):
    """Logarithmic mel energies as Kaldi computes them, padded and scaled: `ASTFeatureExtractor`."""

    filters: torch.Tensor
    window: torch.Tensor
    FRAME, HOP, FFT = 400, 160, 512
    PREEMPHASIS, FLOOR = 0.97, 1.192092955078125e-07

    def __init__(self, extractor: Any) -> None:
        from transformers.audio_utils import mel_filter_bank, window_function

        super().__init__()
        rate = extractor.sampling_rate
        filters = mel_filter_bank(
            num_frequency_bins=self.FFT // 2 + 1,
            num_mel_filters=extractor.num_mel_bins,
            min_frequency=20,
            max_frequency=rate // 2,
            sampling_rate=rate,
            norm=None,
            mel_scale="kaldi",
            triangularize_in_mel_space=True,
        )
        _constants(self, filters=filters, window=window_function(self.FRAME, "hann", periodic=False))
        self.length = int(extractor.max_length)
        self.shift, self.scale = 0.0, 1.0
        if extractor.do_normalize:
            self.shift, self.scale = float(extractor.mean), 2 * float(extractor.std)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, max_length, num_mel_bins]`."""
        frames = waveforms.double().unfold(1, self.FRAME, self.HOP)
        frames = frames - frames.mean(dim=2, keepdim=True)
        before = torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
        power = torch.fft.rfft((frames - self.PREEMPHASIS * before) * self.window, self.FFT).abs().square()
        bank = (power @ self.filters).clamp_min(self.FLOOR).log().float()
        bank = nn.functional.pad(bank, (0, 0, 0, max(0, self.length - bank.shape[1])))[:, : self.length]
        return (bank - self.shift) / self.scale


class WhisperBank(nn.Module):
    """Logarithmic mel energies of half a minute, within 8 decades of the loudest: `WhisperFeatureExtractor`."""

    filters: torch.Tensor
    window: torch.Tensor

    def __init__(self, extractor: Any) -> None:
        super().__init__()
        if extractor.dither:
            raise SoundproofError("a feature extractor that adds dither is random: set its dither to 0")
        self.samples, self.fft, self.hop = extractor.n_samples, extractor.n_fft, extractor.hop_length
        window = torch.hann_window(self.fft, dtype=torch.float64, device="cpu").numpy()
        _constants(self, filters=extractor.mel_filters, window=window)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """`[n, feature_size, frames]`."""
        whole = nn.functional.pad(waveforms.double(), (0, max(0, self.samples - waveforms.shape[1])))
        whole = whole[:, : self.samples]
        spectrum = torch.stft(whole, self.fft, self.hop, window=self.window, return_complex=True)[..., :-1]
        bank = (self.filters.T @ spectrum.abs().square()).clamp_min(1e-10).log10()
        loudest = bank.flatten(1).amax(dim=1)[:, None, None]
        return ((torch.maximum(bank, loudest - 8.0) + 4.0) / 4.0).float()


FRONT_ENDS: Mapping[str, Callable[[Any], nn.Module]] = {
    "Wav2Vec2FeatureExtractor": Standardised,
    "ASTFeatureExtractor": KaldiBank,
    "WhisperFeatureExtractor": WhisperBank,
}


def front_end(extractor: Any) -> nn.Module:
    """The twin of a feature extractor.

    Raises:
        SoundproofError: It has none.
    """
    name = type(extractor).__name__
    if name not in FRONT_ENDS:
        raise SoundproofError(f"{name} has no differentiable twin here; there are {', '.join(FRONT_ENDS)}")
    return FRONT_ENDS[name](extractor)


def _constants(module: nn.Module, **arrays: npt.NDArray[Any]) -> None:
    """Hold arrays that follow from the configuration, and are no weights."""
    for name, array in arrays.items():
        module.register_buffer(name, torch.from_numpy(array).double(), persistent=False)
