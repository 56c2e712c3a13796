"""Registry of components: looks them up and builds them from suite entries."""

from __future__ import annotations

import dataclasses
import json
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pydantic

from soundproof.contract.admission import instance_flaws
from soundproof.contract.chain import links_of
from soundproof.contract.identity import parameter
from soundproof.contract.parameters import describe_parameters, explain, references, schema
from soundproof.errors import PluginError, hint, raised_at, shown
from soundproof.types import Kind, Ref

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soundproof.contract.components import Component

BUILT_IN = "soundproof"


@dataclass(frozen=True)
class Registered:
    """A component class and where it comes from."""

    component: type[Component]
    distribution: str
    version: str


@dataclass(frozen=True)
class Refused:
    """A plugin, or one component of it, that cannot be used.

    Attributes:
        kind: None when the whole plugin does not load.
        id: The component's id, or the plugin's entry-point name.
        error: One line: what is wrong.
        details: The traceback, where there is one.
    """

    kind: Kind | None
    id: str
    distribution: str
    version: str
    error: str
    details: str = ""


@dataclass
class Registry:
    """All usable components, and all that were refused."""

    components: dict[tuple[Kind, str], Registered] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)

    def ids(self, kind: Kind) -> list[str]:
        """The usable ids of one kind, sorted."""
        return sorted(name for of, name in self.components if of is kind)

    def find(self, kind: Kind, name: str) -> Registered:
        """Look a component up.

        Raises:
            PluginError: It is unknown (with the nearest known ids), or its plugin was refused.
        """
        found = self.components.get((kind, name))
        if found is not None:
            return found
        for refused in self.refused:
            if refused.id == name and refused.kind in {kind, None}:
                raise PluginError(f"{kind} {name!r} is refused: {refused.error}")
        broken = ", ".join(f"{r.distribution}:{r.id}" for r in self.refused if r.kind is None)
        unloaded = f" (not loaded: {broken}; see `bench ls`)" if broken else ""
        raise PluginError(f"unknown {kind} {name!r}: {hint(name, self.ids(kind))}{unloaded}")

    def build(self, ref: Ref) -> Component:
        """Make a component from its id and parameters, and those that its parameters name.

        Raises:
            PluginError: Every problem: unknown id, unknown or mistyped parameters, impossible values.
        """
        cls = self.find(ref.kind, ref.id).component
        given = dict(ref.parameters)
        problems: list[str] = []
        nested: dict[str, Ref] = {}
        for name, default in references(cls).items():
            try:
                named = self.reference(default.kind, given.pop(name)) if name in given else default
                nested[name] = dataclasses.replace(named, component=self.build(named))
            except PluginError as error:
                problems += [f"{name}: {problem}" for problem in error.problems]
        try:
            values = schema(cls).model_validate_json(json.dumps(given), strict=True)
        except pydantic.ValidationError as error:
            problems += [explain(cls, problem) for problem in error.errors()]
        except (TypeError, ValueError, RecursionError) as error:
            problems.append(f"{ref.id}: parameters must be numbers, strings, booleans or lists: {error}")
        if problems:
            raise PluginError(problems)
        try:
            fields = {parameter(field.name): field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
            made = cls(**{fields[name]: getattr(values, name) for name in given}, **nested)
        except ValueError as error:
            raise PluginError(f"{ref.id}: {error}") from error
        except (Exception, SystemExit) as error:
            raise PluginError(f"{ref.id}: {type(error).__name__}: {error} ({raised_at(error)})") from error
        flaws = list(instance_flaws(made))
        if flaws:
            raise PluginError([f"{ref.id}: {problem}" for problem in flaws])
        return made

    def reference(self, kind: Kind, entry: object) -> Ref:
        """Read `"id"` or `{id = "…", preset = "…", parameter = …}`; parameters override those of the preset.

        Raises:
            PluginError: It is neither, or the preset is unknown.
        """
        if isinstance(entry, str):
            return Ref(kind, entry)
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            given = {name: value for name, value in entry.items() if name not in {"id", "preset"}}
            preset = self._preset(kind, entry["id"], entry["preset"]) if "preset" in entry else {}
            return Ref(kind, entry["id"], {**preset, **given})
        raise PluginError(f'{kind}: write "id" or {{ id = "…", parameter = … }}, not {shown(entry)}')

    def _preset(self, kind: Kind, name: str, preset: object) -> Mapping[str, Any]:
        """The parameters of a component's preset."""
        presets = self.find(kind, name).component.presets
        if not isinstance(preset, str) or preset not in presets:
            raise PluginError(f"{name} has no preset {preset!r}: {hint(preset, presets)}")
        return presets[preset]

    def distributions(self, component: Component) -> frozenset[str]:
        """Distributions that a component comes from, with those of the components that its parameters name."""
        links = links_of(component)
        if links != (component,):
            return frozenset().union(*map(self.distributions, links))
        refs = [value for value in component.parameters().values() if isinstance(value, Ref)]
        named = [cast("Component", ref.component or self.build(ref)) for ref in refs]
        own = {self.find(type(component).kind, component.id).distribution}
        return frozenset(own).union(*(self.distributions(each) for each in named))

    def listing(self, kind: Kind | None = None) -> list[dict[str, Any]]:
        """Listing that `bench ls --json` prints: usable components first, then the refused."""
        rows = [
            _entry(of, name, found) for (of, name), found in sorted(self.components.items()) if kind in {None, of}
        ]
        rows += [
            _unusable(refused.kind, refused.id, refused, refused.error)
            for refused in self.refused
            if kind is None or refused.kind in {None, kind}
        ]
        return rows


def _entry(kind: Kind, name: str, found: Registered) -> dict[str, Any]:
    """A component as `bench ls --json` lists it; one that cannot be described is listed with the reason."""
    component = found.component
    try:
        # What plugins print is none of the program's output.
        with redirect_stdout(sys.stderr):
            described = {
                "summary": component.summary(),
                "parameters": describe_parameters(component),
                "capabilities": component.capabilities(),
            }
        json.dumps(described)
    except (Exception, SystemExit) as error:
        return _unusable(kind, name, found, f"cannot be described: {type(error).__name__}: {error}")
    return {**_unusable(kind, name, found, ""), **described, "error": None}


def _unusable(kind: Kind | None, name: str, found: Registered | Refused, error: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": name,
        "summary": None,
        "distribution": found.distribution,
        "version": found.version,
        "parameters": {},
        "capabilities": {},
        "error": error,
    }
