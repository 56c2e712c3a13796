"""Ablation of the defense."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed


def look(case: Case) -> Look:
    """Defenses without exact gradients on which no attack on the undefended classifier was tried."""
    if not case.defended or case.adversary == "exact gradients":
        return not_applicable("there is no defense, or it has exact gradients")
    if not case.bounded:
        return not_applicable("nothing was attacked")
    said = f"the attacks on the undefended classifier ({case.adversary})"
    return passed(said, attacks=len(case.grey)) if case.grey else flagged(said)


CHECK = Check(
    id="ablation",
    number=19,
    title="Is there an attack that ignores the defense?",
    source="Carlini et al. 2019",
    flag="no-ablation",
    remedy="Measure the protocol transfer, with the undefended classifier in the suite.",
    look=look,
)
