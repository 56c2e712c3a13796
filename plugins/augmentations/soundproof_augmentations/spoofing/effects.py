"""The effects of sox's that numpy and scipy cover, and chains of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import signal

from soundproof_augmentations.spoofing.timing import reverse

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Waveform = npt.NDArray[np.float64]
    Transformation = Callable[[Waveform, int, np.random.Generator], Waveform]


def fade(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Straight in over 1 s and out over 0.5 s, less in clips that are shorter."""
    into, out = (min(int(seconds * rate), len(waveform) // 2) for seconds in (1.0, 0.5))
    level = np.ones(len(waveform))
    level[:into] *= np.linspace(0, 1, into)
    level[len(level) - out :] *= np.linspace(1, 0, out)
    return waveform * level


def gain(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Louder by {-20, …, 20} dB; what goes past full scale is cut."""
    return waveform * _ratio(int(generator.integers(-20, 21)))


def contrast(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """sin(πx/2 + c·sin(2πx)), c = {5, …, 100} / 750."""
    angle = waveform * np.pi / 2
    return np.sin(angle + generator.integers(5, 101) / 750 * np.sin(4 * angle))


def hilbert(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """Every frequency turned by 90°."""
    return np.imag(signal.hilbert(waveform))


def tremolo(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """The level swings 6 times a second, down by {10, …, 100} %."""
    depth = generator.integers(10, 101) / 100
    swing = (1 + np.cos(2 * np.pi * 6 * np.arange(len(waveform)) / rate)) / 2
    return waveform * (1 - depth * (1 - swing))


def echo(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:  # noqa: ARG001
    """0.9·(0.8·x(t) + 0.4·x(t - 60 ms))."""
    echoed = 0.8 * waveform
    delay = round(0.06 * rate)
    echoed[delay:] += 0.4 * waveform[: max(0, len(waveform) - delay)]
    return 0.9 * echoed


def bass(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """{-20, …, 20} dB below 100 Hz, with a slope uniform in [0.3, 1)."""
    return signal.lfilter(*shelf(rate, 100, *_decibels_and_slope(generator)), waveform)  # type: ignore[no-any-return]


def treble(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """{-20, …, 20} dB above {100, …, 3000} Hz, with a slope uniform in [0.3, 1)."""
    corner = min(int(generator.integers(100, 3001)), 0.45 * rate)
    return signal.lfilter(*shelf(rate, corner, *_decibels_and_slope(generator), high=True), waveform)  # type: ignore[no-any-return]


def sinc(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """A linear-phase filter that passes or stops a band between 100 and 5000 Hz, {40, …, 180} dB down."""
    low, high = np.sort(generator.uniform(100, min(5000, 0.45 * rate), 2))
    sort = ("bandpass", "bandstop", "highpass", "lowpass")[generator.integers(4)]
    # A tenth of the rate lies between pass and stop.
    taps, beta = signal.kaiserord(int(generator.integers(40, 181)), 0.1)
    edges = {"highpass": [low], "lowpass": [high]}.get(sort, [low, max(high, low + 1)])
    kernel = signal.firwin(taps | 1, edges, window=("kaiser", beta), pass_zero=sort, scale=False, fs=rate)
    return signal.fftconvolve(waveform, kernel, mode="full")[len(kernel) // 2 :][: len(waveform)]  # type: ignore[no-any-return]


EFFECTS: dict[str, Transformation] = {
    "bass": bass,
    "contrast": contrast,
    "echo": echo,
    "fade": fade,
    "gain": gain,
    "hilbert": hilbert,
    "reverse": reverse,
    "sinc": sinc,
    "treble": treble,
    "tremolo": tremolo,
}


def effect_chain(waveform: Waveform, rate: int, generator: np.random.Generator) -> Waveform:
    """1 to 3 different effects in a row, each brought back into [-1, 1].

    A `reverse` that was chosen is kept in a third of cases.
    """
    names = generator.choice(list(EFFECTS), generator.integers(1, 4), replace=False)
    for name in names:
        if name != "reverse" or generator.random() < 1 / 3:
            waveform = np.clip(EFFECTS[name](waveform, rate, generator), -1, 1)
    return waveform


def shelf(
    rate: int, corner: float, decibels: float, slope: float, *, high: bool = False
) -> tuple[Waveform, Waveform]:
    """A shelving filter of second order: numerator and denominator (Bristow-Johnson, audio EQ cookbook)."""
    amplitude = _ratio(decibels) ** 0.5
    angle = 2 * np.pi * corner / rate
    # A high shelf is a low one seen from the other end of the axis.
    cosine = -np.cos(angle) if high else np.cos(angle)
    alpha = np.sin(angle) / 2 * np.sqrt((amplitude + 1 / amplitude) * (1 / slope - 1) + 2)
    more, less, twice = amplitude + 1, amplitude - 1, 2 * np.sqrt(amplitude) * alpha
    numerator = amplitude * np.array(
        [more - less * cosine + twice, 2 * (less - more * cosine), more - less * cosine - twice]
    )
    denominator = np.array(
        [more + less * cosine + twice, -2 * (less + more * cosine), more + less * cosine - twice]
    )
    mirror = np.array([1, -1, 1]) if high else 1
    return numerator * mirror, denominator * mirror


def _decibels_and_slope(generator: np.random.Generator) -> tuple[int, float]:
    return int(generator.integers(-20, 21)), generator.uniform(0.3, 1)


def _ratio(decibels: float) -> float:
    return 10 ** (decibels / 20)
