"""The built-in attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof import hookimpl

if TYPE_CHECKING:
    from soundproof import Attack


@hookimpl
def soundproof_components() -> list[type[Attack]]:
    """All attacks of this package."""
    from soundproof_attacks.apgd import Apgd
    from soundproof_attacks.art import Art, ArtMinimumNorm
    from soundproof_attacks.bim import BimA, BimB
    from soundproof_attacks.cwa import Cwa
    from soundproof_attacks.deepfool import DeepFool
    from soundproof_attacks.eot_pgd import EotPgd
    from soundproof_attacks.fgsm import Fgsm
    from soundproof_attacks.jsma import Jsma
    from soundproof_attacks.lbfgs import Lbfgs
    from soundproof_attacks.noise import Noise
    from soundproof_attacks.pgd import Pgd
    from soundproof_attacks.pia import Pia
    from soundproof_attacks.psychoacoustic import Psychoacoustic
    from soundproof_attacks.square import Square
    from soundproof_attacks.strongest import Strongest

    gradient: list[type[Attack]] = [Apgd, BimA, BimB, Cwa, DeepFool, Fgsm, Jsma, Lbfgs, Pgd, Strongest]
    sound: list[type[Attack]] = [EotPgd, Psychoacoustic]
    return [*gradient, *sound, Art, ArtMinimumNorm, Noise, Pia, Square]
