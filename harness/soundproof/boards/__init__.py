"""The boards: everything a reader sees, rendered only from a results folder, byte for byte the same each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundproof.boards import headlines, papers
from soundproof.boards.collect import boards_of
from soundproof.boards.markdown import documents
from soundproof.boards.page import page
from soundproof.boards.provenance import provenance
from soundproof.boards.sheets import sheets
from soundproof.results.files import read, replace
from soundproof.results.soundness import screened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from soundproof.results.files import Results

__all__ = ["Drawn", "draw", "render"]


@dataclass(frozen=True)
class Drawn:
    """Everything a reader sees of a results folder.

    Attributes:
        pages: `index.html`, `README.md`, each board as `.md` and `.csv`, and `papers` where there is something to
            compare, by file name.
        ranking: The first five classifiers of each data set, a line each, as the end of a run shows them.
    """

    pages: Mapping[str, str]
    ranking: tuple[str, ...]


def render(out: Path) -> Drawn:
    """Read a results folder and write its pages there, each replaced whole.

    Raises:
        ResultsError: The folder is incomplete, damaged, or its files do not belong together.
    """
    drawn = draw(read(out))
    for name, content in drawn.pages.items():
        replace(out / name, content.encode())
    return drawn


def draw(results: Results) -> Drawn:
    """All pages of a results folder."""
    sound, source = screened(results), provenance(results.run)
    boards, beside = boards_of(sound), papers.pages(sound)
    pages = {
        "index.html": page(
            boards, source, results.run, further=[name for name in beside if name.endswith(".html")]
        ),
        **{f"{name}.md": content for name, content in documents(boards, source).items()},
        **{f"{name}.csv": content for name, content in sheets(boards).items()},
        **beside,
    }
    return Drawn(pages, tuple(headlines.ranking(boards)))
