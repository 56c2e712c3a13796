"""Pictures of what attacks do: one clip of each data set and representation, as results keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.engine.measurements import Measurements
from soundproof.measuring.classifier import BASELINE
from soundproof.planning.plan import row_of
from soundproof.types import Access, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import torch

    from soundproof.engine.workshop import Workshop
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.plan import Plan
    from soundproof.results.files import Row

# Values across and upwards; of larger inputs every second one is kept, or third …
_SIDE = 128


def pictures(workshop: Workshop, rows: Sequence[Row]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of `pictures.safetensors`, from what a run left in the store.

    Of each data set and representation the first undefended classifier is shown with the clip that most attacks
    fool. Only pictures are drawn: representations that give waveforms or vectors have none. Nothing is computed
    for them: what is no longer in the store has none either.

    Args:
        workshop: Of the run.
        rows: Its results; what has no score is not drawn.
    """
    plan, measurements = workshop.plan, Measurements(workshop)
    scored = {row.key for row in rows if row.status is Status.OK}
    found: dict[str, npt.NDArray[Any]] = {}
    for clean, attacks in _shown(plan, scored):
        kept = [cell for cell in attacks if _kept(workshop, cell)]
        if kept and all(workshop.has(stage) for stage in plan.graph.inputs(clean.classifier.trained)):
            found |= _of_classifier(measurements, plan, clean, kept)
            measurements.forget()
    return found


def _kept(workshop: Workshop, cell: Cell) -> bool:
    return workshop.has(cell) and workshop.store.has(workshop.keys.examples(cell))


def _shown(plan: Plan, scored: set[str]) -> list[tuple[Cell, list[Cell]]]:
    """Of each data set and representation one `clean` cell, and the `bounded` cells of the same classifier."""
    found: dict[Any, tuple[Cell, list[Cell]]] = {}
    for cell in plan.cells:
        trained = cell.classifier.trained
        drawable = len(plan.attacked_shape(trained)) == 3 and cell.classifier.defense.id == BASELINE
        if cell.protocol.id == "clean" and drawable and _key(plan, cell) in scored:
            found.setdefault((trained.dataset, trained.representation), (cell, []))
    for cell in plan.cells:
        trained = cell.classifier.trained
        clean, attacks = found.get((trained.dataset, trained.representation), (None, []))
        attacked = cell.protocol.id == "bounded" and clean is not None and cell.classifier == clean.classifier
        if attacked and cell.attack is not None and cell.attack.access is not Access.CONTROL:
            attacks += [cell] if _key(plan, cell) in scored else []
    return [(clean, attacks) for clean, attacks in found.values() if attacks]


def _of_classifier(
    measurements: Measurements, plan: Plan, clean: Cell, attacks: Sequence[Cell]
) -> Mapping[str, npt.NDArray[Any]]:
    outcomes = [measurements.outcome(cell).samples for cell in attacks]
    clips = outcomes[0]["clip"]
    place = int(np.sum([each["fooled"] > 0 for each in outcomes], axis=0).argmax())
    inputs = measurements.inputs.examples(clean.classifier.trained, clips[[place]].astype(np.int64)).inputs[0]
    key = _key(plan, clean)
    found = {f"{key}/input": np.rint(255 * _thinned(inputs)).astype(np.uint8), f"{key}/clip": clips[[place]]}
    for cell in attacks:
        examples = measurements.examples(cell)
        if examples is None:
            continue
        change = _thinned(examples[place].to(inputs.device) - inputs)
        scale = np.abs(change).max(keepdims=True).reshape(1).astype(np.float32)
        found[f"{_key(plan, cell)}/perturbation"] = np.rint(127 * change / max(float(scale[0]), 1e-30)).astype(
            np.int8
        )
        found[f"{_key(plan, cell)}/scale"] = scale
    return found


def _thinned(picture: torch.Tensor) -> npt.NDArray[np.float32]:
    """The first channel, `[H, W]`."""
    step = max(1, *(-(-size // _SIDE) for size in picture.shape[1:]))
    plane: npt.NDArray[np.float32] = picture[0, ::step, ::step].cpu().numpy()
    return plane


def _key(plan: Plan, cell: Cell) -> str:
    return row_of(cell, plan.budget(cell), Status.OK).key
