"""Fooling: what attacked copies do to a classifier, and the size of perturbations (docs/metrics.md §2, §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.intervals import Part

if TYPE_CHECKING:
    import numpy.typing as npt

    from soundproof.measuring.protocols.base import Samples
    from soundproof.measuring.scene import Scene

SIZES = ("l2", "linf", "l0", "input_l2", "snr")
_EFFORT = ("gradients", "queries", "refining_gradients", "refining_queries")
# What lies between 0 and 1, and can be known to lie near an end although all clips agree.
SHARES = frozenset({"fooling_auc", "fooling_rate", "targeted_auc", "targeted_rate", "robust_accuracy"})


def fooling(samples: Samples) -> dict[str, Part]:
    """`fooling_auc` and `fooling_rate`, for targeted attacks also `targeted_auc` and `targeted_rate`.

    Args:
        samples: `clip clean_score score fooled` of one attack on one classifier; of targeted attacks also
            `clean_target_score target_score met`.
    """
    clips = samples["clip"]
    found = {
        "fooling_auc": Part(clips, statistics.auc(samples["clean_score"], samples["score"])),
        "fooling_rate": Part(clips, statistics.mean(samples["fooled"] > 0)),
    }
    if "target_score" in samples:
        area = statistics.auc(samples["clean_target_score"], samples["target_score"])
        found["targeted_auc"] = Part(clips, area)
        found["targeted_rate"] = Part(clips, statistics.mean(samples["met"] > 0))
    return found


def robust_accuracy(samples: Samples) -> dict[str, Part]:
    """`robust_accuracy`: share of all test clips that are right when clean and right when attacked.

    Args:
        samples: `clip fooled tested`; `tested` are all test clips `[N]`.
    """
    survived = np.isin(samples["tested"], samples["clip"][samples["fooled"] == 0])
    return {"robust_accuracy": Part(samples["tested"], statistics.mean(survived))}


def effort(samples: Samples) -> dict[str, Part]:
    """`gradients` and `queries` a clip, and those spent on refining a ladder apart from them."""
    return {name: Part(samples["clip"], statistics.mean(samples[name])) for name in _EFFORT if name in samples}


def sizes(samples: Samples, scene: Scene) -> dict[str, Part]:
    """`l2`, `rms` = l2/√D, `linf` and `l0` of the perturbations, each the mean over the clips that are fooled.

    Where samples say how large inputs are, also `relative` = ‖ε‖₂/‖x‖₂ and `level` = 20·log₁₀ of it, in dB. Of
    attacked sound also `snr` in dB and `input_l2`, by how much the classifier's input moved.
    """
    found = {name: _of_fooled(samples, samples[name]) for name in SIZES if name in samples}
    if scene.dimension and "l2" in samples:
        found["rms"] = _of_fooled(samples, samples["l2"] / scene.dimension**0.5)
    if "l2" in samples and "size" in samples:
        found["relative"] = _of_fooled(samples, _relative(samples))
        found["level"] = _of_fooled(samples, 20 * np.log10(_relative(samples)))
    return found


def fooled_within(samples: Samples) -> npt.NDArray[np.bool_]:
    """Whether each example of another classifier fools this one, and is no larger there than allowed, `[n]`."""
    fooled: npt.NDArray[np.bool_] = samples["fooled"] > 0
    return fooled & (samples["within"] > 0) if "within" in samples else fooled


def ratio_of_sizes(above: Samples, below: Samples) -> Part:
    """ε_r of one attack on one defended classifier and its undefended partner (arXiv 2008.11618, Eq. 15)."""
    clips = np.union1d(above["clip"], below["clip"])
    columns = []
    for each in (above, below):
        fooled, column = each["fooled"] > 0, np.full(len(clips), np.nan)
        column[np.searchsorted(clips, each["clip"][fooled])] = each["l2"][fooled]
        columns.append(column)
    return Part(clips, statistics.ratio_of_means(*columns))


def _relative(samples: Samples) -> npt.NDArray[np.floating]:
    """‖ε‖₂/‖x‖₂; of an input without anything in it, or without a change, NaN, which takes no part."""
    size = np.where(samples["size"] > 0, samples["size"], np.nan)
    relative: npt.NDArray[np.floating] = np.where(samples["l2"] > 0, samples["l2"], np.nan) / size
    return relative


def _of_fooled(samples: Samples, values: npt.NDArray[np.floating]) -> Part:
    fooled = samples["fooled"] > 0
    return Part(samples["clip"][fooled], statistics.mean(values[fooled]))
