"""Predictions without gradients, in batches."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

from soundproof.victim.expectation import Expectation

if TYPE_CHECKING:
    from torch import nn

# Clips a forward pass without gradients; only memory depends on it.
EVALUATION_BATCH = 128


def logits_of(module: nn.Module, inputs: torch.Tensor, batch: int = EVALUATION_BATCH) -> torch.Tensor:
    """Logits `[N, K]` of all inputs, without gradients, in the mode the module is in.

    A random classifier gives the same logits whenever it is shown the same inputs.
    """
    draws = module.same_draws(inputs.device) if isinstance(module, Expectation) else contextlib.nullcontext()
    with draws:
        return outputs_of(module, inputs, batch)


def outputs_of(module: nn.Module, inputs: torch.Tensor, batch: int = EVALUATION_BATCH) -> torch.Tensor:
    """Outputs of any module for all inputs `[N, ...]`, without gradients."""
    with torch.inference_mode():
        return torch.cat([module(part) for part in torch.split(inputs, batch)])
