"""Chains of defenses: what they say of themselves follows from their links."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import nn

from soundproof import Adversary, Budget, Defense
from soundproof.contract.admission import flaw
from soundproof.contract.chain import Chain
from soundproof.contract.identity import coordinate, label
from soundproof_defenses.adversarial_training import AdversarialTraining
from soundproof_defenses.input_transform import InputTransform
from soundproof_defenses.randomized_smoothing import RandomizedSmoothing
from soundproof_defenses.thermometer import ThermometerEncoding
from toys import ToyBlurring, ToyDefense, ToyModel, ToySigns

TRAINED, ROUNDED, NOISY = AdversarialTraining().under(Budget()), InputTransform(), RandomizedSmoothing()
BLURRED, HALVED = ToyBlurring(), ToyDefense()
SHAPE = (1, 4, 5)


@pytest.mark.parametrize(
    ("links", "adversary", "draws"),
    [
        ((HALVED, TRAINED), Adversary.EXACT, 1),
        ((TRAINED, ROUNDED), Adversary.BPDA, 1),
        ((ROUNDED, TRAINED), Adversary.BPDA, 1),
        ((BLURRED, TRAINED), Adversary.EOT, 8),
        ((NOISY, BLURRED), Adversary.EOT, 16),
        ((BLURRED, ROUNDED, HALVED), Adversary.BPDA_EOT, 8),
    ],
)
def test_an_attacker_needs_what_any_link_asks_for(links, adversary, draws):
    chain = Chain(links)
    assert (chain.adversary, chain.draws) == (adversary, draws)
    # What stands before is a chain of its own, so that the same holds for it.
    assert Chain((chain, HALVED)).adversary is adversary


@pytest.mark.parametrize(
    ("links", "sigma"),
    [
        ((NOISY, TRAINED), 0.1),
        ((HALVED, TRAINED), None),
        # The noise is on rounded inputs: a ball around those says nothing of the inputs.
        ((NOISY, ROUNDED), None),
        # Two links draw: votes are no longer over the noise alone.
        ((BLURRED, NOISY), None),
    ],
)
def test_votes_are_counted_only_where_the_noise_meets_the_input(links, sigma):
    assert Chain(links).smoothing == sigma


def test_every_link_gives_its_reason():
    reasons = Chain((TRAINED, ThermometerEncoding(), HALVED)).reason_to_skip(ToySigns(), SHAPE, 3)
    assert reasons is not None
    assert "adversarial-training" in reasons or "toy-signs cannot be trained" in reasons
    assert len(reasons.split("; ")) == 2


def test_what_starts_from_new_weights_comes_first():
    assert Chain((NOISY, replace(TRAINED, start="trained"))).reason_to_skip(ToyModel(), SHAPE, 3) is None
    reason = Chain((TRAINED, NOISY)).reason_to_skip(ToyModel(), SHAPE, 3)
    assert reason == (
        "randomized-smoothing starts from new weights and would undo adversarial-training: "
        "put it first, or let it train on"
    )


def test_a_link_is_asked_of_the_network_that_earlier_links_have_left():
    asked = []

    @dataclass(frozen=True)
    class Asking(ToyDefense):
        def reason_to_skip(self, model, data_shape, classes):
            asked.append((model, model.build(data_shape, classes)))
            return super().reason_to_skip(model, data_shape, classes)

    assert Chain((ROUNDED, Asking())).reason_to_skip(ToyModel(), SHAPE, 3) is None
    ((model, network),) = asked
    assert (model.id, model.retrainable, model.recipe) == ("toy-linear", True, ToyModel.recipe)
    inputs = torch.rand(2, *SHAPE)
    assert torch.equal(network(inputs), network[1]((inputs * 7).round() / 7)), "rounded to three bits first"


def test_the_last_link_meets_the_input_first():
    @dataclass(frozen=True)
    class Adding(Defense):
        id: ClassVar[str] = "adding"
        what: str = "+"

        def wrap(self, classifier, data_shape, classes):
            return nn.Sequential(Written(self.what), classifier)

        def fit(self, defended, data, trainer):
            raise AssertionError("only the last link is fitted")

    class Written(nn.Module):
        def __init__(self, what):
            super().__init__()
            self.what = what

        def forward(self, seen):
            return [*seen, self.what]

    chain = Chain((Adding("first"), Adding("second"), ToyDefense()))
    assert chain.wrap(Written("classifier"), SHAPE, 3)([]) == ["second", "first", "classifier"]
    with torch.no_grad():
        layer = nn.Linear(1, 1)
        before = layer.weight.clone()
        chain.fit(layer, None, None)
        assert torch.equal(layer.weight, before / 2)


def test_a_budget_reaches_every_link():
    trained = AdversarialTraining()
    chain = Chain((trained, ROUNDED)).under(Budget(epsilon=0.5))
    assert chain.links[0] == trained.under(Budget(epsilon=0.5)) != trained
    assert chain.before == chain.links[0]
    assert Chain((TRAINED, ROUNDED, HALVED)).before == Chain((TRAINED, ROUNDED))


def test_a_chain_is_named_by_its_links():
    chain = Chain((AdversarialTraining(), replace(ROUNDED, bits=2)))
    assert coordinate(chain) == {
        "id": "chain",
        "links": [{"id": "adversarial-training"}, {"id": "input-transform", "bits": 2}],
    }
    assert label(coordinate(chain)) == "adversarial-training + input-transform(bits=2)"


def test_no_plugin_takes_its_id():
    @dataclass(frozen=True)
    class Impostor(ToyDefense):
        """Calls itself a chain."""

        id: ClassVar[str] = "chain"

    assert "a list of defenses" in flaw(Impostor)
