"""What the classifier's outputs look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof.victim.prediction import logits_of

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined


def logits(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """Of the clean clips: `smallest` and `sum` of the outputs, and `classes`, their number."""
    found = logits_of(examined.module, examined.clean)
    examined.spent.queries += len(examined)
    smallest, total = found.amin(dim=1), found.double().sum(dim=1)
    classes = found.new_tensor([found.shape[1]])
    return {name: v.cpu().numpy() for name, v in (("smallest", smallest), ("sum", total), ("classes", classes))}
