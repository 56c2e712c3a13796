"""Fusion of batch normalisations into convolutions: the same function in fewer operations."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.parametrize import is_parametrized

from soundproof.victim.expectation import Expectation
from soundproof.victim.prediction import logits_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
# Rounding moves logits by some 1e-6 of the largest; a fold that should not have been moves them far more.
TOLERANCE = 1e-4


def fused(module: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """The same classifier with each batch normalisation folded into the convolution before it.

    In evaluation mode a normalisation scales and shifts channels, which the convolution can do at no cost: passes
    of residual networks take a tenth less time (docs/performance.md). Only a convolution whose output goes nowhere
    else takes part. Where that cannot be told, because the module's code depends on data, its parts are looked at
    one by one; only layers are replaced, never code.

    Args:
        module: In evaluation mode, on one device. It is left as it is.
        shape: Of one input.

    Returns:
        A copy, or the module itself if there is nothing to fold or if the copy computes something else.
    """
    # A copy, because tracing runs the module's code, which may keep what it meets.
    pairs = list(_pairs(copy.deepcopy(module)))
    if not pairs:
        return module
    lighter = copy.deepcopy(module)
    for convolution, norm in pairs:
        layers = lighter.get_submodule(convolution), lighter.get_submodule(norm)
        fused = fuse_conv_bn_eval(*layers)  # type: ignore[arg-type, type-var]  # found by their types
        lighter.set_submodule(convolution, fused)
        lighter.set_submodule(norm, nn.Identity())
    return lighter if _agree(module, lighter, shape) else module


def _pairs(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names of convolutions and of the normalisations that alone take their output."""
    try:
        graph = fx.Tracer().trace(module)
    except Exception:  # whatever the module's own code raises when it meets a symbol
        for name, child in module.named_children():
            yield from _pairs(child, f"{prefix}{name}.")
        return
    calls = Counter(node.target for node in graph.nodes if node.op == "call_module")
    for node in graph.nodes:
        source = node.args[0] if node.op == "call_module" and node.args else None
        if not isinstance(source, fx.Node) or source.op != "call_module":
            continue
        convolution, norm = str(source.target), str(node.target)
        alone = len(source.users) == calls[convolution] == calls[norm] == 1
        if alone and _can_fuse(module.get_submodule(convolution), module.get_submodule(norm)):
            yield prefix + convolution, prefix + norm


def _can_fuse(convolution: nn.Module, norm: nn.Module) -> bool:
    if not isinstance(convolution, CONVOLUTIONS) or not isinstance(norm, NORMS):
        return False
    # Without running statistics a normalisation depends on its batch; a parametrised weight cannot be replaced.
    return norm.running_mean is not None and not is_parametrized(convolution)


def _agree(module: nn.Module, lighter: nn.Module, shape: tuple[int, ...]) -> bool:
    """Whether two classifiers give the same logits for the same random inputs, and the same draws of their own."""
    device = next(module.parameters()).device
    inputs = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0)).to(device)
    before, after = (logits_of(Expectation(each, draws=1), inputs) for each in (module, lighter))
    return bool((after - before).abs().max() <= TOLERANCE * before.abs().max())
