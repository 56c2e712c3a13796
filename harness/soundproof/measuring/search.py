"""The search for what an attack needs: up a ladder of radii, or along the trace of an attack that has none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from soundproof.contract.components import BoundedAttack, MinimumNormAttack
from soundproof.errors import BudgetExhaustedError
from soundproof.measuring.curve import auc_of, first_reach, handed_over
from soundproof.measuring.ladder import LADDER
from soundproof.measuring.radii import climb
from soundproof.measuring.refinement import refine
from soundproof.measuring.smallest import Smallest
from soundproof.measuring.subject import attackable, joined_trace, spent
from soundproof.victim.bound import bound_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from soundproof.contract.components import Attack
    from soundproof.measuring.judge import Verdict
    from soundproof.measuring.subject import Attacked, Run, Subject
    from soundproof.types import Budget
    from soundproof.victim.bound import Bound


@dataclass(frozen=True, eq=False)
class Search:
    """Outcome of an attack's search: how far it came.

    Attributes:
        samples: Without sizes if the target was missed: means over the clips that happened to fall say nothing.
        missed: Why the target was not reached, None if it was.
    """

    samples: dict[str, npt.NDArray[Any]]
    missed: str | None = None


def search(subject: Subject, attack: Attack, budget: Budget) -> Search | None:
    """Find out what an attack needs; None if the classifier gets no clip right.

    Raises:
        InvalidExamplesError: The attack returned something that is no set of examples.
        FloatingPointError: The classifier gives NaN or infinite logits.
    """
    attacked = attackable(subject, targeted=attack.is_targeted)
    if attacked is None:
        return None
    if isinstance(attack, BoundedAttack):
        return _climb(attacked, attack, budget)
    assert isinstance(attack, MinimumNormAttack)
    return _follow(attacked, attack, budget)


def _climb(attacked: Attacked, attack: BoundedAttack, budget: Budget) -> Search:
    """Enlarge the ball until the AUC exceeds the target, then refine; the gradients of all rungs add up."""
    bound = bound_of(budget, attacked.subject.shape)
    sizes = [rung * bound.whole(attacked.dimension) for rung in LADDER]
    runs = attacked.runs(budget, bound.at(sizes[-1]))
    climbs = [
        climb(attack, run.victim, [bound.at(size).ball(run.clean) for size in sizes], run.generator)
        for run in runs
    ]
    found, rungs = Smallest(attacked), _Rungs(bound)
    for size in sizes:
        rung = bound.at(size)
        try:
            examples = torch.cat([_rung(run, climbing, rung) for run, climbing in zip(runs, climbs, strict=True)])
        except BudgetExhaustedError as error:
            return _missed(found, runs, rungs, f"{error}; the fooling AUC was {found.auc:.3f}")
        verdict = attacked.judge(examples)
        rungs.add(size, verdict)
        found.offer(verdict, size)
        if found.auc > budget.target_auc:
            cost = spent(runs) | refine(attacked, attack, bound, found)
            # The rung overshoots: what counts is the smallest size that would have done.
            samples = found.samples(found.reach(budget.target_auc)) | _scale(attacked, bound)
            return Search(samples | cost | rungs.samples())
    return _missed(found, runs, rungs, f"up to {bound.words(sizes[-1])} the fooling AUC was {found.auc:.3f}")


def _scale(attacked: Attacked, bound: Bound) -> dict[str, npt.NDArray[np.float32]]:
    """`size` of the clips, where theirs counts."""
    return {"size": attacked.size} if bound.by_clip else {}


def _rung(run: Run, climbing: Iterator[Any], bound: Bound) -> torch.Tensor:
    """Checked examples of one rung.

    Raises:
        RuntimeError: The attack stopped climbing before it was told to.
    """
    examples = next(climbing, None)
    if examples is None:
        assert isinstance(bound.size, float)
        raise RuntimeError(f"the climb ended before {bound.words(bound.size)}: yield examples for every ball")
    return run.checked(examples, bound.limit(run.clean))


def _missed(found: Smallest, runs: Sequence[Run], rungs: _Rungs, why: str) -> Search:
    unknown = {"l2", "linf", "l0", "input_l2", "snr"}
    samples = {name: array for name, array in found.samples().items() if name not in unknown}
    return Search(samples | spent(runs) | rungs.samples(), why)


class _Rungs:
    """What every rung by itself fools: more as the ball grows, if the attack is worth its name."""

    def __init__(self, bound: Bound) -> None:
        self._name = "rung_relative" if bound.by_clip else "rung_radius"
        self._sizes: list[float] = []
        self._fooled: list[npt.NDArray[np.uint8]] = []

    def add(self, size: float, verdict: Verdict) -> None:
        self._sizes.append(size)
        self._fooled.append(verdict.fooled.cpu().numpy().astype(np.uint8))

    def samples(self) -> dict[str, npt.NDArray[Any]]:
        if not self._sizes:
            return {}
        return {self._name: np.asarray(self._sizes, np.float32), "rung_fooled": np.stack(self._fooled)}


def _follow(attacked: Attacked, attack: MinimumNormAttack, budget: Budget) -> Search:
    """Read from the trace when the AUC first exceeded the target."""
    runs = attacked.runs(budget, None)
    for run in runs:
        try:
            run.checked(attack.minimise(run.victim, run.generator), None)
        except BudgetExhaustedError:
            continue  # the trace holds what was found until then
    table, cost = joined_trace(runs), spent(runs)
    steps = first_reach(table, attacked.clean_score, budget.target_auc)
    whole = handed_over(table, attacked.clean_score, math.inf)
    place = whole if steps is None else handed_over(table, attacked.clean_score, steps)
    samples: dict[str, npt.NDArray[Any]] = {
        "clip": attacked.clips.astype(np.int32),
        "clean_score": attacked.clean_score,
        "score": place.score.astype(np.float32),
        "fooled": place.fooled.astype(np.uint8),
        "smallest": np.where(whole.fooled, whole.l2, np.nan).astype(np.float32),
    }
    if steps is None:
        reached = auc_of(attacked.clean_score, place.score)
        return Search(samples | cost, f"the attack ended at a fooling AUC of {reached:.3f}")
    within = table.gradients <= steps
    queries = np.zeros(len(attacked.clips), np.float32)
    np.maximum.at(queries, table.clip[within], table.queries[within].astype(np.float32))
    samples["l2"] = place.l2.astype(np.float32)
    samples |= attacked.heard(samples["l2"]) | _scale(attacked, bound_of(budget, attacked.subject.shape))
    return Search({**samples, "gradients": np.minimum(cost["gradients"], steps), "queries": queries})
