"""Recordings on both sides of the split."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, passed


def look(case: Case) -> Look:
    """Whether the split tears recordings apart, which the planner knows."""
    leaky = [row.key for row in case.rows if "leaky" in row.flags]
    return flagged("the recordings of both parts", rows=leaky) if leaky else passed("the recordings of both parts")


CHECK = Check(
    id="leak",
    number=26,
    title="Are recordings on one side of the split only?",
    source="this project",
    flag="leaky",
    remedy='Use a split by recording: scheme = "group70", or folds that respect recordings.',
    look=look,
)
