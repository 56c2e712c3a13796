"""Shipping: entries of a cache as one archive, from one machine to another. Nothing in an archive is trusted."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from soundproof.engine.entries import ARRAYS, MANIFEST, UNFINISHED, Entry, entries, flaw
from soundproof.engine.scratch import part_name
from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

# What networks are kept in: their training before and after a defense.
NETWORKS = ("trained", "defended")
# Bytes of an array file beyond which an entry is refused.
_LARGEST = 64 << 30


@dataclass(frozen=True)
class Shipped:
    """What an archive brought.

    Attributes:
        added: Entries that are new here.
        there: Entries that were here already, and stay as they are.
        refused: Why others were not taken, a line each.
    """

    added: int
    there: int
    refused: tuple[str, ...]


def pack(root: Path, archive: Path, stages: Collection[str], only: Collection[str] | None = None) -> int:
    """Write entries into a tar archive, in the order of their names; returns how many.

    Equal entries make equal archives: times and owners are left out.

    Args:
        root: The store's folder.
        archive: Replaced if it exists.
        stages: Which steps' entries to take.
        only: Digests to take; None for all.

    Raises:
        SoundproofError: An entry is damaged, or there is none to take.
    """
    chosen = [each for each in entries(root) if each.stage in stages and (only is None or each.digest in only)]
    flaws = {entry: found for entry in chosen if (found := flaw(entry)) is not None}
    if flaws:
        raise SoundproofError(
            [f"{entry.folder}: {found}; run `bench cache verify`" for entry, found in flaws.items()]
        )
    if not chosen:
        raise SoundproofError(f"{root}: holds no such entries ({', '.join(stages)})")
    part = archive.with_name(part_name(archive.name))
    try:
        with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as tar:
            for entry in chosen:
                for name in (MANIFEST, ARRAYS):
                    file = entry.folder / name
                    member = tarfile.TarInfo(f"{entry.stage}/{entry.digest}/{name}")
                    member.size = file.stat().st_size
                    with file.open("rb") as content:
                        tar.addfile(member, content)
        part.replace(archive)
    finally:
        part.unlink(missing_ok=True)
    return len(chosen)


def unpack(root: Path, archive: Path) -> Shipped:
    """Take the entries of an archive into a cache, each checked to its last byte before it counts.

    Raises:
        SoundproofError: The archive cannot be read.
    """
    added, there, refused = 0, 0, []
    try:
        with tarfile.open(archive, "r:") as tar:
            for stage, digest, files in _grouped(tar):
                folder = root / stage / digest[:2] / digest
                if folder.is_dir() and flaw(Entry(stage, digest, folder)) is None:
                    there += 1
                    continue
                why = _take(root, tar, Entry(stage, digest, folder), files)
                added += why is None
                refused += [] if why is None else [f"{stage}/{digest}: {why}"]
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise SoundproofError(f"{archive}: no archive of a cache ({error})") from None
    return Shipped(added, there, tuple(refused))


def _grouped(tar: tarfile.TarFile) -> Iterator[tuple[str, str, dict[str, tarfile.TarInfo]]]:
    """The archive's entries: stage, digest and files by name; whatever is no file of an entry is refused."""
    found: dict[tuple[str, str], dict[str, tarfile.TarInfo]] = {}
    for member in tar:
        parts = PurePosixPath(member.name).parts
        named = len(parts) == 3 and parts[2] in (MANIFEST, ARRAYS) and member.name == "/".join(parts)
        if not (member.isreg() and named and _plain(parts[0]) and _plain(parts[1]) and member.size <= _LARGEST):
            raise SoundproofError(
                f"{member.name!r} is no file of a cache's entry; nothing of this archive is taken"
            )
        found.setdefault((parts[0], parts[1]), {})[parts[2]] = member
    for (stage, digest), files in found.items():
        yield stage, digest, files


def _take(root: Path, tar: tarfile.TarFile, entry: Entry, files: dict[str, tarfile.TarInfo]) -> str | None:
    """Put one entry in its place; or why not."""
    part = root / UNFINISHED / part_name(entry.digest)
    part.mkdir(parents=True)
    try:
        for name, member in files.items():
            content = tar.extractfile(member)
            assert content is not None
            with (part / name).open("wb") as file:
                shutil.copyfileobj(content, file)
        why = flaw(Entry(entry.stage, entry.digest, part))
        if why is not None:
            return why
        entry.folder.parent.mkdir(parents=True, exist_ok=True)
        if entry.folder.is_dir():  # a damaged one
            entry.folder.rename(root / UNFINISHED / part_name("replaced"))
        part.rename(entry.folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return None


def _plain(name: str) -> bool:
    return name.replace("-", "").isalnum() and name.isascii() and name not in {"tmp", "quarantine", "leases"}
