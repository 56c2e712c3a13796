"""Downloads public data sets: resumed where it stopped, verified, unpacked aside and put in place at once.

Everything in progress lies in the folder `.downloads` of the data folder; a data set that can be seen is whole.
"""

from __future__ import annotations

import hashlib
import shutil
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from soundproof.data.unpack import need_space, unpack
from soundproof.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from soundproof.contract.components import Dataset
    from soundproof.types import Download

    Progress = Callable[[int, int], None]

IN_PROGRESS = ".downloads"
TIMEOUT = 60.0
_BLOCK = 1 << 18


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
            published. The same call goes on from there.
    """
    if not dataset.downloads:
        raise DataError(f"{dataset.id}: no public download; see {dataset.homepage or 'its documentation'}")
    target = root / dataset.folder
    if is_there(dataset, root):
        raise DataError(f"{target}: there already; rename or remove it to fetch it again")
    work = root / IN_PROGRESS
    # An archive and what comes out of it lie side by side for a while.
    need_space(root, 2 * sum(download.size for download in dataset.downloads), f"fetching {dataset.id}")
    work.mkdir(parents=True, exist_ok=True)
    archives = [_archive(download, work, progress) for download in dataset.downloads]
    staging = work / f"{dataset.id}.unpacking"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        for download, archive in zip(dataset.downloads, archives, strict=True):
            unpack(archive, staging / download.into)
        _put_in_place(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    for archive in archives:
        archive.unlink()
    if not any(work.iterdir()):
        work.rmdir()
    return target


def _put_in_place(staging: Path, target: Path) -> None:
    unpacked = staging / target.name
    if not unpacked.is_dir():
        folders = [entry for entry in staging.iterdir() if entry.is_dir()]
        if len(folders) != 1:
            raise DataError(f"{target}: the archive holds no such folder; the publisher must have changed it")
        # GitHub calls the folder after the branch or tag.
        unpacked = folders[0]
    unpacked.replace(target)


def _archive(download: Download, work: Path, progress: Progress) -> Path:
    """The whole, verified archive; downloads what is missing of it."""
    name = urlsplit(download.url).path.rpartition("/")[2] or "archive"
    archive = work / f"{hashlib.sha256(download.url.encode()).hexdigest()[:8]}-{name}"
    if archive.exists():
        return archive
    part = archive.with_name(f"{archive.name}.part")
    try:
        _receive(download, part, progress)
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"{download.url}: {reason}; {_so_far(part)}, and the same command goes on from there"
        ) from error
    _verify(download, part)
    part.replace(archive)
    _validator_file(part).unlink(missing_ok=True)
    return archive


def _receive(download: Download, part: Path, progress: Progress) -> None:
    """Append to the file what is missing of it."""
    have = part.stat().st_size if part.exists() else 0
    if download.size and have == download.size:
        return
    validator = _validator_file(part)
    version = validator.read_text("utf-8") if validator.exists() else ""
    # Otherwise nothing could tell whether the rest belongs to the same version.
    resumable = have > 0 and bool(version or download.checksum)
    try:
        response = _ask(download.url, have if resumable else 0, version)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return  # All of it is here.
        part.unlink()
        raise DataError(
            f"{download.url}: its size changed since the download began; what was here is removed, run it again"
        ) from error
    with response:
        have = _start(response)
        version = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        # A weak validator (W/…) promises too little for joining parts.
        validator.write_text("" if version.startswith("W/") else version, encoding="utf-8")
        length = int(response.headers.get("Content-Length") or 0)
        need_space(part.parent, length, "the download")
        total = have + length if length else 0
        with part.open("r+b" if have else "wb") as file:
            file.seek(have)
            while block := response.read(_BLOCK):
                file.write(block)
                have += len(block)
                progress(have, total)
        if have < total:
            raise ConnectionError(f"the connection broke after {have:,} of {total:,} bytes")


def _ask(url: str, have: int, version: str) -> Any:
    """The response to a request for what follows the first bytes, or for everything."""
    headers = {"User-Agent": "soundproof", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        headers |= {"If-Range": version} if version else {}
    scheme = urlsplit(url).scheme
    if scheme not in {"http", "https"}:
        raise DataError(f"{url}: its scheme is {scheme!r}, not http or https")
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 # checked above
    return urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310


def _start(response: Any) -> int:
    """The first byte that a response brings: a server may answer a request for a part with everything."""
    if response.status != 206:
        return 0
    unit, _, rest = (response.headers.get("Content-Range") or "").partition(" ")
    first = rest.partition("-")[0]
    if unit != "bytes" or not first.isdecimal():
        raise HTTPException("the server sent a part without saying which")
    return int(first)


def _verify(download: Download, part: Path) -> None:
    """Raise DataError and set the file aside unless it is what was published."""
    if download.checksum is None:
        return
    algorithm, _, published = download.checksum.partition(":")
    with part.open("rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()
    if found != published:
        aside = part.with_suffix(".wrong")
        part.replace(aside)
        _validator_file(part).unlink(missing_ok=True)
        raise DataError(
            f"{download.url}: its {algorithm} is {found}, but {published} was published; set aside as {aside}: "
            "look at it, remove it, and run the same command to download again"
        )


def _validator_file(part: Path) -> Path:
    """Holds the server's name for the version that the part was taken from."""
    return part.with_suffix(".version")


def _so_far(part: Path) -> str:
    return f"{part.stat().st_size if part.exists() else 0:,} bytes are kept"
