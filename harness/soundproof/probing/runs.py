"""Further runs of an attack on some of the clips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.contract.components import BoundedAttack
from soundproof.measuring.judge import check_examples
from soundproof.measuring.radii import perturb
from soundproof.victim.prediction import logits_of

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

    from soundproof.contract.components import Attack
    from soundproof.probing.examined import Examined


def fooled_by(examined: Examined, attack: Attack, rows: torch.Tensor, what: str) -> npt.NDArray[np.bool_]:
    """Whether an attack within the suite's ball fools clips, `[m]`.

    Args:
        examined: Whose clips.
        attack: Untargeted.
        rows: Which of them, int64 `[m]`.
        what: Names its randomness, with the first row.

    Raises:
        InvalidExamplesError: It returned something that is no set of examples.
    """
    if not len(rows):
        return np.zeros(0, np.bool_)
    victim, generator = examined.victim(rows), examined.generator(f"{what} {int(rows[0])}")
    clean, ball = examined.clean[rows], examined.ball(rows)
    limit = examined.bound.limit(clean)
    bounded = isinstance(attack, BoundedAttack)
    made: Any = perturb(attack, victim, ball, generator) if bounded else attack.minimise(victim, generator)  # type: ignore[arg-type, attr-defined]
    examined.paid(victim)
    examples = check_examples(made, clean, limit if bounded else None)
    examined.spent.queries += len(rows)
    wrong = logits_of(examined.module, examples).argmax(dim=1) != examined.labels[rows]
    near = limit.sizes(examples.double() - clean.double()) <= limit.radius * (1 + 1e-6) + 1e-6
    found: npt.NDArray[np.bool_] = (wrong & near).cpu().numpy()
    return found
