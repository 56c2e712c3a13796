"""Columns and rows of each board; the page and the Markdown draw the same tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from soundproof.boards.grid import FACETS, Column, Figure, Line, Table
from soundproof.boards.matrices import MEAN
from soundproof.boards.measures import DIMENSION, columns
from soundproof.boards.numbers import NOTHING, Numbers, counted, measured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from soundproof.boards.entries import (
        Boards,
        Bounded,
        Cost,
        Coverage,
        Entry,
        Rank,
        Recognition,
        Robustness,
        Sounding,
        Transfer,
        Unscored,
    )
    from soundproof.boards.names import Called, Name

Kin = TypeVar("Kin", bound="Entry")

_RANK = Column(
    "rank",
    "Rank",
    "rank",
    "Place within the data set. 1–3 says that paired tests do not settle which of the first three places it is. "
    "Rows with a flag that unranks have none.",
)
_TIES = " Equal worst cases stand in the order of mean ‖ε‖₂ at reach: the more it takes to fool one, the higher."
_NAME = Column(
    "name",
    "Classifier",
    "name",
    "The model, the representation it hears through, and its defense, with the parameters that differ here.",
)
_ATTACK = Column("attack", "Attack", "word")
_DIMENSION = Column("dimension", DIMENSION.title, "number", DIMENSION.meaning)
_CELLS = Column(
    "cells",
    "Folds × seeds",
    "word",
    "What the row is averaged over, and of how many cells where some have no score.",
)
_TARGET = Column("reached", "Target", "word", "Whether the fooling AUC exceeded the target within the budget.")
_GREY = "grey_"
_AUDIBLE = ("snr", "segmental_snr", "loudness_change", "audibility")
_MEAN = Figure("mean", "over attacks", MEAN)


def tables(boards: Boards) -> dict[str, tuple[Table, ...]]:
    """The tables of each board by its name; that of the transfers is only a digest of their matrices."""
    return {
        "accuracy": tuple(_accuracy(*group) for group in _by_dataset(boards.accuracy)),
        "robustness": tuple(_robustness(*group) for group in _by_dataset(boards.robustness)),
        "cost": tuple(_cost(*group) for group in _by_dataset(boards.cost)),
        "transferability": tuple(strongest(*group) for group in _by_dataset(_together(boards.transfers))),
        **heard(boards),
        "unscored": (unscored(boards.unscored),) if boards.unscored else (),
    }


def _accuracy(dataset: str, entries: Sequence[Recognition]) -> Table:
    names = _present(columns("accuracy", {name for entry in entries for name in entry.metrics}), entries)
    number = Numbers(entries)

    def line(entry: Recognition) -> Line:
        numbers = (number(entry, name) for name in names)
        return _line(entry, _rank(entry.rank), _who(entry.name), *numbers, _covered(entry.coverage))

    header = (_RANK, _NAME, *(measured(name) for name in names), _CELLS)
    return Table("accuracy", dataset, header, tuple(map(line, entries)))


def _robustness(dataset: str, entries: Sequence[Robustness]) -> Table:
    attacks = [attack for entry in entries for attack in entry.attacks]
    both = [*entries, *attacks]
    number = Numbers(both)
    # The informed attacker, and beside it the grey-box one where a classifier of the table has a defense.
    shares, areas = (
        [name for each in names for name in (each, *_present([f"{_GREY}{each}"], both))]
        for names in (("robust_accuracy", "fooling_rate"), ("fooling_auc",))
    )
    size = _present(["reach_l2"], entries)
    together = ("accuracy", *shares, *areas, *size)
    further = ("targeted_rate", "targeted_auc", "l2", "rms", "linf", "l0", "gradients", "queries")
    single = _present(further, attacks)

    def attack(entry: Bounded) -> Line:
        return _line(
            entry,
            NOTHING,
            _who(entry.name),
            _attack(entry.attack, entry),
            *(number(entry, name) for name in (*together, *single)),
            _dimension(entry.dimension),
            attack=entry.attack,
        )

    def worst(entry: Robustness, name: str) -> Figure:
        if name in areas:
            return replace(number(entry, f"mean_{name}", like=name), note="mean")
        return number(entry, name)

    def line(entry: Robustness) -> Line:
        return _line(
            entry,
            _rank(entry.rank),
            _who(entry.name),
            Figure("worst case", f"of {counted(len(entry.faced), 'attack')}", "worst case"),
            *(worst(entry, name) for name in together),
            *(NOTHING for _ in single),
            _dimension(entry.dimension),
            parts=tuple(map(attack, entry.attacks)),
        )

    header = (
        replace(_RANK, meaning=_RANK.meaning + _TIES, rows="together"),
        _NAME,
        replace(_ATTACK, kind="attack"),
        replace(measured("accuracy", title="Clean accuracy"), rows="together"),
        *map(measured, (*shares, *areas)),
        *(replace(measured(name), rows="together") for name in size),
        *(replace(measured(name), rows="single") for name in single),
        replace(_DIMENSION, rows="single"),
    )
    return Table("robustness", dataset, header, tuple(map(line, entries)))


def _cost(dataset: str, entries: Sequence[Cost]) -> Table:
    names = _present(columns("cost", {name for entry in entries for name in entry.metrics}), entries)
    number = Numbers(entries)

    def line(entry: Cost) -> Line:
        return _line(
            entry,
            _who(entry.name),
            _MEAN if entry.attack is None else _attack(entry.attack, entry),
            Figure(_reached(entry), "; ".join(entry.reasons), entry.share_reached),
            *(number(entry, name) for name in names),
            _dimension(entry.dimension),
            attack=entry.attack or MEAN,
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
        model, _, rest = entry.target.beside(entry.name).partition(" · ")
        target = Figure(model, rest)
        return _line(entry, _who(entry.name), target, Figure(str(entry.attack or MEAN)), ratio(entry))

    known = [entry for entry in entries if "transfer_ratio" in entry.metrics]
    known.sort(key=lambda entry: -entry.metrics["transfer_ratio"].value)
    return Table("transferability", dataset, header, tuple(map(line, known)))


def heard(boards: Boards) -> dict[str, tuple[Table, ...]]:
    """The tables of sounds that were not played through a channel, `sound`, and of those that were, `channels`."""
    plain, played = (
        [entry for entry in boards.sounds if (entry.channel is not None) is through] for through in (False, True)
    )
    return {
        "sound": tuple(_realised(*group) for group in _by_dataset(plain)),
        "channels": tuple(_played(*group) for group in _by_dataset(played)),
    }


def _realised(dataset: str, entries: Sequence[Sounding]) -> Table:
    """Attacks on a data set's classifiers as sound."""
    names = _present(("survival", "fooling_rate", "l2", *_AUDIBLE), entries)
    number = Numbers(entries)

    def line(entry: Sounding) -> Line:
        numbers = (number(entry, name) for name in names)
        return _line(entry, _who(entry.name), _sounding(entry), *numbers, attack=entry.attack or "")

    return Table("sound", dataset, (_NAME, _ATTACK, *map(measured, names)), tuple(map(line, entries)))


def _played(dataset: str, entries: Sequence[Sounding]) -> Table:
    """What survives each channel: a column a channel, and above the attacks what arrives of unattacked clips."""
    channels = sorted({entry.channel for entry in entries if entry.channel})
    number = Numbers(entries)
    rows: dict[tuple[Name, Called | None], dict[Called, Sounding]] = {}
    for entry in entries:
        assert entry.channel is not None
        rows.setdefault((entry.name, entry.attack), {})[entry.channel] = entry

    def figure(entry: Sounding | None) -> Figure:
        if entry is None:
            return NOTHING
        return number(entry, "accuracy" if entry.attack is None else "survival")

    def line(found: Mapping[Called, Sounding]) -> Line:
        one = next(iter(found.values()))
        flags = tuple(sorted({flag for entry in found.values() for flag in entry.flags}))
        figures = (figure(found.get(channel)) for channel in channels)
        return replace(_line(one, _who(one.name), _sounding(one), *figures, attack=one.attack or ""), flags=flags)

    header = (_NAME, _ATTACK, *(Column(each.full, each.short, "number", rows="all") for each in channels))
    order = sorted(rows, key=lambda row: (row[0], row[1] is not None, row[1] or channels[0]))
    lines = (line(rows[row]) for row in order)
    # Where nothing fooled, nothing survives: a control, mostly.
    return Table(
        "channels", dataset, header, tuple(each for each in lines if any(f.text for f in each.figures[2:]))
    )


def _sounding(entry: Sounding) -> Figure:
    if entry.attack is None:
        return Figure("nobody", "accuracy", "")
    return Figure(entry.attack.short, _partly(entry.coverage), entry.attack.short, whole=entry.attack.full)


def unscored(cells: Sequence[Unscored]) -> Table:
    """Cells without a score, with their reasons."""
    words = ("Status", "Protocol", "Attack", "Target", "Fold, seed")
    columns_of_words = (Column(title.lower().partition(",")[0], title, "word") for title in words)
    header = (_NAME, *columns_of_words, Column("reason", "Reason", "prose"))

    def line(cell: Unscored) -> Line:
        who, dataset = _who(cell.name), cell.name.dataset
        target = cell.target.beside(cell.name) if cell.target else ""
        target = f"through {cell.channel}" if cell.channel else target
        words = (cell.status, cell.protocol, str(cell.attack or ""), target, f"{cell.fold}, {cell.seed}")
        return Line(
            figures=(
                replace(who, detail=f"{dataset} · {who.detail}", sort=f"{dataset} {who.sort}"),
                *(Figure(word, sort=word or None) for word in words),
                Figure(cell.reason, sort=cell.reason or None),
            ),
            facets=_facets(cell.name, cell.attack or ""),
            flags=cell.flags,
        )

    return Table("unscored", "", header, tuple(map(line, cells)))


def classifiers(boards: Boards, shown: Sequence[Table]) -> list[Table]:
    """The rankings, with what it costs on average to fool each classifier."""
    means = {entry.name: entry for entry in boards.means}
    number = Numbers(list(means.values()))
    names = _present(("epsilon_ratio", "gradients"), list(means.values()))
    found = []
    for table in shown:
        lines = []
        sized = [column.name == "reach_l2" for column in table.columns]
        for entry, line in zip(_of(boards, table), table.lines, strict=True):
            mean = means.get(entry.name)
            costs = (NOTHING if mean is None else _told(number(mean, name), mean) for name in names)
            own = (
                _told(figure, mean) if size and mean else figure
                for figure, size in zip(line.figures, sized, strict=True)
            )
            lines.append(replace(line, figures=(*own, *costs)))
        header = (*table.columns, *(measured(name) for name in names))
        found.append(replace(table, columns=header, lines=tuple(lines)))
    return found


def _told(figure: Figure, mean: Cost) -> Figure:
    """A mean over the attacks that reached, which says so where others did not."""
    reached, of = mean.over
    if not figure.text or reached == of:
        return figure
    return replace(figure, detail=", ".join(filter(None, (figure.detail, f"{reached} of {of} attacks reached"))))


def _of(boards: Boards, table: Table) -> Sequence[Entry]:
    """The entries that a ranking's lines were made of."""
    entries: Sequence[Entry] = boards.robustness if table.board == "robustness" else boards.accuracy
    return [entry for entry in entries if entry.name.dataset.short == table.dataset]


def ratio(entry: Transfer | None) -> Figure:
    """A place of a transfer matrix."""
    if entry is None or "transfer_ratio" not in entry.metrics:
        return Figure("–")
    return Numbers([])(entry, "transfer_ratio")


def _line(entry: Entry, *figures: Figure, attack: object = "", parts: tuple[Line, ...] = ()) -> Line:
    return Line(figures, _facets(entry.name, attack), entry.flags, parts)


def _facets(of: Name, attack: object) -> dict[str, str]:
    names = (of.dataset, of.representation, of.model, of.defense, attack)
    return dict(zip(FACETS, map(str, names), strict=True))


def _who(of: Name) -> Figure:
    sort = f"{of.model} {of.representation} {of.defense}"
    return Figure(str(of.model), f"{of.representation} · {of.defense}", sort, whole=of.full)


def _attack(attack: Called, entry: Bounded | Cost) -> Figure:
    detail = " · ".join(filter(None, ("control" * entry.control, _partly(entry.coverage))))
    return Figure(attack.short, detail, attack.short, whole=attack.full)


def _rank(rank: Rank | None) -> Figure:
    return Figure("–") if rank is None else Figure(str(rank), sort=rank.place)


def _dimension(dimension: int | None) -> Figure:
    return NOTHING if dimension is None else Figure(f"{dimension:,}", sort=dimension)


def _covered(coverage: Coverage) -> Figure:
    return Figure(f"{coverage.folds} × {coverage.seeds}", _partly(coverage), coverage.done)


def _partly(coverage: Coverage) -> str:
    return "" if coverage.done == coverage.planned else f"{coverage.done} of {coverage.planned} cells"


def _reached(entry: Cost) -> str:
    done = entry.coverage.done
    if entry.reached == 0:
        return "not reached"
    return "reached" if entry.reached == done else f"{entry.reached} of {done} reached"


def _together(entries: Sequence[Transfer]) -> list[Transfer]:
    """Each pair once: its mean over attacks, or its only attack."""
    return list({(entry.name, entry.target): entry for entry in reversed(entries)}.values())[::-1]


def _present(names: Sequence[str], entries: Sequence[Entry]) -> tuple[str, ...]:
    return tuple(name for name in names if any(name in entry.metrics for entry in entries))


def _by_dataset(entries: Sequence[Kin]) -> list[tuple[str, list[Kin]]]:
    found: dict[str, list[Kin]] = {}
    for entry in entries:
        found.setdefault(entry.name.dataset.short, []).append(entry)
    return list(found.items())
