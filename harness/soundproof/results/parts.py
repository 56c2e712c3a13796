"""One row's share of a metric: a statistic of its clips. Means over attacks and checks are made of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.intervals import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof.measuring.metrics.statistics import Statistic
    from soundproof.measuring.protocols.base import Samples

_EFFORT = ("gradients", "queries")


def parts(protocol: str, samples: Samples, dimension: int = 0) -> dict[str, Part]:
    """The parts of a row's metrics, by name.

    Args:
        protocol: Its id; of one that is not known here there are none.
        samples: All fields that the protocol names.
        dimension: Input size D; 0 leaves out what depends on it.
    """
    if protocol == "clean":
        right = samples["label"] == samples["prediction"]
        return {"accuracy": Part(samples["clip"], statistics.mean(right))}
    if protocol == "transfer":
        moved = samples["source_fooled"] > 0
        return {"transfer_ratio": Part(samples["clip"][moved], statistics.mean(samples["fooled"][moved] > 0))}
    return _attacked(samples, dimension) if protocol in ("bounded", "reach") else {}


def _attacked(samples: Samples, dimension: int) -> dict[str, Part]:
    clips, fooled = samples["clip"], samples["fooled"] > 0
    found = {
        "fooling_auc": Part(clips, statistics.auc(samples["clean_score"], samples["score"])),
        "fooling_rate": Part(clips, statistics.mean(fooled)),
        **{name: Part(clips, statistics.mean(samples[name])) for name in _EFFORT if name in samples},
    }
    if "l2" in samples:
        sizes = samples["l2"][fooled]
        found["l2"] = Part(clips[fooled], statistics.mean(sizes))
        if dimension:
            found["rms"] = Part(clips[fooled], statistics.mean(sizes / dimension**0.5))
    return found


def ratio_of_sizes(above: Samples, below: Samples) -> Part:
    """ε_r of one attack on one defended classifier and its undefended partner (arXiv 2008.11618, Eq. 15)."""
    clips = np.union1d(above["clip"], below["clip"])
    columns = []
    for each in (above, below):
        fooled, column = each["fooled"] > 0, np.full(len(clips), np.nan)
        column[np.searchsorted(clips, each["clip"][fooled])] = each["l2"][fooled]
        columns.append(column)
    return Part(clips, statistics.ratio_of_means(*columns))


def nested_mean(attacks: Sequence[Sequence[Part]]) -> Part:
    """The mean over attacks of each attack's mean over folds and seeds, as one part over all of their clips."""
    clips = np.unique(np.concatenate([part.clips for parts in attacks for part in parts]))
    placed = [[_over(part, clips) for part in parts] for parts in attacks]

    def statistic(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        each = [_present_mean([of(weights) for of in parts]) for parts in placed]
        return np.asarray(np.mean(each, axis=0))

    return Part(clips, statistic)


def _over(part: Part, clips: npt.NDArray[Any]) -> Statistic:
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
