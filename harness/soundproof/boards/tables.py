"""From a results folder to the rows of the four boards.

Cells of one configuration, apart from fold and seed, become one row; failures become `Unscored`, never a score.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from soundproof.boards.entries import (
    Boards,
    Bounded,
    Classifier,
    Cost,
    Coverage,
    Recognition,
    Robustness,
    Transfer,
    Unscored,
    Variant,
)
from soundproof.boards.measures import MEASURES, REPORT, columns
from soundproof.boards.trainings import trainings
from soundproof.contract.identity import label
from soundproof.digest import canonical
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.results.combine import Combination
from soundproof.results.flags import FEWER_ATTACKS, INCOMPLETE, unranked
from soundproof.types import Access, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.results.files import Results, Row

_CLASSIFIER = ("dataset", "representation", "model", "defense")

Ranked = TypeVar("Ranked", Recognition, Robustness)


def build(results: Results) -> Boards:
    """The boards of a results folder; the order of its rows does not matter.

    Raises:
        ResultsError: Rows and samples do not belong together.
    """
    rows = sorted(results.rows, key=lambda row: (row.order, row.key))
    combination = Combination(results)
    of = {protocol: [row for row in rows if row.protocol == protocol] for protocol in PROTOCOLS}
    controls = _controls(results)
    return Boards(
        accuracy=_ranked(_recognition(combination, of["clean"]), lambda entry: entry.metrics.get("accuracy")),
        robustness=_ranked(
            _robustness(combination, of["bounded"], of["clean"], controls),
            lambda entry: entry.metrics.get("robust_accuracy"),
        ),
        cost=tuple(_cost(combination, of["reach"])),
        transfers=tuple(_transfers(combination, of["transfer"], controls)),
        unscored=tuple(_unscored(row) for row in rows if row.status is not Status.OK),
        trainings=trainings(results, of["clean"]),
        cells=Counter(row.status for row in rows),
    )


def _recognition(combination: Combination, rows: Sequence[Row]) -> list[Recognition]:
    return [
        Recognition(
            classifier=Classifier.of(group[0]),
            metrics=_recognised(combination, _scored(group)),
            flags=_flags(group),
            coverage=_coverage(group),
        )
        for group in _groups(rows, *_CLASSIFIER)
    ]


def _recognised(combination: Combination, rows: Sequence[Row]) -> dict[str, Metric]:
    reports = {f"{REPORT}{name}": metric for name, metric in combination.reports(rows).items()}
    return {**combination.averages(rows), **reports}


def _robustness(
    combination: Combination, rows: Sequence[Row], clean: Sequence[Row], controls: frozenset[str]
) -> list[Robustness]:
    unattacked = {_key(group[0], *_CLASSIFIER): group for group in _groups(clean, *_CLASSIFIER, scored=False)}
    entries = []
    for group in _groups(rows, *_CLASSIFIER):
        recognised = unattacked.get(_key(group[0], *_CLASSIFIER), [])
        accuracy = _averages(combination, _scored(recognised), ["accuracy"])
        entries.append(
            Robustness(
                classifier=Classifier.of(group[0]),
                metrics={**accuracy, **_together(combination, _scored(group), controls)},
                flags=_flags([*group, *recognised]),
                coverage=_coverage(group),
                dimension=combination.dimension(group[0]),
                attacks=tuple(_bounded(combination, attack) for attack in _groups(group, "attack")),
            )
        )
    return [_against_neighbours(entry, entries) for entry in entries]


def _together(combination: Combination, rows: Sequence[Row], controls: frozenset[str]) -> dict[str, Metric]:
    """The worst case over attacks and their mean AUC; controls are no attacks."""
    attacks = [row for row in rows if row.attack is not None and row.attack["id"] not in controls]
    if not attacks:
        return {}
    return combination.worst_case(attacks) | combination.mean_fooling_auc(attacks)


def _bounded(combination: Combination, group: Sequence[Row]) -> Bounded:
    return Bounded(
        classifier=Classifier.of(group[0]),
        metrics=_averages(combination, _scored(group), columns("robustness", MEASURES)),
        flags=_flags(group),
        coverage=_coverage(group),
        attack=label(group[0].attack or {"id": ""}),
        dimension=combination.dimension(group[0]),
    )


def _against_neighbours(entry: Robustness, entries: Iterable[Robustness]) -> Robustness:
    """Flag a worst case over fewer attacks than others of the data set faced."""
    faced = {attack.attack for attack in entry.attacks}
    neighbours = (other for other in entries if other.classifier.dataset == entry.classifier.dataset)
    if INCOMPLETE in entry.flags or all(faced >= {each.attack for each in other.attacks} for other in neighbours):
        return entry
    return replace(entry, flags=tuple(sorted({*entry.flags, FEWER_ATTACKS})))


def _cost(combination: Combination, rows: Sequence[Row]) -> list[Cost]:
    entries = []
    for group in _groups(rows, *_CLASSIFIER, "attack"):
        scored = _scored(group)
        reached = [row for row in scored if row.reached]
        entries.append(
            Cost(
                classifier=Classifier.of(group[0]),
                metrics=_averages(combination, reached, columns("cost", MEASURES)),
                flags=_flags(group),
                coverage=_coverage(group),
                attack=label(group[0].attack or {"id": ""}),
                dimension=combination.dimension(group[0]),
                reached=len(reached),
                reasons=_distinct(row.reason for row in scored if not row.reached),
            )
        )
    return sorted(entries, key=_hardest_first)


def _hardest_first(entry: Cost) -> tuple[str, str, float, float, float]:
    """By attack; first where it failed to reach, then where it had to spend most and to perturb most."""
    spent = [entry.metrics[name].value if name in entry.metrics else 0.0 for name in ("gradients", "l2")]
    share = entry.reached / entry.coverage.done
    return entry.classifier.dataset, entry.attack, share, -spent[0], -spent[1]


def _transfers(combination: Combination, rows: Sequence[Row], controls: frozenset[str]) -> list[Transfer]:
    entries = []
    for pair in _groups(rows, *_CLASSIFIER, "target"):
        attacks = _groups(pair, "attack")
        target = _target(pair[0])
        assert target is not None
        meant = [row for row in _scored(pair) if row.attack is not None and row.attack["id"] not in controls]
        if len({canonical(row.attack) for row in meant}) > 1:
            metrics = combination.mean_transfer(meant)
            entries.append(Transfer(Classifier.of(pair[0]), metrics, _flags(pair), _coverage(pair), target, None))
        for group in attacks:
            metrics = _averages(combination, _scored(group), columns("transferability", MEASURES))
            attack = label(group[0].attack or {"id": ""})
            entries.append(
                Transfer(Classifier.of(group[0]), metrics, _flags(group), _coverage(group), target, attack)
            )
    return entries


def _ranked(entries: Sequence[Ranked], value: Callable[[Ranked], Metric | None]) -> tuple[Ranked, ...]:
    """Best first within each data set; equal values share a rank, flagged rows have none and come last."""
    placed: list[Ranked] = []
    for dataset in dict.fromkeys(entry.classifier.dataset for entry in entries):
        here = [(value(entry), entry) for entry in entries if entry.classifier.dataset == dataset]
        scores = {id(entry): metric.value for metric, entry in here if metric is not None}
        fit = [entry for _, entry in here if id(entry) in scores and not unranked(entry.flags)]
        fit.sort(key=lambda entry: -scores[id(entry)])
        rest = [entry for _, entry in here if not any(entry is other for other in fit)]
        rest.sort(key=lambda entry: -scores.get(id(entry), -1.0))
        better = Counter(scores[id(entry)] for entry in fit)
        for entry in fit:
            above = sum(count for score, count in better.items() if score > scores[id(entry)])
            placed.append(replace(entry, rank=1 + above))
        placed.extend(rest)
    return tuple(placed)


def _unscored(row: Row) -> Unscored:
    return Unscored(
        status=row.status,
        protocol=row.protocol,
        classifier=Classifier.of(row),
        attack=None if row.attack is None else label(row.attack),
        target=_target(row),
        fold=row.fold,
        seed=row.seed,
        reason=row.reason or "",
        flags=row.flags,
    )


def _controls(results: Results) -> frozenset[str]:
    """Ids of attacks that are none."""
    return frozenset(
        entry["id"]
        for entry in results.run.get("components") or ()
        if (entry.get("capabilities") or {}).get("access") == Access.CONTROL
    )


def _groups(rows: Sequence[Row], *coordinates: str, scored: bool = True) -> list[list[Row]]:
    """Rows that agree in these coordinates, in order; groups without a score are left out unless wanted."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(_key(row, *coordinates), []).append(row)
    return [group for group in found.values() if _scored(group) or not scored]


def _key(row: Row, *coordinates: str) -> tuple[str, ...]:
    return tuple(canonical(getattr(row, name)) for name in coordinates)


def _scored(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.status is Status.OK]


def _averages(combination: Combination, rows: Sequence[Row], names: Sequence[str]) -> dict[str, Metric]:
    averages = combination.averages(rows)
    return {name: averages[name] for name in names if name in averages}


def _coverage(rows: Sequence[Row]) -> Coverage:
    done = _scored(rows)
    return Coverage(len(done), len(rows), len({row.fold for row in done}), len({row.seed for row in done}))


def _flags(rows: Sequence[Row]) -> tuple[str, ...]:
    """The flags of the scores, and `incomplete` where a cell broke."""
    flags = {flag for row in _scored(rows) for flag in row.flags}
    broken = any(row.status.broken for row in rows)
    return tuple(sorted(flags | {INCOMPLETE} if broken else flags))


def _target(row: Row) -> Variant | None:
    if row.target is None:
        return None
    model = {name: value for name, value in row.target.items() if name != "defense"}
    return Variant(label(model), label(row.target.get("defense", row.defense)))


def _distinct(reasons: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason for reason in reasons if reason))
