"""Headlines of a results folder: on its pages, and at the end of a run in the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundproof.boards.formats import interval, written
from soundproof.boards.measures import MEASURES, Unit
from soundproof.boards.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from soundproof.boards.entries import Boards, Entry, Recognition, Robustness
    from soundproof.measuring.metrics.intervals import Metric

LINES = 5  # of a ranking in the terminal


@dataclass(frozen=True)
class Headline:
    """The first of a ranking.

    Attributes:
        dataset: Where it is first.
        what: In what.
        who: The classifier in words.
        number: Its number with the unit.
        detail: The interval and n, and what else is worth a small line.
    """

    dataset: str
    what: str
    who: str
    number: str
    detail: str

    def __str__(self) -> str:
        return f"{self.dataset}, {self.what}: {self.who} with {self.number} ({self.detail})"


def headlines(boards: Boards) -> list[Headline]:
    """The first of each ranking; data sets where nothing has a rank are left out."""
    accurate = [_first("most accurate", "accuracy", each) for each in _ranked(boards.accuracy)]
    robust = [
        _first("most robust in the worst case", "robust_accuracy", each) if not all_fall(each) else _hardest(each)
        for each in _ranked(boards.robustness)
    ]
    return [*accurate, *robust]


def ranking(boards: Boards) -> list[str]:
    """The first five of each data set in lines of text: place, classifier, robust accuracy, accuracy."""
    lines: list[str] = []
    boards_of: Sequence[Entry] = boards.robustness or boards.accuracy
    shown = _ranked(boards_of)  # type: ignore[arg-type]
    for entries in shown:
        if len(shown) > 1:
            lines.append(f"{entries[0].name.dataset}:")
        fallen = all_fall(entries)
        rows = [_columns(entry, fallen=fallen) for entry in entries[:LINES]]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines += [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
        if len(entries) > LINES:
            lines.append(f"… and {len(entries) - LINES} more")
    return lines


def all_fall(entries: Sequence[Entry]) -> bool:
    """Whether no clip of any of them survives, and it is known how much that takes."""
    return all(_none_survive(entry) for entry in entries) and any("reach_l2" in entry.metrics for entry in entries)


def _none_survive(entry: Entry) -> bool:
    return "robust_accuracy" in entry.metrics and entry.metrics["robust_accuracy"].value == 0


def _ranked(entries: Iterable[Recognition | Robustness]) -> list[list[Recognition | Robustness]]:
    """Those with a rank, by data set."""
    found: dict[object, list[Recognition | Robustness]] = {}
    for entry in entries:
        if entry.rank is not None:
            found.setdefault(entry.name.dataset, []).append(entry)
    return list(found.values())


def _first(what: str, name: str, entries: Sequence[Recognition | Robustness]) -> Headline:
    equal = [entry for entry in entries if entry.rank and entry.rank.place == 1]
    metric, of = equal[0].metrics[name], equal[0].name
    who = of.words if len(equal) == 1 else f"{len(equal)} classifiers alike"
    # Not settled: others might be first on other clips.
    close = sum(entry.rank is not None and entry.rank.low == 1 for entry in entries) - len(equal)
    rivals = f"; {counted(close, 'other')} may be as good" if close else ""
    return Headline(str(of.dataset), what, who, _number(metric, name), _detail(metric, name) + rivals)


def _hardest(entries: Sequence[Recognition | Robustness]) -> Headline:
    """Nobody survives: who takes the largest perturbation, and who the smallest."""
    known = [entry for entry in entries if "reach_l2" in entry.metrics]
    most, metric = known[0], known[0].metrics["reach_l2"]
    detail = _detail(metric, "reach_l2")
    if len(known) > 1:
        least = min(known, key=lambda entry: entry.metrics["reach_l2"].value)
        detail += f"; easiest: {least.name.words} with {_number(least.metrics['reach_l2'], 'reach_l2')}"
    what = f"{'all ' if len(entries) > 1 else ''}{counted(len(entries), 'classifier')} fall; hardest to fool"
    return Headline(str(most.name.dataset), what, most.name.words, _number(metric, "reach_l2"), detail)


def _number(metric: Metric, name: str) -> str:
    unit = MEASURES[name].unit
    text = written(metric.value, unit)
    return f"{text} %" if unit is Unit.SHARE else f"‖ε‖₂ {text}"


def _detail(metric: Metric, name: str) -> str:
    return ", ".join(filter(None, (interval(metric, MEASURES[name].unit), f"n {metric.n:,}")))


def _columns(entry: Recognition | Robustness, *, fallen: bool) -> list[str]:
    metrics, unit = entry.metrics, Unit.SHARE
    row = [str(entry.rank), entry.name.words]
    if "robust_accuracy" in metrics:
        robust = metrics["robust_accuracy"]
        row.append(f"robust {written(robust.value, unit)} % ({interval(robust, unit) or 'exact'})")
    if fallen:
        row.append(f"falls at {_number(metrics['reach_l2'], 'reach_l2')}" if "reach_l2" in metrics else "")
    row.append(f"clean {written(metrics['accuracy'].value, unit)} %" if "accuracy" in metrics else "")
    return row
