"""Radii of the attacks of adversarial training."""

from __future__ import annotations

from enum import StrEnum


class Draw(StrEnum):
    """The radius of a training example: in (0, radius], radius itself, or rising to it over the epochs."""

    UNIFORM = "uniform"
    FIXED = "fixed"
    RAMP = "ramp"
