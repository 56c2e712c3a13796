"""Metrics: what each row of results says of its clips, with intervals."""

from __future__ import annotations

from soundproof.measuring.metrics import fooling, recognition, sounding
from soundproof.measuring.metrics.intervals import RATE

_CERTIFIED = {"certified_accuracy", "smoothed_accuracy", "abstention"}
_SHARES = fooling.SHARES | recognition.SHARES | sounding.SHARES | _CERTIFIED | {"transfer_ratio"}


def bounds(name: str) -> tuple[float, float] | None:
    """The range of a metric that is a share or an area, also that of the grey-box attacker; None for others."""
    return RATE if name.removeprefix("grey_") in _SHARES else None
