"""Protocol `transfer`: the share of one classifier's examples that fool another one too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.intervals import Part
from soundproof.measuring.outcome import Outcome
from soundproof.measuring.protocols.base import Cell, Cost, Needs, Protocol
from soundproof.measuring.protocols.bounded import Bounded
from soundproof.measuring.protocols.clean import Clean
from soundproof.types import Domain, Status
from soundproof.victim.ball import l2_sizes
from soundproof.victim.bound import bound_of
from soundproof.victim.goal import margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt
    import torch

    from soundproof.contract.components import Attack
    from soundproof.measuring.classifier import Classifier
    from soundproof.measuring.protocols.base import Material, Samples
    from soundproof.measuring.scene import Scene
    from soundproof.measuring.subject import Subject
    from soundproof.types import Budget

NO_EXAMPLE = "no example fools the source on a clip that the target gets right when clean"


class Transfer(Protocol):
    """Whether the `bounded` examples of one classifier fool another that sees the same inputs, or hears them."""

    id: ClassVar[str] = "transfer"
    fields: ClassVar[tuple[str, ...]] = ("clip", "fooled", "score", "source_fooled")
    last: ClassVar[bool] = True

    def cells(
        self, classifier: Classifier, attacks: Iterable[Attack], family: Sequence[Classifier]
    ) -> Iterator[Cell]:
        """One an attack and other classifier of the family."""
        targets = [other for other in family if other != classifier]
        return (Cell(self, classifier, attack, target) for attack in attacks for target in targets)

    def needs(self, cell: Cell) -> Needs:
        """The source's examples, and what the target makes of clean clips."""
        assert cell.target is not None
        return Needs((cell.target,), (cell.under(Bounded()), Cell(Clean(), cell.target)))

    def cost(self, cell: Cell, budget: Budget) -> Cost:  # noqa: ARG002
        """One look at every example."""
        return Cost()

    def measure(self, material: Material) -> Outcome:
        """Try the source's examples on the clips that the target gets right when clean.

        Raises:
            FloatingPointError: The target gives NaN or infinite logits.
        """
        import torch

        from soundproof.measuring.judge import finite_logits

        bounded, of_target = self.needs(material.cell).cells
        source, clean = material.outcomes[bounded], material.outcomes[of_target]
        if bounded not in material.examples:
            return Outcome(status=Status.SKIPPED, reason=source.reason)
        subject, samples = material.subject, source.samples
        right = clean.samples["clip"][clean.samples["label"] == clean.samples["prediction"]]
        shown = np.isin(samples["clip"], right)
        if not shown.any():
            return Outcome(status=Status.SKIPPED, reason=NO_EXAMPLE)
        clips, fools = samples["clip"][shown], samples["fooled"][shown]
        device = subject.examples.labels.device
        rows = torch.from_numpy(np.searchsorted(subject.clips, clips)).to(device)
        moved = material.moved(material.examples[bounded][torch.from_numpy(shown).to(device)], clips)
        labels = subject.examples.labels[rows]
        logits = finite_logits(subject.module, moved)
        found = {
            "clip": clips,
            "fooled": (logits.argmax(dim=1) != labels).cpu().numpy().astype(np.uint8),
            "score": margin(logits, labels).cpu().numpy(),
            "source_fooled": fools,
            **_heard(subject, moved, rows, material.budget),
        }
        if not fools.any():
            return Outcome(samples=found, status=Status.SKIPPED, reason=NO_EXAMPLE)
        return Outcome(self.metrics([found], subject.scene), samples=found)

    def parts(self, samples: Samples, scene: Scene) -> dict[str, Part]:  # noqa: ARG002
        """`transfer_ratio`, over the examples that fool the source."""
        moved = samples["source_fooled"] > 0
        return {"transfer_ratio": Part(samples["clip"][moved], statistics.mean(samples["fooled"][moved] > 0))}


def _heard(
    subject: Subject, moved: torch.Tensor, rows: torch.Tensor, budget: Budget
) -> dict[str, npt.NDArray[Any]]:
    """Of sound: `snr` at the target, dB, and whether the example is `within` the target's own ball.

    At another sampling rate neither the clip nor what was added to it has the energy that it had at the source's.
    """
    from soundproof.measuring.judge import TOLERANCE

    if subject.represent is None:
        return {}
    clean = subject.examples.inputs[rows]
    ball, delta = bound_of(budget, subject.shape).limit(clean), moved.double() - clean.double()
    near = ball.sizes(delta) <= ball.radius * (1 + TOLERANCE) + TOLERANCE
    snr = 20 * (l2_sizes(clean.double() - Domain.WAVEFORM.zero) / l2_sizes(delta)).log10()
    return {
        "within": near.cpu().numpy().astype(np.uint8),
        "snr": snr.nan_to_num(math.nan, math.nan, math.nan).float().cpu().numpy(),
    }
