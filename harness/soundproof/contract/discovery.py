"""Discovery of plugins through the entry-point group `soundproof.plugins`.

Every plugin is loaded behind a guard: one that raises, even `SystemExit`, is listed with its reason and hurts
nobody else. A run fails only if its suite needs something from a broken plugin.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import traceback
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

import pluggy

from soundproof.contract.components import KINDS, Component
from soundproof.contract.parameters import schema
from soundproof.contract.registry import BUILT_IN, RESERVED, Refused, Registered, Registry
from soundproof.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from soundproof.types import Kind

GROUP = "soundproof.plugins"
hookspec = pluggy.HookspecMarker("soundproof")
hookimpl = pluggy.HookimplMarker("soundproof")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Hooks:
    """The one hook of the entry-point group."""

    @hookspec
    def soundproof_components(self) -> Iterable[type[Component]]:  # type: ignore[empty-body]
        """Return the component classes that the plugin adds."""


def discover(entries: Iterable[EntryPoint] | None = None) -> Registry:
    """Load all installed plugins, built-in ones first, so that nobody can shadow them.

    Args:
        entries: Entry points to load instead of the installed ones.
    """
    registry = Registry()
    manager = pluggy.PluginManager("soundproof")
    manager.add_hookspecs(Hooks)
    installed = entry_points(group=GROUP) if entries is None else entries
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
    fields = {field.name for field in dataclasses.fields(component)}  # type: ignore[arg-type]
    taken = sorted(RESERVED & fields)
    if taken:
        return f"{where}: a parameter cannot be called {' or '.join(taken)}, which means something else in suites"
    try:
        schema(component)
    except Exception as error:
        return f"{where}: its parameters cannot be read: {error}"
    return None
