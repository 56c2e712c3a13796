"""A worker: a process that runs cells for a run and tells what became of them.

It is started as `python -m soundproof.engine.worker`, gets a job and then one cell after the other on its standard
input, and answers on its standard output. What plugins print goes to standard error. Whatever happens to it
happens to the cell that it is at, and to no other.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof import faults
from soundproof.contract.discovery import discover
from soundproof.engine.cells import RESULT, run_cell
from soundproof.engine.channel import Message, receive, send
from soundproof.engine.code import unlike
from soundproof.engine.environment import Environment
from soundproof.engine.interrupts import Interrupts
from soundproof.engine.measurements import Measurements
from soundproof.engine.store import Store
from soundproof.engine.workshop import Workshop
from soundproof.errors import SoundproofError
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

    from soundproof.measuring.protocols.base import Cell


@dataclass(frozen=True, eq=False)
class Job:
    """What a worker needs to make the run's plan for itself.

    Attributes:
        suite: The suite's document.
        only: Ids to keep, by kind.
        root: The data folder.
        cache: The store's folder.
        fresh: Whether the store does not show what earlier runs left.
        environment: Device and threads.
        code: What computes, as the run has it; see `code_of`.
    """

    suite: Mapping[str, Any]
    only: Mapping[str, list[str]]
    root: str
    cache: str
    fresh: bool
    environment: Mapping[str, Any]
    code: Mapping[str, Mapping[str, str]]


class _Desk:
    """The worker's side: its plan, and what it holds in memory between cells."""

    def __init__(self, job: Job, replies: IO[bytes]) -> None:
        def tell(kind: str, **content: Any) -> None:
            send(replies, Message(kind, content))

        registry = discover()
        others = list(unlike(job.code, registry))
        if others:
            raise SoundproofError(others)
        self.plan = make_plan(load_suite(job.suite, registry), Path(job.root), job.only)
        self.store = Store(Path(job.cache), fresh=job.fresh, warn=lambda message: tell("warned", message=message))
        self.workshop = Workshop(
            self.plan,
            registry,
            Environment(**job.environment),
            self.store,
            Path(job.root),
            on_epoch=lambda: tell("epoch"),
            on_stage=lambda digest: tell("stage", digest=digest),
            on_made=lambda digest: tell("made", digest=digest),
        )
        self.measurements = Measurements(self.workshop)
        self.interrupts = Interrupts()
        self._family: object = None

    def run(self, cell: Cell, own: list[str]) -> Message:
        """Run a cell.

        Args:
            cell: Which.
            own: Digests of the entries that the run has put into the store.
        """
        self.store.own |= set(own)
        before = set(self.store.own)
        family = cell.classifier.trained.family
        if family != self._family:
            self.measurements.forget()
        self._family = family
        ran = run_cell(self.measurements, self.plan, cell, self.interrupts)
        result = {name: value for name, value in ran.row.to_json().items() if name in RESULT}
        content = {"result": result, "traceback": ran.traceback, "own": sorted(self.store.own - before)}
        return Message("ran", content, ran.samples)


def main() -> None:
    """Serve until the run closes its end; then end at once, in the middle of a cell, too."""
    with _wires() as (requests, replies):
        inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        job = receive(requests)
        threading.Thread(target=_listen, args=(requests, inbox), daemon=True).start()
        assert job is not None
        try:
            desk = _Desk(Job(**job.content), replies)
            cells = {desk.workshop.keys.of(cell).digest: cell for cell in desk.plan.tasks}
        except BaseException as error:  # whatever a plugin raises when it is planned with
            lines = error.problems if isinstance(error, SoundproofError) else [faults.reason(error)]
            send(replies, Message("refused", {"reason": "; ".join(lines)}))
            return
        send(replies, Message("ready"))
        while True:
            asked = inbox.get().content
            cell = cells.get(asked["key"])
            if cell is None:
                send(replies, Message("refused", {"reason": "code or data changed during the run: run it again"}))
                return
            send(replies, desk.run(cell, asked["own"]))


@contextmanager
def _wires() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Standard input and output, for nobody else: plugins read nothing, and print to standard error."""
    with os.fdopen(os.dup(0), "rb") as requests, os.fdopen(os.dup(1), "wb") as replies:
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        yield requests, replies


def _listen(requests: IO[bytes], inbox: queue.SimpleQueue[Message]) -> None:
    """Pass requests on. When the run is gone there is nobody to work for."""
    while (message := receive(requests)) is not None:
        inbox.put(message)
    os._exit(0)


if __name__ == "__main__":
    main()
