"""Progress for people: a bar on a terminal, else one line a finished cell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

from soundproof.cli.output import printable, say
from soundproof.types import Status

if TYPE_CHECKING:
    from soundproof.engine.events import Finished, Reporter

# Seconds without a finished cell after which a log gets a sign of life.
HEARTBEAT = 30.0


def reporter(stream: TextIO) -> Reporter:
    """The reporter that suits a stream."""
    return Bar(stream) if stream.isatty() else Lines(stream)


def duration(seconds: float) -> str:
    """A span of time in two units: `2 h 05 min`, `3 min 20 s`, `4 s`."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"


class Lines:
    """One line a cell that was computed; cached ones are only counted."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._spoken = time.monotonic()
        self._current = ""
        self._epochs = 0

    def begin(self, total: int, cached: int, left: float) -> None:
        """Say what is to come."""
        rest = f", about {duration(left)}" if total > cached else ""
        self._say(f"{total} cells, {cached} cached{rest}")

    def start(self, title: str) -> None:
        """Remember what runs."""
        self._current, self._epochs = title, 0

    def epoch(self) -> None:
        """Show life while a classifier trains."""
        self._epochs += 1
        if time.monotonic() - self._spoken > HEARTBEAT:
            self._say(f"  … training, epoch {self._epochs}: {self._current}")

    def finish(self, event: Finished) -> None:
        """One line, unless the cell was cached and went well."""
        if event.cached and event.row.status is Status.OK:
            return
        reason = f" ({event.row.reason})" if event.row.reason else ""
        self._say(
            f"[{event.done}/{event.total}] {event.row.status}{reason} {event.row.title()}"
            f" · {event.seconds:.1f} s · {duration(event.left)} left"
        )

    def warn(self, message: str) -> None:
        """One line."""
        self._say(f"warning: {message}")

    def end(self) -> None:
        """Nothing more to say."""

    def _say(self, line: str) -> None:
        self._spoken = time.monotonic()
        say(line, self._stream)


class Bar:
    """A progress bar with the time left; only what went wrong stays on the screen."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]} left"),
            TextColumn("{task.description}", markup=False),
            console=Console(file=stream),
            transient=True,
        )
        self._task = self._progress.add_task("", total=None, left="")
        self._title = ""
        self._epochs = 0

    def begin(self, total: int, cached: int, left: float) -> None:
        """Show the bar."""
        self._progress.start()
        self._progress.update(self._task, total=total, left=duration(left), description=f"{cached} cached")

    def start(self, title: str) -> None:
        """Name the cell."""
        self._title, self._epochs = printable(title), 0
        self._progress.update(self._task, description=self._title)

    def epoch(self) -> None:
        """Count epochs behind the name."""
        self._epochs += 1
        self._progress.update(self._task, description=f"{self._title} · epoch {self._epochs}")

    def finish(self, event: Finished) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=event.done, left=duration(event.left))
        if event.row.status in {Status.FAILED, Status.INVALID}:
            line = printable(f"{event.row.status}: {event.row.title()}: {event.row.reason}")
            self._progress.console.print(line, markup=False, highlight=False)

    def warn(self, message: str) -> None:
        """One line that stays above the bar."""
        self._progress.console.print(printable(f"warning: {message}"), markup=False, highlight=False)

    def end(self) -> None:
        """Clear the bar."""
        self._progress.stop()
