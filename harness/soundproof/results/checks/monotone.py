"""Success and radius."""

from __future__ import annotations

from soundproof.results.checks.base import LEVEL, Case, Check, Look, flagged, mcnemar, not_applicable, passed
from soundproof.types import Access


def look(case: Case) -> Look:
    """Attacks of many steps that fool fewer clips on a rung than on the one below (exact McNemar test)."""
    climbing = [
        each
        for each in case.reach
        if "rung_fooled" in each.samples and each.iterates and each.access is Access.WHITE_BOX
    ]
    if not climbing:
        return not_applicable("no attack of many steps climbed a ladder of radii")
    odd, clips = [], set()
    for each in climbing:
        rungs, names = each.samples["rung_fooled"] > 0, each.samples["clip"]
        for low in range(len(rungs) - 1):
            lost = rungs[low] & ~rungs[low + 1]
            won = ~rungs[low] & rungs[low + 1]
            if mcnemar(int(lost.sum()), int(won.sum())) < LEVEL and case.settled(names[lost].tolist()):
                odd.append(each)
                clips |= set(names[lost].tolist())
                break
    said = f"rungs of {len(climbing)} attacks"
    if not odd:
        return passed(said)
    return flagged(said, clips, [each.row.key for each in odd], attacks=", ".join(each.id for each in odd))


CHECK = Check(
    id="monotone",
    number=12,
    title="Does a larger ball fool more?",
    source="Carlini et al. 2019",
    flag="not-monotone",
    remedy="Scale the steps with the radius, and return the best iterate.",
    look=look,
    after=("zero-gradients", "saturation", "randomness", "repetition", "modes", "batch", "fresh-copy"),
)
