"""The measures of the boards: what each number is called, what it means, and where it stands.

One place, so that a column of the page, of the Markdown and of the CSV means the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Unit(StrEnum):
    """Unit of a measure: how it is written and drawn."""

    SHARE = "share"  # of clips, shown in percent
    AREA = "area"  # under a curve, 0 to 1
    LENGTH = "length"  # of a perturbation
    COUNT = "count"  # rows a clip, over orders of magnitude
    RATIO = "ratio"
    NUMBER = "number"  # that a defense reports of itself, in a unit of its own


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
    "roc_auc": Measure(
        "ROC AUC", "Area under the classifier's own ROC curve, for sets of two classes.", Unit.AREA
    ),
    "drop": Measure(
        "Drop",
        "Accuracy of the undefended minus that of the defended classifier, paired by clip.",
        Unit.SHARE,
    ),
    "robust_accuracy": Measure(
        "Robust accuracy",
        "Share of all test clips that are classified correctly both before and after the attack.",
        Unit.SHARE,
        "Worst case: the clip has to survive every attack of the table, and every example that the suite made "
        "against another classifier of the same inputs.",
    ),
    "fooling_rate": Measure(
        "Fooling rate",
        "Share of the attacked clips that are misclassified after the attack. Attacked are the test clips that "
        "the classifier gets right unattacked.",
        Unit.SHARE,
        "Worst case: the clip counts when any attack fools it, or an example made against another classifier.",
    ),
    "fooling_auc": Measure(
        "Fooling AUC",
        "ROC area of the wrong-class margin, attacked clips against their clean copies: 0.5 when the attack has "
        "no effect, 1 when it fools every clip.",
        Unit.AREA,
        "In the row of all attacks: the mean over them, without controls.",
    ),
    "targeted_rate": Measure(
        "Target rate", "Share of the attacked clips that are given the class the attack aims at.", Unit.SHARE
    ),
    "targeted_auc": Measure(
        "Target AUC",
        "ROC area of the wanted class's margin, attacked clips against their clean copies.",
        Unit.AREA,
    ),
    "grey_robust_accuracy": Measure(
        "Grey-box robust accuracy",
        "Robust accuracy against the attacker who knows the classifier and ignores its defense.",
        Unit.SHARE,
        "Worst case: the clip has to survive the grey-box examples of every attack.",
    ),
    "grey_fooling_rate": Measure(
        "Grey-box fooling rate",
        "Share of the attacked clips that the examples made against the undefended classifier fool here too.",
        Unit.SHARE,
        "Worst case: the clip counts when the grey-box example of any attack fools it.",
    ),
    "grey_fooling_auc": Measure(
        "Grey-box fooling AUC",
        "Fooling AUC of the examples made against the undefended classifier, shown to the defended one.",
        Unit.AREA,
        "In the row of all attacks: the mean over them.",
    ),
    "l2": Measure(
        "‖ε‖₂",
        "Length of the perturbation over all values that attacks may change, mean over the clips that are "
        "fooled. It grows with the input size D; compare the RMS between representations.",
        Unit.LENGTH,
    ),
    "rms": Measure("RMS", "‖ε‖₂ / √D: how much one input value changes, on a scale from 0 to 1.", Unit.LENGTH),
    "relative": Measure(
        "‖ε‖₂ / ‖x‖₂",
        "Length of the perturbation as a share of the length of what it is added to, mean over the "
        "clips that are fooled. It compares representations of different size and scale.",
        Unit.RATIO,
    ),
    "level": Measure(
        "ε dB",
        "The same in decibels, 20 log₁₀: −40 dB is a hundredth. Of pictures it says nothing of how it sounds.",
        Unit.NUMBER,
    ),
    "snr": Measure(
        "SNR dB",
        "Signal over perturbation in the sound itself, 20 log₁₀(‖x‖₂/‖ε‖₂), mean over the clips that are fooled. "
        "The higher, the quieter the attack: a classifier that falls at 40 dB falls to what few would hear.",
        Unit.NUMBER,
    ),
    "input_l2": Measure(
        "‖Δ input‖₂",
        "By how much the change of the sound moved what the classifier sees, over all values of its input, "
        "mean over the clips that are fooled. Nothing bounds it: the budget is of the sound.",
        Unit.LENGTH,
    ),
    "linf": Measure("‖ε‖∞", "Largest change of an input value, mean over the clips that are fooled.", Unit.LENGTH),
    "l0": Measure(
        "ε ≠ 0", "Share of the input values that change, mean over the clips that are fooled.", Unit.SHARE
    ),
    "gradients": Measure(
        "Gradients", "Mean number of backward passes through the classifier for one attacked clip.", Unit.COUNT
    ),
    "queries": Measure(
        "Queries", "Mean number of forward passes through the classifier for one attacked clip.", Unit.COUNT
    ),
    "refining_gradients": Measure(
        "Refining gradients",
        "Backward passes spent on knowing the size of each clip's perturbation better than the ladder of radii "
        "does. They are no cost of the attack.",
        Unit.COUNT,
    ),
    "refining_queries": Measure("Refining queries", "Forward passes spent on the same.", Unit.COUNT),
    "training_gradients": Measure(
        "Training gradients",
        "Backward passes that a defense spent on attacks of its own while it was trained, a training clip. They "
        "are the price of the defense and no cost of an attack.",
        Unit.COUNT,
    ),
    "reach_l2": Measure(
        "‖ε‖₂ at reach",
        "Mean ‖ε‖₂ that the attacks of the cost board need to reach their target. Of classifiers with the same "
        "worst case the one that needs more stands first.",
        Unit.LENGTH,
    ),
    "epsilon_ratio": Measure(
        "ε ratio",
        "Mean ‖ε‖₂ that the attack needs against the defended model, over that against the undefended one. Above "
        "1 the defense makes the attack more expensive.",
        Unit.RATIO,
    ),
    "certified_accuracy": Measure(
        "Certified accuracy",
        "Share of all test clips whose right class is proven to stand within the radius of the attacks, at a "
        "confidence of 99.9 % a clip: a vote over 1000 noisy copies, after 100 that guess the class. It is a "
        "lower end of robust accuracy, which attacks bound from above.",
        Unit.SHARE,
    ),
    "smoothed_accuracy": Measure(
        "Accuracy of the vote",
        "Share of the test clips whose vote over noisy copies is settled and right.",
        Unit.SHARE,
    ),
    "certified_radius": Measure(
        "Certified radius",
        "‖ε‖₂ within which the vote provably stands, mean over all test clips; 0 where it is wrong or abstains.",
        Unit.LENGTH,
    ),
    "abstention": Measure("Abstentions", "Share of the test clips whose vote settles no class.", Unit.SHARE),
    "survival": Measure(
        "Survival",
        "Of the clips that the attack fools before, the share that still is: turned from what the classifier sees "
        "into a sound and heard again, or played through a channel. Through a channel only clips count that the "
        "classifier gets right through it when nobody attacks, so that a channel that breaks the classifier is no "
        "defense.",
        Unit.SHARE,
    ),
    "segmental_snr": Measure(
        "Segmental SNR dB",
        "Mean of the signal-to-noise ratios of 30 ms frames, each held to −10 … 35 dB, mean over the clips that "
        "are fooled. It is low where the attack is heard in quiet passages.",
        Unit.NUMBER,
    ),
    "loudness_change": Measure(
        "ΔLUFS",
        "By how much the attack makes the clip louder or quieter, in loudness units (ITU-R BS.1770), mean over "
        "the clips that are fooled.",
        Unit.NUMBER,
    ),
    "audibility": Measure(
        "Audible",
        "Share of the perturbation's energy, over time and frequency, that lies above what the clip masks and "
        "above the threshold of hearing, the clip's loudest part played at 96 dB; mean over the clips that are "
        "fooled.",
        Unit.SHARE,
    ),
    "transfer_ratio": Measure(
        "Transfer ratio",
        "Of the examples that fool the source and that the target classifies correctly unattacked, the share "
        "that fools the target.",
        Unit.SHARE,
    ),
}
# Before the names of what defenses report of themselves, so that no name of theirs is taken for a metric.
REPORT = "report_"
DIMENSION = Measure(
    "D",
    "How many values attacks may change: of a classifier's input, or samples where they change the sound.",
    Unit.COUNT,
)

BOARDS: Mapping[str, tuple[str, ...]] = {
    "accuracy": ("accuracy", "precision", "recall", "f1", "eer"),
    "robustness": (
        *("robust_accuracy", "fooling_rate", "fooling_auc"),
        *("l2", "rms", "linf", "l0", "gradients", "queries"),
    ),
    "cost": ("gradients", "queries", "fooling_rate", "fooling_auc", "l2", "rms", "epsilon_ratio"),
    "transferability": ("transfer_ratio",),
    "sound": (
        *("survival", "fooling_rate", "fooling_auc", "l2", "rms"),
        *("snr", "segmental_snr", "loudness_change", "audibility", "accuracy"),
    ),
}
# Shown where something has them.
_FURTHER: Mapping[str, tuple[str, ...]] = {
    "accuracy": ("roc_auc", "drop", "training_gradients"),
    "robustness": (
        *("snr", "input_l2", "reach_l2", "relative", "level"),
        *("targeted_rate", "targeted_auc"),
        *("grey_robust_accuracy", "grey_fooling_rate", "grey_fooling_auc"),
        *("certified_accuracy", "certified_radius", "smoothed_accuracy", "abstention"),
    ),
    "cost": (
        "snr",
        "input_l2",
        "relative",
        "level",
        "targeted_rate",
        "targeted_auc",
        "linf",
        "l0",
        "refining_gradients",
        "refining_queries",
    ),
}


def measure(name: str) -> Measure:
    """The words of a measure; one that a defense reports of itself is titled by the name it gave."""
    if not name.startswith(REPORT):
        return MEASURES[name]
    given = name.removeprefix(REPORT)
    words = given.removesuffix("_db").replace("_", " ").strip()
    title = words[:1].upper() + words[1:] + (" dB" if given.endswith("_db") else "")
    meaning = "What a defense measured of itself when it was trained, on clips that it was not trained on."
    return Measure(title, meaning, Unit.NUMBER)


def columns(board: str, measured: Collection[str]) -> tuple[str, ...]:
    """The measures of a board: always its own, and of all further ones those that something has.

    Args:
        board: Its name.
        measured: The metrics of its rows.
    """
    own, further = BOARDS[board], _FURTHER.get(board, ())
    reported = sorted(name for name in measured if name.startswith(REPORT))
    return (*own, *(name for name in further if name in measured), *reported)
