"""The process that plugins share: what one of them changes there is put back, and held against it."""

from __future__ import annotations

import contextlib
import os
import random
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_GRADIENTS = "torch's gradient mode"
_SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    _GRADIENTS: (torch.is_grad_enabled, torch.set_grad_enabled),
    "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "torch's default device": (torch.get_default_device, torch.set_default_device),
    "torch's number of threads": (torch.get_num_threads, torch.set_num_threads),
    "torch's matmul precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "torch's autocast on CPU": (
        lambda: torch.is_autocast_enabled("cpu"),
        lambda on: torch.set_autocast_enabled("cpu", on),
    ),
    "torch's autocast on CUDA": (
        lambda: torch.is_autocast_enabled("cuda"),
        lambda on: torch.set_autocast_enabled("cuda", on),
    ),
    "torch's anomaly detection": (torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    "torch's deterministic algorithms": (
        torch.is_deterministic_algorithms_warn_only_enabled,
        lambda warn: torch.use_deterministic_algorithms(mode=True, warn_only=warn),
    ),
    "oneDNN": (lambda: torch.backends.mkldnn.enabled, lambda on: setattr(torch.backends.mkldnn, "enabled", on)),
    "cuDNN's benchmark": (
        lambda: torch.backends.cudnn.benchmark,
        lambda on: setattr(torch.backends.cudnn, "benchmark", on),
    ),
    "the working folder": (os.getcwd, os.chdir),
}


class SurroundingsError(Exception):
    """A plugin changed the process that all share. What it changed is put back, and its result does not count."""


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Within this block the process' settings may change; after it they are as before.

    Random states of Python, NumPy and torch are put back without a word, since drawing from them is no fault.

    Raises:
        SurroundingsError: A setting changed, and nothing else went wrong.
    """
    before = {name: read() for name, (read, _) in _SETTINGS.items()}
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with warnings.catch_warnings(), torch.inference_mode(mode=False), torch.set_grad_enabled(mode=True):
            try:
                yield
            except Exception as error:
                # What went wrong went wrong in a process that was no longer the same.
                raise _fault(before, f"; then {type(error).__name__} was raised") or error from error
            fault = _fault(before)
            if fault is not None:
                raise fault
    finally:
        for name in _changed(before):
            _SETTINGS[name][1](before[name])
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def _fault(before: dict[str, Any], and_then: str = "") -> SurroundingsError | None:
    changed = _changed({**before, _GRADIENTS: True})
    if torch.is_inference_mode_enabled():
        changed.append("torch's inference mode")
    if not changed:
        return None
    return SurroundingsError(f"it changed {', '.join(changed)} and left it so: put it back after use{and_then}")


def _changed(before: dict[str, Any]) -> list[str]:
    return [name for name, (read, _) in _SETTINGS.items() if read() != before[name]]
