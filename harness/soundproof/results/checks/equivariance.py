"""A classifier of known distances."""

from __future__ import annotations

import numpy as np

from soundproof.results.checks.base import Case, Check, Look, flagged, not_applicable, passed


def look(case: Case) -> Look:
    """Attacks without a radius that need more than 1.05 times the distance to a hyperplane."""
    found = case.probed("equivariance")
    if isinstance(found, Look):
        return found
    if not found:
        return not_applicable("no untargeted attack without a radius, in l2")
    worst = {name: float(np.median(values)) for name, values in found.items()}
    far = {name.removesuffix("/scaled") for name, value in worst.items() if value > EXCESS}
    said = f"{len(found)} runs on a hyperplane whose distance is known"
    if not far:
        return passed(said, worst_median=max(worst.values()))
    rows = [each.row.key for each in (*case.bounded, *case.reach) if each.name in far]
    return flagged(said, rows=rows, worst_median=min(max(worst.values()), 1e9))


EXCESS = 1.05


CHECK = Check(
    id="equivariance",
    number=23,
    title="Is the shortest change found where it is known?",
    source="ART issue 219",
    flag="far-from-optimal",
    remedy="More search steps, or a finer end of the search.",
    look=look,
)
