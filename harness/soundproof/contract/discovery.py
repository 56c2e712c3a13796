"""Discovery of plugins through the entry-point group `soundproof.plugins`.

Every plugin is loaded behind a guard: one that raises, even `SystemExit`, is listed with its reason and hurts
nobody else. A run fails only if its suite needs something from a broken plugin.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections import defaultdict
from contextlib import redirect_stdout
from importlib.metadata import distributions
from typing import TYPE_CHECKING

import pluggy

from soundproof.contract.admission import flaw
from soundproof.contract.components import KINDS, Component
from soundproof.contract.registry import BUILT_IN, Refused, Registered, Registry
from soundproof.errors import PluginError
from soundproof.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import EntryPoint

GROUP = "soundproof.plugins"
# The version of this contract. A plugin that declares another one, `soundproof_api = 2`, is refused.
API = 1
hookspec = pluggy.HookspecMarker("soundproof")
hookimpl = pluggy.HookimplMarker("soundproof")
# A distribution may call itself what it likes: only these packages are built in.
_OWN_PACKAGES = frozenset(f"soundproof_{kind}s" for kind in Kind)


class Hooks:
    """The one hook of the entry-point group."""

    @hookspec
    def soundproof_components(self) -> Iterable[type[Component]]:  # type: ignore[empty-body]
        """Return the component classes that the plugin adds."""


def discover(entries: Iterable[EntryPoint] | None = None) -> Registry:
    """Load all installed plugins; built-in components cannot be replaced.

    Args:
        entries: Entry points to load instead of the installed ones.
    """
    registry = Registry()
    manager = pluggy.PluginManager("soundproof")
    manager.add_hookspecs(Hooks)
    installed = _installed() if entries is None else entries
    offered: defaultdict[tuple[Kind, str], list[Registered]] = defaultdict(list)
    # What plugins print is none of the program's output.
    with redirect_stdout(sys.stderr):
        for entry in sorted(installed, key=lambda e: (not _is_built_in(e), _origin(e), e.name)):
            for component in _load(entry, manager, registry.refused):
                _offer(component, entry, offered, registry.refused)
    for of, rivals in offered.items():
        _settle(of, rivals, registry)
    return registry


def _installed() -> Iterator[EntryPoint]:
    """The group's entry points; of several distributions of a name only the first, which hides the others."""
    seen: dict[str, object] = {}
    for distribution in distributions():
        try:
            entries = [entry for entry in distribution.entry_points if entry.group == GROUP]
        except Exception:  # noqa: S112 - a file of entry points that cannot be read offers none
            continue
        for entry in entries:
            # One that calls itself as we do must not hide us.
            if seen.setdefault(_origin(entry)[0], distribution) is distribution or _is_built_in(entry):
                yield entry


def _origin(entry: EntryPoint) -> tuple[str, str]:
    """Name and version of the entry point's distribution, whose metadata may be missing."""
    try:
        found = (entry.dist.name, entry.dist.version) if entry.dist else (None, None)
    except Exception:
        found = (None, None)
    return str(found[0] or "unknown"), str(found[1] or "0")


def _is_built_in(entry: EntryPoint) -> bool:
    return _origin(entry)[0] == BUILT_IN and entry.module.partition(".")[0] in _OWN_PACKAGES


def _load(entry: EntryPoint, manager: pluggy.PluginManager, refused: list[Refused]) -> list[type[Component]]:
    """The components of a plugin; none, and a reason among the refused, if it does not load."""
    distribution, version = _origin(entry)
    name = f"{distribution}:{entry.name}={entry.value}"
    try:
        if distribution == BUILT_IN and not _is_built_in(entry):
            raise PluginError(f"{entry.module!r} is no part of soundproof; give the distribution another name")
        if manager.has_plugin(name):
            return []
        plugin = entry.load()
        _check_api(plugin)
        manager.register(plugin, name=name)
        manager.check_pending()
        return _components_of(manager, name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if manager.has_plugin(name):
            manager.unregister(name=name)
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        refused.append(Refused(None, entry.name, distribution, version, reason, traceback.format_exc()))
        return []


def _check_api(plugin: object) -> None:
    """Raise PluginError if a plugin was written for another version of the contract."""
    declared: object = getattr(plugin, "soundproof_api", API)
    if declared == API:
        return
    newer = isinstance(declared, int) and declared > API
    remedy = "upgrade soundproof" if newer else "install a newer version of the plugin, or an older soundproof"
    raise PluginError(
        f"it is written for version {declared!r} of the plugin interface, and this is {API}: {remedy}"
    )


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


def _offer(
    component: type[Component],
    entry: EntryPoint,
    offered: defaultdict[tuple[Kind, str], list[Registered]],
    refused: list[Refused],
) -> None:
    """Note a component, or why it cannot be used."""
    distribution, version = _origin(entry)
    problem = flaw(component)
    kind = next((kind.kind for kind in KINDS if issubclass(component, kind)), None)
    if problem is None and kind is not None:
        found = Registered(component, distribution, version)
        if not any(other.component is component for other in offered[kind, component.id]):
            offered[kind, component.id].append(found)
        return
    name = getattr(component, "id", None)
    shown = name if isinstance(name, str) and name else component.__name__
    refused.append(Refused(kind, shown, distribution, version, problem or "it has no kind"))


def _settle(of: tuple[Kind, str], rivals: list[Registered], registry: Registry) -> None:
    """Register the component that an id stands for; of several packages' none but the built-in one."""
    kind, name = of
    own = [found for found in rivals if found.distribution == BUILT_IN]
    if len(rivals) == 1 or own:
        registry.components[of] = (own or rivals)[0]
    if len(rivals) == 1:
        return
    packages = list(dict.fromkeys(repr(found.distribution) for found in [*own, *rivals]))
    named = f"{', '.join(packages[:-1])} and {packages[-1]}" if len(packages) > 1 else f"{packages[0]} twice"
    remedy = "a built-in component cannot be replaced" if own else "keep one of them"
    problem = f"{kind} {name!r} is provided by {named}; {remedy}"
    registry.refused += [
        Refused(kind, name, found.distribution, found.version, problem)
        for found in rivals
        if registry.components.get(of) is not found
    ]
