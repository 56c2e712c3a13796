"""Events of a run, and the log of them. Whoever is told of a run is a function of an event."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

    from soundproof.results.files import Row


@dataclass(frozen=True)
class Begun:
    """The plan is made.

    Attributes:
        total: Cells of the run.
        cached: Those among them that are in the store.
        left: Seconds of the rest at most.
    """

    total: int
    cached: int
    left: float


@dataclass(frozen=True)
class Started:
    """A cell that is not cached begins.

    Attributes:
        title: Its name.
        epochs: Of each training that it may need; 0 if that is not known.
    """

    title: str
    epochs: int = 0


@dataclass(frozen=True)
class EpochDone:
    """An epoch of training is over."""


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
        at_most: Whether that is an upper bound, since too little has been run to know better.
        forecast: Seconds at most that were expected of it; 0 of a cached one.
    """

    row: Row
    seconds: float
    cached: bool
    done: int
    total: int
    left: float
    traceback: str = ""
    at_most: bool = False
    forecast: float = 0.0


@dataclass(frozen=True)
class Stage:
    """Stages of one kind that were computed.

    Attributes:
        name: The kind.
        seconds: What they took, added up over all places.
        bare: What their passes alone would have taken.
    """

    name: str
    seconds: float
    bare: float


@dataclass(frozen=True)
class Spent:
    """Where the time of a run went.

    Attributes:
        wall: Seconds from the first cell to the last.
        places: Cells that ran at a time.
        stages: By kind, in the order in which they were first met.
        dearest: The cells that took longest, without what they are made from: title and seconds.
    """

    wall: float
    places: int
    stages: tuple[Stage, ...]
    dearest: tuple[tuple[str, float], ...]

    @property
    def efficiency(self) -> float:
        """Share of the time of all places that bare passes would have taken; 0 if nothing was computed."""
        return sum(stage.bare for stage in self.stages) / (self.wall * self.places) if self.wall > 0 else 0.0


@dataclass(frozen=True)
class Ended:
    """The run is over, or interrupted."""


@dataclass(frozen=True)
class Warned:
    """Something went wrong that costs no result; `message` is one line."""

    message: str


Event = Begun | Started | EpochDone | Finished | Warned | Spent | Ended
Listener = Callable[[Event], None]


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

    def __call__(self, event: Event) -> None:
        """Note an event; epochs are not noted."""
        match event:
            case Begun(total, cached, left):
                entry = {"event": "begin", "cells": total, "cached": cached, "at_most_seconds": round(left, 1)}
            case Started(title):
                entry = {"event": "start", "cell": title}
            case Finished(row, seconds, cached):
                entry = {"event": "finish", "key": row.key, "status": row.status, "cached": cached}
                entry |= {"seconds": round(seconds, 3), "reason": row.reason, "traceback": event.traceback or None}
            case Spent():
                entry = {"event": "spent", "wall": round(event.wall, 3), "efficiency": round(event.efficiency, 4)}
                entry["stages"] = [
                    [each.name, round(each.seconds, 3), round(each.bare, 3)] for each in event.stages
                ]
                entry["dearest"] = [[title, round(seconds, 3)] for title, seconds in event.dearest]
            case Warned(message):
                entry = {"event": "warning", "message": message}
            case Ended():
                entry = {"event": "end"}
            case _:
                return
        line = json.dumps({"time": round(time.time(), 3), **entry}, ensure_ascii=False) + "\n"
        # A log that cannot be written costs the log.
        with contextlib.suppress(OSError):
            self._file.write(line)
            self._file.flush()
