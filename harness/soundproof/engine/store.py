"""A content-addressed store of artifacts on disk.

An artifact is a JSON record and named arrays. Its key is everything that its content depends on; equal keys
mean equal content, so an entry is never updated. A writer fills a temporary folder, writes the manifest with
sizes and digests last and renames the folder into place: readers see whole entries or none, and no locks are
needed. A damaged entry is moved to `quarantine/` and counts as absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soundproof.digest import canonical, digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import torch

_MANIFEST, _ARRAYS = "manifest.json", "arrays.safetensors"


@dataclass(frozen=True)
class Key:
    """What an artifact depends on.

    Attributes:
        stage: The step that makes it; also its folder in the store.
        parts: JSON: parameters, versions, and the digests of upstream keys.
    """

    stage: str
    parts: str

    @classmethod
    def of(cls, stage: str, **parts: Any) -> Key:
        """Make a key; keys among the parts stand for their digests."""
        flat = {name: part.digest if isinstance(part, Key) else part for name, part in parts.items()}
        return cls(stage, canonical(flat))

    @property
    def digest(self) -> str:
        """Names the entry."""
        return digest([self.stage, self.parts])


@dataclass(frozen=True)
class Artifact:
    """An entry of the store that was found whole.

    Attributes:
        record: Its JSON part.
        folder: Where it lies.
    """

    record: Mapping[str, Any]
    folder: Path

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Its arrays in host memory."""
        from safetensors.numpy import load_file

        return dict(load_file(self.folder / _ARRAYS))

    def tensors(self, device: torch.device | str) -> dict[str, torch.Tensor]:
        """Its arrays on a device."""
        from safetensors.torch import load_file

        return dict(load_file(self.folder / _ARRAYS, device=str(device)))


class Store:
    """Artifacts below one folder.

    Attributes:
        root: The folder.
    """

    def __init__(self, root: Path, *, fresh: bool = False) -> None:
        """Open a store.

        Args:
            root: The folder; made when something is put.
            fresh: Do not see what earlier runs left, and replace it.
        """
        self.root = root
        self._fresh = fresh
        self._checked: dict[str, Artifact] = {}

    def get(self, key: Key) -> Artifact | None:
        """The artifact of a key, or None; its digests are checked the first time."""
        name = key.digest
        if name in self._checked:
            return self._checked[name]
        folder = self._folder(key)
        if self._fresh or not folder.is_dir():
            return None
        record = _read_whole(folder)
        if record is None:
            self._quarantine(folder)
            return None
        self._checked[name] = artifact = Artifact(record, folder)
        return artifact

    def has(self, key: Key) -> bool:
        """Whether an entry exists, without checking it."""
        known = key.digest in self._checked
        return known or (not self._fresh and (self._folder(key) / _MANIFEST).is_file())

    def put(self, key: Key, record: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> Artifact:
        """Store an artifact; if another process was faster, its entry stays.

        Args:
            key: What it depends on.
            record: JSON.
            arrays: Torch tensors or numpy arrays, all of one of these types.
        """
        folder = self._folder(key)
        part = self.root / "tmp" / f"{key.digest}-{uuid.uuid4().hex[:8]}"
        part.mkdir(parents=True)
        content = _serialise(arrays or {})
        _write(part / _ARRAYS, content)
        manifest = {
            "stage": key.stage,
            "key": json.loads(key.parts),
            "record": record,
            "record_digest": digest(record),
            "arrays": {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()},
        }
        _write(part / _MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
        folder.parent.mkdir(parents=True, exist_ok=True)
        if self._fresh and folder.is_dir():
            shutil.rmtree(folder)
        try:
            part.rename(folder)
        except OSError:
            if _read_whole(folder) is None:
                raise
            shutil.rmtree(part)
        self._checked[key.digest] = artifact = Artifact(dict(record), folder)
        return artifact

    def _folder(self, key: Key) -> Path:
        name = key.digest
        return self.root / key.stage / name[:2] / name

    def _quarantine(self, folder: Path) -> None:
        target = self.root / "quarantine" / f"{folder.name}-{uuid.uuid4().hex[:8]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)


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


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read_whole(folder: Path) -> dict[str, Any] | None:
    """The record of an entry whose manifest and arrays have the right size and digest, or None."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        record: dict[str, Any] = manifest["record"]
        arrays, file = manifest["arrays"], folder / _ARRAYS
        whole = (
            manifest["record_digest"] == digest(record)
            and file.stat().st_size == arrays["size"]
            and hashlib.sha256(file.read_bytes()).hexdigest() == arrays["sha256"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if whole else None
