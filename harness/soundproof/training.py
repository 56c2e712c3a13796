"""Training with the data resident on the device, a one-cycle schedule and early stopping."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from soundproof.types import Examples, Recipe, Ref, TrainingData

# Clips a forward pass without gradients; only memory depends on it.
EVALUATION_BATCH = 128


class TrainingError(Exception):
    """Training diverged. The learning curve up to there is kept.

    Attributes:
        curve: The epochs that were finite.
    """

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


class Objective:
    """What training minimises and what early stopping watches: cross-entropy and accuracy.

    Subclass it to train differently.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    def loss(self, module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mean loss of a batch; `module` is in training mode and must be left in it."""
        return functional.cross_entropy(module(inputs), labels, label_smoothing=self.label_smoothing)

    def score(self, module: nn.Module, examples: Examples) -> float:
        """How good the module is on held-out examples; higher is better."""
        return accuracy(module, examples)


class Trainer:
    """Runs epochs. Defenses get one and need no loop of their own.

    Attributes:
        recipe: The model's recipe, with the suite's overrides.
        generator: Randomness for objectives that need some, on the data's device.
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
        self._order = torch.Generator().manual_seed(seed)
        self._build = build
        self._on_epoch = on_epoch or (lambda: None)

    def component(self, ref: Ref) -> object:
        """The component that a parameter of a defense names, e.g. its inner attack."""
        if self._build is None:
            raise ValueError("this trainer was made without a registry")
        return self._build(ref)

    def fit(
        self,
        module: nn.Module,
        data: TrainingData,
        objective: Objective | None = None,
        recipe: Recipe | None = None,
    ) -> list[Epoch]:
        """Train a module in place and leave it in evaluation mode with its best weights.

        Args:
            module: Maps inputs to logits.
            data: Train and validation parts; all on the module's device.
            objective: Loss and score; cross-entropy and accuracy by default.
            recipe: Instead of the trainer's own.

        Returns:
            The learning curve.

        Raises:
            TrainingError: The loss is not finite.
        """
        recipe = recipe or self.recipe
        objective = objective or Objective(recipe.label_smoothing)
        steps = math.ceil(len(data.train) / recipe.batch)
        optimizer = torch.optim.AdamW(
            module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        # The cycle's warm-up and cool-down need at least two steps.
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, recipe.learning_rate, total_steps=max(2, recipe.epochs * steps)
        )
        curve: list[Epoch] = []
        best, best_epoch, weights = -math.inf, 0, copy.deepcopy(module.state_dict())
        for number in range(recipe.epochs):
            module.train()
            total = torch.zeros((), device=data.train.inputs.device)
            order = torch.randperm(len(data.train), generator=self._order).to(data.train.inputs.device)
            # Equal parts instead of a short last batch, which batch normalisation would not survive.
            for batch in order.tensor_split(steps):
                loss = objective.loss(module, data.train.inputs[batch], data.train.labels[batch])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                total += loss.detach() * len(batch)
            mean = total.item() / len(data.train)
            if not math.isfinite(mean):
                raise TrainingError(f"training diverged in epoch {number + 1}: the loss is {mean}", curve)
            score = objective.score(module.eval(), data.validation)
            curve.append(Epoch(mean, score))
            self._on_epoch()
            if score >= best:
                best, best_epoch, weights = score, number, copy.deepcopy(module.state_dict())
            elif number - best_epoch >= recipe.patience:
                break
        module.load_state_dict(weights)
        module.eval()
        return curve


def logits_of(module: nn.Module, inputs: torch.Tensor, batch: int = EVALUATION_BATCH) -> torch.Tensor:
    """Logits `[N, K]` of all inputs, without gradients, in the mode the module is in."""
    with torch.inference_mode():
        return torch.cat([module(part) for part in torch.split(inputs, batch)])


def accuracy(module: nn.Module, examples: Examples) -> float:
    """Share of examples classified correctly."""
    hits = logits_of(module, examples.inputs).argmax(dim=1) == examples.labels
    return float(hits.float().mean().item())
