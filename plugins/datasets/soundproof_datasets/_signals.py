"""Building blocks of synthesis: noise of a given spectrum, events, envelopes and harmonic tones.

Signals are float32 at `RATE`. What is random is drawn from the generator that is passed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    import numpy.typing as npt

    # numpy's stubs make float64 of a float times a float32 array; at run time all stays float32.
    Signal = npt.NDArray[np.floating[Any]]

RATE = 16_000
_TURN = np.float32(2 * np.pi)


def unit(signal: Signal) -> Signal:
    """The signal at an RMS of 1; silence stays silence."""
    scaled: Signal = signal / np.float32(np.sqrt(np.mean(signal**2)) + 1e-9)
    return scaled


def slope(size: int, decibels: float) -> Signal:
    """Gain at the bins of a real FFT: so many dB an octave, 0 dB at 1 kHz, level below 60 Hz."""
    frequency = fft.rfftfreq(size, 1 / RATE).clip(60)
    gain: Signal = ((frequency / 1000) ** (decibels / (20 * np.log10(2)))).astype(np.float32)
    return gain


def bell(size: int, centre: float, octaves: float) -> Signal:
    """Gain at the bins of a real FFT: a Gaussian around `centre` Hz with a standard deviation in octaves."""
    distance = np.log2(fft.rfftfreq(size, 1 / RATE).clip(20) / centre)
    gain: Signal = np.exp(-0.5 * (distance / octaves) ** 2).astype(np.float32)
    return gain


def shaped(signal: Signal, gain: Signal | npt.NDArray[np.complex64]) -> Signal:
    """The signal with its spectrum multiplied by a gain at the bins of a real FFT of its size."""
    filtered: Signal = fft.irfft(fft.rfft(signal) * gain, len(signal))
    return filtered


def noise(rng: np.random.Generator, size: int, gain: Signal) -> Signal:
    """Gaussian noise of the given spectrum, at an RMS of 1."""
    return unit(shaped(rng.standard_normal(size, dtype=np.float32), gain))


def starts(rng: np.random.Generator, time: Signal, rate: float, jitter: float = 0.0) -> Signal:
    """Times of events that come `rate` times a second, `jitter` periods early or late; the first begins early."""
    count = int(np.ceil((time[-1] + 0.2) * rate)) + 1
    places = np.arange(count) - rng.random() + jitter * rng.uniform(-1, 1, count)
    return (places / rate).astype(np.float32)


def since(time: Signal, events: Signal) -> Signal:
    """Time since each event, `[events, samples]`; 0 before it."""
    return (time[None] - events[:, None]).clip(0)


def strike(elapsed: Signal, attack: float, decay: float) -> Signal:
    """An envelope that rises and dies away with two time constants, s; 0 before the event."""
    rising = 1 - np.exp(-elapsed / np.float32(attack))
    envelope: Signal = rising * np.exp(-elapsed / np.float32(decay))
    return envelope


def arch(elapsed: Signal, length: Signal | float) -> Signal:
    """An envelope that rises and falls like half a period of a sine, `length` seconds long."""
    swell: Signal = np.sin(np.pi * np.clip(elapsed / length, 0, 1)).clip(0)
    return swell


def wave(cycles: Signal) -> Signal:
    """A sine of the given phase, in cycles."""
    sine: Signal = np.sin(_TURN * (cycles % 1))
    return sine


def throb(phase: Signal, depth: float) -> Signal:
    """A level that comes and goes with a phase, in cycles: exp(depth·(sin φ − 1))."""
    level: Signal = np.exp(np.float32(depth) * (wave(phase) - 1))
    return level


def cycles(pitch: Signal) -> Signal:
    """The phase, in cycles, of an oscillator of the given pitch, Hz, along the last axis."""
    return (np.cumsum(pitch, axis=-1, dtype=np.float64) / RATE).astype(np.float32)


def voice(phase: Signal, brightness: float) -> Signal:
    """A pulse-like harmonic tone, exp(b·(cos φ − 1)) without its mean; b widens its spectrum as √b does."""
    pulse = np.exp(np.float32(brightness) * (np.cos(_TURN * (phase % 1)) - 1))
    tone: Signal = pulse - pulse.mean(dtype=np.float32)
    return tone


def clicks(rng: np.random.Generator, time: Signal, rate: float, centre: float, decay: float) -> Signal:
    """Resonant clicks at random times, `rate` a second, with a heavy tail of loudness, at an RMS of 1."""
    count = max(1, rng.poisson(rate * len(time) / RATE))
    impulses = np.zeros_like(time)
    np.add.at(impulses, rng.integers(0, len(time), count), rng.standard_normal(count) * rng.pareto(2.5, count))
    return unit(shaped(impulses, fft.rfft(strike(time, 1e-4, decay) * wave(centre * time))))


def mixed(events: Signal) -> Signal:
    """The sum of events, `[events, samples]`."""
    total: Signal = events.sum(axis=0)
    return total
