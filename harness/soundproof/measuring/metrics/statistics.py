"""Statistics of per-clip outcomes, each a function of how often every clip was drawn.

A statistic takes B draws of n clips and gives `[B]`; of `Draws.once` it is the plain estimate. Written this way,
thousand bootstrap draws are a matrix product. Where a draw leaves nothing to average the statistic is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from soundproof.measuring.metrics.draws import Draws

Array = npt.NDArray[Any]
Statistic = Callable[[Draws], npt.NDArray[np.float64]]


class Mean:
    """The mean of some values `[n]`.

    Attributes:
        filled: The values, 0 where there is none.
        present: 1 where there is one, else 0.
    """

    def __init__(self, values: Array) -> None:
        present = ~np.isnan(np.asarray(values, dtype=np.float64))
        self.filled = np.where(present, values, 0.0).astype(np.float64)
        self.present = present.astype(np.float64)

    def __call__(self, draws: Draws) -> npt.NDArray[np.float64]:
        """The mean in each draw."""
        return _divide(draws.sums(self.filled), draws.sums(self.present))


def mean(values: Array) -> Mean:
    """The mean of `values` `[n]`; NaN entries do not take part."""
    return Mean(values)


def ratio_of_means(numerator: Array, denominator: Array) -> Statistic:
    """The mean of one column over the mean of another, both `[n]` with NaN where a clip does not take part."""
    above, below = mean(numerator), mean(denominator)
    return lambda draws: _divide(above(draws), below(draws))


def auc(negatives: Array, positives: Array) -> Statistic:
    """The ROC area of `positives` over `negatives`, pooled over all pairs, ties ½ (Mann-Whitney).

    Both are `[n]` and belong to the same clips: the clean and the attacked copy of each. A draw takes O(n) after
    sorting once.
    """
    order = np.argsort(negatives, kind="stable")
    ranked = np.asarray(negatives)[order]
    below, upto = (np.searchsorted(ranked, positives, side) for side in ("left", "right"))

    def statistic(draws: Draws) -> npt.NDArray[np.float64]:
        weights = draws.weights
        # Weight of the negatives up to each place of their order.
        mass = np.hstack([np.zeros((len(weights), 1)), np.cumsum(weights[:, order], axis=1)])
        pairs = np.einsum("bi,bi->b", weights, mass[:, below] + mass[:, upto]) / 2
        return _divide(pairs, weights.sum(axis=1) ** 2)

    return statistic


def roc_auc(scores: Array, positive: Array) -> Statistic:
    """The ROC area of clips of a class over the others, ties ½; NaN for a draw that lacks either.

    Args:
        scores: `[n]`, higher for the positive class.
        positive: bool `[n]`.
    """
    wanted = np.asarray(positive)
    order = np.argsort(scores, kind="stable")
    ranked, others = np.asarray(scores)[order], ~wanted[order]
    below, upto = (np.searchsorted(ranked, np.asarray(scores), side) for side in ("left", "right"))

    def statistic(draws: Draws) -> npt.NDArray[np.float64]:
        weights = draws.weights
        mass = np.hstack([np.zeros((len(weights), 1)), np.cumsum(weights[:, order] * others, axis=1)])
        own = weights * wanted
        pairs = np.einsum("bi,bi->b", own, mass[:, below] + mass[:, upto]) / 2
        return _divide(pairs, own.sum(axis=1) * mass[:, -1])

    return statistic


def macro(labels: Array, predictions: Array, classes: int) -> dict[str, Statistic]:
    """`precision`, `recall` and `f1`, each the mean over classes; a quotient without cases counts as 0.

    Classes that neither occur nor are predicted in a draw do not take part, as in scikit-learn.
    """
    cells = np.zeros((len(labels), classes * classes))
    cells[np.arange(len(labels)), np.asarray(labels) * classes + np.asarray(predictions)] = 1.0

    def of(measure: Callable[[Array, Array, Array], Array]) -> Statistic:
        def statistic(draws: Draws) -> npt.NDArray[np.float64]:
            confusion = draws.sums(cells).reshape(-1, classes, classes)
            hits = np.einsum("bkk->bk", confusion)
            actual, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
            occurs = (actual + predicted) > 0
            return _divide((measure(hits, actual, predicted) * occurs).sum(axis=1), occurs.sum(axis=1))

        return statistic

    return {
        "precision": of(lambda hits, _, predicted: _or_zero(hits, predicted)),
        "recall": of(lambda hits, actual, _: _or_zero(hits, actual)),
        "f1": of(lambda hits, actual, predicted: _or_zero(2 * hits, actual + predicted)),
    }


def equal_error_rate(scores: Array, positive: Array) -> Statistic:
    """Mean of false rejection and false acceptance where they are closest (docs/metrics.md §1).

    Args:
        scores: `[n]`, higher for the positive class.
        positive: bool `[n]`.
    """
    order = np.argsort(scores, kind="stable")
    ranked, wanted = np.asarray(scores)[order], np.asarray(positive)[order]
    # A threshold lies below the first clip, or between two clips of different score.
    cuts = np.flatnonzero(np.append(np.diff(ranked) > 0, True))

    def statistic(draws: Draws) -> npt.NDArray[np.float64]:
        drawn = draws.weights[:, order]
        start = np.zeros((len(drawn), 1))
        rejected = np.hstack([start, np.cumsum(drawn * wanted, axis=1)[:, cuts]])
        declined = np.hstack([start, np.cumsum(drawn * ~wanted, axis=1)[:, cuts]])
        misses = _divide(rejected, rejected[:, -1:])
        alarms = 1 - _divide(declined, declined[:, -1:])
        nearest = np.abs(misses - alarms).argmin(axis=1)[:, None]
        both = np.take_along_axis(misses, nearest, 1) + np.take_along_axis(alarms, nearest, 1)
        half: npt.NDArray[np.float64] = both[:, 0] / 2
        return half

    return statistic


def _divide(above: Array, below: Array) -> Array:
    quotient: Array = np.divide(
        above, below, out=np.full(np.broadcast(above, below).shape, np.nan), where=below > 0
    )
    return quotient


def _or_zero(above: Array, below: Array) -> Array:
    quotient: Array = np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0)
    return quotient
