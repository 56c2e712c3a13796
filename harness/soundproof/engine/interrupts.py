"""Interrupts of a run by the user, told apart from plugins that raise the same exceptions."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import FrameType


class Interrupts:
    """Whether the user asked a run to stop, by Ctrl-C or SIGTERM. Use it as a context, around the run.

    Attributes:
        asked: Whether that has happened.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        # Elsewhere signals cannot be caught, and do not arrive either.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what `signal` returned

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.asked = True
        raise KeyboardInterrupt
