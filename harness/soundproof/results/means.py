"""Means of means as one part: over attacks, of each one's over its presets, of theirs over folds and seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soundproof.measuring.metrics.intervals import Part
from soundproof.measuring.metrics.statistics import Mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from soundproof.measuring.metrics.draws import Draws
    from soundproof.measuring.metrics.statistics import Statistic

    Tree = Part | Sequence["Tree"]


def nested_mean(tree: Tree) -> Part:
    """The mean of means of parts, as one part over all of their clips.

    Args:
        tree: A part, or several trees: the mean of these, whichever way each is made. Of several parts, which are
            folds and seeds, those that have no value in a draw do not take part in its mean.
    """
    leaves = list(_leaves(tree))
    clips = np.unique(np.concatenate([part.clips for part in leaves]))
    values = _values(leaves, clips)
    return Part(clips, lambda draws: _mean(tree, iter(values(draws))))


def _leaves(tree: Tree) -> Iterator[Part]:
    if isinstance(tree, Part):
        yield tree
    else:
        for each in tree:
            yield from _leaves(each)


def _mean(tree: Tree, values: Iterator[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """The mean of a tree, whose leaves take their values one after another."""
    if isinstance(tree, Part):
        return next(values)
    each = [_mean(branch, values) for branch in tree]
    if len(each) == 1:
        return each[0]
    if all(isinstance(branch, Part) for branch in tree):
        return _present_mean(each)
    return np.asarray(np.mean(each, axis=0))


def _values(parts: Sequence[Part], clips: npt.NDArray[np.integer]) -> Callable[..., list[npt.NDArray[np.float64]]]:
    """The statistics of all parts as one function of draws of all clips; plain means are one product."""
    if not all(isinstance(part.statistic, Mean) for part in parts):
        each = [over(part, clips) for part in parts]
        return lambda draws: [statistic(draws) for statistic in each]
    filled, present = np.zeros((2, len(clips), len(parts)))
    for at, part in enumerate(parts):
        assert isinstance(part.statistic, Mean)
        places = np.searchsorted(clips, part.clips)
        filled[places, at], present[places, at] = part.statistic.filled, part.statistic.present

    def values(draws: Draws) -> list[npt.NDArray[np.float64]]:
        above, below = draws.sums(filled), draws.sums(present)
        return list(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0).T)

    return values


def over(part: Part, clips: npt.NDArray[np.integer]) -> Statistic:
    """A part's statistic of draws of more clips than its own."""
    columns = np.searchsorted(clips, part.clips)
    return lambda draws: part.statistic(draws.select(columns))


def minus(first: Part, second: Part) -> Part:
    """The difference of two parts, drawn together over the clips of both."""
    clips = np.union1d(first.clips, second.clips)
    one, other = over(first, clips), over(second, clips)
    return Part(clips, lambda draws: one(draws) - other(draws))


def _present_mean(values: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """The mean of those that are there, draw by draw; NaN where none is."""
    stacked = np.stack(values)
    count = (~np.isnan(stacked)).sum(axis=0)
    mean: npt.NDArray[np.float64] = np.where(count > 0, np.nansum(stacked, axis=0) / np.maximum(count, 1), np.nan)
    return mean
