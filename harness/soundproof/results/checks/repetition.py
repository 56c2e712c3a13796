"""Answers that change from call to call."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, passed


def look(case: Case) -> Look:
    """Whether logits change when the same clips are shown again with the same random numbers."""
    found = case.probed("repetition")
    if isinstance(found, Look):
        return found
    odd = found["again"] > TOLERANCE
    said = f"{len(odd)} clips shown three times with the same random numbers"
    if not odd.any():
        return passed(said, largest_change=float(found["again"].max()))
    return flagged(said, case.attacked()[: len(odd)][odd], largest_change=float(found["again"].max()))


# Of the span of a clip's logits, as for randomness.
TOLERANCE = 1e-4


CHECK = Check(
    id="repetition",
    number=3,
    title="Is the same answer given twice?",
    source="this project; audit of remembering defenses",
    flag="stateful",
    remedy="Keep nothing between calls: a prediction may depend on the input and the weights alone.",
    look=look,
)
