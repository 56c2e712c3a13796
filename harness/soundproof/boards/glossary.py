"""The words of the boards: every measure and flag with its meaning, and how each board is read.

One place, so that a column of the page, of the Markdown and of the CSV means the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Unit(StrEnum):
    """How a measure is written and drawn."""

    SHARE = "share"  # of clips, shown in percent
    AREA = "area"  # under a curve, 0 to 1
    LENGTH = "length"  # of a perturbation
    COUNT = "count"  # rows a clip, over orders of magnitude
    RATIO = "ratio"


@dataclass(frozen=True)
class Measure:
    """One column of numbers.

    Attributes:
        title: Its heading.
        meaning: A sentence or two for the tooltip and the glossary.
        unit: How it is written.
        worst_case: What it means in the row that takes all attacks together, where that differs.
    """

    title: str
    meaning: str
    unit: Unit
    worst_case: str = ""


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


MEASURES: Mapping[str, Measure] = {
    "accuracy": Measure(
        "Accuracy", "Share of the test clips that are classified correctly, unattacked.", Unit.SHARE
    ),
    "precision": Measure(
        "Precision", "Share of the clips given a class that belong to it; the mean over classes.", Unit.SHARE
    ),
    "recall": Measure(
        "Recall", "Share of the clips of a class that are given it; the mean over classes.", Unit.SHARE
    ),
    "f1": Measure("F1", "Harmonic mean of precision and recall of a class; the mean over classes.", Unit.SHARE),
    "eer": Measure(
        "EER",
        "Equal error rate, for sets of two classes: the rate of false acceptance where it equals that of false "
        "rejection. Lower is better.",
        Unit.SHARE,
    ),
    "robust_accuracy": Measure(
        "Robust accuracy",
        "Share of all test clips that are classified correctly both before and after the attack.",
        Unit.SHARE,
        "Worst case: the clip has to survive every attack of the table.",
    ),
    "fooling_rate": Measure(
        "Fooling rate",
        "Share of the attacked clips that are misclassified after the attack. Attacked are the test clips that "
        "the classifier gets right unattacked.",
        Unit.SHARE,
        "Worst case: the clip counts when any attack fools it.",
    ),
    "fooling_auc": Measure(
        "Fooling AUC",
        "ROC area of the wrong-class margin, attacked clips against their clean copies: 0.5 when the attack has "
        "no effect, 1 when it fools every clip.",
        Unit.AREA,
        "In the row of all attacks: the mean over them.",
    ),
    "l2": Measure(
        "‖ε‖₂",
        "Length of the perturbation over all values of a classifier's input, mean over the clips that are fooled. "
        "It grows with the input size D; compare the RMS between representations.",
        Unit.LENGTH,
    ),
    "rms": Measure("RMS", "‖ε‖₂ / √D: how much one input value changes, on a scale from 0 to 1.", Unit.LENGTH),
    "gradients": Measure(
        "Gradients", "Mean number of backward passes through the classifier for one attacked clip.", Unit.COUNT
    ),
    "queries": Measure(
        "Queries", "Mean number of forward passes through the classifier for one attacked clip.", Unit.COUNT
    ),
    "epsilon_ratio": Measure(
        "ε ratio",
        "Mean ‖ε‖₂ that the attack needs against the defended model, over that against the undefended one. Above "
        "1 the defense makes the attack more expensive.",
        Unit.RATIO,
    ),
    "transfer_ratio": Measure(
        "Transfer ratio",
        "Of the examples that fool the source and that the target classifies correctly unattacked, the share that "
        "fools the target.",
        Unit.SHARE,
    ),
}
DIMENSION = Measure("D", "How many values one input of the classifier has.", Unit.COUNT)

BOARDS: Mapping[str, tuple[str, ...]] = {
    "accuracy": ("accuracy", "precision", "recall", "f1", "eer"),
    "robustness": ("robust_accuracy", "fooling_rate", "fooling_auc", "l2", "rms", "gradients", "queries"),
    "cost": ("gradients", "queries", "fooling_rate", "l2", "rms", "epsilon_ratio"),
    "transferability": ("transfer_ratio",),
}

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
}

UNKNOWN = "A warning that this version has no words for; the results say more."

INTERVALS = (
    "Every number stands with its 95 % interval and n, the number of distinct clips behind it. Intervals come "
    "from a bootstrap over source recordings, so that clips cut from one recording do not count as independent. "
    "Where intervals overlap widely, the order of two rows is not settled."
)


def unranked(flags: Iterable[str]) -> bool:
    """Whether any of the flags takes the rank away."""
    return any(flag in FLAGS and FLAGS[flag].unranks for flag in flags)


def how_to_read(budget: str, target: str) -> dict[str, str]:
    """A paragraph for each board.

    Args:
        budget: The bound on the perturbation in words, e.g. `‖ε‖₂ ≤ 3`; empty if the run did not note it.
        target: The fooling AUC to exceed, likewise.
    """
    within = f" ({budget})" if budget else ""
    until = f"exceeds {target}" if target else "exceeds the target"
    return {
        "accuracy": "How well each classifier recognises clean test clips, averaged over folds and seeds. Ranked "
        "by accuracy within a data set.",
        "robustness": f"Every attack gets the same budget{within} and goes for the clips that the classifier gets "
        "right. The rank goes by worst-case robust accuracy: the share of test clips that survive every attack. A "
        "fooling AUC of 0.5 means no effect, and it is 1 when every clip is fooled. A high place means that these "
        "attacks failed, not that the classifier is proven robust.",
        "cost": f"Every attack spends gradients until its fooling AUC first {until}. More gradients, more queries "
        "or a larger perturbation mean a classifier that is harder to fool. An ε ratio above 1 says how much "
        "larger the perturbation has to be because of the defense. The AUC can exceed the target before a clip is "
        "fooled, so the fooling rate stands beside the cost.",
        "transferability": "Examples made against the source (rows) are shown to the target (columns). Each cell "
        "is the share that fools the target too, among those that fool the source and that the target gets right "
        "unattacked.",
        "unscored": "Cells that were skipped, failed or turned out invalid. They never enter an average.",
    }
