"""Training with the data resident on the device, a schedule and early stopping."""

from __future__ import annotations

import copy
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.training.objective import Mixup, Objective
from soundproof.training.optimisation import Order, optimizer_of, penalty_of, schedule_of
from soundproof.types import Kept, Precision

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from torch import nn

    from soundproof.types import Recipe, Ref, TrainingData


class TrainingError(Exception):
    """Training diverged. The learning curve up to there is kept.

    Attributes:
        curve: The epochs that were finite.
        whose: `model`, or `defense` where it was trained on top.
    """

    whose = "model"

    def __init__(self, message: str, curve: list[Epoch]) -> None:
        super().__init__(message)
        self.curve = curve


@dataclass(frozen=True)
class Epoch:
    """One pass over the training part.

    Attributes:
        loss: Mean training loss.
        score: What early stopping watches, on the validation part; by default the accuracy.
    """

    loss: float
    score: float


class Trainer:
    """Runs epochs. Models and defenses get one and need no loop of their own.

    Attributes:
        recipe: The model's recipe, with the suite's overrides.
        generator: Randomness for objectives that need some, on the data's device.
        curve: Every epoch of every `fit` so far.
        gradients: Rows of input gradients that were spent on crafting training examples, see `spend`.
        reports: What was measured beside the training, see `report`.
    """

    def __init__(
        self,
        recipe: Recipe,
        seed: int,
        *,
        device: torch.device | str = "cpu",
        build: Callable[[Ref], object] | None = None,
        on_epoch: Callable[[], None] | None = None,
    ) -> None:
        """Prepare training.

        Args:
            recipe: How to train.
            seed: Of the order of clips and of `generator`.
            device: Where the data lies.
            build: Makes the component that a `Ref` names.
            on_epoch: Called after every epoch.
        """
        self.recipe = recipe
        self.generator = torch.Generator(device).manual_seed(seed)
        self.curve: list[Epoch] = []
        self.gradients = 0
        self.reports: dict[str, npt.NDArray[np.float64]] = {}
        self._device = torch.device(device)
        self._order = torch.Generator().manual_seed(seed)
        self._build = build
        self._on_epoch = on_epoch or (lambda: None)

    def component(self, ref: Ref) -> object:
        """The component that a parameter of a defense names, e.g. its inner attack."""
        if self._build is None:
            raise ValueError("this trainer was made without a registry")
        return self._build(ref)

    def spend(self, gradients: int) -> None:
        """Count rows of gradients that an inner attack has used up; results keep them apart from attacks'."""
        self.gradients += gradients

    def report(self, name: str, values: npt.ArrayLike) -> None:
        """Put a measure of the defense itself beside the accuracy, as the metric `name`.

        Args:
            name: Lower-case letters and underscores, with its unit where it has one: `snr_improvement_db`.
            values: One number for each independent clip that it was measured on, none of them a training clip.

        Raises:
            ValueError: It is no such name.
        """
        if re.fullmatch(r"[a-z][a-z0-9_]*", name) is None:
            raise ValueError(f"{name!r} names no measure: lower-case letters, digits and underscores only")
        self.reports[name] = np.asarray(values, dtype=np.float64)

    def fit(
        self,
        module: nn.Module,
        data: TrainingData,
        objective: Objective | None = None,
        recipe: Recipe | None = None,
    ) -> list[Epoch]:
        """Train a module in place and leave it in evaluation mode with its best or last weights.

        Args:
            module: Maps inputs to logits.
            data: Train and validation parts; all on the module's device.
            objective: Loss and score; cross-entropy (with the recipe's mixup) and accuracy by default.
            recipe: Instead of the trainer's own.

        Returns:
            The learning curve.

        Raises:
            TrainingError: The loss is not finite.
        """
        recipe = recipe or self.recipe
        objective = objective or self._plain(recipe)
        order = Order(recipe, data.train.labels, self._order)
        optimizer = optimizer_of(recipe, module)
        schedule = schedule_of(recipe, optimizer, order.steps)
        penalty = penalty_of(recipe, module)
        half = torch.autocast(self._device.type, torch.bfloat16, enabled=recipe.precision is Precision.BFLOAT16)
        curve: list[Epoch] = []
        best, best_epoch, weights = -math.inf, 0, copy.deepcopy(module.state_dict())
        for number in range(recipe.epochs):
            module.train()
            total = torch.zeros((), device=data.train.inputs.device)
            for batch in order.epoch():
                with half:
                    loss = objective.loss(module, data.train.inputs[batch], data.train.labels[batch])
                total += loss.detach() * len(batch)
                if penalty is not None:
                    loss = loss + penalty()
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
            mean = total.item() / len(order)
            if not math.isfinite(mean):
                raise TrainingError(f"training diverged in epoch {number + 1}: the loss is {mean}", self.curve)
            score = objective.score(module.eval(), data.validation)
            curve.append(Epoch(mean, score))
            self.curve.append(curve[-1])
            self._on_epoch()
            if score >= best or recipe.kept is Kept.LAST:
                best, best_epoch, weights = score, number, copy.deepcopy(module.state_dict())
            elif number - best_epoch >= recipe.patience:
                break
        module.load_state_dict(weights)
        module.eval()
        return curve

    def _plain(self, recipe: Recipe) -> Objective:
        return Mixup(recipe, self._order) if recipe.mixup else Objective(recipe)
