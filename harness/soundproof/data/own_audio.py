"""Anybody's own audio: what data sets of a folder of files share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from soundproof.contract.components import Dataset
from soundproof.errors import AbsentError, DataError

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

    def folders(self, root: Path, problems: list[str]) -> list[Path]:
        """The folders directly below `path`, sorted; hidden ones and files are left out.

        Args:
            root: The data folder.
            problems: Links that lead nowhere and the like are appended here, a line each.

        Raises:
            DataError: There is no such folder.
        """
        from soundproof.data.listing import folders

        return folders(self._folder(root), problems)

    def audio_in(self, folder: Path, problems: list[str]) -> list[Path]:
        """The audio files directly in a folder, sorted; `problems` as for `folders`."""
        from soundproof.data.listing import audio_files

        return audio_files(folder, problems)

    def audio_below(self, root: Path, problems: list[str]) -> list[Path]:
        """All audio files below `path`, sorted; see `folders`."""
        from soundproof.data.listing import audio_files_below

        return audio_files_below(self._folder(root), problems)

    def check_doubles(self, files: Sequence[Path], sha256: Sequence[str], groups: Sequence[str]) -> None:
        """Refuse copies of one file in different groups: one would test what was trained on the other.

        Args:
            files: `[N]`.
            sha256: Of their content.
            groups: What `group_names` returned.

        Raises:
            DataError: It lists every such copy.
        """
        first: dict[str, int] = {}
        problems = [
            f"{file}: the same as {files[first[content]]}, but of another recording; remove one of them, or let "
            "the parameter group hold them together"
            for row, (file, content) in enumerate(zip(files, sha256, strict=True))
            if groups[first.setdefault(content, row)] != groups[row]
        ]
        if problems:
            raise DataError(problems)

    def _folder(self, root: Path) -> Path:
        folder = root / self.path
        if not folder.is_dir():
            raise AbsentError(f"{folder}: no such folder; set the parameter path, or the data folder with --data")
        return folder

    def group_names(self, files: Sequence[Path]) -> list[str]:
        """Name of the recording or speaker of each file, `[N]`.

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
