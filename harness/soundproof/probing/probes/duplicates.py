"""Tested inputs among those that the classifier was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from soundproof.probing.examined import Arrays, Examined

# Steps of a value that count as equal: of 16-bit sound what a copy may lose in a file format.
_STEPS = 4096


def duplicates(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """`trained`: whether the very input, to 12 bits a value, was trained on, uint8 `[n]`. Silence is no duplicate."""
    trained = {content for content in _contents(examined.training().inputs) if content is not None}
    found = [content in trained for content in _contents(examined.clean)]
    return {"trained": np.asarray(found, np.uint8)}


def _contents(inputs: torch.Tensor) -> list[bytes | None]:
    rounded = (inputs.flatten(1) * _STEPS).round().short().cpu().numpy()
    return [None if (row == row[0]).all() else row.tobytes() for row in rounded]
