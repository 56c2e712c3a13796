"""Fooling: what attacked copies do to a classifier, and the size of perturbations (docs/metrics.md §2, §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.intervals import RATE, Part, estimate, known

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.measuring.protocols.base import Samples
    from soundproof.measuring.scene import Scene

SIZES = ("l2", "linf", "l0")


def fooling(samples: Sequence[Samples], scene: Scene) -> dict[str, Metric]:
    """`fooling_auc` and `fooling_rate`, for targeted attacks also `targeted_auc` and `targeted_rate`.

    Args:
        samples: `clip clean_score score fooled` of one attack on one classifier for each fold and seed; of
            targeted attacks also `clean_target_score target_score met`.
        scene: Groups.
    """
    parts = {
        "fooling_auc": [Part(s["clip"], statistics.auc(s["clean_score"], s["score"])) for s in samples],
        "fooling_rate": [Part(s["clip"], statistics.mean(s["fooled"] > 0)) for s in samples],
    }
    if all("target_score" in s for s in samples):
        parts["targeted_auc"] = [
            Part(s["clip"], statistics.auc(s["clean_target_score"], s["target_score"])) for s in samples
        ]
        parts["targeted_rate"] = [Part(s["clip"], statistics.mean(s["met"] > 0)) for s in samples]
    return known({name: estimate(each, scene.groups, bounds=RATE) for name, each in parts.items()})


def robust_accuracy(samples: Sequence[Samples], scene: Scene) -> dict[str, Metric]:
    """`robust_accuracy`: share of all test clips that are right when clean and right when attacked.

    Args:
        samples: `clip fooled tested` for each fold and seed; `tested` are all test clips `[N]`.
        scene: Groups.
    """
    parts = [
        Part(s["tested"], statistics.mean(np.isin(s["tested"], s["clip"][s["fooled"] == 0]))) for s in samples
    ]
    return known({"robust_accuracy": estimate(parts, scene.groups, bounds=RATE)})


def effort(samples: Sequence[Samples], scene: Scene) -> dict[str, Metric]:
    """`gradients` and `queries` a clip, and those spent on refining a ladder apart from them."""
    every = ("gradients", "queries", "refining_gradients", "refining_queries")
    names = [name for name in every if all(name in s for s in samples)]
    return known(
        {
            name: estimate([Part(s["clip"], statistics.mean(s[name])) for s in samples], scene.groups)
            for name in names
        }
    )


def sizes(samples: Sequence[Samples], scene: Scene) -> dict[str, Metric]:
    """`l2`, `rms` = l2/√D, `linf` and `l0` of the perturbations, each the mean over the clips that are fooled.

    Where samples say how large inputs are, also `relative` = ‖ε‖₂/‖x‖₂ and `level` = 20·log₁₀ of it, in dB.
    """
    names = [name for name in SIZES if all(name in s for s in samples)]
    columns = {name: [_of_fooled(s, s[name]) for s in samples] for name in names}
    if scene.dimension and "l2" in names:
        columns["rms"] = [_of_fooled(s, s["l2"] / scene.dimension**0.5) for s in samples]
    if "l2" in names and all("size" in s for s in samples):
        columns["relative"] = [_of_fooled(s, _relative(s)) for s in samples]
        columns["level"] = [_of_fooled(s, 20 * np.log10(_relative(s))) for s in samples]
    return known({name: estimate(parts, scene.groups) for name, parts in columns.items()})


def _relative(samples: Samples) -> npt.NDArray[np.floating]:
    """‖ε‖₂/‖x‖₂; of an input without anything in it, or without a change, NaN, which takes no part."""
    size = np.where(samples["size"] > 0, samples["size"], np.nan)
    relative: npt.NDArray[np.floating] = np.where(samples["l2"] > 0, samples["l2"], np.nan) / size
    return relative


def _of_fooled(samples: Samples, values: npt.NDArray[np.floating]) -> Part:
    fooled = samples["fooled"] > 0
    return Part(samples["clip"][fooled], statistics.mean(values[fooled]))
