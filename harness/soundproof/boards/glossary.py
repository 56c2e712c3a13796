"""The words of the boards: every flag with its meaning, and how each board is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Flag:
    """A warning beside a number.

    Attributes:
        title: On the badge.
        meaning: What it says about the number.
        unranks: Whether a row that carries it gets no rank.
    """

    title: str
    meaning: str
    unranks: bool


FLAGS: Mapping[str, Flag] = {
    "leaky": Flag(
        "leaky",
        "Clips of one recording are in the training and in the test part, as in some papers. Recognition looks "
        "better than it is.",
        unranks=True,
    ),
    "incomplete": Flag(
        "incomplete",
        "Cells behind this row failed or were invalid, so it averages fewer folds or attacks than others.",
        unranks=True,
    ),
    "fewer-attacks": Flag(
        "fewer attacks",
        "Some attacks of this table cannot run on this classifier. Its worst case is over fewer attacks than its "
        "neighbours'.",
        unranks=False,
    ),
    "not-reached": Flag(
        "not reached",
        "The attack spent its budget before the fooling AUC exceeded the target; such cells enter no average.",
        unranks=False,
    ),
    "random-start": Flag(
        "random start",
        "No published weights were given, so the network was trained from random ones. Its numbers are not those "
        "of the published model.",
        unranks=False,
    ),
}

UNKNOWN = "A warning that this version has no words for; the results say more."

INTERVALS = (
    "Every number stands with its 95 % interval and n, the number of distinct clips behind it. Intervals come "
    "from a bootstrap over source recordings, so that clips cut from one recording do not count as independent. "
    "Where intervals overlap widely, the order of two rows is not settled."
)

_TWO_ATTACKERS = (
    "\n\nA defense faces two attackers. The informed one knows it and attacks the defended classifier itself, "
    "through whatever the defense does to inputs and gradients; the rank and the columns without a prefix are the "
    "informed attacker's. The grey-box one knows the classifier and ignores the defense: examples made against "
    "the undefended classifier are shown to the defended one. A defense that looks much stronger to the grey-box "
    "attacker than to the informed one hides examples and does not remove them."
)


def unranked(flags: Iterable[str]) -> bool:
    """Whether any of the flags takes the rank away."""
    return any(flag in FLAGS and FLAGS[flag].unranks for flag in flags)


def how_to_read(budget: str, target: str, *, grey_box: bool) -> dict[str, str]:
    """A paragraph for each board.

    Args:
        budget: The bound on the perturbation in words, e.g. `‖ε‖₂ ≤ 3`; empty if the run did not note it.
        target: The fooling AUC to exceed, likewise.
        grey_box: Whether there are numbers of the grey-box attacker.
    """
    within = f" ({budget})" if budget else ""
    until = f"exceeds {target}" if target else "exceeds the target"
    return {
        "accuracy": "How well each classifier recognises clean test clips, averaged over folds and seeds. Ranked "
        "by accuracy within a data set.",
        "robustness": f"Every attack gets the same budget{within} and goes for the clips that the classifier gets "
        "right. The rank goes by worst-case robust accuracy: the share of test clips that survive every attack. A "
        "fooling AUC of 0.5 means no effect, and it is 1 when every clip is fooled. A high place means that these "
        "attacks failed, not that the classifier is proven robust." + _TWO_ATTACKERS * grey_box,
        "cost": f"Every attack spends gradients until its fooling AUC first {until}. More gradients, more queries "
        "or a larger perturbation mean a classifier that is harder to fool. An ε ratio above 1 says how much "
        "larger the perturbation has to be because of the defense. The AUC can exceed the target before a clip is "
        "fooled, so the fooling rate stands beside the cost.",
        "transferability": "Examples made against the source (rows) are shown to the target (columns). Each cell "
        "is the share that fools the target too, among those that fool the source and that the target gets right "
        "unattacked.",
        "training": "How the classifiers were trained: the mean training loss of each epoch, and the score on the "
        "validation part by which the best epoch was kept, by default its accuracy. A line is one fold and seed. "
        "A model is trained once for all of its defenses; what a defense trains on top stands apart. Losses of "
        "different classifiers have different scales, and may be different losses.",
        "unscored": "Cells that were skipped, failed or turned out invalid. They never enter an average.",
    }
