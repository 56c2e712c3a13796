"""Entries of a store as they lie on disk, without the run that made them: what they are, and if they are whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soundproof.digest import canonical, digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

MANIFEST, ARRAYS = "manifest.json", "arrays.safetensors"
# Folders of a store that hold no entries.
UNFINISHED, DAMAGED, LEASES = "tmp", "quarantine", "leases"
_DIGEST = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Entry:
    """An entry of a store.

    Attributes:
        stage: The step that made it.
        digest: Its name.
        folder: Where it lies.
    """

    stage: str
    digest: str
    folder: Path

    @property
    def bytes(self) -> int:
        """What it takes on disk; 0 of one that is gone."""
        with contextlib.suppress(OSError):
            return sum(file.stat().st_size for file in self.folder.iterdir())
        return 0

    @property
    def used(self) -> float:
        """When it was last made or read, s since the epoch; 0 of one that is gone."""
        with contextlib.suppress(OSError):
            return (self.folder / MANIFEST).stat().st_mtime
        return 0.0

    def manifest(self) -> dict[str, Any] | None:
        """Its manifest, or None if that cannot be read."""
        try:
            found = json.loads((self.folder / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


def entries(root: Path, stages: Collection[str] | None = None) -> Iterator[Entry]:
    """Entries below a store's folder, stage by stage, whole or not: of some stages, or of all."""
    for stage in _folders(root):
        if (stages is None or stage.name in stages) and stage.name not in {UNFINISHED, DAMAGED, LEASES}:
            for beginning in _folders(stage):
                for folder in _folders(beginning):
                    if _DIGEST.fullmatch(folder.name):
                        yield Entry(stage.name, folder.name, folder)


def summary(root: Path) -> dict[str, Any]:
    """What a store holds, as JSON: entries, bytes, and of every stage its least recent use, s since the epoch."""
    stages: dict[str, dict[str, Any]] = {}
    for entry in entries(root):
        found = stages.setdefault(entry.stage, {"entries": 0, "bytes": 0, "least_recent": entry.used})
        found["entries"] += 1
        found["bytes"] += entry.bytes
        found["least_recent"] = min(found["least_recent"], entry.used)
    return {
        "entries": sum(each["entries"] for each in stages.values()),
        "bytes": sum(each["bytes"] for each in stages.values()),
        "stages": stages,
        "damaged": len(_folders(root / DAMAGED)),
    }


def verify(root: Path) -> tuple[int, list[tuple[Entry, str]]]:
    """Read every entry to its last byte; damaged ones are set aside, so that the next run makes them again.

    Returns:
        How many are whole, and the others, each with what is wrong.
    """
    whole, flaws = 0, []
    for entry in entries(root):
        why = flaw(entry)
        whole += why is None
        if why is not None and entry.folder.is_dir():  # else it made room meanwhile
            flaws.append((entry, why))
            with contextlib.suppress(OSError):
                (root / DAMAGED).mkdir(exist_ok=True)
                entry.folder.rename(root / DAMAGED / f"{entry.digest}-{uuid.uuid4().hex[:8]}")
    return whole, flaws


def use(folder: Path) -> None:
    """Note that an entry was read, where the disk allows it: what was not read for longest makes room first."""
    with contextlib.suppress(OSError):
        os.utime(folder / MANIFEST)


def flaw(entry: Entry) -> str | None:
    """What is wrong with an entry, every byte of it read, or None."""
    try:
        manifest = json.loads((entry.folder / MANIFEST).read_text("utf-8"))
        stage, parts = manifest["stage"], canonical(manifest["key"])
        if digest([stage, parts]) != entry.digest or stage != entry.stage:
            return "its key is another entry's"
        if manifest["record_digest"] != digest(manifest["record"]):
            return "its record is not what was written"
        content = (entry.folder / ARRAYS).read_bytes()
        if len(content) != manifest["arrays"]["size"]:
            return f"its arrays have {len(content)} bytes and had {manifest['arrays']['size']}"
        if hashlib.sha256(content).hexdigest() != manifest["arrays"]["sha256"]:
            return "its arrays are not what was written"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "its manifest is damaged"
    return None


def _folders(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    return []
