"""Shows how far a long piece of work is: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from soundproof.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Seconds between lines where there is no terminal.
PAUSE = 30.0


@contextmanager
def meter(stream: TextIO, title: str, describe: Callable[[int, int], str]) -> Iterator[Callable[[int, int], None]]:
    """Within this block, call what it gives with `(done, total)`; total is 0 while it is not known."""
    if stream.isatty():
        with _bar(stream, title, describe) as update:
            yield update
        return
    spoken = time.monotonic()

    def line(done: int, total: int) -> None:
        nonlocal spoken
        if time.monotonic() - spoken > PAUSE:
            spoken = time.monotonic()
            say(f"{title}: {describe(done, total)}", stream)

    yield line


@contextmanager
def _bar(stream: TextIO, title: str, describe: Callable[[int, int], str]) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[text]}"))
    progress = Progress(*columns, console=Console(file=stream), transient=True)
    task = progress.add_task(title, total=None, text="")

    def update(done: int, total: int) -> None:
        progress.start()
        progress.update(task, completed=done, total=total or None, text=describe(done, total))
        if done == total:  # something else may draw on the terminal until there is more of it
            progress.stop()

    try:
        yield update
    finally:
        progress.stop()


@contextmanager
def reading(stream: TextIO) -> Iterator[None]:
    """Within this block, show how far the reading of audio files is."""
    from soundproof.data.audio import watched

    with meter(stream, "reading audio", lambda done, total: f"{done} of {total} files") as tell, watched(tell):
        yield
