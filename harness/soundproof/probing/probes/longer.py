"""Attacks with twice the iterations, on the clips that they did not fool."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.probing.runs import fooled_by

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined


def longer(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """`<attack>/rows` of the clips that survived it, `<attack>/fooled` by the same with twice the `steps`."""
    found: Arrays = {}
    for each in examined.tried:
        steps = each.attack.parameters().get("steps")
        if each.samples is None or not isinstance(steps, int) or each.attack.is_targeted:
            continue
        rows = examined.survivors_of(each)
        twice = dataclasses.replace(each.attack, steps=2 * steps)  # type: ignore[type-var]
        index = torch.from_numpy(rows).to(examined.clean.device)
        found[f"{each.name}/rows"] = rows
        found[f"{each.name}/fooled"] = fooled_by(examined, twice, index, "longer").astype(np.uint8)
    return found
