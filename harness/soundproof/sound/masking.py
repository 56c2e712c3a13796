"""Masking: what of a change a clip hides, by the psychoacoustic model that inaudible attacks use.

Psychoacoustic model 1 of MPEG-1 (ISO/IEC 11172-3, Annex D) as Lin & Abdulla 2015 ("Audio Watermark") simplify it
and Qin et al. 2019 (arXiv 1903.10346) attack with it: every masker is taken as tonal, its spread has two slopes.
Tonal maskers hide less than noise-like ones, so that audibility is overstated rather than understated.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log2

import torch

LOUDEST = 96.0
"""Sound pressure, dB, at which the loudest bin of a clip is taken to be played."""

_WINDOW = 0.128
"""Seconds: 2048 samples at 16 kHz."""

_QUIETEST = -200.0
_NEAR = 0.5
"""Bark within which only the strongest masker counts."""

_AT_ONCE = 64
"""Frames whose maskers are spread at once."""

_CLIPS = 8
"""Clips whose spectra are held at once."""


@dataclass(frozen=True, eq=False)
class Threshold:
    """Masking threshold of clips.

    Attributes:
        levels: dB of sound pressure `[n, bins, frames]`, at or above which a change is heard.
        loudest: Power spectral density of each clip's loudest bin before it is taken as 96 dB, `[n, 1, 1]`, dB.
    """

    levels: torch.Tensor
    loudest: torch.Tensor


class Masking:
    """The model for one sampling rate.

    Args:
        rate: Sampling rate, Hz.
        device: Where to compute.

    Attributes:
        window: Points of the Hann frames, the power of two nearest to 128 ms; hop a quarter.
        frequencies: Of the bins, Hz `[bins]`.
        barks: The same on the Bark scale.
        quiet: Threshold in quiet, dB of sound pressure `[bins]`; minus infinite outside of 20 Hz – 20 kHz.
    """

    def __init__(self, rate: int, device: torch.device | str = "cpu") -> None:
        self.window = 2 ** round(log2(_WINDOW * rate))
        self.hop = self.window // 4
        self._hann = torch.hann_window(self.window, dtype=torch.float64, device=device)
        self.frequencies = torch.linspace(0, rate / 2, self.window // 2 + 1, dtype=torch.float64, device=device)
        self.barks = bark(self.frequencies)
        self.quiet = threshold_in_quiet(self.frequencies)

    def density(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Power spectral density of waveforms `[n, T]`, dB `[n, bins, frames]`; zeros fill the last frame."""
        samples = waveforms.shape[-1]
        missing = max(self.window - samples, -(samples - self.window) % self.hop)
        padded = torch.nn.functional.pad(waveforms.double(), (0, missing))
        frames = padded.unfold(-1, self.window, self.hop) * self._hann
        # √(8/3) makes up for the window's loss of power.
        power = 8 / 3 * (torch.fft.rfft(frames).abs() / self.window).square()
        levels: torch.Tensor = (10 * power.log10()).clamp(min=_QUIETEST)
        return levels.mT

    def threshold(self, clean: torch.Tensor) -> Threshold:
        """Masking threshold of clips, waveforms `[n, T]`."""
        density = self.density(clean)
        loudest = density.amax((-1, -2), keepdim=True)
        levels = (density - loudest + LOUDEST).mT.flatten(0, 1)
        place, strength = self._maskers(levels)
        parts = zip(torch.split(place, _AT_ONCE), torch.split(strength, _AT_ONCE), strict=True)
        found = torch.cat([self._global(*part) for part in parts])
        return Threshold(found.view(len(clean), -1, found.shape[-1]).mT, loudest)

    def audible_share(self, clean: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
        """Share of a change's energy that lies at or above the masking threshold, over time and frequency.

        Args:
            clean: Waveforms `[n, T]`.
            changed: Waveforms `[n, T]`.

        Returns:
            float32 `[n]` in [0, 1]; 0 where nothing changed.
        """
        parts = zip(torch.split(clean, _CLIPS), torch.split(changed, _CLIPS), strict=True)
        return torch.cat([self._share(*part) for part in parts])

    def _share(self, clean: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
        threshold = self.threshold(clean)
        density = self.density(changed.double() - clean.double())
        energy = 10 ** (density / 10) * (density > _QUIETEST)
        heard = energy * (density - threshold.loudest + LOUDEST >= threshold.levels)
        whole = energy.sum((-1, -2))
        return (heard.sum((-1, -2)) / whole.clamp(min=torch.finfo(whole.dtype).tiny)).float()

    def _global(self, place: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        """Threshold of frames, `[F, bins]`: that in quiet, and of all maskers `[F, M]`."""
        barks, strength = self.barks.float(), strength.float()[..., None]
        z = barks[place][..., None]
        distance = barks - z
        upward = -27 + 0.37 * (strength - 40).clamp(min=0)
        spread = torch.where(distance > 0, upward, 27.0).mul_(distance)
        each = spread.add_(strength - 6.025 - 0.275 * z).mul_(log(10) / 10).exp_()
        return 10 * (each.sum(1).double() + 10 ** (self.quiet / 10)).log10()

    def _maskers(self, levels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Bins and sound pressure of the maskers of frames `[F, bins]`, `[F, M]`; -inf for none.

        Local maxima with their two neighbours' power; those below the threshold in quiet are none, and of two
        within half a Bark the weaker is none, from low frequencies to high.
        """
        power = 10 ** (levels / 10)
        strength = 10 * (power[:, :-2] + power[:, 1:-1] + power[:, 2:]).log10()
        middle = levels[:, 1:-1]
        peak = (middle > levels[:, :-2]) & (middle > levels[:, 2:]) & (strength > self.quiet[1:-1])
        place, strength = _gathered(peak, strength)
        place = place + 1
        barks, kept = self.barks[place], strength.isfinite()
        last = torch.zeros(len(levels), 1, dtype=torch.int64, device=levels.device)
        for column in range(1, strength.shape[1]):
            now = torch.full_like(last, column)
            near = (barks[:, column, None] - barks.gather(1, last) < _NEAR) & kept[:, column, None]
            weaker = torch.where(strength.gather(1, last) < strength[:, column, None], last, now)
            kept.scatter_(1, weaker, kept.gather(1, weaker) & ~near)
            last = torch.where(kept.gather(1, now), now, last)
        left, strength = _gathered(kept, strength)
        return place.gather(1, left), strength


def bark(frequencies: torch.Tensor) -> torch.Tensor:
    """Frequencies, Hz, on the Bark scale (Zwicker & Terhardt 1980)."""
    return 13 * torch.atan(0.00076 * frequencies) + 3.5 * torch.atan((frequencies / 7500).square())


def threshold_in_quiet(frequencies: torch.Tensor) -> torch.Tensor:
    """Threshold in quiet at frequencies, Hz, dB of sound pressure (Terhardt 1979, 12 dB lower as Qin et al.)."""
    kilohertz = frequencies.clamp(min=1e-3) / 1000
    levels = 3.64 * kilohertz**-0.8 - 6.5 * torch.exp(-0.6 * (kilohertz - 3.3).square()) + 1e-3 * kilohertz**4
    return torch.where((frequencies >= 20) & (frequencies <= 20_000), levels - 12, -torch.inf)


def _gathered(chosen: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Columns that are chosen, `[F, M]`, in order and then any, and their values; those of the rest are -inf."""
    most = max(1, int(chosen.sum(1).max()))
    order = (~chosen).to(torch.uint8).argsort(dim=1, stable=True)[:, :most]
    found = torch.where(chosen, values, -torch.inf).gather(1, order)
    return order, found
