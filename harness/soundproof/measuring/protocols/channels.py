"""Protocol `channels`: whether the sound of an attack still fools after a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from soundproof.contract.identity import coordinate
from soundproof.measuring.metrics import bounds
from soundproof.measuring.metrics.fooling import fooling
from soundproof.measuring.metrics.intervals import estimate, known
from soundproof.measuring.metrics.recognition import recognition
from soundproof.measuring.metrics.sounding import survival
from soundproof.measuring.outcome import Outcome
from soundproof.measuring.protocols.base import Cell, Cost, Needs, Protocol
from soundproof.measuring.protocols.realised import Realised
from soundproof.types import Status
from soundproof.victim.goal import margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt
    import torch

    from soundproof.contract.components import Attack
    from soundproof.measuring.classifier import Classifier
    from soundproof.measuring.metrics.intervals import Metric, Part
    from soundproof.measuring.place import Place
    from soundproof.measuring.protocols.base import Material, Samples
    from soundproof.measuring.scene import Scene
    from soundproof.types import Budget

NOTHING_HEARD = "through the channel the classifier gets none of the attacked clips right when nobody attacks"


class Channels(Protocol):
    """Fooling and recognition after a sound was played through a channel.

    A channel that breaks the classifier is no defense: survival counts the clips that the classifier gets right
    through the same channel when nobody attacks them.
    """

    id: ClassVar[str] = "channels"
    fields: ClassVar[tuple[str, ...]] = ("clip", "score", "fooled")
    by_channel: ClassVar[bool] = True
    asked: ClassVar[bool] = True

    def cells(
        self,
        classifier: Classifier,
        attacks: Iterable[Attack],
        family: Sequence[Classifier],  # noqa: ARG002
    ) -> Iterator[Cell]:
        """One without an attack, and one an attack."""
        return (Cell(self, classifier, attack) for attack in (None, *attacks))

    def reason_to_skip(self, cell: Cell, budget: Budget) -> str | None:
        """Why the classifier's sounds cannot be played through the channel, or why there are none."""
        assert cell.channel is not None
        trained = cell.classifier.trained
        rate = trained.representation.rate
        reason = cell.channel.reason_to_skip(rate, trained.dataset.sample_count(rate))
        return reason or (None if cell.attack is None else Realised().reason_to_skip(cell, budget))

    def needs(self, cell: Cell) -> Needs:
        """The classifier; of an attack its sounds, and what arrives of clips that nobody attacks."""
        if cell.attack is None:
            return Needs((cell.classifier,))
        alone = Cell(self, cell.classifier, channel=cell.channel)
        return Needs((cell.classifier,), (cell.under(Realised()), alone))

    def cost(self, cell: Cell, budget: Budget) -> Cost:  # noqa: ARG002
        """One look at every clip."""
        return Cost()

    def measure(self, material: Material) -> Outcome:
        """Play the clips, or the sounds of an attack on them, and show the classifier what arrives.

        Raises:
            FloatingPointError: The classifier gives NaN or infinite logits.
            ValueError: What arrives is no sound.
        """
        if material.cell.attack is None:
            return self._unattacked(material)
        realised, alone = self.needs(material.cell).cells
        source, unattacked = material.outcomes[realised], material.outcomes[alone].samples
        if realised not in material.examples:
            return Outcome(status=Status.SKIPPED, reason=source.reason)
        clips = source.samples["clip"]
        samples = {
            "clip": clips,
            "clean_score": unattacked["score"][np.searchsorted(unattacked["clip"], clips)],
            **self._arrived(material, material.examples[realised], clips),
            "source_fooled": source.samples["fooled"],
            "heard": (unattacked["label"] == unattacked["prediction"])[
                np.searchsorted(unattacked["clip"], clips)
            ].astype(np.uint8),
        }
        if not samples["heard"].any():
            return Outcome(samples=samples, status=Status.SKIPPED, reason=NOTHING_HEARD)
        return Outcome(self.metrics([samples], material.subject.scene), samples=samples)

    def _unattacked(self, material: Material) -> Outcome:
        assert material.recordings is not None
        subject = material.subject
        arrived = self._arrived(material, material.recordings().waveforms, subject.clips)
        samples = {
            "clip": subject.clips.astype(np.int32),
            "label": subject.examples.labels.cpu().numpy().astype(np.int32),
            **arrived,
        }
        return Outcome(self.metrics([samples], subject.scene), samples=samples)

    def _arrived(
        self, material: Material, sounds: torch.Tensor, clips: npt.NDArray[np.int64]
    ) -> dict[str, npt.NDArray[np.generic]]:
        """`score prediction fooled` of sounds `[n, T]` of clips `[n]` after the channel."""
        import torch

        from soundproof.measuring.judge import finite_logits

        channel = material.cell.channel
        assert channel is not None
        assert material.recordings is not None
        subject, recordings = material.subject, material.recordings()
        arrived = recordings.through(channel, coordinate(channel), sounds.to(recordings.waveforms), clips)
        logits = finite_logits(subject.module, recordings.represent(arrived))
        place = torch.from_numpy(np.searchsorted(subject.clips, clips)).to(logits.device)
        labels, given = subject.examples.labels[place], logits.argmax(dim=1)
        return {
            "score": margin(logits, labels).cpu().numpy(),
            "prediction": given.cpu().numpy().astype(np.int32),
            "fooled": (given != labels).cpu().numpy().astype(np.uint8),
        }

    def parts(self, samples: Samples, scene: Scene) -> dict[str, Part]:
        """Recognition of clips that nobody attacks; survival and fooling of attacks."""
        if "source_fooled" not in samples:
            return recognition(samples, scene)
        right = samples["heard"] > 0
        counted = {name: values[right] for name, values in samples.items()}
        return survival(samples) | fooling(counted)

    def partners(self, place: Place) -> Mapping[str, Place]:
        """The same classifier through the same channel, unattacked."""
        return {} if place.attack is None else {"unattacked": place.moved(attack=None)}

    def comparisons(
        self,
        samples: Sequence[Samples],  # noqa: ARG002
        partners: Mapping[str, Sequence[Samples]],
        scene: Scene,
    ) -> dict[str, Metric]:
        """The accuracy through the channel when nobody attacks."""
        rows = [recognition(each, scene)["accuracy"] for each in partners.get("unattacked", ())]
        return known({"accuracy": estimate(rows, scene.groups, bounds=bounds("accuracy"))})
