"""Explanations of the cache: the part that changed is named, with what it was and is, and no other."""

from dataclasses import replace

import pytest

from soundproof.engine import keys
from soundproof.engine.environment import Environment
from soundproof.engine.explanation import Verdict, explain
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from toys import ToyModel, toy_registry, toy_suite

HERE = Environment("cpu", "", threads=1)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ran")
    runner = runner_in(folder)
    plan = plan_of(folder)
    runner.run(plan)
    return folder


def runner_in(folder, environment=HERE):
    return Runner(toy_registry(), environment, Store(folder / "cache"), folder)


def plan_of(folder, **changes):
    written = toy_suite(attacks=["fgsm"], protocols=["clean", "bounded"], **changes)
    return make_plan(load_suite(written, toy_registry()), folder)


def explained(folder, plan=None, environment=HERE):
    plan = plan or plan_of(folder)
    return explain(runner_in(folder, environment).workshop(plan), plan.cells[-1])


def test_what_is_there_is_a_hit(ran):
    found = explained(ran)
    assert (found.verdict, found.changes) == (Verdict.HIT, ())


def test_what_never_ran_is_a_miss(ran):
    found = explained(ran, plan_of(ran, models=[{"id": "toy-linear", "scale": 7.0}]))
    assert found.verdict is Verdict.MISS
    assert found.entry is None


def test_another_recipe_is_named_once_where_it_enters(ran):
    found = explained(ran, plan_of(ran, training={"epochs": 3}))
    assert found.verdict is Verdict.STALE
    parts = {change.part: (change.old, change.new) for change in found.changes}
    assert parts["defended › trained › recipe.epochs"] == ("20", "3")
    assert all(part.endswith("recipe.epochs") for part in parts)


def test_another_radius_is_the_cells_own(ran):
    found = explained(ran, plan_of(ran, budget={"epsilon": 0.25}))
    assert [(change.part, change.old, change.new) for change in found.changes] == [
        ("settings.epsilon", "0.5", "0.25")
    ]


def test_a_new_version_of_a_model_is_named(ran, monkeypatch):
    monkeypatch.setattr(ToyModel, "version", "2")
    found = explained(ran)
    assert {(change.part, change.old, change.new) for change in found.changes} == {
        ("defended › trained › model.version", '"1"', '"2"'),
        ("defended › model.version", '"1"', '"2"'),
    }


def test_another_library_and_other_threads_are_named(ran, monkeypatch):
    versions = keys.versions

    def later(names):
        return {**versions(names), **({"torch": "99"} if "torch" in names else {})}

    monkeypatch.setattr(keys, "versions", later)
    found = explained(ran, environment=replace(HERE, threads=2))
    parts = {change.part: (change.old, change.new) for change in found.changes}
    assert parts["machine.threads"] == ("1", "2")
    assert parts["libraries.torch"][1] == '"99"'
    assert parts["defended › trained › inputs › machine.threads"] == ("1", "2")
    assert not any("numpy" in part or "clips" in part for part in parts)
