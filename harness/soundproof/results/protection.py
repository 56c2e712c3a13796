"""Protects a results folder from a run that would leave less in it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from soundproof.errors import ResultsError
from soundproof.results.files import ROWS, RUN

if TYPE_CHECKING:
    from pathlib import Path

# What a run also writes, and what a folder of somebody else's may hold.
_PAGES = ("index.html", "README.md")


def protect(out: Path, suite: str, rows: int) -> None:
    """Refuse a results folder that a run would make poorer; call it before anything runs.

    A suite is known by its name: when it has changed and gives as many rows or more, its results are replaced.
    What is too damaged to be read is not protected.

    Args:
        out: Where the run will write; it need not exist.
        suite: The name of the suite.
        rows: Rows that the run will write, skipped ones among them.

    Raises:
        ResultsError: The folder holds another suite's results, or more rows of this one, or pages that no run
            wrote; or it cannot be a folder.
    """
    try:
        out.stat()
        written = (out / RUN).read_text("utf-8", "replace")
        held = (out / ROWS).read_bytes().count(b"\n")
    except FileNotFoundError:
        _protect_foreign(out)
        return
    except OSError as error:
        raise ResultsError(
            f"{out}: cannot be the results folder ({error.strerror or error}); name another with --out"
        ) from error
    try:
        name = json.loads(written)["suite"]["name"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    remedy = "name another folder with --out, or remove this one"
    if name != suite:
        raise ResultsError(f"{out}: holds results of the suite {name!r}, and this is {suite!r}; {remedy}")
    if held > rows:
        raise ResultsError(
            f"{out}: holds {held} rows of the suite {suite!r}, and this run would leave {rows}; {remedy}"
        )


def _protect_foreign(out: Path) -> None:
    if os.path.lexists(out / RUN) or os.path.lexists(out / ROWS):
        return
    if out.is_symlink() and not out.exists():
        raise ResultsError(f"{out}: a link that leads nowhere; mend it, or name another folder with --out")
    file = next((parent for parent in out.parents if parent.is_file()), None)
    if file is not None:
        raise ResultsError(f"{out}: cannot be made, because {file} is a file; name another folder with --out")
    foreign = [name for name in _PAGES if os.path.lexists(out / name)]
    if foreign:
        raise ResultsError(
            f"{out}: holds {' and '.join(foreign)}, but no results: what no run wrote is not overwritten; name "
            "another folder with --out"
        )
