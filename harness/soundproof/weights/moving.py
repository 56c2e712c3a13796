"""Moving networks between a cache and a shelf."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soundproof.contract.identity import coordinate, label
from soundproof.digest import digest
from soundproof.engine.classifiers import ClassifierMaker
from soundproof.engine.inputs import InputMaker
from soundproof.errors import SoundproofError
from soundproof.measuring.classifier import Classifier, Trained
from soundproof.weights.shelf import Network, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import torch

    from soundproof.engine.workshop import Workshop
    from soundproof.planning.plan import Plan
    from soundproof.weights.shelf import Shelf

Node = Trained | Classifier


@dataclass(frozen=True)
class Moved:
    """What became of a network that was to be fetched.

    Attributes:
        place: As on the shelf.
        outcome: `same key`, `elsewhere` (made by other versions or on another machine, or rounded: its rows are
            flagged), `there` (the cache has one), or `unknown` (the suite has no such network here).
    """

    place: Mapping[str, Any]
    outcome: str


def export(workshop: Workshop, folder: Path, *, rounded: bool = False) -> Shelf:
    """Put a plan's networks from the cache on a shelf.

    Args:
        workshop: Of the suite's plan.
        folder: New, or empty.
        rounded: Round weights to half precision, which halves the files.

    Raises:
        SoundproofError: The cache lacks a network: the suite has not run here.
    """
    from safetensors.torch import save

    plan = workshop.plan
    found: list[tuple[Network, bytes]] = []
    missing = []
    for node in _nodes(plan):
        stored = workshop.store.get(workshop.keys.of(node))
        if stored is None:
            missing.append(words(_place(node)))
            continue
        if stored.record.get("weights") == "same" or "origin" in stored.record:
            continue
        weights = {
            name: value.half() if rounded and value.is_floating_point() else value
            for name, value in stored.tensors("cpu").items()
        }
        content = save(weights)
        sha256 = hashlib.sha256(content).hexdigest()
        network = Network(
            _place(node), identity(plan, node), workshop.keys.of(node).digest, stored.record, rounded, sha256
        )
        found.append((network, content))
    if missing:
        raise SoundproofError([f"{words}: not in the cache; run the suite first" for words in missing])
    return write(folder, plan.suite.name, workshop.environment.describe(), found)


def fetch(workshop: Workshop, shelf: Shelf) -> list[Moved]:
    """Put the networks of a shelf into the cache, where a run of the plan's suite finds them.

    What was made by other versions or on another machine is noted as such, and flags every row that it is measured
    for: it is not what would be trained here, to the last digit.

    Raises:
        SoundproofError: A file is damaged, or does not fit its network.
    """
    plan = workshop.plan
    here = {identity(plan, node): node for node in _nodes(plan)}
    maker = ClassifierMaker(workshop, InputMaker(workshop))
    moved = []
    for network in shelf.networks:
        node = here.get(network.identity)
        if node is None:
            moved.append(Moved(network.place, "unknown"))
        elif workshop.has(node):
            moved.append(Moved(network.place, "there"))
        else:
            moved.append(Moved(network.place, _put(workshop, maker, shelf, network, node)))
    return moved


def _put(workshop: Workshop, maker: ClassifierMaker, shelf: Shelf, network: Network, node: Node) -> str:
    weights = shelf.weights(network)
    try:
        maker.structure(node).load_state_dict(weights)
    except RuntimeError as error:
        raise SoundproofError(f"{shelf.folder / network.file}: {' '.join(str(error).split())}") from None
    key = workshop.keys.of(node)
    same = key.digest == network.key and not network.rounded
    origin = {} if same else {"origin": {"shelf": shelf.suite, "sha256": network.sha256}}
    workshop.store.put(key, {**network.record, **origin}, _contiguous(weights))
    return "same key" if same else "elsewhere"


def identity(plan: Plan, node: Node) -> str:
    """Digest of all that a network is trained from, but for code, libraries and machine."""
    trained = node.trained if isinstance(node, Classifier) else node
    split, index = plan.splits[trained.dataset, trained.fold], plan.indexes[trained.dataset]
    return digest(
        {
            **_place(node),
            "checksum": index.checksum,
            "augmentations": [coordinate(each) for each in plan.graph.augmentations],
            "recipe": dataclasses.asdict(plan.recipe(trained)),
            "split": [split.train.tolist(), split.validation.tolist()],
        }
    )


def _nodes(plan: Plan) -> Iterator[Node]:
    """The networks that a plan trains, each after those that it starts from."""
    for node in plan.graph.order(plan.cells):
        if isinstance(node, (Trained, Classifier)):
            yield node


def _place(node: Node) -> dict[str, Any]:
    trained = node.trained if isinstance(node, Classifier) else node
    return {
        "dataset": coordinate(trained.dataset),
        "representation": coordinate(trained.representation),
        "model": coordinate(trained.model),
        "defense": coordinate(node.defense) if isinstance(node, Classifier) else None,
        "fold": trained.fold,
        "seed": trained.seed,
    }


def words(place: Mapping[str, Any]) -> str:
    """A network in a line."""
    named = [place[name] for name in ("dataset", "representation", "model", "defense") if place[name] is not None]
    return f"{' · '.join(map(label, named))} · fold {place['fold']}, seed {place['seed']}"


def _contiguous(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.contiguous() for name, value in weights.items()}
