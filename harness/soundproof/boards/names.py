"""Names of components on the boards of one results folder: as short as tells them apart there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from soundproof.contract.identity import label
from soundproof.digest import canonical
from soundproof.measuring.classifier import BASELINE
from soundproof.measuring.place import shown_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from soundproof.measuring.place import Coordinate, Place
    from soundproof.results.files import Results

_CLASSIFIER = ("dataset", "representation", "model", "defense")
# What the target of a transfer follows from, besides the data set.
_LOOKED_UP = ("target", "representation", "defense")


@dataclass(frozen=True, order=True)
class Called:
    """Name of a component.

    Attributes:
        short: With the parameters that differ within the folder, or as the suite labels it.
        full: With all parameters that differ from the defaults: `stft(n_fft=1024)`.
    """

    short: str
    full: str

    def __str__(self) -> str:
        return self.short


@dataclass(frozen=True, order=True)
class Variant:
    """A model with its defense."""

    model: Called
    defense: Called

    @property
    def undefended(self) -> bool:
        """Whether it is the classifier that its defenses are compared with."""
        return self.defense.full == BASELINE


@dataclass(frozen=True, order=True)
class Name:
    """Owner of a number: a classifier by its four components."""

    dataset: Called
    representation: Called
    model: Called
    defense: Called

    @cached_property
    def variant(self) -> Variant:
        """The model and its defense alone."""
        return Variant(self.model, self.defense)

    @property
    def undefended(self) -> bool:
        """Whether it is the classifier that its defenses are compared with."""
        return self.variant.undefended

    @property
    def words(self) -> str:
        """All but the data set in one line."""
        return f"{self.model} · {self.representation} · {self.defense}"

    def beside(self, source: Name) -> str:
        """Model and defense in one line, with the representation where the source of a transfer has another."""
        through = "" if self.representation == source.representation else f"{self.representation} · "
        return f"{self.model} · {through}{self.defense}"

    @property
    def full(self) -> str:
        """The same with all parameters."""
        return f"{self.model.full} · {self.representation.full} · {self.defense.full}"


class Names:
    """The names of a folder's components.

    Attributes:
        coordinates: What they are names of, by kind.
    """

    def __init__(self, results: Results) -> None:
        labels = (results.run.get("suite") or {}).get("labels") or {}
        self._called: dict[str, dict[str, Called]] = {}
        self.coordinates: dict[str, dict[Called, Coordinate]] = {}
        self._targets: dict[tuple[str, ...], Name] = {}
        for kind in (*_CLASSIFIER, "attack", "channel"):
            found = dict(sorted(_coordinates(kind, results.rows).items()))
            self._called[kind] = called = _named(found, labels.get(kind) or {})
            self.coordinates[kind] = {called[key]: each for key, each in found.items()}

    def of(self, kind: str, coordinate: Coordinate) -> Called:
        """Name of a component of the folder's rows."""
        return self._called[kind][canonical(coordinate)]

    def classifier(self, place: Place) -> Name:
        """The classifier that a row is about; of a transfer, the source."""
        return Name(*(self._called[kind][place.words[kind]] for kind in _CLASSIFIER))

    def attack(self, place: Place) -> Called:
        """The attack of a row that has one."""
        assert place.attack is not None
        return self._called["attack"][place.words["attack"]]

    def channel(self, place: Place) -> Called | None:
        """The channel that a row's sounds were played through."""
        return None if place.channel is None else self._called["channel"][place.words["channel"]]

    def target(self, place: Place) -> Name | None:
        """The target of a transfer."""
        if place.target is None:
            return None
        key = tuple(place.words[kind] for kind in ("dataset", *_LOOKED_UP))
        if key not in self._targets:
            named = {kind: self.of(kind, each) for kind, each in shown_to(place).items()}
            self._targets[key] = Name(dataset=self.of("dataset", place.dataset), **named)
        return self._targets[key]


def _coordinates(kind: str, places: Iterable[Place]) -> dict[str, Coordinate]:
    """All components of a kind that some rows name; targets hold models, and what else of them differs."""
    found: dict[str, Coordinate] = {}
    targets: dict[tuple[str, ...], Place] = {}
    for place in places:
        own = getattr(place, kind)
        if own is not None:
            found[place.words[kind]] = own
        if place.target is not None:
            targets.setdefault(tuple(place.words[name] for name in _LOOKED_UP), place)
    of_targets = [shown_to(each) for each in targets.values()]
    further = [each[kind] for each in of_targets if kind in each]
    further += [{"id": BASELINE}] if kind == "defense" else []
    return found | {canonical(each): each for each in further}


def _named(coordinates: Mapping[str, Coordinate], labels: Mapping[str, str]) -> dict[str, Called]:
    """Names by coordinate, as are the labels; those that would share one are called by all of their parameters."""
    links = {canonical(link): link for each in coordinates.values() for link in each.get("links", ())}
    alone = {key: each for key, each in {**coordinates, **links}.items() if "links" not in each}
    called = _alone(alone, labels)
    for key, each in coordinates.items():
        if "links" in each:
            joined = " + ".join(called[canonical(link)].short for link in each["links"])
            called[key] = Called(labels.get(key) or joined, label(each))
    return {key: called[key] for key in coordinates}


def _alone(coordinates: Mapping[str, Coordinate], labels: Mapping[str, str]) -> dict[str, Called]:
    """The names of components that are no chains of others."""
    bases = {key: labels.get(key) or each["id"] for key, each in coordinates.items()}
    short = {}
    for key, each in coordinates.items():
        family = [coordinates[other] for other, base in bases.items() if base == bases[key]]
        short[key] = label({"id": bases[key], **_differing(each, family)})
    shared = {name for name in short.values() if list(short.values()).count(name) > 1}
    return {
        key: Called(label(each) if short[key] in shared else short[key], label(each))
        for key, each in coordinates.items()
    }


def _differing(coordinate: Coordinate, family: Sequence[Coordinate]) -> dict[str, Any]:
    """The parameters in which not all of a family agree; what is absent has its default."""
    return {
        name: value
        for name, value in coordinate.items()
        if name != "id" and any(canonical(other.get(name)) != canonical(value) for other in family)
    }
