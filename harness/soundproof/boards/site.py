"""The index of all boards below a folder, drawn from their results alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundproof.boards.collect import collect
from soundproof.boards.headlines import headlines
from soundproof.boards.provenance import provenance
from soundproof.boards.templating import environment
from soundproof.errors import ResultsError
from soundproof.results.files import RUN, read, replace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soundproof.boards.headlines import Headline
    from soundproof.boards.provenance import Provenance

EARLIER = "earlier"


@dataclass(frozen=True)
class Board:
    """One results folder on the index.

    Attributes:
        path: From the index to it.
        source: Its provenance.
        headlines: Its winners.
        cells: Cells with a score, and all.
        earlier: Records that the folder keeps of itself, the newest first.
    """

    path: str
    source: Provenance
    headlines: tuple[Headline, ...]
    cells: tuple[int, int]
    earlier: tuple[Board, ...] = ()


def site(root: Path) -> Path:
    """Draw `index.html` of all results folders in a folder, and of the earlier records that these keep.

    A results folder may keep earlier records in `earlier/<name>/`, each a results folder of its own.

    Returns:
        The index.

    Raises:
        ResultsError: There is none, or one of them is damaged.
    """
    folders = _folders(root)
    if not folders:
        raise ResultsError(f"{root}: holds no results folder; `bench run --out {root / 'NAME'}` makes one")
    boards = [_board(folder, root) for folder in folders]
    page = environment().get_template("site.html.j2").render(boards=boards, title=root.resolve().name)
    replace(root / "index.html", page.encode())
    return root / "index.html"


def _folders(root: Path) -> list[Path]:
    return sorted(path.parent for path in root.glob(f"*/{RUN}"))


def _board(folder: Path, root: Path, *, nested: bool = False) -> Board:
    results = read(folder)
    boards = collect(results)
    done = sum(count for status, count in boards.cells.items() if status == "ok")
    earlier: Sequence[Path] = () if nested else _folders(folder / EARLIER)[::-1]
    return Board(
        path=folder.relative_to(root).as_posix(),
        source=provenance(results.run),
        headlines=tuple(headlines(boards)),
        cells=(done, sum(boards.cells.values())),
        earlier=tuple(_board(each, root, nested=True) for each in earlier),
    )
