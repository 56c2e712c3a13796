"""The difference-of-logits-ratio losses of Croce & Hein 2020: blind to the scale of the logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import margin

if TYPE_CHECKING:
    import torch

# A ratio of equal logits is 0 / 0; this makes it 0.
_TINY = 1e-12


def dlr(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """−(z_y − max_{i≠y} z_i) / (z_π₁ − z_π₃), `[n]`, π the order from the highest logit.

    Raises:
        ValueError: There are fewer than three classes.
    """
    if logits.shape[1] < 3:
        raise ValueError("the DLR loss needs at least 3 classes: set loss = 'ce'")
    top = logits.topk(3, dim=1).values
    return margin(logits, labels) / (top[:, 0] - top[:, 2] + _TINY)


def targeted_dlr(logits: torch.Tensor, labels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """−(z_y − z_t) / (z_π₁ − (z_π₃ + z_π₄)/2), `[n]`.

    Raises:
        ValueError: There are fewer than four classes.
    """
    if logits.shape[1] < 4:
        raise ValueError("the targeted DLR loss needs at least 4 classes: set loss = 'ce'")
    top = logits.topk(4, dim=1).values
    return gap(logits, labels, targets) / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2 + _TINY)


def gap(logits: torch.Tensor, labels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """z_t − z_y, `[n]`."""
    return (logits.gather(1, targets[:, None]) - logits.gather(1, labels[:, None]))[:, 0]
