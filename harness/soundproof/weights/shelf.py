"""Shelves: folders with the weights of a suite's networks, a safetensors file each, and an index."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

SCHEMA = 1
INDEX = "index.json"


@dataclass(frozen=True)
class Network:
    """A network on a shelf.

    Attributes:
        place: Its components as results name them, with fold and seed; `defense` is None before any.
        identity: Digest of all that it was trained from, but for code, libraries and machine.
        key: Its cache key where it was made.
        record: What is kept beside weights: learning curves and the like.
        rounded: Whether its weights were rounded to half precision.
        sha256: Of its file, which it names.
    """

    place: Mapping[str, Any]
    identity: str
    key: str
    record: Mapping[str, Any]
    rounded: bool
    sha256: str

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.sha256[:16]}.safetensors"


@dataclass(frozen=True)
class Shelf:
    """A shelf.

    Attributes:
        folder: Where it is.
        suite: Whose networks it holds.
        environment: Where they were made, as in `run.json`.
        networks: In the order in which they were put there.
    """

    folder: Path
    suite: str
    environment: Mapping[str, Any]
    networks: Sequence[Network]

    def weights(self, network: Network) -> dict[str, torch.Tensor]:
        """A network's weights, in single precision.

        Raises:
            SoundproofError: The file is missing, or not what the index tells of.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load

        path = self.folder / network.file
        try:
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != network.sha256:
                raise SoundproofError(f"{path}: is not what {INDEX} tells of: its SHA-256 differs")
            found = load(content)
        except OSError as error:
            raise SoundproofError(f"{path}: {error.strerror or error}") from None
        except (SafetensorError, ValueError, KeyError) as error:
            raise SoundproofError(f"{path}: not a safetensors file: {error}") from None
        return {
            name: value.float() if network.rounded and value.is_floating_point() else value
            for name, value in found.items()
        }

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum((self.folder / network.file).stat().st_size for network in self.networks)


def shipped() -> list[str]:
    """Suites whose networks come with the package."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob(f"*/{INDEX}"))


def read(name: str | Path) -> Shelf:
    """The shelf of a suite that ships with the package, or in a folder.

    Raises:
        SoundproofError: There is none, or its index is damaged.
    """
    own = Path(__file__).parent / str(name)
    folder = own if str(name) in shipped() else Path(name)
    path = folder / INDEX
    try:
        index = json.loads(path.read_text("utf-8"))
        if index["schema"] != SCHEMA:
            raise SoundproofError(f"{path}: schema {index['schema']}, and this version reads {SCHEMA}")
        networks = [Network(**each) for each in index["networks"]]
        return Shelf(folder, index["suite"], index["environment"], networks)
    except OSError:
        known = ", ".join(shipped())
        raise SoundproofError(
            f"{name}: no networks there; those of {known} come with the package, and `bench weights export` makes "
            "others"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise SoundproofError(f"{path}: is no index of networks: {error}") from None


def write(
    folder: Path, suite: str, environment: Mapping[str, Any], networks: Sequence[tuple[Network, bytes]]
) -> Shelf:
    """Put networks on a new shelf.

    Raises:
        SoundproofError: There is something in the folder.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SoundproofError(f"{folder}: is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for network, content in networks:
        (folder / network.file).write_bytes(content)
    shelf = Shelf(folder, suite, environment, [network for network, _ in networks])
    index = {
        "schema": SCHEMA,
        "suite": suite,
        "environment": dict(environment),
        "networks": [asdict(network) for network in shelf.networks],
    }
    (folder / INDEX).write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return shelf
