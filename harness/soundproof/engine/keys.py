"""Cache keys of every stage of a run.

A key holds the keys of what the stage is made from, its own parameters, and the code and libraries that it runs
through: nothing more, so that an edit recomputes what it can have changed and nothing else.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, replace
from functools import cache, singledispatchmethod
from typing import TYPE_CHECKING, Any

from soundproof.contract.components import Component
from soundproof.contract.identity import coordinate, fingerprint
from soundproof.digest import Encoded, canonical, digest
from soundproof.engine.environment import code_digest, versions
from soundproof.engine.store import Key
from soundproof.measuring.classifier import Classifier, Trained
from soundproof.measuring.protocols.base import Cell
from soundproof.planning.graph import Clips, Inputs, Node
from soundproof.probing.protocol import Inspection
from soundproof.types import Ref, Surface

if TYPE_CHECKING:
    from soundproof.contract.components import Dataset
    from soundproof.contract.registry import Registry
    from soundproof.engine.environment import Environment
    from soundproof.measuring.protocols.base import Protocol
    from soundproof.planning.plan import Plan


@dataclass(frozen=True)
class Ground:
    """Ground that a stage's numbers stand on, besides its needs.

    Attributes:
        rooms: Files and folders of this package that it runs through.
        libraries: Distributions whose version can change its numbers.
        computes: Whether they depend on the device and on torch's threads.
    """

    rooms: tuple[str, ...]
    libraries: tuple[str, ...]
    computes: bool = True


_ARRAYS = ("numpy", "scipy")
_SOUND = ("librosa", "soxr", "soundfile", "pyloudnorm")
_NETWORKS = ("numpy", "torch", "torchvision")
GROUNDS: dict[type[Node], Ground] = {
    Clips: Ground(("data/audio.py", "data/own_audio.py"), ("numpy", "soundfile", "soxr"), computes=False),
    Inputs: Ground(("digest.py", "engine/inputs.py"), (*_ARRAYS, "librosa", "torch", "PyWavelets", "soxr")),
    Trained: Ground(
        (
            *("types.py", "digest.py", "training", "victim/prediction.py", "victim/expectation.py"),
            *("engine/inputs.py", "engine/classifiers.py"),
        ),
        (*_NETWORKS, "scipy", "scikit-learn"),
    ),
    Classifier: Ground(
        ("types.py", "digest.py", "training", "victim", "engine/inputs.py", "engine/classifiers.py"),
        (*_NETWORKS, "scipy", "librosa"),
    ),
    Cell: Ground(
        (
            "types.py",
            "digest.py",
            "victim",
            "measuring",
            "sound",
            "engine/fusion.py",
            "engine/measurements.py",
            "engine/memory.py",
            "data/resampling.py",
        ),
        (*_NETWORKS, "scipy", "adversarial-robustness-toolbox", *_SOUND),
    ),
}


GROUNDS[Inspection] = replace(GROUNDS[Cell], rooms=(*GROUNDS[Cell].rooms, "probing"))


class Keys:
    """Makes the keys of one run; every key is made once."""

    def __init__(self, plan: Plan, environment: Environment, registry: Registry) -> None:
        self._plan = plan
        self._environment = environment
        self._registry = registry
        # Thousands of cells share their upstream keys.
        self.of = cache(self._of)
        self._identity = cache(self._fingerprint)
        self._ground = cache(self._standing)
        self._tested, self._learned = cache(self._test_part), cache(self._train_part)
        self._name, self._settings = cache(self._named), cache(self._limits)

    def examples(self, cell: Cell) -> Key:
        """Key of the examples that a cell leaves."""
        return Key.of("examples", cell=self.of(cell))

    def about(self, node: Node) -> dict[str, Any]:
        """What a stage is, as JSON: its coordinates, and what the digest of its ground is of."""
        ground = GROUNDS[type(node)]
        return {
            "name": name_of(node),
            "ground": {
                "code": {room: code_digest((room,)) for room in ground.rooms},
                "libraries": versions(ground.libraries),
                "machine": vars(self._environment) if ground.computes else {},
            },
        }

    def _of(self, node: Node) -> Key:
        needs = Encoded('["' + '","'.join(digests) + '"]') if (digests := self._needs(node)) else []
        return Key.of(stage(node), needs=needs, ground=self._ground(GROUNDS[type(node)]), **self._parts(node))

    def _needs(self, node: Node) -> list[str]:
        return [self.of(need).digest for need in self._plan.graph.needs(node)]

    def _standing(self, ground: Ground) -> str:
        machine = vars(self._environment) if ground.computes else {}
        return digest([code_digest(ground.rooms), versions(ground.libraries), machine])

    def _named(self, component: Component) -> Encoded:
        return Encoded(canonical(self._identity(component)))

    def _limits(self, protocol: Protocol, dataset: Dataset) -> Encoded:
        return Encoded(canonical(protocol.settings(self._plan.suite.budget_of(dataset))))

    @singledispatchmethod
    def _parts(self, node: Node) -> dict[str, Any]:
        """Parts of a key that are the stage's own."""
        raise TypeError(f"{type(node).__name__} is no stage of a run")

    @_parts.register
    def _(self, node: Clips) -> dict[str, Any]:
        index = self._plan.indexes[node.dataset]
        return {"dataset": self._identity(node.dataset), "checksum": index.checksum, "rate": node.rate}

    @_parts.register
    def _(self, node: Inputs) -> dict[str, Any]:
        return {
            "augmentation": None if node.augmentation is None else self._identity(node.augmentation),
            "representation": self._identity(node.representation),
            "fitted": None if node.fold is None else self._learned(node.dataset, node.fold),
        }

    @_parts.register
    def _(self, node: Trained) -> dict[str, Any]:
        return {
            "model": self._identity(node.model),
            "recipe": dataclasses.asdict(self._plan.recipe(node)),
            "labels": self._plan.indexes[node.dataset].checksum,
            "split": self._learned(node.dataset, node.fold),
            "fold": node.fold,
            "seed": node.seed,
        }

    @_parts.register
    def _(self, node: Classifier) -> dict[str, Any]:
        # A defense trains by the model's recipe, on the same clips.
        return {**self._parts(node.trained), "defense": self._identity(node.link)}

    @_parts.register
    def _(self, node: Cell) -> dict[str, Any]:
        # What is used where it is there has a say, and is not needed.
        welcome = [self.of(each).digest for each in node.protocol.needs(node).welcome]
        return {
            **({"welcome": welcome} if welcome else {}),
            **({} if self._plan.surface is Surface.INPUT else {"surface": self._plan.surface}),
            **({} if node.channel is None else {"channel": self._name(node.channel)}),
            "attack": None if node.attack is None else self._name(node.attack),
            "settings": self._settings(node.protocol, node.classifier.trained.dataset),
            "test": self._tested(node.judged.trained.dataset, node.judged.trained.fold),
        }

    def _test_part(self, dataset: Dataset, fold: int) -> str:
        return digest(self._plan.splits[dataset, fold].test.tolist())

    def _train_part(self, dataset: Dataset, fold: int) -> str:
        split = self._plan.splits[dataset, fold]
        return digest([split.train.tolist(), split.validation.tolist()])

    def _fingerprint(self, component: Component) -> dict[str, Any]:
        """A component's fingerprint, with those of the components that it names."""
        refs = {name: value for name, value in component.parameters().items() if isinstance(value, Ref)}
        inner = {name: self._identity(self._registry.build(ref)) for name, ref in sorted(refs.items())}
        files = {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in component.files}
        return {**fingerprint(component), "inner": inner, "files": files}


_STAGES: dict[type[Node], str] = {Clips: "clips", Inputs: "inputs", Trained: "trained", Classifier: "defended"}


def stage(node: Node) -> str:
    """Name of a stage, which is also its folder in the store."""
    return node.protocol.id if isinstance(node, Cell) else _STAGES[type(node)]


def name_of(node: Node) -> dict[str, Any]:
    """Coordinates of a stage: what it is, whatever its numbers stand on."""
    found: dict[str, Any] = {}
    for name, value in vars(node).items():
        if isinstance(value, Component):
            found[name] = coordinate(value)
        elif isinstance(value, (Trained, Classifier)):
            found |= {name: name_of(value)} if name == "target" else name_of(value)
        elif value is None or (isinstance(value, int) and not name.startswith("_")):
            found[name] = value
    return found


def seed_of(stage: str, trained: Trained, *components: Component) -> list[Any]:
    """Seed of a stage's randomness, as JSON: coordinates only, so that an upgrade does not reshuffle."""
    named = (trained.dataset, trained.representation, trained.model, *components)
    return [stage, [coordinate(component) for component in named], trained.fold, trained.seed]
