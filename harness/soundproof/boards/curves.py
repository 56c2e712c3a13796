"""Security curves: how many clips an attack fools with so large a perturbation, or for so many gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from soundproof.boards.names import Called, Name

    Array = npt.NDArray[Any]
    Samples = Mapping[str, Array]

# Points kept of a curve on a page: more would not be seen.
POINTS = 32


@dataclass(frozen=True)
class Curve:
    """A curve of steps: from each place on, its share and area hold.

    Attributes:
        of: Whose.
        attack: Against what; None for the worst case over all attacks, clip by clip.
        along: Where the steps are, ascending: ‖ε‖₂, or gradients a clip.
        rate: Fooling rate there.
        auc: Fooling AUC there.
    """

    of: Name
    attack: Called | None
    along: tuple[float, ...]
    rate: tuple[float, ...]
    auc: tuple[float, ...]


@dataclass(frozen=True)
class Fallen:
    """Size that each attacked clip of one classifier needs; both `[n]`.

    Attributes:
        size: ‖ε‖₂ of the smallest example that fools it, infinite where the search found none.
        clean: s(x; y) of the clean clip.
    """

    size: Array
    clean: Array


def fallen(samples: Samples) -> Fallen | None:
    """What a row at `reach` says of sizes; None where it keeps none."""
    if "smallest" not in samples:
        return None
    size = np.nan_to_num(np.asarray(samples["smallest"], np.float64), nan=np.inf)
    return Fallen(size, np.asarray(samples["clean_score"], np.float64))


def worst(attacks: Sequence[Fallen]) -> Fallen:
    """The smallest of all attacks on the same clips."""
    return Fallen(np.min([each.size for each in attacks], axis=0), attacks[0].clean)


def over_size(of: Name, attack: Called | None, runs: Sequence[Fallen]) -> Curve | None:
    """Rate and AUC over the size, the mean over folds and seeds; None where no clip was fooled.

    A clip that is fooled outranks every clean one, since it stands beyond the boundary and they before it; one
    that is not stands with its clean score. So the AUC rises by what a clip lacked before it was fooled.
    """
    sizes, rates, areas = [], [], []
    for run in runs:
        n = len(run.size)
        order = np.sort(run.clean)
        below = [np.searchsorted(order, run.clean, side) for side in ("left", "right")]
        sizes.append(run.size)
        rates.append(np.full(n, 1 / (n * len(runs))))
        areas.append((1 - (below[0] + below[1]) / (2 * n)) / (n * len(runs)))
    size, rate, area = (np.concatenate(each) for each in (sizes, rates, areas))
    order = np.argsort(size, kind="stable")
    order = order[np.isfinite(size[order])]
    if not len(order):
        return None
    start = 0.5
    return _thinned(of, attack, size[order], np.cumsum(rate[order]), start + np.cumsum(area[order]))


def over_gradients(of: Name, attack: Called, runs: Sequence[Samples]) -> Curve | None:
    """Rate and AUC within the budget over the gradients spent, the mean over folds and seeds."""
    known = [run for run in runs if len(run.get("curve_gradients", ()))]
    if len(known) < len(runs) or not known:
        return None
    steps = np.unique(np.concatenate([run["curve_gradients"] for run in known]))
    columns = [
        np.mean([_at(run, name, start, steps) for run in known], axis=0)
        for name, start in (("curve_rate", 0.0), ("curve_auc", 0.5))
    ]
    return _thinned(of, attack, steps, *columns)


def _at(run: Samples, name: str, start: float, steps: Array) -> Array:
    """A run's curve at the steps of all runs: what held from the last of its own on."""
    last = np.searchsorted(run["curve_gradients"], steps, side="right") - 1
    found: Array = np.where(last >= 0, run[name][np.maximum(last, 0)], start)
    return found


def _thinned(of: Name, attack: Called | None, along: Array, rate: Array, auc: Array) -> Curve:
    # Of clips that fall at the same size the last says how many have fallen.
    last = np.append(along[1:] > along[:-1], True)
    along, rate, auc = along[last], rate[last], auc[last]
    if len(along) > POINTS:
        kept = np.unique(np.linspace(0, len(along) - 1, POINTS).round().astype(np.int64))
        along, rate, auc = along[kept], rate[kept], auc[kept]
    return Curve(of, attack, *(tuple(float(value) for value in each) for each in (along, rate, auc)))
