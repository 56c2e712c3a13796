"""Working through a batch of clips: what suits a CPU's cache and cores, or a GPU."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 2
"""Clips at a time on a CPU: what lies between two steps then stays in the cache. A whole batch of 64 at once
takes twice the time, most of it page faults."""


def in_parallel(function: Callable[[torch.Tensor], torch.Tensor], waveforms: torch.Tensor) -> torch.Tensor:
    """Apply a function of waveforms `[n, T]` chunk by chunk, and join its results along their first dimension.

    On a CPU as many chunks run at once as torch has threads, each on one: the steps are too small to be worth
    splitting, and where another process keeps a core busy, threads that wait for each other in every step lose
    its time slices each time (measured: up to 60 times slower). Results do not depend on the number of threads.
    """
    if waveforms.device.type != "cpu":
        return function(waveforms)
    chunks = torch.split(waveforms, _CHUNK)
    allowed = torch.get_num_threads()
    if allowed == 1 or (torch.is_grad_enabled() and waveforms.requires_grad):
        return torch.cat([function(chunk) for chunk in chunks])
    inference = torch.is_inference_mode_enabled()

    def work(chunk: torch.Tensor) -> torch.Tensor:
        torch.set_num_threads(1)  # of this thread, and of those that others start until it is set back below
        with torch.inference_mode(inference), torch.no_grad():
            return function(chunk)

    try:
        with ThreadPoolExecutor(min(allowed, len(chunks))) as pool:
            return torch.cat(list(pool.map(work, chunks)))
    finally:
        torch.set_num_threads(allowed)
