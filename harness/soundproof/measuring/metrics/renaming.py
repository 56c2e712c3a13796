"""Classes in another order: a classifier whose outputs are right, and counted as others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

# Who is right so often after renaming, and half as often before, was given classes in another order.
_RENAMED = 0.5
# A few predictions can always be renamed into right ones: no shuffle of them may do as well (p ≤ 1/200).
_SHUFFLES = 199


@dataclass(frozen=True)
class Renaming:
    """A renaming of outputs that makes a classifier right far more often.

    Attributes:
        right: Share of clips that it gets right as it is.
        renamed: The share after renaming.
        outputs: Of every class the output that stands for it, where that is another one.
    """

    right: float
    renamed: float
    outputs: dict[int, int]


def renaming(
    labels: npt.NDArray[np.integer], predictions: npt.NDArray[np.integer], classes: int
) -> Renaming | None:
    """The renaming that a confusion matrix suggests (a maximal assignment), or None where names are right.

    It has to be better than what the same search finds where outputs have nothing to do with the clips.

    Args:
        labels: `[N]`.
        predictions: `[N]`.
        classes: Number of classes.
    """
    right = float(np.mean(labels == predictions))
    renamed, named = _best(labels, predictions, classes)
    if renamed < _RENAMED or right >= renamed / 2:
        return None
    generator = np.random.default_rng(0)
    for _ in range(_SHUFFLES):
        if _best(labels, generator.permutation(predictions), classes)[0] >= renamed:
            return None
    return Renaming(right, renamed, {label: output for label, output in enumerate(named) if label != output})


def _best(
    labels: npt.NDArray[np.integer], predictions: npt.NDArray[np.integer], classes: int
) -> tuple[float, list[int]]:
    """The share that is right after the best renaming, and the output of every class in it."""
    from scipy.optimize import linear_sum_assignment

    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (labels, predictions), 1)
    rows, columns = linear_sum_assignment(-confusion)
    return float(confusion[rows, columns].sum() / len(labels)), columns.tolist()
