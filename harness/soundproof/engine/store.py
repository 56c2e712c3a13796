"""A content-addressed store of artifacts on disk.

An artifact is a JSON record and named arrays. Its key is everything that its content depends on; equal keys
mean equal content, so an entry is never updated. A writer fills a temporary folder, writes the manifest with
the key, sizes and digests last and renames the folder into place: readers see whole entries or none, and no locks
are needed. An entry is read into memory once, and what was checked there is what is used. A damaged entry, or one
that lies under another entry's key, is moved to `quarantine/` and counts as absent.

A store that cannot be written, because the disk is full or read-only, costs the next run its head start and this
one nothing: artifacts then stay in memory, as far as there is room for them.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from soundproof.digest import canonical, canonical_object, digest
from soundproof.engine.entries import ARRAYS, DAMAGED, MANIFEST, UNFINISHED, use
from soundproof.engine.scratch import part_name, sweep
from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import torch

# Bytes of artifacts that may stay in memory when they cannot be written; older ones make room and are made again.
HELD = 2 << 30


@dataclass(frozen=True)
class Key:
    """Key of an artifact: all that it depends on.

    Attributes:
        stage: The step that makes it; also its folder in the store.
        parts: JSON: parameters, versions, and the digests of upstream keys.
    """

    stage: str
    parts: str

    @classmethod
    def of(cls, stage: str, **parts: Any) -> Key:
        """Make a key; keys among the parts stand for their digests.

        Args:
            stage: The step.
            **parts: JSON, keys, or `Encoded` JSON; their names are identifiers.
        """
        flat = {name: part.digest if isinstance(part, Key) else part for name, part in parts.items()}
        return cls(stage, canonical_object(flat))

    @cached_property
    def digest(self) -> str:
        """Names the entry."""
        return digest([self.stage, self.parts])


@dataclass(frozen=True)
class Artifact:
    """An entry of the store that was found whole, in memory.

    Attributes:
        record: Its JSON part.
        content: Its arrays as a safetensors file; nothing that happens to the disk changes them.
    """

    record: Mapping[str, Any]
    content: bytes

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Its arrays in host memory; each call makes copies, which are the caller's to change."""
        from safetensors.numpy import load

        return dict(load(self.content))

    def tensors(self, device: torch.device | str) -> dict[str, torch.Tensor]:
        """Copies of its arrays on a device."""
        from safetensors.torch import load

        return {name: tensor.to(device) for name, tensor in load(self.content).items()}


class Store:
    """Artifacts below one folder.

    Attributes:
        root: The folder.
        fresh: Whether it does not show what earlier runs left.
        unwritten: Artifacts that could not be written so far.
        own: Digests of the entries that this run has put; a fresh store sees no others.
    """

    def __init__(self, root: Path, *, fresh: bool = False, warn: Callable[[str], None] = lambda _: None) -> None:
        """Open a store.

        Args:
            root: The folder; made when something is put.
            fresh: Do not see what earlier runs left, and replace it.
            warn: Told once, in one line, when artifacts cannot be written.

        Raises:
            SoundproofError: The name cannot be that of a folder: a file has it, or it is too long.
        """
        self.root = root
        self.unwritten = 0
        self.fresh = fresh
        self._warn = warn
        self._swept = False
        self.own: set[str] = set()
        self._held: OrderedDict[str, Artifact] = OrderedDict()
        _check_name(root)

    def get(self, key: Key) -> Artifact | None:
        """The artifact of a key, read and checked anew each time; None if there is none or it is damaged."""
        name = key.digest
        if name in self._held:
            return self._held[name]
        if self.fresh and name not in self.own:
            return None
        return self._look(key)

    def record(self, key: Key) -> Mapping[str, Any] | None:
        """The record of a key's artifact, checked, without reading its arrays; None as in `get`."""
        name = key.digest
        if name in self._held:
            return self._held[name].record
        if self.fresh and name not in self.own:
            return None
        manifest = _read_manifest(self.folder(key), key)
        return None if manifest is None else dict(manifest["record"])

    def holds(self, stage: str) -> bool:
        """Whether there may be any entry of a stage; of no entry at all one can be sure."""
        return bool(self._held) or os.path.isdir(f"{self.root}{os.sep}{stage}")  # noqa: PTH112 - asked of every stage of a plan

    def has(self, key: Key) -> bool:
        """Whether an entry exists, without checking it."""
        name = key.digest
        if name in self._held:
            return True
        return (not self.fresh or name in self.own) and os.path.isfile(self.folder(key) / MANIFEST)  # noqa: PTH113 - never raises

    def put(
        self,
        key: Key,
        record: Mapping[str, Any],
        arrays: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Store an artifact; if another process was faster, its entry stays and is returned.

        What cannot be written is counted in `unwritten` and kept in memory.

        Args:
            key: What it depends on.
            record: JSON.
            arrays: Torch tensors or numpy arrays, all of one of these types.
            about: JSON for people, kept beside the key: what the artifact is, and what digests in the key are of.
        """
        # As it will be read: tuples become lists, and what is no JSON fails here, not in the next run.
        artifact = Artifact(json.loads(json.dumps(record, allow_nan=False)), _serialise(arrays or {}))
        try:
            found = self._write(key, artifact, about or {})
        except OSError as error:
            self._hold(key, artifact, error)
            return artifact
        self.own.add(key.digest)
        self._held.pop(key.digest, None)
        return found

    def folder(self, key: Key) -> Path:
        """Folder of a key's entry."""
        name = key.digest
        return self.root / key.stage / name[:2] / name

    def _write(self, key: Key, artifact: Artifact, about: Mapping[str, Any]) -> Artifact:
        """Put an entry in its place; returns what lies there in the end."""
        if not self._swept:
            self._swept = True
            sweep(self.root / UNFINISHED)
        part = self.root / UNFINISHED / part_name(key.digest)
        try:
            part.mkdir(parents=True)
            _write_file(part / ARRAYS, artifact.content)
            _write_file(part / MANIFEST, _manifest(key, artifact, about))
            return self._place(part, key, artifact)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _place(self, part: Path, key: Key, artifact: Artifact) -> Artifact:
        folder = self.folder(key)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if self.fresh and key.digest not in self.own:
            _rename_if_there(folder, part.with_name(part_name("replaced")), remove=True)
        try:
            part.rename(folder)
        except OSError as error:
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}:
                raise
            there = self._look(key)
            if there is not None:
                return there
            part.rename(folder)
        return artifact

    def _look(self, key: Key) -> Artifact | None:
        """The whole entry of a key; a damaged one is set aside."""
        folder = self.folder(key)
        before = _mark(folder)
        while before is not None:
            found = _read_whole(folder, key)
            if found is not None:
                use(folder)
                return found
            after = _mark(folder)
            if after == before:
                self._quarantine(key)
                return None
            before = after  # another run replaced the entry while it was read
        return None

    def _quarantine(self, key: Key) -> None:
        """Set a damaged entry aside; where that is impossible it stays and counts as absent all the same."""
        folder = self.folder(key)
        with contextlib.suppress(OSError):
            target = self.root / DAMAGED / f"{folder.name}-{uuid.uuid4().hex[:8]}"
            target.parent.mkdir(parents=True, exist_ok=True)
            _rename_if_there(folder, target)

    def _hold(self, key: Key, artifact: Artifact, error: OSError) -> None:
        if not self.unwritten:
            self._warn(
                f"{self.root}: the cache cannot be written ({error.strerror or error}); results are complete all "
                "the same, but the next run computes them again: make room, or name another folder with --cache"
            )
        self.unwritten += 1
        self._held[key.digest] = artifact
        while len(self._held) > 1 and sum(len(held.content) for held in self._held.values()) > HELD:
            self._held.popitem(last=False)


def _check_name(root: Path) -> None:
    try:
        kind = "a file" if root.exists() and not root.is_dir() else None
        kind = kind or ("a dangling link" if root.is_symlink() and not root.exists() else None)
    except OSError as error:
        kind = error.strerror or str(error)
    # Path.exists() takes a name below a file for one that is merely absent.
    file = next((parent for parent in root.parents if parent.is_file()), None) if kind is None else None
    if file is not None:
        kind = f"below {file}, which is a file"
    if kind is not None:
        raise SoundproofError(f"{root}: cannot be the folder of the cache ({kind}); name another with --cache")


def _serialise(arrays: Mapping[str, Any]) -> bytes:
    if arrays and not hasattr(next(iter(arrays.values())), "dtype"):
        raise TypeError("an artifact holds tensors or arrays")
    if any(type(array).__module__.startswith("torch") for array in arrays.values()):
        from safetensors.torch import save

        return save({name: tensor.detach().cpu().contiguous() for name, tensor in arrays.items()})
    import numpy as np
    from safetensors.numpy import save as save_arrays

    # It writes memory as it lies, whatever the strides say.
    return save_arrays({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def _manifest(key: Key, artifact: Artifact, about: Mapping[str, Any]) -> bytes:
    content = artifact.content
    manifest = {
        "stage": key.stage,
        "key": json.loads(key.parts),
        "about": about,
        "record": artifact.record,
        "record_digest": digest(artifact.record),
        "arrays": {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()},
    }
    return json.dumps(manifest, indent=1, sort_keys=True).encode()


def _write_file(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _mark(folder: Path) -> tuple[int, int, int] | None:
    """Identity of a folder, which changes when another takes its name; None if there is none."""
    try:
        found = os.lstat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns


def _rename_if_there(folder: Path, target: Path, *, remove: bool = False) -> None:
    """Move a folder away, unless another run was faster, and remove it there if asked to."""
    with contextlib.suppress(FileNotFoundError):
        folder.rename(target)
        if remove:
            shutil.rmtree(target, ignore_errors=True)


def _read_whole(folder: Path, key: Key) -> Artifact | None:
    """An entry that is this key's and whose record and arrays have the right digests, or None."""
    manifest = _read_manifest(folder, key)
    try:
        if manifest is None:
            return None
        content = (folder / ARRAYS).read_bytes()
        expected: str = manifest["arrays"]["sha256"]
    except (OSError, KeyError, TypeError):
        return None
    return Artifact(manifest["record"], content) if hashlib.sha256(content).hexdigest() == expected else None


def _read_manifest(folder: Path, key: Key) -> dict[str, Any] | None:
    """The manifest of an entry that is this key's, whose record is whole and whose arrays have their size."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        whole = (
            manifest["stage"] == key.stage
            and canonical(manifest["key"]) == key.parts
            and manifest["record_digest"] == digest(manifest["record"])
            and (folder / ARRAYS).stat().st_size == manifest["arrays"]["size"]
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return manifest if whole else None
