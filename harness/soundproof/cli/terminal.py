"""Progress for people: a bar on a terminal, else one line a finished cell."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from soundproof.cli.output import printable, say
from soundproof.engine.events import Begun, Ended, EpochDone, Finished, Spent, Started, Warned
from soundproof.types import Status

if TYPE_CHECKING:
    from soundproof.engine.events import Event, Listener

# Seconds without a finished cell after which a log gets a sign of life.
HEARTBEAT = 30.0
# Seconds of a run from which on its dearest cells are worth naming; the log of events names them always.
_LONG = 600.0


def listener(stream: TextIO) -> Listener:
    """Listener that suits a stream."""
    return Bar(stream) if stream.isatty() else Lines(stream)


def duration(seconds: float) -> str:
    """A span of time in two units: `2 h 05 min`, `3 min 20 s`, `4 s`."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"


def remaining(event: Finished) -> str:
    """The time left in words."""
    return f"{'at most ' * event.at_most}{duration(event.left)} left"


def accounted(event: Spent) -> list[str]:
    """Where the time went: the stages in one line, and the dearest cells of a run that took a while."""
    at = f" at {event.places} places" if event.places > 1 else ""
    stages = sorted(event.stages, key=lambda each: -each.seconds)
    shares = [f"{each.name} {duration(each.seconds)}" for each in stages if each.seconds >= 0.5]
    lines = [
        f"{event.efficiency:.0%} of {duration(event.wall)}{at} were passes through networks at their bare speed"
        + (f"; {', '.join(shares)}" if shares else "")
    ]
    if event.wall >= _LONG:
        lines += [f"  {seconds:.1f} s {title}" for title, seconds in event.dearest]
    return lines


@dataclass
class Epochs:
    """Epochs of the cell at hand: a model and its defense are trained one after the other."""

    of: int = 0
    done: int = 0

    def __str__(self) -> str:
        return f"epoch {(self.done - 1) % self.of + 1} of {self.of}" if self.of else f"epoch {self.done}"


class Lines:
    """One line a cell that was computed; cached ones are only counted."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._spoken = time.monotonic()
        self._current = ""
        self._epochs = Epochs()

    def __call__(self, event: Event) -> None:
        """Say what is worth a line."""
        match event:
            case Begun(total, cached, left):
                rest = f", at most {duration(left)}" if total > cached else ""
                self._say(f"{total} cells, {cached} cached{rest}")
            case Started(title, epochs):
                self._current, self._epochs = title, Epochs(epochs)
            case EpochDone():
                self._epochs.done += 1
                if time.monotonic() - self._spoken > HEARTBEAT:
                    self._say(f"  … training, {self._epochs}: {self._current}")
            case Finished(row, seconds, cached) if not (cached and row.status is Status.OK):
                reason = f" ({row.reason})" if row.reason else ""
                self._say(
                    f"[{event.done}/{event.total}] {row.status}{reason} {row.title()}"
                    f" · {seconds:.1f} s · {remaining(event)}"
                )
            case Warned(message):
                self._say(f"warning: {message}")
            case Spent():
                for line in accounted(event):
                    self._say(line)

    def _say(self, line: str) -> None:
        self._spoken = time.monotonic()
        say(line, self._stream)


class Bar:
    """A progress bar with the time left; only what went wrong stays on the screen."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
        from rich.table import Column

        # The name of the cell gets what the rest leaves: at 80 columns the bar must not be squeezed out.
        fixed, cut = Column(no_wrap=True), Column(no_wrap=True, overflow="ellipsis", ratio=1)
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=12, table_column=fixed),
            MofNCompleteColumn(table_column=fixed),
            TextColumn("{task.fields[left]}", table_column=fixed),
            TextColumn("{task.description}", markup=False, table_column=cut),
            console=Console(file=stream),
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task("", total=None, left="")
        self._title = ""
        self._epochs = Epochs()

    def __call__(self, event: Event) -> None:
        """Move the bar, and leave on the screen what went wrong."""
        match event:
            case Begun(total, cached, left):
                self._progress.start()
                time_left = f"at most {duration(left)} left" if total > cached else ""
                self._progress.update(self._task, total=total, left=time_left, description=f"{cached} cached")
            case Started(title, epochs):
                self._title, self._epochs = printable(title), Epochs(epochs)
                self._progress.update(self._task, description=self._title)
            case EpochDone():
                self._epochs.done += 1
                self._progress.update(self._task, description=f"{self._epochs} · {self._title}")
            case Finished(row):
                self._progress.update(self._task, completed=event.done, left=remaining(event))
                if row.status.broken:
                    self._keep(f"{row.status}: {row.title()}: {row.reason}")
            case Warned(message):
                self._keep(f"warning: {message}")
            case Spent():
                for line in accounted(event):
                    self._keep(line)
            case Ended():
                self._progress.stop()

    def _keep(self, line: str) -> None:
        """A line that stays above the bar."""
        self._progress.console.print(printable(line), markup=False, highlight=False)
