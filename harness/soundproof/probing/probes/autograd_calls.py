"""Whether the classifier differentiates something while it predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined


def autograd_calls(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """`calls`: of autograd during one prediction, `[1]`."""
    calls = 0
    grad, backward = torch.autograd.grad, torch.autograd.backward

    def counted(function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            return function(*arguments, **options)

        return call

    with (
        mock.patch.object(torch.autograd, "grad", counted(grad)),
        mock.patch.object(torch.autograd, "backward", counted(backward)),
        torch.enable_grad(),
    ):
        examined.module(examined.clean[:1])
    examined.spent.queries += 1
    return {"calls": np.asarray([calls])}
