"""The executor: runs cells at several places at once, and loses none of them when places go."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from soundproof.engine.cells import Ran, failed
from soundproof.engine.events import Warned
from soundproof.engine.isolation import GoneError, Losses, RefusedError, Seat
from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from soundproof.engine.crews import Crew
    from soundproof.engine.events import Listener
    from soundproof.engine.schedule import Schedule
    from soundproof.engine.stopwatch import Stopwatch
    from soundproof.engine.workshop import Workshop
    from soundproof.measuring.protocols.base import Cell

# Places that a cell may be lost with, by accident or not, before it is given up.
PATIENCE = 5
# Seconds that a run waits for a place when there is none, and between two looks at which there are.
WAIT, LOOK = 600.0, 1.0


@dataclass(frozen=True)
class Done:
    """A cell that was run, or given up.

    Attributes:
        cell: Which.
        ran: What came of it.
        seconds: What it took.
    """

    cell: Cell
    ran: Ran
    seconds: float


@dataclass(frozen=True)
class _Gone:
    """A place is gone, with the cell that it was at, if it was at one; `refused`: it is there and of no use."""

    place: str
    cell: Cell | None
    why: str
    refused: bool = False


@dataclass(frozen=True)
class _Open:
    place: str


class Executor:
    """Runs the cells of a schedule at the places of a crew. Use it as a context; leaving it ends all workers.

    Each place has a thread that talks to its worker; everything else, listeners included, happens in the thread
    that reads `outcomes`.
    """

    def __init__(
        self,
        workshop: Workshop,
        crew: Crew,
        job: Mapping[str, Any],
        groups: Mapping[Cell, tuple[str, ...] | None],
        expected: Mapping[Cell, float],
        tell: Listener,
        watch: Stopwatch,
    ) -> None:
        self._workshop = workshop
        self._crew = crew
        self._job = job
        self._groups = groups
        self._expected = expected
        self._tell = tell
        self._watch = watch
        self._losses = Losses()
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._seats: dict[str, Seat] = {}
        self._idle: list[str] = []
        self._useless: dict[str, str] = {}
        self._lost: Counter[Cell] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for seat in self._seats.values():
            seat.close()

    def outcomes(self, schedule: Schedule, start: Callable[[Cell], None]) -> Iterator[Done]:
        """All cells as they are done.

        Args:
            schedule: Which there are.
            start: Told of each that begins.

        Raises:
            SoundproofError: No place is left, or every one has other code than the run.
        """
        alone_since, looked = time.monotonic(), 0.0
        while schedule.left:
            if time.monotonic() - looked > LOOK:
                self._welcome()
                looked = time.monotonic()
            for place in list(self._idle):
                cell = schedule.take(place)
                if cell is not None:
                    self._idle.remove(place)
                    start(cell)
                    self._spawn(self._run, place, cell)
            if self._seats:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > (WAIT if not self._useless else LOOK):
                raise SoundproofError(self._why_alone())
            try:
                news = self._inbox.get(timeout=LOOK)
            except queue.Empty:
                continue
            yield from self._heard(news, schedule)

    def _heard(self, news: object, schedule: Schedule) -> Iterator[Done]:
        match news:
            case Done(cell):
                schedule.done(cell)
                yield news
            case _Open(place):
                self._idle.append(place)
            case str():
                schedule.made(news)
            case _Gone():
                yield from self._leave(news, schedule)
            case _:
                self._tell(news)  # type: ignore[arg-type]  # an event

    def _leave(self, gone: _Gone, schedule: Schedule) -> Iterator[Done]:
        seat = self._seats.pop(gone.place)
        seat.close()
        schedule.leave(gone.place)
        if gone.refused:
            self._useless[gone.place] = gone.why
        self._tell(Warned(f"worker {gone.place}: {gone.why}"))
        if gone.cell is None:
            return
        self._lost[gone.cell] += 1
        if self._lost[gone.cell] < PATIENCE:
            schedule.back(gone.cell)
            return
        schedule.done(gone.cell)
        reason = f"{PATIENCE} workers were lost while they ran it: {gone.why}"
        yield Done(gone.cell, failed(self._workshop.plan, gone.cell, reason), 0.0)

    def _welcome(self) -> None:
        """Open a seat at every place that is new."""
        for place in self._crew.places():
            if place not in self._seats and place not in self._useless:
                self._seats[place] = Seat(
                    self._workshop,
                    lambda place=place: self._crew.hire(place, self._job),  # type: ignore[misc]
                    self._losses,
                    self._inbox.put,
                    self._inbox.put,
                    self._watch.at(place),
                )
                self._spawn(self._open, place)

    def _spawn(self, work: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def _open(self, place: str) -> None:
        try:
            self._seats[place].open()
        except GoneError as error:
            self._inbox.put(_Gone(place, None, str(error)))
        except RefusedError as error:
            self._inbox.put(_Gone(place, None, str(error), refused=True))
        else:
            self._inbox.put(_Open(place))

    def _run(self, place: str, cell: Cell) -> None:
        start = time.perf_counter()
        try:
            ran = self._seats[place].run(cell, self._groups[cell], self._expected.get(cell, 0.0))
        except GoneError as error:
            self._inbox.put(_Gone(place, cell, str(error)))
        except BaseException as error:  # a thread that ends without a word would leave the run waiting
            self._inbox.put(_Gone(place, cell, f"{type(error).__name__}: {error}"))
        else:
            self._inbox.put(Done(cell, ran, time.perf_counter() - start))
            self._inbox.put(_Open(place))

    def _why_alone(self) -> list[str]:
        if self._useless:
            return [f"worker {place} cannot take part: {why}" for place, why in self._useless.items()]
        return [f"no worker for {WAIT:.0f} s; start some, and the same command goes on from here"]
