"""Tested inputs among those that the classifier was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined

# Largest difference of a value between two copies of one clip: what a file format of 10 bits would lose.
_SAME = 1 / 1024
_AT_ONCE = 64


def duplicates(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """`trained`: whether the nearest input of the training is the same, uint8 `[n]`. Silence is no duplicate."""
    trained = examined.training().inputs.flatten(1)
    found = []
    for tested in torch.split(examined.clean.flatten(1), _AT_ONCE):
        nearest = trained[torch.cdist(tested, trained).argmin(dim=1)]
        same = (nearest - tested).abs().amax(dim=1) <= _SAME
        found.append(same & (tested.amax(dim=1) - tested.amin(dim=1) > _SAME))
    return {"trained": torch.cat(found).cpu().numpy().astype(np.uint8)}
