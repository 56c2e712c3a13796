"""What a training leaves behind: curves, gradients and reports, as metrics and samples."""

import numpy as np
import pytest

from learnables import DATA, network
from soundproof import Recipe, Trainer
from soundproof.measuring.learning import Learning


def test_it_is_what_the_trainer_has_run():
    trainer = Trainer(Recipe(epochs=3, batch=16), 0)
    curve = trainer.fit(network(), DATA)
    trainer.spend(40)
    trainer.spend(50)
    trainer.report("gain_db", [1.0, 2.0, 6.0])
    found = Learning.of(trainer)
    assert [list(epoch) for epoch in found.curve] == [[epoch.loss, epoch.score] for epoch in curve]
    assert found.spent(clips=90)["training_gradients"].value == 1
    gain = found.measured()["gain_db"]
    assert (gain.value, gain.n) == (3, 3)
    assert 1 <= gain.low < 3 < gain.high <= 6
    samples = found.samples("defense")
    np.testing.assert_allclose(samples["defense_loss"], [epoch.loss for epoch in curve], rtol=1e-6)
    np.testing.assert_allclose(samples["defense_validation"], [epoch.score for epoch in curve], rtol=1e-6)


def test_it_survives_the_store():
    found = Learning(curve=[[1.0, 0.5]], gradients=7, reports={"gain_db": [1.0]})
    assert Learning(**vars(found)) == found


def test_what_did_not_happen_leaves_nothing():
    assert not Learning().spent(clips=10)
    assert not Learning().measured()
    assert not Learning().samples("model")
    assert not Learning(reports={"gain_db": []}).measured()


@pytest.mark.parametrize("whose", ["model", "defense"])
def test_samples_are_named_after_the_phase(whose):
    assert set(Learning(curve=[[1.0, 0.5]]).samples(whose)) == {f"{whose}_loss", f"{whose}_validation"}
