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
        for radius, rows in _open(found, step):
            ball = Ball(norm, radius)
            for part in np.array_split(rows, math.ceil(len(rows) / attacked.subject.batch)):
                index = torch.from_numpy(part).to(attacked.inputs.device)
                run = attacked.run(index, None, ball, "refinement", step)
                examples = run.checked(attack.perturb(run.victim, ball, run.generator), ball)
                goal = attacked.goal.select(index)
                found.offer(judge(attacked.subject.module, examples, run.clean, goal), ball, part)
                for name, spending in spent([run]).items():
                    cost[name][part] += spending
    return {f"refining_{name}": values for name, values in cost.items()}


def _open(found: Smallest, step: int) -> list[tuple[float, npt.NDArray[np.int64]]]:
    """The radii to try next, each with the clips that are not yet known well enough."""
    low, high = found.missed, found.radius
    descending = found.fooled & (low == 0) & (step < DESCENT)
    between = found.fooled & (low > 0) & (high > PRECISION * low)
    following = np.where(descending, high / RUNG, np.sqrt(low * np.where(between, high, 0.0)))
    rows = np.flatnonzero(descending | between)
    return [(float(radius), rows[following[rows] == radius]) for radius in np.unique(following[rows])]
