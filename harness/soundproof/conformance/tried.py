"""The checks of one component, by its id or as it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soundproof.conformance.attacks import AttackPromises
from soundproof.conformance.augmentations import AugmentationPromises
from soundproof.conformance.channels import ChannelPromises
from soundproof.conformance.datasets import DatasetPromises
from soundproof.conformance.defenses import DefensePromises
from soundproof.conformance.models import ModelPromises
from soundproof.conformance.promises import Given
from soundproof.conformance.representations import RepresentationPromises
from soundproof.contract.discovery import discover
from soundproof.types import Kind, Ref

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from soundproof.conformance.promises import Check, Promises
    from soundproof.contract.components import Component
    from soundproof.contract.registry import Registry

_PROMISES: Mapping[Kind, type[Promises]] = {
    Kind.DATASET: DatasetPromises,
    Kind.REPRESENTATION: RepresentationPromises,
    Kind.MODEL: ModelPromises,
    Kind.DEFENSE: DefensePromises,
    Kind.ATTACK: AttackPromises,
    Kind.AUGMENTATION: AugmentationPromises,
    Kind.CHANNEL: ChannelPromises,
}


def promised(kind: str | Kind) -> list[str]:
    """Names of the checks of a kind."""
    return _PROMISES[Kind(kind)].names()


def checks(kind: str | Kind, name: str, *, root: Path | None = None, **parameters: Any) -> list[Check]:
    """The checks of an installed component.

    Args:
        kind: `attack`, `model` …
        name: Its id.
        root: The data folder; only data sets need one.
        parameters: As in a suite, beside those of the component's `trial`, which they override.

    Raises:
        PluginError: It is unknown or refused, or parameters are wrong.
    """
    registry = discover()
    found = registry.find(Kind(kind), name).component
    ref = Ref(found.kind, name, {**found.trial, **parameters})
    return checks_of(registry.build(ref), registry=registry, root=root)


def checks_of(
    component: Component, *, registry: Registry | None = None, root: Path | None = None, device: str = "cpu"
) -> list[Check]:
    """The checks of a component that was built, each callable.

    Args:
        component: Of any kind.
        registry: Where components that it names come from; the installed ones by default.
        root: The data folder; only data sets need one.
        device: Where to compute.
    """
    given = Given(registry or discover(), root, device)
    return list(_PROMISES[type(component).kind](component, given).checks())
