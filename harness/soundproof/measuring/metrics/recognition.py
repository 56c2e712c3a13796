"""Recognition: how well a classifier tells unattacked clips apart (docs/metrics.md §1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.intervals import Part, estimate, known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.measuring.metrics.statistics import Statistic
    from soundproof.measuring.protocols.base import Samples
    from soundproof.measuring.scene import Scene


# All of them lie between 0 and 1.
SHARES = frozenset({"accuracy", "precision", "recall", "f1", "eer", "roc_auc"})


def recognition(samples: Samples, scene: Scene) -> dict[str, Part]:
    """`accuracy`, macro `precision`, `recall` and `f1`, and for two classes `eer` and `roc_auc`.

    Args:
        samples: `clip label prediction score` of one classifier.
        scene: Number of classes; 0 leaves out what depends on it.
    """
    found: dict[str, Statistic] = {"accuracy": statistics.mean(samples["label"] == samples["prediction"])}
    if scene.classes:
        found |= statistics.macro(samples["label"], samples["prediction"], scene.classes)
    if scene.classes == 2:
        # s(x; y) is the margin of the wrong class: turned towards class 1 it is a detection score.
        positive = samples["label"] == 1
        detected = np.where(positive, -samples["score"], samples["score"])
        found["eer"] = statistics.equal_error_rate(detected, positive)
        found["roc_auc"] = statistics.roc_auc(detected, positive)
    return {name: Part(samples["clip"], statistic) for name, statistic in found.items()}


def drop(defended: Sequence[Samples], undefended: Sequence[Samples], scene: Scene) -> dict[str, Metric]:
    """`drop`: accuracy of the undefended minus that of the defended classifier, paired by clip.

    Args:
        defended: `clean` samples for each fold and seed.
        undefended: Those of the undefended classifiers in the same order.
        scene: Groups.
    """
    parts = []
    for after, before in zip(defended, undefended, strict=True):
        clips, here, there = np.intersect1d(after["clip"], before["clip"], return_indices=True)
        right = [(each["label"] == each["prediction"]).astype(float) for each in (after, before)]
        parts.append(Part(clips, statistics.mean(right[1][there] - right[0][here])))
    return known({"drop": estimate(parts, scene.groups)})
