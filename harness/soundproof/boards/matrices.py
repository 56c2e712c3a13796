"""The transferability board as matrices: sources down, targets across, one value for each attack in a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from soundproof.boards.entries import Boards, Transfer
    from soundproof.boards.names import Called, Variant

MEAN = "mean over attacks"


@dataclass(frozen=True)
class Matrix:
    """All transfers among the classifiers of one data set and representation.

    Attributes:
        dataset: Its name.
        representation: Its name; examples only move between classifiers that hear through the same one.
        sources: The rows.
        targets: The columns.
        attacks: What can be chosen; the mean over attacks first where there are several.
        entries: By attack, source and target.
    """

    dataset: Called
    representation: Called
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
    groups: dict[tuple[Called, Called], list[Transfer]] = {}
    for entry in boards.transfers:
        groups.setdefault((entry.name.dataset, entry.name.representation), []).append(entry)
    return [_matrix(dataset, representation, group) for (dataset, representation), group in groups.items()]


def _matrix(dataset: Called, representation: Called, group: list[Transfer]) -> Matrix:
    attacks = [str(name) for name in sorted({entry.attack for entry in group if entry.attack is not None})]
    mean = [MEAN] if any(entry.attack is None for entry in group) else []
    return Matrix(
        dataset=dataset,
        representation=representation,
        sources=_ordered(entry.name.variant for entry in group),
        targets=_ordered(entry.target for entry in group),
        attacks=(*mean, *attacks),
        entries={(str(entry.attack or MEAN), entry.name.variant, entry.target): entry for entry in group},
    )


def _ordered(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """By model, the undefended one before the defended."""
    return tuple(sorted(set(variants), key=lambda each: (each.model, not each.undefended, each.defense)))
