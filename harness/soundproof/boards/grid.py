"""Parts of a table of the boards, whichever way it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What rows can be filtered by.
FACETS = ("dataset", "representation", "model", "defense", "attack")


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: Stable: it stands in links to a sorted table.
        title: The heading.
        kind: `rank`, `name`, `word`, `prose`, `number`, or `attack` where rows are opened to show their attacks.
        meaning: What the heading explains; may be empty.
        rows: `all`, or which rows have anything there: `single` attacks, or those that take them `together`.
    """

    name: str
    title: str
    kind: str
    meaning: str = ""
    rows: str = "all"


@dataclass(frozen=True)
class Figure:
    """Content of one place.

    Attributes:
        text: The main line; empty where there is nothing to show.
        detail: The small line, e.g. the interval.
        sort: What the column is sorted by; None goes last.
        note: A word before the main line, e.g. that it is a mean.
        n: The clips behind a number.
        bar: The interval with the value inside it, `(low, value, high)` on 0 to 100.
        whole: The main and the small line in full, where they are shortened.
    """

    text: str
    detail: str = ""
    sort: float | str | None = None
    note: str = ""
    n: int | None = None
    bar: tuple[float, float, float] | None = None
    whole: str = ""


@dataclass(frozen=True)
class Line:
    """One row.

    Attributes:
        figures: One a column.
        facets: What it can be filtered by.
        flags: Warnings shown with it.
        parts: The rows that it sums up.
    """

    figures: tuple[Figure, ...]
    facets: Mapping[str, str]
    flags: tuple[str, ...] = ()
    parts: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: what of a board belongs to one data set, or all of it where that is empty."""

    board: str
    dataset: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    def pairs(self, line: Line) -> Iterator[tuple[Column, Figure]]:
        """The figures of a row, each with its column."""
        return zip(self.columns, line.figures, strict=True)
