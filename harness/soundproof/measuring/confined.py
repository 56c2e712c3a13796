"""An attack within one ball: every clip that the classifier gets right, batch by batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from soundproof.contract.components import BoundedAttack, MinimumNormAttack
from soundproof.errors import BudgetExhaustedError
from soundproof.measuring.curve import EARLY, curve, shrunk, standing
from soundproof.measuring.outcome import InvalidExamplesError
from soundproof.measuring.radii import perturb
from soundproof.measuring.subject import attackable, concatenated, joined_trace, spent
from soundproof.types import Norm
from soundproof.victim.ball import Ball, column
from soundproof.victim.bound import bound_of
from soundproof.victim.trace import TraceTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof.contract.components import Attack
    from soundproof.measuring.judge import Verdict
    from soundproof.measuring.subject import Attacked, Run, Subject
    from soundproof.types import Budget


@dataclass(frozen=True, eq=False)
class Confined:
    """Result of an attack within a ball.

    Attributes:
        samples: Per-clip outcomes.
        curve: The budget curve.
        examples: `[n, ...]`.
    """

    samples: dict[str, npt.NDArray[Any]]
    curve: dict[str, npt.NDArray[np.float32]]
    examples: torch.Tensor


def attack_within(subject: Subject, attack: Attack, budget: Budget) -> Confined | None:
    """Attack within the budget's ball; None if the classifier gets no clip right.

    Raises:
        InvalidExamplesError: The attack returned something that is no set of examples.
        FloatingPointError: The classifier gives NaN or infinite logits.
    """
    attacked = attackable(subject, targeted=attack.is_targeted)
    if attacked is None:
        return None
    runs = attacked.runs(budget, bound_of(budget, subject.shape))
    examples = torch.cat([_attack(run, attack) for run in runs])
    _check_plan(attack, runs, getattr(subject.module, "draws", 1))
    verdict = attacked.judge(examples)
    table, radius = _traced(attacked, verdict, runs)
    samples = attacked.samples(verdict, runs) | {"tested": subject.clips.astype(np.int32)} | _allowed(runs)
    samples |= _course(attacked, table, radius, minimises=isinstance(attack, MinimumNormAttack))
    gradients, aucs, rates = curve(table, attacked.clean_score, radius)
    along = {"curve_gradients": gradients, "curve_auc": aucs, "curve_rate": rates}
    return Confined(samples, along, examples)


def _check_plan(attack: Attack, runs: Sequence[Run], draws: int) -> None:
    """Raise InvalidExamplesError if an attack used more gradients than it declares, which forecasts trust."""
    used = max(float(run.victim.ledger.gradients.max(initial=0)) for run in runs) / draws
    planned = attack.planned_gradients
    if used > planned:
        raise InvalidExamplesError(
            f"the attack used {used:.4g} gradients of a clip and declares {planned}: raise planned_gradients"
        )


def _attack(run: Run, attack: Attack) -> torch.Tensor:
    """Attack one batch; what a minimum-norm attack puts outside of the ball counts as unchanged."""
    ball, limit = run.ball, run.limit
    assert ball is not None
    assert limit is not None
    try:
        if isinstance(attack, BoundedAttack):
            return run.checked(perturb(attack, run.victim, ball, run.generator), limit)
        assert isinstance(attack, MinimumNormAttack)
        examples = run.checked(attack.minimise(run.victim, run.generator), None)
    except BudgetExhaustedError:
        if run.victim.best is None:  # only a victim with a budget stops an attack
            raise
        return run.checked(run.victim.best, limit)
    near = limit.sizes(examples.double() - run.clean.double()) <= limit.radius
    return torch.where(column(near, examples), examples, run.clean)


def _allowed(runs: Sequence[Run]) -> dict[str, npt.NDArray[np.float32]]:
    """`radius` of each clip, where clips have radii of their own."""
    balls = [run.limit for run in runs if run.limit is not None and isinstance(run.limit.radius, torch.Tensor)]
    if not balls:
        return {}
    return {"radius": np.concatenate([_radii(ball) for ball in balls]).astype(np.float32)}


def _radii(ball: Ball) -> npt.NDArray[np.float64]:
    """The radius, `[]`, or of each clip, `[n]`."""
    radii: npt.NDArray[np.float64] = torch.as_tensor(ball.radius, dtype=torch.float64).cpu().numpy()
    return radii


def _traced(
    attacked: Attacked, verdict: Verdict, runs: Sequence[Run]
) -> tuple[TraceTable, float | npt.NDArray[np.float64]]:
    """The trace, with the examples themselves as its last point, and the l2 radius within which it counts."""
    cost = spent(runs)
    last = TraceTable(
        clip=np.arange(len(attacked.clips)),
        gradients=cost["gradients"].round().astype(np.int64),
        queries=cost["queries"].round().astype(np.int64),
        score=verdict.score.cpu().numpy(),
        l2=verdict.l2.cpu().numpy(),
        met=verdict.met.cpu().numpy(),
        fooled=verdict.fooled.cpu().numpy(),
    )
    # The trace measures in l2; an l∞ attack stays inside its ball by construction.
    balls = [run.limit for run in runs if run.limit is not None and run.limit.norm is Norm.L2]
    table = concatenated([joined_trace(runs), last])
    if not balls:
        return table, math.inf
    radii = [_radii(ball) * (1 + 1e-6) for ball in balls]
    return table, np.concatenate(radii) if radii[0].ndim else float(radii[0])


def _course(
    attacked: Attacked, table: TraceTable, radius: float | npt.NDArray[np.float64], *, minimises: bool
) -> dict[str, Any]:
    """What checks want to know of an attack's course: whether any iterate met the goal, and its late progress."""
    clean = attacked.clean_score
    most = table.gradients.max(initial=0)
    end, before = (standing(table, clean, share * most, radius) for share in (1.0, EARLY))
    if minimises:
        late = shrunk(table, clean, EARLY * most)
    else:
        gain = end.score - clean
        late = np.divide(end.score - before.score, gain, out=np.zeros_like(gain), where=~end.met & (gain > 0))
    return {"found": end.met.astype(np.uint8), "late": late.astype(np.float32)}
