"""Noise against attacks."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, not_applicable
from soundproof.types import Access


def look(case: Case) -> Look:
    """Clips fooled by random noise at the full radius and by no attack."""
    known = case.fooled_by(each for each in case.bounded if each.access is not Access.CONTROL)
    luck = case.fooled_by(each for each in case.bounded if each.access is Access.CONTROL)
    found = case.probed("noise")
    if isinstance(found, Look):
        if not luck:
            return found
        draws = 1
    else:
        luck |= {int(clip) for clip in case.attacked()[found["rows"][found["fooled"] > 0]]}
        draws = int(found["draws"][0])
    if not case.informed:
        return not_applicable("no attack takes gradients")
    return case.judged(f"{draws} draws on every clip that survives", sorted(luck - known))


CHECK = Check(
    id="noise",
    number=10,
    title="Does random noise find more?",
    source="Carlini et al. 2019",
    flag="noise-wins",
    remedy="The attacks are at fault: more steps, another loss, strongest.",
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
        "grey-box",
        "transfer",
        "one-step",
    ),
)
