"""The stopwatch of a run: which stage was made where, from when to when; also as a trace that browsers draw."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Span:
    """A stretch of time in which a place was at one stage, and at none of those that it needs.

    Attributes:
        place: A worker's name, or `here`.
        stage: The stage's digest.
        start: Seconds since the stopwatch was made.
        end: Likewise.
    """

    place: str
    stage: str
    start: float
    end: float


@dataclass
class Stopwatch:
    """Collects spans; each place is told of by one thread.

    Attributes:
        clock: Seconds since any time.
        spans: Those that are over.
    """

    clock: Callable[[], float] = time.perf_counter

    spans: list[Span] = field(default_factory=list)
    _begun: float = field(init=False)
    _open: dict[str, tuple[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._begun = self.clock()

    def at(self, place: str) -> Callable[[str], None]:
        """What to tell the stage that a place is at, whenever that changes; empty for none."""
        return partial(self._switch, place)

    def by_stage(self) -> Mapping[str, float]:
        """Seconds by digest."""
        found: dict[str, float] = defaultdict(float)
        for span in self.spans:
            found[span.stage] += span.end - span.start
        return found

    def write(self, path: Path, title: Callable[[str], str]) -> None:
        """Write a trace in Chrome's format, for chrome://tracing and https://ui.perfetto.dev.

        Args:
            path: Replaced if it exists.
            title: Of a stage, by its digest.
        """
        lanes = {place: lane for lane, place in enumerate(dict.fromkeys(span.place for span in self.spans))}
        shared = {"pid": 1, "ph": "X", "cat": "stage"}
        events: list[dict[str, object]] = [
            {"pid": 1, "tid": lane, "ph": "M", "name": "thread_name", "args": {"name": f"place {place}"}}
            for place, lane in lanes.items()
        ]
        events += [
            {
                **shared,
                "tid": lanes[span.place],
                "name": title(span.stage),
                "ts": round(1e6 * span.start),
                "dur": round(1e6 * (span.end - span.start)),
                "args": {"stage": span.stage},
            }
            for span in self.spans
        ]
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_text(json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}), "utf-8")
        beside.replace(path)

    def _switch(self, place: str, stage: str) -> None:
        now = self.clock() - self._begun
        if place in self._open:
            before, start = self._open.pop(place)
            self.spans.append(Span(place, before, start, now))
        if stage:
            self._open[place] = stage, now
