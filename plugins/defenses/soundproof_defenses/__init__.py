"""The built-in defenses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl

if TYPE_CHECKING:
    from soundproof import Defense


@hookimpl
def soundproof_components() -> list[type[Defense]]:
    """All defenses of this package."""
    from soundproof_defenses.adversarial_training import AdversarialTraining
    from soundproof_defenses.none import Undefended

    return [AdversarialTraining, Undefended]
