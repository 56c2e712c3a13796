"""From per-clip outcomes back to numbers: averages over folds and seeds, and the worst case over attacks.

Definitions: docs/metrics.md. A number that belongs to one fold and one seed is the row's own; all others are
estimated again from the clips, because neither a mean of intervals nor a mean of minima is an interval or a
worst case.
"""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.digest import canonical
from soundproof.errors import ResultsError
from soundproof.measuring.metrics import cells
from soundproof.measuring.metrics.intervals import Metric, Part, estimate
from soundproof.measuring.metrics.statistics import auc, average, mean
from soundproof.results.files import groups_name
from soundproof.types import Protocol, Status

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from soundproof.results.files import Coordinate, Results, Row

    Array = npt.NDArray[Any]

_FIELDS = {
    Protocol.CLEAN: ("clip", "label", "prediction", "score"),
    Protocol.BOUNDED: ("clip", "clean_score", "score", "fooled", "l2", "gradients", "queries"),
    Protocol.REACH: ("clip", "fooled", "l2", "gradients", "queries"),
    Protocol.TRANSFER: ("clip", "fooled"),
}
_GREY = ("grey_score", "grey_fooled")
# Rows keep 6 significant digits and samples may be float32; anything beyond is another number.
_AGREE = 1e-4


class Outcomes:
    """The per-clip outcomes of a results folder, and the numbers they give."""

    def __init__(self, results: Results) -> None:
        self._samples = results.samples
        self._scored = {_place(row): row for row in results.rows if row.status is Status.OK}
        self._dimensions = {
            (canonical(entry.get("dataset")), canonical(entry.get("representation"))): entry.get("dimension")
            for entry in results.run.get("inputs") or ()
        }
        self._classes = {
            canonical(entry.get("dataset")): len(entry.get("classes") or ())
            for entry in results.run.get("datasets") or ()
        }

    def dimension(self, row: Row) -> int | None:
        """The input size D of a row's classifier; None where the run did not note it."""
        return self._dimensions.get((canonical(row.dataset), canonical(row.representation)))

    def averages(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """The metrics of one configuration, averaged over its rows, one a fold and seed.

        Raises:
            ResultsError: The samples of a row are missing, or give another number than the rows.
        """
        if len(rows) <= 1:
            return {name: metric for row in rows for name, metric in row.metrics.items()}
        found = self._estimated(rows)
        noted = _noted(rows, found.keys()) if rows[0].protocol is Protocol.CLEAN else {}
        return {
            name: self._checked(rows, name, metric)
            for name, metric in found.items()
            if any(name in row.metrics for row in rows)
        } | noted

    def worst_case(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """The attacks of one classifier together; `rows` are its `bounded` rows of all folds and seeds.

        Returns:
            `robust_accuracy` (a clip counts if no attack fools it), `fooling_rate` (if any does) and
            `mean_fooling_auc` (over the attacks); without a clean row the first is absent. The same of the
            grey-box attacker, as `grey_…` and `mean_grey_…`, if every row has it.
        """
        parts: dict[str, list[Part]] = {}
        grey = all(_has_grey_box(row) for row in rows)
        for attacks in _by_classifier(rows):
            samples = self._of_the_same_clips(attacks)
            clean = self._scored.get(_place(attacks[0], protocol=Protocol.CLEAN))
            tested = None if clean is None else self._fields(clean)["clip"]
            for attacker in ("", "grey_")[: 1 + grey]:
                for name, part in _worst_part(samples, tested, attacker).items():
                    parts.setdefault(name, []).append(part)
        return self._rates(rows, parts)

    def mean_over_attacks(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """`transfer_ratio` of one pair: first the mean over attacks, then over folds and seeds."""
        parts = []
        for attacks in _by_classifier([row for row in rows if "transfer_ratio" in row.metrics]):
            samples = [self._fields(row) for row in attacks]
            clips = np.unique(np.concatenate([sample["clip"] for sample in samples]))
            shares = []
            for sample in samples:
                fooled = np.full(len(clips), np.nan)
                fooled[np.searchsorted(clips, sample["clip"])] = sample["fooled"] > 0
                shares.append(mean(fooled))
            parts.append(Part(clips, average(shares)))
        return self._rates(rows, {"transfer_ratio": parts})

    def _estimated(self, rows: Sequence[Row]) -> dict[str, Metric]:
        groups, samples = self._groups(rows[0].dataset), [self._fields(row) for row in rows]
        match rows[0].protocol:
            case Protocol.CLEAN:
                found = cells.recognition(samples, groups, self._count_classes(rows[0].dataset, samples))
            case Protocol.BOUNDED:
                tests = [self._fields(self._partner(row, Protocol.CLEAN))["clip"] for row in rows]
                found = cells.fooling(samples, tests, groups) | self._effort(rows, samples)
                found |= cells.grey_box(samples, tests, groups)
            case Protocol.REACH:
                fooled = [Part(sample["clip"], mean(sample["fooled"] > 0)) for sample in samples]
                found = (
                    self._effort(rows, samples) | self._ratios(rows) | self._rates(rows, {"fooling_rate": fooled})
                )
            case Protocol.TRANSFER:
                found = cells.transfer(samples, groups)
        return found

    def _effort(self, rows: Sequence[Row], samples: Sequence[Mapping[str, Array]]) -> dict[str, Metric]:
        dimension = self.dimension(rows[0])
        found = cells.effort(samples, self._groups(rows[0].dataset), dimension or 1)
        return {name: metric for name, metric in found.items() if dimension or name != "rms"}

    def _ratios(self, rows: Sequence[Row]) -> dict[str, Metric]:
        rows = [row for row in rows if "epsilon_ratio" in row.metrics]
        if not rows:
            return {}
        undefended = [self._partner(row, Protocol.REACH, {"id": "none"}) for row in rows]
        above, below = ([self._fields(row) for row in side] for side in (rows, undefended))
        return cells.epsilon_ratio(above, below, self._groups(rows[0].dataset))

    def _checked(self, rows: Sequence[Row], name: str, metric: Metric) -> Metric:
        noted = fmean(row.metrics[name].value for row in rows if name in row.metrics)
        if not math.isclose(metric.value, noted, rel_tol=_AGREE, abs_tol=_AGREE * _AGREE):
            raise ResultsError(
                f"{rows[0].title()} and its other folds and seeds: the rows say {name} = {noted:g} on average, "
                f"and their samples {metric.value:g}; run the suite again"
            )
        return _rounded(metric)

    def _rates(self, rows: Sequence[Row], parts: Mapping[str, Sequence[Part]]) -> dict[str, Metric]:
        groups = self._groups(rows[0].dataset)
        found = {name: estimate(each, groups, bounds=cells.RATE) for name, each in parts.items()}
        return {name: _rounded(metric) for name, metric in found.items() if metric is not None}

    def _count_classes(self, dataset: Coordinate, samples: Sequence[Mapping[str, Array]]) -> int:
        seen = max(int(sample[name].max()) for sample in samples for name in ("label", "prediction"))
        return self._classes.get(canonical(dataset)) or seen + 1

    def _partner(self, row: Row, protocol: Protocol, defense: Coordinate | None = None) -> Row:
        partner = self._scored.get(_place(row, protocol=protocol, defense=defense))
        if partner is None:
            raise ResultsError(
                f"{row.title()}: the {protocol} row that it is compared with is missing; run it too"
            )
        return partner

    def _fields(self, row: Row) -> dict[str, Array]:
        names = (*_FIELDS[row.protocol], *(_GREY if _has_grey_box(row) else ()))
        missing = [name for name in names if f"{row.key}/{name}" not in self._samples]
        if missing:
            raise ResultsError(f"{row.title()}: its samples lack {', '.join(missing)}; run the suite again")
        return {name: self._samples[f"{row.key}/{name}"] for name in names}

    def _of_the_same_clips(self, attacks: Sequence[Row]) -> list[dict[str, Array]]:
        """The samples of all attacks on one classifier."""
        samples = [self._fields(row) for row in attacks]
        for row, sample in zip(attacks, samples, strict=True):
            if not np.array_equal(sample["clip"], samples[0]["clip"]):
                raise ResultsError(f"{row.title()}: its clips are not those of the other attacks; run it again")
        return samples

    def _groups(self, dataset: Coordinate) -> npt.NDArray[np.int64]:
        groups = self._samples.get(groups_name(dataset))
        if groups is None:
            raise ResultsError(f"the samples lack {groups_name(dataset)}; run the suite again")
        return groups


def _has_grey_box(row: Row) -> bool:
    return any(name.startswith("grey_") for name in row.metrics)


def _worst_part(samples: Sequence[Mapping[str, Array]], tested: Array | None, attacker: str) -> dict[str, Part]:
    """One classifier's share of the worst case, from the samples of all attacks on the same clips."""
    clips = samples[0]["clip"]
    fooled = np.any([sample[f"{attacker}fooled"] > 0 for sample in samples], axis=0)
    areas = [auc(sample["clean_score"], sample[f"{attacker}score"]) for sample in samples]
    parts = {
        f"{attacker}fooling_rate": Part(clips, mean(fooled)),
        f"mean_{attacker}fooling_auc": Part(clips, average(areas)),
    }
    if tested is not None:
        parts[f"{attacker}robust_accuracy"] = Part(tested, mean(np.isin(tested, clips[~fooled])))
    return parts


def _noted(rows: Sequence[Row], estimated: Collection[str]) -> dict[str, Metric]:
    """What trainings noted of themselves, which samples do not hold.

    The mean of the ends of intervals is at least as wide as the interval of the mean, whatever the folds and seeds
    have in common; as many clips as in the largest of them are distinct.
    """
    names = dict.fromkeys(name for row in rows for name in row.metrics if name not in estimated)
    found = {}
    for name in names:
        each = [row.metrics[name] for row in rows if name in row.metrics]
        value, low, high = (fmean(getattr(metric, end) for metric in each) for end in ("value", "low", "high"))
        found[name] = _rounded(Metric(value, low, high, max(metric.n for metric in each)))
    return found


def _rounded(metric: Metric) -> Metric:
    """As a row of results keeps it."""
    return Metric(**metric.to_json())  # type: ignore[arg-type]


def _place(row: Row, *, protocol: Protocol | None = None, defense: Coordinate | None = None) -> tuple[str, ...]:
    """What finds a row, or its partner of another protocol or defense."""
    protocol = protocol or row.protocol
    attack = None if protocol is Protocol.CLEAN else row.attack
    coordinates = (row.dataset, row.representation, row.model, defense or row.defense, attack, row.target)
    return (protocol, *map(canonical, coordinates), str(row.fold), str(row.seed))


def _by_classifier(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of one configuration, apart for each fold and seed: each of them is a classifier of its own."""
    found: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        found.setdefault((row.fold, row.seed), []).append(row)
    return list(found.values())
