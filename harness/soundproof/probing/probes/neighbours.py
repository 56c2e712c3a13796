"""The close neighbourhood of the clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined

_CLIPS, _DRAWS = 32, 10
# Of the radius: no decision worth its name changes with so little.
_NEAR = 0.01


def neighbours(examined: Examined, *, thorough: bool) -> Arrays:
    """`flips`: share of draws at a hundredth of the radius that are misclassified, `[m]`; and two changes.

    `from_clean`: mean change of s(x; y) from the clip to a draw, as a share of |s|; `between`: from a draw to the
    next one (Pintor et al. 2022, unstable predictions).
    """
    count, draws = (len(examined), 100) if thorough else (min(_CLIPS, len(examined)), _DRAWS)
    rows = torch.arange(count, device=examined.clean.device)
    victim, near = examined.victim(rows), examined.ball(rows).scaled(_NEAR)
    generator = examined.generator("neighbours")
    clean = examined.margins(victim, victim.clean).double()
    scores = []
    for _ in range(draws):
        drawn = torch.randn(victim.clean.shape, generator=generator, device=rows.device)
        images = near.project(victim.clean + near.ascent(drawn), victim.clean)
        scores.append(examined.margins(victim, images).double())
    examined.paid(victim)
    all_scores = torch.stack(scores)
    scale = clean.abs().clamp_min(1e-300)
    found = {
        "flips": (all_scores > 0).double().mean(dim=0),
        "from_clean": (all_scores - clean).abs().mean(dim=0) / scale,
        "between": (all_scores[1:] - all_scores[:-1]).abs().mean(dim=0) / scale,
    }
    return {"rows": rows.cpu().numpy(), **{name: values.float().cpu().numpy() for name, values in found.items()}}
