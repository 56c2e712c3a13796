"""Protocol `transfer`: the share of one classifier's examples that fool another one too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.measuring.metrics import cells
from soundproof.measuring.outcome import Outcome
from soundproof.types import Status
from soundproof.victim.prediction import logits_of

if TYPE_CHECKING:
    from soundproof.measuring.protocols.subject import Subject


def measure_transfer(target: Subject, examples: torch.Tensor, source: Outcome, clean: Outcome) -> Outcome:
    """Try examples that fool the source on the clips that the target gets right when clean.

    Args:
        target: The classifier tested; of it only the module and the groups are used.
        examples: The source's `bounded` examples.
        source: The source's `bounded` outcome.
        clean: The target's `clean` outcome.
    """
    right = clean.samples["clip"][clean.samples["label"] == clean.samples["prediction"]]
    eligible = (source.samples["fooled"] > 0) & np.isin(source.samples["clip"], right)
    if not eligible.any():
        reason = "no example fools the source on a clip that the target gets right when clean"
        return Outcome(status=Status.SKIPPED, reason=reason)
    clips = source.samples["clip"][eligible]
    order = np.argsort(clean.samples["clip"])
    rows = order[np.searchsorted(clean.samples["clip"], clips, sorter=order)]
    moved = examples[torch.from_numpy(eligible).to(examples.device)]
    decided = logits_of(target.module, moved).argmax(dim=1).cpu().numpy()
    samples = {"clip": clips, "fooled": (decided != clean.samples["label"][rows]).astype(np.uint8)}
    return Outcome(cells.transfer([samples], target.groups), samples)
