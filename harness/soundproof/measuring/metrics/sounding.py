"""Sounding: what attacks sound like, and whether they survive being sound (docs/metrics.md, "In sound")."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.intervals import Part

if TYPE_CHECKING:
    from soundproof.measuring.protocols.base import Samples

# Of how large a change sounds, each a field of samples.
AUDIBLE = ("snr", "segmental_snr", "loudness_change", "audibility")
SHARES = frozenset({"survival"})


def survival(samples: Samples) -> dict[str, Part]:
    """`survival`: of the clips that are fooled before, the share that still is.

    Args:
        samples: `clip source_fooled fooled`, and `heard` where not all clips count.
    """
    counted = samples["source_fooled"] > 0
    if "heard" in samples:
        counted &= samples["heard"] > 0
    return {"survival": Part(samples["clip"][counted], statistics.mean(samples["fooled"][counted] > 0))}


def audible(samples: Samples) -> dict[str, Part]:
    """`snr`, `segmental_snr`, `loudness_change` and `audibility`, each the mean over the clips that are fooled.

    An infinite ratio (nothing changed, or a silent clip) takes no part.
    """
    fooled = samples["fooled"] > 0
    found = {}
    for name in AUDIBLE:
        values = samples[name][fooled]
        finite = np.where(np.isfinite(values), values, np.nan)
        found[name] = Part(samples["clip"][fooled], statistics.mean(finite))
    return found
