"""Answers that depend on whether gradients are wanted."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, passed


def look(case: Case) -> Look:
    """Whether logits differ with gradients enabled, disabled and in inference mode."""
    found = case.probed("repetition")
    if isinstance(found, Look):
        return found
    odd = (found["modes"] > TOLERANCE) & (found["again"] <= TOLERANCE)
    said = f"{len(odd)} clips shown with gradients enabled, disabled and in inference mode"
    if not odd.any():
        return passed(said, largest_change=float(found["modes"].max()))
    return flagged(said, case.attacked()[: len(odd)][odd], largest_change=float(found["modes"].max()))


TOLERANCE = 1e-4


CHECK = Check(
    id="modes",
    number=18,
    title="Is what is attacked what is judged?",
    source="this project; audit of defenses that ask for inference mode",
    flag="two-faced",
    remedy="Do not ask for the mode of autograd, and do not read the stack.",
    look=look,
    after=("randomness", "repetition"),
)
