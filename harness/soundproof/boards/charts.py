"""Geometry of the page's pictures, in units of their view box; the template draws them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from soundproof.boards.formats import written
from soundproof.boards.headlines import all_fall
from soundproof.boards.measures import MEASURES, Unit
from soundproof.boards.numbers import counted
from soundproof.results.flags import unranked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from soundproof.boards.entries import Boards, Robustness
    from soundproof.boards.names import Called
    from soundproof.measuring.metrics.intervals import Metric

Box = tuple[float, float, float, float]

WIDTH = 480
LEFT, RIGHT, TOP, BOTTOM = 46, 466, 14, 336  # the frame of the scatter
SHAPES = ("circle", "square", "triangle", "diamond")  # beside the colours, for eyes that do not tell these apart
COLOURS = 6
_GLYPH, _RISE = 6.4, 11  # room for a character of a label: a little more than it takes
_REACH = 7  # of a dot


@dataclass(frozen=True)
class Look:
    """Look of the dots of one defense."""

    name: str
    colour: int
    shape: str


@dataclass(frozen=True)
class Label:
    """A text beside a dot; `anchor` is the side of it that `x` means, `start` or `end`."""

    text: str
    x: float
    y: float
    anchor: str


@dataclass(frozen=True)
class Dot:
    """A classifier with its two intervals, `(low, high)` in the picture's units; unranked ones are hollow."""

    x: float
    y: float
    across: tuple[float, float]
    upright: tuple[float, float]
    look: Look
    title: str
    hollow: bool
    label: Label | None = None


@dataclass(frozen=True)
class Scatter:
    """Clean accuracy across and robustness upwards, of one data set.

    Attributes:
        dataset: Its name.
        upwards: What stands upwards, in words with its unit.
        dots: The classifiers.
        looks: The legend.
        columns: Marked places across with their percent.
        rows: Marked places upwards with their numbers.
        alternative: The picture in words.
    """

    dataset: str
    upwards: str
    dots: tuple[Dot, ...]
    looks: tuple[Look, ...]
    columns: tuple[tuple[float, str], ...]
    rows: tuple[tuple[float, str], ...]
    alternative: str


class Axis:
    """Places shares between two ends, which are the multiples of 20 % around all of them."""

    def __init__(self, metrics: Iterable[Metric], start: int, end: int, *, from_zero: bool) -> None:
        metrics = list(metrics)
        low = 0.0 if from_zero else min(metric.low for metric in metrics)
        self._low = max(0.0, math.floor(low * 5) / 5)
        self._high = max(self._low + 0.2, min(1.0, math.ceil(max(metric.high for metric in metrics) * 5) / 5))
        self._start, self._end = start, end

    def __call__(self, share: float) -> float:
        """Position of a share."""
        along = (share - self._low) / (self._high - self._low)
        return round(self._start + along * (self._end - self._start), 1)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Every 20 %, or every 10 % where there is room for it."""
        low, high = round(100 * self._low), round(100 * self._high)
        step = 20 if high - low > 60 else 10
        return tuple((self(percent / 100), str(percent)) for percent in range(low, high + 1, step))


class LengthAxis:
    """Places lengths between two ends, from zero to a round number above all of them."""

    def __init__(self, metrics: Iterable[Metric], start: int, end: int) -> None:
        high = max((metric.high for metric in metrics), default=0.0) or 1.0
        power: float = 10.0 ** math.floor(math.log10(high))
        self._step = next(step * power for step in (0.25, 0.5, 1.0, 2.0) if step * power * 5 >= high)
        self._high = self._step * math.ceil(high / self._step - 1e-9)
        self._start, self._end = start, end

    def __call__(self, length: float) -> float:
        """Position of a length."""
        return round(self._start + length / self._high * (self._end - self._start), 1)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Every step."""
        number = round(self._high / self._step)
        return tuple((self(self._step * count), f"{self._step * count:g}") for count in range(number + 1))


def scatters(boards: Boards) -> list[Scatter]:
    """One picture for each data set where both accuracies are known."""
    known = [entry for entry in boards.robustness if {"accuracy", "robust_accuracy"} <= entry.metrics.keys()]
    datasets = dict.fromkeys(entry.name.dataset for entry in known)
    return [_scatter(name, [entry for entry in known if entry.name.dataset == name]) for name in datasets]


def _scatter(dataset: Called, entries: Sequence[Robustness]) -> Scatter:
    """Upwards stands the worst case; where all fall, how much it takes to fool them."""
    undefended = {entry.name.defense for entry in entries if entry.name.undefended}
    defenses = sorted({entry.name.defense for entry in entries}, key=lambda name: (name not in undefended, name))
    looks = {name: Look(str(name), i % COLOURS, SHAPES[i % len(SHAPES)]) for i, name in enumerate(defenses)}
    measure = "reach_l2" if all_fall(entries) and _known(entries) else "robust_accuracy"
    across = Axis((entry.metrics["accuracy"] for entry in entries), LEFT, RIGHT, from_zero=False)
    heights = [entry.metrics[measure] for entry in entries]
    length = measure == "reach_l2"
    upright = LengthAxis(heights, BOTTOM, TOP) if length else Axis(heights, BOTTOM, TOP, from_zero=True)
    dots = [_dot(entry, looks[entry.name.defense], measure, across, upright) for entry in entries]
    words = "mean ‖ε‖₂ at reach, as all fall within the budget," if length else "worst-case robust accuracy"
    best = max(entries, key=lambda entry: entry.metrics[measure].value)
    return Scatter(
        dataset=dataset.short,
        upwards=words,
        dots=_labelled(dots, entries),
        looks=tuple(looks.values()),
        columns=across.ticks,
        rows=upright.ticks,
        alternative=f"Clean accuracy against {words} of {counted(len(entries), 'classifier')} "
        f"on {dataset}. The highest point is {_title(best, measure)}. The robustness board holds every number.",
    )


def _known(entries: Sequence[Robustness]) -> bool:
    return all("reach_l2" in entry.metrics for entry in entries)


def _dot(entry: Robustness, look: Look, measure: str, across: Axis, upright: Axis | LengthAxis) -> Dot:
    clean, height = entry.metrics["accuracy"], entry.metrics[measure]
    return Dot(
        x=across(clean.value),
        y=upright(height.value),
        across=(across(clean.low), across(clean.high)),
        upright=(upright(height.low), upright(height.high)),
        look=look,
        title=_title(entry, measure),
        hollow=unranked(entry.flags),
    )


def _labelled(dots: Sequence[Dot], entries: Sequence[Robustness]) -> tuple[Dot, ...]:
    """Write the model beside each dot where there is room around it; elsewhere its title has to do."""
    taken: list[Box] = [(dot.x - _REACH, dot.y - _REACH, dot.x + _REACH, dot.y + _REACH) for dot in dots]
    done = []
    for dot, entry in zip(dots, entries, strict=True):
        for label in _places(dot, entry.name.model.short):
            box = _box(label)
            inside = box[0] > LEFT and box[2] < RIGHT and box[1] > TOP and box[3] < BOTTOM
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                dot = replace(dot, label=label)
                break
        done.append(dot)
    return tuple(done)


def _places(dot: Dot, text: str) -> Iterable[Label]:
    for shift, drop in ((10, 4), (7, -8), (7, 15), (1, -12), (1, 20)):
        yield Label(text, round(dot.x + shift, 1), round(dot.y + drop, 1), "start")
        yield Label(text, round(dot.x - shift, 1), round(dot.y + drop, 1), "end")


def _box(label: Label) -> Box:
    width = _GLYPH * len(label.text)
    start = label.x if label.anchor == "start" else label.x - width
    return start, label.y - _RISE, start + width, label.y + 3


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _title(entry: Robustness, measure: str) -> str:
    heights = {"robust_accuracy": "worst case", "reach_l2": "‖ε‖₂ at reach"}
    numbers = []
    for name, words in {"accuracy": "clean", measure: heights[measure]}.items():
        unit = MEASURES[name].unit
        numbers.append(f"{words} {written(entry.metrics[name].value, unit)}{' %' if unit is Unit.SHARE else ''}")
    return f"{entry.name.full}: {', '.join(numbers)}"
