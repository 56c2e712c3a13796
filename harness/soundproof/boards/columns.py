"""Columns of the page's two tables: which numbers stand in them, and which at first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from soundproof.boards.formats import heading
from soundproof.boards.measures import REPORT, Unit, measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from soundproof.boards.entries import Boards, Bounded, Cost, Entry, Recognition, Robustness
    from soundproof.boards.names import Called, Name
    from soundproof.measuring.metrics.intervals import Metric


@dataclass(frozen=True)
class Column:
    """One column of numbers.

    Attributes:
        name: Stable: it stands in links.
        title: The heading.
        meaning: What it explains.
        unit: How its numbers are written.
        shown: Whether it is there before a reader chooses.
    """

    name: str
    title: str
    meaning: str
    unit: Unit
    shown: bool = False


@dataclass(frozen=True)
class Line:
    """One row of a table.

    Attributes:
        name: The classifier.
        numbers: By column.
        flags: Warnings.
        attack: In the table of attacks.
        place: What it is sorted by at first; None for what has no rank.
        rank: The place in words.
        note: What is worth a small line.
    """

    name: Name
    numbers: Mapping[str, Metric] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    attack: Called | None = None
    place: int | None = None
    rank: str = ""
    note: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table with the columns that have a number anywhere."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


# Name in the table, where it comes from, the measure that explains it, whether it is shown at first.
_CLASSIFIERS = (
    ("robust_accuracy", "robustness", "robust_accuracy", True),
    ("accuracy", "accuracy", "accuracy", True),
    ("reach_l2", "means", "l2", True),
    ("epsilon_ratio", "means", "epsilon_ratio", True),
    ("gradients", "means", "gradients", True),
    ("eer", "accuracy", "eer", True),
    ("fooling_rate", "robustness", "fooling_rate", False),
    ("mean_fooling_auc", "robustness", "fooling_auc", False),
    ("grey_robust_accuracy", "robustness", "grey_robust_accuracy", False),
    ("grey_fooling_rate", "robustness", "grey_fooling_rate", False),
    ("mean_grey_fooling_auc", "robustness", "grey_fooling_auc", False),
    ("reach_rms", "means", "rms", False),
    ("queries", "means", "queries", False),
    *(
        (name, "accuracy", name, False)
        for name in ("precision", "recall", "f1", "roc_auc", "drop", "training_gradients")
    ),
)
_BOUNDED = (
    *(("robust_accuracy", True), ("fooling_rate", True), ("fooling_auc", True), ("grey_robust_accuracy", False)),
    *(
        ("grey_fooling_rate", False),
        ("grey_fooling_auc", False),
        ("targeted_rate", False),
        ("targeted_auc", False),
    ),
    *((name, False) for name in ("l2", "rms", "linf", "l0", "gradients", "queries")),
)
_REACH = (
    *(("l2", True), ("epsilon_ratio", True), ("gradients", True), ("queries", False), ("fooling_rate", False)),
    *((name, False) for name in ("fooling_auc", "rms", "linf", "l0", "refining_gradients", "refining_queries")),
)
_TITLES = {
    "mean_fooling_auc": "Fooling AUC, mean",
    "mean_grey_fooling_auc": "Grey-box fooling AUC, mean",
    "robust_accuracy": "Robust accuracy",
    "reach_l2": "‖ε‖₂ at reach",
    "reach_rms": "RMS at reach",
    "reach_gradients": "Gradients to reach",
    "reach_queries": "Queries to reach",
    "reach_fooling_rate": "Fooling rate at reach",
    "reach_fooling_auc": "Fooling AUC at reach",
    "reach_linf": "‖ε‖∞ at reach",
    "reach_l0": "ε ≠ 0 at reach",
}


def classifiers(boards: Boards) -> Sheet:
    """A row a classifier: recognition, the worst case over attacks, and what reaching the target takes."""
    sources: dict[str, Mapping[Name, Entry]] = {
        "robustness": {entry.name: entry for entry in boards.robustness},
        "accuracy": {entry.name: entry for entry in boards.accuracy},
        "means": {entry.name: entry for entry in boards.means},
    }
    reports = sorted({name for entry in boards.accuracy for name in entry.metrics if name.startswith(REPORT)})
    given = (*_CLASSIFIERS, *((name, "accuracy", name, False) for name in reports))
    lines = []
    for ranked in _in_order(boards):
        found: dict[str, Metric] = {}
        for column, source, metric, _ in given:
            entry = sources[source].get(ranked.name)
            # In the robustness board means over attacks have a name of their own.
            name = column if column.startswith("mean_") else metric
            if entry is not None and name in entry.metrics:
                found[column] = entry.metrics[name]
        mean = sources["means"].get(ranked.name)
        place = None if ranked.rank is None else ranked.rank.place
        rank = "" if ranked.rank is None else str(ranked.rank)
        lines.append(Line(ranked.name, found, ranked.flags, None, place, rank, _over(mean)))
    columns = (_column(column, metric, shown=shown) for column, _, metric, shown in given)
    return _sheet(columns, lines)


def _in_order(boards: Boards) -> Sequence[Recognition | Robustness]:
    """Classifiers by data set and rank: of the robustness board, and behind them those that nothing attacked."""
    attacked = {entry.name for entry in boards.robustness}
    every: list[Recognition | Robustness] = [
        *boards.robustness,
        *(entry for entry in boards.accuracy if entry.name not in attacked),
    ]
    datasets = list(dict.fromkeys(entry.name.dataset for entry in every))
    return sorted(every, key=lambda entry: datasets.index(entry.name.dataset))


def _over(mean: Entry | None) -> str:
    reached, of = getattr(mean, "over", (0, 0))
    return f"{reached} of {of} attacks reached" if reached < of else ""


def attacks(boards: Boards) -> Sheet:
    """A row for each attack on each classifier: within the budget, and until the target is reached."""
    reach: dict[tuple[Name, Called], Cost] = {
        (entry.name, entry.attack): entry for entry in boards.cost if entry.attack is not None
    }
    lines, seen = [], set()
    for robust in boards.robustness:
        for each in robust.attacks:
            seen.add((each.name, each.attack))
            lines.append(_attack(each, reach.get((each.name, each.attack))))
    lines += [_attack(None, entry) for key, entry in reach.items() if key not in seen]
    columns = (
        *(_column(name, name, shown=shown, worst=False) for name, shown in _BOUNDED),
        *(_column(_at_reach(name), name, shown=shown, worst=False) for name, shown in _REACH),
    )
    return _sheet(columns, lines)


def _attack(bounded: Bounded | None, cost: Cost | None) -> Line:
    own = bounded or cost
    assert own is not None
    assert own.attack is not None
    numbers = dict(bounded.metrics) if bounded else {}
    note = "control" if own.control else ""
    if cost is not None:
        numbers |= {_at_reach(name): metric for name, metric in cost.metrics.items()}
        if cost.reached < cost.coverage.done:
            note = "; ".join(filter(None, (note, _missed(cost))))
    flags = tuple(sorted({*own.flags, *(cost.flags if cost else ())}))
    return Line(own.name, numbers, flags, own.attack, note=note)


def _missed(cost: Cost) -> str:
    return "not reached" if not cost.reached else f"{cost.reached} of {cost.coverage.done} reached"


def _at_reach(name: str) -> str:
    return name if name == "epsilon_ratio" or name.startswith("refining") else f"reach_{name}"


def _column(name: str, metric: str, *, shown: bool, worst: bool = True) -> Column:
    words = measure(metric)
    title = heading(_TITLES.get(name, words.title), words.unit)
    # A defense may name its measures as it likes, and names of columns stand in ids and links.
    plain = "".join(each if each.isalnum() else "_" for each in name)
    return Column(
        plain, title, " ".join(filter(None, (words.meaning, words.worst_case * worst))), words.unit, shown
    )


def _sheet(columns: Iterable[Column], lines: Sequence[Line]) -> Sheet:
    """Numbers under the plain names of their columns; columns without any number are left out."""
    plain = [
        Line(
            line.name,
            {"".join(c if c.isalnum() else "_" for c in name): metric for name, metric in line.numbers.items()},
            *(line.flags, line.attack, line.place, line.rank, line.note),
        )
        for line in lines
    ]
    present = {name for line in plain for name in line.numbers}
    return Sheet(tuple(column for column in columns if column.name in present), tuple(plain))
