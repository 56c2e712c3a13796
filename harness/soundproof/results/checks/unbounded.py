"""Attacks without a limit."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed
from soundproof.types import Access


def look(case: Case) -> Look:
    """Whether every white-box attack of many steps misses its target at the radius that spans the whole box."""
    # The last rung of the ladder moves every value by 0.985 of the box.
    climbing = [
        each
        for each in case.reach
        if each.access is Access.WHITE_BOX
        and not each.minimises
        and each.iterates
        and not each.targeted
        and "rung_radius" in each.samples
    ]
    if not climbing:
        # A ladder of shares of the clip ends where the perturbation is as large as the clip, not as the box.
        return not_applicable("no untargeted attack of many steps climbed a ladder of radii up to the box")
    scale = case.dimension**0.5 if case.norm == "l2" else 1.0
    widest = [each for each in climbing if each.samples["rung_radius"].max() >= 0.9 * scale]
    missed = [
        each for each in widest if not each.row.reached and (each.samples["rung_fooled"][-1] == 0).mean() > HALF
    ]
    said = f"{len(climbing)} attacks of many steps, up to the whole box"
    if len(missed) < len(climbing):
        return passed(said)
    shares = [float((each.samples["rung_fooled"][-1] > 0).mean()) for each in missed]
    # Who finds nothing in the whole box says nothing about a ball in it either.
    blind = [each.row.attack for each in missed]
    rows = [each.row.key for each in (*case.reach, *case.bounded) if each.row.attack in blind]
    return flagged(said, rows=rows, fooled_at_most=max(shares))


# A classifier may have one answer for everything that is far out, whose clips resist; more than that is a fault.
HALF = 0.5


CHECK = Check(
    id="unbounded",
    number=13,
    title="Is everything fooled when anything is allowed?",
    source="Carlini et al. 2019; Pintor et al. 2022",
    flag="resists-anything",
    remedy="Something hides the way: look at gradients, losses and randomness; try strongest.",
    look=look,
    after=(
        "attack-batch",
        "identity",
        "zero-gradients",
        "saturation",
        "directions",
        "logits",
        "neighbours",
        "recognition",
        "randomness",
        "repetition",
        "modes",
        "batch",
        "fresh-copy",
        "silent-success",
        "idle",
        "unspent",
        "one-step",
        "grey-box",
        "transfer",
        "black-box",
        "noise",
    ),
)
