"""Tested clips in the training part."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, passed


def look(case: Case) -> Look:
    """Tested inputs that are, to 12 bits a value, among those trained on."""
    found = case.probed("duplicates")
    if isinstance(found, Look):
        return found
    odd = found["trained"] > 0
    said = f"{len(odd)} tested inputs against all that were trained on"
    if not odd.any():
        return passed(said)
    return flagged(said, case.attacked()[odd], share=float(odd.mean()))


CHECK = Check(
    id="duplicates",
    number=25,
    title="Was the classifier trained on tested clips?",
    source="this project; audit of data sets",
    flag="trained-on-test",
    remedy="Remove the duplicates, or give them the recording that they come from.",
    look=look,
)
