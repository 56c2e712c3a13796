"""Geometry of the learning curves, in units of their view box; the template draws them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from soundproof.boards.formats import written
from soundproof.boards.measures import Unit
from soundproof.boards.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from soundproof.boards.entries import Boards, Curve, Training
    from soundproof.boards.names import Called

WIDTH, HEIGHT = 260, 148
LEFT, RIGHT = 44, 254
_LOSS, _SCORE = (20, 66), (86, 132)  # top and bottom of the two frames


@dataclass(frozen=True)
class Thread:
    """The line of one training: a path, empty without epochs, and what it is in words."""

    path: str
    title: str
    failed: bool


@dataclass(frozen=True)
class Frame:
    """One quantity over the epochs.

    Attributes:
        title: What it is.
        top: Of the frame.
        bottom: Of the frame.
        high: The number at the top in words; empty without any.
        low: The number at the bottom.
        threads: A line for each training.
    """

    title: str
    top: int
    bottom: int
    high: str
    low: str
    threads: tuple[Thread, ...]


@dataclass(frozen=True)
class Picture:
    """Picture of the training of one model or one defense.

    Attributes:
        training: What is drawn.
        phase: `model`, or `defense` for what a defense trained on top of it.
        frames: Loss and validation score.
        epochs: At the right end of both frames.
        failures: Distinct reasons why trainings broke off.
        failed: How many did.
        summary: The picture in a line.
        alternative: The picture in words.
    """

    training: Training
    phase: str
    frames: tuple[Frame, Frame]
    epochs: int
    failures: tuple[str, ...]
    failed: int
    summary: str
    alternative: str


def pictures(boards: Boards) -> dict[tuple[Called, Called], list[Picture]]:
    """Small multiples by data set and representation; nothing for those that were trained without epochs."""
    found: dict[tuple[Called, Called], list[Picture]] = {}
    for training in boards.trainings:
        of = training.name
        found.setdefault((of.dataset, of.representation), []).append(_picture(training))
    return found


def _picture(training: Training) -> Picture:
    curves, of = training.curves, training.name
    broken = [curve for curve in curves if curve.failure]
    epochs = max(len(curve.loss) for curve in curves)
    phase = "model" if of.undefended else "defense"
    summary = _summary(curves)
    failed = f" {len(broken)} of them broke off." if broken else ""
    return Picture(
        training=training,
        phase=phase,
        frames=(_frame("training loss", _LOSS, curves, epochs), _frame("validation", _SCORE, curves, epochs)),
        epochs=epochs,
        failures=tuple(dict.fromkeys(curve.failure for curve in broken)),
        failed=len(broken),
        summary=summary,
        alternative=f"Training of the {phase}: {of.model}, {of.representation}, {of.defense}. Loss and validation "
        f"score over {counted(epochs, 'epoch')}, {counted(len(curves), 'training')}.{failed} {summary}".strip(),
    )


def _summary(curves: Sequence[Curve]) -> str:
    """Medians over the trainings that went to their end."""
    done = [curve for curve in curves if curve.loss and curve.score and not curve.failure]
    if not done:
        return ""
    first, last = (median(curve.loss[at] for curve in done) for at in (0, -1))
    best = median(max(curve.score) for curve in done)
    loss = f"loss {written(first, Unit.NUMBER)} → {written(last, Unit.NUMBER)}"
    return f"{loss}, best validation {written(best, Unit.NUMBER)}"


def _frame(title: str, edges: tuple[int, int], curves: Sequence[Curve], epochs: int) -> Frame:
    lines = [curve.loss if edges is _LOSS else curve.score for curve in curves]
    # A diverging loss would press all others flat: it leaves the frame instead.
    whole = [line for line, curve in zip(lines, curves, strict=True) if not curve.failure] or lines
    known = [value for line in whole for value in line if math.isfinite(value)]
    low, high = min([0.0, *known]), max(known, default=0.0)
    if edges is _SCORE and low == 0.0:  # shares, as most scores are: on one scale in all pictures
        high = max(1.0, high)
    threads = (
        Thread(_path(line, low, high, edges, epochs), _title(curve), bool(curve.failure))
        for line, curve in zip(lines, curves, strict=True)
    )
    ends = (written(high, Unit.NUMBER), written(low, Unit.NUMBER)) if known else ("", "")
    return Frame(title, *edges, *ends, tuple(threads))


def _path(line: Iterable[float], low: float, high: float, edges: tuple[int, int], epochs: int) -> str:
    top, bottom = edges
    spread, step = (high - low) or 1.0, (RIGHT - LEFT) / max(1, epochs - 1)
    path, pen = [], "M"
    for number, value in enumerate(line):
        if math.isfinite(value):
            along = min(1.0, max(0.0, (value - low) / spread))
            path.append(f"{pen}{LEFT + number * step:.1f} {bottom - along * (bottom - top):.1f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(path) + ("h.1" if len(path) == 1 else "")  # a single epoch is a dot


def _title(curve: Curve) -> str:
    name = f"fold {curve.fold}, seed {curve.seed}"
    return f"{name}: {curve.failure}" if curve.failure else name
