"""Anybody's own audio: what data sets of a folder of files share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from soundproof.contract.components import Dataset
from soundproof.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class OwnAudio(Dataset):
    """A data set of files below a folder that the user names, whose names may tell what belongs together.

    Raises:
        ValueError: The path leaves the data folder, or the pattern is none or captures no single group.
    """

    path: Annotated[str, Field(min_length=1, description="where the files lie, below the data folder")]
    group: Annotated[
        str | None,
        Field(
            description="regular expression for file names without ending, with one group that captures the "
            "recording or speaker, e.g. '^[^_]+_([^_]+)_'; none makes every file its own recording, and flags "
            "all rows `ungrouped`"
        ),
    ] = None

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path.replace("\\", "/")).parts
        if not parts or ".." in parts or PureWindowsPath(self.path).anchor:
            raise ValueError(f"path {self.path!r} must name a folder below the data folder, without '..'")
        if self.group is not None:
            try:
                captures = re.compile(self.group).groups
            except re.error as error:
                raise ValueError(f"group {self.group!r} is no regular expression: {error}") from error
            if captures != 1:
                raise ValueError(f"group {self.group!r} must capture one group in parentheses, not {captures}")

    @property
    def flags(self) -> tuple[str, ...]:
        """`ungrouped` without a pattern: clips of one recording or speaker may be on both sides of a split."""
        return ("ungrouped",) if self.group is None else ()

    def group_names(self, files: Sequence[Path]) -> list[str]:
        """What names the recording or speaker of each file, `[N]`.

        Raises:
            DataError: The pattern captures nothing in some names; it lists every such file.
        """
        if self.group is None:
            return [str(file) for file in files]
        matches = [re.search(self.group, file.stem) for file in files]
        captured = [match.group(1) if match else None for match in matches]
        problems = [
            f"{file}: the parameter group {self.group!r} captures nothing here; mend it, or rename the file"
            for file, name in zip(files, captured, strict=True)
            if not name
        ]
        if problems:
            raise DataError(problems)
        return [str(name) for name in captured]
