"""What a run needs of memory and disk, and what is said where a machine has too little."""

from pathlib import Path

from soundproof.contract.discovery import discover
from soundproof.engine.demand import Demand, Ledger, fitting, shortages, written
from soundproof.planning.product import make_plan, published_plan
from soundproof.planning.suite import load_suite

REGISTRY = discover()
NOWHERE = Path("/nowhere")


def published(name, only=None):
    return published_plan(make_plan(load_suite(name, REGISTRY), NOWHERE, only))


def test_clips_inputs_weights_and_examples_are_counted_once():
    only = {"representation": ["STFT"], "model": ["ResNet-8"], "defense": ["none"], "attack": ["FGSM"]}
    plan = published("esc10", only)
    demand = Ledger(plan).demand(plan.cells)
    clips, inputs = 400 * 5 * 22050 * 4, 400 * 48 * 48 * 4
    weights = 75_002 * 4
    examples = 80 * 48 * 48 * 4
    exact = clips + inputs + weights + examples
    # Beside them: running statistics of the network, and some kilobytes a row.
    assert exact < demand.disk < exact + 100_000
    assert Ledger(plan, has=lambda _: True).demand(plan.cells).disk == 0


def test_a_run_that_does_not_fit_says_what_lacks_and_what_would_fit():
    plan = published("esc10", {"attack": ["FGSM"]})
    ledger = Ledger(plan)
    whole = ledger.demand(plan.cells)
    free = Demand(whole.memory + 1, whole.disk - 1)
    (problem,) = shortages(whole, free, NOWHERE)
    assert "name a folder on a larger disk with --cache" in problem
    assert fitting(ledger, plan.suite, plan.cells, free).startswith(
        "--only dataset=ESC-10 --only fold=0 --only model="
    )
    assert shortages(whole, Demand(whole.memory, whole.disk), NOWHERE) == []
    assert fitting(ledger, plan.suite, plan.cells, Demand(0, 0)) == ""


def test_bytes_for_people():
    assert [written(size) for size in (0, 950, 3.25e9, 7e14)] == ["0 B", "950 B", "3.25 GB", "700 TB"]
