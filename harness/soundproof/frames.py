"""Results as tables of pandas: a row a cell, a row a classifier, and curves point by point."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.boards.collect import collect
from soundproof.contract.identity import label
from soundproof.measuring.place import COORDINATES
from soundproof.papers.orderings import orderings
from soundproof.results import files
from soundproof.results.soundness import screened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from soundproof.boards.entries import Recognition, Robustness
    from soundproof.boards.names import Name
    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.results.files import Results, Row

# What pandas itself calls otherwise: `frame.flags` and `frame.drop` would not be the columns.
_RENAMED = {"flags": "warnings", "drop": "accuracy_drop"}
_CLASSIFIER = COORDINATES[:4]


def load(folder: str | Path) -> pd.DataFrame:
    """Cells of a results folder, a row each.

    Returns:
        Coordinates as labels (`model`) and each parameter of theirs as a column (`model_depth`), `radius` of the
        cells that have one, status, reason, and of each metric the value (`accuracy`), the interval
        (`accuracy_low`, `accuracy_high`) and the clips behind it (`accuracy_n`).

    Raises:
        ResultsError: The folder is incomplete, damaged, or its files do not belong together.
    """
    return cells(files.read(Path(folder)))


def classifiers(folder: str | Path) -> pd.DataFrame:
    """Classifiers of a results folder, a row each, as the ranking shows them.

    Returns:
        Coordinates, `place` with `place_low` and `place_high` (what the clips settle), and averages over folds and
        seeds: recognition, the worst case over attacks (`robust_accuracy`, `fooling_rate`) and the means over
        attacks at reach (`reach_l2`, `reach_gradients`, `reach_epsilon_ratio` …), each with its interval and n.

    Raises:
        ResultsError: As for `load`.
    """
    boards = collect(files.read(Path(folder)))
    robust = {entry.name: entry for entry in boards.robustness}
    clean = {entry.name: entry for entry in boards.accuracy}
    means = {entry.name: entry for entry in boards.means}
    records = []
    for name in {**robust, **clean}:
        own: Robustness | Recognition = robust.get(name) or clean[name]
        metrics = {**(clean[name].metrics if name in clean else {}), **own.metrics}
        metrics |= {
            f"reach_{each}": metric for each, metric in (means[name].metrics if name in means else {}).items()
        }
        rank = own.rank
        places = {"place": rank.place, "place_low": rank.low, "place_high": rank.high} if rank else {}
        records.append({**_name(name), **places, **dict(_spread(metrics)), "warnings": list(own.flags)})
    return _frame(records)


def curves(folder: str | Path) -> pd.DataFrame:
    """Security curves of a results folder, a row a point.

    Returns:
        Coordinates, `attack` (`worst case` for the smallest of all attacks, clip by clip), `over` (`l2` or
        `gradients`), `along`, `fooling_rate` and `fooling_auc`.

    Raises:
        ResultsError: As for `load`.
    """
    boards = collect(files.read(Path(folder)))
    return _frame(
        {
            **_name(curve.of),
            "attack": "worst case" if curve.attack is None else curve.attack.full,
            "over": over,
            "along": at,
            "fooling_rate": rate,
            "fooling_auc": auc,
        }
        for section in boards.sections
        for over, found in (("l2", section.sizes), ("gradients", section.costs))
        for curve in found
        for at, rate, auc in zip(curve.along, curve.rate, curve.auc, strict=True)
    )


def verdicts(folder: str | Path) -> pd.DataFrame:
    """What a results folder says of the papers' conclusions, a row a statement (docs/papers.md).

    Returns:
        `paper`, its `conclusion` in words, the `dataset`, the `statement` that it comes down to there, the
        `verdict` (`holds`, `does not` or `undecided`), what was `found`, and `rows`: the keys of those that it
        rests on.

    Raises:
        ResultsError: As for `load`.
    """
    sound = screened(files.read(Path(folder)))
    return _frame(
        {
            "paper": ordering.paper,
            "conclusion": ordering.claim,
            "dataset": label(dataset),
            "statement": each.statement,
            "verdict": str(each.verdict),
            "found": each.found,
            "rows": [row.key for row in each.rows],
        }
        for ordering in orderings(sound)
        for dataset, statements in ordering.evidence
        for each in statements
    )


def cells(found: Results) -> pd.DataFrame:
    """Results as a table, a row a cell; see `load`."""
    radii = {
        label(entry.get("dataset") or {"id": ""}): (entry.get("budget") or {}).get("epsilon")
        for entry in found.run.get("datasets") or ()
    }
    return _frame(_cell(row, radii) for row in found.rows)


def _cell(row: Row, radii: Mapping[str, float | None]) -> dict[str, Any]:
    flat = row.to_json()
    metrics = {**row.metrics, **{f"report_{name}": each for name, each in row.reports.items()}}
    coordinates = {name: flat.pop(name, None) for name in COORDINATES}
    del flat["metrics"], flat["reports"]
    names = {name: None if each is None else label(each) for name, each in coordinates.items()}
    bounded = row.protocol in ("bounded", "transfer")
    return {
        **flat,
        **names,
        **dict(_parameters(coordinates)),
        "radius": radii.get(label(row.dataset)) if bounded else None,
        **dict(_spread(metrics)),
    }


def _parameters(coordinates: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for kind, coordinate in coordinates.items():
        for name, value in (coordinate or {}).items():
            if name != "id":
                yield f"{kind}_{name}", label(value) if isinstance(value, dict) and "id" in value else value


def _name(of: Name) -> dict[str, str]:
    return {kind: getattr(of, kind).full for kind in _CLASSIFIER}


def _spread(metrics: Mapping[str, Metric]) -> Iterator[tuple[str, float | int]]:
    for name, metric in metrics.items():
        column = _RENAMED.get(name, name)
        yield column, metric.value
        yield from ((f"{column}_{end}", getattr(metric, end)) for end in ("low", "high", "n"))


def _frame(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame.from_records([dict(record) for record in records]).rename(columns=_RENAMED)
