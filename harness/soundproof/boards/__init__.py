"""The boards: everything a reader sees, rendered only from a results folder, byte for byte the same each time."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from soundproof.boards import headlines, papers
from soundproof.boards.collect import collect
from soundproof.boards.markdown import documents
from soundproof.boards.page import page
from soundproof.boards.provenance import provenance
from soundproof.boards.sheets import sheets
from soundproof.results.files import read, replace

if TYPE_CHECKING:
    from pathlib import Path

    from soundproof.results.files import Results

__all__ = ["pages", "ranking", "render"]


def render(out: Path) -> list[Path]:
    """Read a results folder and write its pages there, each replaced whole.

    Returns:
        What was written: `index.html`, `README.md`, each board as `.md` and `.csv`, and `papers` where there is
        something to compare.

    Raises:
        ResultsError: The folder is incomplete, damaged, or its files do not belong together.
    """
    contents = pages(read(out))
    for name, content in contents.items():
        replace(out / name, content.encode())
    return [out / name for name in contents]


def pages(results: Results) -> dict[str, str]:
    """All pages of a results folder, by file name."""
    boards, source = collect(results), provenance(results.run)
    return {
        "index.html": page(boards, source),
        **{f"{name}.md": content for name, content in documents(boards, source).items()},
        **{f"{name}.csv": content for name, content in sheets(boards).items()},
        **papers.pages(results),
    }


def ranking(results: Results) -> list[str]:
    """The first five classifiers of each data set, a line each, as the end of a run shows them."""
    # Transfers are most of the rows, and rank nothing.
    rows = [row for row in results.rows if row.protocol != "transfer"]
    return headlines.ranking(collect(dataclasses.replace(results, rows=rows)))
