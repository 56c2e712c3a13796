"""Headlines of a results folder: on its pages, and at the end of a run in the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundproof.boards.formats import interval, written
from soundproof.boards.measures import MEASURES, Unit
from soundproof.boards.numbers import counted
from soundproof.results.places import LEVEL

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
        interval: The number's interval in words; empty where it has none.
        lead: By how much it leads, and how sure that is.
    """

    dataset: str
    what: str
    who: str
    number: str
    interval: str
    lead: str

    def __str__(self) -> str:
        sure = "; ".join(filter(None, (self.interval, self.lead)))
        return f"{self.dataset}, {self.what}: {self.who} with {self.number}{f' ({sure})' if sure else ''}"


def headlines(boards: Boards) -> list[Headline]:
    """The first of each ranking, the robust ones before the accurate; data sets without a rank are left out."""
    robust = [
        _first("most robust", "robust_accuracy", each) if not all_fall(each) else _hardest(each)
        for each in _ranked(boards.robustness)
    ]
    return [*robust, *(_first("most accurate", "accuracy", each) for each in _ranked(boards.accuracy))]


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


def told_apart(boards: Boards) -> list[str]:
    """How far two classifiers of each ranking must be apart for its clips to tell them apart, in words."""
    shown = [entries[0] for entries in _ranked(boards.robustness or boards.accuracy)]
    return [
        f"{f'{first.name.dataset}: two' if len(shown) > 1 else 'Two'} classifiers are told apart four times in "
        f"five where they differ by {100 * first.rank.detectable:.0f} points or more (median over all pairs, at "
        "5 % corrected for their number)."
        for first in shown
        if first.rank is not None and first.rank.detectable is not None
    ]


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
    place = f"{what} of {len(entries)}" if len(entries) > 1 else what
    lead = _lead(entries, len(equal))
    return Headline(str(of.dataset), place, who, _number(metric, name), _between(metric, name), lead)


def _lead(entries: Sequence[Recognition | Robustness], alike: int) -> str:
    """By how much the first leads the second, and whether clips settle that."""
    first = entries[0].rank
    if alike > 1 or len(entries) == 1 or first is None:
        return ""
    # Not settled: others might be first on other clips.
    close = sum(entry.rank is not None and entry.rank.low == 1 for entry in entries) - 1
    points = f"{100 * first.ahead:.1f} points ahead of the next"
    if first.p <= LEVEL:
        return f"{points}, settled ({'p < 0.001' if first.p < 0.001 else f'p = {first.p:.2g}'})"
    return f"{points}; not settled: {counted(close, 'other')} may be as good" if close else points


def _hardest(entries: Sequence[Recognition | Robustness]) -> Headline:
    """Nobody survives: who takes the largest perturbation, and who the smallest."""
    known = [entry for entry in entries if "reach_l2" in entry.metrics]
    most, metric = known[0], known[0].metrics["reach_l2"]
    easiest = ""
    if len(known) > 1:
        least = min(known, key=lambda entry: entry.metrics["reach_l2"].value)
        easiest = f"easiest: {least.name.words} with {_number(least.metrics['reach_l2'], 'reach_l2')}"
    what = f"{'all ' if len(entries) > 1 else ''}{counted(len(entries), 'classifier')} fall; hardest to fool"
    words = (most.name.words, _number(metric, "reach_l2"), _between(metric, "reach_l2"), easiest)
    return Headline(str(most.name.dataset), what, *words)


def _number(metric: Metric, name: str) -> str:
    unit = MEASURES[name].unit
    text = written(metric.value, unit)
    return f"{text} %" if unit is Unit.SHARE else f"‖ε‖₂ {text}"


def _between(metric: Metric, name: str) -> str:
    found = interval(metric, MEASURES[name].unit)
    return f"95 %: {found}" if found else ""


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
