"""The built-in attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl

if TYPE_CHECKING:
    from soundproof import Attack


@hookimpl
def soundproof_components() -> list[type[Attack]]:
    """All attacks of this package."""
    from soundproof_attacks.bim import BimA, BimB
    from soundproof_attacks.fgsm import Fgsm
    from soundproof_attacks.noise import Noise

    return [BimA, BimB, Fgsm, Noise]
