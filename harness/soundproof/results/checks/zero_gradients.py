"""Zero gradients."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, not_applicable


def look(case: Case) -> Look:
    """Clips whose scale-free gradient of the margin is zero or no number, at two points."""
    found = case.probed("gradients")
    if isinstance(found, Look):
        return found
    if not found:
        return not_applicable("the model declares that it has no gradients")
    odd = ~(found["margin"] > 0)
    return case.judged(
        f"gradients of {len(odd)} clips at two points each, of two losses",
        case.attacked()[found["rows"]][odd].tolist(),
    )


CHECK = Check(
    id="zero-gradients",
    number=6,
    title="Is there a gradient at all?",
    source="AutoAttack; Pintor et al. 2022",
    flag="zero-gradients",
    remedy=(
        "Give the informed attacker a way through: a surrogate backward pass (BPDA), or a smooth version of "
        "what is flat."
    ),
    look=look,
    after=("logits", "randomness", "repetition", "modes", "batch", "fresh-copy"),
)
