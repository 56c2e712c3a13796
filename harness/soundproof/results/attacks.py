"""Attacks of a run that count: controls are none, and means are over those of the papers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof.types import Access

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from soundproof.results.files import Results, Row

# The attacks that arXiv 2008.11618 and its sequel average over.
PAPERS = ("fgsm", "bim-a", "bim-b", "jsma", "deepfool", "cwa", "lbfgs", "pia")


def controls(results: Results) -> frozenset[str]:
    """Ids of attacks that are none, as their plugins declare it."""
    return frozenset(
        entry["id"]
        for entry in results.run.get("components") or ()
        if entry.get("kind") == "attack" and (entry.get("capabilities") or {}).get("access") == Access.CONTROL
    )


def averaged(rows: Iterable[Row], controls: Collection[str]) -> frozenset[str]:
    """Ids of the attacks that means are over: of those of some rows the papers', else all that are no controls."""
    ids = {row.attack["id"] for row in rows if row.attack is not None} - set(controls)
    return frozenset(ids & set(PAPERS) or ids)
