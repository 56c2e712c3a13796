"""Protocol `bounded`: an attack within the suite's ball."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.contract.components import BoundedAttack, MinimumNormAttack
from soundproof.errors import BudgetExhaustedError
from soundproof.measuring.curve import curve
from soundproof.measuring.judge import Verdict, check_examples, judge
from soundproof.measuring.metrics import cells
from soundproof.measuring.outcome import Outcome
from soundproof.measuring.protocols.subject import (
    NOTHING_TO_ATTACK,
    Attacked,
    Run,
    Subject,
    attackable,
    concatenated,
    joined_trace,
    spent,
)
from soundproof.types import Budget, Norm, Status
from soundproof.victim.ball import Ball, column
from soundproof.victim.trace import TraceTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof.contract.components import Attack


def measure_bounded(subject: Subject, attack: Attack, budget: Budget) -> tuple[Outcome, torch.Tensor | None]:
    """Attack every clip that the classifier gets right.

    Returns:
        The outcome, and the examples `[n, ...]` of its clips, which `transfer` tries on other classifiers.

    Raises:
        InvalidExamplesError: The attack returned something that is no set of examples.
    """
    attacked = attackable(subject, attack)
    if attacked is None:
        return Outcome(status=Status.SKIPPED, reason=NOTHING_TO_ATTACK), None
    ball = Ball(budget.norm, budget.epsilon)
    runs = attacked.runs(budget, ball)
    examples = torch.cat([_attack(run, attack, ball) for run in runs])
    verdict = judge(subject.module, examples, attacked.inputs, attacked.goal)
    samples = attacked.samples(verdict, runs)
    metrics = cells.fooling([samples], [subject.clips], subject.groups)
    metrics |= cells.effort([samples], subject.groups, attacked.dimension)
    return Outcome(metrics, samples | _curve(attacked, verdict, runs, ball)), examples


def _attack(run: Run, attack: Attack, ball: Ball) -> torch.Tensor:
    """Attack one batch; what a minimum-norm attack puts outside of the ball counts as unchanged."""
    clean = run.victim.clean
    try:
        if isinstance(attack, BoundedAttack):
            return check_examples(attack.perturb(run.victim, ball, run.generator), clean, ball)
        assert isinstance(attack, MinimumNormAttack)
        examples = check_examples(attack.minimise(run.victim, run.generator), clean, None)
    except BudgetExhaustedError:
        assert run.victim.best is not None, "only a victim with a budget stops an attack"
        return run.victim.best
    near = ball.sizes(examples.double() - clean.double()) <= ball.radius
    return torch.where(column(near, examples), examples, clean)


def _curve(
    attacked: Attacked, verdict: Verdict, runs: Sequence[Run], ball: Ball
) -> dict[str, npt.NDArray[np.float32]]:
    """The budget curve: the trace, with the examples themselves as its last point."""
    cost = spent(runs)
    last = TraceTable(
        clip=np.arange(len(attacked.clips)),
        gradients=cost["gradients"].round().astype(np.int64),
        queries=cost["queries"].round().astype(np.int64),
        score=verdict.score.cpu().numpy(),
        l2=verdict.l2.cpu().numpy(),
        met=verdict.met.cpu().numpy(),
    )
    table = concatenated([joined_trace(runs), last])
    # The trace measures in l2; an l∞ attack stays inside its ball by construction.
    radius = float(ball.radius) * (1 + 1e-6) if ball.norm is Norm.L2 else math.inf
    gradients, aucs, rates = curve(table, attacked.clean_score, radius)
    return {"curve_gradients": gradients, "curve_auc": aucs, "curve_rate": rates}
