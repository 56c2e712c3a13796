"""Cells in processes of their own: whatever a plugin does to its process, the run goes on.

Cells whose components come from the same distributions share a worker, one after the other; another set gets
another worker. What a cell does to its process (it exits, aborts, hangs, fills the memory) ends that worker, makes
this cell a failed row, and the next cell gets a fresh one. Results are the same bytes as without workers.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import psutil

from soundproof.contract.components import Component
from soundproof.contract.registry import BUILT_IN
from soundproof.engine.cells import RESULT, Ran, failed
from soundproof.engine.channel import ChannelError, Message, receive, send
from soundproof.engine.events import EpochDone, Warned
from soundproof.results.files import result_of
from soundproof.results.integrity import row_flaws

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from soundproof.engine.events import Listener
    from soundproof.engine.workshop import Workshop
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.form import LimitsTable

# Where the suite sets no limit, a cell may take so many times what is planned at most, which is of an idle
# machine, and never less than the floor, s; and its worker may fill so large a share of the machine's memory.
PATIENCE, FLOOR = 20.0, 600.0
SHARE = 0.8
# Seconds between two looks at a worker's memory, and those that a worker gets to end by itself.
_LOOK, _GRACE = 0.1, 2.0
_COMMAND = (sys.executable, "-P", "-c", "from soundproof.engine.worker import main; main()")
# Bytes of a worker's standard error that are kept for the log.
_TAIL = 8192


class Isolation(StrEnum):
    """Cells that run in processes of their own: those with components of other distributions, all, or none."""

    PLUGINS = "plugins"
    ALL = "all"
    NONE = "none"


class _LostError(Exception):
    """A worker is gone; the message says why."""


class _Worker:
    """One process, from its start to its end."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109 - text, as in the path
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            # Ctrl-C is the run's, which ends its workers itself.
            start_new_session=True,
        )
        self._inbox: queue.SimpleQueue[Message | str | None] = queue.SimpleQueue()
        self._tail: deque[bytes] = deque()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._drain, daemon=True).start()
        self.send(Message("job", job))

    @property
    def last_words(self) -> str:
        """The end of what it printed."""
        return b"".join(self._tail)[-_TAIL:].decode("utf-8", "backslashreplace")

    def send(self, message: Message) -> None:
        """Ask something; a worker that is gone shows in the answer."""
        assert self._process.stdin is not None
        with suppress(OSError):
            send(self._process.stdin, message)

    def answer(self, hear: Callable[[Message], None], seconds: float, memory: float) -> Message:
        """The answer to what was asked last.

        Args:
            hear: Told of all that comes before it.
            seconds: How long it may take.
            memory: Bytes that the worker and its children may hold.

        Raises:
            _LostError: There was none; the worker is gone.
        """
        end, look = time.monotonic() + seconds, 0.0
        while True:
            now = time.monotonic()
            if now > end:
                raise self._lost(f"took longer than {seconds:.0f} s ([limits] seconds allows more)")
            if now > look:
                look = now + _LOOK
                if self._held() > memory:
                    raise self._lost(f"held more than {memory / 2**30:.3g} GiB ([limits] memory allows more)")
            try:
                message = self._inbox.get(timeout=_LOOK)
            except queue.Empty:
                continue
            if message is None:
                raise self._lost(None)
            if isinstance(message, str):
                raise self._lost(f"sent no message: {message}")
            if message.kind in {"ready", "ran", "refused"}:
                return message
            hear(message)

    def close(self) -> None:
        """End it, whatever it is at."""
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self._kill()

    def _lost(self, why: str | None) -> _LostError:
        """Why it is gone: as told, or by how it ended itself."""
        if why is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
            why = _ending(self._process.poll())
        self._kill()
        return _LostError(why)

    def _kill(self) -> None:
        for process in self._family():
            with suppress(psutil.Error):
                process.kill()
        self._process.kill()
        self._process.wait()

    def _held(self) -> int:
        """Bytes of memory that it and its children hold."""
        held = 0
        for process in self._family():
            with suppress(psutil.Error):
                held += process.memory_info().rss
        return held

    def _family(self) -> list[psutil.Process]:
        try:
            process = psutil.Process(self._process.pid)
            return [process, *process.children(recursive=True)]
        except psutil.Error:
            return []

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while (message := receive(self._process.stdout)) is not None:
                self._inbox.put(message)
        except ChannelError as error:
            self._inbox.put(str(error))
        self._inbox.put(None)

    def _drain(self) -> None:
        assert self._process.stderr is not None
        kept = 0
        while chunk := self._process.stderr.read1(_TAIL):  # type: ignore[attr-defined]  # it is buffered
            self._tail.append(chunk)
            kept += len(chunk)
            while kept - len(self._tail[0]) > _TAIL:
                kept -= len(self._tail.popleft())


def _ending(code: int | None) -> str:
    if code is None:
        return "closed its channel"
    if code < 0:
        name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
        return f"was ended by {name}" + (
            ", which the system sends when memory runs out" if name == "SIGKILL" else ""
        )
    return f"ended itself with exit code {code}"


class Workers:
    """Runs cells in workers. Use it as a context; leaving it ends them.

    A stage that a worker died in is not tried again: cells that need it fail with the same reason.
    """

    def __init__(
        self,
        workshop: Workshop,
        job: Mapping[str, Any],
        isolation: Isolation,
        limits: LimitsTable,
        tell: Listener = lambda _: None,
    ) -> None:
        """Prepare them; processes start when they are needed.

        Args:
            workshop: Of the run.
            job: What a worker makes its plan from, as in `soundproof.engine.worker.Job`.
            isolation: Which cells are theirs. A suite with limits needs a process to end: all are then.
            limits: Of each cell.
            tell: Told of epochs and warnings.
        """
        self._workshop = workshop
        self._job = job
        self._isolation = Isolation.ALL if limits.given else isolation
        self._limits = limits
        self._tell = tell
        self._worker: _Worker | None = None
        self._group: tuple[str, ...] = ()
        self._shared: set[str] = set()
        self._lost: dict[str, str] = {}
        self._refused: dict[tuple[str, ...], str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def group(self, cell: Cell) -> tuple[str, ...] | None:
        """The distributions other than this one that a cell's components come from; None if it needs no worker."""
        if self._isolation is Isolation.NONE:
            return None
        found: set[str] = set()
        for node in self._workshop.plan.graph.order([cell, *cell.protocol.needs(cell).welcome]):
            for component in filter(lambda value: isinstance(value, Component), vars(node).values()):
                found |= self._workshop.registry.distributions(component)
        foreign = tuple(sorted(found - {BUILT_IN}))
        return foreign if foreign or self._isolation is Isolation.ALL else None

    def run(self, cell: Cell, group: tuple[str, ...], expected: float) -> Ran:
        """Run a cell in a worker.

        Args:
            cell: What to run.
            group: Of the cell.
            expected: Seconds that it takes at most, as planned.
        """
        plan, keys = self._workshop.plan, self._workshop.keys
        stages = [keys.of(node).digest for node in plan.graph.order([cell])]
        known = self._refused.get(group) or next((self._lost[each] for each in stages if each in self._lost), None)
        if known is not None:
            return failed(plan, cell, known)
        stage = [stages[-1]]
        try:
            worker = self._started(group)
            own = self._workshop.store.own
            worker.send(Message("run", {"key": stages[-1], "own": sorted(own - self._shared)}))
            self._shared = set(own)
            seconds = self._limits.seconds or max(FLOOR, PATIENCE * expected)
            answer = worker.answer(lambda message: self._hear(message, stage), seconds, self._memory)
        except _LostError as error:
            words = self._worker.last_words if self._worker is not None else ""
            self._end()
            reason = f"its process {error}; plugins from {', '.join(group) or BUILT_IN}"
            self._lost[stage[-1]] = reason
            return failed(plan, cell, reason, words)
        if answer.kind == "refused":
            self._end()
            self._refused[group] = str(answer.content["reason"])
            return failed(plan, cell, self._refused[group])
        return self._ran(cell, answer)

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

    def _started(self, group: tuple[str, ...]) -> _Worker:
        """The worker of a group. There is one at a time: cells of a group come one after the other."""
        if self._worker is None or self._group != group:
            self._end()
            self._worker, self._group, self._shared = _Worker(self._job), group, set()
            ready = self._worker.answer(lambda _: None, FLOOR, self._memory)
            if ready.kind == "refused":
                self._refused[group] = str(ready.content["reason"])
                raise _LostError(f"could not start: {self._refused[group]}")
        return self._worker

    def _hear(self, message: Message, stage: list[str]) -> None:
        match message.kind:
            case "epoch":
                self._tell(EpochDone())
            case "warned":
                self._tell(Warned(str(message.content.get("message"))))
            case "stage":
                stage[:] = [str(message.content.get("digest"))] if message.content.get("digest") else stage[:1]

    @property
    def _memory(self) -> float:
        """Bytes."""
        if self._limits.memory is not None:
            return self._limits.memory * 2**30
        return SHARE * float(psutil.virtual_memory().total)

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None
