"""Slices of a suite: what `--only` keeps of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from soundproof.contract.chain import links_of
from soundproof.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from soundproof.contract.components import Component
    from soundproof.planning.suite import Suite

# Leaving augmentations out would change the numbers of what remains.
_COMPONENTS = {kind: f"{kind}s" for kind in ("dataset", "representation", "model", "defense", "attack", "channel")}
_KINDS = (*_COMPONENTS, "protocol", "fold", "seed")


def restrict(suite: Suite, only: Mapping[str, Sequence[str]]) -> Suite:
    """The suite with only what is named.

    Args:
        suite: The whole of it; its digest stays.
        only: By kind, what to keep: ids or labels of components, ids of protocols, numbers of folds or seeds. A
            kind that is not named keeps everything.

    Raises:
        SuiteError: Every name that the suite does not have.
    """
    problems: list[str] = []
    kept: dict[str, Any] = {}
    for kind, names in only.items():
        if kind not in _KINDS:
            problems.append(f"--only {kind}=…: the kind must be one of {', '.join(_KINDS)}")
            continue
        there = _there(suite, kind)
        known = list(dict.fromkeys(name for called, _ in there for name in called))
        problems += [
            f"--only {kind}={name}: suite {suite.name!r} has no such {kind}; it has {', '.join(known)}"
            for name in names
            if name not in known
        ]
        kept[kind] = [one for called, one in there if called & set(names)]
    if problems:
        raise SuiteError(problems)
    changes = {_COMPONENTS[kind]: kept[kind] for kind in kept.keys() & _COMPONENTS.keys()}
    return replace(
        suite,
        **changes,
        protocols=kept.get("protocol", suite.protocols),
        folds=kept.get("fold", suite.folds),
        seeds=kept.get("seed", suite.seeds),
    )


def _there(suite: Suite, kind: str) -> list[tuple[set[str], Any]]:
    """What a suite has of a kind, each with the names that it goes by."""
    if kind == "protocol":
        return [({each.id}, each) for each in suite.protocols]
    if kind in ("fold", "seed"):
        return [({str(number)}, number) for number in getattr(suite, f"{kind}s")]
    components = getattr(suite, _COMPONENTS[kind])
    return [(_called(suite, each), each) for each in components]


def _called(suite: Suite, component: Component) -> set[str]:
    """The names of a component: its id and its label; of a chain its links' ids, as boards join them."""
    names = {" + ".join(link.id for link in links_of(component)), suite.label(component)}
    return {name for name in names if name}
