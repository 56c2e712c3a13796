"""The multilayer perceptron for vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Domain, Model, Recipe

if TYPE_CHECKING:
    from torch import nn

Width = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class MLP(Model):
    """Dense layers on vectors, standardised by the training part's mean and deviation.

    Two layers of four units, as on the four numbers of `rms-zcr` in a study of speaker identification: 45
    parameters for four inputs and one output. Published: gradient descent at 0.01, 20 steps, on four clips.
    """

    id: ClassVar[str] = "mlp"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"003": {"hidden": (4, 4), "activation": "relu"}}
    accepts: ClassVar[frozenset[Domain]] = frozenset({Domain.VECTOR})
    recipe: ClassVar[Recipe] = Recipe(epochs=100, learning_rate=2e-2, weight_decay=1e-4, patience=100)
    hidden: Annotated[tuple[Width, ...], Field(description="units of each hidden layer")] = (4, 4)
    activation: Annotated[Literal["relu", "tanh"], Field(description="of the hidden layers")] = "relu"

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A network with random weights for vectors `(D,)`."""
        from torch import nn

        activation = nn.ReLU if self.activation == "relu" else nn.Tanh
        layers: list[nn.Module] = [nn.BatchNorm1d(shape[0], affine=False)]
        for before, units in zip([shape[0], *self.hidden], self.hidden, strict=False):
            layers += [nn.Linear(before, units), activation()]
        return nn.Sequential(*layers, nn.Linear((shape[0], *self.hidden)[-1], classes))
