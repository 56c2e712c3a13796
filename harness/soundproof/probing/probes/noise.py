"""Random noise at the full radius, on the clips that no attack fooled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined

DRAWS, MANY = 20, 10_000
# Rows that go through the classifier together.
_ROWS = 128


def noise(examined: Examined, *, thorough: bool) -> Arrays:
    """`rows` of the clips that survive, `fooled`: whether any draw fooled them, and `draws`."""
    rows, draws = examined.survivors(), MANY if thorough else DRAWS
    generator = examined.generator("noise")
    fooled = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
    if len(rows):
        at_once = max(1, _ROWS // len(rows))
        for start in range(0, draws, at_once):
            copies = min(at_once, draws - start)
            victim = examined.victim(rows.repeat(copies))
            drawn = torch.randn(victim.clean.shape, generator=generator, device=rows.device)
            ball = examined.ball(rows.repeat(copies))
            images = ball.project(victim.clean + ball.ascent(drawn), victim.clean)
            fooled |= (examined.margins(victim, images) > 0).reshape(copies, -1).any(dim=0)
            examined.paid(victim)
    return {
        "rows": rows.cpu().numpy(),
        "fooled": fooled.cpu().numpy().astype(np.uint8),
        "draws": np.asarray([draws]),
    }
