"""Attacks on single clips, beside what they did to them in a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.probing.allowance import TooDearError
from soundproof.probing.runs import fooled_by

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined

# Fewer cannot tell a habit from chance.
CLIPS, LEAST = 12, 8


def alone(examined: Examined, *, thorough: bool) -> Arrays:
    """`<attack>/rows`: clips that survived in the batch; `<attack>/fooled`: whether they fall alone."""
    found: Arrays = {}
    for each in examined.tried:
        if each.samples is None or each.attack.is_targeted:
            continue
        survived = examined.survivors_of(each, None if thorough else CLIPS)
        try:
            count = examined.allowance.clips(each.attack.planned_gradients, len(survived), LEAST)
        except TooDearError:
            continue
        rows = torch.from_numpy(survived[:count]).to(examined.clean.device)
        fooled = [fooled_by(examined, each.attack, row[None], "alone") for row in rows]
        found[f"{each.name}/rows"] = survived[:count]
        found[f"{each.name}/fooled"] = np.asarray([bool(one.any()) for one in fooled], np.uint8)
    return found
