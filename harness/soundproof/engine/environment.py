"""Where a run happens, as far as it can change a number."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.digest import files_digest
from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Sequence

# These show results or take orders, and compute none.
_NOT_NUMERIC: Sequence[str] = ("boards", "cli")


@dataclass(frozen=True)
class Environment:
    """The numeric environment; a part of every cache key.

    Attributes:
        device: `cpu` or `cuda`.
        accelerator: The name of the device's chip, empty for a CPU.
        threads: What torch may use; the sums of floating-point numbers depend on it.
    """

    device: str
    accelerator: str
    threads: int

    def identity(self) -> dict[str, Any]:
        """What cache keys hold: versions that compute, device, threads and the core's own source."""
        return {
            **versions(),
            "device": self.device,
            "accelerator": self.accelerator,
            "threads": self.threads,
            "core": core_digest(),
        }

    def describe(self) -> dict[str, Any]:
        """What `run.json` holds."""
        return {
            "soundproof": version("soundproof"),
            "python": platform.python_version(),
            "platform": f"{platform.system()}-{platform.machine()}",
            **self.identity(),
        }


@cache
def versions() -> dict[str, str]:
    """Of the libraries that compute."""
    return {name: version(name) for name in ("torch", "numpy", "scipy", "librosa", "scikit-learn")}


@cache
def core_digest() -> str:
    """Digest of the parts of this package that compute."""
    root = Path(__file__).parent
    files = [f for f in sorted(root.rglob("*.py")) if f.relative_to(root).parts[0] not in _NOT_NUMERIC]
    return files_digest(root, files)


def data_folder(given: str | Path | None = None) -> Path:
    """The data folder: as given, or `SOUNDPROOF_DATA`, or `data` here."""
    return Path(given or os.environ.get("SOUNDPROOF_DATA") or "data").expanduser()


def cache_folder(given: str | Path | None = None) -> Path:
    """The cache: as given, or `SOUNDPROOF_CACHE`, or `.soundproof-cache` here."""
    return Path(given or os.environ.get("SOUNDPROOF_CACHE") or ".soundproof-cache").expanduser()


def detect(device: str) -> Environment:
    """The environment for a device, which must exist.

    Args:
        device: `auto`, `cpu` or `cuda`; `auto` takes the accelerator if there is one.

    Raises:
        SoundproofError: `cuda` is asked for and there is none.
    """
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if device == "cpu":
        return Environment("cpu", "", threads)
    import torch

    if torch.cuda.is_available():
        return Environment("cuda", torch.cuda.get_device_name(0), threads)
    if device == "cuda":
        raise SoundproofError("--device cuda: torch finds no CUDA device here; use --device cpu or auto")
    return Environment("cpu", "", threads)


def prepare(environment: Environment) -> None:
    """Make torch compute the same numbers every time; call it before anything is computed."""
    # cuBLAS is reproducible only with a fixed workspace, which it reads when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.set_num_threads(environment.threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.backends.cudnn.benchmark = False
