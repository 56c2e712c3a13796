"""Natural evolution strategies: a gradient from differences of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from soundproof import column

if TYPE_CHECKING:
    from collections.abc import Callable


def estimate(
    loss: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    samples: int,
    sigma: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """1/(nσ) Σ_{i ≤ n/2} uᵢ·[L(x + σuᵢ) − L(x − σuᵢ)], uᵢ ~ N(0, I) (Ilyas et al. 2018, query-limited setting).

    On a linear loss it has the mean ∇L and, in D dimensions, the mean squared error ‖∇L‖²·(D + 1)/(n/2).
    The probes may lie outside of the box: they are no examples.

    Args:
        loss: From images `[2m, ...]`, each clip's probe and its mirror image, to values `[2m]`.
        images: `[m, ...]`.
        samples: Queries a clip n, even. They go through the network two at a time, so that memory stays small.
        sigma: Length of a probe per value σ.
        generator: Draws the directions.

    Returns:
        `[m, ...]`.
    """
    total = torch.zeros_like(images)
    for _ in range(samples // 2):
        direction = torch.randn(images.shape, generator=generator, device=images.device)
        values = loss(torch.cat([images + sigma * direction, images - sigma * direction]))
        up, down = values.chunk(2)
        total += column(up - down, images) * direction
    return total / (samples * sigma)
