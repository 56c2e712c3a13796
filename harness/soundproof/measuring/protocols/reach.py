"""Protocol `reach`: what an attack costs until the fooling AUC first exceeds the budget's target."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from soundproof.contract.components import BoundedAttack, MinimumNormAttack
from soundproof.errors import BudgetExhaustedError
from soundproof.measuring.curve import first_reach, standing
from soundproof.measuring.judge import check_examples, judge
from soundproof.measuring.metrics import cells
from soundproof.measuring.metrics.statistics import auc
from soundproof.measuring.outcome import Outcome
from soundproof.measuring.protocols.subject import (
    NOTHING_TO_ATTACK,
    Attacked,
    Run,
    Subject,
    attackable,
    joined_trace,
    spent,
)
from soundproof.planning.plan import LADDER
from soundproof.types import Budget, Norm, Status
from soundproof.victim.ball import Ball

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof.contract.components import Attack


def measure_reach(subject: Subject, attack: Attack, budget: Budget) -> Outcome:
    """Climb a ladder of radii, or read the trace of an attack that has no radius.

    Raises:
        InvalidExamplesError: The attack returned something that is no set of examples.
    """
    attacked = attackable(subject, attack)
    if attacked is None:
        return Outcome(status=Status.SKIPPED, reason=NOTHING_TO_ATTACK)
    if isinstance(attack, BoundedAttack):
        return _climb(attacked, attack, budget)
    assert isinstance(attack, MinimumNormAttack)
    return _follow(attacked, attack, budget)


def _climb(attacked: Attacked, attack: BoundedAttack, budget: Budget) -> Outcome:
    """Enlarge the ball until the AUC exceeds the target; the gradients of all rungs add up."""
    scale = 1.0 if budget.norm is Norm.LINF else math.sqrt(attacked.dimension)
    balls = [Ball(budget.norm, rung * scale) for rung in LADDER]
    runs = attacked.runs(budget, balls[-1])
    climbs = [attack.climb(run.victim, iter(balls), run.generator) for run in runs]
    highest = 0.5
    for ball in balls:
        try:
            examples = torch.cat(
                [check_examples(next(c), run.victim.clean, ball) for c, run in zip(climbs, runs, strict=True)]
            )
        except BudgetExhaustedError as error:
            return _not_reached(attacked, runs, f"{error}; the highest fooling AUC was {highest:.3f}")
        verdict = judge(attacked.subject.module, examples, attacked.inputs, attacked.goal)
        samples = attacked.samples(verdict, runs)
        reached = _auc(samples)
        highest = max(highest, reached)
        if reached > budget.target_auc:
            return _reached(attacked, samples)
    return _not_reached(
        attacked, runs, f"the highest fooling AUC up to radius {ball.radius:.4g} was {highest:.3f}"
    )


def _follow(attacked: Attacked, attack: MinimumNormAttack, budget: Budget) -> Outcome:
    """Read from the trace when the AUC first exceeded the target."""
    runs = attacked.runs(budget, None)
    for run in runs:
        try:
            check_examples(attack.minimise(run.victim, run.generator), run.victim.clean, None)
        except BudgetExhaustedError:
            continue  # the trace holds what was found until then
    table = joined_trace(runs)
    steps = first_reach(table, attacked.clean_score, budget.target_auc)
    if steps is None:
        return _not_reached(attacked, runs, "the attack ended before")
    place = standing(table, attacked.clean_score, steps, math.inf)
    within = table.gradients <= steps
    queries = np.zeros(len(attacked.clips), np.float32)
    np.maximum.at(queries, table.clip[within], table.queries[within].astype(np.float32))
    samples: dict[str, npt.NDArray[Any]] = {
        "clip": attacked.clips.astype(np.int32),
        "clean_score": attacked.clean_score,
        "score": place.score.astype(np.float32),
        "fooled": place.met.astype(np.uint8),
        "l2": place.l2.astype(np.float32),
        "gradients": np.minimum(spent(runs)["gradients"], steps),
        "queries": queries,
    }
    return _reached(attacked, samples)


def _reached(attacked: Attacked, samples: dict[str, npt.NDArray[Any]]) -> Outcome:
    subject = attacked.subject
    metrics = cells.effort([samples], subject.groups, attacked.dimension)
    fooling = cells.fooling([samples], [subject.clips], subject.groups)
    # Robust accuracy belongs to a fixed radius; here the radius is what was looked for.
    metrics |= {name: metric for name, metric in fooling.items() if name != "robust_accuracy"}
    return Outcome(metrics, samples)


def _not_reached(attacked: Attacked, runs: Sequence[Run], reason: str) -> Outcome:
    """What was spent in vain: a lower bound, under a flag."""
    samples: dict[str, npt.NDArray[Any]] = {
        "clip": attacked.clips.astype(np.int32),
        "fooled": np.zeros(len(attacked.clips), np.uint8),
        "l2": np.zeros(len(attacked.clips), np.float32),
        **spent(runs),
    }
    metrics = cells.effort([samples], attacked.subject.groups, attacked.dimension)
    return Outcome(metrics, samples, ("not-reached",), reason=f"not reached: {reason}")


def _auc(samples: dict[str, npt.NDArray[Any]]) -> float:
    once = np.ones((1, len(samples["clip"])))
    return float(auc(samples["clean_score"], samples["score"])(once)[0])
