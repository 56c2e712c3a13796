"""Baselines: what a run is held to, kept as one small JSON file with the reason why it is the baseline.

    schema reason suite gate environment datasets clips entries

`clips` holds each set of clips once, as rows of the data set's index; an entry names its set and has an outcome a
clip: one bit each, in hexadecimal, where every outcome of the only run is right or wrong, else numbers.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.digest import canonical, digest
from soundproof.errors import ResultsError
from soundproof.gate.outcomes import PLACES, Column, Entry, Side
from soundproof.measuring.metrics.intervals import Metric
from soundproof.results.files import replace
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = 1


def write(path: Path, side: Side, reason: str) -> None:
    """Write a baseline, replacing the file whole.

    Args:
        path: Of the file.
        side: What will be expected from now on.
        reason: Why; it is kept in the file.

    Raises:
        ResultsError: The reason is empty, cells of the run failed, or nothing in it is gated.
    """
    broken = [entry for entry in side.entries.values() if entry.status.broken]
    if not reason.strip():
        raise ResultsError('--update-baseline needs --reason "…": why are these numbers the ones to expect?')
    if broken:
        raise ResultsError([f"{entry.title}: {entry.status}; a baseline has no failed cells" for entry in broken])
    kept = {place: entry for place, entry in side.entries.items() if entry.metrics}
    if not kept:
        raise ResultsError(f"{side.name}: has none of the metrics that its suite gates")
    sets: dict[str, list[int]] = {}
    document = {
        "schema": SCHEMA,
        "reason": reason.strip(),
        "suite": side.suite,
        "gate": side.table,
        "environment": side.environment,
        "datasets": side.datasets,
        "groups": {dataset: groups.tolist() for dataset, groups in side.groups.items()},
        "entries": [_entry_to_json(entry, sets) for _, entry in sorted(kept.items())],
        "clips": sets,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, (_dumps(document) + "\n").encode())


def read(path: Path) -> Side:
    """Read a baseline.

    Raises:
        ResultsError: It is missing, damaged or of another schema.
    """
    try:
        document: Any = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        remedy = 'write one with `bench gate --update-baseline --reason "…"`'
        raise ResultsError(f"{path}: there is no baseline; {remedy}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: not a baseline: {error}") from None
    try:
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}, and this version reads {SCHEMA}")
        return _side(path, document)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ResultsError(f"{path}: not a baseline of this version ({error}); write it again") from None


def _dumps(document: Mapping[str, Any]) -> str:
    """JSON with a line an entry, so that a change of one row is a change of one line."""
    parts = []
    for name, value in document.items():
        if isinstance(value, list):
            body = ",\n".join(f"  {canonical(item)}" for item in value)
            parts.append(f"{json.dumps(name)}: [\n{body}\n]")
        elif name in {"clips", "groups"}:
            body = ",\n".join(f"  {json.dumps(key)}: {canonical(item)}" for key, item in sorted(value.items()))
            parts.append(f"{json.dumps(name)}: {{\n{body}\n}}")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value, sort_keys=True, ensure_ascii=False)}")
    return "{\n" + ",\n".join(parts) + "\n}"


def _entry_to_json(entry: Entry, sets: dict[str, list[int]]) -> dict[str, Any]:
    return {
        **entry.place,
        "keys": sorted(entry.keys),
        "flags": sorted(entry.flags),
        "metrics": {name: metric.to_json() for name, metric in entry.metrics.items()},
        "outcomes": {name: _column_to_json(column, sets) for name, column in entry.columns.items()},
    }


def _column_to_json(column: Column, sets: dict[str, list[int]]) -> dict[str, Any]:
    clips = column.clips.tolist()
    name = digest(clips)
    sets[name] = clips
    if np.all(column.runs == 1) and np.isin(column.total, (0, 1)).all():
        return {"clips": name, "bits": np.packbits(column.total.astype(np.uint8)).tobytes().hex()}
    total = [float(f"{value:.6g}") for value in column.total.tolist()]
    return {"clips": name, "total": total, "runs": column.runs.tolist()}


def _side(path: Path, document: Mapping[str, Any]) -> Side:
    sets = {name: np.array(clips, np.int64) for name, clips in document["clips"].items()}
    entries = [_entry(entry, sets) for entry in document["entries"]]
    return Side(
        name=str(path),
        suite=document["suite"],
        table=document["gate"],
        environment=document["environment"],
        datasets=document["datasets"],
        groups={dataset: np.array(groups, np.int64) for dataset, groups in document["groups"].items()},
        entries={canonical(entry.place): entry for entry in entries},
    )


def _entry(entry: Mapping[str, Any], sets: Mapping[str, Any]) -> Entry:
    return Entry(
        place={name: entry[name] for name in PLACES if name != "channel" or name in entry},
        keys=frozenset(entry["keys"]),
        status=Status.OK,
        reason=None,
        flags=frozenset(entry["flags"]),
        metrics={name: Metric(**metric) for name, metric in entry["metrics"].items()},
        columns={name: _column(column, sets) for name, column in entry["outcomes"].items()},
    )


def _column(column: Mapping[str, Any], sets: Mapping[str, Any]) -> Column:
    clips = sets[column["clips"]]
    if digest(clips.tolist()) != column["clips"]:
        raise ValueError("a set of clips is not what its digest says")
    if "bits" in column:
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(column["bits"]), np.uint8))
        if not len(clips) <= len(bits) < len(clips) + 8:
            raise ValueError("as many bits as clips are due")
        return Column(clips, bits[: len(clips)].astype(np.float64), np.ones(len(clips), np.int64))
    total, runs = np.array(column["total"], np.float64), np.array(column["runs"], np.int64)
    if total.shape != clips.shape or runs.shape != clips.shape:
        raise ValueError("an outcome a clip is due")
    return Column(clips, total, runs)
