"""Runs a plan cell by cell. A cell that fails is a row with a reason, and the run goes on."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.contract.identity import coordinate
from soundproof.engine import forecast
from soundproof.engine.cells import run_cell
from soundproof.engine.events import Begun, Ended, EpochDone, Finished, Started
from soundproof.engine.interrupts import Interrupts
from soundproof.engine.isolation import Isolation, Workers
from soundproof.engine.leases import Lease
from soundproof.engine.measurements import Measurements
from soundproof.engine.workshop import Workshop
from soundproof.measuring.place import classifier_of
from soundproof.planning.plan import row_of
from soundproof.probing.protocol import LEVELS
from soundproof.results.checks import checked
from soundproof.results.checks.cases import Probed
from soundproof.results.combine import Combination
from soundproof.results.files import SCHEMA, Results, groups_name, names_name
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from soundproof.contract.registry import Registry
    from soundproof.engine.cells import Ran
    from soundproof.engine.environment import Environment
    from soundproof.engine.events import Event, Listener
    from soundproof.engine.store import Store
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.plan import Plan
    from soundproof.results.files import Row


@dataclass(frozen=True, eq=False)
class Runner:
    """Everything a run needs besides its plan.

    Attributes:
        registry: Where components come from.
        environment: Device and threads.
        store: The cache.
        root: The data folder.
        tell: Told of everything.
        isolation: Which cells run in processes of their own.
    """

    registry: Registry
    environment: Environment
    store: Store
    root: Path
    tell: Listener = lambda _: None
    isolation: Isolation = Isolation.NONE

    def run(self, plan: Plan) -> Results:
        """All cells of a plan.

        Raises:
            DataError: Audio is damaged; nothing has run, and no results are touched.
            KeyboardInterrupt: What was finished is in the store; the same run goes on from there.
        """
        with Interrupts() as interrupts:
            return self.results(plan, self._leased(plan, interrupts))

    def _leased(self, plan: Plan, interrupts: Interrupts) -> list[Ran]:
        """Run, while nobody may take from the cache what the plan needs."""
        with Lease(self.store.root, self.workshop(plan).needed()) as lease:

            def tell(event: Event) -> None:
                lease.sign()
                self.tell(event)

            return replace(self, tell=tell)._run(plan, interrupts)

    def _run(self, plan: Plan, interrupts: Interrupts) -> list[Ran]:
        workshop = self.workshop(plan)
        pending = forecast.pending(workshop)
        measurements = Measurements(workshop)
        measurements.inputs.decode(pending)
        clock = _Clock(forecast.seconds(workshop, pending))
        tasks = plan.tasks
        self.tell(Begun(len(tasks), len(tasks) - len(pending), clock.left()))
        done: list[Ran] = []
        family: object = None
        try:
            with Workers(workshop, self._job(plan), self.isolation, plan.suite.limits, self.tell) as workers:
                groups = {cell: workers.group(cell) if cell in clock.expected else None for cell in tasks}
                # Each group's cells come one after the other, so that one worker at a time is enough; checks look
                # at what cells of all groups have left.
                looks = set(plan.checks)
                for cell in sorted(tasks, key=lambda each: (each in looks, groups[each] or ())):
                    group, fresh = groups[cell], cell in clock.expected
                    if family != (family := (group, cell.classifier.trained.family)):
                        measurements.forget()
                    if fresh:
                        title = row_of(cell, plan.budget(cell), Status.OK).title()
                        self.tell(Started(title, plan.recipe(cell.classifier.trained).epochs))
                    start = time.perf_counter()
                    if group is None:
                        ran = run_cell(measurements, plan, cell, interrupts)
                    else:
                        ran = workers.run(cell, group, clock.expected[cell])
                    spent = time.perf_counter() - start
                    clock.finish(cell, spent)
                    done.append(ran)
                    count = len(done), len(tasks)
                    left, at_most = clock.left(), not clock.calibrated
                    expected = clock.expected.get(cell, 0.0)
                    self.tell(Finished(ran.row, spent, not fresh, *count, left, ran.traceback, at_most, expected))
        finally:
            self.tell(Ended())
        return done

    def _job(self, plan: Plan) -> dict[str, Any]:
        """What a worker makes the same plan from."""
        return {
            "suite": plan.suite.written,
            "only": {kind: list(ids) for kind, ids in plan.only.items()},
            "root": str(self.root),
            "cache": str(self.store.root),
            "fresh": self.store.fresh,
            "environment": vars(self.environment),
        }

    def workshop(self, plan: Plan) -> Workshop:
        """Workshop for the stages of a plan."""
        return Workshop(
            plan, self.registry, self.environment, self.store, self.root, lambda: self.tell(EpochDone())
        )

    def results(self, plan: Plan, done: Sequence[Ran]) -> Results:
        """What a results folder holds of cells that were run."""
        samples: dict[str, npt.NDArray[Any]] = {}
        looks = {level.id for level in LEVELS.values()}
        inspected = [ran for ran in done if ran.row.protocol in looks]
        done = [ran for ran in done if ran.row.protocol not in looks]
        for ran in done:
            samples |= {f"{ran.row.key}/{name}": array for name, array in ran.samples.items()}
        for dataset, index in plan.indexes.items():
            samples[groups_name(coordinate(dataset))] = index.groups
            names = json.dumps(index.names[: len(index.names) // (plan.suite.copies + 1)], ensure_ascii=False)
            samples[names_name(coordinate(dataset))] = np.frombuffer(
                names.encode(errors="replace"), dtype=np.uint8
            )
        rows = [*(ran.row for ran in done), *plan.skipped, *plan.unavailable()]
        found = Results(sorted(rows, key=lambda row: row.order), samples, self._provenance(plan))
        probed = {classifier_of(ran.row): _probed(ran) for ran in inspected}
        run = {**found.run, "checks": _cost(probed)}
        return checked(replace(found, rows=_compared(found), run=run), probed)

    def _provenance(self, plan: Plan) -> dict[str, Any]:
        """Provenance of the numbers: nothing in it depends on time or on the order of execution."""
        inputs = {}
        for cell in plan.cells:
            trained = cell.classifier.trained
            shape = plan.attacked_shape(trained)
            named = {"dataset": coordinate(trained.dataset), "representation": coordinate(trained.representation)}
            inputs[repr(named)] = {**named, "shape": list(shape), "dimension": math.prod(shape)}
        return {
            "schema": SCHEMA,
            "suite": plan.suite.document,
            "suite_digest": plan.suite.digest,
            "budget": plan.suite.budget.to_json(),
            "environment": self.environment.describe(),
            "datasets": [
                {
                    "dataset": coordinate(dataset),
                    "checksum": index.checksum,
                    "clips": len(index.names) // (plan.suite.copies + 1),
                    "classes": list(index.classes),
                    "budget": plan.suite.budget_of(dataset).to_json(),
                }
                for dataset, index in plan.indexes.items()
            ],
            "inputs": [inputs[name] for name in sorted(inputs)],
            "components": self._components(plan),
        }

    def _components(self, plan: Plan) -> list[dict[str, Any]]:
        """Origin of each component of a plan, and what it says of itself."""
        found = {(type(c).kind, c.id): self.registry.find(type(c).kind, c.id) for c in plan.suite.components}
        return [
            {
                "kind": kind,
                "id": name,
                "distribution": of.distribution,
                "version": of.version,
                "capabilities": of.component.capabilities(),
                "defaults": of.component.numeric_defaults(),
            }
            for (kind, name), of in sorted(found.items())
        ]


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

    @property
    def calibrated(self) -> bool:
        """Whether a tenth of the work has shown how fast it goes; before, a forecast is a worst case."""
        return self._planned >= 0.1 * (self._planned + self._waiting)

    def left(self) -> float:
        """Expected seconds of the rest."""
        pace = self._spent / self._planned if self._planned > 0 else 1.0
        return max(0.0, self._waiting * pace)


def _probed(ran: Ran) -> Probed:
    """What the checks' cell of a classifier left."""
    if ran.row.status is Status.OK:
        return Probed(ran.samples)
    return Probed(None, f"the probes did not run: {ran.row.reason}")


def _cost(probed: Mapping[str, Probed]) -> dict[str, float]:
    """What the checks spent, beside the gradients of the attacks that they looked after."""
    looks = [each.arrays for each in probed.values() if each.arrays is not None]
    gradients, queries = (sum(float(arrays["cost/checks"][column]) for arrays in looks) for column in (0, 1))
    of_attacks = sum(float(arrays["cost/attacks"][0]) for arrays in looks)
    return {"gradients": gradients, "queries": queries, "gradients_of_attacks": of_attacks}


def _compared(found: Results) -> list[Row]:
    """The rows with what a comparison with other rows adds: `drop`, ε_r, the grey-box attacker."""
    combination = Combination(found)
    rows = []
    for row in found.rows:
        further = combination.comparisons([row]) if row.status is Status.OK else {}
        rows.append(replace(row, metrics={**row.metrics, **further}) if further else row)
    return rows
