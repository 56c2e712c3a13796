"""How long a plan will take: its clip passes, times what one pass of each network takes here."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from soundproof.planning.plan import planned_gradients
from soundproof.types import Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from torch import nn

    from soundproof.engine.keys import Keys
    from soundproof.engine.store import Store
    from soundproof.planning.plan import Cell, Classifier, Plan, Trained

# A forward pass alone costs about a third of a forward and backward pass.
_FORWARD = 1 / 3
_TIMED_CLIPS, _PASSES = 16, 6


def uncached(cells: Sequence[Cell], keys: Keys, store: Store) -> list[Cell]:
    """The cells whose outcome is not in the store."""
    return [cell for cell in cells if not store.has(keys.cell(cell))]


def seconds(plan: Plan, cells: Sequence[Cell], keys: Keys, store: Store) -> dict[Cell, float]:
    """Expected seconds of each cell, in the order in which they run; the first of a classifier trains it.

    An upper estimate where training stops early or an attack succeeds before its budget is spent.
    """
    if not cells:
        return {}
    speed = _speeds(plan, cells, keys.environment.device)
    trained: set[str] = set()
    expected = {}
    for cell in cells:
        passes: defaultdict[Trained, float] = defaultdict(float, {cell.classifier.trained: _passes(plan, cell)})
        for classifier in filter(None, (cell.classifier, cell.target)):
            passes[classifier.trained] += _training_passes(plan, classifier, keys, store, trained)
        expected[cell] = sum(speed[where] * count for where, count in passes.items())
    return expected


def _passes(plan: Plan, cell: Cell) -> float:
    """Forward and backward passes of single clips that a cell costs, training aside."""
    clips = len(plan.splits[cell.classifier.trained.dataset, cell.classifier.trained.fold].test)
    judged = clips * _FORWARD
    if cell.protocol in {Protocol.CLEAN, Protocol.TRANSFER}:
        return judged
    assert cell.attack is not None
    gradients = planned_gradients(plan, cell)
    extra = max(0, cell.attack.planned_queries - cell.attack.planned_gradients) * clips
    return gradients + (extra * _FORWARD) + judged


def _training_passes(plan: Plan, classifier: Classifier, keys: Keys, store: Store, done: set[str]) -> float:
    trained = classifier.trained
    clips = len(plan.splits[trained.dataset, trained.fold].train)
    epochs = plan.suite.recipe(trained.model).epochs
    passes = 0.0
    stages = ((keys.trained(trained), 1.0), (keys.defended(classifier), classifier.defense.training_cost))
    for key, cost in stages:
        if key.digest not in done and not store.has(key):
            passes += epochs * clips * cost
        done.add(key.digest)
    return passes


def _speeds(plan: Plan, cells: Sequence[Cell], device: str) -> Mapping[Trained, float]:
    """Seconds of one clip's forward and backward pass, timed on untrained networks of the same shape."""
    import torch

    timed: dict[tuple[object, ...], float] = {}
    speeds = {}
    for trained in {c.trained for cell in cells for c in (cell.classifier, cell.target) if c is not None}:
        shape, classes = plan.shape(trained), len(plan.indexes[trained.dataset].classes)
        same = (trained.model, shape, classes)
        if same not in timed:
            with torch.random.fork_rng(devices=[]):
                module = (
                    trained.model.build(shape, classes).to(device).to(memory_format=torch.channels_last).train()
                )
                inputs = torch.rand(_TIMED_CLIPS, *shape, device=device)
                # The first pass warms up, and others may be disturbed: the fastest is the machine's own.
                timed[same] = min(_time_pass(module, inputs) for _ in range(_PASSES)) / _TIMED_CLIPS
        speeds[trained] = timed[same]
    return speeds


def _time_pass(module: nn.Module, inputs: torch.Tensor) -> float:
    import torch

    start = time.perf_counter()
    total = module(inputs).sum()
    if total.requires_grad:  # forests and the like have neither weights nor gradients
        total.backward()
    if inputs.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start
