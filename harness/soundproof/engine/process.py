"""A process that runs cells, seen from the run that started it: from its start to its end."""

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
from typing import TYPE_CHECKING, Any, Protocol

import psutil

from soundproof.engine.channel import ChannelError, Message, receive, send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Seconds between two looks at a worker's memory, and those that a worker gets to end by itself.
_LOOK, _GRACE = 0.1, 2.0
_COMMAND = (sys.executable, "-P", "-c", "from soundproof.engine.worker import main; main()")
# Bytes of a worker's standard error that are kept for the log.
_TAIL = 8192
# Signals that come from outside: a batch system, an operator, a machine that runs out of memory.
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM)
ANSWERS = frozenset({"ready", "ran", "refused"})


class LostError(Exception):
    """A worker is gone; the message says why.

    Attributes:
        outside: Whether something outside of it may have ended it, so that another try makes sense.
        words: The end of what it printed.
    """

    def __init__(self, why: str, words: str = "", *, outside: bool = False) -> None:
        super().__init__(why)
        self.words = words
        self.outside = outside


class Worker(Protocol):
    """Whatever runs cells elsewhere."""

    def send(self, message: Message) -> None:
        """Ask something; that it is gone shows in the answer."""

    def answer(self, hear: Callable[[Message], None], seconds: float, memory: float) -> Message:
        """The answer to what was asked last.

        Args:
            hear: Told of all that comes before it.
            seconds: How long it may take.
            memory: Bytes that the worker and its children may hold.

        Raises:
            LostError: There was none; the worker is gone.
        """

    def close(self) -> None:
        """End it, whatever it is at."""


class Process:
    """A worker on this machine.

    Args:
        job: What it makes its plan from, as in `soundproof.engine.worker.Job`.
        environment: Variables that differ from this process'.
    """

    def __init__(self, job: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> None:
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109 - text, as in the path
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {}), "PYTHONPATH": path},
            # Ctrl-C is the run's, which ends its workers itself.
            start_new_session=True,
        )
        self._inbox: queue.SimpleQueue[Message | str | None] = queue.SimpleQueue()
        self._tail: deque[bytes] = deque()
        self._listeners = [threading.Thread(target=each, daemon=True) for each in (self._read, self._drain)]
        for listener in self._listeners:
            listener.start()
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
        """See `Worker`."""
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
            if message.kind in ANSWERS:
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

    def _lost(self, why: str | None) -> LostError:
        """Why it is gone: as told, or by how it ended itself."""
        outside = False
        if why is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
            code = self._process.poll()
            why, outside = _ending(code), code is not None and -code in _FROM_OUTSIDE
        self._kill()
        return LostError(why, self.last_words, outside=outside)

    def _kill(self) -> None:
        for process in self._family():
            with suppress(psutil.Error):
                process.kill()
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        # They end with the pipes, unless a process that it left behind holds these.
        for listener in self._listeners:
            listener.join(_GRACE)

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
        with self._process.stdout as replies:
            try:
                while (message := receive(replies)) is not None:
                    self._inbox.put(message)
            except ChannelError as error:
                self._inbox.put(str(error))
            self._inbox.put(None)

    def _drain(self) -> None:
        assert self._process.stderr is not None
        kept = 0
        with self._process.stderr as said:
            while chunk := said.read1(_TAIL):  # type: ignore[attr-defined]  # it is buffered
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
