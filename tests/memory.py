"""What torch's allocator held."""

from __future__ import annotations

import numpy as np
import torch


def peak_memory(work):
    """Bytes that torch's allocator held at most during the work, beyond what it held before."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        work()
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = np.cumsum([e.nbytes() for e in sorted(events, key=lambda e: e.start_ns())])
    return held.max()
