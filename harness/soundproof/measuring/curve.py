"""Reads a trace: how far an attack had come after so many gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.draws import Draws

if TYPE_CHECKING:
    import numpy.typing as npt

    from soundproof.victim.trace import TraceTable

# Points kept of a curve; more would not be seen.
POINTS = 64
# What an attack gains after this share of its gradients is late.
EARLY = 0.9


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


def standing(
    table: TraceTable,
    clean: npt.NDArray[np.floating],
    gradients: float,
    radius: float | npt.NDArray[np.float64],
) -> Standing:
    """The best of each clip's iterates that cost at most so many gradients and lie within a radius.

    Best is the smallest one that meets the goal, or, where none does, the one of the highest score; before
    anything was evaluated it is the clean clip.

    Args:
        table: The trace.
        clean: s(x; y) of the clean clips, `[N]`.
        gradients: Backward rows a clip.
        radius: In l2, one number or one a clip, `[N]`; infinite for attacks that minimise it.
    """
    score, l2 = clean.astype(np.float64), np.zeros(len(clean))
    met = np.zeros(len(clean), dtype=np.bool_)
    use = (table.gradients <= gradients) & (table.l2 <= np.broadcast_to(radius, len(clean))[table.clip])
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


def curve(
    table: TraceTable, clean: npt.NDArray[np.floating], radius: float | npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Gradients a clip, fooling AUC and fooling rate along an attack, thinned to at most `POINTS` points."""
    steps = np.unique(table.gradients)
    if len(steps) > POINTS:
        steps = steps[np.unique(np.linspace(0, len(steps) - 1, POINTS).round().astype(np.int64))]
    places = [standing(table, clean, step, radius) for step in steps]
    aucs = [auc_of(clean, place.score) for place in places]
    rates = [place.met.mean() for place in places]
    return steps.astype(np.float32), np.asarray(aucs, np.float32), np.asarray(rates, np.float32)


@dataclass(frozen=True, eq=False)
class HandedOver:
    """Examples that an adversary would hand over: the smallest that fools each clip, else its clean copy; `[N]`.

    Attributes:
        score: s(x; y) of it.
        fooled: Whether it is misclassified.
        l2: Its norm; 0 where it is not fooled.
    """

    score: npt.NDArray[np.float64]
    fooled: npt.NDArray[np.bool_]
    l2: npt.NDArray[np.float64]


def handed_over(table: TraceTable, clean: npt.NDArray[np.floating], gradients: float) -> HandedOver:
    """Examples that an adversary would hand over after so many gradients a clip.

    Args:
        table: The trace.
        clean: s(x; y) of the clean clips, `[N]`.
        gradients: Backward rows a clip.
    """
    score, l2 = clean.astype(np.float64), np.zeros(len(clean))
    fooled = np.zeros(len(clean), dtype=np.bool_)
    rows = np.flatnonzero(table.fooled & (table.gradients <= gradients))
    # Sorted by size, so that the first of a clip is its smallest.
    rows = rows[np.lexsort((table.l2[rows], table.clip[rows]))]
    clips, first = np.unique(table.clip[rows], return_index=True)
    smallest = rows[first]
    score[clips], l2[clips], fooled[clips] = table.score[smallest], table.l2[smallest], True
    return HandedOver(score, fooled, l2)


def shrunk(table: TraceTable, clean: npt.NDArray[np.floating], gradients: float) -> npt.NDArray[np.float64]:
    """Share by which each clip's smallest fooling example shrank after so many gradients; 0 if there was none."""
    before, end = handed_over(table, clean, gradients), handed_over(table, clean, np.inf)
    share = np.divide(end.l2, before.l2, out=np.ones_like(end.l2), where=before.l2 > 0)
    return 1 - share


def auc_of(clean: npt.NDArray[np.floating], score: npt.NDArray[np.floating]) -> float:
    """The fooling AUC of scores `[N]` over those of the clean copies."""
    return float(statistics.auc(clean, score)(Draws.once(len(clean)))[0])


def first_reach(table: TraceTable, clean: npt.NDArray[np.floating], target: float) -> int | None:
    """The fewest gradients a clip after which the AUC of what is handed over exceeds a target, or None.

    A clip that is fooled stays fooled, and outranks every clean copy, so the AUC only rises with the gradients and
    can be bisected.
    """

    def reached(gradients: float) -> bool:
        return auc_of(clean, handed_over(table, clean, gradients).score) > target

    steps = np.unique(table.gradients)
    if not len(steps) or not reached(steps[-1]):
        return None
    low, high = 0, len(steps) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(steps[middle]) else (middle + 1, high)
    return int(steps[low])
