"""Places of rows among the results: their coordinates, by which one row finds another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from soundproof.digest import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

Coordinate = dict[str, Any]
COORDINATES = ("dataset", "representation", "model", "defense", "attack", "target", "channel")


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Place of a row among the measurements.

    Attributes:
        protocol: What was measured.
        dataset: A coordinate: id, and the parameters that differ from the defaults. Likewise the next five.
        representation: Coordinate.
        model: Coordinate of the model attacked (or measured).
        defense: Coordinate.
        attack: Coordinate, None for `clean`.
        target: The model tested, only for `transfer`; it carries `representation` and `defense` where these differ
            from the source's.
        channel: Coordinate of what the sound was played through, None where it was not.
        fold: Number of the fold.
        seed: Seed of training and attack.
    """

    protocol: str
    dataset: Coordinate
    representation: Coordinate
    model: Coordinate
    defense: Coordinate
    attack: Coordinate | None
    target: Coordinate | None
    channel: Coordinate | None = None
    fold: int
    seed: int

    @cached_property
    def words(self) -> Mapping[str, str]:
        """The coordinates as canonical JSON, by name; empty for those that it does not have."""
        found = {name: getattr(self, name) for name in COORDINATES}
        return {name: "" if each is None else canonical(each) for name, each in found.items()}

    @property
    def lookup(self) -> tuple[object, ...]:
        """Lookup key of the row that stands here."""
        return (self.protocol, *self.words.values(), self.fold, self.seed)

    def moved(self, **changes: Any) -> Place:
        """The place that differs in some coordinates."""
        here = {name: getattr(self, name) for name in Place.__dataclass_fields__}
        return Place(**{**here, **changes})


def classifier_of(place: Place) -> str:
    """Lookup key of the classifier that a row's examples come from, with its fold and seed."""
    coordinates = [place.dataset, place.representation, place.model, place.defense]
    return canonical([*coordinates, place.fold, place.seed])


def judged_by(place: Place) -> str:
    """Lookup key of the classifier that a row's examples are shown to: for a transfer its target."""
    return classifier_of(place.moved(**shown_to(place)))


# What a transfer's target may have of its own beside its model.
_OF_TARGETS = ("representation", "defense")


def target_of(target: Mapping[str, Coordinate], source: Mapping[str, Coordinate]) -> Coordinate:
    """The coordinate of a transfer's target: its model, and what else differs from the source's.

    Args:
        target: Its coordinates by name, `representation`, `model` and `defense`.
        source: The source's, likewise.
    """
    return {**target["model"], **{name: target[name] for name in _OF_TARGETS if target[name] != source[name]}}


def shown_to(place: Place) -> dict[str, Coordinate]:
    """Coordinates by name of the classifier that a row's examples are shown to; the inverse of `target_of`."""
    if place.target is None:
        return {name: getattr(place, name) for name in ("model", *_OF_TARGETS)}
    own = {name: place.target.get(name, getattr(place, name)) for name in _OF_TARGETS}
    return {"model": {name: value for name, value in place.target.items() if name not in _OF_TARGETS}, **own}
