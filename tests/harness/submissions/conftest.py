"""A run of somebody's attack on built-in components, and its bundle."""

import hashlib
import json
import zipfile
from dataclasses import replace

import pytest

from soundproof.contract.discovery import discover
from soundproof.engine.environment import Environment
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results import files
from soundproof.submissions import bundle
from soundproof.submissions.packing import pack
from toys import toy_registry

SUITE = {
    "name": "submitted",
    "datasets": [{"id": "synth", "recordings": 16, "takes": 1}],
    "representations": [{"id": "stft", "n_fft": 512, "size": [16, 16]}],
    "models": [{"id": "resnet56", "depth": 8, "stem_stride": 2}],
    # Their own name for it, and settings that hold only here.
    "defenses": ["none", {"id": "input-transform", "bits": 2, "label": "few bits"}],
    "attacks": [{"id": "toy-walking", "steps": 20, "stride": 0.1}],
    "protocols": ["clean", "bounded"],
    "budget": {"epsilon": 9.0},
    "training": {"epochs": 6},
    "settings": [{"dataset": "synth", "budget": {"epsilon": 1.0}}],
}
HERE = Environment("cpu", "", threads=1)


@pytest.fixture(scope="session")
def submitted(tmp_path_factory):
    """A folder with `out`, `cache`, and `plain` and `weighty` bundles; the attack is no built-in one."""
    folder = tmp_path_factory.mktemp("submitted")
    runner = Runner(toy_registry(), HERE, Store(folder / "cache"), folder)
    plan = make_plan(load_suite(SUITE, runner.registry), folder)
    found = runner.run(plan)
    files.write(found, folder / "out")
    row = next(row for row in found.rows if row.protocol == "bounded" and row.defense != {"id": "none"})
    assert row.metrics["fooling_rate"].value > 0, row.metrics
    pack(folder / "out", row.key, folder / "plain.bundle", runner)
    pack(folder / "out", row.key[:9], folder / "weighty.bundle", runner, with_weights=True)
    return folder


@pytest.fixture
def elsewhere(tmp_path):
    """What runs on the machine of somebody who has soundproof, and nothing of the submitter's."""
    return Runner(discover(), HERE, Store(tmp_path / "elsewhere"), tmp_path)


@pytest.fixture
def forged(submitted, tmp_path):
    """Writes a bundle with something changed in it, whose manifest tells of what it holds."""

    def forge(name="plain", arrays=None, manifest=None, members=None, weights=None):
        from safetensors.torch import load, save

        with zipfile.ZipFile(submitted / f"{name}.bundle") as archive:
            there = {each: archive.read(each) for each in archive.namelist()}
        for member, change in ((bundle.EXAMPLES, arrays), (bundle.WEIGHTS, weights)):
            if change is not None:
                tensors = load(there[member])
                tensors.update(change(tensors))
                there[member] = save(
                    {key: value.contiguous() for key, value in tensors.items() if value is not None}
                )
        there |= members or {}
        told = json.loads(there[bundle.MANIFEST])
        told["files"] = {
            key: hashlib.sha256(value).hexdigest() for key, value in there.items() if key != bundle.MANIFEST
        }
        if manifest is not None:
            manifest(told)
        there[bundle.MANIFEST] = json.dumps(told).encode()
        path = tmp_path / "forged.bundle"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for key, value in there.items():
                archive.writestr(key, value)
        return path

    return forge


@pytest.fixture
def cached(submitted, elsewhere):
    """The same, with the submitter's cache: nothing has to be trained."""
    return replace(elsewhere, store=Store(submitted / "cache"))
