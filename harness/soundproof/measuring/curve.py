"""Reads a trace: how far an attack had come after so many gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soundproof.measuring.metrics import statistics

if TYPE_CHECKING:
    import numpy.typing as npt

    from soundproof.victim.trace import TraceTable

# Points kept of a curve; more would not be seen.
POINTS = 64


@dataclass(frozen=True, eq=False)
class Standing:
    """Each clip's best example after some number of gradients; all fields are `[N]`.

    Attributes:
        score: s(x; y) of it.
        l2: Its norm.
        met: Whether it meets the goal.
    """

    score: npt.NDArray[np.float64]
    l2: npt.NDArray[np.float64]
    met: npt.NDArray[np.bool_]


def standing(table: TraceTable, clean: npt.NDArray[np.floating], gradients: float, radius: float) -> Standing:
    """The best of each clip's iterates that cost at most so many gradients and lie within a radius.

    Best is the smallest one that meets the goal, or, where none does, the one of the highest score; before
    anything was evaluated it is the clean clip.

    Args:
        table: The trace.
        clean: s(x; y) of the clean clips, `[N]`.
        gradients: Backward rows a clip.
        radius: In l2; infinite for attacks that minimise it.
    """
    score, l2 = clean.astype(np.float64), np.zeros(len(clean))
    met = np.zeros(len(clean), dtype=np.bool_)
    use = (table.gradients <= gradients) & (table.l2 <= radius)
    clips, scores, sizes, goals = table.clip[use], table.score[use], table.l2[use], table.met[use]
    # The last entry of a clip wins: sort the best to the end.
    rank = np.where(goals, -sizes, scores)
    order = np.lexsort((rank, goals, clips))
    last = np.append(clips[order][1:] != clips[order][:-1], True)[: len(order)]
    winners = order[last]
    better = goals[winners] | (scores[winners] > score[clips[winners]])
    winners = winners[better]
    score[clips[winners]] = scores[winners]
    l2[clips[winners]] = sizes[winners]
    met[clips[winners]] = goals[winners]
    return Standing(score, l2, met)


def fooling_auc(table: TraceTable, clean: npt.NDArray[np.floating], gradients: float, radius: float) -> float:
    """The fooling AUC that the attack had reached after so many gradients a clip."""
    best = standing(table, clean, gradients, radius)
    return float(statistics.auc(clean, best.score)(np.ones((1, len(clean))))[0])


def curve(
    table: TraceTable, clean: npt.NDArray[np.floating], radius: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Gradients a clip, fooling AUC and fooling rate along an attack, thinned to at most `POINTS` points."""
    steps = np.unique(table.gradients)
    if len(steps) > POINTS:
        steps = steps[np.unique(np.linspace(0, len(steps) - 1, POINTS).round().astype(np.int64))]
    places = [standing(table, clean, step, radius) for step in steps]
    once = np.ones((1, len(clean)))
    aucs = [statistics.auc(clean, place.score)(once)[0] for place in places]
    rates = [place.met.mean() for place in places]
    return steps.astype(np.float32), np.asarray(aucs, np.float32), np.asarray(rates, np.float32)


def first_reach(table: TraceTable, clean: npt.NDArray[np.floating], target: float) -> int | None:
    """The fewest gradients a clip after which the fooling AUC exceeds a target, or None.

    A best example never gets worse, and one that meets the goal outranks every clean clip, so the AUC only
    rises with the gradients and can be bisected.
    """
    steps = np.unique(table.gradients)
    if not len(steps) or fooling_auc(table, clean, steps[-1], np.inf) <= target:
        return None
    low, high = 0, len(steps) - 1
    while low < high:
        middle = (low + high) // 2
        if fooling_auc(table, clean, steps[middle], np.inf) > target:
            high = middle
        else:
            low = middle + 1
    return int(steps[low])
