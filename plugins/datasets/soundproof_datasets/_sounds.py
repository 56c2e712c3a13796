"""Ten kinds of environment-like sounds, in the manner of ESC-10's classes.

Nothing here imitates a particular recording. A *recording* fixes what a microphone at one place before one
source would: the source's pitch, pace and timbre, the room, the background. A *take* is a clip cut from it,
with its own events and noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from soundproof_datasets._signals import (
    RATE,
    arch,
    bell,
    clicks,
    cycles,
    mixed,
    noise,
    since,
    slope,
    starts,
    strike,
    throb,
    unit,
    voice,
    wave,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from soundproof_datasets._signals import Signal


@dataclass(frozen=True)
class Recording:
    """Properties that all clips of one recording share.

    Attributes:
        pitch: Where the source lies in its kind's range of pitches, in [0, 1]; so do `pace` and `timbre`.
        pace: Slow to fast.
        timbre: Dark to bright.
        tilt: Slope of the microphone's response, dB an octave.
        decay: Time constant of the room's reverberation, s.
        wet: Level of the reverberation, the direct sound being 1.
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


def recordings(rng: np.random.Generator, count: int, snr: float) -> list[Recording]:
    """The recordings of one kind, spread evenly over all ranges (a Latin hypercube).

    Independent draws would leave gaps: with ten recordings a kind, one run's test part would then be far from
    its training part and another's near.
    """
    strata = rng.permuted(np.tile(np.arange(count), (8, 1)), axis=1)
    places = (strata + rng.random((8, count))) / count
    return [
        Recording(
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
    time = np.arange(samples, dtype=np.float32) / np.float32(RATE)
    dry = KINDS[kind](recording, rng, time)
    size = fft.next_fast_len(samples + int(3 * recording.decay * RATE), real=True)
    room = rng.standard_normal(size, dtype=np.float32)
    room *= np.exp(-np.arange(size, dtype=np.float32) / np.float32(recording.decay * RATE))
    room *= np.float32(recording.wet / np.linalg.norm(room))
    room[0] += 1
    spectrum = fft.rfft(dry, size) * fft.rfft(room) * slope(size, recording.tilt)
    sound = unit(fft.irfft(spectrum, size)[:samples])
    background = noise(rng, samples, slope(samples, recording.colour))
    heard = sound + background * np.float32(10 ** (-recording.snr / 20))
    louder: Signal = heard * np.float32(rng.uniform(0.5, 0.95) / np.abs(heard).max())
    return louder


def _dog_bark(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """A few short falling glides with a noisy onset."""
    elapsed = since(time, starts(rng, time, _between(1.5, 4, r.pace), jitter=0.3))
    fall = _between(2, 8, rng.random())
    glide = _between(250, 900, r.pitch) * (1 - 2 ** (-fall * elapsed)) / (fall * float(np.log(2)))
    breath = np.float32(0.12) * rng.standard_normal(len(time), dtype=np.float32)
    bark = voice(glide, _between(2, 20, r.timbre)) + breath
    return mixed(strike(elapsed, 0.008, _between(0.04, 0.15, rng.random())) * bark)


def _rain(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Steady bright noise with a dense shower of drops."""
    hiss = noise(rng, len(time), slope(len(time), 3 * r.timbre - 1))
    return hiss + 0.8 * clicks(rng, time, _between(60, 300, r.pace), _between(2500, 6000, r.pitch), 0.0005)


def _sea_waves(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Dark noise that swells slowly."""
    hiss = noise(rng, len(time), slope(len(time), 2 * r.timbre - 6))
    swell = _between(0.3, 1.2, r.pace) * time + rng.random()
    return hiss * throb(swell, _between(0.8, 1.6, r.pitch))


def _crying_baby(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Long voiced cries that rise and fall, with vibrato."""
    length = _between(0.35, 0.9, r.pace)
    elapsed = since(time, starts(rng, time, 1 / (1.3 * length), jitter=0.2))
    cry = arch(elapsed, length)
    bend = rng.uniform(0.05, 0.25) * cry + 0.03 * wave(_between(4, 9, rng.random()) * elapsed)
    return mixed(cry * voice(cycles(_between(300, 500, r.pitch) * (1 + bend)), _between(3, 25, r.timbre)))


def _clock_tick(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Evenly spaced short resonant clicks, every other one softer."""
    events = starts(rng, time, _between(2, 8, r.pace))
    elapsed = since(time, events)
    ring = wave(_between(1500, 5000, r.pitch) * elapsed)
    ring += 0.5 * rng.standard_normal(elapsed.shape, dtype=np.float32)
    loudness = np.ones((len(events), 1), dtype=np.float32)
    loudness[1::2] = rng.uniform(0.3, 1)
    return mixed(loudness * strike(elapsed, 0.0005, _between(0.003, 0.02, r.timbre)) * ring)


def _sneezing(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """A voiced intake of breath, then one burst of noise."""
    start = np.float32(rng.uniform(0.15, 0.75) * time[-1])
    tone = voice(cycles(np.full_like(time, _between(200, 600, r.pitch))), 6)
    hiss = noise(rng, len(time), bell(len(time), _between(1200, 5000, r.timbre), 1.2))
    burst = strike((time - start).clip(0), 0.01, _between(0.05, 0.2, r.pace))
    intake = np.where(time < start, np.exp((time - start) / np.float32(0.12)), np.float32(0))
    blast = unit(burst * (hiss + rng.uniform(0, 0.6) * tone))
    return blast + rng.uniform(0.1, 0.5) * unit(intake * tone)


def _helicopter(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Low noise chopped by the blades."""
    blades = _between(9, 28, r.pace) * time + rng.random()
    rumble = noise(rng, len(time), bell(len(time), _between(120, 900, r.pitch), 1.6))
    return rumble * throb(blades, _between(0.6, 3, r.timbre))


def _chainsaw(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """A fast motor: a buzz of fluttering pitch, and noise that follows it."""
    flutter = 0.06 * wave(_between(1, 6, rng.random()) * time + rng.random())
    buzz = unit(voice(cycles(_between(80, 180, r.pitch) * (1 + flutter)), _between(40, 160, r.timbre)))
    rasp = noise(rng, len(time), bell(len(time), _between(500, 2000, r.pace), 1.2))
    return buzz + rng.uniform(0.4, 1.2) * rasp * (0.5 + buzz.clip(0, 2))


def _rooster(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """One crow: a short note, then a long one that rises and falls."""
    length = _between(0.4, 0.9, r.pace)
    start = rng.uniform(-0.1, max(0.05, float(time[-1]) - length))
    elapsed = since(time, np.array([start, start + 0.3 * length], dtype=np.float32))
    note = arch(elapsed, np.array([[0.22 * length], [0.7 * length]], dtype=np.float32))
    pitch = _between(500, 1000, r.pitch) * (1 + rng.uniform(0.2, 0.6) * note)
    return mixed(np.sqrt(note) * voice(cycles(pitch), _between(3, 25, r.timbre)))


def _crackling_fire(r: Recording, rng: np.random.Generator, time: Signal) -> Signal:
    """Irregular crackles of very different loudness over a soft dark roar."""
    crackles = clicks(rng, time, _between(8, 40, r.pace), _between(1500, 4000, r.pitch), 0.002)
    return crackles + rng.uniform(0.2, 0.8) * noise(rng, len(time), slope(len(time), 2 * r.timbre - 8))


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
    """A point of a range of positive numbers, geometrically; `place` in [0, 1]."""
    return float(low * (high / low) ** place)
