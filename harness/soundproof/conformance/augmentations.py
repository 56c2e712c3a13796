"""Promises of augmentations: copies in range, and chance from the generator alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.conformance.promises import Promises, numpy_state, promise, require
from soundproof.conformance.representations import KINDS, sound

if TYPE_CHECKING:
    import numpy.typing as npt

    from soundproof.contract.components import Augmentation

    Waveforms = npt.NDArray[np.float32]

RATE, SAMPLES = 8000, 3000


class AugmentationPromises(Promises):
    """Promises of an augmentation."""

    component: Augmentation

    @cached_property
    def clips(self) -> Waveforms:
        """A clip of each kind of sound, which nobody may write to."""
        made = np.stack([sound(kind, SAMPLES, seed).numpy() for seed, kind in enumerate(KINDS)])
        made.setflags(write=False)
        return made

    def _augmented(self, clips: Waveforms, seed: int = 4, rate: int = RATE) -> Any:
        return self.component.augment(clips, rate, np.random.default_rng(seed))

    @promise("return float32 [copies, N, T] in [-1, 1]; clip what becomes louder")
    def copies_are_finite_clips_in_range_of_the_promised_shape(self) -> None:
        """Float32 `[copies, N, T]`, finite and in [-1, 1], and some copy differs from its clip."""
        copies = self._augmented(self.clips)
        require(
            isinstance(copies, np.ndarray), f"augment returned {type(copies).__name__}", "return a NumPy array"
        )
        due = (self.component.copies, *self.clips.shape)
        require(
            copies.shape == due, f"augment returned {copies.shape} where {due} is due", "set copies accordingly"
        )
        require(copies.dtype == np.float32, f"augment returned {copies.dtype}", "end with .astype(np.float32)")
        require(
            np.isfinite(copies).all(), "copies hold NaN or infinite samples", "divide by nothing that can be 0"
        )
        loudest = float(np.abs(copies).max())
        require(loudest <= 1, f"samples reach {loudest:.4g}", "end with np.clip(copies, -1, 1)")
        changed = any(not np.array_equal(copy, self.clips) for copy in copies)
        require(changed, "every copy is the clip itself", "change something")

    @promise("draw from the generator that is given, and from no other")
    def the_same_generator_gives_the_same_bytes(self) -> None:
        """The same generator gives the same copies, and NumPy's global one is left alone."""
        before = numpy_state()
        same = self._augmented(self.clips).tobytes() == self._augmented(self.clips).tobytes()
        require(same, "two runs with the same generator differ", "draw from the generator")
        untouched = numpy_state() == before
        require(untouched, "it drew from NumPy's global generator", "draw from the generator that is given")

    @promise("return an empty array of shape (copies, 0, T)")
    def no_clips_give_no_copies(self) -> None:
        """No clips are augmented to no copies."""
        found = self._augmented(np.zeros((0, SAMPLES), np.float32)).shape
        due = (self.component.copies, 0, SAMPLES)
        require(found == due, f"augment returned {found} for no clips", f"return {due}")
