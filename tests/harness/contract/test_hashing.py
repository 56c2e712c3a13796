"""Hashes: computed once an object, and different for components that differ in nothing but their class."""

from collections import Counter
from dataclasses import dataclass, replace

from soundproof import Model
from soundproof.contract import hashing
from soundproof.measuring.protocols.base import Cell
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from toys import ToyModel, toy_registry, toy_suite


@dataclass(frozen=True)
class Twin(Model):
    """Has the same parameters as another model."""

    id = "toy-twin"
    scale: float = 1.0

    def build(self, shape, classes):
        raise NotImplementedError


def test_components_of_the_same_parameters_do_not_collide():
    assert hash(Twin()) != hash(ToyModel())
    assert hash(ToyModel(scale=2.0)) == hash(ToyModel(scale=2.0)) != hash(ToyModel())
    assert ToyModel() == ToyModel() != Twin()


def test_a_copy_with_other_values_does_not_keep_the_hash():
    model = ToyModel()
    before = hash(model)
    assert hash(replace(model, scale=3.0)) == hash(ToyModel(scale=3.0)) != before


def test_the_hash_of_a_cell_is_computed_once(monkeypatch, tmp_path):
    registry, counts = toy_registry(), Counter()
    suite = load_suite(toy_suite(protocols=["clean", "bounded"]), registry)
    compared = hashing._compared

    def counted(of):
        counts[of] += 1
        return compared(of)

    monkeypatch.setattr(hashing, "_compared", counted)
    plan = make_plan(suite, tmp_path)
    for _ in range(3):
        assert len(list(plan.graph.order(plan.tasks))) > len(plan.tasks)
        assert len(dict.fromkeys(plan.tasks)) == len(plan.tasks)
    assert counts[Cell] == len(plan.cells)
