"""Protocol `realised`: the examples of `bounded` as sound, heard again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from soundproof.measuring.metrics.fooling import fooling, robust_accuracy, sizes
from soundproof.measuring.metrics.sounding import audible, survival
from soundproof.measuring.outcome import Outcome
from soundproof.measuring.protocols.base import AttackProtocol, Cost, Needs
from soundproof.measuring.protocols.bounded import Bounded
from soundproof.types import Status, Surface

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

    from soundproof.measuring.metrics.intervals import Part
    from soundproof.measuring.protocols.base import Cell, Material, Samples
    from soundproof.measuring.scene import Scene
    from soundproof.types import Budget


class Realised(AttackProtocol):
    """Survival of an attack on what a classifier sees when it is turned into sound, and what that sounds like."""

    id: ClassVar[str] = "realised"
    fields: ClassVar[tuple[str, ...]] = (
        *("clip", "clean_score", "score", "fooled", "source_fooled", "tested", "l2", "linf", "l0"),
        *("snr", "segmental_snr", "loudness_change", "audibility"),
    )
    leaves_examples: ClassVar[bool] = True
    asked: ClassVar[bool] = True

    def reason_to_skip(self, cell: Cell, budget: Budget) -> str | None:
        """Why what the attack changes cannot be turned into sound."""
        if budget.domain is Surface.WAVEFORM:
            return None
        return cell.classifier.trained.representation.reason_without_inverse()

    def needs(self, cell: Cell) -> Needs:
        """The classifier, and the examples."""
        return Needs((cell.classifier,), (cell.under(Bounded()),))

    def cost(self, cell: Cell, budget: Budget) -> Cost:  # noqa: ARG002
        """One look at every example."""
        return Cost()

    def measure(self, material: Material) -> Outcome:
        """Turn the examples into sounds, and show the classifier what these look like.

        Raises:
            FloatingPointError: The classifier gives NaN or infinite logits.
            ValueError: The representation's way back gives no sound.
        """
        import torch

        from soundproof.measuring.judge import judge
        from soundproof.victim.goal import Goal

        (bounded,) = self.needs(material.cell).cells
        source = material.outcomes[bounded]
        if bounded not in material.examples:
            return Outcome(status=Status.SKIPPED, reason=source.reason)
        assert material.recordings is not None
        subject, recordings = material.subject, material.recordings()
        clips = source.samples["clip"]
        place = torch.from_numpy(np.searchsorted(subject.clips, clips)).to(recordings.waveforms.device)
        clean, seen = recordings.waveforms[place], subject.examples.inputs[place]
        examples = material.examples[bounded].to(seen)
        sounds = recordings.realise(examples, clean)
        heard = recordings.represent(sounds)
        verdict = judge(subject.module, heard, seen, Goal(subject.examples.labels[place], None))
        samples = {
            "clip": clips,
            "clean_score": source.samples["clean_score"],
            "score": verdict.score.cpu().numpy(),
            "fooled": verdict.fooled.cpu().numpy().astype(np.uint8),
            "prediction": verdict.prediction.cpu().numpy().astype(np.int32),
            "source_fooled": source.samples["fooled"],
            "tested": source.samples["tested"],
            **{name: getattr(verdict, name).cpu().numpy() for name in ("l2", "linf", "l0")},
            "missed": (heard - examples).double().flatten(1).norm(dim=1).float().cpu().numpy(),
            **audibility(clean, sounds, recordings.rate),
        }
        return Outcome(self.metrics([samples], subject.scene), samples=samples, examples=sounds)

    def parts(self, samples: Samples, scene: Scene) -> dict[str, Part]:
        """Survival, fooling and robust accuracy of the sounds, their size as inputs and as sound."""
        as_attack = fooling(samples) | robust_accuracy(samples) | sizes(samples, scene)
        return survival(samples) | as_attack | audible(samples)


def audibility(clean: torch.Tensor, sounds: torch.Tensor, rate: int) -> dict[str, npt.NDArray[Any]]:
    """The samples of how large a change sounds, `[n]` each.

    Args:
        clean: Waveforms `[n, T]`.
        sounds: The same, changed.
        rate: Sampling rate, Hz.
    """
    from soundproof.sound.loudness import loudness
    from soundproof.sound.masking import Masking
    from soundproof.sound.ratios import segmental_snr, snr

    levels = [loudness(each.cpu().numpy(), rate) for each in (clean, sounds)]
    return {
        "snr": snr(clean, sounds).cpu().numpy(),
        "segmental_snr": segmental_snr(clean, sounds, rate).cpu().numpy(),
        "loudness_change": np.abs(levels[1] - levels[0]),
        "audibility": Masking(rate, clean.device).audible_share(clean, sounds).cpu().numpy(),
    }
