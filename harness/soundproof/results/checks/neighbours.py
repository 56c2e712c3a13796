"""Shattered outputs."""

from __future__ import annotations

import numpy as np

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed


def look(case: Case) -> Look:
    """Whether the margin jumps between random points a hundredth of the radius from the clips."""
    found = case.probed("neighbours")
    if isinstance(found, Look):
        return found
    if "expectation over its randomness (EOT)" in case.adversary:
        return not_applicable("the defense says that it is random")
    odd = found["between"] > CHANGE
    said = f"{len(odd)} clips and random points at a hundredth of the radius"
    median = float(np.median(found["between"]))
    if odd.mean() <= 0.5:
        return passed(said, median_change=median)
    return flagged(said, case.attacked()[found["rows"]][odd], median_change=median)


# Of |s(x; y)|, from one point to the next.
CHANGE = 0.5


CHECK = Check(
    id="neighbours",
    number=17,
    title="Do neighbours get similar outputs?",
    source="Pintor et al. 2022",
    flag="shattered",
    remedy="Attack a smoothed version: an expectation over small noise (EOT).",
    look=look,
    after=("randomness", "repetition", "batch", "modes", "fresh-copy"),
)
