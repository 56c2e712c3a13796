"""Attacks that depend on the batch."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_run, passed
from soundproof.types import Access


def look(case: Case) -> Look:
    """Clips that an attack fools alone and did not fool in the batch."""
    found = case.probed("alone")
    if isinstance(found, Look):
        return found
    there = [each for each in case.bounded if f"{each.name}/rows" in found and each.access is not Access.CONTROL]
    if not there:
        return not_run("too few clips resist, or running attacks alone would cost too much")
    odd, clips = [], set()
    for each in there:
        alone = case.attacked()[found[f"{each.name}/rows"][found[f"{each.name}/fooled"] > 0]].tolist()
        if case.settled(alone):
            odd.append(each)
            clips |= set(alone)
    said = f"{len(there)} attacks on single clips that they had not fooled"
    if not odd:
        return passed(said)
    return flagged(said, clips, [each.row.key for each in odd], attacks=", ".join(each.id for each in odd))


CHECK = Check(
    id="attack-batch",
    number=22,
    title="Does the attack do alone what it does in a batch?",
    source="torchattacks, Carlini-Wagner",
    flag="batch-dependent-attack",
    remedy="Stop and scale every clip by itself: no sums, norms or early exits over the batch.",
    look=look,
    after=("batch", "randomness", "repetition", "modes", "fresh-copy"),
)
