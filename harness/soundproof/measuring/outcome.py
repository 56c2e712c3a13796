"""Outcomes of measurements: metrics, flags and per-clip arrays, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from soundproof.measuring.metrics.intervals import Metric
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import torch

NOTHING_TO_ATTACK = "the classifier gets no test clip right, so there is none to attack"


class InvalidExamplesError(Exception):
    """An attack returned something that is no set of examples: the cell is `invalid`, never a score."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of one cell.

    Attributes:
        metrics: By name; a metric without any clip behind it is left out.
        reports: What a defense measured of itself, by the name it gave.
        samples: Per-clip arrays by field, as in `soundproof.results.files`.
        flags: Warnings beside the numbers.
        status: `ok`, or `skipped` when there is nothing to measure.
        reason: Why it was skipped, or did not reach.
        reached: Whether the target was reached; None where none was set.
        examples: What an attack made of the clips of the samples, `[n, ...]`; kept apart from the rest.
    """

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    reports: Mapping[str, Metric] = field(default_factory=dict)
    samples: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    status: Status = Status.OK
    reason: str | None = None
    reached: bool | None = None
    examples: torch.Tensor | None = None

    def record(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON."""
        return {
            "metrics": {name: vars(metric) for name, metric in self.metrics.items()},
            "reports": {name: vars(metric) for name, metric in self.reports.items()},
            "flags": list(self.flags),
            "status": self.status,
            "reason": self.reason,
            "reached": self.reached,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], samples: Mapping[str, npt.NDArray[Any]]) -> Outcome:
        """The inverse of `record`."""
        return cls(
            metrics={name: Metric(**metric) for name, metric in record["metrics"].items()},
            reports={name: Metric(**metric) for name, metric in record["reports"].items()},
            samples=samples,
            flags=tuple(record["flags"]),
            status=Status(record["status"]),
            reason=record["reason"],
            reached=record["reached"],
        )
