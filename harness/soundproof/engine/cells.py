"""Cells as rows: what measuring one gives, also when a plugin raises instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from soundproof import faults
from soundproof.measuring.outcome import InvalidExamplesError
from soundproof.planning.plan import row_of
from soundproof.results import flags
from soundproof.training.trainer import TrainingError
from soundproof.types import Access, Status, Surface

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from soundproof.engine.interrupts import Interrupts
    from soundproof.engine.measurements import Measurements
    from soundproof.measuring.outcome import Outcome
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.plan import Plan
    from soundproof.results.files import Row


# The fields of a row that tell what came of its cell; the others tell which cell it is.
RESULT = ("status", "reason", "metrics", "reports", "flags", "reached")


@dataclass(frozen=True, eq=False)
class Ran:
    """A cell that was run.

    Attributes:
        row: Its result.
        samples: Its per-clip outcomes.
        traceback: Of a failure.
    """

    row: Row
    samples: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    traceback: str = ""


def run_cell(measurements: Measurements, plan: Plan, cell: Cell, interrupts: Interrupts) -> Ran:
    """Measure a cell; whatever a plugin raises becomes its row.

    Raises:
        KeyboardInterrupt: The user asked for it.
    """
    try:
        return _ran(plan, cell, measurements.outcome(cell))
    except InvalidExamplesError as error:
        return _broken(plan, cell, Status.INVALID, error)
    except TrainingError as error:
        return _broken(plan, cell, Status.DIVERGED, error, cell.protocol.unfinished(error))
    except BaseException as error:
        if interrupts.asked:
            raise KeyboardInterrupt from error
        return _broken(plan, cell, Status.FAILED, error)


def failed(plan: Plan, cell: Cell, reason: str, traceback: str = "") -> Ran:
    """A cell that gave no outcome, and why."""
    return Ran(row_of(cell, plan.budget(cell), Status.FAILED, reason), traceback=traceback)


def _ran(plan: Plan, cell: Cell, outcome: Outcome) -> Ran:
    trained = cell.classifier.trained
    leaky = (flags.LEAKY,) if plan.splits[trained.dataset, trained.fold].leaky else ()
    row = row_of(
        cell,
        plan.budget(cell),
        outcome.status,
        outcome.reason,
        metrics=outcome.metrics,
        reports=outcome.reports,
        flags=(*leaky, *_by_surrogate(plan, cell), *trained.dataset.flags, *trained.model.flags, *outcome.flags),
        reached=outcome.reached,
    )
    return Ran(row, outcome.samples)


def _by_surrogate(plan: Plan, cell: Cell) -> tuple[str, ...]:
    """The flag of an attack that takes the gradients of a representation's surrogate."""
    heard = cell.classifier.trained.representation
    informed = cell.attack is not None and cell.attack.access is Access.WHITE_BOX
    used = plan.surface is Surface.WAVEFORM and not heard.differentiable and heard.surrogate
    return (flags.SURROGATE,) if informed and used else ()


def _broken(
    plan: Plan,
    cell: Cell,
    status: Status,
    error: BaseException,
    samples: Mapping[str, npt.NDArray[Any]] | None = None,
) -> Ran:
    row = row_of(cell, plan.budget(cell), status, faults.reason(error))
    return Ran(row, samples or {}, faults.trace(error))
