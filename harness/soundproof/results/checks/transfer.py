"""Transfer against white box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof.measuring.metrics.fooling import fooled_within
from soundproof.results.checks.base import Case, Check, Look, not_applicable

if TYPE_CHECKING:
    from soundproof.results.files import Row


def look(case: Case) -> Look:
    """Clips fooled by an example of another classifier and by no attack on this one."""
    others = [(row, fields) for row, fields in case.transfers if row.defense != GREY or not _own(case, row)]
    if not others or not case.informed:
        return not_applicable("no examples of other classifiers were tried on it")
    known = case.fooled_by(case.bounded)
    moved = {int(clip) for _, fields in others for clip in fields["clip"][fooled_within(fields)]}
    return case.judged(f"examples of {len(others)} rows of other classifiers", sorted(moved - known))


GREY = {"id": "none"}


def _own(case: Case, row: Row) -> bool:
    """Whether the source is the same model without its defense: that is the grey-box attacker."""
    return any(row.model == each.model for each in case.rows if each.protocol == "clean")


CHECK = Check(
    id="transfer",
    number=9,
    title="Do examples of other classifiers find more?",
    source="Carlini et al. 2019",
    flag="transfer-wins",
    remedy="Attack with more steps or another loss: strongest.",
    look=look,
    after=(
        "attack-batch",
        "identity",
        "zero-gradients",
        "saturation",
        "directions",
        "logits",
        "neighbours",
        "recognition",
        "randomness",
        "repetition",
        "modes",
        "batch",
        "fresh-copy",
        "silent-success",
        "idle",
        "unspent",
        "grey-box",
        "one-step",
    ),
)
