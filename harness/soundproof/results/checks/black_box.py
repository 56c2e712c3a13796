"""Black box against white box."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, not_applicable
from soundproof.types import Access


def look(case: Case) -> Look:
    """Clips fooled by a black-box attack of the suite, or by a short random search, and by no white-box attack."""
    if not case.informed:
        return not_applicable("no attack takes gradients")
    known = case.fooled_by(case.informed)
    blind = case.fooled_by(each for each in case.bounded if each.access is Access.BLACK_BOX)
    found = case.probed("black_box")
    if isinstance(found, Look):
        if not blind:
            return found
    else:
        blind |= {int(clip) for clip in case.attacked()[found["rows"][found["fooled"] > 0]]}
    return case.judged(
        "black-box attacks of the suite, and a random search on the clips that survive", sorted(blind - known)
    )


CHECK = Check(
    id="black-box",
    number=8,
    title="Do attacks without gradients find more?",
    source="Carlini et al. 2019; AutoAttack",
    flag="black-box-wins",
    remedy="Find out why gradients do not help: try strongest, BPDA or an expectation over randomness.",
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
        "grey-box",
        "transfer",
        "noise",
        "fresh-copy",
        "silent-success",
        "idle",
        "unspent",
        "one-step",
    ),
)
