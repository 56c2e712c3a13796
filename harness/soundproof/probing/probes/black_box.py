"""A short black-box attack on the clips that no attack fooled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.victim.ball import column

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined
    from soundproof.victim.ball import Ball
    from soundproof.victim.metered import Victim

QUERIES, MANY = 100, 5000


def black_box(examined: Examined, *, thorough: bool) -> Arrays:
    """`rows` of the clips that survive, `fooled`: whether random search fooled them, and `queries`.

    Random search along smooth directions: a direction in the ball is redrawn in part, and kept where s(x; y)
    rises. It needs no gradient, so that whatever hides gradients does not stop it (the idea is that of Square
    attack, Andriushchenko et al. 2020; the core has no attack of its own).
    """
    rows, queries = examined.survivors(), MANY if thorough else QUERIES
    fooled = np.zeros(len(rows), np.uint8)
    if len(rows):
        victim = examined.victim(rows)
        fooled = _search(examined, victim, examined.ball(rows), queries).cpu().numpy().astype(np.uint8)
        examined.paid(victim)
    return {"rows": rows.cpu().numpy(), "fooled": fooled, "queries": np.asarray([queries])}


def _search(examined: Examined, victim: Victim, ball: Ball, queries: int) -> torch.Tensor:
    clean, generator = victim.clean, examined.generator("black box")
    flat = clean.flatten(1)
    n, width = flat.shape
    best = torch.full((n,), -torch.inf, device=clean.device)
    fooled = torch.zeros(n, dtype=torch.bool, device=clean.device)
    delta = torch.zeros_like(flat)
    for number in range(queries):
        # From half of the values down to a few, in contiguous windows.
        extent = max(1, int(width * 0.5 ** (1 + 8 * number / queries)))
        start = torch.randint(0, width, (n, 1), generator=generator, device=clean.device)
        window = (torch.arange(width, device=clean.device)[None] - start) % width < extent
        signs = torch.randint(0, 2, (n, 1), generator=generator, device=clean.device) * 2.0 - 1
        proposal = torch.where(window, signs * delta.abs().amax(dim=1, keepdim=True).clamp_min(1e-3), delta)
        # The whole radius is spent; in l∞ every value is.
        step = ball.ascent(proposal.reshape(clean.shape))
        images = ball.project(clean + step, clean)
        score = examined.margins(victim, images)
        better = score > best
        best = torch.where(better, score, best)
        delta = torch.where(column(better, delta), proposal, delta)
        fooled |= score > 0
        if fooled.all():
            break
    return fooled
