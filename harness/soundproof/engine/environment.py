"""Environment of a run, as far as it can change a number."""

from __future__ import annotations

import ast
import os
import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from soundproof.digest import digest, tree_digest
from soundproof.errors import SoundproofError

# What computes: the rooms whose digest a run notes.
NUMERIC = ("types.py", "digest.py", "victim", "training", "data", "measuring", "planning", "engine")


@dataclass(frozen=True)
class Environment:
    """The numeric environment; a part of the cache keys of all that torch computes.

    Attributes:
        device: `cpu` or `cuda`.
        accelerator: The name of the device's chip, empty for a CPU.
        threads: What torch may use; the sums of floating-point numbers depend on it.
    """

    device: str
    accelerator: str
    threads: int

    def describe(self) -> dict[str, Any]:
        """Description as `run.json` holds it."""
        return {
            "soundproof": version("soundproof"),
            "python": platform.python_version(),
            "platform": f"{platform.system()}-{platform.machine()}",
            **versions(("torch", "numpy", "scipy", "librosa", "scikit-learn")),
            **vars(self),
            "core": code_digest(NUMERIC),
        }


@cache
def versions(libraries: tuple[str, ...]) -> dict[str, str]:
    """Installed versions of distributions."""
    return {name: version(name) for name in libraries}


@cache
def code_digest(rooms: tuple[str, ...]) -> str:
    """Digest of some files and folders of this package, apart from comments, layout and docstrings."""
    root = Path(__file__).parents[1]
    files = [file for room in rooms for file in (sorted((root / room).rglob("*.py")) or [root / room])]
    return digest({str(file.relative_to(root)): _code_of(file) for file in files})


@cache
def _code_of(file: Path) -> str:
    return tree_digest(ast.parse(file.read_bytes()))


def data_folder(given: str | Path | None = None) -> Path:
    """The data folder: as given, or `SOUNDPROOF_DATA`, or `data` here."""
    return Path(given or os.environ.get("SOUNDPROOF_DATA") or "data").expanduser()


def cache_folder(given: str | Path | None = None) -> Path:
    """The cache: as given, or `SOUNDPROOF_CACHE`, or `.soundproof-cache` here."""
    return Path(given or os.environ.get("SOUNDPROOF_CACHE") or ".soundproof-cache").expanduser()


def detect(device: str, threads: int | None = None, jobs: int = 1) -> Environment:
    """The environment for a device, which must exist.

    Args:
        device: `auto`, `cpu` or `cuda`; `auto` takes the accelerator if there is one.
        threads: What torch may use; by default `OMP_NUM_THREADS`, else an equal share of the cores.
        jobs: Processes that share the cores.

    Raises:
        SoundproofError: `cuda` is asked for and there is none.
    """
    threads = threads or _threads(jobs)
    if device == "cpu":
        return Environment("cpu", "", threads)
    import torch

    if torch.cuda.is_available():
        return Environment("cuda", torch.cuda.get_device_name(0), threads)
    if device == "cuda":
        raise SoundproofError("--device cuda: torch finds no CUDA device here; use --device cpu or auto")
    return Environment("cpu", "", threads)


def _threads(jobs: int) -> int:
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // jobs)


def prepare(environment: Environment) -> None:
    """Make torch compute the same numbers every time; call it before anything is computed."""
    # cuBLAS is reproducible only with a fixed workspace, which it reads when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.set_num_threads(environment.threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.backends.cudnn.benchmark = False
