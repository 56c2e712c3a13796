"""Demand of a run on memory and disk, whether this machine has so much, and which slices of it would fit."""

from __future__ import annotations

import math
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.engine.network_size import network_size
from soundproof.measuring.classifier import BASELINE, Classifier, Trained
from soundproof.planning.graph import Clips, Inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from soundproof.contract.components import Augmentation, Model
    from soundproof.engine.network_size import NetworkSize
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.graph import Node
    from soundproof.planning.plan import Plan
    from soundproof.planning.suite import Suite

FLOAT = 4
# The interpreter with torch and librosa.
_PROCESS = 700 << 20
# Weights, their gradients, two moments of Adam, and the best epoch's copy.
_TRAINING = 5
# Batches of images that an attack holds beside the network's own pass (docs/attacks.md §1), and clips of one.
_ATTACK, _ATTACKED = 37, 64
# Slices of a kind that are reckoned before a smaller kind is tried.
_TRIED = 12
# A row with its per-clip outcomes and curves.
_ROW = 20_000


@dataclass(frozen=True)
class Demand:
    """Bytes that a run needs at most.

    Attributes:
        memory: At one time.
        disk: Of the cache, beside what is there.
    """

    memory: int
    disk: int


class Ledger:
    """Reckons the demand of cells of one plan; networks are traced once."""

    def __init__(self, plan: Plan, has: Callable[[Node], bool] = lambda _: False) -> None:
        self._plan = plan
        self._has = has
        self._sizes: dict[tuple[Model, tuple[int, ...]], NetworkSize | None] = {}

    def demand(self, cells: Iterable[Cell]) -> Demand:
        """Bytes that some of the plan's cells need."""
        disk, decoded, held = 0, 0, 0
        for node in self._plan.graph.order(cells):
            size = self._bytes(node)
            disk += 0 if self._has(node) else size
            if isinstance(node, Clips):
                decoded = max(decoded, size)
            elif isinstance(node, Trained):
                held = max(held, self._held(node))
        return Demand(_PROCESS + max(2 * decoded, decoded + held), disk)

    def _bytes(self, node: Node) -> int:
        """What a stage leaves on disk."""
        plan = self._plan
        if isinstance(node, Clips):
            return len(plan.originals(node.dataset).names) * node.dataset.sample_count(node.rate) * FLOAT
        if isinstance(node, Inputs):
            return self._clips(node) * self._dimension(node) * FLOAT
        if isinstance(node, Trained):
            return self._weights(node)
        if isinstance(node, Classifier):
            return 0 if node.defense.id == BASELINE else self._weights(node.trained)
        trained = node.classifier.trained
        examples = len(plan.test(trained)) * math.prod(plan.attacked_shape(trained)) * FLOAT
        return _ROW + (examples if node.protocol.id == "bounded" else 0)

    def _held(self, trained: Trained) -> int:
        """What is in memory while a classifier is trained or attacked."""
        inputs = sum(self._clips(each) * self._dimension(each) for each in self._plan.graph.inputs(trained))
        batch = max(_ATTACKED, self._plan.recipe(trained).batch)
        size = self._size(trained)
        network = 0 if size is None else _TRAINING * size.parameters + 2 * batch * size.activations
        attack = _ATTACK * _ATTACKED * math.prod(self._plan.attacked_shape(trained))
        return FLOAT * (2 * inputs + network + attack)

    def _clips(self, inputs: Inputs) -> int:
        augmentation: Augmentation | None = inputs.augmentation
        copies = 1 if augmentation is None else augmentation.copies
        return copies * len(self._plan.originals(inputs.dataset).names)

    def _dimension(self, inputs: Inputs) -> int:
        rate = inputs.representation.rate
        return math.prod(inputs.representation.shape(inputs.dataset.sample_count(rate)))

    def _weights(self, trained: Trained) -> int:
        size = self._size(trained)
        return 0 if size is None else size.parameters * FLOAT

    def _size(self, trained: Trained) -> NetworkSize | None:
        shape = self._plan.shape(trained)
        key = (trained.model, shape)
        if key not in self._sizes:
            self._sizes[key] = network_size(trained.model, shape, self._plan.classes(trained))
        return self._sizes[key]


def available(cache: Path, device: str) -> Demand:
    """Bytes of memory and disk that are free here."""
    folder = next(each for each in (cache.absolute(), *cache.absolute().parents) if each.is_dir())
    return Demand(_free_memory(device), shutil.disk_usage(folder).free)


def _free_memory(device: str) -> int:
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    told = Path("/proc/meminfo")
    if told.exists():
        lines = dict(line.split(":", 1) for line in told.read_text().splitlines() if ":" in line)
        if "MemAvailable" in lines:
            return int(lines["MemAvailable"].split()[0]) * 1024
    import os

    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def shortages(needed: Demand, free: Demand, cache: Path) -> list[str]:
    """What this machine lacks, and what would help; empty where a run fits."""
    problems = []
    if needed.disk > free.disk:
        problems.append(
            f"the cache needs up to {written(needed.disk)} and {cache.absolute()} has {written(free.disk)} free; "
            "name a folder on a larger disk with --cache"
        )
    if needed.memory > free.memory:
        problems.append(
            f"it needs up to {written(needed.memory)} of memory and {written(free.memory)} are free; use a larger "
            "machine"
        )
    return problems


def fitting(ledger: Ledger, suite: Suite, cells: Sequence[Cell], free: Demand) -> str:
    """The first slice that would fit, of the largest kind, as options of the command line; or nothing."""
    kinds: dict[str, Callable[[Cell], str]] = {
        "dataset": lambda cell: suite.label(cell.classifier.trained.dataset) or cell.classifier.trained.dataset.id,
        "fold": lambda cell: str(cell.classifier.trained.fold),
        "model": lambda cell: suite.label(cell.classifier.trained.model) or cell.classifier.trained.model.id,
    }
    for names in (("dataset",), ("dataset", "fold"), ("dataset", "fold", "model")):
        slices: dict[tuple[str, ...], list[Cell]] = {}
        for cell in cells:
            slices.setdefault(tuple(kinds[name](cell) for name in names), []).append(cell)
        fit = [
            values
            for values, chosen in list(slices.items())[:_TRIED]
            if len(slices) > 1 and not _exceeds(ledger.demand(chosen), free)
        ]
        if fit:
            return " ".join(
                f"--only {name}={shlex.quote(value)}" for name, value in zip(names, fit[0], strict=True)
            )
    return ""


def _exceeds(needed: Demand, free: Demand) -> bool:
    return needed.disk > free.disk or needed.memory > free.memory


def written(size: float) -> str:
    """Bytes in the unit that suits: `3.2 GB`."""
    units = ("B", "kB", "MB", "GB", "TB")
    power = min(len(units) - 1, int(math.log(max(1.0, size), 1000)))
    return f"{size / 1000**power:.3g} {units[power]}"
