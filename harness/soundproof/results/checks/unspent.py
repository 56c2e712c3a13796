"""Radius left unspent."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed


def look(case: Case) -> Look:
    """White-box attacks whose examples on clips that they did not fool lie well inside of the ball."""
    acting = [each for each in case.informed if not each.minimises and case.norm == "l2" and not each.targeted]
    if not acting or case.radius == 0:
        return not_applicable("no untargeted attack with a radius, in l2")
    odd, clips = [], set()
    for each in acting:
        missed = each.samples["fooled"] == 0
        short = missed & (each.samples["l2"] < SHARE * case.allowed(each))
        if missed.any() and short[missed].mean() > 0.5 and case.settled(each.samples["clip"][short].tolist()):
            odd.append(each)
            clips |= set(each.samples["clip"][short].tolist())
    said = f"sizes of the examples of {len(acting)} attacks that did not fool"
    if not odd:
        return passed(said)
    return flagged(said, clips, [each.row.key for each in odd], attacks=", ".join(each.id for each in odd))


# The box takes what points out of it: of a sign step on silent values about half, which leaves 0.7 of the norm.
SHARE = 0.5


CHECK = Check(
    id="unspent",
    number=14,
    title="Did failing attacks use what they were allowed?",
    source="Carlini et al. 2019",
    flag="unspent-radius",
    remedy="Longer steps or more of them; the default of 2.5 radii in all reaches every point.",
    look=look,
    after=(
        "attack-batch",
        "idle",
        "zero-gradients",
        "saturation",
        "randomness",
        "repetition",
        "modes",
        "batch",
        "fresh-copy",
    ),
)
