"""From a results folder to the rows of the boards.

Cells of one configuration, apart from fold and seed, become one row; failures become `Unscored`, never a score.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from soundproof.boards.entries import (
    Boards,
    Bounded,
    Cost,
    Coverage,
    Recognition,
    Robustness,
    Sounding,
    Transfer,
    Unscored,
)
from soundproof.boards.examinations import examinations
from soundproof.boards.listening import recorded
from soundproof.boards.measures import MEASURES, REPORT, columns
from soundproof.boards.names import Names
from soundproof.boards.ranks import hardness, ranked
from soundproof.boards.sections import sections
from soundproof.boards.shots import shots
from soundproof.boards.sweeps import sweeps
from soundproof.boards.trainings import trainings
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.results.attacks import PAPERS, averaged, controls
from soundproof.results.combine import Combination
from soundproof.results.flags import FEWER_ATTACKS, INCOMPLETE, UNSOUND
from soundproof.results.soundness import screened
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from soundproof.boards.names import Called, Name
    from soundproof.boards.ranks import Groups
    from soundproof.boards.sweeps import Sweep
    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.results.files import Results, Row

_CLASSIFIER = ("dataset", "representation", "model", "defense")
_MEAN_COSTS = ("gradients", "queries", "l2", "rms", "snr", "epsilon_ratio")


def collect(results: Results) -> Boards:
    """The boards of a results folder; the order of its rows does not matter."""
    return boards_of(screened(results))


def boards_of(sound: Results) -> Boards:
    """The boards of results whose rows fit their samples."""
    return _Folder(sound).boards()


class _Folder:
    """A results folder whose rows fit their samples."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._rows = sorted(results.rows, key=lambda row: (row.order, row.key))
        self._names = Names(results)
        self._combination = Combination(results)
        self._controls = controls(results)
        self._averaged = averaged(self._rows, self._controls)

    def boards(self) -> Boards:
        """All of them."""
        of = {protocol: [row for row in self._rows if row.protocol == protocol] for protocol in PROTOCOLS}
        means = self._mean_costs(of["reach"])
        attacks = sorted((row for row in self._rows if self._is_averaged(row)), key=_in_the_papers)
        averaged_over = tuple(dict.fromkeys(map(self._names.attack, attacks)))
        return Boards(
            accuracy=self._recognition(of["clean"]),
            robustness=self._robustness(of["bounded"], of["clean"], means, of["certified"]),
            cost=(*(means.values() if len(averaged_over) > 1 else ()), *self._cost(of["reach"])),
            transfers=tuple(self._transfers(of["transfer"])),
            sounds=tuple(self._sounds([*of["realised"], *of["channels"]])),
            unscored=tuple(self._unscored(row) for row in self._rows if row.status is not Status.OK),
            trainings=trainings(self._results, of["clean"], self._names),
            cells=Counter(row.status for row in self._rows),
            averaged=averaged_over,
            means=tuple(means.values()),
            sections=sections(self._results, self._rows, self._names, self._controls, self._combination),
            components=self._names.coordinates,
            sweeps=self._sweeps(of),
            recorded=recorded(self._results, self._rows, self._names) if self._results.sounds else (),
            shots=shots(self._results, self._rows, self._names),
            examinations=examinations(self._results, self._names),
        )

    def _sweeps(self, of: Mapping[str, Sequence[Row]]) -> tuple[Sweep, ...]:
        owners: dict[tuple[Name, Called | None], None] = {}
        for row in (*of["clean"], *of["bounded"], *of["reach"]):
            if row.status is Status.OK:
                owners[self._names.classifier(row), None] = None
                if row.attack is not None:
                    owners[self._names.classifier(row), self._names.attack(row)] = None
        # Channels own no row of a classifier or an attack: their values stand side by side on the board of sound.
        kinds = {kind: found for kind, found in self._names.coordinates.items() if kind != "channel"}
        return sweeps(owners, kinds, self._results.run)

    def _recognition(self, rows: Sequence[Row]) -> tuple[Recognition, ...]:
        entries, outcomes = [], {}
        for group in _groups(rows, *_CLASSIFIER):
            name, scored = self._names.classifier(group[0]), _scored(group)
            reports = {f"{REPORT}{key}": metric for key, metric in self._combination.reports(scored).items()}
            metrics = {**self._combination.averages(scored), **reports}
            entries.append(Recognition(name, metrics, _flags(group), _coverage(group)))
            outcomes[name] = self._combination.recognised(scored)
        return ranked(entries, "accuracy", outcomes, self._groups_of(rows))

    def _robustness(
        self, rows: Sequence[Row], clean: Sequence[Row], means: Mapping[Name, Cost], certified: Sequence[Row] = ()
    ) -> tuple[Robustness, ...]:
        proven = {_key(group[0], *_CLASSIFIER): group for group in _groups(certified, *_CLASSIFIER)}
        unattacked = {_key(group[0], *_CLASSIFIER): group for group in _groups(clean, *_CLASSIFIER, scored=False)}
        entries, outcomes = [], {}
        for group in _groups(rows, *_CLASSIFIER):
            name, recognised = self._names.classifier(group[0]), unattacked.get(_key(group[0], *_CLASSIFIER), [])
            attacks = [row for row in group if not self._is_control(row)]
            metrics = {**self._averages(recognised, ["accuracy"]), **self._together(_scored(attacks))}
            metrics |= self._combination.averages(_scored(proven.get(_key(group[0], *_CLASSIFIER), [])))
            if name in means and "l2" in means[name].metrics:
                metrics["reach_l2"] = means[name].metrics["l2"]
            entries.append(
                Robustness(
                    name=name,
                    metrics=metrics,
                    flags=_flags([*attacks, *recognised]),
                    coverage=_coverage(group),
                    dimension=self._combination.dimension(group[0]),
                    attacks=tuple(self._bounded(attack) for attack in _groups(group, "attack")),
                )
            )
            if _scored(attacks):
                outcomes[name] = self._combination.survived(_scored(attacks))
        flagged = [_against_neighbours(entry, entries) for entry in entries]
        ties = {name: hardness(mean) for name, mean in means.items()}
        return ranked(flagged, "robust_accuracy", outcomes, self._groups_of(rows), ties)

    def _together(self, rows: Sequence[Row]) -> dict[str, Metric]:
        """The worst case over attacks and their mean AUC."""
        if not rows:
            return {}
        mean = self._combination.mean_over_attacks(
            [row for row in rows if self._is_averaged(row)], ("fooling_auc", "grey_fooling_auc")
        )
        return {**self._combination.worst_case(rows), **{f"mean_{name}": metric for name, metric in mean.items()}}

    def _bounded(self, group: Sequence[Row]) -> Bounded:
        return Bounded(
            name=self._names.classifier(group[0]),
            metrics=self._averages(group, columns("robustness", MEASURES)),
            flags=_flags(group),
            coverage=_coverage(group),
            attack=self._names.attack(group[0]),
            dimension=self._combination.dimension(group[0]),
            control=self._is_control(group[0]),
        )

    def _cost(self, rows: Sequence[Row]) -> list[Cost]:
        entries = []
        for group in _groups(rows, *_CLASSIFIER, "attack"):
            reached = [row for row in _scored(group) if row.reached]
            metrics = self._combination.averages(reached)
            shown = {name: metrics[name] for name in columns("cost", MEASURES) if name in metrics}
            attack, control = self._names.attack(group[0]), self._is_control(group[0])
            entries.append(replace(self._spent(group, shown), attack=attack, control=control))
        return sorted(entries, key=lambda entry: (entry.name.dataset, entry.attack, *hardness(entry)))

    def _mean_costs(self, rows: Sequence[Row]) -> dict[Name, Cost]:
        """The mean over attacks of each classifier, the hardest to fool first."""
        entries = []
        for group in _groups([row for row in rows if self._is_averaged(row)], *_CLASSIFIER):
            reached = [row for row in _scored(group) if row.reached]
            metrics = self._combination.mean_over_attacks(reached, _MEAN_COSTS)
            over = (len({row.words["attack"] for row in reached}), len({row.words["attack"] for row in group}))
            entries.append(replace(self._spent(group, metrics), over=over))
        entries.sort(key=lambda entry: (entry.name.dataset, *hardness(entry)))
        return {entry.name: entry for entry in entries}

    def _spent(self, group: Sequence[Row], metrics: Mapping[str, Metric]) -> Cost:
        scored = _scored(group)
        return Cost(
            name=self._names.classifier(group[0]),
            metrics=metrics,
            flags=_flags(group),
            coverage=_coverage(group),
            attack=None,
            dimension=self._combination.dimension(group[0]),
            reached=sum(bool(row.reached) for row in scored),
            reasons=_distinct(row.reason for row in scored if not row.reached),
        )

    def _transfers(self, rows: Sequence[Row]) -> Iterable[Transfer]:
        for pair in _groups(rows, *_CLASSIFIER, "target"):
            meant = [row for row in _scored(pair) if self._is_averaged(row)]
            if len({row.words["attack"] for row in meant}) > 1:
                metrics = self._combination.mean_over_attacks(meant, ("transfer_ratio",))
                yield self._transfer(pair, metrics)
            for group in _groups(pair, "attack"):
                metrics = self._averages(group, columns("transferability", MEASURES))
                yield replace(self._transfer(group, metrics), attack=self._names.attack(group[0]))

    def _transfer(self, group: Sequence[Row], metrics: Mapping[str, Metric]) -> Transfer:
        target = self._names.target(group[0])
        assert target is not None
        return Transfer(self._names.classifier(group[0]), metrics, _flags(group), _coverage(group), target, None)

    def _sounds(self, rows: Sequence[Row]) -> Iterable[Sounding]:
        for group in _groups(rows, *_CLASSIFIER, "channel", "attack"):
            yield Sounding(
                name=self._names.classifier(group[0]),
                metrics=self._averages(group, columns("sound", MEASURES)),
                flags=_flags(group),
                coverage=_coverage(group),
                attack=None if group[0].attack is None else self._names.attack(group[0]),
                channel=self._names.channel(group[0]),
            )

    def _unscored(self, row: Row) -> Unscored:
        return Unscored(
            status=row.status,
            protocol=row.protocol,
            name=self._names.classifier(row),
            attack=None if row.attack is None else self._names.attack(row),
            target=self._names.target(row),
            fold=row.fold,
            seed=row.seed,
            reason=row.reason or "",
            flags=row.flags,
            channel=self._names.channel(row),
        )

    def _averages(self, rows: Sequence[Row], names: Sequence[str]) -> dict[str, Metric]:
        averages = self._combination.averages(_scored(rows))
        return {name: averages[name] for name in names if name in averages}

    def _groups_of(self, rows: Sequence[Row]) -> dict[Called, Groups]:
        """The recordings of each data set's clips, by its name."""
        return {self._names.of("dataset", row.dataset): self._combination.groups(row) for row in _scored(rows)}

    def _is_control(self, row: Row) -> bool:
        return row.attack is not None and row.attack["id"] in self._controls

    def _is_averaged(self, row: Row) -> bool:
        return row.attack is not None and row.attack["id"] in self._averaged


def _in_the_papers(row: Row) -> tuple[int, str]:
    """Sorts attacks in the order in which the papers name them."""
    assert row.attack is not None
    place = PAPERS.index(row.attack["id"]) if row.attack["id"] in PAPERS else len(PAPERS)
    return place, row.words["attack"]


def _against_neighbours(entry: Robustness, entries: Iterable[Robustness]) -> Robustness:
    """Flag a worst case over fewer attacks than others of the data set faced."""
    neighbours = (other for other in entries if other.name.dataset == entry.name.dataset)
    if INCOMPLETE in entry.flags or all(entry.faced >= other.faced for other in neighbours):
        return entry
    return replace(entry, flags=tuple(sorted({*entry.flags, FEWER_ATTACKS})))


def _groups(rows: Iterable[Row], *coordinates: str, scored: bool = True) -> list[list[Row]]:
    """Rows that agree in these coordinates, in order; groups without a score are left out unless wanted."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(_key(row, *coordinates), []).append(row)
    return [group for group in found.values() if _scored(group) or not scored]


def _key(row: Row, *coordinates: str) -> tuple[str, ...]:
    return tuple(row.words[name] for name in coordinates)


def _scored(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.status is Status.OK]


def _coverage(rows: Sequence[Row]) -> Coverage:
    done = _scored(rows)
    return Coverage(len(done), len(rows), len({row.fold for row in done}), len({row.seed for row in done}))


def _flags(rows: Sequence[Row]) -> tuple[str, ...]:
    """The flags of the scores, and what became of the cells that broke."""
    flags = {flag for row in _scored(rows) for flag in row.flags}
    if any(row.status.broken for row in rows):
        flags.add(INCOMPLETE)
    if any(UNSOUND in row.flags for row in rows):
        flags.add(UNSOUND)
    return tuple(sorted(flags))


def _distinct(reasons: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason for reason in reasons if reason))
