"""The results of a run on disk: rows, per-clip outcomes and provenance. Boards and gates read only these.

    results.jsonl         one row a cell, sorted by coordinates
    samples.safetensors   arrays named `<row key>/<field>` (below), and `clips/<data set>/group`
    run.json              provenance: suite, budget, versions, platform, data sets, input sizes

Fields of a row's samples, all `[n]`; `clip` is a row of the data set's index:

    clean               clip label prediction score
    bounded and reach   clip clean_score score fooled l2 linf l0 gradients queries
    transfer            clip fooled score source_fooled

`clean` covers all test clips, `bounded` and `reach` those that the classifier got right when clean, `transfer`
those among the source's that the target gets right when clean. At `reach` a clip that is not fooled has its clean
score and no size; where the target was not reached there are no sizes, and an attack that minimises its norm
leaves no `linf` and `l0` there.

Further fields, where there is something to say:

    clean               model_loss model_validation defense_loss defense_validation
    bounded             tested (all test clips `[N]`) curve_gradients curve_auc curve_rate
    reach               refining_gradients refining_queries
    targeted attacks    clean_target_score target_score met

The first are learning curves `[epochs]` of the model and of what its defense trained on top: mean training loss,
and the score on the validation part. A row whose training diverged keeps its curve up to there. The budget curve
holds fooling AUC and rate after so many gradients a clip. Refinement is what was spent to know a size better than
the ladder of radii does.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import pydantic

from soundproof.contract.identity import label
from soundproof.digest import canonical
from soundproof.errors import ResultsError
from soundproof.measuring.metrics.intervals import Metric
from soundproof.measuring.place import Coordinate, Place
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

SCHEMA = 1
ROWS, SAMPLES, RUN = "results.jsonl", "samples.safetensors", "run.json"
_ORDER = {protocol: number for number, protocol in enumerate(PROTOCOLS)}
_COORDINATES = ("dataset", "representation", "model", "defense", "attack", "target")
# Characters of a reason: an exception may carry a whole array.
_REASON = 400


@dataclass(frozen=True, kw_only=True, eq=False)
class Row(Place):
    """One cell's result, at its place.

    Attributes:
        key: Digest of coordinates and budget; names the row in other files.
        status: Only `ok` rows carry metrics.
        reason: Why it was skipped, failed or is invalid; also why a `reach` row did not reach. Cut where long.
        metrics: By name.
        reports: What a defense measured of itself when it was trained, by the name it gave.
        flags: Warnings that a reader must see beside the numbers, see `soundproof.results.flags`.
        reached: Of `reach` rows whether the target was reached; None for others.
    """

    key: str
    status: Status
    reason: str | None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    reports: Mapping[str, Metric] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    reached: bool | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", _cut(self.reason))

    @property
    def order(self) -> tuple[Any, ...]:
        """Rows are sorted by this."""
        coordinates = (getattr(self, name) for name in _COORDINATES)
        names = tuple("" if c is None else canonical(c) for c in coordinates)
        return (*names[:4], _ORDER.get(self.protocol, len(_ORDER)), *names[4:], self.fold, self.seed)

    def title(self) -> str:
        """The row in words, for progress lines and messages."""
        parts = [self.dataset, self.representation, self.model, self.defense, self.attack, self.target]
        names = " · ".join(label(part) for part in parts if part is not None)
        return f"{names} · {self.protocol} · fold {self.fold}, seed {self.seed}"

    def to_json(self) -> dict[str, Any]:
        """The row as in `results.jsonl`."""
        return {
            "schema": SCHEMA,
            "key": self.key,
            "status": self.status,
            "reason": self.reason,
            "protocol": self.protocol,
            **{name: getattr(self, name) for name in _COORDINATES},
            "fold": self.fold,
            "seed": self.seed,
            "reached": self.reached,
            "metrics": {name: metric.to_json() for name, metric in sorted(self.metrics.items())},
            "reports": {name: metric.to_json() for name, metric in sorted(self.reports.items())},
            "flags": list(self.flags),
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Row:
        """Read one row.

        Raises:
            KeyError, TypeError, ValueError: It is not a row of this schema.
        """
        if row["schema"] != SCHEMA:
            raise ValueError(f"schema {row['schema']}, and this version reads {SCHEMA}")
        try:
            found = vars(_Written.model_validate(row))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        numbers = {
            kind: {name: Metric(**vars(each)) for name, each in found[kind].items()}
            for kind in ("metrics", "reports")
        }
        return cls(**{**found, **numbers})


def _cut(reason: str | None) -> str | None:
    """A reason of a sensible length that can be written as UTF-8."""
    if reason is None:
        return None
    short = reason if len(reason) <= _REASON else reason[: _REASON - 1] + "…"
    return short.encode(errors="replace").decode()


def _with_id(coordinate: Coordinate) -> Coordinate:
    if type(coordinate.get("id")) is not str:
        raise ValueError("a coordinate has an id")
    return coordinate


def _known_protocol(name: str) -> str:
    if name not in PROTOCOLS:
        raise ValueError(f"must be one of {', '.join(PROTOCOLS)}")
    return name


_WithId = Annotated[dict[str, Any], pydantic.AfterValidator(_with_id)]


class _Number(pydantic.BaseModel):
    """A metric of a line."""

    model_config = pydantic.ConfigDict(strict=True)

    value: float
    low: float
    high: float
    n: int


class _Written(pydantic.BaseModel):
    """A line of `results.jsonl`; whether its numbers make sense is for `soundproof.results.soundness`."""

    model_config = pydantic.ConfigDict(strict=True)

    key: str
    status: Annotated[Status, pydantic.Field(strict=False)]
    reason: str | None
    protocol: Annotated[str, pydantic.AfterValidator(_known_protocol)]
    dataset: _WithId
    representation: _WithId
    model: _WithId
    defense: _WithId
    attack: _WithId | None
    target: _WithId | None
    fold: int
    seed: int
    metrics: dict[str, _Number]
    reports: dict[str, _Number]
    flags: Annotated[tuple[str, ...], pydantic.Field(strict=False)]
    reached: bool | None


@dataclass(frozen=True, eq=False)
class Results:
    """Everything in a results folder.

    Attributes:
        rows: Sorted by coordinates.
        samples: Arrays by name, see the module's docstring.
        run: Provenance, as in `run.json`.
    """

    rows: Sequence[Row]
    samples: Mapping[str, npt.NDArray[Any]]
    run: Mapping[str, Any]

    def fields(self, row: Row) -> dict[str, npt.NDArray[Any]]:
        """The per-clip outcomes of a row, by field; empty if it has none."""
        return self._by_row.get(row.key, {})

    @cached_property
    def _by_row(self) -> dict[str, dict[str, npt.NDArray[Any]]]:
        found: dict[str, dict[str, npt.NDArray[Any]]] = {}
        for name, array in self.samples.items():
            key, _, field_name = name.partition("/")
            found.setdefault(key, {})[field_name] = array
        return found

    def groups(self, dataset: Coordinate) -> npt.NDArray[np.int64]:
        """The recording of every clip of a data set, `[N]`."""
        return self.samples[groups_name(dataset)]


def groups_name(dataset: Coordinate) -> str:
    """Where the samples keep the recordings of a data set."""
    return f"clips/{label(dataset)}/group"


def write(results: Results, out: Path) -> None:
    """Write the three files, each replaced whole, so that a reader never meets half a file."""
    import numpy as np
    from safetensors.numpy import save

    out.mkdir(parents=True, exist_ok=True)
    rows = sorted(results.rows, key=lambda row: row.order)
    arrays = {name: np.ascontiguousarray(array) for name, array in sorted(results.samples.items())}
    replace(out / SAMPLES, save(arrays))
    replace(out / RUN, (json.dumps(results.run, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())
    replace(out / ROWS, "".join(canonical_row(row) + "\n" for row in rows).encode())


def canonical_row(row: Row) -> str:
    """One line of `results.jsonl`."""
    return json.dumps(row.to_json(), ensure_ascii=False, allow_nan=False)


def replace(path: Path, content: bytes) -> None:
    """Write a file beside its place, then rename it there."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)  # noqa: PTH105 - atomic, and says so


def read(out: Path) -> Results:
    """Read a results folder.

    Raises:
        ResultsError: A file is missing, damaged or of another schema.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    missing = [name for name in (ROWS, SAMPLES, RUN) if not (out / name).is_file()]
    if missing:
        raise ResultsError([f"{out / name} is missing: is {out} the --out of a `bench run`?" for name in missing])
    rows, problems = [], []
    # Not splitlines(): a string in a row may hold a line separator of Unicode's.
    for number, line in enumerate((out / ROWS).read_text(encoding="utf-8").rstrip("\n").split("\n"), start=1):
        try:
            rows.append(Row.from_json(json.loads(line)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problems.append(f"{out / ROWS}:{number}: not a row of schema {SCHEMA}: {error}")
    try:
        samples = load_file(out / SAMPLES)
    except (SafetensorError, OSError) as error:
        problems.append(f"{out / SAMPLES} is damaged: {error}; run the suite again")
    try:
        run = json.loads((out / RUN).read_text(encoding="utf-8"))
    except ValueError as error:
        problems.append(f"{out / RUN} is damaged: {error}; run the suite again")
    if problems:
        raise ResultsError(problems)
    return Results(sorted(rows, key=lambda row: row.order), samples, run)
