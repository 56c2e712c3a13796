"""The Free Spoken Digit Dataset (Jackson et al., Zenodo 1342401)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from soundproof import ClipIndex, Download
from soundproof_datasets._published import Clip, Published, Survey

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = tuple("0123456789")
# The publisher tests on the takes 0 to 4 of every speaker and digit.
TEST_TAKES = 5
_NAME = re.compile(r"([0-9])_([a-z]+)_(0|[1-9][0-9]*)\.wav")


@dataclass(frozen=True)
class FSDD(Published):
    """FSDD: 3000 spoken digits of 6 speakers at 8 kHz, 10 classes (CC BY-SA 4.0).

    A group is a speaker. The publisher's own test part is cut by take, so that every speaker of it is heard in
    training, too. By default the scheme `official` therefore holds out one speaker a fold, in the order of their
    names; with `held_out = "takes"` it is the publisher's single fold, and leaky. `group70` tests two speakers.

    `classes = "speakers"` asks who speaks instead: a group is then a digit's take, the same of every speaker, and
    `official` the publisher's fold.
    """

    id: ClassVar[str] = "fsdd"
    folder: ClassVar[str] = "free-spoken-digit-dataset"
    licence: ClassVar[str] = "CC BY-SA 4.0"
    homepage: ClassVar[str] = "https://github.com/Jakobovski/free-spoken-digit-dataset"
    downloads: ClassVar[tuple[Download, ...]] = (
        Download("https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip"),
    )
    class_sizes: ClassVar[tuple[int, ...]] = (300,) * len(CLASSES)
    native_rate: ClassVar[int | None] = 8000
    held_out: Annotated[
        Literal["speakers", "takes"],
        Field(
            description="what the scheme `official` tests: one speaker a fold, or, as published, the takes 0 to 4 "
            "of speakers who are heard in training, too"
        ),
    ] = "speakers"
    classes: Annotated[
        Literal["digits", "speakers"], Field(description="what is recognised: the digit, or the voice")
    ] = "digits"
    speakers: Annotated[tuple[str, ...], Field(description="only these; empty for all")] = ()
    seconds: Annotated[float, Field(ge=0.05, le=10, description="length that clips are cut or padded to, s")] = 1.0

    def survey(self, folder: Path) -> Survey:
        """The files of `recordings`, which must be there for every digit, speaker and take."""
        found = Survey(CLASSES, folders=("recordings",))
        names = sorted(
            file.name for file in (folder / "recordings").glob("*.wav") if not file.name.startswith(".")
        )
        takes = {name: match.groups() for name in names if (match := _NAME.fullmatch(name))}
        found.problems += [
            f"{folder / 'recordings' / name}: not named DIGIT_SPEAKER_TAKE.wav; rename it, or remove it"
            for name in names
            if name not in takes
        ]
        there = sorted({speaker for _, speaker, _ in takes.values()})
        speakers = [speaker for speaker in there if not self.speakers or speaker in self.speakers]
        found.problems += [
            f"{folder / 'recordings'}: nobody is called {name!r}; set speakers to some of {', '.join(there)}"
            for name in self.speakers
            if there and name not in there
        ]
        if self.classes == "speakers":
            found.classes = tuple(speakers)
        last = max((int(take) for _, _, take in takes.values()), default=-1)
        for digit, (number, speaker), take in product(CLASSES, enumerate(speakers), range(last + 1)):
            name = f"{digit}_{speaker}_{take}.wav"
            published = 0 if take < TEST_TAKES else ClipIndex.TRAINING
            if self.classes == "speakers":
                clip = Clip(name, f"recordings/{name}", number, f"{digit} {take}", published)
            else:
                fold = number if self.held_out == "speakers" else published
                clip = Clip(name, f"recordings/{name}", int(digit), speaker, fold)
            found.clips.append(clip)
        found.clips.sort()
        return found

    def beside(self, folder: Path) -> set[str]:
        """Files of another name: the survey has told of them."""
        return {f"recordings/{file.name}" for file in (folder / "recordings").glob("*.wav")}
