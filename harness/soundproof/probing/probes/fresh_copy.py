"""A fresh copy of the classifier re-predicts what its attacks left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.victim.prediction import logits_of

if TYPE_CHECKING:
    from soundproof.probing.examined import Arrays, Examined


def fresh_copy(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """`<attack>`: clips on which a copy that has seen nothing disagrees with what was recorded, int32 `[k]`.

    The copy sees attacked clips before clean ones: who remembers clean clips has none to remember then. At last
    `clean`: clips that it gets wrong and the classifier got right, and `attacked`: clips that the classifier now
    gets right and did not when it was attacked, or the other way round.
    """
    copy, subject, found = examined.fresh(), examined.attacked.subject, {}
    now, others = examined.attacked.clips, np.zeros(0, np.int64)
    for each in examined.tried:
        if each.examples is None or each.samples is None:
            continue
        clips = each.samples["clip"]
        index = torch.from_numpy(np.searchsorted(subject.clips, clips)).to(examined.clean.device)
        wrong = logits_of(copy, each.examples).argmax(dim=1) != subject.examples.labels[index]
        found[each.name] = clips[wrong.cpu().numpy() != (each.samples["fooled"] > 0)]
        others = np.union1d(others, np.setxor1d(clips, now))
        examined.spent.queries += len(clips)
    wrong = logits_of(copy, examined.clean).argmax(dim=1) != examined.labels
    examined.spent.queries += len(now)
    return {**found, "clean": now[wrong.cpu().numpy()], "attacked": others}
