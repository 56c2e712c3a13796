"""Silent success."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, not_applicable
from soundproof.types import Access


def look(case: Case) -> Look:
    """Clips of which some evaluated iterate inside of the ball met the goal, and the returned example does not."""
    known = [
        each
        for each in case.bounded
        if "found" in each.samples and case.norm == "l2" and each.access is not Access.CONTROL
    ]
    if not known:
        return not_applicable("no attack, or the ball is none in l2, in which traces measure")
    odd: dict[str, set[int]] = {}
    for each in known:
        met = each.samples["met"] if each.targeted else each.samples["fooled"]
        lost = each.samples["clip"][(each.samples["found"] > 0) & (met == 0)]
        if len(lost):
            odd[each.row.key] = {int(clip) for clip in lost}
    clips = sorted(set().union(*odd.values()))
    return case.judged(
        f"every iterate of {len(known)} attacks",
        clips,
        [key for key, lost in odd.items() if case.settled(lost)] or odd,
    )


CHECK = Check(
    id="silent-success",
    number=16,
    title="Did the attack return what it found?",
    source="Pintor et al. 2022",
    flag="silent-success",
    remedy="Keep the best iterate and return it.",
    look=look,
    after=("attack-batch", "randomness", "repetition", "modes", "fresh-copy"),
)
