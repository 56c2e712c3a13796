"""Identity of components: coordinates in results, fingerprints in cache keys, labels for people."""

from __future__ import annotations

import dataclasses
from typing import Any

from soundproof.contract.components import Component
from soundproof.contract.sources import source_digest
from soundproof.types import Ref


def plain(value: object) -> Any:
    """A parameter's value as JSON."""
    if isinstance(value, Ref):
        return {"id": value.id, **plain(value.parameters)}
    if isinstance(value, Component):
        return coordinate(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def parameter(field: str) -> str:
    """The parameter that a field holds: `build_` is `build`, where a method has that name."""
    return field.removesuffix("_")


def coordinate(component: Component) -> dict[str, Any]:
    """The component as results name it: its id and the parameters that differ from the defaults."""
    changed = {}
    for field in dataclasses.fields(component):  # type: ignore[arg-type]
        value = getattr(component, field.name)
        if value != _default(field):
            changed[parameter(field.name)] = plain(value)
    return {"id": component.id, **changed}


def fingerprint(component: Component) -> dict[str, Any]:
    """The component as cache keys name it: kind, id, version or source, and every parameter."""
    return {
        # A parameter may be called `kind`, too.
        "kind": type(component).kind,
        "id": component.id,
        "version": component.version or source_digest(type(component)),
        "parameters": plain(component.parameters()),
    }


def label(coordinate: dict[str, Any]) -> str:
    """A coordinate for people: `stft(n_fft=1024)`, and of a chain `adversarial-training + input-transform`."""
    if "links" in coordinate:
        return " + ".join(map(label, coordinate["links"]))
    rest = ", ".join(f"{name}={_short(value)}" for name, value in coordinate.items() if name != "id")
    return f"{coordinate['id']}({rest})" if rest else str(coordinate["id"])


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _short(value: object) -> str:
    return label(value) if isinstance(value, dict) and "id" in value else str(value)
