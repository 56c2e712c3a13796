"""Decisions that depend on the batch."""

from __future__ import annotations

import numpy as np

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed


def look(case: Case) -> Look:
    """Whether logits differ in a batch of one or in reverse order."""
    found = case.probed("repetition")
    if isinstance(found, Look):
        return found
    if "alone" not in found:
        return not_applicable("the defense says that it is random")
    change = found["order"].copy()
    change[: len(found["alone"])] = np.maximum(change[: len(found["alone"])], found["alone"])
    odd = change > TOLERANCE
    said = f"{len(found['alone'])} clips shown alone, {len(change)} in reverse order"
    if not odd.any():
        return passed(said, largest_change=float(change.max()))
    return flagged(said, case.attacked()[: len(odd)][odd], largest_change=float(change.max()))


# Of the span of a clip's logits. Other batches sum in another order, which moves logits by some 1e-6.
TOLERANCE = 1e-3


CHECK = Check(
    id="batch",
    number=22,
    title="Does a clip keep its logits alone and in another order?",
    source="torchattacks, Carlini-Wagner; this project",
    flag="batch-dependent",
    remedy="Put batch normalisation into evaluation mode; normalise by nothing that the batch shares.",
    look=look,
    after=("randomness", "repetition"),
)
