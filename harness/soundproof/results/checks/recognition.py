"""Known clips."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look


def look(case: Case) -> Look:
    """Clips that most close points turn, or whose margin jumps from the clip to them and not between them."""
    found = case.probed("neighbours")
    if isinstance(found, Look):
        return found
    odd = (found["flips"] > 0.5) | ((found["from_clean"] > JUMP) & (found["between"] < JUMP / 10))
    clips = case.attacked()[found["rows"]][odd]
    said = f"{len(odd)} clips and random points at a hundredth of the radius"
    return case.judged(said, clips.tolist(), turned=float((found["flips"] > 0.5).mean()))


# Of |s(x; y)|, from the clip to a point beside it, where points beside it agree with each other.
JUMP = 0.5


CHECK = Check(
    id="recognition",
    number=17,
    title="Does the least change matter?",
    source="this project; audit of recognising defenses",
    flag="recognises-clips",
    remedy="Decide by what the input sounds like, not by whether it is one that was met before.",
    look=look,
    after=("randomness", "repetition", "neighbours", "modes", "batch", "fresh-copy"),
)
