"""Radius 0."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, not_run, passed


def look(case: Case) -> Look:
    """Whether any attack changed anything within radius 0."""
    found = case.probed("no_radius")
    if isinstance(found, Look):
        return found
    if not found:
        return not_run("no attack with a radius was affordable or there is none")
    changed = {name: float(values.max(initial=0)) for name, values in found.items() if values.max(initial=0) > 0}
    said = f"{len(found)} attacks within radius 0, on two clips each"
    if not changed:
        return passed(said)
    rows = [each.row.key for each in (*case.bounded, *case.reach) if each.name in changed]
    return flagged(said, rows=rows, largest_change=max(changed.values()))


CHECK = Check(
    id="identity",
    number=1,
    title="Does an attack within radius 0 leave clips as they are?",
    source="torchattacks issue 124",
    flag="changes-at-zero",
    remedy="Project the result onto the ball the attack is given.",
    look=look,
)
