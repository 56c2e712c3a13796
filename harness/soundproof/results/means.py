"""Means of means as one part: over attacks, of each one's over its presets, of theirs over folds and seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soundproof.measuring.metrics.intervals import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from soundproof.measuring.metrics.statistics import Statistic

    Tree = Part | Sequence["Tree"]


def nested_mean(tree: Tree) -> Part:
    """The mean of means of parts, as one part over all of their clips.

    Args:
        tree: A part, or several trees: the mean of these, whichever way each is made. Of several parts, which are
            folds and seeds, those that have no value in a draw do not take part in its mean.
    """
    clips = np.unique(np.concatenate([part.clips for part in _leaves(tree)]))
    return Part(clips, _mean_of(tree, clips))


def _leaves(tree: Tree) -> Iterator[Part]:
    if isinstance(tree, Part):
        yield tree
    else:
        for each in tree:
            yield from _leaves(each)


def _mean_of(tree: Tree, clips: npt.NDArray[np.integer]) -> Statistic:
    if isinstance(tree, Part):
        return _over(tree, clips)
    each = [_mean_of(branch, clips) for branch in tree]
    if all(isinstance(branch, Part) for branch in tree):
        return lambda weights: _present_mean([of(weights) for of in each])
    return lambda weights: np.asarray(np.mean([of(weights) for of in each], axis=0))


def _over(part: Part, clips: npt.NDArray[np.integer]) -> Statistic:
    """A part's statistic of weights over more clips than its own."""
    if np.array_equal(part.clips, clips):  # as for most attacks on one classifier; picking columns copies them
        return part.statistic
    columns = np.searchsorted(clips, part.clips)
    return lambda weights: part.statistic(weights[:, columns])


def _present_mean(values: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """The mean of those that are there, draw by draw; NaN where none is."""
    stacked = np.stack(values)
    count = (~np.isnan(stacked)).sum(axis=0)
    mean: npt.NDArray[np.float64] = np.where(count > 0, np.nansum(stacked, axis=0) / np.maximum(count, 1), np.nan)
    return mean
