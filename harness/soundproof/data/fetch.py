"""Gets public data sets: downloaded, verified, unpacked aside and put in place at once.

Everything in progress lies in the folder `.downloads` of the data folder; a data set that can be seen is whole.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from soundproof.data.disk import need_space, on_disk
from soundproof.data.download import forget, receive
from soundproof.data.unpack import ArchiveError, unpack
from soundproof.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soundproof.contract.components import Dataset
    from soundproof.data.download import Progress
    from soundproof.types import Download

IN_PROGRESS = ".downloads"
# Of a URL's last part, which may be longer than a file's name can be.
_NAME = 80


def _silent(done: int, total: int) -> None:
    """Tells nobody."""


def is_there(dataset: Dataset, root: Path) -> bool:
    """Whether the data set's folder exists; only decoding tells whether it is whole."""
    return bool(dataset.folder) and (root / dataset.folder).is_dir()


def fetch(dataset: Dataset, root: Path, progress: Progress = _silent) -> Path:
    """Get a data set from its publisher.

    Args:
        dataset: One with downloads, whose folder is not there yet.
        root: The data folder; made if needed.
        progress: Told of bytes that are here and bytes in all, 0 if the server does not say.

    Returns:
        The data set's folder.

    Raises:
        DataError: There is nothing to download or no room, the connection broke, or what came is not what was
            published. The same call goes on from there; what is wrong is set aside and downloaded again.
    """
    if not dataset.downloads:
        raise DataError(f"{dataset.id}: no public download; see {dataset.homepage or 'its documentation'}")
    for download in dataset.downloads:
        _algorithm(download)
    target = root / dataset.folder
    if is_there(dataset, root):
        raise DataError(f"{target}: there already; rename or remove it to fetch it again")
    with on_disk(root):
        # An archive and what comes out of it lie side by side for a while.
        need_space(root, 2 * sum(download.size for download in dataset.downloads), f"fetching {dataset.id}")
        work = root / IN_PROGRESS
        work.mkdir(parents=True, exist_ok=True)
        archives = [_archive(download, work, progress) for download in dataset.downloads]
        staging = work / f"{dataset.id}.unpacking"
        shutil.rmtree(staging, ignore_errors=True)
        try:
            _unpack(dataset.downloads, archives, staging, target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        for archive in archives:
            archive.unlink()
        if not any(work.iterdir()):
            work.rmdir()
    return target


def _unpack(downloads: Sequence[Download], archives: Sequence[Path], staging: Path, target: Path) -> None:
    """Unpack all archives and put the folder in place; those that are wrong are set aside."""
    suspects: Sequence[Path] = archives
    try:
        for download, archive in zip(downloads, archives, strict=True):
            suspects = [archive]
            unpack(archive, staging / download.into)
        suspects = archives
        _put_in_place(staging, target)
    except ArchiveError as error:
        raise DataError(f"{error}; {' and '.join(_set_aside(archive) for archive in suspects)}") from error


def _put_in_place(staging: Path, target: Path) -> None:
    unpacked = staging / target.name
    if not unpacked.is_dir():
        folders = [entry for entry in staging.iterdir() if entry.is_dir()]
        if len(folders) != 1:
            raise ArchiveError(f"{target}: the archive holds no such folder; the publisher must have changed it")
        # GitHub calls the folder after the branch or tag.
        unpacked = folders[0]
    unpacked.replace(target)


def _archive(download: Download, work: Path, progress: Progress) -> Path:
    """The whole, verified archive; downloads what is missing of it."""
    last = urlsplit(download.url).path.rpartition("/")[2] or "archive"
    name = re.sub(r"[^A-Za-z0-9._-]", "_", last)[-_NAME:]
    archive = work / f"{hashlib.sha256(download.url.encode()).hexdigest()[:8]}-{name}"
    if archive.exists():
        return archive
    part = archive.with_name(f"{archive.name}.part")
    receive(download, part, progress)
    _verify(download, part)
    part.replace(archive)
    forget(part)
    return archive


def _algorithm(download: Download) -> str:
    """The name of the checksum's algorithm, empty where there is none."""
    if download.checksum is None:
        return ""
    algorithm, _, published = download.checksum.partition(":")
    digits = 2 * hashlib.new(algorithm).digest_size if algorithm in hashlib.algorithms_guaranteed else 0
    if not digits or not re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", published):
        raise DataError(
            f"{download.url}: {download.checksum!r} is no checksum like sha256:… or md5:…; tell the author of "
            "the data set"
        )
    return algorithm


def _verify(download: Download, part: Path) -> None:
    """Raise DataError and set the file aside unless it is what was published."""
    algorithm = _algorithm(download)
    if not algorithm:
        return
    with part.open("rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()
    published = str(download.checksum).partition(":")[2].lower()
    if found != published:
        forget(part)
        raise DataError(
            f"{download.url}: its {algorithm} is {found}, but {published} was published; {_set_aside(part)}"
        )


def _set_aside(file: Path) -> str:
    """Move a file out of the way of the next try, and say so."""
    aside = file.with_name(f"{file.name.removesuffix('.part')}.wrong")
    file.replace(aside)
    return f"set aside as {aside}: look at it, remove it, and run the same command to download again"
