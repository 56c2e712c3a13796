"""Printed text: escaped where a terminal could be misled, and no failure where nobody listens any more."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

# Control characters but the end of a line, marks that turn the direction of text, Unicode's own ends of lines, and
# halves of characters, which cannot be encoded.
_MISLEADING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_REMEDIES = {
    errno.ENOSPC: "make room, or name another folder",
    errno.EDQUOT: "make room, or name another folder",
    errno.EACCES: "make it readable and writable, or name another",
    errno.EPERM: "make it readable and writable, or name another",
    errno.EROFS: "name a folder that can be written",
    errno.ENOTDIR: "a file stands where a folder is needed: name another folder",
    errno.EEXIST: "a file stands where a folder is needed: name another folder",
    errno.EISDIR: "a folder stands where a file is needed: name a file",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "a link leads in a circle: name another",
    errno.ENOENT: "name one that is there",
    errno.EMFILE: "let the process open more files (ulimit -n)",
}


def printable(text: str) -> str:
    """The text with everything escaped that would move the cursor, change colours or turn the line around."""
    return _MISLEADING.sub(lambda found: ascii(found.group())[1:-1], text)


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines, escaped, on a stream (standard output by default)."""
    print(printable(text), file=sys.stdout if stream is None else stream, flush=True)


def explain(error: OSError) -> str:
    """One line for an error of the operating system: culprit, reason and remedy."""
    culprit = " and ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    remedy = _REMEDIES.get(error.errno or 0, "see that it can be used, or name another")
    return f"{culprit or 'input or output'}: {error.strerror or error}; {remedy}"


@contextmanager
def steady() -> Iterator[None]:
    """Within this block, standard output and errors swallow what nobody reads and encode what they can.

    A reader that has seen enough, such as `head`, must not end a run; a terminal that knows only ASCII gets the
    rest escaped.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", _Steady(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Steady:
    """A stream that goes on after its reader has gone; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            drop(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            drop(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def drop(stream: TextIO) -> None:
    """Send all of a stream nowhere from here on, what waits in its buffer included.

    Python flushes at its end, and a failure there would change the exit code.
    """
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
