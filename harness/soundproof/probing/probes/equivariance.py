"""Attacks on a classifier whose distances are known: a hyperplane through the box."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from soundproof.contract.components import MinimumNormAttack
from soundproof.types import Norm
from soundproof.victim.ball import l2_sizes
from soundproof.victim.goal import Goal
from soundproof.victim.metered import Victim

if TYPE_CHECKING:
    import numpy as np

    from soundproof.probing.examined import Arrays, Examined

_CLIPS, _VALUES = 8, 32


def equivariance(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """`<attack>`: ‖δ‖₂ that an attack without a radius needs over the distance to the hyperplane, `[8]`.

    Once with the hyperplane's logits as they are and once a hundred times as large (`<attack>/scaled`), where the
    distance is the same. The passes are those of a classifier of 32 values and count as none. Untargeted attacks
    in l2 that move single steps along gradients only: l∞ and l0 attacks have other distances.
    """
    found: Arrays = {}
    for each in examined.tried:
        steps_in = each.attack.parameters().get("norm", Norm.L2)
        known = isinstance(each.attack, MinimumNormAttack) and not each.attack.is_targeted and steps_in == Norm.L2
        if known and each.attack.id not in _OTHER_NORMS:
            for name, scale in ((each.name, 1.0), (f"{each.name}/scaled", 100.0)):
                found[name] = _excess(each.attack, scale)  # type: ignore[arg-type]
    return found


# JSMA changes few values; libraries' attacks are not ours to judge by this.
_OTHER_NORMS = ("jsma", "art-minimum-norm")


def _excess(attack: MinimumNormAttack, scale: float) -> np.ndarray:
    if "candidates" in attack.parameters():
        attack = replace(attack, candidates=2)  # type: ignore[type-var]
    generator = torch.Generator().manual_seed(0)
    plane = _Plane(torch.randn(_VALUES, generator=generator), scale)
    clean = 0.5 + 0.2 * (torch.rand(_CLIPS, 1, 4, 8, generator=generator) - 0.5)
    labels = plane(clean).argmax(dim=1)
    victim = Victim(plane, clean.clone(), Goal(labels), traced=False)
    images = attack.minimise(victim, torch.Generator().manual_seed(0)).detach().cpu()
    fooled = plane(images).argmax(dim=1) != labels
    sizes = l2_sizes(images - clean) / plane.distance(clean)
    return torch.where(fooled, sizes, torch.inf).numpy()


class _Plane(nn.Module):
    def __init__(self, weight: torch.Tensor, scale: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight / weight.norm())
        self._scale = scale

    def distance(self, images: torch.Tensor) -> torch.Tensor:
        return ((images.flatten(1) - 0.5) @ self.weight).abs()  # type: ignore[operator]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        side = self._scale * ((images.flatten(1) - 0.5) @ self.weight)  # type: ignore[operator]
        return torch.stack([side, -side], dim=1)
