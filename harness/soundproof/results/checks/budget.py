"""Examples outside of the budget."""

from __future__ import annotations

from soundproof.results.checks.base import Case, Check, Look, Tried, flagged, not_applicable, passed
from soundproof.types import Status


def look(case: Case) -> Look:
    """Rows that the judge refused, and the sizes of the others."""
    refused = [row for row in case.broken if row.status is Status.INVALID and _of_examples(row.reason or "")]
    larger = [each for each in case.bounded if case.norm == "l2" and _larger(case, each)]
    if not case.bounded and not refused:
        return not_applicable("nothing was attacked")
    said = f"sizes and values of the examples of {len(case.bounded) + len(refused)} attacks, recomputed"
    rows = [row.key for row in refused] + [each.row.key for each in larger]
    if not rows:
        return passed(said)
    return flagged(said, rows=rows, reason=refused[0].reason or "" if refused else "larger than the radius")


def _larger(case: Case, tried: Tried) -> bool:
    limit = case.allowed(tried) * (1 + 1e-6) + 1e-6
    return bool((tried.samples["l2"] > limit).any())


def _of_examples(reason: str) -> bool:
    return any(words in reason for words in ("left the ball", "left the box", "NaN", "returned"))


CHECK = Check(
    id="budget",
    number=2,
    title="Does every example lie in the ball and in the box?",
    source="AutoAttack; AttackBench",
    flag="outside-budget",
    remedy="Project onto the ball and clip to [0, 1] before returning; return numbers.",
    look=look,
)
