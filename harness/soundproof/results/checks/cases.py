"""Cases: the rows of a results folder sorted by the classifier that they are about."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.measuring.classifier import BASELINE
from soundproof.measuring.place import classifier_of, judged_by
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.results.checks.base import Case, Tried
from soundproof.types import SIZE_UNITS, Access, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from soundproof.results.files import Results, Row

    Fields = Mapping[str, npt.NDArray[Any]]

_EXACT = "exact gradients"


@dataclass(frozen=True, eq=False)
class Probed:
    """What probes found of one classifier.

    Attributes:
        arrays: By name; None if they did not run.
        why: Why not.
    """

    arrays: Fields | None
    why: str = ""


def cases(results: Results, probed: Mapping[str, Probed]) -> Iterator[Case]:
    """Every classifier with an attack on it, in the order of rows."""
    rows: dict[str, list[Row]] = defaultdict(list)
    onto: dict[str, list[Row]] = defaultdict(list)
    for row in results.rows:
        if row.protocol == "transfer":
            if results.fields(row):
                onto[judged_by(row)].append(row)
        else:
            rows[classifier_of(row)].append(row)
    says = {
        entry["id"]: entry.get("capabilities") or {}
        for entry in results.run.get("components") or ()
        if entry.get("kind") == "attack"
    }
    tried = {key: _tried(results, own, says, _draws(probed.get(key))) for key, own in rows.items()}
    for key, own in rows.items():
        if any(row.attack is not None and row.status is not Status.SKIPPED for row in own):
            yield _case(results, own, onto[key], probed.get(key), tried[key], _peers(tried, key, own[0]))


def _case(
    results: Results,
    own: Sequence[Row],
    onto: Sequence[Row],
    probed: Probed | None,
    tried: Sequence[Tried],
    peers: Sequence[Tried],
) -> Case:
    first, run = own[0], results.run
    bounded = [each for each in tried if each.row.protocol == "bounded"]
    shown = [(row, results.fields(row)) for row in onto]
    data = _entry(run.get("datasets"), dataset=first.dataset)
    budget = data.get("budget") or run.get("budget") or {}
    inputs = _entry(run.get("inputs"), dataset=first.dataset, representation=first.representation)
    arrays = None if probed is None else probed.arrays
    clean = [results.fields(row) for row in own if row.protocol == "clean" and row.status is Status.OK]
    return Case(
        rows=[*own, *onto],
        clean=clean[0] if clean else None,
        bounded=bounded,
        reach=[each for each in tried if each.row.protocol == "reach"],
        transfers=shown,
        grey=[(each, fields) for each in bounded for fields in _grey(each, shown)],
        broken=[row for row in own if row.status.broken and row.attack is not None],
        peers=peers,
        probes=arrays,
        unprobed=probed.why if probed is not None else "the checks of this classifier did not run",
        groups=np.asarray(results.groups(first.dataset)),
        defended=first.defense != {"id": BASELINE},
        adversary=_EXACT if arrays is None else arrays["about/adversary"].tobytes().decode(),
        radius=_radius(budget, int(inputs.get("dimension") or 0)),
        norm=str(budget.get("norm", "l2")),
        classes=len(data.get("classes") or ()),
        dimension=int(inputs.get("dimension") or 0),
    )


def _radius(budget: Mapping[str, Any], dimension: int) -> float:
    """The radius that all clips have; NaN where each has its own."""
    if "rms" in budget:
        return float(budget["rms"]) * math.sqrt(dimension)
    by_clip = "epsilon" not in budget and not budget.keys().isdisjoint(SIZE_UNITS)
    return math.nan if by_clip else float(budget.get("epsilon", 0.0))


def _draws(probed: Probed | None) -> int:
    """Passes that a random classifier takes for one."""
    return 1 if probed is None or probed.arrays is None else int(probed.arrays["about/draws"][0])


def _tried(
    results: Results, rows: Sequence[Row], says: Mapping[str, Mapping[str, Any]], draws: int
) -> list[Tried]:
    found = []
    for row in rows:
        fields = results.fields(row)
        whole = row.protocol in ("bounded", "reach") and all(
            name in fields for name in PROTOCOLS[row.protocol].fields
        )
        if row.status is Status.OK and row.attack is not None and whole:
            said = says.get(row.attack["id"], {})
            access = Access(said.get("access", Access.WHITE_BOX))
            found.append(Tried(row, fields, access, said.get("search") == "minimum-norm", draws))
    return found


def _peers(tried: Mapping[str, Sequence[Tried]], key: str, first: Row) -> list[Tried]:
    """The attacks within the ball on other classifiers of the same inputs."""
    family = [first.dataset, first.representation, first.fold, first.seed]
    return [
        each
        for other, attacks in tried.items()
        if other != key
        for each in attacks
        if each.row.protocol == "bounded"
        and [each.row.dataset, each.row.representation, each.row.fold, each.row.seed] == family
    ]


def _grey(tried: Tried, shown: Sequence[tuple[Row, Fields]]) -> list[Fields]:
    """The examples of the same attack on the undefended classifier, shown to this one."""
    place = PROTOCOLS["bounded"].partners(tried.row).get("grey")
    return [] if place is None else [fields for row, fields in shown if row.lookup == place.lookup]


def _entry(entries: Any, **wanted: Any) -> Mapping[str, Any]:
    """The entry of a list in `run.json` that has these coordinates."""
    return next(
        (entry for entry in entries or () if all(entry.get(name) == value for name, value in wanted.items())), {}
    )
