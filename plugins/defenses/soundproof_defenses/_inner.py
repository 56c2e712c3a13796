"""The attack inside of adversarial training: its radii, its examples and its cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from soundproof import Ball, Victim
from soundproof_defenses._draw import Draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from soundproof import Bound, BoundedAttack, Goal


class InnerAttack:
    """A bounded attack on a network that is being trained.

    Attributes:
        bound: The largest that examples are made in.
        generator: All randomness, of radii and of the attack.
    """

    def __init__(
        self,
        attack: BoundedAttack,
        generator: torch.Generator,
        *,
        bound: Bound,
        draw: Draw,
        epochs: int = 1,
        spend: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Prepare it.

        Args:
            attack: Untargeted.
            generator: On the data's device.
            bound: The largest.
            draw: How each training example gets its own.
            epochs: Over how many a ramp rises.
            spend: Is told the rows of gradients that every batch has cost.
        """
        self.bound = bound
        self.generator = generator
        self._attack = attack
        self._draw = draw
        self._epochs = epochs
        self._epoch = 1
        self._spend = spend

    def next_epoch(self) -> None:
        """Move the ramp on."""
        self._epoch += 1

    def draw(self, inputs: torch.Tensor) -> Ball:
        """The balls of training examples `[n, ...]`."""
        largest = self.bound.ball(inputs)
        if self._draw == Draw.UNIFORM:
            # 1 − U[0, 1) lies in (0, 1]: a radius of zero would train on clean clips twice.
            draws = 1 - torch.rand(len(inputs), generator=self.generator, device=self.generator.device)
            return Ball(largest.norm, largest.radius * draws)
        return largest.scaled(self._epoch / self._epochs) if self._draw == Draw.RAMP else largest

    def attack(self, module: nn.Module, inputs: torch.Tensor, goal: Goal, ball: Ball) -> torch.Tensor:
        """Attacked copies; the victim is in evaluation mode, as it will be when it is attacked in earnest."""
        victim = Victim(module, inputs, goal, traced=False)
        attacked = self._attack.perturb(victim, ball, self.generator).detach()
        self._spend(round(victim.ledger.gradients.sum()))
        return attacked
