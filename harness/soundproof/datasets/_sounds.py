"""Synthesis of ten kinds of environment-like sounds, in the manner of ESC-10's classes.

Nothing here imitates a particular recording. A *recording* fixes what a microphone in one place at one source
would: the source's pitch, pace and timbre, the room, the background. A *take* is a clip cut from it: other
events at other times, other noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Signal = npt.NDArray[np.float32]

RATE = 16_000


@dataclass(frozen=True)
class Recording:
    """What all clips of one recording share.

    Attributes:
        pitch: Where the source lies in its kind's range of pitches, in [0, 1]; so do `pace` and `timbre`.
        pace: Slow to fast.
        timbre: Dark to bright.
        tilt: Slope of the microphone's response, dB an octave.
        decay: Time constant of the room's reverberation, s.
        wet: Level of the reverberation beside the direct sound.
        snr: Level of the sound over the background, dB.
        colour: Slope of the background noise, dB an octave.
    """

    pitch: float
    pace: float
    timbre: float
    tilt: float
    decay: float
    wet: float
    snr: float
    colour: float

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int, snr: float) -> list[Recording]:
        """The recordings of one kind of sound, spread evenly over all ranges (a Latin hypercube)."""
        strata = rng.permuted(np.tile(np.arange(count), (8, 1)), axis=1)
        places = (strata + rng.random((8, count))) / count
        return [
            cls(
                pitch=pitch,
                pace=pace,
                timbre=timbre,
                tilt=3 * tilt - 1.5,
                decay=_between(0.02, 0.3, decay),
                wet=0.4 * wet,
                snr=snr + 8 * quiet - 4,
                colour=4 * colour - 6,
            )
            for pitch, pace, timbre, tilt, decay, wet, quiet, colour in places.T
        ]


def render(kind: str, recording: Recording, rng: np.random.Generator, samples: int) -> Signal:
    """One take of a recording.

    Args:
        kind: One of `KINDS`.
        recording: What the take shares with its siblings.
        rng: Everything else.
        samples: Its length at `RATE`.

    Returns:
        `[samples]` in [-1, 1].
    """
    time = np.arange(samples, dtype=np.float32) / RATE
    dry = KINDS[kind](recording, rng, time)
    size = fft.next_fast_len(samples + int(3 * recording.decay * RATE), real=True)
    tail = rng.standard_normal(size, dtype=np.float32)
    tail *= np.exp(-np.arange(size, dtype=np.float32) / (recording.decay * RATE))
    tail *= recording.wet / np.linalg.norm(tail)
    tail[0] += 1
    spectrum = fft.rfft(dry, size) * fft.rfft(tail) * _slope(size, recording.tilt)
    sound = _unit(fft.irfft(spectrum, size)[:samples])
    noise = _noise(rng, samples, _slope(samples, recording.colour))
    mixed = sound + noise * np.float32(10 ** (-recording.snr / 20))
    gain = rng.uniform(0.5, 0.95)
    return (mixed * np.float32(gain / np.abs(mixed).max())).astype(np.float32)


def _dog_bark(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """A few short falling glides with a noisy onset."""
    since = _since(time, _starts(rng, time, _between(1.5, 4, r.pace), jitter=0.3))
    envelope = _strike(since, 0.008, _between(0.04, 0.15, rng.random()))
    fall = _between(2, 8, rng.random())
    phase = _between(250, 900, r.pitch) * (1 - 2 ** (-fall * since)) / (fall * np.log(2))
    breath = rng.standard_normal(len(time), dtype=np.float32) * np.float32(0.12)
    return (envelope * (_voice(phase, _between(2, 20, r.timbre)) + breath)).sum(axis=0)


def _rain(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Steady noise with a dense shower of drops."""
    hiss = _noise(rng, len(time), _slope(len(time), _between(2, 5, r.timbre) - 3))
    drops = _clicks(rng, time, _between(60, 300, r.pace), _between(2500, 6000, r.pitch), 0.0005)
    return _unit(hiss) + np.float32(0.8) * _unit(drops)


def _sea_waves(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Noise that swells slowly."""
    hiss = _noise(rng, len(time), _slope(len(time), _between(2, 4, r.timbre) - 8))
    swell = np.sin(2 * np.pi * (_between(0.3, 1.2, r.pace) * time + rng.random()))
    return hiss * np.exp(np.float32(_between(0.8, 1.6, r.pitch)) * swell)


def _crying_baby(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Long voiced cries that rise and fall, with vibrato."""
    length = _between(0.35, 0.9, r.pace)
    since = _since(time, _starts(rng, time, 1 / (1.3 * length), jitter=0.2))
    arch = np.sin(np.pi * np.clip(since / length, 0, 1))
    vibrato = 0.03 * np.sin(2 * np.pi * _between(4, 9, rng.random()) * since)
    pitch = _between(300, 500, r.pitch) * (1 + rng.uniform(0.05, 0.25) * arch + vibrato)
    return (arch * _voice(_cycles(pitch), _between(3, 25, r.timbre))).sum(axis=0)


def _clock_tick(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Evenly spaced short resonant clicks, every other one softer."""
    starts = _starts(rng, time, _between(2, 8, r.pace), jitter=0.0)
    since = _since(time, starts)
    ring = np.sin(2 * np.pi * _between(1500, 5000, r.pitch) * since)
    ring += 0.5 * rng.standard_normal(since.shape, dtype=np.float32)
    soft = np.where(np.arange(len(starts)) % 2, rng.uniform(0.3, 1), 1)[:, None].astype(np.float32)
    return (soft * _strike(since, 0.0005, _between(0.003, 0.02, r.timbre)) * ring).sum(axis=0)


def _sneezing(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """A voiced intake of breath, then one burst of noise."""
    start = rng.uniform(0.15, 0.75) * time[-1]
    since = (time - np.float32(start)).clip(0)
    burst = _strike(since, 0.01, _between(0.05, 0.2, r.pace))
    hiss = _noise(rng, len(time), _band(len(time), _between(1200, 5000, r.timbre), 1.2))
    before = (np.float32(start) - time).clip(0)
    intake = np.where(before > 0, np.exp(-before / np.float32(0.12)), 0).astype(np.float32)
    voice = _voice(_cycles(np.full_like(time, _between(200, 600, r.pitch))) , 6)
    return _unit(burst * (hiss + rng.uniform(0, 0.6) * voice)) + rng.uniform(0.1, 0.5) * _unit(intake * voice)


def _helicopter(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Low noise chopped by the blades."""
    blades = _between(9, 28, r.pace) * time + rng.random()
    chop = np.exp(np.float32(_between(0.6, 3, r.timbre)) * (np.cos(2 * np.pi * blades) - 1))
    rumble = _noise(rng, len(time), _band(len(time), _between(120, 900, r.pitch), 1.6))
    return (chop * rumble).astype(np.float32)


def _chainsaw(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """A fast motor: a buzz with a fluttering pitch, and noise."""
    flutter = 1 + 0.06 * np.sin(2 * np.pi * _between(1, 6, rng.random()) * time + rng.uniform(0, 6))
    buzz = _voice(_cycles(_between(80, 180, r.pitch) * flutter + 0 * time), _between(40, 160, r.timbre))
    rasp = _noise(rng, len(time), _band(len(time), _between(500, 2000, r.pace), 1.2))
    return _unit(buzz) + np.float32(rng.uniform(0.4, 1.2)) * rasp * (0.5 + _unit(buzz).clip(0, 2))


def _rooster(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """One crow: short notes, then a long note that rises and falls."""
    length = _between(0.4, 0.9, r.pace)
    start = rng.uniform(-0.1, max(0.05, float(time[-1]) - length))
    since = _since(time, np.array([start, start + 0.3 * length]))
    lengths = np.array([[0.22 * length], [0.7 * length]], dtype=np.float32)
    arch = np.sin(np.pi * np.clip(since / lengths, 0, 1))
    pitch = _between(500, 1000, r.pitch) * (1 + rng.uniform(0.2, 0.6) * arch)
    return (np.sqrt(arch.clip(0)) * _voice(_cycles(pitch), _between(3, 25, r.timbre))).sum(axis=0)


def _crackling_fire(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Irregular crackles of very different loudness over a soft roar."""
    crackles = _clicks(rng, time, _between(8, 40, r.pace), _between(1500, 4000, r.pitch), 0.002)
    roar = _noise(rng, len(time), _slope(len(time), _between(2, 4, r.timbre) - 10))
    return _unit(crackles) + np.float32(rng.uniform(0.2, 0.8)) * roar


KINDS: dict[str, Callable[[Recording, np.random.Generator, Signal], Signal]] = {
    "dog_bark": _dog_bark,
    "rain": _rain,
    "sea_waves": _sea_waves,
    "crying_baby": _crying_baby,
    "clock_tick": _clock_tick,
    "sneezing": _sneezing,
    "helicopter": _helicopter,
    "chainsaw": _chainsaw,
    "rooster": _rooster,
    "crackling_fire": _crackling_fire,
}


def _between(low: float, high: float, place: float) -> float:
    """A point of a range, geometrically."""
    return float(low * (high / low) ** place)


def _unit(x: Signal) -> Signal:
    """The signal at an RMS of 1."""
    return x / np.float32(np.sqrt(np.mean(x**2)) + 1e-9)


def _slope(size: int, slope: float) -> Signal:
    """Gain at the bins of a real FFT: `slope` dB an octave, 0 dB at 1 kHz, level below 60 Hz."""
    frequency = fft.rfftfreq(size, 1 / RATE).clip(60)
    return ((frequency / 1000) ** (slope / (20 * np.log10(2)))).astype(np.float32)


def _band(size: int, centre: float, octaves: float) -> Signal:
    """Gain at the bins of a real FFT: a bell around `centre` Hz, `octaves` wide at one standard deviation."""
    distance = np.log2(fft.rfftfreq(size, 1 / RATE).clip(20) / centre)
    return np.exp(-0.5 * (distance / octaves) ** 2).astype(np.float32)


def _noise(rng: np.random.Generator, size: int, gain: Signal) -> Signal:
    """Gaussian noise with the given spectrum, at an RMS of 1."""
    white = fft.rfft(rng.standard_normal(size, dtype=np.float32))
    return _unit(fft.irfft(white * gain, size))


def _starts(rng: np.random.Generator, time: Signal, rate: float, jitter: float) -> npt.NDArray[np.float64]:
    """Times of events that come `rate` times a second; `jitter` in periods."""
    count = int(np.ceil((time[-1] + 0.2) * rate)) + 1
    return (np.arange(count) - rng.random() + jitter * rng.uniform(-1, 1, count)) / rate


def _since(time: Signal, starts: npt.NDArray[np.float64]) -> Signal:
    """Time since each event, `[events, samples]`; 0 before it."""
    return (time[None] - starts[:, None].astype(np.float32)).clip(0)


def _strike(since: Signal, attack: float, decay: float) -> Signal:
    """An envelope that rises and dies away; 0 before the event."""
    return (1 - np.exp(-since / np.float32(attack))) * np.exp(-since / np.float32(decay))


def _cycles(pitch: Signal) -> Signal:
    """The phase, in cycles, of an oscillator of the given pitch, Hz."""
    return (np.cumsum(pitch, axis=-1, dtype=np.float64) / RATE).astype(np.float32)


def _voice(cycles: Signal, brightness: float) -> Signal:
    """A pulse-like harmonic tone; the width of its spectrum grows with the root of `brightness`."""
    b = np.float32(brightness)
    pulse = np.exp(b * (np.cos(np.float32(2 * np.pi) * (cycles % 1)) - 1))
    return pulse - np.float32(np.mean(pulse))


def _clicks(
    rng: np.random.Generator, time: Signal, rate: float, centre: float, decay: float
) -> Signal:
    """Resonant clicks at random times, `rate` a second, with a heavy tail of loudness."""
    size = len(time)
    count = max(1, rng.poisson(rate * size / RATE))
    impulses = np.zeros(size, dtype=np.float32)
    np.add.at(impulses, rng.integers(0, size, count), rng.standard_normal(count) * rng.pareto(2.5, count))
    kernel = np.exp(-time / np.float32(decay)) * np.sin(np.float32(2 * np.pi * centre) * time)
    return fft.irfft(fft.rfft(impulses) * fft.rfft(kernel), size)
