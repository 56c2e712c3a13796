"""Independent scoring by a fresh copy."""

from __future__ import annotations

import numpy as np

from soundproof.results.checks.base import Case, Check, Look


def look(case: Case) -> Look:
    """Clips on which a copy of the classifier, made anew from its weights, disagrees with what was recorded."""
    found = case.probed("fresh_copy")
    if isinstance(found, Look):
        return found
    odd = np.unique(np.concatenate(list(found.values()))).astype(int).tolist()
    return case.judged(f"clean clips and the examples of {len(found) - 2} attacks, predicted by a fresh copy", odd)


CHECK = Check(
    id="fresh-copy",
    number=3,
    title="Does a copy that has seen nothing decide alike?",
    source="RobustBench issue 7",
    flag="stateful",
    remedy="Keep nothing between calls: a prediction may depend on the input and the weights alone.",
    look=look,
    after=("randomness", "repetition"),
)
