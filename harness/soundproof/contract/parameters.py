"""Parameters of components: their schema, their description as JSON, and their problems in words."""

from __future__ import annotations

import dataclasses
import typing
from functools import cache
from typing import TYPE_CHECKING, Any

import pydantic

from soundproof.contract.identity import parameter, plain
from soundproof.errors import hint, shown
from soundproof.types import Ref

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soundproof.contract.components import Component

# What stands beside parameters in a suite's entry.
RESERVED = frozenset({"id", "preset", "label"})


def describe_parameters(component: type[Component]) -> dict[str, dict[str, Any]]:
    """Type, default and help of every parameter, as JSON."""
    described = {}
    properties = _properties(component) if _own_fields(component) else {}
    named = references(component)
    for item in dataclasses.fields(component):  # type: ignore[arg-type]
        entry = {
            k: v for k, v in properties.get(parameter(item.name), {}).items() if k not in {"title", "default"}
        }
        if item.name in named:
            entry = {"type": str(named[item.name].kind)}
        if item.default is not dataclasses.MISSING:
            entry["default"] = plain(item.default)
        elif item.default_factory is not dataclasses.MISSING:
            entry["default"] = plain(item.default_factory())
        described[parameter(item.name)] = entry
    return described


def _properties(component: type[Component]) -> dict[str, dict[str, Any]]:
    """JSON schemas of the parameters, each complete in itself."""
    found = schema(component).model_json_schema()
    shared = {f"#/$defs/{name}": form for name, form in found.get("$defs", {}).items()}

    def inlined(node: Any) -> Any:
        if isinstance(node, list):
            return [inlined(one) for one in node]
        if not isinstance(node, dict):
            return node
        rest = {name: inlined(one) for name, one in node.items() if name != "$ref"}
        # Of a shared type only the form is wanted, not its own name and docstring.
        form = inlined(shared[node["$ref"]]) if "$ref" in node else {}
        return {**{name: one for name, one in form.items() if name not in {"title", "description"}}, **rest}

    properties: dict[str, dict[str, Any]] = inlined(found["properties"])
    return properties


def _own_fields(component: type[Component]) -> list[str]:
    named = references(component)
    return [f.name for f in dataclasses.fields(component) if f.name not in named]  # type: ignore[arg-type]


@cache
def references(component: type[Component]) -> Mapping[str, Ref]:
    """Parameters that name another component, with their defaults, which tell its kind."""
    found = {}
    for item in dataclasses.fields(component):  # type: ignore[arg-type]
        factory = item.default_factory
        default = factory() if factory is not dataclasses.MISSING else item.default
        if isinstance(default, Ref):
            found[item.name] = default
    return found


@cache
def schema(component: type[Component]) -> type[pydantic.BaseModel]:
    """A pydantic model of the parameters, read from the dataclass' annotations."""
    hints = typing.get_type_hints(component, include_extras=True)
    fields: dict[str, Any] = {}
    for item in dataclasses.fields(component):  # type: ignore[arg-type]
        if item.name in references(component):
            continue
        if item.default_factory is not dataclasses.MISSING:
            default: Any = pydantic.Field(default_factory=item.default_factory)
        else:
            default = ... if item.default is dataclasses.MISSING else item.default
        fields[parameter(item.name)] = (hints[item.name], default)
    # A parameter may be called `copy` or `json`: names of pydantic's own methods are not protected here.
    config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())
    return pydantic.create_model(component.__name__, __config__=config, **fields)


def explain(component: type[Component], problem: Any) -> str:
    """One line for one problem of pydantic's."""
    path = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        known = [parameter(f.name) for f in dataclasses.fields(component)]  # type: ignore[arg-type]
        return f"{component.id} has no parameter {path!r}: {hint(path, known)}"
    if problem["type"] == "missing":
        return f"{component.id} needs the parameter {path!r}"
    return f"{component.id}.{path}: {problem['msg']}, not {shown(problem['input'])}"
