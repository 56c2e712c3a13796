"""Crews: where a run's cells run. In this process, in several processes here, or on a cluster."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from soundproof.engine.process import Process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from soundproof.engine.environment import Environment
    from soundproof.engine.process import Worker


class Crew(Protocol):
    """Places that run cells, one at a time each. They may come and go."""

    def places(self) -> Sequence[str]:
        """Names of the places that are there now."""

    def hire(self, place: str, job: Mapping[str, Any]) -> Worker:
        """Start a worker at a place.

        Args:
            place: One of `places`.
            job: As in `soundproof.engine.worker.Job`.
        """


@dataclass(frozen=True)
class Here:
    """Processes of this machine.

    Attributes:
        jobs: How many; they share the cores, and on an accelerator each has one of the chips for itself as far as
            they go round.
        environment: Of the run.
    """

    jobs: int
    environment: Environment

    def places(self) -> Sequence[str]:
        """They are numbered."""
        return [str(number) for number in range(1, self.jobs + 1)]

    def hire(self, place: str, job: Mapping[str, Any]) -> Worker:
        """A process, with a chip of its own if there are chips."""
        variables = {}
        if self.environment.device == "cuda":
            chips = visible_chips()
            variables["CUDA_VISIBLE_DEVICES"] = chips[(int(place) - 1) % len(chips)]
        return Process(job, variables)


def visible_chips() -> list[str]:
    """Accelerators that this process may use, as CUDA names them."""
    named = [chip.strip() for chip in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if chip.strip()]
    if named:
        return named
    import torch

    return [str(number) for number in range(max(1, torch.cuda.device_count()))]
