"""Errors that are the user's to mend, and those that a victim raises to stop an attack."""

from __future__ import annotations

import difflib
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Folders of code that plugins call.
_LIBRARIES = frozenset(
    {"soundproof", "torch", "torchvision", "numpy", "scipy", "sklearn", "librosa", "soxr", "art"}
)


def hint(name: object, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest known ones, or all where none is near.

    Args:
        name: What was written.
        known: What could have been.
    """
    wanted = str(name).lower()[:100]
    likeness = {one: difflib.SequenceMatcher(None, wanted, one.lower()).ratio() for one in known}
    best = max(likeness.values(), default=0.0)
    if best >= 0.5:
        # The nearest, and those that are about as near.
        near = [one for one, ratio in likeness.items() if ratio > best - 0.05]
        return f"did you mean {' or '.join(map(repr, near[:3]))}?"
    return f"known: {', '.join(likeness)}" if likeness else "there are none"


def shown(value: object, length: int = 80) -> str:
    """A value as a message shows it: on one line, and not at length."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # integers of thousands of digits; lists in lists in lists
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= length else f"{text[: length - 1]}…"


class SoundproofError(Exception):
    """Bad input: a suite, an argument, a data folder, a results folder. The command line exits with 2.

    Attributes:
        problems: Every problem found, each one line that names the culprit and the remedy.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class SuiteError(SoundproofError):
    """A suite names something that does not exist or asks for something impossible."""


class PluginError(SoundproofError):
    """A component is unknown, refused, or its plugin does not load."""


class DataError(SoundproofError):
    """Audio is missing, damaged or not in its published layout."""


class AbsentError(DataError):
    """A data set is not there at all, as opposed to damaged: the rest of a suite can do without it."""


class ResultsError(SoundproofError):
    """A results folder is missing, incomplete or of another schema."""


class BudgetExhaustedError(Exception):
    """The victim refused work past the budget. An attack may catch it; the harness does in any case."""


class MeteringError(Exception):
    """An attack asked for something that cannot be counted; its cell fails."""


def raised_at(error: BaseException) -> str:
    """The file and line of a plugin that an error comes from: `plugin.py:12`; `nowhere` if it was never raised.

    It is the innermost line that is neither this package's nor a library's that plugins call.
    """
    frames = traceback.extract_tb(error.__traceback__)
    foreign = [frame for frame in frames if not _LIBRARIES & set(Path(frame.filename).parts)] or frames
    return f"{Path(foreign[-1].filename).name}:{foreign[-1].lineno}" if foreign else "nowhere"
