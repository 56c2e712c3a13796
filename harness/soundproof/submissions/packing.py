"""Packing: the examples of one row of a results folder as a bundle."""

from __future__ import annotations

import dataclasses
import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from soundproof.contract.chain import links_of
from soundproof.contract.identity import coordinate
from soundproof.contract.registry import BUILT_IN
from soundproof.digest import digest
from soundproof.engine.measurements import Measurements
from soundproof.errors import SoundproofError
from soundproof.planning.plan import row_of
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results import files
from soundproof.submissions import bundle
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from soundproof.contract.components import Component
    from soundproof.contract.registry import Registry
    from soundproof.engine.runner import Runner
    from soundproof.measuring.classifier import Trained
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.plan import Plan
    from soundproof.results.files import Results, Row


def row_named(results: Results, name: str) -> Row:
    """The row of attacked clips whose key begins with a name.

    Raises:
        SoundproofError: None does, or several, or it has no examples.
    """
    rows = [row for row in results.rows if row.protocol == "bounded" and row.status is Status.OK]
    found = [row for row in rows if name and row.key.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise SoundproofError([f"{name}: begins several keys", *(f"{row.key}: {row.title()}" for row in found)])
    other = next((row for row in results.rows if name and row.key.startswith(name)), None)
    if other is not None:
        why = other.reason if other.protocol == "bounded" else f"a row of the protocol {other.protocol}"
        raise SoundproofError(f"{name}: has no examples to pack: {why}")
    shown = [f"{row.key}: {row.title()}" for row in rows]
    raise SoundproofError([f"{name or 'ROW'}: no row's key begins like this; name one of these", *shown])


def pack(out: Path, name: str, path: Path, runner: Runner, *, with_weights: bool = False) -> Row:
    """Write a bundle of a row's examples, from the cache or made anew, and return the row.

    Args:
        out: The results folder.
        name: The beginning of the row's key.
        path: Where to write.
        runner: What makes the examples where they are not in its store.
        with_weights: Whether the network's weights go into it, too.

    Raises:
        SoundproofError: There is no such row, it cannot be packed, or running it now gives other numbers.
    """
    results = files.read(out)
    row = row_named(results, name)
    document = {key: value for key, value in results.run["suite"].items() if key != "labels"}
    plan = make_plan(load_suite(document, runner.registry), runner.root, _slice(row))
    cell = next((each for each in plan.cells if row_of(each, plan.budget(each), Status.OK).key == row.key), None)
    if cell is None:
        raise SoundproofError(f"{row.key}: the suite in {out / files.RUN} does not give this row here")
    trained = cell.classifier.trained
    parts = (trained.dataset, trained.representation, trained.model, *links_of(cell.classifier.defense))
    problems = list(obstacles(runner.registry, (*parts, *plan.graph.augmentations)))
    if problems:
        raise SoundproofError(problems)
    measurements = Measurements(runner.workshop(plan))
    outcome, examples = measurements.outcome(cell), measurements.examples(cell)
    if examples is None or not np.array_equal(outcome.samples["score"], results.fields(row)["score"]):
        raise SoundproofError(
            f"{row.key}: running it here and now gives other scores than {out} holds; run the suite again"
        )
    weights = measurements.classifiers.weights(cell.classifier)
    clean = measurements.inputs.examples(trained, outcome.samples["clip"].astype(np.int64)).inputs
    index = plan.originals(trained.dataset)
    manifest = {
        "soundproof": version(BUILT_IN),
        "row": row.to_json(),
        "suite": _suite(plan, cell),
        "clips": {
            "checksum": index.checksum,
            "names": [index.names[clip] for clip in outcome.samples["clip"]],
            "inputs": digests(clean),
        },
        "network": weights_digest(weights),
        "environment": runner.environment.describe(),
    }
    arrays = {
        "examples": examples.cpu().contiguous(),
        **{each: torch.from_numpy(outcome.samples[each]) for each in ("clip", "gradients", "queries")},
    }
    plain = {key: value.cpu().contiguous() for key, value in weights.items()}
    bundle.write(path, manifest, arrays, plain if with_weights else None)
    return row


def obstacles(registry: Registry, components: Sequence[Component]) -> list[str]:
    """Why nobody else can make a classifier of these components: they run, or read, what only its owner has."""
    problems = []
    for component in components:
        kind, origin = type(component).kind, registry.distributions(component) - {BUILT_IN}
        if origin:
            problems.append(
                f"{kind} {component.id!r} comes from {', '.join(sorted(origin))}: whoever verifies runs no code "
                "but soundproof's"
            )
        elif not component.portable:
            problems.append(f"{kind} {component.id!r} is code or files of one's own, which nobody else may run")
        elif component.files:
            problems.append(f"{kind} {component.id!r} reads {component.files[0].name}, which only its owner has")
    return problems


def digests(inputs: torch.Tensor) -> list[str]:
    """SHA-256 of every input, `[n, …]`."""
    return [hashlib.sha256(each.tobytes()).hexdigest() for each in inputs.cpu().contiguous().numpy()]


def weights_digest(weights: Mapping[str, torch.Tensor]) -> str:
    """Digest of a network's weights."""
    found = {
        name: [
            str(value.dtype),
            list(value.shape),
            hashlib.sha256(value.cpu().contiguous().numpy().tobytes()).hexdigest(),
        ]
        for name, value in weights.items()
    }
    return digest(found)


def _slice(row: Row) -> dict[str, list[str]]:
    """What of a suite is enough for a row."""
    links = row.defense.get("links", [row.defense])
    assert row.attack is not None
    return {
        "dataset": [row.dataset["id"]],
        "representation": [row.representation["id"]],
        "model": [row.model["id"]],
        "defense": [" + ".join(link["id"] for link in links)],
        "attack": [row.attack["id"]],
        "protocol": ["bounded"],
        "fold": [str(row.fold)],
        "seed": [str(row.seed)],
    }


def _suite(plan: Plan, cell: Cell) -> dict[str, Any]:
    """A suite of one classifier: settings are resolved, and the attack, which may be anybody's, is left out."""
    trained: Trained = cell.classifier.trained
    return {
        "name": plan.suite.name,
        "datasets": [coordinate(trained.dataset)],
        "representations": [coordinate(trained.representation)],
        "models": [coordinate(trained.model)],
        "defenses": [coordinate(cell.classifier.defense)],
        "augmentations": [coordinate(each) for each in plan.graph.augmentations],
        "protocols": ["clean"],
        "split": {"scheme": plan.suite.split.scheme, "folds": trained.fold + 1, "seeds": [trained.seed]},
        "budget": {name: value for name, value in plan.budget(cell).to_json().items() if value is not None},
        "training": dataclasses.asdict(plan.recipe(trained)),
    }
