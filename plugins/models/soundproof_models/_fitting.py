"""scikit-learn's part in the classical models: choosing, fitting, and the arrays that networks take over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.model_selection import GridSearchCV, ParameterGrid, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt
    import torch

    from soundproof import Examples, TrainingData

    Floats = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.int64]
    Parts = list[tuple[Rows, Rows]]

_FOLDS = 5
# Of a principal component, where a standardised value has a variance of 1: below is rounding.
_NO_VARIANCE = 1e-6
# The score of a class without training clips: never the highest, and finite.
_ABSENT = -1e4


def arrays_of(examples: Examples) -> tuple[Floats, Rows]:
    """Flattened inputs `[N, D]` and labels `[N]` in host memory."""
    return examples.inputs.flatten(1).double().cpu().numpy(), examples.labels.cpu().numpy()


def seed_of(generator: torch.Generator) -> int:
    """The generator's seed, in the range that scikit-learn takes."""
    return generator.initial_seed() % 2**32


class Trial(NamedTuple):
    """Data that candidates are fitted to and measured on.

    Attributes:
        values: Inputs `[N, D]`.
        labels: `[N]`.
        parts: Rows that are fitted to and rows that are measured on, once or in turns.
    """

    values: Floats
    labels: Rows
    parts: Parts


def on_validation(data: TrainingData, seed: int) -> Trial:  # noqa: ARG001 - nothing is drawn
    """Fitted to the training part, measured on the validation part."""
    values, labels = arrays_of(data.train)
    others, other_labels = arrays_of(data.validation)
    parts = [(np.arange(len(values)), np.arange(len(values), len(values) + len(others)))]
    return Trial(np.concatenate([values, others]), np.concatenate([labels, other_labels]), parts)


def on_folds(data: TrainingData, seed: int) -> Trial:
    """Measured on stratified folds of the training part in turn.

    Raises:
        ValueError: A class is too rare for them.
    """
    values, labels = arrays_of(data.train)
    _, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        raise ValueError('folds need two training clips of every class: set selection = "validation"')
    folds = StratifiedKFold(min(_FOLDS, counts.min()), shuffle=True, random_state=seed)
    return Trial(values, labels, list(folds.split(values, labels)))


@dataclass(frozen=True)
class Search:
    """Standardises, reduces and classifies, with the best candidate of a grid.

    Attributes:
        width: Principal components to reduce to; None does not reduce.
        trial: What candidates are measured on, `on_validation` or `on_folds`.
        seed: Of folds and randomised decompositions.
        equalised: Whether components are brought to the same variance.
    """

    width: int | None
    trial: Callable[[TrainingData, int], Trial]
    seed: int
    equalised: bool

    def fit(self, classifier: Any, grid: Mapping[str, Sequence[object]], data: TrainingData) -> Pipeline:
        """Choose by accuracy, the first of equally good candidates, and fit to the training part alone.

        Raises:
            ValueError: The training part holds one class only, or classes too rare for folds.
        """
        values, labels = arrays_of(data.train)
        if len(np.unique(labels)) == 1:
            raise ValueError("the training part holds one class only: there is nothing to tell apart")
        candidates = ParameterGrid({f"classify__{name}": list(choices) for name, choices in grid.items()})
        if len(candidates) == 1:
            pipeline = self._pipeline(classifier, clips=len(values))
            return pipeline.set_params(**candidates[0]).fit(values, labels)
        trial = self.trial(data, self.seed)
        pipeline = self._pipeline(classifier, clips=min(len(rows) for rows, _ in trial.parts))
        search = GridSearchCV(pipeline, candidates.param_grid, cv=trial.parts, refit=False, error_score="raise")
        search.fit(trial.values, trial.labels)
        return pipeline.set_params(**search.best_params_).fit(values, labels)

    def _pipeline(self, classifier: Any, clips: int) -> Pipeline:
        steps: list[tuple[str, Any]] = [("standardise", StandardScaler())]
        if self.width is not None:
            steps.append(("reduce", PCA(min(self.width, clips), random_state=self.seed)))
            if self.equalised:
                steps += [("drop", VarianceThreshold(_NO_VARIANCE)), ("equalise", StandardScaler())]
        return Pipeline([*steps, ("classify", classifier)])


def standardisation_of(pipeline: Pipeline) -> dict[str, Floats]:
    """Mean and scale of every value."""
    return {"mean": pipeline["standardise"].mean_, "scale": pipeline["standardise"].scale_}


def reduction_of(pipeline: Pipeline) -> dict[str, Floats]:
    """Reduction between standardisation and the classifier, as one matrix and offset."""
    reduce = pipeline["reduce"]
    weight, mean, scale = reduce.components_, np.zeros(reduce.n_components_), np.ones(reduce.n_components_)
    if "equalise" in pipeline.named_steps:
        weight = weight[pipeline["drop"].get_support()]
        mean, scale = pipeline["equalise"].mean_, pipeline["equalise"].scale_
    return {"weight": weight / scale[:, None], "bias": -(weight @ reduce.mean_ + mean) / scale}


def reduced(pipeline: Pipeline, examples: Examples) -> Floats:
    """Inputs that the classifier was given, `[N, d]`."""
    values: Floats = pipeline[:-1].transform(arrays_of(examples)[0])
    return values


def both(second: Floats) -> Floats:
    """Scores of two classes from the second's, of which the first has the opposite."""
    return np.concatenate([-second, second])


def spread(weight: Floats, bias: Floats, present: Rows, classes: int) -> dict[str, Floats]:
    """Rows of the classes that the training part holds, among rows for all classes."""
    weights, biases = np.zeros((classes, weight.shape[1])), np.full(classes, _ABSENT)
    weights[present], biases[present] = weight, bias
    return {"weight": weights, "bias": biases}


def machines_of(found: Any) -> tuple[Rows, Floats, Floats]:
    """All machines of a one-versus-rest classifier over the training clips that any of them needs.

    Returns:
        Those clips' rows `[S]`, their weights `[K, S]` and the biases `[K]`.
    """
    machines = found.estimators_
    rows = np.unique(np.concatenate([machine.support_ for machine in machines]))
    weight = np.zeros((len(machines), len(rows)))
    for own, machine in zip(weight, machines, strict=True):
        own[np.searchsorted(rows, machine.support_)] = machine.dual_coef_[0]
    bias = np.concatenate([machine.intercept_ for machine in machines])
    if len(machines) == 1:
        weight, bias = both(weight), both(bias)
    return rows, weight, bias


def width_of(values: Floats) -> float:
    """The kernel's γ that scikit-learn calls `scale`."""
    variance = float(values.var())
    return 1 / (values.shape[1] * variance) if variance else 1.0


def trees_of(forest: Any, classes: int) -> dict[str, npt.NDArray[Any]]:
    """The arrays of `Forest`, all trees filled up to the size of the largest."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    shape = (len(trees), max(tree.node_count for tree in trees))
    arrays: dict[str, npt.NDArray[Any]] = {
        "feature": np.zeros(shape, dtype=np.int64),
        "threshold": np.zeros(shape),
        "left": np.zeros(shape, dtype=np.int64),
        "right": np.zeros(shape, dtype=np.int64),
        "probability": np.zeros((*shape, classes)),
    }
    for number, tree in enumerate(trees):
        nodes = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        arrays["feature"][number, nodes] = np.where(leaf, 0, tree.feature)
        arrays["threshold"][number, nodes] = tree.threshold
        arrays["left"][number, nodes] = np.where(leaf, nodes, tree.children_left)
        arrays["right"][number, nodes] = np.where(leaf, nodes, tree.children_right)
        arrays["probability"][number, nodes[:, None], forest.classes_] = tree.value[:, 0]
    return arrays
