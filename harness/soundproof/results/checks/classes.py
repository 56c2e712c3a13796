"""Losses and classes."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed


def look(case: Case) -> Look:
    """Attacks that name a difference-of-logits ratio where there are fewer than four classes."""
    names = [
        row for row in case.rows if row.attack is not None and str(row.attack.get("loss", "")).startswith("dlr")
    ]
    if not names:
        return not_applicable("no attack names a loss that needs four classes")
    least = max(
        4 if row.attack and (row.attack["loss"] == "dlr-targets" or row.attack.get("targeted")) else 3
        for row in names
    )
    said = f"{case.classes} classes, {least} needed"
    return passed(said) if case.classes >= least else flagged(said, rows=[row.key for row in names])


CHECK = Check(
    id="classes",
    number=24,
    title="Does the loss exist for so many classes?",
    source="AutoAttack",
    flag="few-classes",
    remedy='Set loss = "ce", or use strongest, which chooses.',
    look=look,
)
