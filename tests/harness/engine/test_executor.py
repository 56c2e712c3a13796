"""The executor: places come, go and refuse; every cell gets one outcome, and one bad cell harms no other."""

import random
import threading
from collections import Counter

import pytest

from soundproof.engine.channel import Message
from soundproof.engine.environment import Environment
from soundproof.engine.events import Warned
from soundproof.engine.executor import Executor
from soundproof.engine.process import LostError
from soundproof.engine.runner import Runner
from soundproof.engine.schedule import Schedule
from soundproof.engine.stopwatch import Stopwatch
from soundproof.engine.store import Store
from soundproof.errors import SoundproofError
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.types import Status
from toys import toy_registry, toy_suite

ANSWER = {"status": "skipped", "reason": "played", "metrics": {}, "reports": {}, "flags": [], "reached": None}


class Player:
    """A worker that plays: it says that a cell is done, or that it is lost."""

    def __init__(self, crew, place):
        self.crew, self.place, self.asked = crew, place, None

    def send(self, message):
        self.asked = message

    def answer(self, hear, seconds, memory):
        crew = self.crew
        if self.asked is None:
            if self.place in crew.refusing:
                return Message("refused", {"reason": "the worker has no model 'toy-linear' from toys 1"})
            return Message("ready")
        with crew.lock:
            crew.asked[self.asked.content["key"]] += 1
            if self.place not in crew.there:
                raise LostError("is gone", outside=True)
            if self.asked.content["key"] == crew.deadly or crew.draw.random() < crew.risk:
                raise LostError("was ended by SIGKILL", outside=True)
        return Message("ran", {"result": ANSWER, "own": []})

    def close(self):
        pass


class Crew:
    def __init__(self, places, *, deadly=None, risk=0.0, refusing=(), seed=0):
        self.there, self.deadly, self.risk, self.refusing = list(places), deadly, risk, refusing
        self.asked, self.lock, self.draw = Counter(), threading.Lock(), random.Random(seed)

    def places(self):
        return list(self.there)

    def hire(self, place, job):
        return Player(self, place)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    models = [{"id": "toy-linear", "scale": scale} for scale in (1.0, 2.0)]
    plan = make_plan(
        load_suite(toy_suite(models=models, defenses=["none", "toy-halving"]), toy_registry()), folder
    )
    return Runner(toy_registry(), Environment("cpu", "", 1), Store(folder / "cache"), folder).workshop(plan)


def played(workshop, crew, tell=lambda _: None):
    plan, digest = workshop.plan, lambda node: workshop.keys.of(node).digest
    groups = dict.fromkeys(plan.tasks)
    schedule = Schedule(plan.graph, plan.tasks, digest, workshop.has, groups)
    with Executor(workshop, crew, {}, groups, {}, tell, Stopwatch()) as executor:
        return {done.cell: done.ran.row for done in executor.outcomes(schedule, lambda _: None)}


@pytest.mark.parametrize("seed", range(10))
def test_workers_that_die_now_and_then_cost_no_cell(workshop, seed):
    rows = played(workshop, Crew("abc", risk=0.05, seed=seed))
    assert rows.keys() == set(workshop.plan.tasks)
    assert {row.status for row in rows.values()} == {Status.SKIPPED}


def test_a_cell_that_always_ends_its_worker_is_one_failed_row(workshop):
    plan = workshop.plan
    crew = Crew("ab", deadly=workshop.keys.of(plan.cells[3]).digest)
    rows = played(workshop, crew)
    failed = [cell for cell, row in rows.items() if row.status is Status.FAILED]
    assert failed == [plan.cells[3]]
    assert "SIGKILL" in rows[plan.cells[3]].reason
    assert crew.asked[crew.deadly] == 3
    assert {crew.asked[workshop.keys.of(cell).digest] for cell in plan.tasks if cell not in failed} == {1}


def test_a_place_with_other_code_takes_no_part_and_the_run_says_why(workshop):
    told = []
    rows = played(workshop, Crew("ab", refusing="b"), told.append)
    assert {row.status for row in rows.values()} == {Status.SKIPPED}
    assert [event for event in told if isinstance(event, Warned)] == [
        Warned("worker b: the worker has no model 'toy-linear' from toys 1")
    ]


def test_a_run_whose_workers_all_refuse_ends_with_the_reason(workshop):
    with pytest.raises(SoundproofError, match="worker a cannot take part: the worker has no model 'toy-linear'"):
        played(workshop, Crew("a", refusing="a"))
