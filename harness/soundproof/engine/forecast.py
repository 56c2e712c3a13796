"""Forecast of the longest a run will take: its clip passes, times what one pass of each network takes here.

Networks too large to be timed in a moment are reckoned by their operations, at the pace of a reference network.
Inputs are timed on noise.
"""

from __future__ import annotations

import time
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.engine.network_size import network_size
from soundproof.measuring.classifier import Classifier, Trained
from soundproof.measuring.protocols.base import Cell
from soundproof.planning.graph import Clips, Inputs
from soundproof.types import Surface

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from torch import nn

    from soundproof.contract.components import Model, Representation
    from soundproof.engine.workshop import Workshop
    from soundproof.planning.graph import Node
    from soundproof.planning.plan import Plan

# A forward pass alone costs about a third of a forward and backward pass.
FORWARD = 1 / 3
_TIMED_CLIPS, _PASSES = 16, 4
# Operations of a clip's pass beyond which a network is not run for a forecast; and a parameter as so many of them,
# since large networks take long to be made.
_LARGE, _PER_PARAMETER = 1e9, 100
# Height and width of what the reference network sees.
_REFERENCE = (48, 48)
# Clips of noise whose inputs are made for a forecast.
_HEARD = 2


def pending(workshop: Workshop) -> list[Cell]:
    """The cells, checks among them, whose outcome is not in the store."""
    return [cell for cell in workshop.plan.tasks if not workshop.has(cell)]


def seconds(workshop: Workshop, cells: Sequence[Cell]) -> dict[Cell, float]:
    """Seconds of each cell at most, in the order in which they run; stages that several need go to the first.

    Training may stop early, and an attack may succeed before its budget is spent. A network that cannot be timed
    counts nothing: its cells will say what is wrong with it.
    """
    plan = workshop.plan
    passes: dict[Cell, dict[Trained, float]] = {cell: defaultdict(float) for cell in cells}
    made: dict[Cell, list[Inputs]] = {cell: [] for cell in cells}
    # Where attacks change the sound, every pass makes the inputs anew.
    heard_again: dict[Cell, float] = defaultdict(float)
    for cell, node in _first_needs(workshop, passes.keys()):
        if isinstance(node, Inputs):
            made[cell].append(node)
        elif not isinstance(node, Clips):
            count = _passes(plan, node)
            passes[cell][_network(node)] += count
            if isinstance(node, Cell) and plan.surface is Surface.WAVEFORM:
                judged = node.judged.trained
                heard_again[cell] += count * _hearing_seconds(judged.representation, judged.dataset.seconds)
    speed = speeds(plan, {trained for each in passes.values() for trained in each}, workshop.environment.device)
    heard: dict[tuple[object, ...], float] = {}
    found = {}
    for cell in cells:
        found[cell] = sum(speed[of] * count for of, count in passes[cell].items()) + heard_again[cell]
        for inputs in made[cell]:
            same = (inputs.representation, inputs.augmentation, inputs.dataset.seconds)
            if same not in heard:
                heard[same] = _input_seconds(inputs)
            found[cell] += heard[same] * len(plan.originals(inputs.dataset).names)
    return found


def _first_needs(workshop: Workshop, cells: Collection[Cell]) -> Iterator[tuple[Cell, Node]]:
    """Cells, each with itself and every stage that is not in the store and that it is the first to need."""
    waiting: list[Node] = []
    for node in workshop.plan.graph.order(cells):
        if node in cells:
            assert isinstance(node, Cell)
            yield from ((node, stage) for stage in (*waiting, node))
            waiting = []
        elif not workshop.has(node):
            waiting.append(node)


def sample(workshop: Workshop, cells: Sequence[Cell]) -> list[Cell]:
    """Cells to learn from what the others will take: of the cheapest classifier's family, one of each kind.

    A kind is a protocol, an attack and a defense. Classifiers are made first, then the cheapest attacks run.
    """
    expected = seconds(workshop, cells)
    cost: dict[Trained, float] = defaultdict(float)
    for cell, each in expected.items():
        cost[cell.classifier.trained] += each
    if not cost:
        return []
    cheapest = min(cost, key=lambda trained: cost[trained])
    kinds: dict[tuple[str, str, str], Cell] = {}
    for cell in sorted(cells, key=lambda cell: expected[cell]):
        if cell.classifier.trained == cheapest:
            attack = "" if cell.attack is None else cell.attack.id
            kinds.setdefault((cell.protocol.id, attack, cell.classifier.defense.id), cell)
    return sorted(kinds.values(), key=lambda cell: (cell.attack is not None, expected[cell]))


def _network(node: Cell | Classifier | Trained) -> Trained:
    """The network whose passes a stage costs."""
    if isinstance(node, Cell):
        return node.judged.trained
    return node.trained if isinstance(node, Classifier) else node


def _passes(plan: Plan, node: Node) -> float:
    """Forward and backward passes of single clips that a stage costs at most, without what it needs."""
    if isinstance(node, Cell):
        cost = node.protocol.cost(node, plan.budget(node))
        return len(plan.test(node.classifier.trained)) * (cost.gradients + cost.queries * FORWARD)
    if isinstance(node, Classifier):
        return _epochs(plan, node.trained) * node.link.training_cost
    return _epochs(plan, node) if isinstance(node, Trained) else 0.0


def _epochs(plan: Plan, trained: Trained) -> float:
    return float(plan.recipe(trained).epochs * len(plan.splits[trained.dataset, trained.fold].train))


def speeds(plan: Plan, wanted: set[Trained], device: str) -> Mapping[Trained, float]:
    """Seconds of one clip's forward and backward pass, on untrained networks of the same shape."""
    timed: dict[tuple[object, ...], float] = {}
    speeds = {}
    for trained in wanted:
        same = (trained.model, plan.shape(trained))
        if same not in timed:
            timed[same] = _speed(*same, plan.classes(trained), device)
        speeds[trained] = timed[same]
    return speeds


# Timed once, so that a forecast and the cells that correct it are held against the same pace.
@cache
def _speed(model: Model, shape: tuple[int, ...], classes: int, device: str) -> float:
    size = network_size(model, shape, classes)
    if size is None or max(size.operations, _PER_PARAMETER * size.parameters) <= _LARGE:
        return _timed(model, shape, classes, device)
    return size.operations / _pace(device)


@cache
def _pace(device: str) -> float:
    """Operations a second of a network of convolutions."""
    from torch import nn
    from torch.utils.flop_counter import FlopCounterMode

    layers = [
        nn.Sequential(nn.Conv2d(width, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU()) for width in (1, 64, 64)
    ]
    network = nn.Sequential(*layers)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, *_REFERENCE)).sum().backward()
    operations = float(counter.get_total_flops())
    return operations / _seconds_a_clip(network, (1, *_REFERENCE), device)


def _timed(model: Model, shape: tuple[int, ...], classes: int, device: str) -> float:
    try:
        with torch.random.fork_rng(devices=[]):
            return _seconds_a_clip(model.build(shape, classes), shape, device)
    except KeyboardInterrupt:
        raise
    except BaseException:  # whatever a plugin's code raises, `SystemExit` included; its cells will say so
        return 0.0


def _seconds_a_clip(network: nn.Module, shape: tuple[int, ...], device: str) -> float:
    module = network.to(device).to(memory_format=torch.channels_last).train()
    inputs = torch.rand(_TIMED_CLIPS, *shape, device=device)
    # The first pass warms up, and others may be disturbed: the fastest is the machine's own.
    return min(_time_pass(module, inputs) for _ in range(_PASSES)) / _TIMED_CLIPS


def _input_seconds(inputs: Inputs) -> float:
    """Seconds of augmenting and representing one clip (and its copies), timed on noise."""
    representation, augmentation = inputs.representation, inputs.augmentation
    samples = inputs.dataset.sample_count(representation.rate)
    clips = np.random.default_rng(0).uniform(-0.5, 0.5, (_HEARD, samples)).astype(np.float32)
    try:
        transform = representation.fit(torch.from_numpy(clips if representation.fitted else clips[:0]))
        start = time.perf_counter()
        if augmentation is not None:
            copies = augmentation.augment(clips, representation.rate, np.random.default_rng(0))
            clips = copies.astype(np.float32).reshape(-1, samples)
        with torch.no_grad():
            transform(torch.from_numpy(clips))
        return (time.perf_counter() - start) / _HEARD
    except KeyboardInterrupt:
        raise
    except BaseException:  # as for networks
        return 0.0


@cache
def _hearing_seconds(representation: Representation, seconds: float) -> float:
    """Seconds of one clip's way through a representation and back, timed on noise."""
    samples = round(seconds * representation.rate)
    clips = np.random.default_rng(0).uniform(-0.5, 0.5, (_HEARD, samples)).astype(np.float32)
    sounds = torch.from_numpy(clips)
    try:
        transform = representation.fit(sounds)
        gradients = representation.differentiable or representation.surrogate
        return _time_pass(transform, sounds.requires_grad_(gradients)) / _HEARD
    except KeyboardInterrupt:
        raise
    except BaseException:  # as for networks
        return 0.0


def _time_pass(module: nn.Module, inputs: torch.Tensor) -> float:
    start = time.perf_counter()
    total = module(inputs).sum()
    if total.requires_grad:  # forests and the like have neither weights nor gradients
        total.backward()
    if inputs.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start
