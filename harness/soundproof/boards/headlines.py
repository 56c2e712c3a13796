"""What a results folder says first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundproof.boards.figures import interval, written
from soundproof.boards.measures import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from soundproof.boards.entries import Boards, Recognition, Robustness


@dataclass(frozen=True)
class Headline:
    """The first of a ranking.

    Attributes:
        dataset: Where it is first.
        what: In what.
        who: The classifier in words.
        number: Its share in percent.
        detail: The interval and n.
    """

    dataset: str
    what: str
    who: str
    number: str
    detail: str

    def __str__(self) -> str:
        return f"{self.dataset}, {self.what}: {self.who} with {self.number} % ({self.detail})"


def headlines(boards: Boards) -> list[Headline]:
    """The first of each ranking; data sets where nothing has a rank are left out."""
    return [
        *_first("most accurate", "accuracy", boards.accuracy),
        *_first("most robust in the worst case", "robust_accuracy", boards.robustness),
    ]


def _first(what: str, name: str, entries: Iterable[Recognition | Robustness]) -> Iterable[Headline]:
    winners: dict[str, list[Recognition | Robustness]] = {}
    for entry in entries:
        if entry.rank == 1:
            winners.setdefault(entry.classifier.dataset, []).append(entry)
    for dataset, equal in winners.items():
        metric, unit, of = equal[0].metrics[name], MEASURES[name].unit, equal[0].classifier
        who = f"{of.model} · {of.representation} · {of.defense}"
        number, detail = written(metric.value, unit), f"{interval(metric, unit)}, n {metric.n:,}"
        yield Headline(
            dataset, what, who if len(equal) == 1 else f"{len(equal)} classifiers alike", number, detail
        )
