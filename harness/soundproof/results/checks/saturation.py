"""Saturated losses."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable


def look(case: Case) -> Look:
    """Clips that survive every attack, where the cross-entropy is flat and the margin is not."""
    found = case.probed("gradients")
    if isinstance(found, Look):
        return found
    if not found:
        return not_applicable("the model declares that it has no gradients")
    clips = case.attacked()[found["rows"]]
    flat = ~(found["loss"] > 0) & (found["margin"] > 0)
    fooled = case.fooled_by(case.informed)
    odd = [int(clip) for clip in clips[flat] if int(clip) not in fooled]
    # No training ends there; whoever scales logits so far wants what single precision does to their gradients.
    extreme = (found["span"] < SMALLEST) | (found["span"] > LARGEST)
    if extreme.all():
        said = f"spans of the logits of {len(clips)} clips, near the ends of single precision"
        return flagged(said, clips, largest_span=float(found["span"].max()))
    return case.judged(f"gradients of {len(clips)} clips; those that survive count", odd, flat=int(flat.sum()))


# Numbers whose products with small or large ones leave the range of single precision, 1e-38 to 3e38.
SMALLEST, LARGEST = 1e-30, 1e30


CHECK = Check(
    id="saturation",
    number=6,
    title="Does the loss that attacks climb have a slope?",
    source="AutoAttack; Carlini and Wagner 2016",
    flag="saturated",
    remedy='Attack with a loss that is blind to the scale of logits: apgd with loss = "dlr", or strongest.',
    look=look,
    after=("zero-gradients", "logits", "randomness", "repetition", "modes", "batch", "fresh-copy"),
)
