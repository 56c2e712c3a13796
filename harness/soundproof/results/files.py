"""The results of a run on disk: rows, per-clip outcomes and provenance. Boards and gates read only these.

    results.jsonl          one row a cell, sorted by coordinates
    checks.jsonl           what every check says of every classifier, see `soundproof.results.finding`
    samples.safetensors    arrays named `<row key>/<field>` (below), `clips/<data set>/group` and, as bytes of a
                           JSON list, `clips/<data set>/name`
    pictures.safetensors   one clip of each data set and representation, and what attacks add to it (below)
    sounds.safetensors     on request: a few clips, and what attacks add to their sound (below)
    run.json               provenance: suite, budget, versions, platform, data sets, input sizes, digests of all

Fields of a row's samples, all `[n]`; `clip` is a row of the data set's index:

    clean               clip label prediction score
    bounded and reach   clip clean_score score fooled l2 linf l0 gradients queries
    transfer            clip fooled score source_fooled
    certified           clip label prediction radius votes certified

`clean` and `certified` cover all test clips, `bounded` and `reach` those that the classifier got right when
clean, `transfer` those among the source's that the target gets right when clean. At `reach` a clip that is not
fooled has its clean score and no size; where the target was not reached there are no sizes, and an attack that
minimises its norm leaves no `linf` and `l0` there.

The pictures are of one undefended classifier each: `<key of its clean row>/input` is the clip, uint8 `[H, W]` in
1/255, and `…/clip` its row in the index; `<key of a bounded row>/perturbation` what the attack adds to it, int8
`[H, W]` in 1/127 of `…/scale`.

The sounds are of one undefended classifier each: `<key of its clean row>/<clip>/sound` is the clip, int16 `[T]` in
1/32767 of `…/sound_peak`, and `<key of its clean row>/<clip>/rate` its sampling rate, Hz; `<key of a realised
row>/<clip>/change` and `…/change_peak` are what the attack adds to it, likewise.

Further fields, where there is something to say:

    clean               model_loss model_validation defense_loss defense_validation
    bounded             tested (all test clips `[N]`) prediction size found late
                        curve_gradients curve_auc curve_rate
    reach               smallest refining_gradients refining_queries rung_radius rung_fooled
    targeted attacks    target clean_target_score target_score met

The first are learning curves `[epochs]` of the model and of what its defense trained on top: mean training loss,
and the score on the validation part. A row whose training diverged keeps its curve up to there. The budget curve
holds fooling AUC and rate after so many gradients a clip. Refinement is what was spent to know a size better than
the ladder of radii does. `smallest` is the l2 norm of the smallest example that fools the clip, beyond the radius
that reached and where the target was not reached too; NaN where the search found none. `size` is ‖x‖₂ of the clean
input. `found` says whether any iterate within the ball met the goal, and `late` what share of its way a clip went
in the last tenth of the gradients; rungs are radii `[R]` with the clips that each fools, `[R, n]`: checks read
these.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from soundproof.contract.identity import label
from soundproof.digest import canonical
from soundproof.errors import ResultsError
from soundproof.measuring.metrics.intervals import Metric
from soundproof.measuring.place import COORDINATES, Coordinate, Place
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.results.finding import Finding
from soundproof.results.integrity import FILES, file_flaw, parse_line, row_flaws, seal_flaw, sealed
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

SCHEMA = 1
ROWS, SAMPLES, RUN, PICTURES = "results.jsonl", "samples.safetensors", "run.json", "pictures.safetensors"
CHECKS, SOUNDS = "checks.jsonl", "sounds.safetensors"
_ORDER = {protocol: number for number, protocol in enumerate(PROTOCOLS)}
_FILES = (ROWS, SAMPLES, RUN, PICTURES, CHECKS, SOUNDS)
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
        names = tuple(self.words.values())
        return (*names[:4], _ORDER.get(self.protocol, len(_ORDER)), *names[4:], self.fold, self.seed)

    def title(self) -> str:
        """The row in words, for progress lines and messages."""
        parts = [getattr(self, name) for name in COORDINATES]
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
            **{name: getattr(self, name) for name in COORDINATES if name != "channel" or self.channel},
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
        flaws = list(row_flaws(row))
        if flaws:
            raise ValueError("; ".join(flaws))
        place = {name: row[name] for name in Place.__dataclass_fields__ if name != "channel"}
        place["channel"] = row.get("channel")
        return cls(key=row["key"], **place, **result_of(row))


def result_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Row` that tell what came of its cell, from a row as JSON."""
    metrics, reports = (
        {name: Metric(**metric) for name, metric in row[kind].items()} for kind in ("metrics", "reports")
    )
    return {
        "status": Status(row["status"]),
        "reason": row["reason"],
        "metrics": metrics,
        "reports": reports,
        "flags": tuple(row["flags"]),
        "reached": row["reached"],
    }


def _cut(reason: str | None) -> str | None:
    """A reason of a sensible length that can be written as UTF-8."""
    if reason is None:
        return None
    short = reason if len(reason) <= _REASON else reason[: _REASON - 1] + "…"
    return short.encode(errors="replace").decode()


@dataclass(frozen=True, eq=False)
class Results:
    """Everything in a results folder.

    Attributes:
        rows: Sorted by coordinates.
        samples: Arrays by name, see the module's docstring.
        run: Provenance, as in `run.json`.
        pictures: Arrays by name, likewise; empty where nothing was drawn.
        findings: What checks say; none in a folder that was written without them.
        sounds: Arrays by name, likewise; empty unless they were asked for.
    """

    rows: Sequence[Row]
    samples: Mapping[str, npt.NDArray[Any]]
    run: Mapping[str, Any]
    pictures: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    sounds: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

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
        return self.samples[groups_name(self._as_written(dataset))]

    def names(self, dataset: Coordinate) -> list[str]:
        """The name of every clip of a data set; empty where they were not kept."""
        kept = self.samples.get(names_name(self._as_written(dataset)))
        return [] if kept is None else list(json.loads(kept.tobytes()))

    def _as_written(self, dataset: Coordinate) -> Coordinate:
        """A data set with its parameters in the order of the rows, as samples are named; `run.json` sorts them."""
        return self._datasets.get(canonical(dataset), dataset)

    @cached_property
    def _datasets(self) -> dict[str, Coordinate]:
        return {canonical(row.dataset): row.dataset for row in self.rows}


def groups_name(dataset: Coordinate) -> str:
    """Name under which the samples keep the recordings of a data set."""
    return f"clips/{label(dataset)}/group"


def names_name(dataset: Coordinate) -> str:
    """Name under which the samples keep the names of a data set's clips, as the bytes of a JSON list."""
    return f"clips/{label(dataset)}/name"


def write(results: Results, out: Path) -> None:
    """Write the files, each replaced whole, so that a reader never meets half a file.

    `run.json` comes last: it holds the digests of the others, and its own.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = sorted(results.rows, key=lambda row: row.order)
    files = {
        SAMPLES: _packed(results.samples),
        ROWS: "".join(canonical_row(row) + "\n" for row in rows).encode(),
        PICTURES: _packed(results.pictures),
    }
    if results.findings:
        lines = (json.dumps(each.to_json(), ensure_ascii=False, allow_nan=False) for each in results.findings)
        files[CHECKS] = "".join(f"{line}\n" for line in lines).encode(errors="replace")
    if results.sounds:
        files[SOUNDS] = _packed(results.sounds)
    else:
        # Nobody who runs a suite without its sounds expects to hand on those of an earlier run.
        (out / SOUNDS).unlink(missing_ok=True)
    run = sealed(results.run, files, len(rows))
    for name, content in files.items():
        replace(out / name, content)
    replace(out / RUN, (json.dumps(run, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())


def _packed(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    import numpy as np
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())})


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
        ResultsError: A file is missing, damaged, of another schema, or not of the run that wrote the others; it
            lists every problem by file and line.
    """
    problems: list[str] = []
    contents = {name: _content(out / name, problems) for name in (ROWS, SAMPLES, RUN)}
    run = _run(out / RUN, contents[RUN], problems)
    rows = _rows(out / ROWS, contents[ROWS], run, problems)
    samples = _arrays(out / SAMPLES, contents[SAMPLES], run, problems)
    pictures, sounds = (
        _arrays(out / name, _content(out / name, problems), run, problems)
        if run is not None and name in run[FILES]
        else {}
        for name in (PICTURES, SOUNDS)
    )
    findings = _findings(out / CHECKS, run, problems)
    if problems:
        raise ResultsError(problems)
    return Results(sorted(rows, key=lambda row: row.order), samples, run or {}, pictures, findings, sounds)


def _findings(path: Path, run: Mapping[str, Any] | None, problems: list[str]) -> list[Finding]:
    """Findings of the run; there are none where it wrote none."""
    if run is None or CHECKS not in run[FILES]:
        return []
    content = _content(path, problems)
    if content is None:
        return []
    try:
        flaw = file_flaw(run, path.name, content)
        lines = content.removesuffix(b"\n").split(b"\n")
        findings = [] if flaw else [Finding.from_json(parse_line(line)) for line in lines]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        flaw, findings = f"not a finding of this schema: {error}", []
    if flaw is not None:
        problems.append(f"{path} is damaged: {flaw}; run the suite again")
    return findings


def _content(path: Path, problems: list[str]) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        problems.append(f"{path} is missing: is {path.parent} the --out of a `bench run`?")
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror or error}")
    return None


def _run(path: Path, content: bytes | None, problems: list[str]) -> dict[str, Any] | None:
    if content is None:
        return None
    try:
        run: dict[str, Any] = parse_line(content)
        flaw = seal_flaw(run) or next(
            (f"it tells of {name!r}, which is no file of a run" for name in run[FILES] if name not in _FILES), None
        )
    except ValueError as error:
        flaw = str(error)
    if flaw is None:
        return run
    problems.append(f"{path} is damaged: {flaw}; run the suite again")
    return None


def _rows(path: Path, content: bytes | None, run: Mapping[str, Any] | None, problems: list[str]) -> list[Row]:
    rows: list[Row] = []
    if content is None:
        return rows
    before = len(problems)
    lines: dict[str, int] = {}
    # Not splitlines(): a string in a row may hold a line separator of Unicode's.
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
        try:
            row = Row.from_json(parse_line(line))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problems.append(f"{path}:{number}: not a row of schema {SCHEMA}: {error}")
            continue
        if lines.setdefault(row.key, number) != number:
            problems.append(f"{path}:{number}: the same row as line {lines[row.key]}; remove one of them")
        rows.append(row)
    flaw = file_flaw(run, path.name, content) if run is not None else None
    if flaw is not None and len(problems) == before:
        problems.append(f"{path} is damaged: {flaw}; run the suite again")
    return rows


def _arrays(
    path: Path, content: bytes | None, run: Mapping[str, Any] | None, problems: list[str]
) -> Mapping[str, npt.NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if content is None:
        return {}
    try:
        flaw = file_flaw(run, path.name, content) if run is not None else None
        arrays = load(content) if flaw is None else {}
    except (SafetensorError, ValueError, KeyError) as error:
        flaw, arrays = str(error), {}
    if flaw is not None:
        problems.append(f"{path} is damaged: {flaw}; run the suite again")
    return arrays
