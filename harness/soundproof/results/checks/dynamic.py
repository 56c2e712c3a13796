"""Dynamic defenses."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, flagged, passed


def look(case: Case) -> Look:
    """Calls of autograd during a prediction."""
    found = case.probed("autograd_calls")
    if isinstance(found, Look):
        return found
    calls, said = int(found["calls"][0]), "one prediction"
    return flagged(said, calls=calls) if calls else passed(said)


CHECK = Check(
    id="dynamic",
    number=18,
    title="Is autograd called while predicting?",
    source="AutoAttack",
    flag="dynamic",
    remedy="Attack the defense as it works: through its optimisation, or by BPDA.",
    look=look,
)
