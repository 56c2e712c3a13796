"""Files and folders in a user's folder; what cannot be one is a problem, never left out silently."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING

from soundproof.data.audio import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def folders(folder: Path, problems: list[str]) -> list[Path]:
    """The folders directly in a folder, sorted; links to folders are folders.

    Args:
        folder: One that is there. Hidden entries and files in it are left out.
        problems: What cannot be read or followed is appended here, a line each.
    """
    return [entry for entry in _entries(folder, problems) if _kind(entry, problems) == stat.S_IFDIR]


def audio_files(folder: Path, problems: list[str]) -> list[Path]:
    """The audio files directly in a folder, sorted; arguments are those of `folders`."""
    named = [entry for entry in _entries(folder, problems) if entry.suffix.lower() in SUFFIXES]
    return [entry for entry in named if _kind(entry, problems) == stat.S_IFREG]


def audio_files_below(folder: Path, problems: list[str]) -> list[Path]:
    """The audio files in a folder and in all folders below it, sorted; arguments are those of `folders`."""
    return sorted(_walk(folder, (folder.resolve(),), problems))


def _walk(folder: Path, above: tuple[Path, ...], problems: list[str]) -> Iterator[Path]:
    for entry in _entries(folder, problems):
        kind = _kind(entry, problems)
        if kind == stat.S_IFREG and entry.suffix.lower() in SUFFIXES:
            yield entry
        elif kind == stat.S_IFDIR:
            real = entry.resolve()
            if real in above:
                problems.append(f"{entry}: a link that leads back to {real}; remove it")
            else:
                yield from _walk(entry, (*above, real), problems)


def _entries(folder: Path, problems: list[str]) -> list[Path]:
    """All entries but hidden ones, sorted."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        problems.append(f"{folder}: {error.strerror or error}; make it readable")
        return []


def _kind(entry: Path, problems: list[str]) -> int | None:
    """Of what kind an entry is, where links lead: `stat.S_IFREG` or `stat.S_IFDIR`; else None and a problem."""
    try:
        kind = stat.S_IFMT(entry.stat().st_mode)
    except FileNotFoundError:
        problems.append(f"{entry}: a link that leads nowhere; mend it, or remove it")
        return None
    except OSError as error:
        circle = error.errno == errno.ELOOP
        reason = "a link that leads in a circle; remove it" if circle else f"{error.strerror}; make it readable"
        problems.append(f"{entry}: {reason}")
        return None
    if kind not in {stat.S_IFREG, stat.S_IFDIR}:
        problems.append(f"{entry}: a pipe, socket or device and no file; remove it")
        return None
    return kind
