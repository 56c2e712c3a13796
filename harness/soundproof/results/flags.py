"""Flags: the one vocabulary of warnings beside numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEAKY, INCOMPLETE, FEWER_ATTACKS, UNGROUPED = "leaky", "incomplete", "fewer-attacks", "ungrouped"
UNSOUND = "unsound"


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
        "Some results behind this row do not fit their per-clip outcomes, and were left out: samples are missing, "
        "or belong to another run, or the classifier answers at random and does not say so.",
        unranks=True,
    ),
    UNGROUPED: Flag(
        "ungrouped",
        "Nothing says which clips come from one recording or speaker, so that some may be on both sides of the "
        "split. Recognition may look better than it is, and intervals narrower.",
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
