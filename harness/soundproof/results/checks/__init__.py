"""Checks: whether numbers can be believed. Each is a function of one classifier's results and probes.

A check looks at one classifier of one fold and seed, with all rows of attacks on it, and says what it looked at,
what speaks against the numbers and what to do about it. What it raises is a flag (`soundproof.results.flags`) on
the rows that are concerned. Where one fault explains another (no gradients, so that a black box does better),
only the first raises a flag. The rules and their sources: docs/honest-evaluation.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soundproof.results.checks import (
    ablation,
    attack_batch,
    batch,
    black_box,
    budget,
    classes,
    convergence,
    directions,
    duplicates,
    dynamic,
    effort,
    equivariance,
    fresh_copy,
    grey_box,
    idle,
    leak,
    logits,
    modes,
    monotone,
    neighbours,
    no_radius,
    noise,
    one_step,
    randomness,
    recognition,
    repetition,
    restarts,
    saturation,
    silent_success,
    transfer,
    unbounded,
    unspent,
    worst_case,
    zero_gradients,
)
from soundproof.results.checks.base import NAMED, Verdict
from soundproof.results.checks.cases import cases
from soundproof.results.finding import Finding
from soundproof.results.flags import HINT, UNCHECKED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from soundproof.results.checks.base import Case, Check, Look
    from soundproof.results.checks.cases import Probed
    from soundproof.results.files import Results, Row

CHECKS: Sequence[Check] = (
    *(no_radius.CHECK, budget.CHECK, fresh_copy.CHECK, repetition.CHECK, randomness.CHECK, logits.CHECK),
    *(zero_gradients.CHECK, saturation.CHECK, directions.CHECK, black_box.CHECK, transfer.CHECK, noise.CHECK),
    *(one_step.CHECK, monotone.CHECK, unbounded.CHECK, convergence.CHECK, idle.CHECK, unspent.CHECK),
    *(restarts.CHECK, silent_success.CHECK, neighbours.CHECK, recognition.CHECK, dynamic.CHECK, modes.CHECK),
    *(grey_box.CHECK, ablation.CHECK, worst_case.CHECK, effort.CHECK, batch.CHECK, attack_batch.CHECK),
    *(equivariance.CHECK, classes.CHECK, duplicates.CHECK, leak.CHECK),
)
BY_ID: Mapping[str, Check] = {check.id: check for check in CHECKS}


def checked(results: Results, probed: Mapping[str, Probed]) -> Results:
    """The same results with findings, and with flags on the rows that they concern.

    Args:
        results: With all comparisons between rows.
        probed: What probes found, by the lookup key of the classifier
        (`soundproof.measuring.place.classifier_of`).
    """
    findings: list[Finding] = []
    raised: dict[str, set[str]] = {}
    for case in cases(results, probed):
        found = list(_findings(case))
        findings += found
        for finding in found:
            for key in finding.rows if finding.flag else ():
                raised.setdefault(key, set()).add(str(finding.flag))
        if case.probes is None and case.bounded:
            for row in case.rows:
                raised.setdefault(row.key, set()).add(UNCHECKED)
    rows = [_with(row, raised.get(row.key, set())) for row in results.rows]
    return replace(results, rows=rows, findings=findings)


def _with(row: Row, flags: set[str]) -> Row:
    return replace(row, flags=tuple(sorted({*row.flags, *flags}))) if flags else row


def _findings(case: Case) -> Iterator[Finding]:
    """What all checks say of one classifier."""
    looks = [(check, check.look(case)) for check in CHECKS]
    sure = {check.id for check, look in looks if look.verdict is Verdict.FLAGGED and not look.hint}
    for check, look in looks:
        yield _finding(case, check, look, next((cause for cause in check.after if cause in sure), None))


def _finding(case: Case, check: Check, look: Look, follows: str | None) -> Finding:
    stands = look.verdict is Verdict.FLAGGED
    flag = None
    if stands and follows is None:
        flag = HINT if look.hint else check.flag
    rows = look.rows or tuple(row.key for row in case.rows if row.protocol != "transfer")
    place = case.rows[0]
    return Finding(
        check=check.id,
        verdict=str(look.verdict),
        flag=flag,
        place={
            **{name: getattr(place, name) for name in ("dataset", "representation", "model", "defense")},
            "fold": place.fold,
            "seed": place.seed,
        },
        said=look.said,
        remedy=check.remedy if stands else "",
        clips=look.clips[:NAMED],
        numbers=look.numbers,
        rows=rows if flag else (),
        follows=follows if stands else None,
    )
