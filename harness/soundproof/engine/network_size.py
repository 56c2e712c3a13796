"""Size of a network, known without building it in memory or running it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from soundproof.contract.components import Model

# Batch normalisation in training takes no batch of one.
_CLIPS = 2


@dataclass(frozen=True)
class NetworkSize:
    """Size of a network for inputs of one shape.

    Attributes:
        parameters: Numbers that are stored with it, buffers included.
        activations: Outputs of all layers, values a clip.
        operations: Of one forward and backward pass of a clip, floating point.
    """

    parameters: int
    activations: int
    operations: int


@cache
def network_size(model: Model, shape: tuple[int, ...], classes: int) -> NetworkSize | None:
    """Size of a model's network, traced with tensors that have shapes and no content; None where that fails."""
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            module = model.build(shape, classes).train()
            outputs: list[int] = []
            for layer in module.modules():
                if not any(True for _ in layer.children()):
                    layer.register_forward_hook(lambda *seen: outputs.append(_values(seen[2])))
            inputs = torch.empty(_CLIPS, *shape, requires_grad=True)
            with FlopCounterMode(display=False) as counter:
                total = module(inputs).sum()
                if total.requires_grad:
                    total.backward()
    except KeyboardInterrupt:
        raise
    except BaseException:  # not everything can be traced so, and a plugin's code may raise anything
        return None
    return NetworkSize(
        parameters=sum(tensor.numel() for tensor in module.state_dict().values()),
        activations=sum(outputs) // _CLIPS,
        operations=counter.get_total_flops() // _CLIPS,
    )


def _values(output: object) -> int:
    if isinstance(output, torch.Tensor):
        return output.numel()
    return sum(map(_values, output)) if isinstance(output, (tuple, list)) else 0
