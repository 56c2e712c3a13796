"""The workshop of a run: what every stage is made with."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from soundproof.engine.environment import prepare
from soundproof.engine.keys import Keys, stage
from soundproof.engine.surroundings import kept
from soundproof.measuring.protocols.base import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from soundproof.contract.registry import Registry
    from soundproof.engine.environment import Environment
    from soundproof.engine.store import Artifact, Key, Store
    from soundproof.planning.graph import Node
    from soundproof.planning.plan import Plan


@dataclass(eq=False)
class Workshop:
    """Tools that every stage of one run is made with.

    Attributes:
        plan: What there is to do.
        registry: Where components come from.
        environment: Device and threads.
        store: Where artifacts are kept.
        root: The data folder.
        on_epoch: Called after every epoch of training.
        on_made: Told the digest of every stage that was made and is in the store, where others find it.
        on_stage: Told the digest of the stage that is being made whenever that changes; empty for none.
        known: Keys of the same plan that another workshop has made; a hundred thousand take seconds.
        keys: Of every stage.
    """

    plan: Plan
    registry: Registry
    environment: Environment
    store: Store
    root: Path
    on_epoch: Callable[[], None] = lambda: None
    on_stage: Callable[[str], None] = lambda _: None
    on_made: Callable[[str], None] = lambda _: None
    known: Keys | None = None
    keys: Keys = field(init=False)
    _failed: dict[str, BaseException] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = self.known or Keys(self.plan, self.environment, self.registry)

    @property
    def device(self) -> str:
        """Device on which tensors live."""
        return self.environment.device

    def has(self, node: Node) -> bool:
        """Whether a stage's artifact is in the store, without checking it."""
        # Keys of a hundred thousand cells take longer than all else that a plan needs.
        return self.store.holds(stage(node)) and self.store.has(self.keys.of(node))

    def needed(self) -> Iterator[str]:
        """Digests of all entries that the plan's tasks may read."""
        for node in self.plan.graph.order(self.plan.tasks):
            yield self.keys.of(node).digest
            if isinstance(node, Cell) and node.protocol.leaves_examples:
                yield self.keys.examples(node).digest

    def made(self, node: Node, make: Callable[[], tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Artifact:
        """A stage's artifact from the store, or made now.

        Args:
            node: The stage.
            make: Returns its record and arrays.
        """
        key = self.keys.of(node)
        found = self.store.get(key)
        if found is not None:
            return found
        with self.once(key):
            record, arrays = make()
        return self.keep(node, key, record, arrays)

    def keep(self, node: Node, key: Key, record: Mapping[str, Any], arrays: Mapping[str, Any]) -> Artifact:
        """Put what was made for a stage into the store, with what `bench explain` and `bench cache` tell of it."""
        kept = self.store.put(key, record, arrays, self.keys.about(node))
        if not self.store.unwritten:
            self.on_made(key.digest)
        return kept

    @contextlib.contextmanager
    def once(self, key: Key) -> Iterator[None]:
        """Compute something, unless that has failed in this run: then raise the same error again.

        Nothing of a failure is stored: the next run tries again.
        """
        if key.digest in self._failed:
            raise self._failed[key.digest]
        prepare(self.environment)
        self._open.append(key.digest)
        self.on_stage(key.digest)
        try:
            with kept():
                yield
        except (Exception, SystemExit) as error:
            self._failed[key.digest] = error
            raise
        finally:
            self._open.pop()
            self.on_stage(self._open[-1] if self._open else "")
