"""Schedule of cells over seats: which cell a free seat takes next, so that no stage is made twice. Pure logic.

A cell is ready when the cells whose outcomes it uses are done. A seat that takes a cell takes with it every stage
that the cell needs and nobody has made yet; until they are made, cells that need them wait, or go to that seat.
A stage that failed fails there again at once, out of the seat's memory: its cells stay with that seat.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from soundproof.measuring.classifier import Classifier
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.graph import Graph, Node

    # Cells of one classifier whose components come from the same distributions: they gain from sharing a seat.
    Bench = tuple[Classifier, tuple[str, ...]]


class Schedule:
    """Cells that wait, are at a seat, or are done.

    Attributes:
        left: Cells that are not done.
    """

    def __init__(
        self,
        graph: Graph,
        cells: Sequence[Cell],
        digest: Callable[[Node], str],
        has: Callable[[Node], bool],
        groups: Mapping[Cell, tuple[str, ...] | None],
    ) -> None:
        """Schedule cells.

        Args:
            graph: What they need.
            cells: In the order in which one seat would run them.
            digest: Names a stage.
            has: Whether a stage's artifact is there already.
            groups: Distributions of each cell, as `Isolation.group` gives them.
        """
        self.left = len(cells)
        self._graph = graph
        self._digest = digest
        self._has = has
        self._groups = groups
        self._cells = set(cells)
        self._made: set[str] = set()
        # Who is making a stage, or has failed to.
        self._claims: dict[str, str] = {}
        self._stages: dict[tuple[Classifier, Classifier], tuple[Node, ...]] = {}
        self._blockers: dict[Cell, int] = {}
        self._dependents: dict[Cell, list[Cell]] = defaultdict(list)
        self._ready: dict[Bench, deque[Cell]] = {}
        self._at: dict[str, Bench] = {}
        for cell in cells:
            self._ready.setdefault(self._bench(cell), deque())
            before = self._before(cell)
            self._blockers[cell] = len(before)
            for each in before:
                self._dependents[each].append(cell)
            if not before:
                self._ready[self._bench(cell)].append(cell)

    def take(self, seat: str) -> Cell | None:
        """The next cell for a seat that is free; None if there is none for it now."""
        for bench in self._preferred(seat):
            waiting = self._ready[bench]
            if not waiting:
                continue
            cell = waiting[0]
            missing = self._missing(cell)
            if all(self._claims.get(stage, seat) == seat for stage in missing):
                waiting.popleft()
                self._claims |= dict.fromkeys(missing, seat)
                self._at[seat] = bench
                return cell
        return None

    def made(self, stage: str) -> None:
        """A stage is in the store: whoever needs it may read it."""
        self._made.add(stage)
        self._claims.pop(stage, None)

    def done(self, cell: Cell) -> None:
        """A cell is done, well or not: those that use what it left may run."""
        self.left -= 1
        self._made.add(self._digest(cell))
        for each in self._dependents[cell]:
            self._blockers[each] -= 1
            if not self._blockers[each]:
                self._ready[self._bench(each)].append(each)

    def back(self, cell: Cell) -> None:
        """A cell was not run: somebody else takes it, next of its kind."""
        self._ready[self._bench(cell)].appendleft(cell)

    def leave(self, seat: str) -> None:
        """A seat is gone, and with it what it was at and what it remembers."""
        self._claims = {stage: owner for stage, owner in self._claims.items() if owner != seat}
        self._at.pop(seat, None)

    def _preferred(self, seat: str) -> Iterator[Bench]:
        """What a seat has in memory, then what nobody else is at, then anything."""
        own = self._at.get(seat)
        if own is not None:
            yield own
        others = {bench for name, bench in self._at.items() if name != seat}
        alike = [bench for bench in self._ready if bench not in others and bench != own]
        if own is not None:
            # Sorting is stable: in the order of the plan, but first those whose inputs and worker the seat has.
            family = own[0].trained.family
            alike.sort(key=lambda bench: (bench[1] != own[1], bench[0].trained.family != family))
        yield from alike
        yield from others

    def _bench(self, cell: Cell) -> Bench:
        return cell.judged, self._groups[cell] or ()

    def _before(self, cell: Cell) -> set[Cell]:
        """Cells of this schedule whose outcomes a cell uses."""
        needs = cell.protocol.needs(cell)
        return {each for each in (*needs.cells, *needs.welcome) if each in self._cells and each != cell}

    def _missing(self, cell: Cell) -> list[str]:
        """Stages that have to be made for a cell, but for cells of the schedule, which are done or its own."""
        same = cell.classifier, cell.judged
        if same not in self._stages:
            nodes = self._graph.order(each for each in dict.fromkeys(same))
            self._stages[same] = tuple(node for node in nodes if not self._has(node))
        further = [
            each for each in cell.protocol.needs(cell).cells if each not in self._cells and not self._has(each)
        ]
        stages = {self._digest(node): None for node in (*self._stages[same], *further)}
        return [stage for stage in stages if stage not in self._made]
