"""Small components that tests share: everything about them is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from soundproof import (
    Access,
    Adversary,
    Augmentation,
    BoundedAttack,
    ClipIndex,
    Dataset,
    Defense,
    Domain,
    Inverse,
    MinimumNormAttack,
    Model,
    Optimizer,
    Recipe,
    Representation,
)
from soundproof.contract.discovery import discover
from soundproof.contract.registry import Registered, Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIPS, CLASSES, RATE = 60, 3, 100


@dataclass(frozen=True)
class ToyDataset(Dataset):
    """Constant clips whose level tells the class, with a little noise."""

    id: ClassVar[str] = "toy-data"
    version: ClassVar[str] = "1"
    spread: Annotated[float, Field(ge=0, description="standard deviation of the level")] = 0.05

    @property
    def seconds(self) -> float:
        return 0.2

    def index(self, root):
        rows = np.arange(CLIPS)
        return ClipIndex(
            names=tuple(f"clip-{row}" for row in rows),
            labels=rows % CLASSES,
            groups=rows // (2 * CLASSES) * CLASSES + rows % CLASSES,
            folds=rows // (2 * CLASSES) % 5,
            classes=("low", "middle", "high"),
            checksum=f"toy-{self.spread}",
        )

    def waveforms(self, root, rate):
        generator = np.random.default_rng(0)
        level = (np.arange(CLIPS) % CLASSES - 1) * 0.5 + generator.normal(0, self.spread, CLIPS)
        texture = generator.normal(0, 0.05, (CLIPS, self.sample_count(rate)))
        return np.clip(level[:, None] + texture, -1, 1).astype(np.float32)


@dataclass(frozen=True)
class ToyPicture(Representation):
    """Samples as a 4×5 picture."""

    id: ClassVar[str] = "toy-picture"
    version: ClassVar[str] = "1"
    inverse: ClassVar[Inverse | None] = Inverse(error=1e-6)

    @property
    def rate(self) -> int:
        return RATE

    def shape(self, samples):
        return (1, 4, 5)

    def fit(self, waveforms):
        from torch import nn

        class Fold(nn.Module):
            def forward(self, clips):
                return ((clips + 1) / 2).reshape(-1, 1, 4, 5)

            def inverse(self, pictures, reference):
                return pictures.flatten(1) * 2 - 1

        return Fold()


@dataclass(frozen=True)
class ToyVector(Representation):
    """The mean level, as a vector."""

    id: ClassVar[str] = "toy-vector"
    version: ClassVar[str] = "1"
    domain: ClassVar[Domain] = Domain.VECTOR

    @property
    def rate(self) -> int:
        return RATE

    def shape(self, samples):
        return (1,)

    def fit(self, waveforms):
        from torch import nn

        class Mean(nn.Module):
            def forward(self, clips):
                return ((clips.mean(dim=1, keepdim=True) + 1) / 2).clamp(0, 1)

        return Mean()


@dataclass(frozen=True)
class ToyModel(Model):
    """One linear layer."""

    id: ClassVar[str] = "toy-linear"
    version: ClassVar[str] = "1"
    recipe: ClassVar[Recipe] = Recipe(epochs=20, batch=8, learning_rate=0.1)
    scale: float = 1.0

    def build(self, shape, classes):
        from torch import nn

        return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), classes))


@dataclass(frozen=True)
class ToyDefense(Defense):
    """Halves the weights: the same decisions at half the margin."""

    id: ClassVar[str] = "toy-halving"
    version: ClassVar[str] = "1"

    def fit(self, defended, data, trainer):
        import torch

        with torch.no_grad():
            for parameter in defended.parameters():
                parameter /= 2


@dataclass(frozen=True)
class ToyBlurring(Defense):
    """Adds noise to every input: a random classifier."""

    id: ClassVar[str] = "toy-blurring"
    version: ClassVar[str] = "1"
    adversary: ClassVar[Adversary] = Adversary.EOT
    deviation: float = 0.1

    @property
    def draws(self) -> int:
        return 8

    def wrap(self, classifier, data_shape, classes):
        import torch
        from torch import nn

        deviation = self.deviation

        class Blur(nn.Module):
            def forward(self, inputs):
                return inputs + deviation * torch.randn_like(inputs)

        return nn.Sequential(Blur(), classifier)

    def fit(self, defended, data, trainer):
        trainer.spend(3 * len(data.train))
        trainer.report("toy_level", data.sounds.validation().mean(axis=1))


@dataclass(frozen=True)
class ToyUnruly(Defense):
    """Does what a defense should not."""

    id: ClassVar[str] = "toy-unruly"
    version: ClassVar[str] = "1"
    behaviour: str = "diverges"

    def fit(self, defended, data, trainer):
        if self.behaviour == "diverges":
            trainer.fit(defended, data, recipe=Recipe(optimizer=Optimizer.SGD, learning_rate=1e38))
        trainer.report("accuracy", [1.0])


@dataclass(frozen=True)
class ToySigns(Model):
    """Decides by thresholds: no gradient is of any use."""

    id: ClassVar[str] = "toy-signs"
    version: ClassVar[str] = "1"
    differentiable: ClassVar[bool] = False
    retrainable: ClassVar[bool] = False
    weights: str | None = None

    @property
    def flags(self):
        return () if self.weights else ("random-start",)

    @property
    def files(self):
        return (Path(self.weights),) if self.weights else ()

    def build(self, shape, classes):
        import torch
        from torch import nn

        class Signs(nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("centres", torch.zeros(classes))

            def forward(self, inputs):
                return -(inputs.flatten(1).mean(dim=1, keepdim=True) - self.centres).abs().round(decimals=2)

        return Signs()

    def fit(self, module, data, trainer):
        levels = data.train.inputs.flatten(1).mean(dim=1)
        for label in range(data.classes):
            module.centres[label] = levels[data.train.labels == label].mean()
        return []


@dataclass(frozen=True)
class ToyCopies(Augmentation):
    """A louder copy, and one with a little noise."""

    id: ClassVar[str] = "toy-copies"
    version: ClassVar[str] = "1"
    gain: float = 1.1

    @property
    def copies(self) -> int:
        return 2

    def augment(self, waveforms, rate, generator):
        noisy = waveforms + generator.normal(0, 0.01, waveforms.shape).astype(np.float32)
        return np.clip(np.stack([waveforms * np.float32(self.gain), noisy]), -1, 1)


class _Broken(BoundedAttack):
    access: ClassVar[Access] = Access.CONTROL
    version: ClassVar[str] = "1"

    @property
    def planned_gradients(self) -> int:
        return 0


@dataclass(frozen=True)
class Raising(_Broken):
    """Raises."""

    id: ClassVar[str] = "toy-raising"

    def perturb(self, victim, ball, generator):
        raise RuntimeError("no such luck")


@dataclass(frozen=True)
class Picky(_Broken):
    """Raises on the first classifier that it meets, and finds nothing on others."""

    id: ClassVar[str] = "toy-picky"
    met: ClassVar[list[float]] = []

    def perturb(self, victim, ball, generator):
        margin = float(victim(victim.clean).abs().max())
        if not self.met or margin in self.met:
            self.met.append(margin)
            raise RuntimeError("no such luck")
        return victim.clean


@dataclass(frozen=True)
class Silent(_Broken):
    """Returns NaN."""

    id: ClassVar[str] = "toy-nan"

    def perturb(self, victim, ball, generator):
        return victim.clean * float("nan")


@dataclass(frozen=True)
class Escaping(_Broken):
    """Leaves the ball."""

    id: ClassVar[str] = "toy-escaping"

    def perturb(self, victim, ball, generator):
        return 1 - victim.clean.round()


@dataclass(frozen=True)
class Outside(_Broken):
    """Leaves the box."""

    id: ClassVar[str] = "toy-outside"

    def perturb(self, victim, ball, generator):
        return victim.clean - 1e-3 - victim.clean.min()


@dataclass(frozen=True)
class Misshapen(_Broken):
    """Returns one clip less."""

    id: ClassVar[str] = "toy-misshapen"

    def perturb(self, victim, ball, generator):
        return victim.clean[1:]


@dataclass(frozen=True)
class Exiting(_Broken):
    """Returns no tensor."""

    id: ClassVar[str] = "toy-listing"

    def perturb(self, victim, ball, generator):
        return victim.clean.tolist()


@dataclass(frozen=True)
class Walking(MinimumNormAttack):
    """Walks along the gradient in short steps until every clip is fooled."""

    id: ClassVar[str] = "toy-walking"
    version: ClassVar[str] = "1"
    steps: int = 400
    stride: float = 0.01

    @property
    def planned_gradients(self) -> int:
        return self.steps

    def minimise(self, victim, generator):
        from soundproof import Ball, Norm

        stride = Ball(Norm.L2, self.stride)
        images = victim.clean
        for _ in range(self.steps):
            logits, gradient = victim.gradient(images)
            resisting = ~victim.goal.met(logits)
            images = (images + stride.ascent(gradient) * resisting.reshape(-1, *(1,) * (images.dim() - 1))).clamp(
                0, 1
            )
        return images


TOYS = (
    ToyDataset,
    ToyPicture,
    ToyVector,
    ToyModel,
    ToyDefense,
    ToyBlurring,
    ToyUnruly,
    ToySigns,
    ToyCopies,
    Raising,
    Picky,
    Silent,
    Escaping,
    Outside,
    Misshapen,
    Exiting,
    Walking,
)


def toy_registry() -> Registry:
    """The installed components and the toys."""
    registry = discover()
    for toy in TOYS:
        registry.components[toy.kind, toy.id] = Registered(toy, "toys", "1")
    return registry


def toy_suite(**changes) -> Mapping[str, object]:
    """A suite of toys that runs in a second."""
    return {
        "name": "toys",
        "datasets": ["toy-data"],
        "representations": ["toy-picture"],
        "models": ["toy-linear"],
        "defenses": ["none"],
        "attacks": ["fgsm", "bim-b"],
        "budget": {"epsilon": 0.5},
        **changes,
    }
