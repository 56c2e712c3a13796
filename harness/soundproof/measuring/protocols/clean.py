"""Protocol `clean`: how well a classifier recognises the test clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.measuring.metrics import cells
from soundproof.measuring.outcome import Outcome
from soundproof.victim.goal import margin
from soundproof.victim.prediction import logits_of

if TYPE_CHECKING:
    from soundproof.measuring.protocols.subject import Subject


def measure_clean(subject: Subject) -> Outcome:
    """Predict every test clip.

    Raises:
        FloatingPointError: The classifier gives NaN or infinite logits.
    """
    logits = logits_of(subject.module, subject.examples.inputs)
    if not torch.isfinite(logits).all():
        raise FloatingPointError("the classifier gives NaN or infinite logits")
    labels = subject.examples.labels
    samples = {
        "clip": subject.clips.astype(np.int32),
        "label": labels.cpu().numpy().astype(np.int32),
        "prediction": logits.argmax(dim=1).cpu().numpy().astype(np.int32),
        "score": margin(logits, labels).cpu().numpy(),
    }
    return Outcome(cells.recognition([samples], subject.groups, subject.classes), samples)
