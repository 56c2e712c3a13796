"""The planner: a suite's cross-product as cells, and the impossible combinations with their reasons."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from soundproof import faults
from soundproof.data.checks import read_index
from soundproof.errors import DataError, SoundproofError, SuiteError
from soundproof.measuring.classifier import Classifier, Trained
from soundproof.planning.graph import Graph
from soundproof.planning.plan import Plan, row_of
from soundproof.planning.splits import fold_count, split, with_copies
from soundproof.types import Access, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from soundproof.contract.components import Dataset
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.suite import Suite
    from soundproof.results.files import Row
    from soundproof.types import ClipIndex, Split

_T = TypeVar("_T")


def make_plan(suite: Suite, root: Path, only: Mapping[str, Sequence[str]] | None = None) -> Plan:
    """Plan a suite against the data that is there.

    Args:
        suite: What to measure.
        root: The data folder.
        only: Ids to keep, by kind; a kind that is not named keeps everything.

    Raises:
        SoundproofError: Data is missing or damaged, the split is impossible, or `only` leaves nothing.
    """
    suite = _restrict(suite, only or {})
    plan = _with_data(suite, root)
    cells: list[Cell] = []
    skipped: list[Row] = []
    for family in _families(suite):
        obstacles = {classifier: _obstacle(_reason_to_skip, plan, classifier) for classifier in family}
        possible = [classifier for classifier, obstacle in obstacles.items() if obstacle is None]
        wanted: list[Cell] = []
        for classifier, obstacle in obstacles.items():
            for cell in _cells(suite, classifier, family if obstacle else possible):
                found = obstacle or _obstacle(_reason_without_gradient, plan, cell)
                if found is None:
                    wanted.append(cell)
                else:
                    skipped.append(row_of(cell, plan.budget(cell), *found))
        cells += sorted(wanted, key=lambda cell: cell.protocol.last)
    return replace(plan, cells=cells, skipped=skipped, only=only or {})


def _obstacle(reason: Callable[[Plan, _T], str | None], plan: Plan, what: _T) -> tuple[Status, str] | None:
    """Why something cannot be measured, or None. What a plugin raises when it is asked is its own row's reason."""
    try:
        found = reason(plan, what)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a plugin's code raises, `SystemExit` included
        return Status.FAILED, faults.reason(error)
    return None if found is None else (Status.SKIPPED, found)


def _with_data(suite: Suite, root: Path) -> Plan:
    """A plan without cells, which knows the clips; raises DataError with every problem there is."""
    problems = [
        f"{component.id}: {file} does not exist"
        for component in suite.components
        for file in component.files
        if not file.is_file()
    ]
    indexes: dict[Dataset, ClipIndex] = {}
    splits: dict[tuple[Dataset, int], Split] = {}
    scheme, folds = suite.split.scheme, suite.split.folds
    for dataset in suite.datasets:
        try:
            index = read_index(dataset, root)
            there = fold_count(index, scheme)
            if folds > there:
                raise SuiteError(f"split.folds: {folds}, but {scheme} has {there} folds")
            for fold in range(folds):
                splits[dataset, fold] = split(index, scheme, fold, suite.copies)
            indexes[dataset] = with_copies(index, suite.copies)
        except SoundproofError as error:
            problems += [f"{dataset.id}: {problem}" for problem in error.problems]
    if problems:
        raise DataError(problems)
    return Plan(suite, (), (), indexes, splits, Graph(suite.augmentations))


def _restrict(suite: Suite, only: Mapping[str, Sequence[str]]) -> Suite:
    """The suite with only the named components."""
    # Leaving augmentations out would change the numbers of what remains.
    parts = {kind: f"{kind}s" for kind in ("dataset", "representation", "model", "defense", "attack")}
    problems: list[str] = []
    kept: dict[str, Any] = {}
    for kind, ids in only.items():
        if kind not in parts:
            problems.append(f"--only {kind}=…: the kind must be one of {', '.join(parts)}")
            continue
        there = getattr(suite, parts[kind])
        for name in ids:
            if name not in {component.id for component in there}:
                known = ", ".join(sorted({component.id for component in there}))
                problems.append(f"--only {kind}={name}: suite {suite.name!r} has no such {kind}; it has {known}")
        kept[parts[kind]] = [component for component in there if component.id in ids]
    if problems:
        raise SuiteError(problems)
    return replace(suite, **kept)


def _families(suite: Suite) -> Iterator[list[Classifier]]:
    """Classifiers that see the same inputs, so that examples can move from one to another."""
    for dataset in suite.datasets:
        budget = suite.budget_of(dataset)
        for representation in (suite.representation_of(each, dataset) for each in suite.representations):
            for fold in range(suite.split.folds):
                for seed in suite.split.seeds:
                    yield [
                        Classifier(Trained(dataset, representation, model, fold, seed), defense.under(budget))
                        for model in suite.models
                        for defense in suite.defenses
                    ]


def _reason_to_skip(plan: Plan, classifier: Classifier) -> str | None:
    """Why a classifier cannot be made, or None."""
    trained = classifier.trained
    representation, model = trained.representation, trained.model
    reason = representation.reason_to_skip(plan.samples(trained))
    if reason is not None:
        return reason
    names = plan.indexes[trained.dataset].classes
    if representation.fitted_class not in {None, *names}:
        return f"{representation.id} is fitted to the class {representation.fitted_class!r}, and there is none"
    if representation.domain not in model.accepts:
        accepts = " or ".join(sorted(model.accepts))
        return f"{model.id} reads {accepts} inputs; {representation.id} makes {representation.domain} inputs"
    shape, classes, defense = plan.shape(trained), len(names), classifier.defense
    # Asked for once here, so that what goes wrong in them is a row and not the end of a forecast.
    _ = defense.draws, defense.training_cost, defense.from_scratch, plan.recipe(trained)
    return model.reason_to_skip(shape, classes) or defense.reason_to_skip(model, shape, classes)


def _reason_without_gradient(plan: Plan, cell: Cell) -> str | None:
    """Why an attack that needs gradients finds none, or None."""
    plan.gradients(cell)  # as above: a plan that cannot be made is this cell's row
    model = cell.classifier.trained.model
    if cell.attack is None or cell.attack.access is not Access.WHITE_BOX or model.differentiable:
        return None
    return f"{cell.attack.id} needs gradients, and {model.id} has none; black-box attacks apply"


def _cells(suite: Suite, classifier: Classifier, family: Sequence[Classifier]) -> Iterator[Cell]:
    """All measurements of one classifier, in the order in which they run."""
    for protocol in suite.protocols:
        yield from protocol.cells(classifier, suite.attacks, family)
