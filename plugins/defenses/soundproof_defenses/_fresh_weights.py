"""New weights for a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def reset_weights(module: nn.Module) -> None:
    """Draw every layer's weights anew, but for layers that a model keeps frozen."""
    for layer in module.modules():
        reset = getattr(layer, "reset_parameters", None)
        frozen = [not parameter.requires_grad for parameter in layer.parameters(recurse=False)]
        if callable(reset) and not (frozen and all(frozen)):
            reset()
