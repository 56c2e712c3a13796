"""The probes, a function a file: each looks at a classifier or its attacks and gives arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof.probing.probes.alone import alone
from soundproof.probing.probes.autograd_calls import autograd_calls
from soundproof.probing.probes.black_box import black_box
from soundproof.probing.probes.directions import directions
from soundproof.probing.probes.duplicates import duplicates
from soundproof.probing.probes.equivariance import equivariance
from soundproof.probing.probes.fresh_copy import fresh_copy
from soundproof.probing.probes.gradients import gradients
from soundproof.probing.probes.logits import logits
from soundproof.probing.probes.longer import longer
from soundproof.probing.probes.neighbours import neighbours
from soundproof.probing.probes.no_radius import no_radius
from soundproof.probing.probes.noise import noise
from soundproof.probing.probes.repetition import repetition
from soundproof.probing.probes.restarts import restarts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from soundproof.probing.examined import Arrays, Examined

    class Probe(Protocol):
        """What a probe is called with."""

        def __call__(self, examined: Examined, *, thorough: bool) -> Arrays:
            """Look, at all clips if thorough."""


# In this order: what tells most for least comes first, since the allowance may run out. The fresh copy comes
# before anything else has been asked.
ALWAYS: Mapping[str, Probe] = {
    "fresh_copy": fresh_copy,
    "repetition": repetition,
    "logits": logits,
    "duplicates": duplicates,
    "autograd_calls": autograd_calls,
    "gradients": gradients,
    "directions": directions,
    "neighbours": neighbours,
    "noise": noise,
    "black_box": black_box,
    "no_radius": no_radius,
    "alone": alone,
    "equivariance": equivariance,
}
THOROUGH: Mapping[str, Probe] = {"longer": longer, "restarts": restarts}
