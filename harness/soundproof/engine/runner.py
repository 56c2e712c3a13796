"""Runs a plan cell by cell. A cell that fails is a row with a reason, and the run goes on."""

from __future__ import annotations

import contextlib
import json
import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.contract.identity import coordinate, label
from soundproof.engine import forecast
from soundproof.engine.cells import run_cell
from soundproof.engine.code import code_of
from soundproof.engine.efficiency import spent
from soundproof.engine.events import Begun, Ended, EpochDone, Finished, Started
from soundproof.engine.executor import Executor
from soundproof.engine.interrupts import Interrupts
from soundproof.engine.isolation import Isolation, Losses, Seat
from soundproof.engine.keys import name_of, stage
from soundproof.engine.leases import Lease
from soundproof.engine.measurements import Measurements
from soundproof.engine.process import Process
from soundproof.engine.schedule import Schedule
from soundproof.engine.stopwatch import Stopwatch
from soundproof.engine.workshop import Workshop
from soundproof.measuring.place import classifier_of
from soundproof.measuring.protocols.base import Cell
from soundproof.planning.plan import row_of
from soundproof.probing.protocol import LEVELS
from soundproof.results.checks import checked
from soundproof.results.checks.cases import Probed
from soundproof.results.combine import Combination
from soundproof.results.files import SCHEMA, Results, groups_name, names_name
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from soundproof.contract.registry import Registry
    from soundproof.engine.cells import Ran
    from soundproof.engine.crews import Crew
    from soundproof.engine.environment import Environment
    from soundproof.engine.events import Event, Listener
    from soundproof.engine.store import Store
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
        crew: Where several cells run at a time; None for one after the other, in this process.
        profile: Where to write which stage was made when and where; None for nowhere.
    """

    registry: Registry
    environment: Environment
    store: Store
    root: Path
    tell: Listener = lambda _: None
    isolation: Isolation = Isolation.NONE
    crew: Crew | None = None
    profile: Path | None = None

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
        workshop = self.workshop(plan)
        with Lease(self.store.root, workshop.needed()) as lease:

            def tell(event: Event) -> None:
                lease.sign()
                self.tell(event)

            return replace(self, tell=tell)._run(workshop, interrupts)

    def _run(self, planned: Workshop, interrupts: Interrupts) -> list[Ran]:
        plan, watch = planned.plan, Stopwatch()
        tell = lambda: self.tell(EpochDone())
        workshop = replace(planned, on_epoch=tell, on_stage=watch.at("here"), known=planned.keys)
        pending = forecast.pending(workshop)
        measurements = Measurements(workshop)
        measurements.inputs.decode(pending)
        places = 1 if self.crew is None else max(1, len(self.crew.places()))
        start = time.perf_counter()
        progress = _Progress(plan, forecast.seconds(workshop, pending), self.tell, places)
        try:
            if self.crew is None:
                self._in_turn(workshop, measurements, progress, interrupts, watch)
            else:
                self._at_once(workshop, measurements, progress, interrupts, watch, self.crew)
            if pending:
                self.tell(spent(workshop, watch, progress.done, time.perf_counter() - start, places))
        finally:
            if self.profile is not None:
                watch.write(self.profile, _titles(workshop))
            self.tell(Ended())
        return [progress.done[cell] for cell in plan.tasks]

    def _in_turn(
        self,
        workshop: Workshop,
        measurements: Measurements,
        progress: _Progress,
        interrupts: Interrupts,
        watch: Stopwatch,
    ) -> None:
        """One cell after the other: in this process, or in a worker where it has a group."""
        plan, family = workshop.plan, None
        seat = Seat(workshop, lambda: Process(self._job(plan)), Losses(), self.tell, at=watch.at("worker"))
        groups = self._groups(workshop, progress)
        # Each group's cells come one after the other, so that one worker at a time is enough; checks look at what
        # cells of all groups have left.
        looks = set(plan.checks)
        with contextlib.closing(seat):
            for cell in sorted(plan.tasks, key=lambda each: (each in looks, groups[each] or ())):
                group = groups[cell]
                if family != (family := (group, cell.classifier.trained.family)):
                    measurements.forget()
                progress.start(cell)
                start = time.perf_counter()
                if group is None:
                    ran = run_cell(measurements, plan, cell, interrupts)
                else:
                    ran = seat.run(cell, group, progress.expected[cell])
                progress.finish(cell, ran, time.perf_counter() - start)

    def _at_once(
        self,
        workshop: Workshop,
        measurements: Measurements,
        progress: _Progress,
        interrupts: Interrupts,
        watch: Stopwatch,
        crew: Crew,
    ) -> None:
        """What is cached here, then several cells at a time at the places of a crew."""
        plan, expected = workshop.plan, progress.expected
        for cell in plan.tasks:
            if cell not in expected:
                start = time.perf_counter()
                ran = run_cell(measurements, plan, cell, interrupts)
                progress.finish(cell, ran, time.perf_counter() - start)
        measurements.forget()
        groups, cells = self._groups(workshop, progress), [cell for cell in plan.tasks if cell in expected]
        digest = lambda node: workshop.keys.of(node).digest
        schedule = Schedule(plan.graph, cells, digest, workshop.has, groups)
        with Executor(workshop, crew, self._job(plan), groups, expected, self.tell, watch) as executor:
            for done in executor.outcomes(schedule, progress.start):
                progress.finish(done.cell, done.ran, done.seconds)

    def _groups(self, workshop: Workshop, progress: _Progress) -> dict[Cell, tuple[str, ...] | None]:
        """Distributions of the cells that run in processes of their own; cached ones need none."""
        return {
            cell: self.isolation.group(workshop, cell) if cell in progress.expected else None
            for cell in workshop.plan.tasks
        }

    def _job(self, plan: Plan) -> dict[str, Any]:
        """What a worker makes the same plan from."""
        return {
            "suite": plan.suite.written,
            "only": {kind: list(ids) for kind, ids in plan.only.items()},
            "root": str(self.root),
            "cache": str(self.store.root),
            "fresh": self.store.fresh,
            "environment": vars(self.environment),
            "code": code_of(plan.suite, self.registry),
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


class _Progress:
    """What has been run, and the expected seconds of the rest, corrected by how the finished ones went."""

    def __init__(self, plan: Plan, expected: Mapping[Cell, float], tell: Listener, places: int) -> None:
        self.expected = expected
        self.done: dict[Cell, Ran] = {}
        self._plan = plan
        self._tell = tell
        self._places = places
        self._waiting = sum(expected.values())
        self._planned = 0.0
        self._spent = 0.0
        total = len(plan.tasks)
        tell(Begun(total, total - len(expected), self._left()))

    def start(self, cell: Cell) -> None:
        """A cell begins; those that are cached do so without a word."""
        if cell in self.expected:
            title = row_of(cell, self._plan.budget(cell), Status.OK).title()
            self._tell(Started(title, self._plan.recipe(cell.classifier.trained).epochs))

    def finish(self, cell: Cell, ran: Ran, seconds: float) -> None:
        """A cell took so long."""
        expected = self.expected.get(cell, 0.0)
        self.done[cell] = ran
        if cell in self.expected:
            self._waiting -= expected
            self._planned += expected
            self._spent += seconds
        count = len(self.done), len(self._plan.tasks)
        # Before a tenth of the work has shown how fast it goes, a forecast is a worst case.
        at_most = self._planned < 0.1 * (self._planned + self._waiting)
        cached = cell not in self.expected
        self._tell(Finished(ran.row, seconds, cached, *count, self._left(), ran.traceback, at_most, expected))

    def _left(self) -> float:
        """Expected seconds of the rest."""
        pace = self._spent / self._planned if self._planned > 0 else 1.0
        return max(0.0, self._waiting * pace) / self._places


def _titles(workshop: Workshop) -> Callable[[str], str]:
    """What stages are called in a trace, by digest."""
    plan = workshop.plan
    nodes = {workshop.keys.of(node).digest: node for node in plan.graph.order(plan.tasks)}

    def title(digest: str) -> str:
        node = nodes.get(digest)
        if node is None:
            return digest
        if isinstance(node, Cell):
            return row_of(node, plan.budget(node), Status.OK).title()
        parts = name_of(node).values()
        words = (label(part) if isinstance(part, dict) else str(part) for part in parts if part is not None)
        return f"{stage(node)}: {' · '.join(words)}"

    return title


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
