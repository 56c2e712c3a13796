"""Promises of data sets: an index and waveforms that fit each other, the same wherever the folder lies."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soundproof.conformance.promises import InapplicableError, Promises, promise, require
from soundproof.data.checks import read_index, waveforms_flaw
from soundproof.errors import DataError

if TYPE_CHECKING:
    from soundproof.contract.components import Dataset
    from soundproof.types import ClipIndex

# Low, and whole parts of 44.1 kHz.
RATES = (4410, 6300)


class DatasetPromises(Promises):
    """Promises of a data set, tried on what of it lies below the data folder."""

    component: Dataset

    @cached_property
    def root(self) -> Path:
        """The data folder."""
        root = self.given.root or Path("data")
        if self.component.folder and not (root / self.component.folder).is_dir():
            raise InapplicableError(
                f"{root / self.component.folder} is not there; name the data folder with --data"
            )
        return root

    @cached_property
    def index(self) -> ClipIndex:
        """Of what is there."""
        return read_index(self.component, self.root)

    @promise("return a ClipIndex as its docstring says: tuples of names, int64 arrays, a checksum")
    def the_index_is_one(self) -> None:
        """`index` returns unique names, labels within the classes, groups, folds and a checksum, a row a clip."""
        heard = np.unique(self.index.labels)
        missing = [name for number, name in enumerate(self.index.classes) if number not in heard]
        require(
            not missing, f"no clip is of the class {' or '.join(missing)}", "name only classes that have clips"
        )

    @promise("give clips of one recording the publisher's fold, or folds = None")
    def no_group_lies_in_two_folds(self) -> None:
        """Clips of one recording or speaker are in one of the publisher's folds."""
        if self.index.folds is None:
            raise InapplicableError("it has no folds")
        folds = defaultdict(set)
        for group, fold in zip(self.index.groups.tolist(), self.index.folds.tolist(), strict=True):
            folds[group].add(fold)
        torn = sorted(group for group, found in folds.items() if len(found) > 1)
        require(not torn, f"group {torn[:1]} lies in several folds", "group by what the folds keep together")

    @promise("return float32 [N, sample_count(rate)] in [-1, 1], mono, in the order of index")
    def waveforms_are_clips_of_one_length(self) -> None:
        """`waveforms` returns float32 `[N, sample_count(rate)]` in [-1, 1] at any rate, and not only silence."""
        for rate in RATES:
            found = self.component.waveforms(self.root, rate)
            flaw = waveforms_flaw(
                found, (len(self.index.names), round(self.component.seconds * rate)), self.index.names
            )
            require(flaw is None, f"waveforms(rate={rate}): {flaw}", "pad or cut, resample and scale")
            require(np.abs(found).max() > 0, "all clips are silent", "read the files' samples")
            due = round(self.component.seconds * rate)
            count = self.component.sample_count(rate)
            require(count == due, f"sample_count({rate}) is {count}, not {due}", "leave sample_count as it is")

    @promise("draw nothing at random but from a fixed seed")
    def the_same_files_give_the_same_samples(self) -> None:
        """Reading twice gives the same index and the same bytes."""
        first, second = (self.component.waveforms(self.root, RATES[0]) for _ in range(2))
        require(np.array_equal(first, second), "two readings differ", "draw from a generator with a fixed seed")
        again = read_index(self.component, self.root)
        same = (again.names, again.classes, again.checksum) == (
            self.index.names, self.index.classes, self.index.checksum
        )  # fmt: skip
        require(same, "two indexes of the same files differ", "sort the files, and hash their content")

    @promise("raise soundproof.DataError that names the folder")
    def a_missing_folder_is_named(self) -> None:
        """Where its folder is not there it raises a `DataError` that says so."""
        if not self.component.folder:
            raise InapplicableError("it is generated, or its folder is a parameter")
        try:
            self.component.index(Path("/nonexistent"))
        except DataError as error:
            require("nonexistent" in str(error), f"it says {error}", "name the folder that is missing")
            return
        require(False, "it raised nothing", "raise soundproof.DataError that names the folder")  # noqa: FBT003
