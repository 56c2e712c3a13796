"""Unpacks ZIP and tar archives from the internet: nothing leaves the folder, and nothing but files is made."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from soundproof.errors import DataError

_LISTED = 5


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive into a folder.

    Args:
        archive: A ZIP file, or a tar file with any compression that Python knows; its name does not matter.
        folder: Where to; made if needed. What was unpacked before an error stays there.

    Raises:
        DataError: It is no archive, is damaged, holds anything but plain files and folders, names one outside
            the folder, or there is no room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            _unzip(archive, folder)
        elif tarfile.is_tarfile(archive):
            _untar(archive, folder)
        else:
            raise DataError(
                f"{archive}: neither a ZIP nor a tar file; look at what the server sent, and remove it"
            )
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{archive}: damaged or not supported ({error}); remove it and fetch again") from error
    except OSError as error:
        raise DataError(f"{archive}: does not unpack ({error.strerror or error})") from error


def need_space(folder: Path, size: int, purpose: str) -> None:
    """Raise DataError unless so many bytes are free where a folder is, or will be made."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < size:
        raise DataError(
            f"{folder}: {purpose} takes {size / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; make room, or name "
            "another data folder with --data"
        )


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
        # The upper half of the attributes is the Unix mode, or 0 from other systems.
        odd = [
            member.filename
            for member in members
            if not _inside(member.orig_filename) or stat.S_IFMT(member.external_attr >> 16) not in _PLAIN
        ]
        _refuse(archive, odd)
        need_space(folder, sum(member.file_size for member in members), "unpacking")
        file.extractall(folder)  # noqa: S202 # every member was looked at


def _untar(archive: Path, folder: Path) -> None:
    def plain(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
        if not (_inside(member.name) and (member.isreg() or member.isdir())):
            _refuse(archive, [member.name])
        return tarfile.data_filter(member, path)

    with tarfile.open(archive) as file:
        file.extractall(folder, filter=plain)  # noqa: S202 # the filter looks at every member


_PLAIN = {0, stat.S_IFREG, stat.S_IFDIR}


def _inside(name: str) -> bool:
    """Whether a member's name stays below the folder, on any system."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not (".." in parts or name.startswith(("/", "\\")) or PureWindowsPath(name).drive or "\0" in name)


def _refuse(archive: Path, names: list[str]) -> None:
    if names:
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        shown = ", ".join(map(repr, names[:_LISTED]))
        raise DataError(
            f"{archive}: refused, because it holds links, devices or paths that lead outside: {shown}{more}; "
            "remove it and tell the publisher"
        )
