"""Comparison of what lies on disk: a results folder against another one, or against a baseline's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof.gate import baseline as baselines
from soundproof.gate.outcomes import side_of
from soundproof.gate.rules import rules_of
from soundproof.gate.verdict import judge
from soundproof.results.files import ROWS, read

if TYPE_CHECKING:
    from pathlib import Path

    from soundproof.gate.verdict import Report
    from soundproof.results.files import Results

BASELINE = "baseline.json"


def compare(baseline: Path, candidate: Path) -> Report:
    """Compare a run with what is expected of it, by the rules of the candidate's suite.

    Args:
        baseline: A baseline's file, or a results folder.
        candidate: A results folder.

    Raises:
        ResultsError: Either is missing or damaged.
    """
    found = read(candidate)
    rules = rules_of(_table(found))
    if baseline.is_dir() and (baseline / ROWS).exists():
        expected = side_of(read(baseline), str(baseline), rules)
    else:
        expected = baselines.read(baseline / BASELINE if baseline.is_dir() else baseline)
    return judge(expected, side_of(found, str(candidate), rules), rules)


def update(baseline: Path, candidate: Path, reason: str) -> Path:
    """Make a run the baseline of those to come, and return its file.

    Args:
        baseline: The file, or the folder that it lies in.
        candidate: A results folder.
        reason: Why these are the numbers to expect.

    Raises:
        ResultsError: The run is missing, damaged or has failed cells, or there is no reason.
    """
    found = read(candidate)
    path = baseline / BASELINE if baseline.is_dir() or not baseline.suffix else baseline
    baselines.write(path, side_of(found, str(candidate), rules_of(_table(found))), reason)
    return path


def _table(results: Results) -> dict[str, object]:
    suite = results.run.get("suite") or {}
    return suite.get("gate") or {}
