"""Bundles: the file of a submission. Everything in it is taken for a deception until it has been looked at.

A ZIP archive of two or three members, stored and not compressed, so that nothing in it can grow:

    manifest.json          what was claimed of which row, and the SHA-256 of the other members
    examples.safetensors   `examples` float32 `[n, …]`, `clip` int32 `[n]`, `gradients` and `queries` float32 `[n]`
    weights.safetensors    the network's weights, if its maker wants to save others the training

No member is ever written to disk or executed, and no pickle is opened.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic
from pydantic import Field

from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import torch

SCHEMA = 1
MANIFEST, EXAMPLES, WEIGHTS = "manifest.json", "examples.safetensors", "weights.safetensors"
# Bytes of a manifest, and of what a safetensors file says of its arrays: both hold names and numbers only.
_MANIFEST_LIMIT, _HEADER_LIMIT = 16 << 20, 16 << 20
_LENGTH = 8
_ENCRYPTED = 0x1
_PICKLE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Clips(_Table):
    """Clips that were attacked.

    Attributes:
        checksum: Of the whole data set.
        names: Of the attacked clips, in the order of the examples.
        inputs: SHA-256 of each clip's clean input, as its maker's machine computed it.
    """

    checksum: str
    names: list[str]
    inputs: list[Digest]


class Manifest(_Table):
    """What a submission claims.

    Attributes:
        schema_: Of this file.
        soundproof: Version that wrote it.
        row: As in `results.jsonl`.
        suite: A suite that makes the row's classifier, and no other.
        clips: What was attacked.
        network: Digest of the weights that the examples were made for.
        environment: Where that was, as in `run.json`.
        files: SHA-256 of the other members.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")]
    soundproof: str
    row: dict[str, Any]
    suite: dict[str, Any]
    clips: Clips
    network: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    environment: dict[str, Any]
    files: dict[Literal["examples.safetensors", "weights.safetensors"], Digest]


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle whose members are whole and of known names; what is in them has not been looked at.

    Attributes:
        path: Where it lies.
        manifest: What it claims.
    """

    path: Path
    manifest: Manifest

    @property
    def has_weights(self) -> bool:
        """Whether it brings the network's weights."""
        return WEIGHTS in self.manifest.files

    def tensors(
        self, member: str, due: Mapping[str, tuple[str, Sequence[int]]] | None = None
    ) -> dict[str, torch.Tensor]:
        """The arrays of a member.

        Args:
            member: Its name.
            due: The type (`F32` …) and shape that each array has to have; None takes any.

        Raises:
            SoundproofError: It is no safetensors file, holds others, or is not what the manifest tells of.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load

        with _opened(self.path) as archive:
            size = archive.getinfo(member).file_size
            with archive.open(member) as file:
                start = file.read(_LENGTH)
                header = _header(self.path, member, start, size, file)
                problem = None if due is None else _difference(header, due)
                if problem is not None:
                    raise SoundproofError(f"{self.path}: {member}: {problem}")
            content = archive.read(member)
        if hashlib.sha256(content).hexdigest() != self.manifest.files[member]:  # type: ignore[index]
            raise SoundproofError(f"{self.path}: {member} is not what {MANIFEST} tells of: its SHA-256 differs")
        try:
            return dict(load(content))
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise SoundproofError(f"{self.path}: {member} is no safetensors file: {error}") from None


def write(
    path: Path, manifest: Mapping[str, Any], examples: Mapping[str, Any], weights: Mapping[str, Any] | None
) -> None:
    """Write a bundle; `files` of the manifest is filled in here."""
    from safetensors.torch import save

    members = {EXAMPLES: save(dict(examples))}
    if weights is not None:
        members[WEIGHTS] = save(dict(weights))
    files = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    whole = Manifest.model_validate({**manifest, "schema": SCHEMA, "files": files})
    text = json.dumps(whole.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {MANIFEST: text.encode(), **members}.items():
            # A fixed date, so that the same examples give the same file.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.getvalue())


def read(path: Path) -> Bundle:
    """Read a bundle's manifest, after a look at the archive.

    Raises:
        SoundproofError: It is no bundle, or one that nobody should open; the message says why.
    """
    with _opened(path) as archive:
        problem = _odd_archive(archive)
        if problem is not None:
            raise SoundproofError(f"{path}: {problem}")
        content = archive.read(MANIFEST)
        members = set(archive.namelist()) - {MANIFEST}
    try:
        manifest = Manifest.model_validate(json.loads(content, object_pairs_hook=_once, parse_constant=_refuse))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SoundproofError(f"{path}: {MANIFEST}: {where}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise SoundproofError(f"{path}: {MANIFEST}: {error}") from None
    if members != set(manifest.files):
        raise SoundproofError(f"{path}: {MANIFEST} tells of other members than there are")
    return Bundle(path, manifest)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise SoundproofError(f"{path}: there is no such file") from None
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise SoundproofError(f"{path}: no bundle of `bench pack`, or a damaged one ({error})") from None


def _odd_archive(archive: zipfile.ZipFile) -> str | None:
    """What is wrong with an archive, by its table of contents alone."""
    members = archive.infolist()
    names = [member.filename for member in members]
    problems = (
        *(_odd_name(name) for name in names),
        *(f"{name!r} is in it twice" for name in dict.fromkeys(names) if names.count(name) > 1),
        *(_odd_member(member) for member in members),
        *(f"it holds no {due}" for due in (MANIFEST, EXAMPLES) if due not in names),
    )
    found = next(filter(None, problems), None)
    if found is None and archive.getinfo(MANIFEST).file_size > _MANIFEST_LIMIT:
        return f"{MANIFEST} is larger than {_MANIFEST_LIMIT >> 20} MiB"
    return found


def _odd_name(name: str) -> str | None:
    if name in (MANIFEST, EXAMPLES, WEIGHTS):
        return None
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name:
        return f"{name!r} leads out of the archive"
    return f"{name!r} is no member of a bundle, which holds {MANIFEST}, {EXAMPLES} and {WEIGHTS} only"


def _odd_member(member: zipfile.ZipInfo) -> str | None:
    if member.flag_bits & _ENCRYPTED:
        return f"{member.filename} is encrypted"
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        return f"{member.filename} is compressed, and could grow beyond measure: bundles are stored as they are"
    return None


def _header(path: Path, member: str, start: bytes, size: int, file: Any) -> dict[str, Any]:
    """What a safetensors file says of its arrays, read before anything is made room for."""
    if start[:2] in _PICKLE or start[:4] in _PICKLE:
        raise SoundproofError(f"{path}: {member} is a pickle, which is never opened: only safetensors are read")
    length = struct.unpack("<Q", start)[0] if len(start) == _LENGTH else 0
    if not 2 <= length <= min(_HEADER_LIMIT, size - _LENGTH):
        raise SoundproofError(
            f"{path}: {member} is no safetensors file: a header of {length:,} bytes in a file of {size:,}"
        )
    try:
        header: Any = json.loads(file.read(length), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise SoundproofError(f"{path}: {member} is no safetensors file: {error}") from None
    if not isinstance(header, dict) or not all(isinstance(entry, dict) for entry in header.values()):
        raise SoundproofError(f"{path}: {member} is no safetensors file: its header is no table of arrays")
    header.pop("__metadata__", None)
    return header


def _difference(header: Mapping[str, Any], due: Mapping[str, tuple[str, Sequence[int]]]) -> str | None:
    """How arrays differ from those that are due."""
    if header.keys() != due.keys():
        return f"it holds {', '.join(sorted(header)) or 'nothing'}, where {', '.join(due)} are due"
    for name, (dtype, shape) in due.items():
        found = header[name].get("dtype"), header[name].get("shape")
        if found != (dtype, list(shape)):
            return f"{name} is {found[0]} {found[1]}, where {dtype} {list(shape)} is due"
    return None


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names are all different."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} stands in it twice")
        found[name] = value
    return found


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")
