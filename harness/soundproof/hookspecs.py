"""The one hook of the entry-point group `soundproof.plugins`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from soundproof.interfaces import Component

GROUP = "soundproof.plugins"
hookspec = pluggy.HookspecMarker("soundproof")
hookimpl = pluggy.HookimplMarker("soundproof")


@hookspec
def soundproof_components() -> Iterable[type[Component]]:  # type: ignore[empty-body]
    """Return the component classes that the plugin adds."""
