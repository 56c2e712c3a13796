"""Efficiency of a run: how much of its time bare passes through the networks would have taken.

A bare pass is what nobody can do without: the forward and backward passes of training and attacks, at the speed of
the same network alone. The speed is that of the forecast, so that its own error is in the figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof.engine.events import Spent, Stage
from soundproof.engine.forecast import FORWARD, speeds
from soundproof.engine.keys import stage
from soundproof.measuring.classifier import Classifier, Trained
from soundproof.measuring.protocols.base import Cell
from soundproof.planning.plan import row_of
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soundproof.engine.cells import Ran
    from soundproof.engine.stopwatch import Stopwatch
    from soundproof.engine.workshop import Workshop
    from soundproof.planning.graph import Node

_DEAREST = 5


def spent(workshop: Workshop, watch: Stopwatch, done: Mapping[Cell, Ran], wall: float, places: int) -> Spent:
    """Where the time of a run went.

    Args:
        workshop: Of the run.
        watch: What it took.
        done: What came of its cells.
        wall: Seconds from its first cell to its last.
        places: Cells that ran at a time.
    """
    plan = workshop.plan
    nodes = {workshop.keys.of(node).digest: node for node in plan.graph.order(plan.tasks)}
    found: dict[str, list[float]] = {}
    cells: dict[Cell, float] = {}
    seconds = {digest: each for digest, each in watch.by_stage().items() if digest in nodes}
    speed = speeds(plan, {_network(nodes[digest]) for digest in seconds} - {None}, workshop.environment.device)  # type: ignore[arg-type]  # without None
    for digest, each in seconds.items():
        node, network = nodes[digest], _network(nodes[digest])
        bare = 0.0 if network is None else speed[network] * _passes(workshop, node, done)
        sums = found.setdefault(stage(node), [0.0, 0.0])
        sums[0] += each
        sums[1] += bare
        if isinstance(node, Cell):
            cells[node] = each
    dearest = sorted(cells, key=lambda cell: -cells[cell])[:_DEAREST]
    return Spent(
        wall=wall,
        places=places,
        stages=tuple(Stage(name, *sums) for name, sums in found.items()),
        dearest=tuple((row_of(cell, plan.budget(cell), Status.OK).title(), cells[cell]) for cell in dearest),
    )


def _network(node: Node) -> Trained | None:
    if isinstance(node, Cell):
        return node.judged.trained
    if isinstance(node, Classifier):
        return node.trained
    return node if isinstance(node, Trained) else None


def _passes(workshop: Workshop, node: Node, done: Mapping[Cell, Ran]) -> float:
    """Forward and backward passes of single clips that a stage really made."""
    plan = workshop.plan
    if isinstance(node, Cell):
        samples = done[node].samples if node in done else {}
        if "gradients" not in samples or "queries" not in samples:
            return FORWARD * len(plan.test(node.judged.trained))
        # The forward pass of a gradient is counted among the queries, too.
        gradients, queries = float(samples["gradients"].sum()), float(samples["queries"].sum())
        return gradients + FORWARD * max(0.0, queries - gradients)
    record = workshop.store.record(workshop.keys.of(node))
    if record is None:
        return 0.0
    trained = _network(node)
    assert trained is not None
    clips = len(plan.splits[trained.dataset, trained.fold].train)
    learning = record.get("learning", record)
    return float(clips * len(learning.get("curve", ())) + learning.get("gradients", 0))
