"""Errors that are the user's to mend, and those that a victim raises to stop an attack."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


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


class ResultsError(SoundproofError):
    """A results folder is missing, incomplete or of another schema."""


class BudgetExhaustedError(Exception):
    """The victim refused work past the budget. An attack may catch it; the harness does in any case."""


class MeteringError(Exception):
    """An attack asked for something that cannot be counted; its cell fails."""


def raised_at(error: BaseException) -> str:
    """The file and line that raised an error: `plugin.py:12`; `nowhere` if it was never raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
