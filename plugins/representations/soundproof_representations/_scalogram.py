"""Continuous wavelet transform in torch: every scale at the full sampling rate, block by block."""

from __future__ import annotations

from itertools import groupby
from math import gcd, inf, log2
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import nn
from torch.utils.checkpoint import checkpoint

from soundproof_representations._spectral import root

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof_representations._mothers import Filter

_CPU_STEP = 2**17
"""Values worked on at a time: what a CPU's cache holds, and what the allocator keeps rather than gives back."""

_GPU_STEP = 2**25
"""What fills a GPU and yet leaves memory: 0.7 GB in all."""

_BLOCKS = tuple(1 << power for power in range(10, 23, 2))
"""Points of FFTs to choose from; a finer choice makes more and smaller groups of scales, and gains nothing."""

_UNHEARD = 1e-3
"""Frequencies that all scales together pass with less than this share of the most are not reconstructed."""

_MOST_GAIN = 1e4
"""80 dB, the range of a picture."""

_PASSES = 4
"""Of the inverse; each leaves about 70 % of what is missing."""


class Scalogram(nn.Module):
    """Mean of |W| over frames of two hops, a hop apart.

    Args:
        filters: One a scale, from the lowest frequency to the highest.
        parts: 2 for |W| of a complex wavelet; 1 for that of a real one, or for |Re W|.
        hop: Samples between frames.
        samples: Length T of the clips.
    """

    taps: torch.Tensor

    def __init__(self, filters: Sequence[Filter], *, parts: int, hop: int, samples: int) -> None:
        super().__init__()
        self.hop = hop
        self.grain = _grain(hop)
        taps, self.first = _aligned(filters, parts)
        self.register_buffer("taps", torch.from_numpy(taps).float())
        self.bands = nn.ModuleList(
            _Band(list(members), parts, block, self.grain, every)
            for (block, every), members in groupby(
                filters,
                lambda item: (
                    _best_block(len(item.taps), self.grain, samples),
                    _spacing(item, parts, self.grain),
                ),
            )
        )

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to mean magnitudes `[n, scales, T // hop - 1]`."""
        hops = waveforms.shape[-1] // self.hop
        grains = torch.cat([band(waveforms) for band in self.bands], 1)[..., : hops * (self.hop // self.grain)]
        means = grains.view(*grains.shape[:2], hops, -1).mean(-1)
        return (means[..., 1:] + means[..., :-1]) / 2

    def coefficients(self, waveforms: torch.Tensor) -> torch.Tensor:
        """W at every sample, as `pywt.cwt`: `[n, scales, T]`, complex where the wavelet is."""
        length = self._length(waveforms.shape[-1])
        padded = nn.functional.pad(waveforms, (-self.first, 0))
        spectrum = torch.fft.rfft(padded, length)[:, None, None]
        parts = torch.fft.irfft(spectrum * torch.fft.rfft(self.taps, length).conj(), length)
        parts = parts[..., : waveforms.shape[-1]]
        return torch.complex(parts[:, 0], parts[:, 1]) if len(self.taps) == 2 else parts[:, 0]

    def synthesise(self, coefficients: torch.Tensor) -> torch.Tensor:
        """The waveforms `[n, T]` whose transform comes nearest to W `[n, scales, T]`, in least squares.

        This is the reconstruction formula x = C⁻¹ ∬ W ψ ds dt / s² (Grossmann & Morlet 1984) with the constant
        replaced by what the given scales really pass at each frequency; below the lowest scale is silence.
        """
        samples = coefficients.shape[-1]
        length = self._length(samples)
        parts = [coefficients.real, coefficients.imag] if len(self.taps) == 2 else [coefficients]
        response = torch.fft.rfft(self.taps, length)
        passed = response.abs().square().sum((0, 1))
        heard = passed > _UNHEARD * passed.amax()
        adjoint = (torch.fft.rfft(torch.stack(parts, 1), length) * response).sum((1, 2))
        waveforms: torch.Tensor = torch.fft.irfft(torch.where(heard, adjoint / passed, 0), length)
        return waveforms[..., -self.first : samples - self.first]

    def inverse(self, values: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Waveforms of mean magnitudes.

        Args:
            values: Mean magnitudes `[n, scales, frames]`.
            reference: Waveforms `[n, T]`; their coefficients are amplified towards `values`, a few times over
                because neighbouring scales share their sound.

        Returns:
            Waveforms `[n, T]`.
        """
        waveforms = reference
        for _ in range(_PASSES):
            before = self(waveforms)
            gain = (values / before.clamp(min=torch.finfo(before.dtype).tiny)).clamp(0, _MOST_GAIN)
            gain = torch.where(before > 0, gain, 1)
            middle = nn.functional.interpolate(gain, scale_factor=float(self.hop), mode="linear")
            rest = waveforms.shape[-1] - middle.shape[-1]
            gain = nn.functional.pad(middle, (self.hop // 2, rest - self.hop // 2), mode="replicate")
            waveforms = waveforms + self.synthesise(self.coefficients(waveforms) * (gain - 1))
        return waveforms

    def _length(self, samples: int) -> int:
        return int(next_fast_len(samples + self.taps.shape[-1], real=True))


class _Band(nn.Module):
    """Neighbouring scales that are filtered in blocks of one length (overlap-save).

    Args:
        filters: One a scale.
        parts: Real and imaginary part of the filters, or only the real one.
        block: Points of the FFT.
        grain: Samples to average over; blocks advance by a multiple.
        every: |W| is taken at every so many samples, in the middle of each such run: a divisor of `grain`.
    """

    response: torch.Tensor

    def __init__(self, filters: Sequence[Filter], parts: int, block: int, grain: int, every: int) -> None:
        super().__init__()
        taps, self.first = _aligned(filters, parts)
        self.block = block
        self.valid = _valid(block, taps.shape[-1], grain)
        self.every = every
        self.grain = grain
        bins = torch.arange(block // every // 2 + 1)
        middle = torch.exp(1j * torch.pi * (every - 1) / block * bins)
        response = torch.fft.rfft(torch.from_numpy(taps), block).conj()[..., : len(bins)] * middle / every
        # Pairs of reals: `.double()` leaves complex buffers as they are.
        self.register_buffer("response", torch.view_as_real(response).float())

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Waveforms `[n, T]` to the mean of |W| over each grain, `[n, scales, T // grain]`."""
        samples = waveforms.shape[-1]
        count = -(-samples // self.valid)
        after = (count - 1) * self.valid + self.block - samples + self.first
        blocks = nn.functional.pad(waveforms, (-self.first, after)).unfold(-1, self.block, self.valid)
        spectrum = torch.fft.rfft(blocks)[:, :, None, None, : self.response.shape[-2]]
        step = _CPU_STEP if waveforms.device.type == "cpu" else _GPU_STEP
        scales = max(1, step * self.every // max(1, blocks.numel()))
        responses = torch.split(torch.view_as_complex(self.response), scales, 1)
        if torch.is_grad_enabled() and waveforms.requires_grad:
            # Every coefficient kept for the way back would take 100 MB a clip.
            means = [checkpoint(self._means, spectrum, item, use_reentrant=False) for item in responses]
        else:
            means = [self._means(spectrum, item) for item in responses]
        return torch.cat(means, 2).transpose(1, 2).flatten(2)[..., : samples // self.grain]

    def _means(self, spectrum: torch.Tensor, response: torch.Tensor) -> torch.Tensor:
        """`[n, blocks, 1, 1, bins]` and `[parts, scales, bins]` to `[n, blocks, scales, grains]`."""
        parts = torch.fft.irfft(spectrum * response, self.block // self.every)
        magnitude = _modulus(*parts[..., : self.valid // self.every].unbind(2))
        return magnitude.view(*magnitude.shape[:-1], -1, self.grain // self.every).mean(-1)


def _modulus(real: torch.Tensor, imaginary: torch.Tensor | None = None) -> torch.Tensor:
    if imaginary is None:
        return real.abs()
    if real.requires_grad:
        return root(torch.addcmul(real.square(), imaginary, imaginary))
    # In place takes a tenth less time in all; the smallest power is not 0, whose root takes six times as long.
    smallest = torch.finfo(real.dtype).tiny
    return real.square_().addcmul_(imaginary, imaginary).clamp_(min=smallest).sqrt_()


def _aligned(filters: Sequence[Filter], parts: int) -> tuple[npt.NDArray[np.float64], int]:
    """Taps `[parts, scales, length]` that all begin at the same lag, and that lag."""
    first = min(item.first for item in filters)
    last = max(item.first + len(item.taps) for item in filters)
    taps = np.zeros((parts, len(filters), last - first))
    for row, item in enumerate(filters):
        inside = slice(item.first - first, item.first - first + len(item.taps))
        taps[0, row, inside] = item.taps.real
        if parts == 2:
            taps[1, row, inside] = item.taps.imag
    return taps, first


def _grain(hop: int) -> int:
    """The largest divisor of the hop that lets blocks advance in small steps, or the hop if there is none."""
    return max((size for size in range(10, 41) if hop % size == 0), default=hop)


def _valid(block: int, length: int, grain: int) -> int:
    """Samples of a block that wrap-around leaves alone, in whole grains."""
    return (block - length) // grain * grain


def _best_block(length: int, grain: int, samples: int) -> int:
    """The FFT that filters a clip with so many taps at the least cost."""

    def cost(block: int) -> float:
        valid = _valid(block, length, grain)
        return -(-samples // valid) * block * log2(block) if valid > 0 else inf

    return min(_BLOCKS, key=cost)


def _spacing(item: Filter, parts: int, grain: int) -> int:
    """The largest power of two that divides the grain and is not above what the filter's |W| allows."""
    return gcd(2 ** int(log2(item.coarseness)), grain) if parts == 2 and item.coarseness > 1 else 1
