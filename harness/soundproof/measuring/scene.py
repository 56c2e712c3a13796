"""Scene of a measurement: what metrics need besides samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Scene:
    """A data set and an input, as far as metrics depend on them.

    Attributes:
        groups: The recording of every clip of the data set.
        classes: Number of classes.
        dimension: Input size D; 0 where it is not known, which leaves out what depends on it.
    """

    groups: npt.NDArray[np.int64]
    classes: int
    dimension: int
