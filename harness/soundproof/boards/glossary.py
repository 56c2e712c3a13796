"""Words of the boards: how each of them is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERVALS = (
    "Every number stands with its 95 % interval; n is the number of distinct clips behind it. Intervals come "
    "from a bootstrap over source recordings, so that clips cut from one recording do not count as independent. "
    "A rank like 1–3 says that the clips do not settle the order of these: pairs are compared by the paired "
    "sign-flip test over recordings (McNemar's exact test where each recording is one clip), corrected by Holm's "
    "method for all pairs of the ranking, at 5 %."
)

_TWO_ATTACKERS = (
    "\n\nA defense faces two attackers. The informed one knows it and attacks the defended classifier itself, "
    "through whatever the defense does to inputs and gradients; the rank and the columns without a prefix are the "
    "informed attacker's. The grey-box one knows the classifier and ignores the defense: examples made against "
    "the undefended classifier are shown to the defended one. A defense that looks much stronger to the grey-box "
    "attacker than to the informed one hides examples and does not remove them."
)


def mean_over(attacks: Sequence[object]) -> str:
    """Attacks that means are over: `mean over 2 attacks: fgsm, bim-b`; empty where that is one or none."""
    return f"mean over {len(attacks)} attacks: {', '.join(map(str, attacks))}" if len(attacks) > 1 else ""


def how_to_read(budget: str, target: str, *, grey_box: bool, attacks: Sequence[object] = ()) -> dict[str, str]:
    """A paragraph for each board.

    Args:
        budget: The bound on the perturbation in words, e.g. `‖ε‖₂ ≤ 3`; empty if the run did not note it.
        target: The fooling AUC to exceed, likewise.
        grey_box: Whether there are numbers of the grey-box attacker.
        attacks: Those that means are over.
    """
    within = f" ({budget})" if budget else ""
    means = f" A summary is the {mean_over(attacks)}." if len(attacks) > 1 else ""
    until = f"exceeds {target}" if target else "exceeds the target"
    return {
        "accuracy": "How well each classifier recognises clean test clips, averaged over folds and seeds. Ranked "
        "by accuracy within a data set.",
        "robustness": f"Every attack gets the same budget{within} and goes for the clips that the classifier gets "
        "right. The rank goes by worst-case robust accuracy: the share of test clips that survive every attack, "
        "and every example made against another classifier. A fooling AUC of 0.5 means no effect, and it is 1 "
        "when every clip is fooled. A high place means that these attacks failed, not that the classifier is "
        "proven robust." + means + _TWO_ATTACKERS * grey_box,
        "cost": f"Every attack spends gradients until its fooling AUC first {until}. More gradients, more queries "
        "or a larger perturbation mean a classifier that is harder to fool. An ε ratio above 1 says how much "
        "larger the perturbation has to be because of the defense. A clip counts once it is fooled, and stands "
        "with its clean score until then; sizes are those of the smallest example that fools each clip." + means,
        "transferability": "Examples made against the source (rows) are shown to the target (columns). Each cell "
        "is the share that fools the target too, among those that fool the source and that the target gets right "
        "unattacked." + means,
        "sound": "What the attacks of the robustness board are worth to somebody who has to play a sound. Every "
        "example is turned back into a sound with the phase and level of its own clip, and heard again; then it "
        "is played through each channel. Survival is the share of what fooled before and still does. The row "
        "“nobody” is the accuracy through the channel when nobody attacks. A representation without a way back "
        "to sound has none; bench ls representation ID says what a sound of a changed input cannot carry.",
        "training": "How the classifiers were trained: the mean training loss of each epoch, and the score on the "
        "validation part by which the best epoch was kept, by default its accuracy. A line is one fold and seed. "
        "A model is trained once for all of its defenses; what a defense trains on top stands apart. Losses of "
        "different classifiers have different scales, and may be different losses.",
        "unscored": "Cells that were skipped, failed or turned out invalid. They never enter an average.",
    }
