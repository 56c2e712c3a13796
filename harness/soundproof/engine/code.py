"""The code that computes, compared between a run and its workers: numbers from other code would be wrong rows."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from soundproof.contract.sources import source_digest
from soundproof.engine.environment import NUMERIC, code_digest, versions
from soundproof.errors import PluginError
from soundproof.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from soundproof.contract.registry import Registry
    from soundproof.planning.suite import Suite

    # Components by kind and id, and libraries by name.
    Code = Mapping[str, Mapping[str, str]]

_LIBRARIES = ("torch", "torchvision", "numpy", "scipy", "librosa", "scikit-learn", "PyWavelets", "soxr")


def code_of(suite: Suite, registry: Registry) -> Code:
    """What a suite's numbers are computed by here: the core, libraries and components, as JSON."""
    found = {}
    for component in suite.components:
        of = registry.find(type(component).kind, component.id)
        source = component.version or source_digest(type(component))
        found[f"{of.component.kind} {component.id}"] = f"{of.distribution} {of.version} ({source[:12]})"
    return {"libraries": _libraries(), "components": found}


def unlike(code: Code, registry: Registry) -> Iterator[str]:
    """Where this process computes by other code than a run, a line each.

    Args:
        code: `code_of` the run.
        registry: Of this process.
    """
    here = _libraries()
    for name, version in code["libraries"].items():
        if here[name] != version:
            yield f"{name} is {here[name]} in the worker and {version} in the run; install the same everywhere"
    for name, version in code["components"].items():
        kind, _, known = name.partition(" ")
        try:
            of = registry.find(Kind(kind), known)
        except PluginError as error:
            yield f"the worker has no {kind} {known!r} from {version}: {error.problems[0]}"
            continue
        source = of.component.version or source_digest(of.component)
        found = f"{of.distribution} {of.version} ({source[:12]})"
        if found != version:
            yield f"{kind} {known!r} comes from {found} in the worker and from {version} in the run"


def _libraries() -> dict[str, str]:
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "soundproof": f"code {code_digest(NUMERIC)[:12]}",
        **versions(_LIBRARIES),
    }
