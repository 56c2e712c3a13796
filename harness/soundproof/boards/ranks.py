"""Ranks: best first within a data set, ties broken, and the places that the clips settle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from soundproof.boards.entries import Rank, Recognition, Robustness
from soundproof.results.flags import unranked
from soundproof.results.places import standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from soundproof.boards.entries import Cost, Entry
    from soundproof.boards.names import Called, Name
    from soundproof.results.places import Outcomes

    Groups = npt.NDArray[np.integer]

Ranked = TypeVar("Ranked", Recognition, Robustness)

# Where nothing is known of a classifier: behind those of which something is.
_UNKNOWN = (2.0, 0.0)


def hardness(cost: Cost) -> tuple[float, float]:
    """Sorts the hardest to fool first: the fewest cells that reached, then the largest mean ‖ε‖₂ there."""
    size = cost.metrics["l2"].value if "l2" in cost.metrics else 0.0
    return cost.share_reached, -size


def ranked(
    entries: Sequence[Ranked],
    metric: str,
    outcomes: Mapping[Name, Outcomes],
    groups: Mapping[Called, Groups],
    ties: Mapping[Name, tuple[float, float]] | None = None,
) -> tuple[Ranked, ...]:
    """Entries in their order, each with its rank; flagged ones have none and come last.

    Args:
        entries: Of all data sets.
        metric: What they are ranked by, the highest first.
        outcomes: Clip by clip, what the metric is the mean of.
        groups: The recordings of each data set's clips.
        ties: What equal ones are ordered by, the lowest first.
    """
    found: list[Ranked] = []
    for dataset in dict.fromkeys(each.name.dataset for each in entries):
        here = [each for each in entries if each.name.dataset == dataset]
        fit = [each for each in here if metric in each.metrics and not unranked(each.flags)]
        order = {id(each): _order(each, metric, ties or {}) for each in fit}
        fit.sort(key=lambda each: order[id(each)])
        if fit:
            settled = standing([outcomes[each.name] for each in fit], groups[dataset])
        for at, each in enumerate(fit):
            low, high = settled.places[at]
            place = 1 + sum(order[id(other)] < order[id(each)] for other in fit)
            ahead = 0.0
            if at + 1 < len(fit):
                ahead = each.metrics[metric].value - fit[at + 1].metrics[metric].value
            found.append(replace(each, rank=Rank(place, low, high, ahead, settled.p[at], settled.detectable)))
        rest = [each for each in here if id(each) not in order]
        rest.sort(key=lambda each: -each.metrics[metric].value if metric in each.metrics else 1.0)
        found.extend(rest)
    return tuple(found)


def _order(entry: Entry, metric: str, ties: Mapping[Name, tuple[float, float]]) -> tuple[float, ...]:
    return (-entry.metrics[metric].value, *ties.get(entry.name, _UNKNOWN))
