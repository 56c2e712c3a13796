"""A fresh copy of the classifier re-predicts what its attacks left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soundproof.victim.prediction import logits_of

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined


def fresh_copy(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """`<attack>`: whether a copy that has seen nothing disagrees with the outcome of the clip, uint8 `[n]`.

    The copy sees attacked clips before clean ones: who remembers clean clips has none to remember then. At last
    `clean`: whether it gets a clip wrong that the classifier got right.
    """
    copy, found = examined.fresh(), {}
    for each in examined.tried:
        if each.examples is not None and each.samples is not None and len(each.examples) == len(examined):
            fooled = (logits_of(copy, each.examples).argmax(dim=1) != examined.labels).cpu().numpy()
            found[each.name] = (fooled != (each.samples["fooled"] > 0)).astype(np.uint8)
            examined.spent.queries += len(examined)
    wrong = logits_of(copy, examined.clean).argmax(dim=1) != examined.labels
    examined.spent.queries += len(examined)
    return {**found, "clean": wrong.cpu().numpy().astype(np.uint8)}
