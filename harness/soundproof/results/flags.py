"""Flags: the one vocabulary of warnings beside numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEAKY, INCOMPLETE, FEWER_ATTACKS, UNGROUPED = "leaky", "incomplete", "fewer-attacks", "ungrouped"
UNSOUND = "unsound"
# What attacks on the sound of a representation without gradients of its own go by.
SURROGATE = "surrogate-gradient"
# What checks raise where too few clips speak, and where they could not look.
HINT, UNCHECKED = "hint", "unchecked"
# What became of a submission (docs/submissions.md).
VERIFIED, CLAIMED = "verified", "claimed"
FETCHED = "fetched"


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
    LEAKY: Flag(
        "leaky",
        "Clips of one recording are in the training and in the test part, as in some papers. Recognition looks "
        "better than it is.",
        unranks=True,
    ),
    INCOMPLETE: Flag(
        "incomplete",
        "Cells behind this row failed or were invalid, so it averages fewer folds or attacks than others.",
        unranks=True,
    ),
    FEWER_ATTACKS: Flag(
        "fewer attacks",
        "Some attacks of this table cannot run on this classifier. Its worst case is over fewer attacks than its "
        "neighbours'.",
        unranks=False,
    ),
    UNSOUND: Flag(
        "unsound",
        "Some results behind this row do not fit their per-clip outcomes, and were left out: samples are "
        "missing, or belong to another run, or the classifier answers at random and does not say so.",
        unranks=True,
    ),
    VERIFIED: Flag(
        "verified",
        "Submitted as a file of examples, and scored again on a network that was made here. What the attack spent "
        "is its maker's word.",
        unranks=False,
    ),
    CLAIMED: Flag(
        "claimed",
        "Submitted as a file of examples, and scored on the network that came with them: that this is the network "
        "of the suite, and what the attack spent, is its maker's word.",
        unranks=True,
    ),
    "misnamed-classes": Flag(
        "misnamed classes",
        "The classifier is right far more often after its outputs are renamed: they are in another order than the "
        "data set's classes. Nothing here is about its robustness.",
        unranks=True,
    ),
    FETCHED: Flag(
        "fetched",
        "The network was not trained here: its weights were fetched, and made by other versions, on another "
        "machine, or rounded. Numbers can differ from those of one trained here as those of another seed do.",
        unranks=False,
    ),
    UNGROUPED: Flag(
        "ungrouped",
        "Nothing says which clips come from one recording or speaker, so that some may be on both sides of the "
        "split. Recognition may look better than it is, and intervals narrower.",
        unranks=False,
    ),
    SURROGATE: Flag(
        "surrogate gradient",
        "The representation has no gradient of its own. Attacks on the sound went by one that it declares in its "
        "place; a better one might find more.",
        unranks=False,
    ),
    "outside-budget": Flag(
        "outside the budget",
        "An attack returned examples that are larger than allowed, outside of [0, 1], or no numbers. They count "
        "for nothing, so that nothing is known of this attack.",
        unranks=True,
    ),
    "changes-at-zero": Flag(
        "changes at radius 0",
        "An attack that is allowed no change changes clips all the same. What it reports for other radii is not "
        "what it was asked for.",
        unranks=True,
    ),
    "stateful": Flag(
        "remembers",
        "A fresh copy of the classifier decides differently from the one that was attacked: it keeps something "
        "between calls. Nobody who is attacked starts with such a memory.",
        unranks=True,
    ),
    "undeclared-randomness": Flag(
        "random, unsaid",
        "The classifier answers differently each time and its defense does not say so. Attacks then fail by "
        "chance, not because of robustness; averaged over draws they may not.",
        unranks=True,
    ),
    "two-faced": Flag(
        "two-faced",
        "The classifier answers differently when gradients are wanted from when they are not. What is attacked "
        "is not what is judged.",
        unranks=True,
    ),
    "batch-dependent": Flag(
        "depends on the batch",
        "A clip's class depends on which other clips stand beside it in the batch. Its numbers hold for this "
        "batch only.",
        unranks=True,
    ),
    "batch-dependent-attack": Flag(
        "attack depends on the batch",
        "An attack fools clips alone that it leaves alone in company: it stops or steps by what the whole batch "
        "does. It is weaker here than it could be.",
        unranks=True,
    ),
    "probabilities": Flag(
        "probabilities",
        "The classifier gives probabilities where logits are due. Attacks that take them for logits see almost "
        "flat losses and look weaker than they are.",
        unranks=True,
    ),
    "zero-gradients": Flag(
        "no gradients",
        "The classifier's gradients are exactly zero, so that attacks which follow them stand still. That hides "
        "adversarial examples and removes none.",
        unranks=True,
    ),
    "saturated": Flag(
        "saturated",
        "Logits are so large, or so small, that the loss attacks climb is flat in floating point, on clips that "
        "no attack fooled. Another loss sees the slope.",
        unranks=True,
    ),
    "wrong-gradients": Flag(
        "wrong gradients",
        "What the classifier gives for its gradient is not the slope that it has: following it leads nowhere.",
        unranks=True,
    ),
    "shattered": Flag(
        "shattered",
        "The classifier's output jumps about between neighbouring inputs. Gradients there say nothing of the way "
        "to go.",
        unranks=True,
    ),
    "recognises-clips": Flag(
        "knows the clips",
        "Changes far too small to be an attack turn decisions: the classifier treats the unchanged clips as "
        "known. Its accuracy is that of recordings it has met.",
        unranks=True,
    ),
    "trained-on-test": Flag(
        "trained on test clips",
        "Tested clips are among those that the classifier was trained on.",
        unranks=True,
    ),
    "black-box-wins": Flag(
        "black box wins",
        "Attacks that only see outputs fool clips that none of those with gradients fools. Somebody who knows "
        "more cannot be worse off, so those with gradients failed.",
        unranks=True,
    ),
    "transfer-wins": Flag(
        "transfer wins",
        "Examples made against other classifiers fool clips that no attack on this classifier itself fools: "
        "those attacks failed.",
        unranks=True,
    ),
    "grey-box-wins": Flag(
        "ignorance wins",
        "The attacker who ignores the defense fools more clips than the one who knows it: the informed attack "
        "does not get through the defense.",
        unranks=True,
    ),
    "noise-wins": Flag(
        "noise wins",
        "Random noise fools clips that no attack fools: the attacks failed.",
        unranks=True,
    ),
    "one-step-wins": Flag(
        "one step wins",
        "An attack of one step fools more clips than one of many, within the same ball: the longer one failed.",
        unranks=True,
    ),
    "resists-anything": Flag(
        "resists anything",
        "Attacks of many steps fail even where every input is within reach, and there an example always exists.",
        unranks=True,
    ),
    "silent-success": Flag(
        "silent success",
        "An attack met examples that fool and returned others that do not.",
        unranks=True,
    ),
    "idle-attack": Flag(
        "idle attack",
        "An attack returned the clips unchanged, although it fooled none of them.",
        unranks=True,
    ),
    "unspent-radius": Flag(
        "radius unspent",
        "An attack failed on clips without using half of the change it was allowed: its steps are too short or "
        "too few.",
        unranks=True,
    ),
    "unconverged": Flag(
        "not converged",
        "An attack was still making headway when it ended. With more steps it would fool more, or with less.",
        unranks=False,
    ),
    "not-monotone": Flag(
        "not monotone",
        "An attack of many steps fools fewer clips within a larger ball than within a smaller one, which lies "
        "inside of it.",
        unranks=False,
    ),
    "restarts-matter": Flag(
        "luck",
        "Running an attack again with other random numbers fools further clips.",
        unranks=False,
    ),
    "dynamic": Flag(
        "dynamic",
        "The classifier differentiates something while it predicts. Attacks made for fixed networks underrate "
        "what could be done.",
        unranks=False,
    ),
    "no-ablation": Flag(
        "no ablation",
        "Nothing shows what the defense adds: it has no exact gradients, and no attack on the undefended "
        "classifier was tried on it.",
        unranks=False,
    ),
    "unequal-effort": Flag(
        "unequal effort",
        "An attack spent far less on clips of this classifier that it did not fool than on those of another one.",
        unranks=False,
    ),
    "far-from-optimal": Flag(
        "far examples",
        "On a classifier whose distances are known, an attack needs more than 5 % above the shortest change.",
        unranks=False,
    ),
    "few-classes": Flag(
        "few classes",
        "An attack names a loss that does not exist for so few classes.",
        unranks=False,
    ),
    HINT: Flag(
        "hint",
        "A check found some clips that speak against these numbers: too few to be no accident.",
        unranks=False,
    ),
    UNCHECKED: Flag(
        "unchecked",
        "The checks of this classifier did not run, so nothing says whether its numbers can be believed.",
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


def unranked(flags: Iterable[str]) -> bool:
    """Whether any of the flags takes the rank away."""
    return any(flag in FLAGS and FLAGS[flag].unranks for flag in flags)
