"""Which columns and rows each board shows; the page and the Markdown draw the same tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from soundproof.boards.figures import Scale, heading, interval, written
from soundproof.boards.glossary import BOARDS, DIMENSION, MEASURES
from soundproof.boards.grid import FACETS, Cell, Column, Line, Table
from soundproof.boards.matrices import MEAN

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
_NOTHING = Cell("")


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
    names = _present(BOARDS["accuracy"], entries)
    number = _Numbers(entries)

    def line(entry: Recognition) -> Line:
        numbers = (number(entry, name) for name in names)
        return _line(entry, _rank(entry.rank), _who(entry.classifier), *numbers, _covered(entry.coverage))

    columns = (_RANK, _NAME, *(measured(name) for name in names), _CELLS)
    return Table("accuracy", dataset, columns, tuple(map(line, entries)))


def _robustness(dataset: str, entries: Sequence[Robustness]) -> Table:
    number = _Numbers([*entries, *(attack for entry in entries for attack in entry.attacks)])
    shares, lengths, counts = ("robust_accuracy", "fooling_rate"), ("l2", "rms"), ("gradients", "queries")

    def attack(entry: Bounded) -> Line:
        return _line(
            entry,
            _NOTHING,
            _who(entry.classifier),
            Cell(entry.attack, _partly(entry.coverage), entry.attack),
            number(entry, "accuracy"),
            *(number(entry, name) for name in (*shares, "fooling_auc", *lengths)),
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
            replace(number(entry, "mean_fooling_auc", like="fooling_auc"), note="mean"),
            *(_NOTHING for _ in lengths),
            _dimension(entry.dimension),
            *(_NOTHING for _ in counts),
            parts=tuple(map(attack, entry.attacks)),
        )

    columns = (
        *(_RANK, _NAME, replace(_ATTACK, kind="attack"), measured("accuracy", title="Clean accuracy")),
        *(measured(name) for name in (*shares, "fooling_auc", *lengths)),
        _DIMENSION,
        *(measured(name) for name in counts),
    )
    return Table("robustness", dataset, columns, tuple(map(together, entries)))


def _cost(dataset: str, entries: Sequence[Cost]) -> Table:
    names = _present(BOARDS["cost"], entries)
    number = _Numbers(entries)

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

    columns = (_NAME, _ATTACK, _TARGET, *(measured(name) for name in names), _DIMENSION)
    return Table("cost", dataset, columns, tuple(map(line, entries)))


def strongest(dataset: str, entries: Sequence[Transfer]) -> Table:
    """The pairs of a data set by how much of what fools one also fools the other, most first."""
    columns = (
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
    return Table("transferability", dataset, columns, tuple(map(line, known)))


def unscored(cells: Sequence[Unscored]) -> Table:
    """Cells without a score, with their reasons."""
    kinds = {"Status": "word", "Protocol": "word", "Attack": "word", "Target": "word", "Fold": "number"}
    kinds |= {"Seed": "number", "Reason": "prose"}
    columns = (_NAME, *(Column(title.lower(), title, kind) for title, kind in kinds.items()))

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

    return Table("unscored", "", columns, tuple(map(line, cells)))


def ratio(entry: Transfer | None) -> Cell:
    """A place of a transfer matrix."""
    if entry is None or "transfer_ratio" not in entry.metrics:
        return Cell("–")
    return _Numbers([])(entry, "transfer_ratio")


class _Numbers:
    """Makes the cells of numbers; those of one measure share a scale, so that bars compare down a column."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._scales = {
            name: Scale(measure.unit, (entry.metrics[name] for entry in entries if name in entry.metrics))
            for name, measure in MEASURES.items()
        }

    def __call__(self, entry: Entry, name: str, *, like: str = "") -> Cell:
        metric = entry.metrics.get(name)
        if metric is None:
            return _NOTHING
        unit, scale = MEASURES[like or name].unit, self._scales[like or name]
        bar = (scale(metric.low), scale(metric.value), scale(metric.high))
        return Cell(written(metric.value, unit), interval(metric, unit), metric.value, n=metric.n, bar=bar)


def counted(number: int, what: str) -> str:
    """`1 attack`, `2 attacks`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def measured(name: str, title: str = "") -> Column:
    """The column of a measure."""
    measure = MEASURES[name]
    meaning = " ".join(filter(None, (measure.meaning, measure.worst_case)))
    return Column(name, heading(title or measure.title, measure.unit), "number", meaning)


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
    return _NOTHING if dimension is None else Cell(f"{dimension:,}", sort=dimension)


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
