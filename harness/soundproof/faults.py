"""Faults of plugins in one line: what was raised and where, whatever it is and whatever it says of itself."""

from __future__ import annotations

import traceback

from soundproof.errors import raised_at

# Longer messages are no reason but a dump.
LENGTH = 400


def reason(error: BaseException) -> str:
    """An error as the reason of a row: its type, its message on one line, and the place in the plugin's code."""
    try:
        text = str(error)
    except BaseException as second:  # a plugin's `__str__` is a plugin's code
        text = f"(its message raises {type(second).__name__})"
    printable = text.encode("utf-8", "backslashreplace").decode("utf-8")
    line = " ".join(f"{type(error).__name__}: {printable[: 4 * LENGTH]}".split())
    return (line if len(line) <= LENGTH else f"{line[: LENGTH - 1]}…") + f" ({raised_at(error)})"


def trace(error: BaseException) -> str:
    """The traceback of an error, for logs."""
    try:
        return "".join(traceback.format_exception(error))
    except BaseException:  # as above
        return "".join(traceback.format_tb(error.__traceback__))
