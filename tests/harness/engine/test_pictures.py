"""Pictures of attacks, against the examples that the run left in the store."""

import numpy as np
import pytest

from soundproof.engine.environment import Environment
from soundproof.engine.measurements import Measurements
from soundproof.engine.pictures import pictures
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.plan import row_of
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.types import Status
from toys import toy_registry, toy_suite

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder, registry = tmp_path_factory.mktemp("run"), toy_registry()
    suite = load_suite(toy_suite(attacks=["fgsm", "bim-b", "noise"], defenses=["none", "toy-halving"]), registry)
    plan = make_plan(suite, folder)
    runner = Runner(registry, Environment("cpu", "", threads=1), Store(folder / "cache"), folder)
    found = runner.run(plan)
    return runner.workshop(plan), found


def test_one_clip_of_each_input_and_every_attack_but_controls(ran):
    workshop, found = ran
    drawn = pictures(workshop, found.rows)
    keys = {row.key: row for row in found.rows}
    inputs = [keys[name.removesuffix("/input")] for name in drawn if name.endswith("/input")]
    changes = [keys[name.removesuffix("/perturbation")] for name in drawn if name.endswith("/perturbation")]
    pictured = {row.representation["id"] for row in found.rows if row.representation["id"] != "toy-vector"}
    assert [row.representation["id"] for row in inputs] == sorted(pictured)
    assert all(row.defense == {"id": "none"} for row in (*inputs, *changes))
    assert {row.attack["id"] for row in changes} == {"fgsm", "bim-b"}


def test_a_picture_is_the_clip_and_the_change_of_its_example(ran):
    workshop, found = ran
    drawn, measurements = pictures(workshop, found.rows), Measurements(workshop)
    plan = workshop.plan
    compared = 0
    for cell in plan.cells:
        key = row_of(cell, plan.budget(cell), Status.OK).key
        if f"{key}/perturbation" not in drawn:
            continue
        clean = row_of(cell, plan.budget(cell), Status.OK).moved(protocol="clean", attack=None)
        (row,) = (row for row in found.rows if row.lookup == clean.lookup)
        clip = int(drawn[f"{row.key}/clip"][0])
        samples = measurements.outcome(cell).samples
        (place,) = np.flatnonzero(samples["clip"] == clip)
        own = measurements.inputs.examples(cell.classifier.trained, np.array([clip])).inputs[0, 0].numpy()
        made = measurements.examples(cell)[place, 0].numpy()
        scale = float(drawn[f"{key}/scale"][0])
        assert np.abs(drawn[f"{row.key}/input"] / 255 - own).max() <= 0.5 / 255 + 1e-6
        assert np.abs(drawn[f"{key}/perturbation"] * scale / 127 - (made - own)).max() <= 0.5 * scale / 127 + 1e-6
        assert scale == pytest.approx(samples["linf"][place], rel=1e-5)
        compared += 1
    assert compared >= 2


def test_what_left_the_store_is_not_computed_again(ran, tmp_path):
    workshop, found = ran
    empty = Runner(workshop.registry, workshop.environment, Store(tmp_path), workshop.root).workshop(workshop.plan)
    assert pictures(empty, found.rows) == {}
