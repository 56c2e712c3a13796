"""Unpacks ZIP and tar archives from the internet: nothing leaves the folder, and nothing but files is made."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from soundproof.data.disk import need_space
from soundproof.errors import DataError

_LISTED = 5
_BLOCK = 1 << 20


class ArchiveError(DataError):
    """An archive is damaged, or holds what none of a data set should."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive into a folder.

    Args:
        archive: A ZIP file, or a tar file with any compression that Python knows; its name does not matter.
        folder: Where to; made if needed. What was unpacked before an error stays there.

    Raises:
        ArchiveError: It is no archive, is damaged, or holds anything but plain files and folders, or one outside
            the folder.
        DataError: There is no room, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if zipfile.is_zipfile(archive):
            _unzip(archive, folder)
        elif tarfile.is_tarfile(archive):
            _untar(archive, folder)
        else:
            raise ArchiveError(f"{archive}: neither a ZIP nor a tar file; look at what the server sent")
    except DataError:
        raise
    except Exception as error:
        # What the readers of archives raise has no common name: zlib.error, LZMAError, IndexError, ValueError …
        # An error of the disk has a number; gzip's, about a wrong sum, has none.
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"{archive}: does not unpack to {folder} ({error.strerror})") from error
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ArchiveError(f"{archive}: damaged or not supported ({reason})") from error


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
        need_space(folder, member.size, "unpacking")
        return tarfile.data_filter(member, path)

    with tarfile.open(archive) as file:
        file.extractall(folder, filter=plain)  # noqa: S202 # the filter looks at every member
        # What follows the last member holds the sum that tells whether all of it was right.
        while file.fileobj is not None and file.fileobj.read(_BLOCK):
            pass


_PLAIN = {0, stat.S_IFREG, stat.S_IFDIR}


def _inside(name: str) -> bool:
    """Whether a member's name stays below the folder, on any system."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not (".." in parts or name.startswith(("/", "\\")) or PureWindowsPath(name).drive or "\0" in name)


def _refuse(archive: Path, names: list[str]) -> None:
    if names:
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        shown = ", ".join(map(repr, names[:_LISTED]))
        raise ArchiveError(
            f"{archive}: refused, because it holds links, devices or paths that lead outside: {shown}{more}; "
            "tell the publisher"
        )
