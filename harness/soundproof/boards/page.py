"""The page: one HTML file with its style, its script and its data inside, which needs no network."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from soundproof.boards import charts, glossary, learning
from soundproof.boards.grid import FACETS, Figure
from soundproof.boards.headlines import headlines
from soundproof.boards.matrices import MEAN, matrices
from soundproof.boards.numbers import counted, measured
from soundproof.boards.tables import ratio, tables
from soundproof.results.flags import FLAGS, UNKNOWN
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from soundproof.boards.entries import Boards
    from soundproof.boards.grid import Column, Line, Table
    from soundproof.boards.matrices import Matrix
    from soundproof.boards.names import Variant
    from soundproof.boards.provenance import Provenance

_SCRIPTS = ("theme.js", "page.js")


@dataclass(frozen=True)
class Heat:
    """A matrix as drawn.

    Attributes:
        matrix: What is drawn.
        grids: By attack, a row for each source; None where source and target are one.
    """

    matrix: Matrix
    grids: Mapping[str, tuple[tuple[Figure | None, ...], ...]]

    @property
    def data(self) -> dict[str, list[list[list[str | float] | None]]]:
        """The grids for the script: percent in words, interval, n and the bare percent of each cell."""
        return {
            attack: [[_place_data(cell) if cell else None for cell in row] for row in grid]
            for attack, grid in self.grids.items()
        }


def _place_data(cell: Figure) -> list[str | float]:
    count = "" if cell.n is None else f"{cell.n:,}"
    return [cell.text, cell.detail, count, cell.bar[1] if cell.bar else 0.0]


def page(boards: Boards, source: Provenance) -> str:
    """The whole of `index.html`."""
    shown = {name: group for name, group in tables(boards).items() if name != "transferability"}
    heats = [_heat(matrix) for matrix in matrices(boards)]
    environment = _environment()
    return environment.get_template("index.html.j2").render(
        source=source,
        readings=glossary.how_to_read(
            source.budget, source.target, grey_box=boards.grey_box, attacks=boards.averaged
        ),
        intervals=glossary.INTERVALS,
        columns=_columns(shown),
        flags=_flags(boards),
        headlines=headlines(boards),
        cells={str(status): boards.cells.get(status, 0) for status in Status},
        tables=shown,
        heats=heats,
        grids=[heat.data for heat in heats],
        choices=list(dict.fromkeys(attack for heat in heats for attack in heat.grids)),
        scatters=charts.scatters(boards),
        strips=charts.strips(boards),
        charts=charts,
        pictures=learning.pictures(boards),
        learning=learning,
        facets=_facets(shown, heats),
        counted=counted,
        badges_of=_badges,
        hashes=" ".join(_hash(environment.get_template(name).render()) for name in _SCRIPTS),
    )


def _heat(matrix: Matrix) -> Heat:
    def place(attack: str, source: Variant, target: Variant) -> Figure | None:
        return None if source == target else ratio(matrix.entries.get((attack, source, target)))

    return Heat(
        matrix,
        {
            attack: tuple(tuple(place(attack, one, other) for other in matrix.targets) for one in matrix.sources)
            for attack in matrix.attacks
        },
    )


def _columns(shown: Mapping[str, Sequence[Table]]) -> list[Column]:
    """Every column that has something to explain, once."""
    found: dict[str, Column] = {}
    for column in (column for group in shown.values() for table in group for column in table.columns):
        found.setdefault(column.name, column)
    return [column for column in found.values() if column.meaning] + [measured("transfer_ratio")]


def _flags(boards: Boards) -> list[tuple[str, str, bool]]:
    return [_badge(flag) for flag in boards.flags]


def _badges(line: Line) -> list[tuple[str, str, bool]]:
    return [_badge(flag) for flag in line.flags]


def _badge(flag: str) -> tuple[str, str, bool]:
    """Title, meaning and whether it unranks; a flag that this version does not know is shown as it is."""
    known = FLAGS.get(flag)
    return (known.title, known.meaning, known.unranks) if known else (flag, UNKNOWN, False)


def _facets(shown: Mapping[str, Sequence[Table]], heats: Iterable[Heat]) -> dict[str, list[str]]:
    """Choices by facet; a facet with a single value is no choice."""
    lines = [line for group in shown.values() for table in group for line in table.lines]
    lines += [part for line in lines for part in line.parts]
    found: dict[str, set[str]] = {facet: {line.facets[facet] for line in lines} for facet in FACETS}
    for heat in heats:
        found["dataset"].add(heat.matrix.dataset.short)
        found["representation"].add(heat.matrix.representation.short)
        found["model"].update(source.model.short for source in heat.matrix.sources)
        found["defense"].update(source.defense.short for source in heat.matrix.sources)
        found["attack"].update(heat.matrix.single)
    choices = {facet: sorted(values - {"", MEAN}) for facet, values in found.items()}
    return {facet: values for facet, values in choices.items() if len(values) > 1}


def _hash(script: str) -> str:
    """Name by which the page's security policy lets a script run; nothing else in the page can."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("soundproof.boards"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
