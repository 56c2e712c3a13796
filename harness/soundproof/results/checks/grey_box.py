"""Grey box against informed."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, not_applicable, not_run


def look(case: Case) -> Look:
    """Clips fooled by the examples of the undefended classifier and by no attack that knows the defense."""
    if not case.defended:
        return not_applicable("there is no defense to ignore")
    if not case.grey:
        return not_run("no attack on the undefended classifier was tried on it")
    known = case.fooled_by(case.informed)
    ignorant = {int(clip) for _, fields in case.grey for clip in fields["clip"][fields["fooled"] > 0]}
    return case.judged(
        f"{len(case.grey)} attacks on the undefended classifier, tried on the defended one",
        sorted(ignorant - known),
    )


CHECK = Check(
    id="grey-box",
    number=19,
    title="Does knowing the defense help?",
    source="Carlini et al. 2019; Athalye et al. 2018",
    flag="grey-box-wins",
    remedy="Attack through the defense: exact gradients where there are any, BPDA or an expectation where not.",
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
    ),
)
