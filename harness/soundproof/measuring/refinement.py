"""Refinement of a ladder: how little each clip really needs, by bisection between two rungs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from soundproof.measuring.judge import judge
from soundproof.measuring.ladder import DESCENT, PRECISION, REFINEMENTS, RUNG
from soundproof.measuring.subject import spent
from soundproof.victim.ball import Ball

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from soundproof.contract.components import BoundedAttack
    from soundproof.measuring.smallest import Smallest
    from soundproof.measuring.subject import Attacked
    from soundproof.types import Norm


def refine(attacked: Attacked, attack: BoundedAttack, norm: Norm, found: Smallest) -> dict[str, npt.NDArray[Any]]:
    """Refine `found` in place and return what it cost: `refining_gradients` and `refining_queries`, each `[N]`.

    An attack that is not monotone in its radius may fool within less than a radius in which it fails; what counts
    is the smallest example found.

    Args:
        attacked: The clips.
        attack: Run anew within each radius, with randomness of its own.
        norm: Of the balls.
        found: The smallest examples of the ladder.
    """
    cost = {name: np.zeros(len(attacked.clips), np.float32) for name in ("gradients", "queries")}
    for step in range(DESCENT + REFINEMENTS):
        following = _following(found, step)
        for rows in _batches(following, attacked.subject.batch, together=attack.radius_per_clip):
            index = torch.from_numpy(rows).to(attacked.inputs.device)
            radii = following[rows]
            ball = Ball(
                norm, torch.from_numpy(radii).to(index.device) if attack.radius_per_clip else float(radii[0])
            )
            run = attacked.run(index, None, ball, "refinement", step)
            examples = run.checked(attack.perturb(run.victim, ball, run.generator), ball)
            goal = attacked.goal.select(index)
            found.offer(judge(attacked.subject.module, examples, run.clean, goal), radii, rows)
            for name, spending in spent([run]).items():
                cost[name][rows] += spending
    return {f"refining_{name}": values for name, values in cost.items()}


def _following(found: Smallest, step: int) -> npt.NDArray[np.float64]:
    """The radius to try next of each clip, `[N]`; NaN where its size is known well enough."""
    low, high = found.missed, found.radius
    descending = found.fooled & (low == 0) & (step < DESCENT)
    between = found.fooled & (low > 0) & (high > PRECISION * low)
    following = np.where(descending, high / RUNG, np.sqrt(low * np.where(between, high, 0.0)))
    return np.where(descending | between, following, np.nan)


def _batches(following: npt.NDArray[np.float64], size: int, *, together: bool) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of the clips that have a radius to try, in batches: of any radii together, or of one radius each."""
    open_ = np.flatnonzero(np.isfinite(following))
    alike = [open_] if together else [open_[following[open_] == radius] for radius in np.unique(following[open_])]
    for rows in alike:
        yield from np.array_split(rows, math.ceil(len(rows) / size)) if len(rows) else ()
