"""Sounds of what attacks do: a few clips of each data set and representation, as results keep them on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.engine.measurements import Measurements
from soundproof.measuring.classifier import BASELINE
from soundproof.measuring.protocols.base import Cell
from soundproof.measuring.protocols.clean import Clean
from soundproof.planning.plan import row_of
from soundproof.types import Access, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from soundproof.engine.workshop import Workshop
    from soundproof.results.files import Row

    Arrays = dict[str, npt.NDArray[Any]]

# Clips of each classifier, as long as the file does not grow beyond so many bytes.
CLIPS, SIZE = 3, 16_000_000
_STEPS = 32767


def sounds(workshop: Workshop, rows: Sequence[Row]) -> Arrays:
    """The arrays of `sounds.safetensors`, from what a run left in the store.

    Of each data set and representation the first undefended classifier is heard with the clips that most attacks
    fool as sound. Nothing is computed for them: what is no longer in the store has none.

    Args:
        workshop: Of the run.
        rows: Its results; what has no score is not heard.
    """
    measurements, found = Measurements(workshop), []
    for cells in _heard(workshop, rows):
        found.append(_of_classifier(measurements, cells))
        measurements.forget()
    for count in range(CLIPS, 0, -1):
        kept: Arrays = {}
        for each in found:
            kept |= {name: array for clip in each[:count] for name, array in clip.items()}
        if sum(array.nbytes for array in kept.values()) <= SIZE:
            return kept
    return {}


def _heard(workshop: Workshop, rows: Sequence[Row]) -> list[list[Cell]]:
    """Of each data set and representation the `realised` cells of its first undefended classifier."""
    plan = workshop.plan
    found: dict[object, list[Cell]] = {}
    scored = {row.key for row in rows if row.status is Status.OK and row.protocol == "realised"}
    for cell in plan.cells:
        trained = cell.classifier.trained
        if cell.protocol.id != "realised" or cell.classifier.defense.id != BASELINE:
            continue
        assert cell.attack is not None
        there = workshop.has(cell) and workshop.store.has(workshop.keys.examples(cell))
        if there and cell.attack.access is not Access.CONTROL and _key(workshop, cell) in scored:
            found.setdefault((trained.dataset, trained.representation), []).append(cell)
    return [
        [cell for cell in cells if cell.classifier == cells[0].classifier]
        for cells in found.values()
        if all(workshop.has(stage) for stage in plan.graph.inputs(cells[0].classifier.trained))
    ]


def _of_classifier(measurements: Measurements, cells: Sequence[Cell]) -> list[Arrays]:
    """Arrays of a few of a classifier's clips, the clip that most attacks fool first."""
    workshop, trained = measurements.workshop, cells[0].classifier.trained
    recordings = measurements.inputs.recordings(trained)
    samples = [measurements.outcome(cell).samples for cell in cells]
    clips, tested = samples[0]["clip"], workshop.plan.test(trained)
    order = np.argsort(-np.sum([each["fooled"] > 0 for each in samples], axis=0), kind="stable")[:CLIPS]
    made = {cell: measurements.examples(cell) for cell in cells}
    found = []
    for place in order.tolist():
        clip = int(clips[place])
        clean = recordings.waveforms[int(np.searchsorted(tested, clip))].cpu().numpy()
        name = f"{_key(workshop, Cell(Clean(), cells[0].classifier))}/{clip}"
        arrays = {f"{name}/rate": np.array([recordings.rate], np.int32), **_quantised(f"{name}/sound", clean)}
        for cell, examples in made.items():
            if examples is not None:
                change = examples[place].cpu().numpy() - clean
                arrays |= _quantised(f"{_key(workshop, cell)}/{clip}/change", change)
        found.append(arrays)
    return found


def _quantised(name: str, waveform: npt.NDArray[np.float32]) -> Arrays:
    """A waveform `[T]` as 16-bit numbers of its own peak."""
    peak = np.float32(max(float(np.abs(waveform).max()), 1e-30))
    return {
        name: np.rint(waveform / peak * _STEPS).astype(np.int16),
        f"{name}_peak": np.array([peak], np.float32),
    }


def _key(workshop: Workshop, cell: Cell) -> str:
    return row_of(cell, workshop.plan.budget(cell), Status.OK).key
