"""The transferability board as matrices: sources down, targets across, one value for each attack in a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundproof.measuring.classifier import BASELINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from soundproof.boards.entries import Boards, Transfer, Variant

MEAN = "mean over attacks"


@dataclass(frozen=True)
class Matrix:
    """All transfers among the classifiers of one data set and representation.

    Attributes:
        dataset: Its label.
        representation: Its label; examples only move between classifiers that hear through the same one.
        sources: The rows.
        targets: The columns.
        attacks: What can be chosen; the mean over attacks first where there are several.
        entries: By attack, source and target.
    """

    dataset: str
    representation: str
    sources: tuple[Variant, ...]
    targets: tuple[Variant, ...]
    attacks: tuple[str, ...]
    entries: Mapping[tuple[str, Variant, Variant], Transfer]

    @property
    def single(self) -> tuple[str, ...]:
        """The attacks without their mean."""
        return tuple(attack for attack in self.attacks if attack != MEAN)


def matrices(boards: Boards) -> list[Matrix]:
    """The matrices in the order of the boards."""
    groups: dict[tuple[str, str], list[Transfer]] = {}
    for entry in boards.transfers:
        groups.setdefault((entry.classifier.dataset, entry.classifier.representation), []).append(entry)
    return [_matrix(dataset, representation, group) for (dataset, representation), group in groups.items()]


def _matrix(dataset: str, representation: str, group: list[Transfer]) -> Matrix:
    attacks = sorted({entry.attack for entry in group if entry.attack is not None})
    mean = [MEAN] if any(entry.attack is None for entry in group) else []
    return Matrix(
        dataset=dataset,
        representation=representation,
        sources=_ordered(entry.classifier.variant for entry in group),
        targets=_ordered(entry.target for entry in group),
        attacks=(*mean, *attacks),
        entries={(entry.attack or MEAN, entry.classifier.variant, entry.target): entry for entry in group},
    )


def _ordered(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """By model, the undefended one before the defended."""
    return tuple(sorted(set(variants), key=lambda each: (each.model, each.defense != BASELINE, each.defense)))
