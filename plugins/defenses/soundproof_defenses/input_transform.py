"""Transformations of the input in front of the classifier."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Adversary, Defense

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Model, Trainer, TrainingData


class Transform(StrEnum):
    """Transform that is applied to every input."""

    BIT_DEPTH = "bit-depth"
    JPEG = "jpeg"
    TOTAL_VARIATION = "total-variation"
    CROP_RESCALE = "crop-rescale"


_ADVERSARIES = {
    Transform.BIT_DEPTH: Adversary.BPDA,
    Transform.JPEG: Adversary.BPDA,
    Transform.TOTAL_VARIATION: Adversary.EXACT,
    Transform.CROP_RESCALE: Adversary.EOT,
}
_STRENGTHS = {
    Transform.BIT_DEPTH: "bits",
    Transform.JPEG: "quality",
    Transform.TOTAL_VARIATION: "weight",
    Transform.CROP_RESCALE: "share",
}
# Windows that a decision is averaged over, by the defender and by the informed attacker.
_WINDOWS = 10


@dataclass(frozen=True)
class InputTransform(Defense):
    """A transformation of every input that should wash perturbations out.

    Bit-depth reduction (Xu et al. 2018), JPEG (Dziugaite et al. 2016), total-variation minimisation or random
    windows (Guo et al. 2018) in front of the classifier. The classifier trains on, on transformed inputs, at a
    tenth of its recipe's learning rate: one that has never seen three bits takes them for something else.
    """

    id: ClassVar[str] = "input-transform"
    training_cost: ClassVar[float] = 1.5
    # The instance's parameter; the class keeps the kind of component, because a factory leaves no class attribute.
    kind: Annotated[Transform, Field(description="what is done to every input")] = field(  # type: ignore[misc, assignment]
        default_factory=lambda: Transform.BIT_DEPTH
    )
    bits: Annotated[int, Field(ge=1, le=8, description="bit-depth: bits of a value")] = 3
    quality: Annotated[int, Field(ge=1, le=100, description="jpeg: quality of libjpeg's scale")] = 75
    weight: Annotated[float, Field(gt=0, description="total-variation: weight λ of the variation")] = 0.03
    share: Annotated[float, Field(gt=0, le=1, description="crop-rescale: side of a window as a share")] = 0.9

    def __post_init__(self) -> None:
        others = [name for kind, name in _STRENGTHS.items() if kind != self.kind]
        unused = [name for name in others if getattr(self, name) != getattr(type(self), name)]
        if unused:
            raise ValueError(
                f"{' and '.join(unused)} have no effect when kind = {str(self.kind)!r}: leave them out"
            )

    @property
    def adversary(self) -> Adversary:  # type: ignore[override]
        """As the kind needs."""
        return _ADVERSARIES[Transform(self.kind)]

    @classmethod
    def capabilities(cls) -> dict[str, Any]:
        """Adversary by kind: how an informed attacker gets gradients."""
        return {"adversary": {str(kind): str(adversary) for kind, adversary in _ADVERSARIES.items()}}

    @property
    def draws(self) -> int:
        """Windows that a decision is averaged over."""
        return _WINDOWS if self.kind == Transform.CROP_RESCALE else 1

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """A model without gradient descent; inputs without rows and columns, unless they are only rounded."""
        if not model.retrainable:
            return f"{model.id} cannot be trained on by gradient descent"
        if self.kind == Transform.BIT_DEPTH or len(data_shape) == 3:
            return None
        return f"input-transform's {self.kind} needs pictures, not inputs of shape {data_shape}"

    def wrap(self, classifier: nn.Module, data_shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """The transformation, then the classifier."""
        from torch import nn

        return nn.Sequential(self._transform(), classifier)

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train on, on transformed inputs."""
        recipe = trainer.recipe
        trainer.fit(defended, data, recipe=replace(recipe, learning_rate=recipe.learning_rate / 10))

    def _transform(self) -> nn.Module:
        from soundproof_defenses._total_variation import TotalVariation
        from soundproof_defenses._transforms import BitDepth, CropRescale, Jpeg

        if self.kind == Transform.BIT_DEPTH:
            return BitDepth(self.bits)
        if self.kind == Transform.JPEG:
            return Jpeg(self.quality)
        if self.kind == Transform.TOTAL_VARIATION:
            return TotalVariation(self.weight)
        return CropRescale(self.share)
