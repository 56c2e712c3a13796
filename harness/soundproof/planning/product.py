"""The planner: a suite's cross-product as cells, and the impossible combinations with their reasons."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from soundproof import faults
from soundproof.data.checks import read_index
from soundproof.errors import AbsentError, DataError, SoundproofError, SuiteError
from soundproof.measuring.classifier import Classifier, Trained
from soundproof.planning.facts import described, divided
from soundproof.planning.graph import Graph
from soundproof.planning.plan import Plan, row_of
from soundproof.planning.selection import restrict
from soundproof.planning.splits import fold_count, split, with_copies
from soundproof.probing.protocol import Inspection
from soundproof.types import Access, Scheme, Status, Surface

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
        only: What to keep, by kind; see `soundproof.planning.selection`.

    Returns:
        The plan; of data sets that are absent it knows the reason and the cells that they cost.

    Raises:
        SoundproofError: Data is damaged, the split is impossible, or `only` leaves nothing.
    """
    return replace(_with_cells(_with_data(restrict(suite, only or {}), root)), only=only or {})


def published_plan(absent: Plan) -> Plan:
    """What the absent data sets of a plan would add, as their publishers describe them."""
    suite = replace(absent.suite, datasets=list(absent.absent))
    return _with_cells(_as_published(suite))


def _with_cells(plan: Plan) -> Plan:
    cells: list[Cell] = []
    skipped: list[Row] = []
    checks: list[Cell] = []
    missing: list[Cell] = []
    for family in _families(plan.suite):
        if family[0].trained.dataset in plan.absent:
            missing += [cell for classifier in family for cell in _cells(plan.suite, classifier, family)]
            continue
        obstacles = {classifier: _obstacle(_reason_to_skip, plan, classifier) for classifier in family}
        possible = [classifier for classifier, obstacle in obstacles.items() if obstacle is None]
        wanted: list[Cell] = []
        for classifier, obstacle in obstacles.items():
            # Examples move among classifiers that can be made.
            for cell in _cells(plan.suite, classifier, () if obstacle else possible):
                found = obstacle or _obstacle(_reason_to_leave, plan, cell)
                if found is None:
                    wanted.append(cell)
                else:
                    skipped.append(row_of(cell, plan.budget(cell), *found))
        cells += sorted(wanted, key=lambda cell: cell.protocol.last)
        checks += _checks(plan.suite, wanted)
    return replace(plan, cells=cells, skipped=skipped, missing=missing, checks=checks)


def _checks(suite: Suite, cells: Sequence[Cell]) -> Iterator[Inspection]:
    """A look at every classifier that is attacked, and at the attacks on it."""
    tried: dict[Classifier, list[Cell]] = {}
    for cell in cells:
        if cell.attack is not None and cell.target is None:
            tried.setdefault(cell.classifier, []).append(cell)
    for classifier, of_it in tried.items():
        yield Inspection(suite.checks, classifier, tried=tuple(of_it))


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
    absent: dict[Dataset, str] = {}
    scheme, folds = suite.split.scheme, suite.split.folds
    for dataset in suite.datasets:
        try:
            index = read_index(dataset, root)
            there = fold_count(index, scheme)
            if folds > there:
                raise SuiteError(f"split.folds: {folds}, but {scheme} has {there} folds")
            for fold in suite.folds:
                splits[dataset, fold] = split(index, scheme, fold, suite.copies)
            indexes[dataset] = with_copies(index, suite.copies)
        except AbsentError as error:
            absent[dataset] = f"{dataset.id} is absent: {error.problems[0]}"
        except SoundproofError as error:
            problems += [f"{dataset.id}: {problem}" for problem in error.problems]
    if problems:
        raise DataError(problems)
    return Plan(suite, (), (), indexes, splits, Graph(suite.augmentations), absent)


def _as_published(suite: Suite) -> Plan:
    """A plan without cells, of clips as their publishers describe them; data sets that nobody does are absent."""
    indexes: dict[Dataset, ClipIndex] = {}
    splits: dict[tuple[Dataset, int], Split] = {}
    absent: dict[Dataset, str] = {}
    for dataset in suite.datasets:
        index = described(dataset)
        if index is None:
            absent[dataset] = f"{dataset.id}: nobody says how many clips it has"
            continue
        for fold in suite.folds:
            splits[dataset, fold] = divided(index, suite.split.scheme, fold, suite.copies)
        indexes[dataset] = with_copies(index, suite.copies)
    return Plan(suite, (), (), indexes, splits, Graph(suite.augmentations), absent)


def _families(suite: Suite) -> Iterator[list[Classifier]]:
    """Classifiers among which examples can move: those that see the same inputs.

    Where attacks change the sound, all that hear it, whatever their representation.
    """
    for dataset in suite.datasets:
        budget = suite.budget_of(dataset)
        heard = [suite.representation_of(each, dataset) for each in suite.representations]
        together = [heard] if budget.domain is Surface.WAVEFORM else [[each] for each in heard]
        for representations, fold, seed in itertools.product(together, suite.folds, suite.seeds):
            yield [
                Classifier(Trained(dataset, representation, model, fold, seed), defense.under(budget))
                for representation in representations
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
    if plan.suite.split.scheme is Scheme.ALL and not model.pretrained:
        return f"{model.id} has to be trained, and the scheme 'all' leaves no clip to train on"
    if plan.suite.split.scheme is Scheme.ALL and representation.fitted:
        return f"{representation.id} has to be fitted, and the scheme 'all' leaves no clip to fit it to"
    return model.reason_to_skip(shape, classes) or defense.reason_to_skip(model, shape, classes)


def _reason_to_leave(plan: Plan, cell: Cell) -> str | None:
    """Why a cell of a classifier that can be made cannot be measured, or None."""
    plan.gradients(cell)  # as above: a plan that cannot be made is this cell's row
    reason = _reason_elsewhere(plan, cell) or _reason_without_gradient(plan, cell)
    return reason or cell.protocol.reason_to_skip(cell, plan.budget(cell))


def _reason_elsewhere(plan: Plan, cell: Cell) -> str | None:
    """Why an attack does not work on what the suite lets it change, or None."""
    if cell.attack is None or cell.attack.surface in {None, plan.surface}:
        return None
    where = cell.attack.surface
    return f'{cell.attack.id} works on the {where}: set domain = "{where}" in [budget]'


def _reason_without_gradient(plan: Plan, cell: Cell) -> str | None:
    """Why an attack that needs gradients finds none, or None."""
    trained = cell.classifier.trained
    model, heard = trained.model, trained.representation
    if cell.attack is None or cell.attack.access is not Access.WHITE_BOX:
        return None
    if not model.differentiable:
        return f"{cell.attack.id} needs gradients, and {model.id} has none; black-box attacks apply"
    if plan.surface is Surface.WAVEFORM and not (heard.differentiable or heard.surrogate):
        return f"{cell.attack.id} needs gradients of the sound, and {heard.id} gives none; black-box attacks apply"
    return None


def _cells(suite: Suite, classifier: Classifier, family: Sequence[Classifier]) -> Iterator[Cell]:
    """All measurements of one classifier, in the order in which they run."""
    for protocol in suite.protocols:
        for cell in protocol.cells(classifier, suite.attacks, family):
            if protocol.by_channel:
                yield from (replace(cell, channel=channel) for channel in suite.channels)
            else:
                yield cell
