"""Adaptation of torchvision's networks before they train: another first layer, another initialisation."""

from __future__ import annotations

from torch import nn


def fit_first_layer(network: nn.Module, first: str, channels: int) -> None:
    """Replace the convolution `first` by one of so many input channels, in He et al.'s initialisation."""
    old = network.get_submodule(first)
    assert isinstance(old, nn.Conv2d)
    new = nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,  # type: ignore[arg-type]  # always two numbers
        old.stride,  # type: ignore[arg-type]
        old.padding,  # type: ignore[arg-type]
        bias=old.bias is not None,
    )
    network.set_submodule(first, new)
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    if new.bias is not None:
        nn.init.zeros_(new.bias)


def initialise(network: nn.Module) -> None:
    """Draw all kernels but the last layer's as He et al. 2015 do, so that each layer keeps the signal's size."""
    layers = [layer for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    for layer in layers[:-1]:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
