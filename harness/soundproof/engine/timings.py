"""Timings of earlier cells on this machine, by which forecasts of the next ones are corrected.

A forecast knows what a cell costs at most. How much of it is spent depends on the attack, which stops when it has
succeeded, and on the machine: cells that ran here say it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from soundproof.engine.events import Finished
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from soundproof.engine.environment import Environment
    from soundproof.engine.events import Event
    from soundproof.measuring.protocols.base import Cell

FILE = "timings.json"


class Timings:
    """Seconds that cells took and were expected to take at most, summed by protocol, attack and defense.

    Told of a run's events, it learns from them; the sums are kept in the cache folder, apart for each device and
    number of threads. Nothing but forecasts reads them.
    """

    def __init__(self, root: Path, environment: Environment) -> None:
        self._path = root / FILE
        self._place = f"{environment.device}, {environment.threads} threads"
        self._sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
            for key, (spent, expected) in json.loads(self._path.read_text("utf-8"))[self._place].items():
                self._sums[key] = [float(spent), float(expected)]

    def __call__(self, event: Event) -> None:
        """Learn from a cell that was computed and scored."""
        if isinstance(event, Finished) and event.forecast > 0 and event.row.status is Status.OK:
            row = event.row
            for key in _keys(row.protocol, row.attack, row.defense):
                self._sums[key][0] += event.seconds
                self._sums[key][1] += event.forecast
            self._write()

    def corrected(self, expected: Mapping[Cell, float]) -> dict[Cell, float]:
        """Seconds that cells will take, from what they take at most."""
        return {cell: seconds * self.share(cell) for cell, seconds in expected.items()}

    def share(self, cell: Cell) -> float:
        """Share of a cell's forecast that cells like it took here; 1 where nothing is known."""
        attack = None if cell.attack is None else {"id": cell.attack.id}
        for key in _keys(cell.protocol.id, attack, {"id": cell.classifier.defense.id}):
            spent, expected = self._sums.get(key, (0.0, 0.0))
            if expected > 0:
                return spent / expected
        return 1.0

    @property
    def known(self) -> bool:
        """Whether any cell was timed here."""
        return bool(self._sums)

    def _write(self) -> None:
        """Keep the sums; a cache that cannot be written costs a better forecast and nothing else."""
        with contextlib.suppress(OSError, ValueError):
            there: dict[str, Any] = {}
            with contextlib.suppress(OSError, ValueError):
                there = json.loads(self._path.read_text("utf-8"))
            there[self._place] = self._sums
            beside = self._path.with_suffix(f".{os.getpid()}")
            beside.write_text(json.dumps(there, sort_keys=True), "utf-8")
            beside.replace(self._path)


def _keys(protocol: str, attack: dict[str, Any] | None, defense: dict[str, Any]) -> Iterator[str]:
    """What a cell is like, most alike first."""
    name = "" if attack is None else attack["id"]
    yield f"{protocol} {name} {defense['id']}"
    yield f"{protocol} {name}"
    yield protocol
    yield "all"
