"""One step against many."""

from __future__ import annotations

from soundproof.results.checks.base import (
    LEVEL,
    Case,
    Check,
    Look,
    Tried,
    flagged,
    mcnemar,
    not_applicable,
    passed,
)


def look(case: Case) -> Look:
    """Attacks of many steps that an attack of one step beats, paired by clip (exact McNemar test)."""

    def comparable(each: Tried) -> bool:
        return not each.minimises and not each.targeted

    single = [
        each
        for each in case.informed
        if comparable(each) and not each.iterates and each.samples["gradients"].max(initial=0) > 0
    ]
    many = [each for each in case.informed if comparable(each) and each.iterates]
    pairs = [(one, other) for one in single for other in many if one.step_norm == other.step_norm]
    if not pairs:
        return not_applicable("the suite has no attack of one step beside one of many, in the same norm")
    beaten, clips = [], set()
    for one, other in pairs:
        fast, slow = set(one.fooled().tolist()), set(other.fooled().tolist())
        if mcnemar(len(fast - slow), len(slow - fast)) < LEVEL and case.settled(fast - slow):
            beaten.append(other)
            clips |= fast - slow
    said = f"{len(pairs)} pairs of attacks, clip by clip"
    if not beaten:
        return passed(said)
    return flagged(said, clips, [each.row.key for each in beaten], attacks=", ".join(each.id for each in beaten))


CHECK = Check(
    id="one-step",
    number=11,
    title="Do many steps find as much as one?",
    source="Carlini et al. 2019; Athalye et al. 2018",
    flag="one-step-wins",
    remedy="Shorten or lengthen the steps, return the best iterate, start at random: or take pgd or apgd.",
    look=look,
    after=(
        "zero-gradients",
        "saturation",
        "logits",
        "randomness",
        "repetition",
        "modes",
        "silent-success",
        "idle",
        "unspent",
        "directions",
        "neighbours",
        "batch",
        "fresh-copy",
    ),
)
