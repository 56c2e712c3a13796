"""What a measurement gives: metrics, flags and per-clip arrays, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from soundproof.measuring.metrics.intervals import Metric
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt


class InvalidExamplesError(Exception):
    """An attack returned something that is no set of examples: the cell is `invalid`, never a score."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The result of one cell.

    Attributes:
        metrics: By name; a metric without any clip behind it is left out.
        samples: Per-clip arrays by field, as in `soundproof.results`.
        flags: Warnings beside the numbers.
        status: `ok`, or `skipped` when there is nothing to measure.
        reason: Why it was skipped, or did not reach.
    """

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    samples: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    status: Status = Status.OK
    reason: str | None = None

    def record(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON."""
        return {
            "metrics": {name: vars(metric) for name, metric in self.metrics.items()},
            "flags": list(self.flags),
            "status": self.status,
            "reason": self.reason,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], samples: Mapping[str, npt.NDArray[Any]]) -> Outcome:
        """The inverse of `record`."""
        return cls(
            metrics={name: Metric(**metric) for name, metric in record["metrics"].items()},
            samples=samples,
            flags=tuple(record["flags"]),
            status=Status(record["status"]),
            reason=record["reason"],
        )
