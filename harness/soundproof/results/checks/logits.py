"""Probabilities for logits."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed


def look(case: Case) -> Look:
    """Whether all outputs lie in [0, 1] and sum to 1."""
    found = case.probed("logits")
    if isinstance(found, Look):
        return found
    if not case.informed:
        return not_applicable("no attack takes gradients of the outputs")
    odd = (found["smallest"] >= 0) & (abs(found["sum"] - 1) < 1e-5)
    said = f"outputs of {len(odd)} clips"
    if not odd.all():
        return passed(said)
    return flagged(said, case.attacked(), smallest=float(found["smallest"].min()))


CHECK = Check(
    id="logits",
    number=5,
    title="Are outputs logits?",
    source="AutoAttack",
    flag="probabilities",
    remedy="Return what comes before the softmax.",
    look=look,
)
