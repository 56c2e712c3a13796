"""A classifier of one's own: from a module, a function, a suite and the shell; what does not fit is told."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

import soundproof
from soundproof import SoundproofError, load_module
from soundproof.cli import main

pytestmark = pytest.mark.slow

RATE, SAMPLES = 8000, 2000
CLASSES = ("low", "middle", "high")
LABELS = np.arange(30) % 3
SOURCE = """
import torch
from torch import nn

class Bins(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, waveforms):
        spectrum = torch.fft.rfft(waveforms, dim=1)
        return self.gain * (spectrum.real**2 + spectrum.imag**2)[:, [50, 100, 200]] / 1000

def network():
    return Bins()

def scaled():
    class Scaled(Bins):
        def forward(self, inputs):
            return super().forward(2 * inputs[:, 0] - 1)
    return Scaled()

def number():
    return 3

def broken():
    raise RuntimeError("no such luck")
"""


@pytest.fixture(scope="module")
def clips():
    """Tones of 200, 400 and 800 Hz, whose squared spectra say what they are."""
    time = np.arange(SAMPLES) / RATE
    pitch = np.array([200, 400, 800])[LABELS][:, None]
    noise = np.random.default_rng(0).normal(0, 0.01, (30, SAMPLES))
    return (0.05 * np.sin(2 * np.pi * pitch * time) + noise).astype(np.float32)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with the user's own code, where the user stands."""
    (tmp_path / "mine_bins.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOUNDPROOF_CACHE", str(tmp_path / "cache"))
    yield tmp_path
    sys.modules.pop("mine_bins", None)


def evaluate(clips, classifier, **changes):
    given = {
        "labels": LABELS,
        "rate": RATE,
        "classes": CLASSES,
        "device": "cpu",
        "attacks": ["fgsm", "bim-b"],
        **changes,
    }
    return soundproof.evaluate(classifier, clips, **given)


def test_a_module_gets_rows_and_boards(mine, clips):
    module = load_module("mine_bins:network")
    before = {name: value.clone() for name, value in module.state_dict().items()}
    frame = evaluate(clips, module, groups=LABELS, budget={"epsilon": 0.8}, name="bins")
    assert set(frame["protocol"]) == {"clean", "bounded", "reach"}
    assert set(frame["status"]) == {"ok"}
    assert frame["accuracy"].dropna().tolist() == [1.0]
    robust = frame.set_index(["protocol", "attack"])["robust_accuracy"]
    # As long as half of the tone, on samples scaled to [0, 1]: it can be taken away.
    assert robust["bounded", "fgsm"] < 1
    assert robust["bounded", "bim-b"] < 1
    assert (mine / "results" / "bins" / "index.html").exists()
    rows = [json.loads(line) for line in (mine / "results/bins/results.jsonl").read_text().splitlines()]
    assert {flag for row in rows for flag in row["flags"]} == set()
    assert {row["metrics"]["accuracy"]["n"] for row in rows if row["protocol"] == "clean"} == {30}, (
        "all are tested"
    )
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_other_weights_are_another_classifier(mine, clips):
    module = load_module("mine_bins:network")
    first = evaluate(clips, module, attacks=["fgsm"], out="one")
    with torch.no_grad():
        module.gain.zero_()
    second = evaluate(clips, module, attacks=["fgsm"], out="two")
    assert first["accuracy"].dropna().tolist() == [1.0]
    assert second["accuracy"].dropna().tolist() == [pytest.approx(1 / 3, abs=1e-6)], "nothing came from the cache"


def test_a_function_without_gradients_and_unknown_recordings(mine, clips):
    reference = load_module("mine_bins:network")

    def heard(waveforms):
        with torch.no_grad():
            return reference(waveforms)

    frame = evaluate(clips, heard, differentiable=False, attacks=["fgsm", "noise"])
    by_attack = frame[frame["protocol"] == "bounded"].set_index("attack")["status"]
    assert by_attack["fgsm"] == "skipped"
    assert by_attack["noise"] == "ok"
    rows = [json.loads(line) for line in (mine / "results/mine/results.jsonl").read_text().splitlines()]
    assert all(row["flags"] == ["ungrouped"] for row in rows if row["status"] == "ok")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": LABELS[:-1]}, "29 labels for 30 clips"),
        ({"labels": ["low", "hgih", "low"] * 10}, "label 'hgih' is none of the classes: did you mean 'high'"),
        ({"labels": LABELS + 1}, "label 3 is no index into 3 classes"),
        ({"classes": ("low", "high")}, "label 2 is no index into 2 classes"),
        ({"classes": (*CLASSES, "never")}, r"gives \(30, 3\) for 30 clips, where logits \(30, 4\) are due"),
        ({"classes": ("low", "low", "high")}, "two different names"),
        ({"labels": [CLASSES[(label + 1) % 3] for label in LABELS]}, "on 100% if classes are renamed"),
        ({"attacks": ["fgms"]}, "did you mean 'fgsm'"),
    ],
)
def test_what_does_not_fit_is_told(mine, clips, changes, words):
    with pytest.raises(SoundproofError, match=words):
        evaluate(clips, load_module("mine_bins:network"), **changes)


def test_clips_out_of_range_are_told(mine, clips):
    with pytest.raises(SoundproofError, match="must lie in"):
        evaluate(clips * 100, load_module("mine_bins:network"))
    with pytest.raises(SoundproofError, match="floating-point"):
        evaluate((clips * 100).astype(int), load_module("mine_bins:network"))


SUITE = """
name = "own"
datasets = [{ id = "synth", takes = 2, seconds = 0.25, classes = 3 }]
representations = [{ id = "waveform", sr = 8000 }]
models = [{ id = "module", build = "mine_bins:scaled", weights = "gain.safetensors" }]
attacks = ["fgsm"]
protocols = ["clean", "bounded"]
[split]
scheme = "all"
"""


def test_a_suite_names_a_module(mine, capsys):
    save_file({"gain": torch.tensor(2.0)}, "gain.safetensors")
    (mine / "own.toml").write_text(SUITE)
    assert main(["run", "--suite", "own.toml", "--out", "out", "--device", "cpu"]) == 0, capsys.readouterr().err
    rows = [json.loads(line) for line in (mine / "out/results.jsonl").read_text().splitlines()]
    assert rows[0]["model"] == {"id": "module", "build": "mine_bins:scaled", "weights": "gain.safetensors"}
    assert {row["status"] for row in rows} == {"ok"}
    # What has to be trained finds nothing to be trained on.
    (mine / "own.toml").write_text(SUITE.replace(', weights = "gain.safetensors"', "").replace('"own"', '"bare"'))
    assert main(["run", "--suite", "own.toml", "--out", "bare", "--device", "cpu"]) == 0
    rows = [json.loads(line) for line in (mine / "bare/results.jsonl").read_text().splitlines()]
    assert {row["status"] for row in rows} == {"skipped"}
    assert "leaves no clip to train on" in rows[0]["reason"]
    capsys.readouterr()
    (mine / "own.toml").write_text(SUITE.replace("mine_bins", "not_mine"))
    assert main(["run", "--suite", "own.toml", "--out", "none", "--device", "cpu"]) == 2
    assert "there is no module 'not_mine'" in capsys.readouterr().err


class Bomb:
    def __reduce__(self):
        return (print, ("executed",))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps(Bomb()), "pickles are never loaded"),
        (b"\x00\xe4\x0b\x54\x02\x00\x00\x00" + b"{}", "not a safetensors file"),
        (b"", "not a safetensors file"),
        (None, "there is no such file"),
    ],
    ids=["pickle", "a header of 10 GB", "empty", "missing"],
)
def test_weights_that_are_none_are_refused(mine, capsys, content, words):
    if content is not None:
        (mine / "w.safetensors").write_bytes(content)
    with pytest.raises(SoundproofError, match=words):
        load_module("mine_bins:network", "w.safetensors")
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize("state", [{"gain": torch.zeros(2)}, {"grain": torch.tensor(1.0)}], ids=["shape", "name"])
def test_weights_of_another_network_are_refused(mine, state):
    save_file(state, "w.safetensors")
    with pytest.raises(SoundproofError, match=r"w\.safetensors: Error.*state_dict"):
        load_module("mine_bins:network", "w.safetensors")


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ("mine_bins", "write package.module:function"),
        ("mine_bins:nothing", "AttributeError"),
        ("mine_bins:number", "returned int, not a torch.nn.Module"),
        ("mine_bins:broken", r"no such luck \(mine_bins.py:"),
        ("nowhere.bins:network", "nowhere"),
    ],
)
def test_a_function_that_is_none_is_told(mine, build, words):
    with pytest.raises(SoundproofError, match=words):
        load_module(build)


def test_from_the_shell(mine, clips):
    for number, (clip, label) in enumerate(zip(clips, LABELS, strict=True)):
        folder = mine / "clips" / CLASSES[label]
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"r{number // 3}-{number}.wav", clip, RATE, subtype="FLOAT")
    save_file({"gain": torch.tensor(2.0)}, "gain.safetensors")
    code = "import sys; from soundproof.cli import main; sys.exit(main())"
    # Classes are the folders' names in alphabetical order, and this one's logits have another.
    arguments = ["evaluate", "mine_bins:network", "--weights", "gain.safetensors", "--clips", "clips"]
    arguments += ["--rate", str(RATE), "--seconds", "0.25", "--attack", "fgsm", "--device", "cpu"]
    wrong = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "give classes in the order of its logits" in wrong.stderr
    arguments += ["--classes", ",".join(CLASSES), "--group", "^(r[0-9]+)"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "boards: file://" in done.stdout
    rows = [json.loads(line) for line in (mine / "results/mine/results.jsonl").read_text().splitlines()]
    assert {row["status"] for row in rows} == {"ok"}
    assert rows[0]["metrics"]["accuracy"]["value"] == 1.0


def test_a_module_of_a_suite_with_its_classes_in_another_order_is_flagged(tmp_path, monkeypatch):
    """Nobody tells a suite in which order a network of one's own gives its classes."""
    from dataclasses import dataclass
    from typing import ClassVar

    from soundproof.contract.registry import Registered
    from soundproof.engine.environment import Environment
    from soundproof.engine.runner import Runner
    from soundproof.engine.store import Store
    from soundproof.planning.product import make_plan
    from soundproof.planning.suite import load_suite
    from toys import ToyModel, toy_registry, toy_suite

    @dataclass(frozen=True)
    class Turned(ToyModel):
        """Its outputs are one place further."""

        id: ClassVar[str] = "toy-turned"

        def fit(self, module, data, trainer):
            curve = super().fit(module, data, trainer)
            layer = module[1]
            with torch.no_grad():
                layer.weight.copy_(layer.weight.roll(1, 0))
                layer.bias.copy_(layer.bias.roll(1, 0))
            return curve

    registry = toy_registry()
    registry.components[Turned.kind, Turned.id] = Registered(Turned, "toys", "1")
    suite = load_suite(toy_suite(models=["toy-linear", "toy-turned"], protocols=["clean"]), registry)
    plan = make_plan(suite, tmp_path)
    rows = Runner(registry, Environment("cpu", "", 1), Store(tmp_path / "cache"), tmp_path).run(plan).rows
    flagged = {row.model["id"]: "misnamed-classes" in row.flags for row in rows}
    assert flagged == {"toy-linear": False, "toy-turned": True}
