"""Trained generators and encoders as safetensors files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from soundproof import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

    from soundproof_defenses.wavegan.inversion import Inversion

_PARTS = ("generator.", "encoder.")


def save(inversion: Inversion, path: Path, sizes: Mapping[str, object]) -> None:
    """Write the weights of generator and encoder, with the sizes that they were made for."""
    tensors = {name: tensor.contiguous() for name, tensor in _learnt(inversion).items()}
    save_file(tensors, path, metadata={name: str(size) for name, size in sizes.items()})


def load(inversion: Inversion, path: Path, sizes: Mapping[str, object]) -> None:
    """Read the weights of generator and encoder, in place.

    Raises:
        DataError: The file is no such file, or was made for other sizes or another sampling rate; it lists all.
    """
    try:
        with safe_open(path, "pt") as file:
            found = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: no safetensors file of a generator ({error}); train one anew") from error
    problems = [
        f"{path}: was trained for {name} {found.get(name, 'unknown')}, not {size}; set {name}, or train anew"
        for name, size in sizes.items()
        if found.get(name) != str(size)
    ]
    expected = _learnt(inversion)
    if not problems and {n: t.shape for n, t in tensors.items()} != {n: t.shape for n, t in expected.items()}:
        problems.append(f"{path}: its tensors are not those of a generator and an encoder; train them anew")
    if problems:
        raise DataError(problems)
    inversion.load_state_dict(tensors, strict=False)


def _learnt(inversion: Inversion) -> dict[str, torch.Tensor]:
    """All but the random starts."""
    return {name: tensor for name, tensor in inversion.state_dict().items() if name.startswith(_PARTS)}
