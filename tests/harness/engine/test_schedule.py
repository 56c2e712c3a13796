"""The schedule: whatever seats do and however long cells take, no stage is made twice, and no cell runs early."""

import random
from collections import Counter

import pytest

from soundproof.engine.schedule import Schedule
from soundproof.measuring.protocols.base import Cell
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from toys import toy_registry, toy_suite


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    models = [{"id": "toy-linear", "scale": scale} for scale in (1.0, 2.0, 3.0)]
    suite = toy_suite(models=models, defenses=["none", "toy-halving"], attacks=["fgsm", "noise"])
    return make_plan(load_suite(suite, toy_registry()), tmp_path_factory.mktemp("plan"))


def schedule_of(plan, has=lambda _: False):
    names = {}
    digest = lambda node: names.setdefault(node, f"{len(names)}")
    return Schedule(plan.graph, plan.tasks, digest, has, dict.fromkeys(plan.tasks)), digest


class Floor:
    """Seats that take, make and finish in a random order, and check what they are given."""

    def __init__(self, plan, seats, seed, failing=()):
        self.plan, self.draw, self.failing = plan, random.Random(seed), failing
        self.schedule, self.digest = schedule_of(plan)
        self.seats = {str(seat): None for seat in range(seats)}
        self.made, self.done, self.making = Counter(), [], {}

    def missing(self, cell):
        needs = [*cell.protocol.needs(cell).classifiers, cell.classifier]
        nodes = [node for node in self.plan.graph.order(needs) if not isinstance(node, Cell)]
        return [node for node in nodes if node not in self.made]

    def step(self):
        seat = self.draw.choice(sorted(self.seats))
        cell = self.seats[seat]
        if cell is None:
            cell = self.schedule.take(seat)
            if cell is not None:
                needs = cell.protocol.needs(cell)
                assert all(each in self.done for each in (*needs.cells, *needs.welcome) if each in self.plan.tasks)
                for node in self.missing(cell):
                    assert self.making.get(node, seat) == seat, "two seats make one stage"
                    self.making[node] = seat
                self.seats[seat] = cell
            return
        waiting = self.missing(cell)
        if waiting and waiting[0] not in self.failing:
            self.made[waiting[0]] += 1
            self.schedule.made(self.digest(waiting[0]))
            return
        self.schedule.done(cell)
        self.done.append(cell)
        self.seats[seat] = None


@pytest.mark.parametrize("seats", [1, 2, 5])
@pytest.mark.parametrize("seed", range(5))
def test_every_cell_runs_once_and_every_stage_is_made_once(plan, seats, seed):
    floor = Floor(plan, seats, seed)
    while floor.schedule.left:
        floor.step()
    assert Counter(floor.done) == Counter(plan.tasks)
    assert set(floor.made.values()) == {1}


def test_cells_of_a_stage_that_failed_stay_where_it_did(plan):
    broken = plan.cells[0].classifier.trained
    floor = Floor(plan, 3, 1, failing={broken})
    while floor.schedule.left:
        floor.step()
    assert Counter(floor.done) == Counter(plan.tasks)
    assert broken in floor.making


def test_two_seats_take_different_classifiers(plan):
    schedule, _ = schedule_of(plan, has=lambda node: not isinstance(node, Cell))
    one, other = schedule.take("1"), schedule.take("2")
    assert one.judged != other.judged


def test_a_seat_that_leaves_gives_back_what_it_claimed(plan):
    schedule, _ = schedule_of(plan)
    cell = schedule.take("1")
    assert schedule.take("2") is None, "the inputs are being made"
    schedule.leave("1")
    schedule.back(cell)
    assert schedule.take("2") == cell
