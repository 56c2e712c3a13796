"""Refinement of a ladder: how little each clip really needs, by bisection between two rungs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from soundproof.measuring.ladder import DESCENT, PRECISION, REFINEMENTS, RUNG
from soundproof.measuring.radii import perturb
from soundproof.measuring.subject import spent

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from soundproof.contract.components import BoundedAttack
    from soundproof.measuring.smallest import Smallest
    from soundproof.measuring.subject import Attacked
    from soundproof.victim.bound import Bound


def refine(
    attacked: Attacked, attack: BoundedAttack, bound: Bound, found: Smallest
) -> dict[str, npt.NDArray[Any]]:
    """Refine `found` in place and return what it cost: `refining_gradients` and `refining_queries`, each `[N]`.

    An attack that is not monotone in its radius may fool within less than a radius in which it fails; what counts
    is the smallest example found.

    Args:
        attacked: The clips.
        attack: Run anew within each radius, with randomness of its own.
        bound: Of any size.
        found: The smallest examples of the ladder.
    """
    cost = {name: np.zeros(len(attacked.clips), np.float32) for name in ("gradients", "queries")}
    for step in range(DESCENT + REFINEMENTS):
        following = _following(found, step)
        for rows in _batches(following, attacked.subject.batch):
            index = torch.from_numpy(rows).to(attacked.inputs.device)
            sizes = torch.from_numpy(following[rows]).to(index.device)
            run = attacked.run(index, None, bound.at(sizes), "refinement", step)
            assert run.ball is not None
            examples = run.checked(perturb(attack, run.victim, run.ball, run.generator), run.limit)
            found.offer(attacked.judge(examples, index), following[rows], rows)
            for name, spending in spent([run]).items():
                cost[name][rows] += spending
    return {f"refining_{name}": values for name, values in cost.items()}


def _following(found: Smallest, step: int) -> npt.NDArray[np.float64]:
    """The size to try next of each clip, `[N]`; NaN where its size is known well enough."""
    low, high = found.missed, found.radius
    descending = found.fooled & (low == 0) & (step < DESCENT)
    between = found.fooled & (low > 0) & (high > PRECISION * low)
    following = np.where(descending, high / RUNG, np.sqrt(low * np.where(between, high, 0.0)))
    return np.where(descending | between, following, np.nan)


def _batches(following: npt.NDArray[np.float64], size: int) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of the clips that have a size to try, in batches."""
    open_ = np.flatnonzero(np.isfinite(following))
    yield from np.array_split(open_, math.ceil(len(open_) / size)) if len(open_) else ()
