"""The planner: a suite's cross-product as cells, and the impossible combinations with their reasons."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from soundproof.errors import DataError, SoundproofError, SuiteError
from soundproof.identity import coordinate, digest
from soundproof.interfaces import Attack, BoundedAttack, Dataset, Defense, Model, Representation
from soundproof.results import Row
from soundproof.splits import fold_count, split
from soundproof.types import Budget, ClipIndex, Protocol, Split, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from soundproof.suite import Suite

# The radii that `reach` climbs, as l∞ steps (they are multiplied by √D for l2): 0.001 · 1.5^k
# (arXiv 2007.13703, §IV: from 0.001 upward; the factor and the 18 rungs are this project's).
LADDER = tuple(0.001 * 1.5**rung for rung in range(18))


@dataclass(frozen=True)
class Trained:
    """A classifier before any defense: everything that its weights depend on.

    Attributes:
        dataset: What it learns from.
        representation: How clips look to it.
        model: Its architecture.
        fold: Which part of the data is held out.
        seed: Of its weights and of the order of clips.
    """

    dataset: Dataset
    representation: Representation
    model: Model
    fold: int
    seed: int


@dataclass(frozen=True)
class Classifier:
    """A defended classifier: what is measured and attacked.

    Attributes:
        trained: The classifier before the defense.
        defense: What was done to it.
    """

    trained: Trained
    defense: Defense


@dataclass(frozen=True)
class Cell:
    """One measurement, which becomes one row.

    Attributes:
        protocol: What is measured.
        classifier: On what.
        attack: None for `clean`.
        target: Only for `transfer`: the classifier that the examples are tried on.
    """

    protocol: Protocol
    classifier: Classifier
    attack: Attack | None = None
    target: Classifier | None = None

    def row(self, budget: Budget, status: Status, reason: str | None = None, **rest: Any) -> Row:
        """The cell as a row of results."""
        trained = self.classifier.trained
        coordinates = {
            "protocol": self.protocol,
            "dataset": coordinate(trained.dataset),
            "representation": coordinate(trained.representation),
            "model": coordinate(trained.model),
            "defense": coordinate(self.classifier.defense),
            "attack": None if self.attack is None else coordinate(self.attack),
            "target": self._target(),
            "fold": trained.fold,
            "seed": trained.seed,
        }
        key = digest({**coordinates, "budget": vars(budget)})
        return Row(key=key, status=status, reason=reason, **coordinates, **rest)  # type: ignore[arg-type]

    def _target(self) -> dict[str, Any] | None:
        if self.target is None:
            return None
        named = coordinate(self.target.trained.model)
        if self.target.defense != self.classifier.defense:
            named["defense"] = coordinate(self.target.defense)
        return named


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run will do.

    Attributes:
        suite: What was planned.
        cells: In the order in which they run.
        skipped: Rows of cells that cannot run, with their reasons.
        indexes: The clips of every data set.
        splits: The parts of every data set, by fold.
    """

    suite: Suite
    cells: Sequence[Cell]
    skipped: Sequence[Row]
    indexes: Mapping[Dataset, ClipIndex]
    splits: Mapping[tuple[Dataset, int], Split] = field(default_factory=dict)

    def samples(self, trained: Trained) -> int:
        """Length of one clip at the representation's sampling rate."""
        return trained.dataset.sample_count(trained.representation.rate)

    def shape(self, trained: Trained) -> tuple[int, ...]:
        """Shape of one input of a classifier."""
        return trained.representation.shape(self.samples(trained))


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
    problems: list[str] = []
    indexes: dict[Dataset, ClipIndex] = {}
    splits: dict[tuple[Dataset, int], Split] = {}
    for dataset in suite.datasets:
        try:
            indexes[dataset] = index = dataset.index(root)
            folds = fold_count(index, suite.split.scheme)
            if suite.split.folds > folds:
                raise SuiteError(f"split.folds: {suite.split.folds}, but {suite.split.scheme} has {folds} folds")
            for fold in range(suite.split.folds):
                splits[dataset, fold] = split(index, suite.split.scheme, fold)
        except SoundproofError as error:
            problems += [f"{dataset.id}: {problem}" for problem in error.problems]
    if problems:
        raise DataError(problems)
    plan = Plan(suite, (), (), indexes, splits)
    cells: list[Cell] = []
    skipped: list[Row] = []
    for classifiers in _families(suite):
        possible = []
        for classifier in classifiers:
            reason = _reason_to_skip(plan, classifier)
            if reason is None:
                possible.append(classifier)
            else:
                rows = (
                    c.row(suite.budget, Status.SKIPPED, reason) for c in _cells(suite, classifier, classifiers)
                )
                skipped += rows
        family_cells = [cell for classifier in possible for cell in _cells(suite, classifier, possible)]
        # Transfers last: by then every target is trained.
        cells += sorted(family_cells, key=lambda cell: cell.protocol is Protocol.TRANSFER)
    return replace(plan, cells=cells, skipped=skipped)


def planned_gradients(plan: Plan, cell: Cell) -> int:
    """Backward rows a cell costs at most: a clip's, times the test clips."""
    attack = cell.attack
    if attack is None or cell.protocol is Protocol.TRANSFER:
        return 0
    each = attack.planned_gradients
    if cell.protocol is Protocol.REACH and isinstance(attack, BoundedAttack):
        each = attack.ladder_gradients(len(LADDER))
    limit = plan.suite.budget.max_gradients
    trained = cell.classifier.trained
    clips = len(plan.splits[trained.dataset, trained.fold].test)
    return clips * (each if limit is None else min(each, limit))


def _restrict(suite: Suite, only: Mapping[str, Sequence[str]]) -> Suite:
    """The suite with only the named components."""
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
        for representation in suite.representations:
            for fold in range(suite.split.folds):
                for seed in suite.split.seeds:
                    yield [
                        Classifier(Trained(dataset, representation, model, fold, seed), defense)
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
    if representation.domain not in model.accepts:
        accepts = " or ".join(sorted(model.accepts))
        return f"{model.id} reads {accepts} inputs; {representation.id} makes {representation.domain} inputs"
    return model.reason_to_skip(plan.shape(trained), len(plan.indexes[trained.dataset].classes))


def _cells(suite: Suite, classifier: Classifier, family: Sequence[Classifier]) -> Iterator[Cell]:
    """All measurements of one classifier, in the order in which they run."""
    if Protocol.CLEAN in suite.protocols:
        yield Cell(Protocol.CLEAN, classifier)
    for attack in suite.attacks:
        for protocol in (Protocol.BOUNDED, Protocol.REACH):
            if protocol in suite.protocols:
                yield Cell(protocol, classifier, attack)
        if Protocol.TRANSFER in suite.protocols:
            for other in family:
                if other != classifier:
                    yield Cell(Protocol.TRANSFER, classifier, attack, other)
