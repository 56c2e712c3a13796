"""A generated data set, so that the harness runs without any download."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import ClipIndex, Dataset

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

FOLDS = 5
# The checksum must stay when only comments or names change, or every leaderboard's baseline would become
# incomparable, so it is not a digest of the source. A test holds the sounds of this generation fast: raise
# the number when they change.
GENERATION = 1


@dataclass(frozen=True)
class Synth(Dataset):
    """Ten kinds of generated environment-like sounds, grouped into recordings.

    The clips of a recording share its source's pitch, pace and timbre, its room and its background noise, and
    differ in their events' timing, in level and in noise: enough for a random split to leak. Kinds overlap
    (rooster and baby, chainsaw, helicopter and rain, clock and fire), so that a small network on a small
    picture gets most but not all of them right. Five folds hold whole recordings.

    Every clip is drawn from its own stream, seeded by `seed` and its place (kind, recording, take).
    """

    id: ClassVar[str] = "synth"
    classes: Annotated[int, Field(ge=2, le=10, description="kinds of sound, the first so many of ten")] = 10
    recordings: Annotated[int, Field(ge=1, le=1000, description="recordings of each kind")] = 10
    takes: Annotated[int, Field(ge=1, le=1000, description="clips cut from each recording")] = 4
    seconds: Annotated[float, Field(ge=0.25, le=10, description="length of a clip, s")] = 1.25
    snr: Annotated[
        float,
        Field(
            ge=-20,
            le=60,
            description="level of the sound over the background, dB; recordings lie within 4 dB of it",
        ),
    ] = 10.0
    seed: Annotated[int, Field(ge=0, description="another number, other recordings")] = 0

    def index(self, root: Path) -> ClipIndex:  # noqa: ARG002
        """All clips, kind by kind, recording by recording."""
        import numpy as np

        from soundproof.data.audio import checksum
        from soundproof_datasets._sounds import KINDS

        kinds = tuple(KINDS)[: self.classes]
        kind, recording, take = (axis.ravel() for axis in np.indices((self.classes, self.recordings, self.takes)))
        index = ClipIndex(
            names=tuple(f"{kinds[k]}-{r:03d}-{t:03d}" for k, r, t in zip(kind, recording, take, strict=True)),
            labels=kind.astype(np.int64),
            groups=(kind * self.recordings + recording).astype(np.int64),
            folds=(recording % FOLDS + 1).astype(np.int64),
            classes=kinds,
            checksum="",
        )
        return replace(index, checksum=checksum({"generation": GENERATION, **asdict(self)}, index))

    def waveforms(self, root: Path, rate: int) -> npt.NDArray[np.float32]:  # noqa: ARG002
        """All clips, generated at 16 kHz."""
        import numpy as np

        from soundproof.data.audio import resample
        from soundproof_datasets._signals import RATE
        from soundproof_datasets._sounds import KINDS, recordings, render

        clips = np.empty((self.classes, self.recordings, self.takes, self.sample_count(RATE)), np.float32)
        for k, kind in enumerate(tuple(KINDS)[: self.classes]):
            for r, recording in enumerate(recordings(self._stream(k), self.recordings, self.snr)):
                for t in range(self.takes):
                    clips[k, r, t] = render(kind, recording, self._stream(k, r, t), clips.shape[-1])
        return resample(clips.reshape(-1, clips.shape[-1]), RATE, rate, self.sample_count(rate))

    def _stream(self, *place: int) -> np.random.Generator:
        import numpy as np

        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=place))
