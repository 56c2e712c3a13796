"""Chains of defenses through the engine: fitted and wrapped in order, attacked as a whole, counted together."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from soundproof import Defense
from soundproof.contract.registry import Registered
from soundproof.engine.classifiers import ClassifierMaker
from soundproof.engine.environment import Environment
from soundproof.engine.inputs import InputMaker
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results.files import canonical_row
from soundproof.types import Status
from soundproof.victim.expectation import Expectation
from toys import toy_registry, toy_suite

HERE = Environment("cpu", "", threads=1)
BITS = {"id": "input-transform", "bits": 2}


@dataclass(frozen=True)
class Shifting(Defense):
    """Adds 1 to every weight, and spends a gradient on it."""

    id: ClassVar[str] = "toy-shifting"
    version: ClassVar[str] = "1"

    def fit(self, defended, data, trainer):
        trainer.spend(5 * len(data.train))
        with torch.no_grad():
            for parameter in defended.parameters():
                parameter += 1


@pytest.fixture(scope="module")
def registry():
    found = toy_registry()
    found.components[Shifting.kind, Shifting.id] = Registered(Shifting, "toys", "1")
    return found


def run(registry, folder, **changes):
    plan = make_plan(load_suite(toy_suite(**changes), registry), folder)
    return Runner(registry, HERE, Store(folder / "cache"), folder).run(plan)


def maker(registry, folder, *defenses):
    plan = make_plan(load_suite(toy_suite(defenses=list(defenses), protocols=["clean"]), registry), folder)
    workshop = Runner(registry, HERE, Store(folder / "cache"), folder).workshop(plan)
    return ClassifierMaker(workshop, InputMaker(workshop)), [cell.classifier for cell in plan.cells]


def test_links_are_fitted_one_after_the_other_to_what_is_there(registry, tmp_path):
    plain, *chains = "none", ["toy-shifting", "toy-halving"], ["toy-halving", "toy-shifting"]
    make, (undefended, shifted, halved) = maker(registry, tmp_path, plain, *chains)
    weight = make.module(undefended)[1].weight
    assert torch.allclose(make.module(shifted)[1].weight, (weight + 1) / 2)
    assert torch.allclose(make.module(halved)[1].weight, weight / 2 + 1)


def test_a_chain_and_its_beginning_share_what_was_trained(registry, tmp_path):
    make, (alone, chain) = maker(registry, tmp_path, "toy-shifting", ["toy-shifting", "toy-blurring"])
    make.module(chain)
    assert make.workshop.has(alone), "the first link is the single defense"
    assert make.workshop.keys.of(chain) != make.workshop.keys.of(alone)


def test_a_random_link_makes_the_chain_an_expectation_over_all_of_it(registry, tmp_path):
    make, (chain,) = maker(registry, tmp_path, [BITS, {"id": "toy-blurring", "deviation": 0.0}])
    module = make.module(chain)
    assert isinstance(module, Expectation)
    blur, (rounding, classifier) = module.inner
    inputs = torch.rand(4, 1, *make.workshop.plan.shape(chain.trained)[1:])
    assert torch.allclose(module(inputs), classifier(rounding(blur(inputs))), atol=1e-6)
    # Rounding is passed as if it were nothing, and noise as what it is: the attacker gets through both.
    inputs.requires_grad_()
    (gradient,) = torch.autograd.grad(module(inputs)[:, 0].sum(), inputs)
    assert (gradient.flatten(1).abs().amax(dim=1) > 0).all()


def test_rows_of_a_chain_with_none_are_those_of_the_single_defense(registry, tmp_path):
    single = run(registry, tmp_path / "single", defenses=["none", BITS])
    chain = run(registry, tmp_path / "chain", defenses=["none", ["none", BITS, "none"]])
    assert [canonical_row(row) for row in single.rows] == [canonical_row(row) for row in chain.rows]
    assert single.samples.keys() == chain.samples.keys()
    for name, array in single.samples.items():
        assert np.array_equal(array, chain.samples[name], equal_nan=array.dtype.kind == "f"), name


def test_a_whole_run_with_real_defenses(registry, tmp_path):
    training = {"id": "adversarial-training", "attack": "fgsm"}
    defenses = [
        "none",
        training,
        [training, BITS],
        ["toy-shifting", "toy-blurring"],
        [BITS, "randomized-smoothing"],
    ]
    found = run(registry, tmp_path, defenses=defenses, attacks=["fgsm"], training={"epochs": 2})
    of = {
        (row.protocol, " + ".join(each["id"] for each in row.defense.get("links", [row.defense]))): row
        for row in found.rows
    }
    assert of["bounded", "adversarial-training + input-transform"].status is Status.OK
    skipped = of["bounded", "input-transform + randomized-smoothing"]
    assert skipped.status is Status.SKIPPED
    assert skipped.reason.startswith("randomized-smoothing starts from new weights")
    # What was spent on training is that of all links: 5 gradients a clip by one, 3 by the other.
    assert of["clean", "toy-shifting + toy-blurring"].metrics["training_gradients"].value == 8
    once = of["clean", "adversarial-training"].metrics["training_gradients"]
    assert of["clean", "adversarial-training + input-transform"].metrics["training_gradients"] == once
    curves = {
        name: len(found.fields(row)["defense_loss"])
        for (protocol, name), row in of.items()
        if protocol == "clean" and "defense_loss" in found.fields(row)
    }
    assert curves["adversarial-training + input-transform"] == 2 * curves["adversarial-training"]
    # The grey-box attacker ignores all of it.
    assert "grey_fooling_rate" in of["bounded", "toy-shifting + toy-blurring"].metrics
    entry = {each["id"]: each for each in found.run["components"] if each["kind"] == "defense"}
    assert {"adversarial-training", "input-transform", "toy-shifting"} <= entry.keys()
    assert "chain" not in entry
