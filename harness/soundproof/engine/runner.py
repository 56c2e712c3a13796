"""Runs a plan cell by cell. A cell that fails is a row with a reason, and the run goes on."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from soundproof.contract.identity import coordinate
from soundproof.engine import forecast as estimate
from soundproof.engine.environment import prepare
from soundproof.engine.events import Finished
from soundproof.engine.keys import Keys
from soundproof.engine.pipeline import Pipeline
from soundproof.measuring.learning import Learning, plain
from soundproof.measuring.metrics import cells as measures
from soundproof.measuring.outcome import InvalidExamplesError, Outcome
from soundproof.planning.plan import BASELINE
from soundproof.results.files import SCHEMA, Results, Row, groups_name
from soundproof.training.trainer import TrainingError
from soundproof.types import Protocol, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from soundproof.contract.registry import Registry
    from soundproof.engine.environment import Environment
    from soundproof.engine.events import Reporter
    from soundproof.engine.store import Store
    from soundproof.planning.plan import Cell, Plan


@dataclass(frozen=True, eq=False)
class Runner:
    """Everything a run needs besides its plan.

    Attributes:
        registry: Where components come from.
        environment: Device and threads.
        store: The cache.
        root: The data folder.
        reporter: Told of everything.
    """

    registry: Registry
    environment: Environment
    store: Store
    root: Path
    reporter: Reporter

    def run(self, plan: Plan) -> Results:
        """All cells of a plan.

        Raises:
            DataError: Audio is damaged; nothing has run, and no results are touched.
            KeyboardInterrupt: What was finished is in the store; the same run goes on from there.
        """
        keys = Keys(plan, self.environment, self.registry)
        pending = estimate.uncached(plan.cells, keys, self.store)
        if pending:
            prepare(self.environment)
        pipeline = Pipeline(plan, self.store, keys, self.root, self.reporter.epoch)
        pipeline.decode(pending)
        clock = _Clock(estimate.seconds(plan, pending, keys, self.store))
        self.reporter.begin(len(plan.cells), len(plan.cells) - len(pending), clock.left())
        done: list[tuple[Cell, Row, Outcome | None]] = []
        family: object = None
        try:
            for cell in plan.cells:
                trained = cell.classifier.trained
                if family != (family := (trained.dataset, trained.representation, trained.fold, trained.seed)):
                    pipeline.forget()
                fresh = cell in clock.expected
                if fresh:
                    self.reporter.start(cell.row(plan.suite.budget, Status.OK).title())
                start = time.perf_counter()
                row, outcome, trace = _run_cell(pipeline, plan, cell)
                spent = time.perf_counter() - start
                clock.finish(cell, spent)
                done.append((cell, row, outcome))
                event = Finished(row, spent, not fresh, len(done), len(plan.cells), clock.left(), trace)
                self.reporter.finish(event)
        finally:
            self.reporter.end()
        return self._results(plan, done)

    def _results(self, plan: Plan, done: Sequence[tuple[Cell, Row, Outcome | None]]) -> Results:
        samples: dict[str, npt.NDArray[Any]] = {}
        for _, row, outcome in done:
            if outcome is not None:
                samples |= {f"{row.key}/{name}": array for name, array in outcome.samples.items()}
        for dataset, index in plan.indexes.items():
            samples[groups_name(coordinate(dataset))] = index.groups
        rows = [*_with_ratios(plan, done), *plan.skipped]
        return Results(sorted(rows, key=lambda row: row.order), samples, self._provenance(plan))

    def _provenance(self, plan: Plan) -> dict[str, Any]:
        """Where the numbers come from: nothing in it depends on time or on the order of execution."""
        inputs = {}
        for cell in plan.cells:
            trained = cell.classifier.trained
            shape = plan.shape(trained)
            size = 1
            for side in shape:
                size *= side
            named = {"dataset": coordinate(trained.dataset), "representation": coordinate(trained.representation)}
            inputs[repr(named)] = {**named, "shape": list(shape), "dimension": size}
        components = {(type(c).kind, c.id): self.registry.find(type(c).kind, c.id) for c in plan.suite.components}
        return {
            "schema": SCHEMA,
            "suite": plan.suite.document,
            "suite_digest": plan.suite.digest,
            "budget": vars(plan.suite.budget),
            "environment": self.environment.describe(),
            "datasets": [
                {
                    "dataset": coordinate(dataset),
                    "checksum": index.checksum,
                    "clips": len(index.names) // (plan.suite.copies + 1),
                    "classes": list(index.classes),
                }
                for dataset, index in plan.indexes.items()
            ],
            "inputs": [inputs[name] for name in sorted(inputs)],
            "components": [
                {"kind": kind, "id": name, "distribution": found.distribution, "version": found.version}
                for (kind, name), found in sorted(components.items())
            ],
        }


class _Clock:
    """Expected seconds of the cells to come, corrected by how the finished ones went."""

    def __init__(self, expected: Mapping[Cell, float]) -> None:
        self.expected = expected
        self._waiting = sum(expected.values())
        self._planned = 0.0
        self._spent = 0.0

    def finish(self, cell: Cell, seconds: float) -> None:
        """A cell took so long."""
        if cell in self.expected:
            self._waiting -= self.expected[cell]
            self._planned += self.expected[cell]
            self._spent += seconds

    def left(self) -> float:
        """Expected seconds of the rest."""
        pace = self._spent / self._planned if self._planned > 0 else 1.0
        return max(0.0, self._waiting * pace)


def _run_cell(pipeline: Pipeline, plan: Plan, cell: Cell) -> tuple[Row, Outcome | None, str]:
    """A cell's row, its outcome and the traceback of a failure."""
    budget = plan.suite.budget
    try:
        outcome = pipeline.outcome(cell)
    except InvalidExamplesError as error:
        return cell.row(budget, Status.INVALID, str(error)), None, traceback.format_exc()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return cell.row(budget, Status.FAILED, reason), _unfinished(cell, error), traceback.format_exc()
    trained = cell.classifier.trained
    leaky = ("leaky",) if plan.splits[trained.dataset, trained.fold].leaky else ()
    flags = (*leaky, *trained.model.flags, *outcome.flags)
    return cell.row(budget, outcome.status, outcome.reason, metrics=outcome.metrics, flags=flags), outcome, ""


def _unfinished(cell: Cell, error: Exception) -> Outcome | None:
    """The learning curve of a training that diverged, once for each classifier."""
    if not isinstance(error, TrainingError) or cell.protocol is not Protocol.CLEAN:
        return None
    return Outcome(samples=Learning(plain(error.curve)).samples(error.whose), status=Status.FAILED)


def _with_ratios(plan: Plan, done: Sequence[tuple[Cell, Row, Outcome | None]]) -> list[Row]:
    """All rows, those of defended classifiers that were reached with ε_r (docs/metrics.md §5)."""
    reached = {
        cell: outcome
        for cell, _, outcome in done
        if cell.protocol is Protocol.REACH and outcome and outcome.samples and not outcome.flags
    }
    undefended = {cell for cell in reached if cell.classifier.defense.id == BASELINE}
    baseline = {(cell.classifier.trained, cell.attack): reached[cell] for cell in undefended}
    rows = []
    for cell, row, outcome in done:
        base = baseline.get((cell.classifier.trained, cell.attack))
        if cell in reached and cell not in undefended and base is not None and outcome is not None:
            groups: npt.NDArray[np.int64] = plan.indexes[cell.classifier.trained.dataset].groups
            ratio = measures.epsilon_ratio([outcome.samples], [base.samples], groups)
            row = replace(row, metrics={**row.metrics, **ratio})
        rows.append(row)
    return rows
