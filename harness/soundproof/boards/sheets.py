"""The boards as CSV: raw numbers, one column each for value, ends of the interval and n."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from soundproof.boards.matrices import MEAN
from soundproof.boards.measures import BOARDS, columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from soundproof.boards.entries import (
        Boards,
        Bounded,
        Cost,
        Entry,
        Rank,
        Recognition,
        Robustness,
        Sounding,
        Transfer,
    )
    from soundproof.boards.names import Called
    from soundproof.measuring.metrics.intervals import Metric

    Cell = str | int | float | None

WORST_CASE = "worst case"
NOBODY = "nobody"
# What makes a spreadsheet read a text as a formula, the full-width forms included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_RANK = ("rank", "rank_low", "rank_high")
_NAMES = ("dataset", "representation", "model", "defense")
_SOUNDING = (*_NAMES, "attack", "channel")
_COVERAGE = ("cells", "planned", "folds", "seeds")


def sheets(boards: Boards) -> dict[str, str]:
    """The boards as CSV, by name; that of sound where there is any."""
    measures = {board: columns(board, boards.measured(board)) for board in BOARDS}
    grey_area = ("mean_grey_fooling_auc",) * boards.grey_box
    targets = _of_targets(boards)
    under_attack = ("accuracy", *measures["robustness"], "mean_fooling_auc", *grey_area)
    return {
        "accuracy": _sheet((*_RANK, *_NAMES), measures["accuracy"], map(_recognition, boards.accuracy)),
        "robustness": _sheet(
            (*_RANK, *_NAMES, "attack", "dimension"),
            under_attack,
            (line for entry in boards.robustness for line in _robustness(entry)),
        ),
        "cost": _sheet((*_NAMES, "attack", "dimension", "reached"), measures["cost"], map(_cost, boards.cost)),
        "transferability": _sheet(
            (*_NAMES, *(f"target_{kind}" for kind in targets), "attack"),
            measures["transferability"],
            (_transfer(entry, targets) for entry in boards.transfers),
        ),
        **_sounds(boards, measures["sound"]),
    }


def _recognition(entry: Recognition) -> dict[str, Cell]:
    return {**_common(entry), **_ranks(entry.rank)}


def _robustness(entry: Robustness) -> Iterable[dict[str, Cell]]:
    yield {**_common(entry), **_ranks(entry.rank), "attack": WORST_CASE, "dimension": entry.dimension}
    yield from ({**_common(row), **_attack(row)} for row in entry.attacks)


def _ranks(rank: Rank | None) -> dict[str, Cell]:
    return {} if rank is None else dict(zip(_RANK, (rank.place, rank.low, rank.high), strict=True))


def _cost(entry: Cost) -> dict[str, Cell]:
    return {**_common(entry), **_attack(entry), "reached": entry.reached}


def _transfer(entry: Transfer, targets: Iterable[str]) -> dict[str, Cell]:
    target = {f"target_{kind}": getattr(entry.target, kind).full for kind in targets}
    return {**_common(entry), **target, "attack": _called(entry.attack)}


def _sounds(boards: Boards, measures: Iterable[str]) -> dict[str, str]:
    return {"sound": _sheet(_SOUNDING, measures, map(_sounding, boards.sounds))} if boards.sounded else {}


def _sounding(entry: Sounding) -> dict[str, Cell]:
    attack = NOBODY if entry.attack is None else entry.attack.full
    return {**_common(entry), "attack": attack, "channel": "" if entry.channel is None else entry.channel.full}


def _of_targets(boards: Boards) -> tuple[str, ...]:
    """What is told of transfers' targets: their representation only where examples move to another one."""
    moving = any(entry.target.representation != entry.name.representation for entry in boards.transfers)
    return ("representation",) * moving + ("model", "defense")


def _attack(entry: Bounded | Cost) -> dict[str, Cell]:
    return {"attack": _called(entry.attack), "dimension": entry.dimension}


def _called(attack: Called | None) -> str:
    return MEAN if attack is None else attack.full


def _common(entry: Entry) -> dict[str, Cell]:
    of, cells = entry.name, entry.coverage
    components = (of.dataset, of.representation, of.model, of.defense)
    return {
        # First, so that a measure which a defense names like a coordinate cannot take its place.
        **{column: cell for name, metric in entry.metrics.items() for column, cell in _spread(name, metric)},
        **dict(zip(_NAMES, (each.full for each in components), strict=True)),
        **dict(zip(_COVERAGE, (cells.done, cells.planned, cells.folds, cells.seeds), strict=True)),
        "flags": " ".join(entry.flags),
    }


def _spread(name: str, metric: Metric) -> Iterable[tuple[str, Cell]]:
    cells = (metric.value, metric.low, metric.high, metric.n)
    return zip(_spread_of(name), cells, strict=True)


def _spread_of(name: str) -> tuple[str, ...]:
    return (name, f"{name}_low", f"{name}_high", f"{name}_n")


def _sheet(first: Iterable[str], measures: Iterable[str], lines: Iterable[Mapping[str, Cell]]) -> str:
    text = io.StringIO(newline="")
    # The writer quotes what holds a character of its line end, and a lone carriage return ends lines elsewhere.
    numbers = (column for name in measures for column in _spread_of(name))
    header = tuple(dict.fromkeys((*first, *_COVERAGE, *numbers, "flags")))
    writer = csv.DictWriter(text, header, restval="", lineterminator="\r\n")
    writer.writerow({column: safe(column) for column in header})
    writer.writerows({name: safe(cell) for name, cell in line.items()} for line in lines)
    return text.getvalue().replace("\r\n", "\n")


def safe(cell: Cell) -> Cell:
    """A cell that no spreadsheet reads as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
