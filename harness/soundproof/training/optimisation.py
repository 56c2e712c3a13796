"""A recipe's optimizer, learning-rate schedule, penalty and order of clips."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from soundproof.types import Optimizer, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim import Optimizer as TorchOptimizer
    from torch.optim.lr_scheduler import LRScheduler

    from soundproof.types import Recipe

MOMENTUM = 0.9
# What is left of the learning rate at the end of a cosine period.
FLOOR = 0.05
_KERNELS = (nn.Linear, nn.Conv1d, nn.Conv2d)


def optimizer_of(recipe: Recipe, module: nn.Module) -> TorchOptimizer:
    """The recipe's optimizer over all parameters that train."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if recipe.optimizer is Optimizer.SGD:
        return torch.optim.SGD(
            parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, momentum=MOMENTUM
        )
    kind = torch.optim.AdamW if recipe.optimizer is Optimizer.ADAMW else torch.optim.Adam
    return kind(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


def schedule_of(recipe: Recipe, optimizer: TorchOptimizer, steps: int) -> LRScheduler:
    """The recipe's schedule, to be moved on after every step.

    Args:
        recipe: How to train.
        optimizer: What it drives.
        steps: Steps an epoch.
    """
    schedules = torch.optim.lr_scheduler
    if recipe.schedule is Schedule.ONE_CYCLE:
        # The cycle's warm-up and cool-down need at least two steps.
        return schedules.OneCycleLR(optimizer, recipe.learning_rate, total_steps=max(2, recipe.epochs * steps))
    if recipe.schedule is Schedule.CONSTANT:
        return schedules.LambdaLR(optimizer, lambda _: 1.0)
    return schedules.CosineAnnealingWarmRestarts(
        optimizer, recipe.period * steps, T_mult=2, eta_min=FLOOR * recipe.learning_rate
    )


def penalty_of(recipe: Recipe, module: nn.Module) -> Callable[[], torch.Tensor] | None:
    """The l1 penalty on the kernels of convolutions and dense layers; None when the recipe has none.

    Raises:
        ValueError: It names layers, and none of them has a kernel.
    """
    if not recipe.l1:
        return None
    kernels = [
        layer.weight
        for name, layer in module.named_modules()
        if isinstance(layer, _KERNELS) and _within(name, recipe.l1_layers)
    ]
    if not kernels:
        raise ValueError(f"l1 finds no kernel in the layers {', '.join(recipe.l1_layers)} of this network")
    return lambda: recipe.l1 * torch.stack([kernel.abs().sum() for kernel in kernels]).sum()


def _within(name: str, layers: tuple[str, ...]) -> bool:
    """Whether a submodule is one of these layers or part of one; a defense may have wrapped the network."""
    return not layers or any(f".{layer}." in f".{name}." for layer in layers)


class Order:
    """The order in which an epoch sees the training clips.

    Equal parts instead of a short last batch, which batch normalisation would not survive.
    """

    def __init__(self, recipe: Recipe, labels: torch.Tensor, generator: torch.Generator) -> None:
        """Prepare it.

        Args:
            recipe: Batch size, and whether classes are balanced.
            labels: int64 `[N]` of the training clips.
            generator: On the CPU, so that the order is the same on every device.
        """
        self._device = labels.device
        self._generator = generator
        self._count = len(labels)
        self._share = 0
        self._classes: list[torch.Tensor] = []
        self.steps = math.ceil(self._count / recipe.batch)
        if recipe.balanced:
            self._classes = [(labels == label).nonzero()[:, 0].cpu() for label in sorted(set(labels.tolist()))]
            rarest = min(map(len, self._classes))
            self._share = min(rarest, max(1, recipe.batch // len(self._classes)))
            self.steps = rarest // self._share
            self._count = self.steps * self._share * len(self._classes)

    def __len__(self) -> int:
        """Clips an epoch."""
        return self._count

    def epoch(self) -> tuple[torch.Tensor, ...]:
        """The rows of each batch, drawn anew."""
        if not self._classes:
            return self._permuted(self._count).to(self._device).tensor_split(self.steps)
        drawn = [of[self._permuted(len(of))[: self.steps * self._share]] for of in self._classes]
        return torch.cat([rows.view(self.steps, -1) for rows in drawn], 1).to(self._device).unbind()

    def _permuted(self, count: int) -> torch.Tensor:
        return torch.randperm(count, generator=self._generator)
