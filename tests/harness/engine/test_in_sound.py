"""Attacks on the sound: a whole run in the waveform domain, of toys whose answers are known."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from soundproof import BoundedAttack, Domain, Model
from soundproof.boards.collect import collect
from soundproof.boards.matrices import matrices
from soundproof.boards.sheets import sheets
from soundproof.contract.registry import Registered
from soundproof.engine.environment import Environment
from soundproof.engine.keys import Keys
from soundproof.engine.measurements import Measurements
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.types import Status
from toys import RATE, ToyModel, ToyPicture, toy_registry, toy_suite

pytestmark = pytest.mark.slow

HERE = Environment("cpu", "", threads=1)


@dataclass(frozen=True)
class Halved(ToyPicture):
    """The picture at half the sampling rate."""

    id: ClassVar[str] = "toy-halved"

    @property
    def rate(self):
        return RATE // 2

    def shape(self, samples):
        return (1, 2, 5)

    def fit(self, waveforms):
        class Fold(nn.Module):
            def forward(self, clips):
                return ((clips + 1) / 2).reshape(-1, 1, 2, 5)

        return Fold()


@dataclass(frozen=True)
class Rounded(ToyPicture):
    """The picture in sixteen levels, which have no gradient."""

    id: ClassVar[str] = "toy-rounded"
    differentiable: ClassVar[bool] = False

    def fit(self, waveforms):
        class Round(nn.Module):
            def forward(self, clips):
                return ((clips + 1) * 8).round().reshape(-1, 1, 4, 5) / 16

        return Round()


@dataclass(frozen=True)
class Straight(Rounded):
    """The same with the gradient of what is rounded."""

    id: ClassVar[str] = "toy-straight"
    surrogate: ClassVar[bool] = True

    def fit(self, waveforms):
        class Round(nn.Module):
            def forward(self, clips):
                exact = ((clips + 1) / 2).reshape(-1, 1, 4, 5)
                return exact + ((exact * 16).round() / 16 - exact).detach()

        return Round()


@dataclass(frozen=True)
class Passes(BoundedAttack):
    """Three forward and two backward passes of every clip, which it changes next to nothing of."""

    id: ClassVar[str] = "toy-passes"
    version: ClassVar[str] = "1"
    radius_per_clip: ClassVar[bool] = True
    seen: ClassVar[list] = []

    @property
    def planned_gradients(self):
        return 2

    @property
    def planned_queries(self):
        return 3

    def perturb(self, victim, ball, generator):
        self.seen.append(tuple(victim.clean.shape[1:]))
        with torch.no_grad():
            victim(victim.clean)
        for _ in range(2):
            gradient = victim.gradient(victim.clean).gradient
        return ball.project(victim.clean + ball.ascent(gradient), victim.clean)


@dataclass(frozen=True)
class Listener(Model):
    """One linear layer of samples."""

    id: ClassVar[str] = "toy-listener"
    version: ClassVar[str] = "1"
    accepts: ClassVar = frozenset({Domain.WAVEFORM, Domain.IMAGE})
    recipe: ClassVar = ToyModel.recipe

    def build(self, shape, classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), classes))


@pytest.fixture(scope="module")
def registry():
    found = toy_registry()
    for component in (Halved, Rounded, Straight, Passes, Listener):
        found.components[component.kind, component.id] = Registered(component, "tests", "1")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sound")


@pytest.fixture(scope="module")
def run(registry, folder):
    def run(**changes):
        suite = load_suite(toy_suite(**changes), registry)
        plan = make_plan(suite, folder)
        return Runner(registry, HERE, Store(folder / "cache"), folder).run(plan)

    return run


SOUND = {"domain": "waveform"}


def of(results, protocol, **ids):
    return [
        row
        for row in results.rows
        if row.protocol == protocol
        and all((getattr(row, kind) or {}).get("id") == name for kind, name in ids.items())
    ]


def test_through_the_identity_an_attack_on_the_sound_is_one_on_the_picture(run):
    """`toy-picture` folds (x + 1)/2 and nothing else."""
    attacks = ["fgsm", "bim-a", "deepfool", "cwa"]
    on_pictures, on_sound = (
        run(attacks=attacks, budget={"epsilon": 0.3, **domain}) for domain in ({}, {"domain": "waveform"})
    )
    for row, other in zip(on_sound.rows, on_pictures.rows, strict=True):
        assert (row.title(), row.status, row.reached) == (other.title(), other.status, other.reached)
        assert row.key != other.key
        shared = row.metrics.keys() & other.metrics.keys() - {"relative", "level"}
        assert {name: row.metrics[name].value for name in shared} == pytest.approx(
            {name: other.metrics[name].value for name in shared}, rel=1e-4
        )
    (row,) = of(on_sound, "bounded", attack="fgsm")
    assert row.metrics["input_l2"].value == pytest.approx(row.metrics["l2"].value, rel=1e-5)


def test_sizes_are_those_of_the_sound(run, registry, folder):
    """Recomputed from the examples in the store, in samples from -1 to 1."""
    suite = toy_suite(representations=["toy-halved"], attacks=["fgsm"], budget={"snr_db": 20.0, **SOUND})
    found = run(**suite)
    plan = make_plan(load_suite(suite, registry), folder)
    measurements = Measurements(Runner(registry, HERE, Store(folder / "cache"), folder).workshop(plan))
    (cell,) = [cell for cell in plan.cells if cell.protocol.id == "bounded"]
    examples, fields = measurements.examples(cell), found.fields(of(found, "bounded")[0])
    dataset = cell.classifier.trained.dataset
    clean = dataset.waveforms(folder, RATE // 2)[fields["clip"]].astype(np.float64)
    noise = (2 * examples[:, 0].double().numpy() - 1) - clean
    snr = 20 * np.log10(np.linalg.norm(clean, axis=1) / np.linalg.norm(noise, axis=1))
    np.testing.assert_allclose(snr, 20, atol=0.01)
    np.testing.assert_allclose(fields["snr"], snr, atol=1e-3)
    np.testing.assert_allclose(fields["l2"], np.linalg.norm(noise, axis=1) / 2, rtol=1e-4)
    (inputs,) = found.run["inputs"]
    assert (inputs["shape"], inputs["dimension"]) == ([1, 10], 10)


def test_reach_says_at_what_snr(run):
    found = run(attacks=["fgsm", "deepfool"], budget={"epsilon": 0.3, **SOUND})
    for row in of(found, "reach"):
        assert row.reached
        fields = found.fields(row)
        fooled = fields["fooled"] > 0
        size = found.fields(of(found, "bounded", attack=row.attack["id"])[0])["size"]
        expected = 20 * np.log10(size[fooled] / fields["l2"][fooled])
        np.testing.assert_allclose(fields["snr"][fooled], expected, atol=1e-3)
        assert row.metrics["snr"].value == pytest.approx(expected.mean(), rel=1e-4)
        assert np.isnan(fields["snr"][~fooled]).all()


def test_a_ladder_of_shares_ends_where_the_perturbation_is_as_large_as_the_clip(run):
    """A third of the toys are next to silent, and 0 dB is not enough for them."""
    found = run(attacks=["fgsm"], budget={"snr_db": 40.0, **SOUND})
    (row,) = of(found, "reach")
    assert not row.reached
    assert "of the clip's (0.129 dB)" in row.reason
    assert found.fields(row)["rung_relative"][-1] == pytest.approx(0.001 * 1.5**17, rel=1e-6)


def test_the_meter_counts_at_the_sound(run):
    Passes.seen.clear()
    found = run(attacks=["toy-passes"], budget={"snr_db": 20.0, **SOUND}, protocols=["clean", "bounded"])
    (row,) = of(found, "bounded")
    assert (row.metrics["gradients"].value, row.metrics["queries"].value) == (2, 3)
    assert set(Passes.seen) == {(1, 20)}


def test_a_random_defense_is_counted_by_its_draws(run):
    found = run(
        attacks=["toy-passes"],
        defenses=[{"id": "toy-blurring"}],
        budget={"snr_db": 20.0, **SOUND},
        protocols=["clean", "bounded"],
    )
    (row,) = of(found, "bounded")
    assert row.status is Status.OK
    draws = row.metrics["gradients"].value / 2
    assert draws > 1
    assert row.metrics["queries"].value == 3 * draws


def test_without_gradients_only_black_boxes_attack(run):
    found = run(
        representations=["toy-rounded", "toy-straight"], attacks=["bim-b", "square", "noise"],
        budget={"epsilon": 1.5, **SOUND}, protocols=["clean", "bounded"],
    )  # fmt: skip
    (skipped,) = of(found, "bounded", representation="toy-rounded", attack="bim-b")
    assert skipped.status is Status.SKIPPED
    assert "bim-b needs gradients of the sound, and toy-rounded gives none" in skipped.reason
    (square,) = of(found, "bounded", representation="toy-rounded", attack="square")
    assert square.metrics["fooling_rate"].value > 0.9
    assert not square.flags
    (approximate,) = of(found, "bounded", representation="toy-straight", attack="bim-b")
    assert approximate.metrics["fooling_rate"].value > 0.9
    assert approximate.flags == ("surrogate-gradient",)
    on_pictures = run(representations=["toy-rounded"], protocols=["clean", "bounded"])
    assert of(on_pictures, "bounded", attack="bim-b")[0].status is Status.OK, "pictures have their gradients"


FAMILY = {"representations": ["toy-picture", "toy-halved", "waveform"], "models": ["toy-linear", "toy-listener"]}


@pytest.fixture(scope="module")
def moved(run):
    return run(
        representations=["toy-picture", "toy-halved", {"id": "waveform", "sr": 1000}],
        models=["toy-listener"],
        defenses=["none", "toy-halving"],
        attacks=["fgsm"],
        budget={"epsilon": 0.6, **SOUND},
    )


def test_examples_move_among_all_that_hear(moved):
    rows = of(moved, "transfer")
    assert len(rows) == 6 * 5
    assert {row.status for row in rows} == {Status.OK}
    same = [row for row in rows if "representation" not in row.target]
    assert len(same) == 6
    for row in rows:
        assert row.target.get("representation") != row.representation


def test_at_the_same_rate_the_example_itself_is_shown(moved):
    """Halving weights moves no boundary: what fools one fools the other."""
    for row in of(moved, "transfer"):
        if row.target.get("representation") is None:
            assert row.metrics["transfer_ratio"].value == 1
            np.testing.assert_array_equal(moved.fields(row)["within"], 1)


def test_another_rate_gets_the_change_on_top_of_its_own_clip(registry, folder):
    """Band by band: what was added is what arrives, and a clip that was left alone arrives unharmed."""
    suite = toy_suite(representations=["toy-picture", "toy-halved"], attacks=["fgsm"], budget=SOUND)
    plan = make_plan(load_suite(suite, registry), folder)
    inputs = Measurements(Runner(registry, HERE, Store(folder / "cache"), folder).workshop(plan)).inputs
    low, high = (
        next(c.classifier.trained for c in plan.cells if c.classifier.trained.representation.rate == rate)
        for rate in (RATE // 2, RATE)
    )
    rows = np.arange(5)
    for source, target in ((low, high), (high, low), (low, low)):
        clean = inputs.heard(source, rows).inputs
        there = inputs.heard(target, rows).inputs
        assert torch.equal(inputs.moved(clean, source, target, rows), there)
        louder = inputs.moved((clean + 0.05).clamp(0, 1), source, target, rows)
        # A constant passes any resampler, but for the ends of the clip.
        middle = slice(there.shape[-1] // 4, -there.shape[-1] // 4)
        torch.testing.assert_close((louder - there)[..., middle].mean(), torch.tensor(0.05), atol=0.01, rtol=0)


def test_the_worst_case_leaves_out_what_is_larger_there_than_allowed(moved):
    rows = of(moved, "transfer")
    assert any((moved.fields(row)["within"] == 0).any() for row in rows), "else this test shows nothing"
    boards = collect(moved)
    for entry in boards.robustness:
        own = entry.metrics["fooling_rate"].value
        assert own <= 1
    from soundproof.measuring.metrics.fooling import fooled_within

    fields = {"fooled": np.array([1, 1, 0]), "within": np.array([1, 0, 1])}
    assert fooled_within(fields).tolist() == [True, False, False]


def test_the_matrix_names_representations(moved):
    boards = collect(moved)
    (matrix,) = matrices(boards)
    assert matrix.representation is None
    assert len(matrix.sources) == len(matrix.targets) == 6
    assert {name.representation.short for name in matrix.targets} == {"toy-picture", "toy-halved", "waveform"}
    header = sheets(boards)["transferability"].splitlines()[0]
    assert "target_representation,target_model,target_defense" in header


def test_training_does_not_depend_on_what_attacks_change(registry, folder):
    keys = []
    for budget in ({"epsilon": 0.3}, {"snr_db": 40.0, **SOUND}):
        plan = make_plan(load_suite(toy_suite(defenses=["none", "toy-halving"], budget=budget), registry), folder)
        of_run = Keys(plan, HERE, registry)
        classifiers = dict.fromkeys(cell.classifier for cell in plan.cells)
        keys.append(
            [of_run.of(node).digest for each in classifiers for node in (each.trained, each)]
            + [of_run.of(cell).digest for cell in plan.cells]
        )
    assert keys[0][:4] == keys[1][:4]
    assert not set(keys[0][4:]) & set(keys[1][4:])


def test_certificates_of_noise_on_inputs_say_nothing_of_sound(run):
    found = run(
        defenses=[{"id": "randomized-smoothing"}], budget={"snr_db": 20.0, **SOUND}, protocols=["certified"]
    )
    (row,) = of(found, "certified")
    assert row.status is Status.SKIPPED
    assert "proves no radius of the waveform" in row.reason


def test_sound_is_heard_and_played_as_it_was_made(run):
    """What `realised` and `channels` do for pictures needs no way back here."""
    found = run(
        attacks=["bim-b"],
        budget={"epsilon": 0.3, **SOUND},
        protocols=["clean", "bounded", "realised", "channels"],
        channels=["pcm16"],
    )
    (made,), (heard,) = of(found, "bounded"), of(found, "realised")
    assert heard.metrics["fooling_rate"].value == made.metrics["fooling_rate"].value
    np.testing.assert_allclose(found.fields(heard)["l2"], found.fields(made)["l2"], rtol=1e-4)
    np.testing.assert_allclose(found.fields(heard)["snr"], found.fields(made)["snr"], atol=1e-2)
    np.testing.assert_allclose(found.fields(heard)["missed"], 0, atol=1e-5)
    played = [row for row in of(found, "channels") if row.attack is not None]
    assert [row.status for row in played] == [Status.OK]
    assert played[0].metrics["survival"].value == 1, "sixteen bits are finer than what was changed"


COMMAND = (sys.executable, "-c", "import sys; from soundproof.cli import main; sys.exit(main())")
SMALL = """
name = "bytes"
datasets = [{ id = "synth", recordings = 4, takes = 2 }]
representations = [{ id = "stft", sr = [8000, 4000], n_fft = 256, size = [16, 16] }]
models = [{ id = "resnet56", depth = 8, width = 4, stem_stride = 2 }]
attacks = ["fgsm", "noise"]
protocols = ["clean", "bounded", "transfer"]
budget = { snr_db = 30.0, domain = "waveform" }
training = { epochs = 1 }
"""


def test_runs_of_sound_are_the_same_bytes_in_workers(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    found = []
    for isolate in ("none", "all"):
        places = ["--out", tmp_path / isolate, "--cache", tmp_path / f"cache-{isolate}", "--data", tmp_path]
        command = [*COMMAND, "run", "--suite", tmp_path / "small.toml", *places]
        done = subprocess.run([*command, "--isolate", isolate], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.append((tmp_path / isolate / "results.jsonl").read_bytes())
    assert found[0] == found[1]
    rows = [json.loads(line) for line in found[0].splitlines()]
    # Two classifiers: two looks and two attacks each, and two attacks moved from each to the other.
    assert len(rows) == 10
    assert {row["status"] for row in rows if row["protocol"] != "transfer"} == {"ok"}
