"""What a run tells while it goes on. The runner speaks to a `Reporter`; terminals and files implement it."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soundproof.results.files import Row


@dataclass(frozen=True)
class Finished:
    """One cell is done.

    Attributes:
        row: Its result.
        seconds: What it took.
        cached: Whether it came from the store.
        done: Cells finished so far.
        total: Cells of the run.
        left: Expected seconds of the rest.
        traceback: Of a failure.
    """

    row: Row
    seconds: float
    cached: bool
    done: int
    total: int
    left: float
    traceback: str = ""


class Reporter(Protocol):
    """Listens to a run."""

    def begin(self, total: int, cached: int, left: float) -> None:
        """The plan is made: so many cells, so many of them cached, so many seconds expected."""

    def start(self, title: str) -> None:
        """A cell that is not cached begins."""

    def epoch(self) -> None:
        """An epoch of training is over."""

    def finish(self, event: Finished) -> None:
        """A cell is done."""

    def warn(self, message: str) -> None:
        """Something went wrong that costs no result, in one line."""

    def end(self) -> None:
        """The run is over, or interrupted."""


class EventLog:
    """Writes `events.jsonl`: what happened when. Nothing that is compared between runs is in it.

    Use it as a context; leaving it closes the file. A disk that fills up ends the log and not the run.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._file.close()

    def begin(self, total: int, cached: int, left: float) -> None:
        """Note the start of a run."""
        self._write({"event": "begin", "cells": total, "cached": cached, "expected_seconds": round(left, 1)})

    def start(self, title: str) -> None:
        """Note a cell's start."""
        self._write({"event": "start", "cell": title})

    def epoch(self) -> None:
        """Epochs are not noted."""

    def finish(self, event: Finished) -> None:
        """Note a cell's end, with the traceback of a failure."""
        row = event.row
        entry = {"event": "finish", "key": row.key, "status": row.status, "cached": event.cached}
        entry |= {"seconds": round(event.seconds, 3), "reason": row.reason, "traceback": event.traceback or None}
        self._write(entry)

    def warn(self, message: str) -> None:
        """Note a warning."""
        self._write({"event": "warning", "message": message})

    def end(self) -> None:
        """Note the end."""
        self._write({"event": "end"})

    def _write(self, entry: dict[str, object]) -> None:
        line = json.dumps({"time": round(time.time(), 3), **entry}, ensure_ascii=False) + "\n"
        with contextlib.suppress(OSError):
            self._file.write(line)
            self._file.flush()


class Both:
    """Passes everything on to several reporters."""

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self._reporters = reporters

    def begin(self, total: int, cached: int, left: float) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.begin(total, cached, left)

    def start(self, title: str) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.start(title)

    def epoch(self) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.epoch()

    def finish(self, event: Finished) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.finish(event)

    def warn(self, message: str) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.warn(message)

    def end(self) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.end()
