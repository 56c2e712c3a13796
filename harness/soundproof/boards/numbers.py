"""Numbers as figures of a table, and the columns that they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof.boards.formats import Scale, heading, interval, written
from soundproof.boards.grid import Column, Figure
from soundproof.boards.measures import MEASURES, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soundproof.boards.entries import Entry
    from soundproof.measuring.metrics.intervals import Metric

NOTHING = Figure("")


class Numbers:
    """Makes the figures of numbers; those of one measure share a scale, so that bars compare down a column.

    What a defense reports of itself is a plain number: nobody here knows its range.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        found = {name: _metrics(entries, name) for name in MEASURES}
        # A bar starts at zero: what may be below it has none.
        drawn = {name: each for name, each in found.items() if all(metric.low >= 0 for metric in each)}
        self._scales = {name: Scale(MEASURES[name].unit, each) for name, each in drawn.items()}

    def __call__(self, entry: Entry, name: str, *, like: str = "") -> Figure:
        """A metric with its interval, n and bar, or nothing; `like` names the measure that it is a mean of."""
        metric = entry.metrics.get(name)
        if metric is None:
            return NOTHING
        unit, scale = measure(like or name).unit, self._scales.get(like or name)
        bar = None if scale is None else (scale(metric.low), scale(metric.value), scale(metric.high))
        return Figure(written(metric.value, unit), interval(metric, unit), metric.value, n=metric.n, bar=bar)


def _metrics(entries: Sequence[Entry], name: str) -> list[Metric]:
    return [entry.metrics[name] for entry in entries if name in entry.metrics]


def counted(number: int, what: str) -> str:
    """`1 attack`, `2 attacks`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def measured(name: str, title: str = "") -> Column:
    """The column of a measure."""
    words = measure(name)
    meaning = " ".join(filter(None, (words.meaning, words.worst_case)))
    # A defense may name its measures as it likes, and names of columns stand in ids and links.
    plain = "".join(each if each.isalnum() else "_" for each in name)
    return Column(plain, heading(title or words.title, words.unit), "number", meaning)
