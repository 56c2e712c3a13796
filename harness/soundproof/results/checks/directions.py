"""Gradients beside finite differences."""

from __future__ import annotations

import numpy as np

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed


def look(case: Case) -> Look:
    """Clips where directional derivatives and central differences point apart."""
    if case.adversary != "exact gradients":
        return not_applicable(f"the defense declares: {case.adversary}")
    found = case.probed("directions")
    if isinstance(found, Look):
        return found
    if not found:
        return not_applicable("the model declares that it has no gradients")
    odd = found["cosine"] < COSINE
    said = f"derivatives of {len(odd)} clips along 8 directions; cosine with central differences"
    median = float(np.median(found["cosine"]))
    if odd.mean() <= 0.5:
        return passed(said, median_cosine=median)
    return flagged(said, case.attacked()[found["rows"]][odd], median_cosine=median)


# Proposed with the indicators of attack failure; here more than half of the clips have to fall short.
COSINE = 0.9


CHECK = Check(
    id="directions",
    number=7,
    title="Is the gradient the slope?",
    source="Pintor et al. 2022; Athalye et al. 2018",
    flag="wrong-gradients",
    remedy="Let gradients through everything the prediction depends on; declare BPDA where that is impossible.",
    look=look,
    after=(
        "zero-gradients",
        "saturation",
        "neighbours",
        "recognition",
        "randomness",
        "repetition",
        "modes",
        "batch",
        "logits",
        "fresh-copy",
    ),
)
