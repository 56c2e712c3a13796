"""Downloads one file over HTTP, from where the last try stopped, and believes the server nothing."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from soundproof.data.disk import need_space, on_disk
from soundproof.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from soundproof.types import Download

    Progress = Callable[[int, int], None]

# Seconds without a byte, and for all of a file: a server that trickles would otherwise hold us for ever.
TIMEOUT, LIMIT = 60.0, 12 * 3600.0
_BLOCK = 1 << 18
# No file that a server announces has more digits.
_DIGITS = 18


def receive(download: Download, part: Path, progress: Progress) -> None:
    """Append to a file what is missing of it.

    Args:
        download: What to get.
        part: Where to; a file beside it (`forget` removes it) names the server's version.
        progress: Told of bytes that are here and bytes in all, 0 if the server does not say.

    Raises:
        DataError: The connection broke, the server talks nonsense or sends another size than was published, or
            the disk is full. The same call goes on from there.
    """
    try:
        _receive(download, part, progress)
    # A broken address in a redirect is a ValueError; URLError and all trouble with sockets are OSErrors.
    except (OSError, HTTPException, ValueError) as error:
        reason: object = str(error) or type(error).__name__
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        elif isinstance(error, urllib.error.URLError):
            reason = error.reason
        kept = part.stat().st_size if part.exists() else 0
        raise DataError(
            f"{download.url}: {reason}; {kept:,} bytes are kept, and the same command goes on from there"
        ) from error


def forget(part: Path) -> None:
    """Remove what is known of the version that a part was taken from."""
    _validator_file(part).unlink(missing_ok=True)


def _receive(download: Download, part: Path, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    if download.size and have == download.size:
        return
    version = _version_of(part)
    # Otherwise nothing could tell whether the rest belongs to the same version.
    asked = have if version or download.checksum else 0
    try:
        response = _ask(download.url, asked, version)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not asked:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return  # All of it is here.
        raise _changed(download, part, "its size changed since the download began") from error
    with response:
        have = _start(response, asked)
        _note_version(response, part)
        length = _length(response)
        if download.size and length and have + length != download.size:
            told = f"the server announces {have + length:,} bytes, but {download.size:,} were published"
            raise _changed(download, part, told)
        need_space(part.parent, length, "the download")
        _copy(response, download, part, have, have + length if length else download.size, progress)


def _copy(response: Any, download: Download, part: Path, have: int, total: int, progress: Progress) -> None:
    """Write all that the server sends behind the first `have` bytes."""
    until = time.monotonic() + LIMIT
    with on_disk(part):
        file = part.open("r+b" if have else "wb")
    with file:
        file.seek(have)
        while block := _block(response):
            have += len(block)
            if download.size and have > download.size:
                raise _changed(download, part, f"the server sends more than the {download.size:,} bytes published")
            with on_disk(part):
                file.write(block)
                file.flush()
            progress(have, total)
            if time.monotonic() > until:
                raise TimeoutError(f"it takes longer than {LIMIT / 3600:g} hours")
        with on_disk(part):
            file.truncate()
    if have < total:
        raise ConnectionError(f"the connection broke after {have:,} of {total:,} bytes")


def _block(response: Any) -> bytes:
    """Bytes that come next, without waiting for more of them; empty at the end."""
    block: bytes = response.read1(_BLOCK)
    # http.client takes a minus sign for a part of the number.
    if (response.chunk_left if response.chunked else None) not in {None, 0} and response.chunk_left < 0:
        raise HTTPException("the server sent a chunk of negative size")
    return block


def _changed(download: Download, part: Path, how: str) -> DataError:
    """Error of a part that belongs to something else: it is removed, so that the next try starts anew."""
    part.unlink(missing_ok=True)
    forget(part)
    return DataError(f"{download.url}: {how}; what was here is removed, run it again, or tell the publisher")


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, and leaves no connection open where one leads nowhere."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except Exception:
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _check_scheme(url: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme not in {"http", "https"}:
        raise DataError(f"{url}: its scheme is {scheme!r}, not http or https")


def _ask(url: str, have: int, version: str) -> Any:
    """The response to a request for what follows the first bytes, or for everything."""
    headers = {"User-Agent": "soundproof", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        headers |= {"If-Range": version} if version else {}
    _check_scheme(url)
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 # checked above
    return urllib.request.build_opener(_WebOnly()).open(request, timeout=TIMEOUT)


def _start(response: Any, asked: int) -> int:
    """The first byte that a response brings: a server may answer a request for a part with everything."""
    if response.status != 206:
        return 0
    unit, _, rest = (response.headers.get("Content-Range") or "").partition(" ")
    first = rest.partition("-")[0]
    if unit != "bytes" or not (first.isascii() and first.isdecimal()) or len(first) > _DIGITS:
        raise HTTPException("the server sent a part without saying which")
    if int(first) != asked:
        raise HTTPException(f"the server sent what follows byte {int(first):,} where {asked:,} was asked for")
    return asked


def _length(response: Any) -> int:
    """Bytes that are to come, 0 where the server does not say."""
    told = response.headers.get("Content-Length")
    if told is None:
        return 0
    if not (told.isascii() and told.isdecimal() and len(told) <= _DIGITS):
        raise HTTPException(f"the server says that {told[:_DIGITS]!r} bytes are to come")
    return int(told)


def _version_of(part: Path) -> str:
    try:
        return _validator_file(part).read_text("utf-8")
    except FileNotFoundError:
        return ""


def _note_version(response: Any, part: Path) -> None:
    version = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    with on_disk(part):
        # A weak validator (W/…) promises too little for joining parts.
        _validator_file(part).write_text("" if version.startswith("W/") else version, "utf-8", "backslashreplace")


def _validator_file(part: Path) -> Path:
    """Holds the server's name for the version that the part was taken from."""
    return part.with_suffix(".version")
