"""Outcomes that a gate compares: each gated metric of every configuration, clip by clip where it is a mean."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.contract.identity import label
from soundproof.digest import canonical
from soundproof.results.combine import Combination
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import numpy.typing as npt

    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.measuring.place import Coordinate
    from soundproof.results.files import Results, Row

    Array = npt.NDArray[Any]
    Samples = Mapping[str, Array]

PLACES = ("protocol", "dataset", "representation", "model", "defense", "attack", "target", "channel")


@dataclass(frozen=True, eq=False)
class Column:
    """One metric clip by clip, summed over folds and seeds.

    Attributes:
        clips: int `[n]`, ascending rows of the data set's index.
        total: `[n]`, the sum over the runs that have the clip.
        runs: int `[n]`, how many they are.
    """

    clips: Array
    total: Array
    runs: Array

    @property
    def whole(self) -> bool:
        """Whether every outcome is right or wrong, so that sums are whole numbers."""
        return bool(np.all(self.total == np.round(self.total)))


@dataclass(frozen=True, eq=False)
class Entry:
    """One configuration, all its folds and seeds together.

    Attributes:
        place: Its coordinates, without fold and seed.
        keys: Keys of its rows: coordinates and budget.
        status: `ok` if all rows are; else that of the first which is not.
        reason: Why, where it is not.
        flags: Of any of its rows.
        metrics: Those that are gated.
        columns: Of those among them that are means over clips.
    """

    place: Mapping[str, Any]
    keys: frozenset[str]
    status: Status
    reason: str | None
    flags: frozenset[str]
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The configuration in words."""
        return title(self.place)


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a comparison: a run, or a baseline that was kept of one.

    Attributes:
        name: What to call it in messages.
        suite: Name of the suite.
        table: The suite's table `[gate]`.
        environment: Versions and device of the run.
        datasets: Checksum of every data set, by canonical coordinate.
        groups: Recording of every clip of a data set, likewise.
        entries: By canonical place.
    """

    name: str
    suite: str
    table: Mapping[str, Any]
    environment: Mapping[str, Any]
    datasets: Mapping[str, str]
    groups: Mapping[str, Array]
    entries: Mapping[str, Entry]


def title(place: Mapping[str, Any]) -> str:
    """A place in words."""
    names = [label(place[name]) for name in PLACES[1:] if place.get(name) is not None]
    return " · ".join([*names, str(place["protocol"])])


def side_of(results: Results, name: str, metrics: Collection[str]) -> Side:
    """A run as one side of a comparison.

    Args:
        results: Of the run.
        name: What to call it.
        metrics: Those that are gated.

    Raises:
        ResultsError: Samples are missing.
    """
    combination = Combination(results)
    found: dict[str, list[Row]] = {}
    for row in results.rows:
        found.setdefault(canonical(_place(row)), []).append(row)
    entries = {place: _entry(rows, combination, metrics) for place, rows in found.items()}
    named = [(entry["dataset"], entry["checksum"]) for entry in results.run.get("datasets") or ()]
    suite = results.run.get("suite") or {}
    return Side(
        name=name,
        suite=str(suite.get("name")),
        table=suite.get("gate") or {},
        environment=results.run.get("environment") or {},
        datasets={canonical(dataset): checksum for dataset, checksum in named},
        groups={canonical(dataset): results.groups(dataset) for dataset, _ in named},
        entries=entries,
    )


def _place(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PLACES if name != "channel" or row.channel is not None}


def _entry(rows: Sequence[Row], combination: Combination, metrics: Collection[str]) -> Entry:
    broken = [row for row in rows if row.status is not Status.OK]
    first = broken[0] if broken else rows[0]
    entry = Entry(
        place=_place(rows[0]),
        keys=frozenset(row.key for row in rows),
        status=first.status,
        reason=first.reason,
        flags=frozenset(flag for row in rows for flag in row.flags),
    )
    if broken:
        return entry
    known = {name: metric for name, metric in combination.averages(rows).items() if name in metrics}
    samples = [combination.samples(row) for row in rows]
    dimension = combination.dimension(rows[0]) or 0
    columns = {name: _column(name, samples, rows[0].protocol, dimension) for name in known}
    return Entry(
        **{name: getattr(entry, name) for name in ("place", "keys", "status", "reason", "flags")},
        metrics=known,
        columns={name: column for name, column in columns.items() if column is not None},
    )


def _column(metric: str, samples: Sequence[Samples], protocol: str, dimension: int) -> Column | None:
    """A metric clip by clip; None if it is no mean over clips, or the samples do not hold it."""
    per_clip = _PER_CLIP.get((protocol, metric)) or _PER_CLIP.get(("", metric))
    if per_clip is None:
        return None
    try:
        pairs = [per_clip(each, dimension) for each in samples]
    except KeyError:
        return None
    clips = np.unique(np.concatenate([clips for clips, _ in pairs]))
    total, runs = np.zeros(len(clips)), np.zeros(len(clips), np.int64)
    for own, values in pairs:
        there = np.searchsorted(clips, own)
        total[there] += values
        runs[there] += 1
    return Column(clips, total, runs)


def _of(name: str) -> Callable[[Samples, int], tuple[Array, Array]]:
    return lambda samples, _: (samples["clip"], samples[name])


def _truth(name: str) -> Callable[[Samples, int], tuple[Array, Array]]:
    return lambda samples, _: (samples["clip"], samples[name] > 0)


def _of_fooled(name: str) -> Callable[[Samples, int], tuple[Array, Array]]:
    def values(samples: Samples, dimension: int) -> tuple[Array, Array]:
        fooled = samples["fooled"] > 0
        scale = math.sqrt(dimension) if name == "rms" else 1.0
        return samples["clip"][fooled], samples["l2" if name == "rms" else name][fooled] / scale

    return values


def _right(samples: Samples, _: int) -> tuple[Array, Array]:
    return samples["clip"], samples["label"] == samples["prediction"]


def _survived(samples: Samples, _: int) -> tuple[Array, Array]:
    return samples["tested"], np.isin(samples["tested"], samples["clip"][samples["fooled"] == 0])


def _moved(samples: Samples, _: int) -> tuple[Array, Array]:
    moved = samples["source_fooled"] > 0
    return samples["clip"][moved], samples["fooled"][moved] > 0


# Metrics that are means over clips, by protocol (empty: of any) and name: the clips, and each one's outcome.
_PER_CLIP: Mapping[tuple[str, str], Callable[[Samples, int], tuple[Array, Array]]] = {
    ("clean", "accuracy"): _right,
    ("bounded", "robust_accuracy"): _survived,
    ("transfer", "transfer_ratio"): _moved,
    ("", "fooling_rate"): _truth("fooled"),
    ("", "targeted_rate"): _truth("met"),
    **{("", name): _of(name) for name in ("gradients", "queries")},
    **{("", name): _of_fooled(name) for name in ("l2", "linf", "l0", "rms")},
}
# Means over all test clips: these must be the same on both sides. The others are over clips that the classifier
# decides about.
OVER_ALL = frozenset({"accuracy", "robust_accuracy"})


def same_dataset(place: Mapping[str, Any]) -> str:
    """Key of the data set of a place."""
    dataset: Coordinate = place["dataset"]
    return canonical(dataset)
