"""Thermometer codes of inputs, and networks that read them."""

from __future__ import annotations

import torch
from torch import nn

from soundproof_defenses._surrogate import soft_step, with_gradient_of

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d)
_NORMALISING = (nn.BatchNorm1d, nn.BatchNorm2d)


class Thermometer(nn.Module):
    """Channel i of the k channels of each value x is 1 when x > i/k, else 0 (Buckman et al. 2018).

    The backward pass is that of a logistic curve around each threshold.
    """

    levels: torch.Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.register_buffer("levels", torch.arange(count) / count, persistent=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs `[n, C, ...]` in [0, 1] to `[n, k·C, ...]`, the codes of the first channel first."""
        spread = inputs.unsqueeze(2)
        levels = self.levels.reshape(-1, *(1,) * (inputs.dim() - 2))
        smooth = soft_step((spread - levels) * self.count)
        return with_gradient_of(smooth, (spread > levels).to(inputs.dtype)).flatten(1, 2)


def first_layers(network: nn.Module, channels: int) -> list[nn.Module]:
    """The layer that reads a network's inputs, after normalisations in front of it.

    Raises:
        ValueError: The network begins otherwise, so that it is not known how to give it more channels.
    """
    found: list[nn.Module] = []
    for layer in network.modules():
        if isinstance(layer, _NORMALISING) and layer.num_features == channels:
            found.append(layer)
        elif isinstance(layer, _WEIGHTED) and layer.weight.shape[1] == channels:
            return [*found, layer]
        elif next(layer.parameters(recurse=False), None) is not None:
            break
    raise ValueError(f"it does not begin with a convolution or dense layer that reads {channels} channels")


def widen(network: nn.Module, channels: int, factor: int) -> None:
    """Give a network `factor` times the input channels, in place.

    The weights of a channel are divided among its codes: the network then sees about what it saw before, in
    `factor` steps. Normalisations in front start anew.
    """
    for layer in first_layers(network, channels):
        for name, values in layer.named_parameters(recurse=False):
            if isinstance(layer, _NORMALISING):
                widened = values.detach().repeat_interleave(factor)
            elif name == "weight":
                widened = values.detach().repeat_interleave(factor, dim=1) / factor
            else:
                continue
            setattr(layer, name, nn.Parameter(widened))
        _declare(layer, factor)


def _declare(layer: nn.Module, factor: int) -> None:
    """Sizes that a layer keeps beside its weights."""
    if isinstance(layer, _NORMALISING):
        layer.num_features *= factor
        if layer.running_mean is not None and layer.running_var is not None:
            layer.running_mean = layer.running_mean.new_zeros(layer.num_features)
            layer.running_var = layer.running_var.new_ones(layer.num_features)
    elif isinstance(layer, nn.Linear):
        layer.in_features *= factor
    elif isinstance(layer, (nn.Conv1d, nn.Conv2d)):
        layer.in_channels *= factor
