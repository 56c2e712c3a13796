"""Which columns and rows each board shows; the page and the Markdown draw the same tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from soundproof.boards.grid import FACETS, Cell, Column, Line, Table
from soundproof.boards.matrices import MEAN
from soundproof.boards.measures import DIMENSION, columns
from soundproof.boards.numbers import NOTHING, Numbers, counted, measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soundproof.boards.entries import (
        Boards,
        Bounded,
        Classifier,
        Cost,
        Coverage,
        Entry,
        Recognition,
        Robustness,
        Transfer,
        Unscored,
    )

Kin = TypeVar("Kin", bound="Entry")

_RANK = Column("rank", "Rank", "rank", "Place within the data set. Rows with a flag that unranks have none.")
_NAME = Column("name", "Classifier", "name", "The model, the representation it hears through, and its defense.")
_ATTACK = Column("attack", "Attack", "word")
_DIMENSION = Column("dimension", DIMENSION.title, "number", DIMENSION.meaning)
_CELLS = Column(
    "cells",
    "Folds × seeds",
    "word",
    "What the row is averaged over, and of how many cells where some have no score.",
)
_TARGET = Column("reached", "Target", "word", "Whether the fooling AUC exceeded the target within the budget.")


def tables(boards: Boards) -> dict[str, tuple[Table, ...]]:
    """The tables of each board by its name; that of the transfers is only a digest of their matrices."""
    return {
        "accuracy": tuple(_accuracy(*group) for group in _by_dataset(boards.accuracy)),
        "robustness": tuple(_robustness(*group) for group in _by_dataset(boards.robustness)),
        "cost": tuple(_cost(*group) for group in _by_dataset(boards.cost)),
        "transferability": tuple(strongest(*group) for group in _by_dataset(_together(boards.transfers))),
        "unscored": (unscored(boards.unscored),) if boards.unscored else (),
    }


def _accuracy(dataset: str, entries: Sequence[Recognition]) -> Table:
    names = _present(columns("accuracy", {name for entry in entries for name in entry.metrics}), entries)
    number = Numbers(entries)

    def line(entry: Recognition) -> Line:
        numbers = (number(entry, name) for name in names)
        return _line(entry, _rank(entry.rank), _who(entry.classifier), *numbers, _covered(entry.coverage))

    header = (_RANK, _NAME, *(measured(name) for name in names), _CELLS)
    return Table("accuracy", dataset, header, tuple(map(line, entries)))


def _robustness(dataset: str, entries: Sequence[Robustness]) -> Table:
    attacks = [attack for entry in entries for attack in entry.attacks]
    number = Numbers([*entries, *attacks])
    lengths, counts = ("l2", "rms"), ("gradients", "queries")
    # The informed attacker, and beside it the grey-box one where a classifier of the table has a defense.
    shares, areas = (
        [name for each in names for name in (each, *_present([f"grey_{each}"], attacks))]
        for names in (("robust_accuracy", "fooling_rate"), ("fooling_auc",))
    )

    def attack(entry: Bounded) -> Line:
        return _line(
            entry,
            NOTHING,
            _who(entry.classifier),
            Cell(entry.attack, _partly(entry.coverage), entry.attack),
            number(entry, "accuracy"),
            *(number(entry, name) for name in (*shares, *areas, *lengths)),
            _dimension(entry.dimension),
            *(number(entry, name) for name in counts),
            attack=entry.attack,
        )

    def together(entry: Robustness) -> Line:
        return _line(
            entry,
            _rank(entry.rank),
            _who(entry.classifier),
            Cell("worst case", f"of {counted(len(entry.attacks), 'attack')}", "worst case"),
            number(entry, "accuracy"),
            *(number(entry, name) for name in shares),
            *(replace(number(entry, f"mean_{name}", like=name), note="mean") for name in areas),
            *(NOTHING for _ in lengths),
            _dimension(entry.dimension),
            *(NOTHING for _ in counts),
            parts=tuple(map(attack, entry.attacks)),
        )

    header = (
        *(_RANK, _NAME, replace(_ATTACK, kind="attack"), measured("accuracy", title="Clean accuracy")),
        *(measured(name) for name in (*shares, *areas, *lengths)),
        _DIMENSION,
        *(measured(name) for name in counts),
    )
    return Table("robustness", dataset, header, tuple(map(together, entries)))


def _cost(dataset: str, entries: Sequence[Cost]) -> Table:
    names = _present(columns("cost", {name for entry in entries for name in entry.metrics}), entries)
    number = Numbers(entries)

    def line(entry: Cost) -> Line:
        return _line(
            entry,
            _who(entry.classifier),
            Cell(entry.attack, _partly(entry.coverage), entry.attack),
            Cell(_reached(entry), "; ".join(entry.reasons), entry.reached / entry.coverage.done),
            *(number(entry, name) for name in names),
            _dimension(entry.dimension),
            attack=entry.attack,
        )

    header = (_NAME, _ATTACK, _TARGET, *(measured(name) for name in names), _DIMENSION)
    return Table("cost", dataset, header, tuple(map(line, entries)))


def strongest(dataset: str, entries: Sequence[Transfer]) -> Table:
    """The pairs of a data set by how much of what fools one also fools the other, most first."""
    header = (
        Column("name", "Source", "name"),
        Column("target", "Target", "word"),
        _ATTACK,
        measured("transfer_ratio"),
    )

    def line(entry: Transfer) -> Line:
        target = Cell(entry.target.model, entry.target.defense)
        return _line(entry, _who(entry.classifier), target, Cell(entry.attack or MEAN), ratio(entry))

    known = [entry for entry in entries if "transfer_ratio" in entry.metrics]
    known.sort(key=lambda entry: -entry.metrics["transfer_ratio"].value)
    return Table("transferability", dataset, header, tuple(map(line, known)))


def unscored(cells: Sequence[Unscored]) -> Table:
    """Cells without a score, with their reasons."""
    kinds = {"Status": "word", "Protocol": "word", "Attack": "word", "Target": "word", "Fold": "number"}
    kinds |= {"Seed": "number", "Reason": "prose"}
    header = (_NAME, *(Column(title.lower(), title, kind) for title, kind in kinds.items()))

    def line(cell: Unscored) -> Line:
        who = _who(cell.classifier)
        target = f"{cell.target.model} · {cell.target.defense}" if cell.target else ""
        words = (cell.status, cell.protocol, cell.attack or "", target)
        return Line(
            cells=(
                Cell(
                    who.text, f"{cell.classifier.dataset} · {who.detail}", f"{cell.classifier.dataset} {who.sort}"
                ),
                *(Cell(word, sort=word or None) for word in words),
                *(Cell(str(number), sort=number) for number in (cell.fold, cell.seed)),
                Cell(cell.reason, sort=cell.reason or None),
            ),
            facets=_facets(cell.classifier, cell.attack or ""),
            flags=cell.flags,
        )

    return Table("unscored", "", header, tuple(map(line, cells)))


def ratio(entry: Transfer | None) -> Cell:
    """A place of a transfer matrix."""
    if entry is None or "transfer_ratio" not in entry.metrics:
        return Cell("–")
    return Numbers([])(entry, "transfer_ratio")


def _line(entry: Entry, *cells: Cell, attack: str = "", parts: tuple[Line, ...] = ()) -> Line:
    return Line(cells, _facets(entry.classifier, attack), entry.flags, parts)


def _facets(of: Classifier, attack: str) -> dict[str, str]:
    names = (of.dataset, of.representation, of.model, of.defense, attack)
    return dict(zip(FACETS, names, strict=True))


def _who(of: Classifier) -> Cell:
    return Cell(of.model, f"{of.representation} · {of.defense}", f"{of.model} {of.representation} {of.defense}")


def _rank(rank: int | None) -> Cell:
    return Cell("–" if rank is None else str(rank), sort=rank)


def _dimension(dimension: int | None) -> Cell:
    return NOTHING if dimension is None else Cell(f"{dimension:,}", sort=dimension)


def _covered(coverage: Coverage) -> Cell:
    return Cell(f"{coverage.folds} × {coverage.seeds}", _partly(coverage), coverage.done)


def _partly(coverage: Coverage) -> str:
    return "" if coverage.done == coverage.planned else f"{coverage.done} of {coverage.planned} cells"


def _reached(entry: Cost) -> str:
    done = entry.coverage.done
    if entry.reached == 0:
        return "not reached"
    return "reached" if entry.reached == done else f"{entry.reached} of {done} reached"


def _together(entries: Sequence[Transfer]) -> list[Transfer]:
    """Each pair once: its mean over attacks, or its only attack."""
    return list({(entry.classifier, entry.target): entry for entry in reversed(entries)}.values())[::-1]


def _present(names: Sequence[str], entries: Sequence[Entry]) -> tuple[str, ...]:
    return tuple(name for name in names if any(name in entry.metrics for entry in entries))


def _by_dataset(entries: Sequence[Kin]) -> list[tuple[str, list[Kin]]]:
    found: dict[str, list[Kin]] = {}
    for entry in entries:
        found.setdefault(entry.classifier.dataset, []).append(entry)
    return list(found.items())
