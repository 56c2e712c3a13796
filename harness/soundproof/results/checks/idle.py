"""Attacks that do nothing."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed
from soundproof.types import Access


def look(case: Case) -> Look:
    """Attacks that returned all clips as they were and fooled none."""
    acting = [
        each
        for each in case.bounded
        if each.access is not Access.CONTROL and not each.minimises and len(each.samples["clip"])
    ]
    if not acting or case.radius == 0:
        return not_applicable("nothing was attacked within a ball")
    idle = [each for each in acting if not each.samples["l2"].any()]
    said = f"sizes of what {len(acting)} attacks returned"
    if not idle:
        return passed(said)
    clips = {int(clip) for each in idle for clip in each.samples["clip"]}
    return flagged(said, clips, [each.row.key for each in idle], attacks=", ".join(each.id for each in idle))


CHECK = Check(
    id="idle",
    number=14,
    title="Did the attack change anything?",
    source="this project",
    flag="idle-attack",
    remedy="Return what the attack found; where it finds nothing, find out why.",
    look=look,
    after=("zero-gradients", "saturation", "randomness", "repetition", "modes", "batch", "fresh-copy"),
)
