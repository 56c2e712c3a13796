"""The grey-box attacker of a defended classifier: it knows the classifier and ignores the defense."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from soundproof.measuring.metrics import cells
from soundproof.victim.goal import margin
from soundproof.victim.prediction import logits_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from soundproof.measuring.outcome import Outcome
    from soundproof.measuring.protocols.subject import Subject


def measure_grey(
    subject: Subject, informed: Outcome, undefended: Outcome, examples: torch.Tensor | None
) -> Outcome:
    """Try the examples of the same attack on the undefended classifier, beside those of the informed attacker.

    A clip that the undefended classifier gets wrong when clean has no example: it stays as it is.

    Args:
        subject: The defended classifier.
        informed: Its `bounded` outcome.
        undefended: The `bounded` outcome of the same classifier without the defense.
        examples: The examples of that outcome, `[n, ...]`; None if there was nothing to attack.

    Returns:
        The informed outcome with the metrics `grey_…` and the samples `grey_score` and `grey_fooled` beside it.
    """
    clips = informed.samples["clip"]
    rows = torch.from_numpy(np.searchsorted(subject.clips, clips)).to(subject.examples.labels.device)
    inputs, labels = subject.examples.inputs[rows].clone(), subject.examples.labels[rows]
    if examples is not None:
        _, here, there = np.intersect1d(clips, undefended.samples["clip"], return_indices=True)
        inputs[torch.from_numpy(here).to(inputs.device)] = examples[torch.from_numpy(there).to(inputs.device)]
    logits = logits_of(subject.module, inputs)
    samples: dict[str, npt.NDArray[Any]] = {
        **informed.samples,
        "grey_score": margin(logits, labels).cpu().numpy(),
        "grey_fooled": (logits.argmax(dim=1) != labels).cpu().numpy().astype(np.uint8),
    }
    grey = cells.grey_box([samples], [subject.clips], subject.groups)
    return replace(informed, metrics={**informed.metrics, **grey}, samples=samples)
