"""Random attacks again with other random numbers, on the clips that they did not fool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.probing.runs import fooled_by

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined

TIMES = 4


def restarts(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """`<attack>/rows` of the clips that survived it, `<attack>/fooled` by any of four further runs."""
    found: Arrays = {}
    for each in examined.tried:
        if each.samples is None or each.attack.is_targeted:
            continue
        rows = examined.survivors_of(each)
        index = torch.from_numpy(rows).to(examined.clean.device)
        again = [fooled_by(examined, each.attack, index, f"restart {number}") for number in range(TIMES)]
        found[f"{each.name}/rows"] = rows
        found[f"{each.name}/fooled"] = np.any(again, axis=0).astype(np.uint8)
    return found
