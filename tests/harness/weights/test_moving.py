"""Networks on a shelf: out of one cache, into another, and used there instead of training."""

import hashlib
import shutil
from dataclasses import replace

import pytest
from safetensors.torch import save

from soundproof.engine.environment import Environment
from soundproof.engine.events import EpochDone
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.errors import SoundproofError
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results.files import canonical_row
from soundproof.weights import shelf
from soundproof.weights.moving import export, fetch, words
from toys import toy_registry, toy_suite

HERE = Environment("cpu", "", threads=1)
REGISTRY = toy_registry()
SUITE = toy_suite(
    defenses=["none", "toy-halving", {"id": "adversarial-training", "attack": "fgsm"}],
    protocols=["clean", "bounded"],
    training={"epochs": 2},
)


def runner(folder, environment=HERE, tell=lambda _: None):
    return Runner(REGISTRY, environment, Store(folder), folder, tell)


def planned(folder, **changes):
    return make_plan(load_suite({**SUITE, **changes}, REGISTRY), folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run, and its networks on two shelves, `whole` and `half`."""
    folder = tmp_path_factory.mktemp("made")
    here, plan = runner(folder / "cache"), planned(folder)
    results = here.run(plan)
    export(here.workshop(plan), folder / "whole")
    export(here.workshop(plan), folder / "half", rounded=True)
    return folder, results


def run_fetched(folder, shelf_folder, environment=HERE, **changes):
    """Fetch into an empty cache and run: what became of each network, the rows, and epochs that were trained."""
    epochs = []
    there = runner(
        folder, environment, lambda event: epochs.append(event) if isinstance(event, EpochDone) else None
    )
    plan = planned(folder, **changes)
    moved = [each.outcome for each in fetch(there.workshop(plan), shelf.read(shelf_folder))]
    return moved, there.run(plan).rows, len(epochs)


def test_the_same_machine_gets_what_it_would_have_trained(made, tmp_path):
    folder, results = made
    moved, rows, epochs = run_fetched(tmp_path, folder / "whole")
    # `none` leaves the weights as they are: it stands on no shelf.
    assert moved == ["same key"] * 3
    assert epochs == 0
    assert [canonical_row(row) for row in rows] == [canonical_row(row) for row in results.rows]


@pytest.mark.parametrize(("name", "threads"), [("half", 1), ("whole", 2)])
def test_what_was_rounded_or_made_elsewhere_flags_its_rows(made, tmp_path, name, threads):
    moved, rows, epochs = run_fetched(tmp_path, made[0] / name, replace(HERE, threads=threads))
    assert moved == ["elsewhere"] * 3
    assert epochs == 0
    assert all("fetched" in row.flags for row in rows)
    assert all("fetched" not in row.flags for row in made[1].rows)


def test_networks_of_other_training_are_not_taken_for_those_of_this(made, tmp_path):
    moved, rows, epochs = run_fetched(tmp_path, made[0] / "half", training={"epochs": 3})
    assert moved == ["unknown"] * 3
    assert epochs > 0
    assert all("fetched" not in row.flags for row in rows)


def test_a_cache_keeps_its_own_and_puts_no_others_on_a_shelf(made, tmp_path):
    folder, _ = made
    here, plan = runner(folder / "cache"), planned(folder)
    assert {each.outcome for each in fetch(here.workshop(plan), shelf.read(folder / "half"))} == {"there"}
    other = runner(tmp_path)
    fetch(other.workshop(plan), shelf.read(folder / "half"))
    other.run(plan)
    assert not export(other.workshop(plan), tmp_path / "shelf").networks, "what was fetched is not passed on"


def test_a_cache_that_lacks_networks_says_which(tmp_path):
    with pytest.raises(SoundproofError) as error:
        export(runner(tmp_path / "cache").workshop(planned(tmp_path)), tmp_path / "shelf")
    assert any("toy-halving" in problem and "run the suite first" in problem for problem in error.value.problems)


def test_damaged_shelves_are_refused(made, tmp_path):
    folder = tmp_path / "shelf"
    shutil.copytree(made[0] / "whole", folder)
    there = shelf.read(folder)
    workshop = runner(tmp_path / "cache").workshop(planned(tmp_path))
    (folder / there.networks[0].file).write_bytes(b"other")
    with pytest.raises(SoundproofError, match="SHA-256 differs"):
        fetch(workshop, there)
    (folder / there.networks[0].file).unlink()
    with pytest.raises(SoundproofError, match="No such file"):
        fetch(workshop, there)
    (folder / "index.json").write_text("{}")
    with pytest.raises(SoundproofError, match="is no index of networks"):
        shelf.read(folder)
    with pytest.raises(SoundproofError, match="no networks there; those of quick"):
        shelf.read(tmp_path / "nothing")
    with pytest.raises(SoundproofError, match="is not empty"):
        shelf.write(folder, "x", {}, [])


def test_weights_of_another_network_are_refused(made, tmp_path):
    there = shelf.read(made[0] / "whole")
    first, *others = there.networks
    content = save({name: value[:1] for name, value in there.weights(first).items()})
    forged = replace(first, sha256=hashlib.sha256(content).hexdigest())
    written = shelf.write(tmp_path / "shelf", "toys", {}, [(forged, content)])
    assert others
    with pytest.raises(SoundproofError, match="size mismatch"):
        fetch(runner(tmp_path / "cache").workshop(planned(tmp_path)), written)


def test_those_of_quick_come_with_the_package():
    there = shelf.read("quick")
    assert shelf.shipped() == ["quick"]
    assert there.size < 1_000_000
    assert len(there.networks) == 8
    assert all(each.rounded for each in there.networks)
    for network in there.networks:
        weights = there.weights(network)
        assert all(value.isfinite().all() for value in weights.values()), words(network.place)


def test_those_of_quick_fit_the_suite_as_it_is(tmp_path):
    from soundproof.contract.discovery import discover

    registry = discover()
    plan = make_plan(load_suite("quick", registry), tmp_path)
    workshop = Runner(registry, HERE, Store(tmp_path / "cache"), tmp_path).workshop(plan)
    moved = fetch(workshop, shelf.read("quick"))
    assert {each.outcome for each in moved} == {"elsewhere"}, "train them again: `make weights`"
