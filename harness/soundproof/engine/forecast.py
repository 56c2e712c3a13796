"""Forecast of the longest a run will take: its clip passes, times what one pass of each network takes here."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from soundproof.measuring.classifier import Classifier, Trained
from soundproof.measuring.protocols.base import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from torch import nn

    from soundproof.contract.components import Model
    from soundproof.engine.workshop import Workshop
    from soundproof.planning.graph import Node
    from soundproof.planning.plan import Plan

# A forward pass alone costs about a third of a forward and backward pass.
_FORWARD = 1 / 3
_TIMED_CLIPS, _PASSES = 16, 6


def pending(workshop: Workshop) -> list[Cell]:
    """The cells, checks among them, whose outcome is not in the store."""
    return [cell for cell in workshop.plan.tasks if not workshop.has(cell)]


def seconds(workshop: Workshop, cells: Sequence[Cell]) -> dict[Cell, float]:
    """Seconds of each cell at most, in the order in which they run; stages that several need go to the first.

    Training may stop early, and an attack may succeed before its budget is spent. A network that cannot be timed
    counts nothing: its cells will say what is wrong with it.
    """
    plan, seen = workshop.plan, set[Cell | Classifier | Trained]()
    passes: dict[Cell, dict[Trained, float]] = {}
    for cell in cells:
        passes[cell] = defaultdict(float)
        for node in plan.graph.order([cell]):
            if isinstance(node, (Cell, Classifier, Trained)) and node not in seen:
                seen.add(node)
                if not workshop.has(node):
                    passes[cell][_network(node)] += _passes(plan, node)
    speed = _speeds(plan, {trained for each in passes.values() for trained in each}, workshop.environment.device)
    return {cell: sum(speed[of] * count for of, count in each.items()) for cell, each in passes.items()}


def _network(node: Cell | Classifier | Trained) -> Trained:
    """The network whose passes a stage costs."""
    if isinstance(node, Cell):
        return node.judged.trained
    return node.trained if isinstance(node, Classifier) else node


def _passes(plan: Plan, node: Node) -> float:
    """Forward and backward passes of single clips that a stage costs at most, without what it needs."""
    if isinstance(node, Cell):
        cost = node.protocol.cost(node, plan.budget(node))
        return len(plan.test(node.classifier.trained)) * (cost.gradients + cost.queries * _FORWARD)
    if isinstance(node, Classifier):
        return _epochs(plan, node.trained) * node.defense.training_cost
    return _epochs(plan, node) if isinstance(node, Trained) else 0.0


def _epochs(plan: Plan, trained: Trained) -> float:
    return float(plan.recipe(trained).epochs * len(plan.splits[trained.dataset, trained.fold].train))


def _speeds(plan: Plan, wanted: set[Trained], device: str) -> Mapping[Trained, float]:
    """Seconds of one clip's forward and backward pass, timed on untrained networks of the same shape."""
    timed: dict[tuple[object, ...], float] = {}
    speeds = {}
    for trained in wanted:
        same = (trained.model, plan.shape(trained), plan.classes(trained))
        if same not in timed:
            timed[same] = _timed(*same, device)
        speeds[trained] = timed[same]
    return speeds


def _timed(model: Model, shape: tuple[int, ...], classes: int, device: str) -> float:
    import torch

    with torch.random.fork_rng(devices=[]):
        try:
            module = model.build(shape, classes).to(device).to(memory_format=torch.channels_last).train()
            inputs = torch.rand(_TIMED_CLIPS, *shape, device=device)
            # The first pass warms up, and others may be disturbed: the fastest is the machine's own.
            return min(_time_pass(module, inputs) for _ in range(_PASSES)) / _TIMED_CLIPS
        except KeyboardInterrupt:
            raise
        except BaseException:  # whatever a plugin's code raises, `SystemExit` included; its cells will say so
            return 0.0


def _time_pass(module: nn.Module, inputs: torch.Tensor) -> float:
    import torch

    start = time.perf_counter()
    total = module(inputs).sum()
    if total.requires_grad:  # forests and the like have neither weights nor gradients
        total.backward()
    if inputs.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start
