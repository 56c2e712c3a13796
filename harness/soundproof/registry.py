"""Finds components through the entry-point group `soundproof.plugins`, and builds them from suite entries.

Every plugin is loaded behind a guard: one that raises, even `SystemExit`, is listed with its reason and hurts
nobody else. A run fails only if its suite needs something from a broken plugin.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import json
import re
import traceback
import typing
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy
import pydantic

from soundproof import hookspecs
from soundproof.errors import PluginError
from soundproof.identity import plain
from soundproof.interfaces import KINDS, Component
from soundproof.types import Kind, Ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BUILT_IN = "soundproof"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


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
        near = difflib.get_close_matches(name, self.ids(kind), n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(self.ids(kind))}"
        broken = [f"{r.distribution}:{r.id}" for r in self.refused if r.kind is None]
        if broken:
            hint += f" (not loaded: {', '.join(broken)}; see `bench ls`)"
        raise PluginError(f"unknown {kind} {name!r}: {hint}")

    def build(self, ref: Ref) -> Component:
        """Make a component from its id and parameters, and those that its parameters name.

        Raises:
            PluginError: Every problem: unknown id, unknown or mistyped parameters, impossible values.
        """
        cls = self.find(ref.kind, ref.id).component
        given = dict(ref.parameters)
        problems: list[str] = []
        nested: dict[str, Ref] = {}
        for name, default in _references(cls).items():
            try:
                named = self.reference(default.kind, given.pop(name)) if name in given else default
                nested[name] = dataclasses.replace(named, component=self.build(named))
            except PluginError as error:
                problems += [f"{name}: {problem}" for problem in error.problems]
        try:
            values = _schema(cls).model_validate_json(json.dumps(given), strict=True)
        except pydantic.ValidationError as error:
            problems += [_explain(cls, problem) for problem in error.errors()]
        except (TypeError, ValueError) as error:
            problems.append(f"{ref.id}: parameters must be numbers, strings, booleans or lists: {error}")
        if problems:
            raise PluginError(problems)
        try:
            return cls(**{name: getattr(values, name) for name in given}, **nested)
        except ValueError as error:
            raise PluginError(f"{ref.id}: {error}") from error

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
        raise PluginError(f'{kind}: write "id" or {{ id = "…", parameter = … }}, not {entry!r}')

    def _preset(self, kind: Kind, name: str, preset: object) -> Mapping[str, Any]:
        """The parameters of a component's preset."""
        presets = self.find(kind, name).component.presets
        if preset not in presets:
            known = f"it has {', '.join(sorted(presets))}" if presets else "it has none"
            raise PluginError(f"{name} has no preset {preset!r}: {known}")
        return presets[str(preset)]

    def listing(self, kind: Kind | None = None) -> list[dict[str, Any]]:
        """What `bench ls --json` prints: usable components first, then the refused."""
        rows = [
            {
                "kind": of,
                "id": name,
                "summary": found.component.summary(),
                "distribution": found.distribution,
                "version": found.version,
                "parameters": describe_parameters(found.component),
                "capabilities": found.component.capabilities(),
                "error": None,
            }
            for (of, name), found in sorted(self.components.items())
            if kind in {None, of}
        ]
        rows += [
            {
                "kind": refused.kind,
                "id": refused.id,
                "summary": None,
                "distribution": refused.distribution,
                "version": refused.version,
                "parameters": {},
                "capabilities": {},
                "error": refused.error,
            }
            for refused in self.refused
            if kind is None or refused.kind in {None, kind}
        ]
        return rows


def discover(entries: Iterable[EntryPoint] | None = None) -> Registry:
    """Load all installed plugins, built-in ones first, so that nobody can shadow them.

    Args:
        entries: Entry points to load instead of the installed ones.
    """
    registry = Registry()
    manager = pluggy.PluginManager("soundproof")
    manager.add_hookspecs(hookspecs)
    installed = entry_points(group=hookspecs.GROUP) if entries is None else entries
    for entry in sorted(installed, key=lambda e: (_origin(e)[0] != BUILT_IN, _origin(e), e.name)):
        distribution, version = _origin(entry)
        name = f"{distribution}:{entry.name}"
        try:
            manager.register(entry.load(), name=name)
            manager.check_pending()
            components = _components_of(manager, name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if manager.has_plugin(name):
                manager.unregister(name=name)
            reason = f"{type(error).__name__}: {error}".replace("\n", " ")
            registry.refused.append(
                Refused(None, entry.name, distribution, version, reason, traceback.format_exc())
            )
            continue
        for component in components:
            _admit(registry, component, distribution, version)
    return registry


def describe_parameters(component: type[Component]) -> dict[str, dict[str, Any]]:
    """Type, default and help of every parameter, as JSON."""
    described = {}
    properties = _schema(component).model_json_schema()["properties"] if _own_fields(component) else {}
    references = _references(component)
    for item in dataclasses.fields(component):  # type: ignore[arg-type]
        entry = {k: v for k, v in properties.get(item.name, {}).items() if k not in {"title", "default"}}
        if item.name in references:
            entry = {"type": str(references[item.name].kind)}
        if item.default is not dataclasses.MISSING:
            entry["default"] = plain(item.default)
        elif item.default_factory is not dataclasses.MISSING:
            entry["default"] = plain(item.default_factory())
        described[item.name] = entry
    return described


def _origin(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("unknown", "0")


def _components_of(manager: pluggy.PluginManager, name: str) -> list[type[Component]]:
    """The components of one registered plugin.

    Raises:
        PluginError: It implements no hook of ours, or returns something else than component classes.
    """
    plugin = manager.get_plugin(name)
    own = [hook for hook in manager.get_hookcallers(plugin) or [] if hook.name == "soundproof_components"]
    if not own:
        raise PluginError("it implements no hook; define soundproof_components() and mark it with hookimpl")
    returned = manager.subset_hook_caller(
        "soundproof_components", [p for p in manager.get_plugins() if p is not plugin]
    )()
    components = [component for part in returned for component in part]
    for component in components:
        if not (inspect.isclass(component) and issubclass(component, Component)):
            raise PluginError(f"soundproof_components() returned {component!r}, which is no Component class")
    return components


def _admit(registry: Registry, component: type[Component], distribution: str, version: str) -> None:
    """Register a component, or note why not."""
    problem = _flaw(component)
    name = str(getattr(component, "id", component.__name__))
    kind: Kind | None = getattr(component, "kind", None)
    if problem is None and kind is not None:
        known = registry.components.get((kind, name))
        if known is None:
            registry.components[kind, name] = Registered(component, distribution, version)
            return
        problem = f"{kind} {name!r} is provided by both {known.distribution!r} and {distribution!r}"
        if known.distribution == BUILT_IN:
            problem += "; a built-in component cannot be replaced"
        else:
            problem += "; uninstall one of them"
            del registry.components[kind, name]
    registry.refused.append(Refused(kind, name, distribution, version, problem or "it has no kind"))


def _flaw(component: type[Component]) -> str | None:
    """Why a class cannot be a component, or None."""
    where = f"{component.__module__}.{component.__qualname__}"
    if not issubclass(component, tuple(KINDS)):
        return f"{where} derives from none of {', '.join(kind.__name__ for kind in KINDS)}"
    if inspect.isabstract(component):
        missing = ", ".join(sorted(component.__abstractmethods__))
        return f"{where} does not implement {missing}"
    if not _ID.fullmatch(str(getattr(component, "id", ""))):
        return f"{where} needs an id of lower-case letters, digits and hyphens"
    if "__dataclass_params__" not in vars(component) or not vars(component)["__dataclass_params__"].frozen:
        return f"{where} must be decorated with @dataclass(frozen=True)"
    if not component.summary():
        return f"{where} needs a docstring; its first line is the summary"
    try:
        _schema(component)
    except Exception as error:
        return f"{where}: its parameters cannot be read: {error}"
    return None


def _own_fields(component: type[Component]) -> list[str]:
    references = _references(component)
    return [f.name for f in dataclasses.fields(component) if f.name not in references]  # type: ignore[arg-type]


@cache
def _references(component: type[Component]) -> Mapping[str, Ref]:
    """Parameters that name another component, with their defaults, which tell its kind."""
    found = {}
    for item in dataclasses.fields(component):  # type: ignore[arg-type]
        factory = item.default_factory
        default = factory() if factory is not dataclasses.MISSING else item.default
        if isinstance(default, Ref):
            found[item.name] = default
    return found


@cache
def _schema(component: type[Component]) -> type[pydantic.BaseModel]:
    """A pydantic model of the parameters, read from the dataclass' annotations."""
    hints = typing.get_type_hints(component, include_extras=True)
    fields: dict[str, Any] = {}
    for item in dataclasses.fields(component):  # type: ignore[arg-type]
        if item.name in _references(component):
            continue
        if item.default_factory is not dataclasses.MISSING:
            default: Any = pydantic.Field(default_factory=item.default_factory)
        else:
            default = ... if item.default is dataclasses.MISSING else item.default
        fields[item.name] = (hints[item.name], default)
    # A parameter may be called `copy` or `json`: names of pydantic's own methods are not protected here.
    config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())
    return pydantic.create_model(component.__name__, __config__=config, **fields)


def _explain(component: type[Component], problem: Any) -> str:
    """One line for one problem of pydantic's."""
    path = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        known = [f.name for f in dataclasses.fields(component)]  # type: ignore[arg-type]
        near = difflib.get_close_matches(path, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(known) or 'none'}"
        return f"{component.id} has no parameter {path!r}: {hint}"
    if problem["type"] == "missing":
        return f"{component.id} needs the parameter {path!r}"
    return f"{component.id}.{path}: {problem['msg']}, not {problem['input']!r}"
