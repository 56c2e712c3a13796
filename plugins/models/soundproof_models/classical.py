"""Linear and kernel classifiers that scikit-learn fits.

What was fitted becomes a network, so that using it needs no scikit-learn, and white-box attacks get exact
gradients of the scores.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Domain, Model, Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sklearn.pipeline import Pipeline
    from torch import nn

    from soundproof import Epoch, Trainer, TrainingData
    from soundproof_models._exported import Exported

Penalty = Literal["l2", "elastic-net", "l1"]
Cost = Annotated[float, Field(gt=0)]

_L1_SHARES: dict[Penalty, float] = {"l2": 0.0, "elastic-net": 0.5, "l1": 1.0}
_ITERATIONS = 10_000


@dataclass(frozen=True)
class _Searched(Model):
    """Standardisation, principal components of large inputs, and the best of several candidates."""

    accepts: ClassVar[frozenset[Domain]] = frozenset({Domain.VECTOR, Domain.IMAGE})
    recipe: ClassVar[Recipe] = Recipe(epochs=1)
    retrainable: ClassVar[bool] = False
    # Whether principal components are brought to the same variance.
    equalised: ClassVar[bool] = False

    costs: Annotated[
        tuple[Cost, ...],
        Field(min_length=1, description="candidates of C, the weight of the loss against the penalty"),
    ] = (0.1, 1.0, 10.0)
    components: Annotated[
        int | None,
        Field(ge=1, description="principal components that larger inputs are reduced to; None: all values"),
    ] = 128
    selection: Annotated[
        Literal["validation", "cross-validation"],
        Field(description="what candidates are measured on: the validation part, or 5 folds of the training part"),
    ] = "validation"

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """A classifier with random weights for inputs of any shape."""
        from soundproof_models._exported import Affine, Decision, Standardisation

        values = math.prod(shape)
        width = self._width(shape)
        reduction = [] if width is None else [Affine(values, width)]
        return Decision(Standardisation(values), *reduction, self._scores(width or values, classes))

    def fit(self, module: nn.Module, data: TrainingData, trainer: Trainer) -> list[Epoch]:
        """Choose among the candidates, fit to the training part alone, and take over what was fitted."""
        from soundproof_models._exported import Decision
        from soundproof_models._fitting import (
            Search,
            on_folds,
            on_validation,
            reduction_of,
            seed_of,
            standardisation_of,
        )

        assert isinstance(module, Decision)
        seed = seed_of(trainer.generator)
        trial = on_validation if self.selection == "validation" else on_folds
        search = Search(self._width(data.shape), trial, seed, equalised=self.equalised)
        pipeline = search.fit(self._classifier(seed), self._grid(), data)
        reduction = [] if search.width is None else [reduction_of(pipeline)]
        module.take(standardisation_of(pipeline), *reduction, self._fitted(pipeline, data))
        module.eval()
        return []

    def _width(self, shape: tuple[int, ...]) -> int | None:
        """Principal components, or None where inputs are not reduced."""
        return self.components if self.components is not None and math.prod(shape) > self.components else None

    def _scores(self, inputs: int, classes: int) -> Exported:
        """The untrained last layer."""
        from soundproof_models._exported import Affine

        return Affine(inputs, classes)

    @abstractmethod
    def _classifier(self, seed: int) -> Any:
        """Estimator that scikit-learn fits to standardised and reduced inputs."""

    @abstractmethod
    def _grid(self) -> Mapping[str, Sequence[object]]:
        """Candidates for its parameters."""

    @abstractmethod
    def _fitted(self, pipeline: Pipeline, data: TrainingData) -> Mapping[str, Any]:
        """The arrays of the last layer."""


@dataclass(frozen=True)
class LogisticRegression(_Searched):
    """Logistic regression on standardised inputs, its penalty and cost chosen from a grid.

    Multinomial: softmax of the logits is the class probability; of two classes the second has half the log odds
    as its logit, the first their opposite. Principal components of large inputs get the same variance, so that
    the penalty treats them alike and the solver converges; those with next to none are dropped.
    """

    id: ClassVar[str] = "logistic-regression"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "003": {
            "costs": (0.1, 1.0, 10.0),
            "penalties": ("elastic-net", "l1", "l2"),
            "selection": "cross-validation",
        }
    }
    equalised: ClassVar[bool] = True
    penalties: Annotated[tuple[Penalty, ...], Field(min_length=1, description="candidates of the penalty")] = (
        "l2",
        "elastic-net",
        "l1",
    )

    def _classifier(self, seed: int) -> Any:
        from sklearn import linear_model

        return linear_model.LogisticRegression(solver="saga", max_iter=_ITERATIONS, random_state=seed)

    def _grid(self) -> Mapping[str, Sequence[object]]:
        return {"C": self.costs, "l1_ratio": [_L1_SHARES[penalty] for penalty in self.penalties]}

    def _fitted(self, pipeline: Pipeline, data: TrainingData) -> Mapping[str, Any]:
        from soundproof_models._fitting import both, spread

        found = pipeline["classify"]
        weight, bias = found.coef_, found.intercept_
        if len(weight) == 1:
            weight, bias = both(weight / 2), both(bias / 2)
        return spread(weight, bias, found.classes_, data.classes)


@dataclass(frozen=True)
class _SupportVectorMachine(_Searched):
    """One-versus-rest machines with the hinge loss."""

    kernel: ClassVar[str]

    def _classifier(self, seed: int) -> Any:  # noqa: ARG002
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.svm import SVC

        return OneVsRestClassifier(SVC(kernel=self.kernel, gamma="scale"))

    def _grid(self) -> Mapping[str, Sequence[object]]:
        return {"estimator__C": self.costs}


@dataclass(frozen=True)
class LinearSVM(_SupportVectorMachine):
    """Linear support vector machines, one class against the rest, on standardised principal components.

    Cortes and Vapnik 1995. A logit is the machine's decision value; of two classes the first has the opposite of
    the second's.
    """

    id: ClassVar[str] = "svm-linear"
    kernel: ClassVar[str] = "linear"

    def _fitted(self, pipeline: Pipeline, data: TrainingData) -> Mapping[str, Any]:
        from soundproof_models._fitting import machines_of, reduced, spread

        found = pipeline["classify"]
        rows, weight, bias = machines_of(found)
        return spread(weight @ reduced(pipeline, data.train)[rows], bias, found.classes_, data.classes)


@dataclass(frozen=True)
class GaussianSVM(_SupportVectorMachine):
    """Support vector machines with a Gaussian kernel, one class against the rest, on principal components.

    Cortes and Vapnik 1995; kernel exp(−γ ‖x − s‖²) with γ = 1 / (d · variance of the d-dimensional training
    inputs). A logit is the machine's decision value, see `svm-linear`. Far from all support vectors the kernel
    and its gradient vanish.
    """

    id: ClassVar[str] = "svm-rbf"
    kernel: ClassVar[str] = "rbf"

    def _scores(self, inputs: int, classes: int) -> Exported:
        from soundproof_models._exported import GaussianExpansion

        return GaussianExpansion(inputs, classes)

    def _fitted(self, pipeline: Pipeline, data: TrainingData) -> Mapping[str, Any]:
        from soundproof_models._fitting import machines_of, reduced, spread, width_of

        found, inputs = pipeline["classify"], reduced(pipeline, data.train)
        rows, weight, bias = machines_of(found)
        scores = spread(weight, bias, found.classes_, data.classes)
        return {**scores, "support": inputs[rows], "gamma": width_of(inputs)}
