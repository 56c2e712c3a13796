"""Luck."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_run, passed
from soundproof.types import Access


def look(case: Case) -> Look:
    """Attacks of which four more runs with other random numbers fool more than one in a hundred clips more."""
    found = case.probed("restarts")
    if isinstance(found, Look):
        return found
    if not any(name.endswith("/rows") for name in found):
        return not_run("only a thorough look runs attacks again: [checks] level = 'thorough'")
    odd, clips = [], set()
    for each in case.bounded:
        if each.access is Access.CONTROL or f"{each.name}/rows" not in found:
            continue
        more = case.attacked()[found[f"{each.name}/rows"][found[f"{each.name}/fooled"] > 0]]
        if len(more) > 0.01 * len(each.samples["clip"]):
            odd.append(each)
            clips |= set(more.tolist())
    said = "four more runs of every attack on the clips that it did not fool"
    if not odd:
        return passed(said)
    return flagged(said, clips, [each.row.key for each in odd], attacks=", ".join(each.id for each in odd))


CHECK = Check(
    id="restarts",
    number=15,
    title="Would another run find more?",
    source="Carlini et al. 2019",
    flag="restarts-matter",
    remedy="More restarts.",
    look=look,
    after=("randomness", "repetition", "zero-gradients"),
)
