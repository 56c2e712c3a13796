"""The random forest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from soundproof import Domain, Model, Recipe

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Epoch, Trainer, TrainingData


@dataclass(frozen=True)
class RandomForest(Model):
    """Random forest: the mean class probability of trees grown on resampled clips.

    Breiman 2001: Gini impurity, bootstrap, the square root of all values tried at each split. scikit-learn grows
    it, a network of lookups evaluates it; logits are logarithms of probabilities, −87 where there is none. It is
    piecewise constant, so only black-box attacks apply.
    """

    id: ClassVar[str] = "random-forest"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"003": {"trees": 100, "depth": 2}}
    accepts: ClassVar[frozenset[Domain]] = frozenset({Domain.VECTOR, Domain.IMAGE})
    recipe: ClassVar[Recipe] = Recipe(epochs=1)
    differentiable: ClassVar[bool] = False
    retrainable: ClassVar[bool] = False

    trees: Annotated[int, Field(ge=1, description="number of trees")] = 100
    depth: Annotated[int, Field(ge=1, le=64, description="most questions on the way to a leaf")] = 2

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """A forest that gives every class the same probability, for inputs of any shape."""
        from soundproof_models._exported import Forest

        return Forest(self.trees, self.depth, classes)

    def fit(self, module: nn.Module, data: TrainingData, trainer: Trainer) -> list[Epoch]:
        """Grow the trees and take them over."""
        from sklearn.ensemble import RandomForestClassifier

        from soundproof_models._exported import Forest
        from soundproof_models._fitting import arrays_of, seed_of, trees_of

        assert isinstance(module, Forest)
        forest = RandomForestClassifier(
            self.trees, max_depth=self.depth, random_state=seed_of(trainer.generator), criterion="gini"
        )
        forest.fit(*arrays_of(data.train))
        module.take(**trees_of(forest, data.classes))
        module.eval()
        return []
