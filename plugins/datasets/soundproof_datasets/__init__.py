"""The built-in data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl

if TYPE_CHECKING:
    from soundproof import Dataset


@hookimpl
def soundproof_components() -> list[type[Dataset]]:
    """All data sets of this package."""
    from soundproof_datasets.esc import ESC10, ESC50
    from soundproof_datasets.folder import Folder
    from soundproof_datasets.synth import Synth

    return [ESC10, ESC50, Folder, Synth]
