"""The seal of a classifier: whether anybody changed it since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
    "_load_state_dict_pre_hooks",
)


class Seal:
    """A classifier as it was when it was made: weights, buffers, modes and hooks.

    An attack shares the classifier with the harness, which judges by it, and with all cells that follow. Looking
    at the seal costs one pass over the weights.
    """

    def __init__(self, module: nn.Module) -> None:
        self._tensors = {name: tensor.detach().clone() for name, tensor in _tensors(module)}
        self._structure = list(_structure(module))

    def broken(self, module: nn.Module) -> str | None:
        """Difference to what was sealed, in words, or None."""
        for before, after in zip(self._structure, _structure(module), strict=False):
            if before != after:
                return f"its module {after[0] or 'itself'} has another mode, type or hook"
        now = dict(_tensors(module))
        if now.keys() != self._tensors.keys() or len(self._structure) != len(list(_structure(module))):
            return "it has other modules or weights"
        for name, tensor in self._tensors.items():
            if not _same(now[name], tensor):
                return f"its weights {name} changed"
        return None


def _tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def _structure(module: nn.Module) -> Iterator[tuple[object, ...]]:
    for name, part in module.named_modules():
        hooks = tuple(len(getattr(part, kind, ())) for kind in _HOOKS)
        yield name, type(part), part.training, hooks, "forward" in vars(part)


def _same(now: torch.Tensor, before: torch.Tensor) -> bool:
    if (now.dtype, now.shape, now.device, now.requires_grad) != (
        before.dtype, before.shape, before.device, before.requires_grad
    ):  # fmt: skip
        return False
    if torch.equal(now, before):
        return True
    # NaN equals nothing, itself included.
    return bool(torch.isnan(before).any()) and torch.allclose(now, before, rtol=0, atol=0, equal_nan=True)
