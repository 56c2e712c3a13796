"""Cells in processes of their own: whatever a plugin does to its process, the run goes on.

Cells whose components come from the same distributions share a worker, one after the other; another set gets
another worker. What a cell does to its process (it exits, aborts, hangs, fills the memory) ends that worker, makes
this cell a failed row, and the next cell gets a fresh one. Results are the same bytes as without workers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

import psutil

from soundproof.contract.components import Component
from soundproof.contract.registry import BUILT_IN
from soundproof.engine.cells import RESULT, Ran, failed
from soundproof.engine.channel import Message
from soundproof.engine.events import EpochDone, Warned
from soundproof.engine.process import LostError
from soundproof.results.files import result_of
from soundproof.results.integrity import row_flaws

if TYPE_CHECKING:
    from collections.abc import Callable

    from soundproof.engine.events import Listener
    from soundproof.engine.process import Worker
    from soundproof.engine.workshop import Workshop
    from soundproof.measuring.protocols.base import Cell

    Group = tuple[str, ...]

# Where the suite sets no limit, a cell of other distributions may take so many times what is planned at most (on
# an idle machine), never less than the floor, s; and its worker may fill so much of the machine's memory.
PATIENCE, FLOOR = 20.0, 600.0
SHARE = 0.8
# Workers that are ended from outside, one after the other, before the cell that they were at is given up.
TRIES = 3
# Attempts at starting a worker, of which something outside ends all.
_STARTS = 20


class Isolation(StrEnum):
    """Cells that run in processes of their own: those with components of other distributions, all, or none."""

    PLUGINS = "plugins"
    ALL = "all"
    NONE = "none"

    def group(self, workshop: Workshop, cell: Cell) -> Group | None:
        """The distributions other than this one that a cell's components come from; None if it needs no worker.

        A suite with limits needs processes to end: all cells have a group then.
        """
        everything = self is Isolation.ALL or workshop.plan.suite.limits.given
        if self is Isolation.NONE and not everything:
            return None
        found: set[str] = set()
        for node in workshop.plan.graph.order([cell, *cell.protocol.needs(cell).welcome]):
            for component in filter(lambda value: isinstance(value, Component), vars(node).values()):
                found |= workshop.registry.distributions(component)
        foreign = tuple(sorted(found - {BUILT_IN}))
        return foreign if foreign or everything else None


class GoneError(Exception):
    """The place where a worker was is gone, and the cell with it; another place may have it."""


class RefusedError(Exception):
    """A worker has other code than the run, or cannot make its plan; the message says what."""


@dataclass
class Losses:
    """What the seats of one run know of their losses.

    Attributes:
        stages: Why the worker was lost that was at a stage, by the stage's digest: nobody tries it again.
        groups: Why no worker can be had for some distributions.
    """

    stages: dict[str, str] = field(default_factory=dict)
    groups: dict[Group, str] = field(default_factory=dict)


class Seat:
    """A place where one worker at a time runs cells, one after the other. Close it when the run is over."""

    def __init__(
        self,
        workshop: Workshop,
        hire: Callable[[], Worker],
        losses: Losses,
        tell: Listener = lambda _: None,
        made: Callable[[str], None] = lambda _: None,
        at: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare it; the worker starts when it is needed.

        Args:
            workshop: Of the run.
            hire: Starts a worker, which will say whether it is ready.
            losses: Shared by the seats of the run.
            tell: Told of epochs and warnings.
            made: Told the digest of every stage that is in the store now.
            at: Told the digest of the stage that the worker is at, whenever that changes; empty for none.
        """
        self._workshop = workshop
        self._hire = hire
        self._losses = losses
        self._tell = tell
        self._made = made
        self._at = at
        self._worker: Worker | None = None
        self._group: Group = ()
        self._shared: set[str] = set()
        self._closed = False

    def run(self, cell: Cell, group: Group | None, expected: float) -> Ran:
        """Run a cell in a worker.

        Args:
            cell: What to run.
            group: Distributions of its own; None for a cell of the project's, which has no limit.
            expected: Seconds that it takes at most, as planned.

        Raises:
            GoneError: The place is gone; the cell may be run elsewhere.
        """
        plan, keys = self._workshop.plan, self._workshop.keys
        stages = [keys.of(node).digest for node in plan.graph.order([cell])]
        limits = plan.suite.limits
        seconds = limits.seconds or (math.inf if group is None else max(FLOOR, PATIENCE * expected))
        for attempt in range(1, TRIES + 1):
            known = self._losses.groups.get(group or ()) or next(
                (self._losses.stages[each] for each in stages if each in self._losses.stages), None
            )
            if known is not None:
                return failed(plan, cell, known)
            stage = [stages[-1]]
            try:
                worker = self._started(group or ())
                own = self._workshop.store.own
                worker.send(Message("run", {"key": stages[-1], "own": sorted(own - self._shared)}))
                self._shared = set(own)
                memory = math.inf if group is None and not limits.given else self._memory
                answer = worker.answer(partial(self._hear, stage=stage), seconds, memory)
                break
            except LostError as error:
                self._end()
                if self._closed:
                    raise GoneError from error
                if error.outside and attempt < TRIES:
                    continue
                reason = f"its process {error}; plugins from {', '.join(group or ()) or BUILT_IN}"
                self._losses.stages[stage[-1]] = reason
                return failed(plan, cell, reason, error.words)
            except RefusedError as error:
                self._end()
                self._losses.groups[group or ()] = str(error)
                return failed(plan, cell, str(error))
        if answer.kind == "refused":
            self._end()
            self._losses.groups[group or ()] = str(answer.content["reason"])
            return failed(plan, cell, str(answer.content["reason"]))
        return self._ran(cell, answer)

    def close(self) -> None:
        """End the worker, whatever it is at."""
        self._closed = True
        self._end()

    def open(self) -> None:
        """Start the worker now.

        Raises:
            GoneError: The place is gone.
            RefusedError: It has other code than the run.
        """
        try:
            self._started(())
        except LostError as error:
            raise GoneError(str(error)) from error

    def _ran(self, cell: Cell, answer: Message) -> Ran:
        """What a worker says of a cell, which is the cell that it was asked for, whatever the worker says."""
        plan = self._workshop.plan
        blank = failed(plan, cell, "").row
        try:
            given = answer.content["result"]
            # Checks are cells of no row's protocol.
            flaws = list(
                row_flaws({**blank.to_json(), "protocol": "clean", **{name: given[name] for name in RESULT}})
            )
            if flaws:
                raise ValueError("; ".join(flaws))
            row = replace(blank, **result_of(given))
            own = {str(each) for each in answer.content["own"]}
        except (KeyError, TypeError, ValueError) as error:
            return failed(plan, cell, f"its process answered with no result: {error}")
        self._workshop.store.own |= own
        self._shared |= own
        return Ran(row, answer.arrays, str(answer.content.get("traceback", "")))

    def _started(self, group: Group) -> Worker:
        """The worker of a group. There is one at a time: another group gets another worker."""
        if self._worker is None or self._group != group:
            self._end()
            for attempt in range(1, _STARTS + 1):
                self._worker, self._group, self._shared = self._hire(), group, set()
                try:
                    ready = self._worker.answer(lambda _: None, FLOOR, self._memory)
                except LostError as error:
                    # It was at no cell, so that no cell is to blame.
                    if self._closed or not error.outside or attempt == _STARTS:
                        raise
                    self._end()
                    continue
                if ready.kind == "refused":
                    raise RefusedError(str(ready.content["reason"]))
                break
        assert self._worker is not None
        return self._worker

    def _hear(self, message: Message, stage: list[str]) -> None:
        match message.kind:
            case "epoch":
                self._tell(EpochDone())
            case "warned":
                self._tell(Warned(str(message.content.get("message"))))
            case "made":
                self._made(str(message.content.get("digest")))
            case "stage":
                self._at(str(message.content.get("digest", "")))
                stage[:] = [str(message.content.get("digest"))] if message.content.get("digest") else stage[:1]

    @property
    def _memory(self) -> float:
        """Bytes."""
        limit = self._workshop.plan.suite.limits.memory
        if limit is not None:
            return limit * 2**30
        return SHARE * float(psutil.virtual_memory().total)

    def _end(self) -> None:
        self._at("")
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
