"""Every suite that ships, end to end on generated sound in the layouts in which data is published.

The lists of a suite are kept; what makes it slow is made small: clips, pictures, networks, epochs, attacks' steps.
"""

import json
import tomllib
from pathlib import Path

import pytest

import publications
from soundproof import api
from soundproof.contract.discovery import discover
from soundproof.errors import DataError
from soundproof.planning.documents import suite_names, suite_text
from soundproof.planning.product import make_plan, published_plan
from soundproof.planning.suite import load_suite
from soundproof.results import files
from soundproof.types import Status

pytestmark = pytest.mark.slow

SECONDS = 0.4
REGISTRY = discover()
TINY = {"id": "resnet56", "depth": 8, "width": 4, "stem_stride": 2}
# What makes one run of each attack short.
SHORT = {
    "bim-a": {"steps": 2},
    "bim-b": {"steps": 2},
    "jsma": {"steps": 3},
    "deepfool": {"steps": 2},
    "cwa": {"search_steps": 2, "steps": 3},
    "lbfgs": {"search_steps": 2, "steps": 2},
    "pia": {"steps": 2, "samples": 4},
    "pgd": {"steps": 2},
    "square": {"queries": 4},
}


@pytest.fixture
def short_clips(monkeypatch):
    """Clips of 0.4 s, and one of each class and fold of ESC: the publishers' lengths and numbers take minutes."""
    from soundproof_datasets import esc, urbansound8k

    for dataset in (esc.ESC10, esc.ESC50, urbansound8k.UrbanSound8K):
        monkeypatch.setattr(dataset, "seconds", property(lambda _: SECONDS))
    monkeypatch.setattr(esc, "CLIPS_A_FOLD", 1)


def scaled(name, size=(24, 24), models=None):
    """A suite's document with its lists, made small."""
    document = tomllib.loads(suite_text(name))
    for entry in document["representations"]:
        if "size" in entry or entry["id"] not in ("rms-zcr", "waveform", "mu-law", "yamnet-patch"):
            entry["size"] = list(size)
    if models is not None:
        document["models"] = models
        document["settings"] = [each for each in document.get("settings", ()) if "model" not in each]
    document["attacks"] = [_short(entry) for entry in document["attacks"]]
    document["training"] = {"epochs": 1, "batch": 8}
    document["split"]["folds"] = 1
    if "augmentations" in document:
        document["augmentations"] = [{"id": "pitch-shift", "scales": [1.5]}]
    return document


def _short(entry):
    entry = entry if isinstance(entry, dict) else {"id": entry}
    return {**entry, **SHORT.get(entry["id"], {})}


def run(document, tmp_path, name="out", **only):
    """The rows of a run, which must not hold a broken one."""
    out = tmp_path / name
    api.run(document, data=tmp_path, out=out, cache=tmp_path / "cache", device="cpu", only=only)
    rows = files.read(out).rows
    assert [(row.title(), row.reason) for row in rows if row.status.broken] == []
    assert (out / "index.html").exists()
    return rows


def measured(rows, kind):
    """What was measured of a kind."""
    return {json.dumps(getattr(row, kind), sort_keys=True) for row in rows if row.status is Status.OK}


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_is_planned_from_what_publishers_say(name):
    suite = load_suite(name, REGISTRY)
    plan = make_plan(suite, Path("/nowhere"))
    if not plan.absent:  # generated
        assert plan.cells
        return
    assert not plan.cells
    assert len(plan.missing) > 0
    described = published_plan(plan)
    assert described.cells
    assert {cell.attack.id for cell in described.cells if cell.attack} == {each.id for each in suite.attacks}
    assert {cell.classifier.trained.model for cell in described.cells} == set(suite.models)
    assert {cell.classifier.defense.id for cell in described.cells} == {each.id for each in suite.defenses}


def test_paper(tmp_path, short_clips):
    publications.esc50(tmp_path, recordings=1, takes="A", seconds=SECONDS, tone=True)
    document = scaled("paper", models=[{**TINY, "label": "ResNet-56"}])
    suite = load_suite("paper", REGISTRY)
    without_copies = {**document, "augmentations": []}  # each is another constant-Q transform
    rows = run(without_copies, tmp_path, dataset=["ESC-10"], attack=["FGSM (002)", "DeepFool (001)"])
    assert len(measured(rows, "representation")) == len(suite.representations)
    assert {row.protocol for row in rows if row.status is Status.OK} == {"clean", "bounded", "reach", "transfer"}
    # What was measured is of no network of the papers: conclusions are told, numbers are not compared.
    text = (tmp_path / "out" / "papers.md").read_text()
    assert "What they conclude" in text
    assert "Their numbers and ours" not in text
    rows = run(document, tmp_path, "attacked", dataset=["ESC-10"], representation=["MFCC"])
    assert len(measured(rows, "defense")) == len(suite.defenses)
    for protocol in ("bounded", "reach"):
        of = [row for row in rows if row.protocol == protocol and row.status is Status.OK]
        assert len(measured(of, "attack")) == len(suite.attacks), protocol


def test_paper_without_one_of_its_data_sets(tmp_path, short_clips):
    publications.esc50(tmp_path, recordings=1, takes="A", seconds=SECONDS, tone=True)
    document = scaled("paper", size=(12, 12), models=[{**TINY, "label": "ResNet-56"}])
    document["augmentations"] = []
    chosen = {"representation": ["MFCC", "STFT", "DWT"], "defense": ["none"]}
    rows = run(document, tmp_path, protocol=["clean"], **chosen)
    assert {row.dataset["id"] for row in rows if row.status is Status.OK} == {"esc10", "esc50"}
    missing = [row for row in rows if row.dataset["id"] == "urbansound8k"]
    assert len(missing) == 3
    assert all(row.status is Status.SKIPPED and "bench data fetch urbansound8k" in row.reason for row in missing)
    # ESC-50 wants 16 kHz, the others 8 kHz.
    rates = {
        (row.dataset["id"], row.representation.get("sr")) for row in rows if row.representation["id"] == "mfcc"
    }
    assert rates == {("esc10", 8000), ("esc50", 16000), ("urbansound8k", 8000)}


def test_paper_on_urbansound8k(tmp_path, short_clips):
    publications.urbansound8k(tmp_path, folds=5, seconds=SECONDS, tone=True)
    document = scaled("paper", size=(12, 12), models=[{**TINY, "label": "ResNet-56"}])
    document["split"]["folds"] = 5
    chosen = {"representation": ["MFCC"], "attack": ["BIM-b (002)"], "fold": ["4"]}
    rows = run(document, tmp_path, **chosen)
    of = [row for row in rows if row.dataset["id"] == "urbansound8k"]
    assert of
    assert all(row.status is Status.OK and row.fold == 4 for row in of)
    assert {row.status for row in rows if row.dataset["id"] != "urbansound8k"} == {Status.SKIPPED}


def test_in_sound(tmp_path, short_clips):
    publications.esc10(tmp_path, recordings=1, takes="A", seconds=SECONDS, tone=True)
    document = scaled("in-sound", size=(12, 12))
    document["models"] = [{**TINY, "label": "ResNet-8"}, {"id": "wavenet", "variant": "A", "filters": 2}]
    suite = load_suite("in-sound", REGISTRY)
    rows = run(document, tmp_path, defense=["none"], attack=["FGSM", "noise"])
    assert len(measured(rows, "representation")) == len(suite.representations)
    assert {row.protocol for row in rows if row.status is Status.OK} >= {"clean", "bounded", "reach"}
    # Three representations of pictures and one of samples: each moves to the three others.
    moved = [row for row in rows if row.protocol == "transfer" and row.attack["id"] == "fgsm"]
    found = {
        (row.representation["id"], row.target.get("representation", row.representation)["id"]) for row in moved
    }
    assert len(found) == 12
    rows = run(document, tmp_path, "attacked", representation=["MFCC"], model=["ResNet-8"], protocol=["bounded"])
    assert len(measured(rows, "defense")) == len(suite.defenses)
    assert len(measured(rows, "attack")) == len(suite.attacks)
    text = (tmp_path / "attacked" / "robustness.md").read_text()
    assert "SNR ≥ 40 dB on the waveform" in text


def test_sweeps(tmp_path, short_clips):
    publications.esc10(tmp_path, recordings=1, takes="A", seconds=SECONDS, tone=True)
    document = scaled("sweeps", size=(12, 12), models=[{**TINY, "label": "ResNet-18"}])
    document["augmentations"] = []
    suite = load_suite("sweeps", REGISTRY)
    rows = run(document, tmp_path, dataset=["ESC-10"], protocol=["clean"])
    assert len(measured(rows, "representation")) == len(suite.representations)
    rows = run(document, tmp_path, "attacked", dataset=["ESC-10"], representation=["dwt-haar"])
    assert len(measured([row for row in rows if row.attack], "attack")) == len(suite.attacks)


def test_speech(tmp_path):
    publications.fsdd(tmp_path, speakers=("jackson", "lucas", "theo"), takes=2, tone=True)
    publications.speech_commands(tmp_path, speakers=4, tone=True)
    publications.two_speakers(tmp_path)
    document = scaled("speech", size=(64, 64))
    for entry in document["representations"]:
        if entry["id"] == "waveform":
            entry["length"] = 2048 if entry["label"].startswith("1 s") else 4096
    document["defenses"][2] |= {
        "mode": "encoder", "samples": 2048, "width": 2, "latent": 4, "encoder_width": 2,
        "generator_steps": 2, "critic_steps": 1, "encoder_steps": 2, "batch": 4,
    }  # fmt: skip
    for entry in document["settings"]:
        entry["training"]["epochs"] = 1
    suite = load_suite("speech", REGISTRY)
    document["datasets"][2]["seconds"] = 1.0
    # Every representation and network; every data set and defense; every attack.
    rows = run(document, tmp_path, defense=["none"], protocol=["clean"], dataset=["two speakers"])
    assert len(measured(rows, "representation")) == len(suite.representations)
    assert len(measured(rows, "model")) == len(suite.models)
    chosen = {"representation": ["1 s of samples"], "model": ["WaveNet A"]}
    rows = run(document, tmp_path, "defended", protocol=["clean"], **chosen)
    assert len(measured(rows, "dataset")) == len(suite.datasets)
    assert len(measured(rows, "defense")) == len(suite.defenses)
    chosen = {"representation": ["RMS, ZCR"], "model": ["MLP"], "dataset": ["two speakers"]}
    rows = run(document, tmp_path, "attacked", **chosen)
    assert len(measured([row for row in rows if row.attack], "attack")) == len(suite.attacks)


def test_spoof(tmp_path):
    publications.asvspoof(tmp_path, speakers=4, seconds=SECONDS, tone=True)
    document = scaled("spoof", size=(96, 96))
    document["datasets"][0]["seconds"] = SECONDS
    document["training"] = {"epochs": 1, "batch": 8}
    document["settings"] = []
    suite = load_suite("spoof", REGISTRY)
    rows = run(document, tmp_path, defense=["none"], protocol=["clean"], model=["ARWaveletCNN"])
    assert len(measured(rows, "representation")) == len(suite.representations)
    assert all("eer" in row.metrics for row in rows if row.status is Status.OK)
    rows = run(document, tmp_path, "defended", representation=["HPSS sounds"], protocol=["clean"])
    assert len(measured(rows, "model")) == len(suite.models)
    assert len(measured(rows, "defense")) == len(suite.defenses)
    rows = run(document, tmp_path, "attacked", representation=["LLFB"], defense=["none"], model=["ARWaveletCNN"])
    assert len(measured([row for row in rows if row.attack], "attack")) == len(suite.attacks)


def test_nothing_at_all_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"esc10 is absent: .*bench data fetch esc10"):
        api.run("esc10", data=tmp_path, out=tmp_path / "out", cache=tmp_path / "cache")
    assert not (tmp_path / "out").exists()
