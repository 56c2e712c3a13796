"""Attacks within a ball of radius zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.contract.components import BoundedAttack
from soundproof.probing.allowance import TooDearError
from soundproof.victim.ball import Ball

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined

_CLIPS = 2


def no_radius(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """`<attack>`: largest change of a value within radius 0, `[m]`; of untargeted attacks with a radius."""
    found = {}
    for each in examined.tried:
        if not isinstance(each.attack, BoundedAttack) or each.samples is None or each.attack.is_targeted:
            continue
        try:
            count = examined.allowance.clips(each.attack.planned_gradients, min(_CLIPS, len(examined)))
        except TooDearError:
            continue
        victim = examined.victim(torch.arange(count, device=examined.clean.device))
        nothing = Ball(examined.bound.norm, 0.0)
        images = each.attack.perturb(victim, nothing, examined.generator("no radius"))
        examined.paid(victim)
        found[each.name] = (images - examined.clean[:count]).abs().flatten(1).amax(dim=1).cpu().numpy()
    return {name: np.asarray(values, np.float32) for name, values in found.items()}
