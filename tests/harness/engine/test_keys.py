"""Keys hold what a stage needs and nothing more: which edits recompute which stages."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
KINDS = ("attacks", "augmentations", "datasets", "defenses", "models", "representations")
# Each edit: a file, what is appended to it.
EDITS = {
    "nothing": ("harness/soundproof/engine/store.py", ""),
    "the store": ("harness/soundproof/engine/store.py", "\nUNUSED = 1\n"),
    "the boards": ("harness/soundproof/boards/page.py", "\nUNUSED = 1\n"),
    "downloads": ("harness/soundproof/data/fetch.py", "\nUNUSED = 1\n"),
    "a comment in the judge": ("harness/soundproof/measuring/judge.py", "\n# A remark.\n"),
    "a neighbouring model": ("plugins/models/soundproof_models/wavenet.py", "\nUNUSED = 1\n"),
    "the judge": ("harness/soundproof/measuring/judge.py", "\nUNUSED = 1\n"),
    "the trainer": ("harness/soundproof/training/trainer.py", "\nUNUSED = 1\n"),
    "decoding": ("harness/soundproof/data/audio.py", "\nUNUSED = 1\n"),
    "a helper of square": ("plugins/attacks/soundproof_attacks/_squares.py", "\nUNUSED = 1\n"),
}
SCRIPT = """
import gc, json, sys
from functools import _lru_cache_wrapper
from pathlib import Path
from soundproof.contract.discovery import discover
from soundproof.engine.environment import Environment
from soundproof.engine.keys import Keys
from soundproof.measuring.cell import Cell
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite

root, edits = Path(sys.argv[1]), json.loads(sys.argv[2])
registry = discover()
suite = load_suite(
    {
        "name": "keys",
        "datasets": ["synth"],
        "representations": [{"id": "stft", "size": [32, 32]}],
        "models": [{"id": "resnet56", "depth": 8}],
        "defenses": ["none", "adversarial-training"],
        "attacks": ["fgsm", "square"],
    },
    registry,
)
plan = make_plan(suite, root)
assert plan.cells


def named(node):
    if not isinstance(node, Cell):
        return type(node).__name__.lower()
    return f"{node.protocol.id} {node.attack.id}" if node.attack else node.protocol.id


def keys(threads=1):
    for cached in [each for each in gc.get_objects() if isinstance(each, _lru_cache_wrapper)]:
        if (cached.__module__ or "").startswith("soundproof"):
            cached.cache_clear()
    made = Keys(plan, Environment("cpu", "", threads), registry)
    found = {}
    for node in plan.graph.order(plan.cells):
        found.setdefault(named(node), []).append(made.of(node).digest)
    return found


found = {}
for name, (file, added) in edits.items():
    path = root / file
    before = path.read_text()
    path.write_text(before + added)
    found[name] = keys()
    path.write_text(before)
found["threads"] = keys(threads=2)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def stale(tmp_path_factory):
    """The stages that each edit makes anew."""
    root = tmp_path_factory.mktemp("tree")
    for part in ("harness", "plugins"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    sources = [root / "harness", *(root / "plugins" / kind for kind in KINDS)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources))}
    command = [sys.executable, "-c", SCRIPT, str(root), json.dumps(EDITS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    return {
        name: {stage for stage in keys if keys[stage] != found["nothing"][stage]} for name, keys in found.items()
    }


PROTOCOLS, ATTACKS = ("bounded", "reach", "transfer"), ("fgsm", "square")
CELLS = {"clean"} | {f"{protocol} {attack}" for protocol in PROTOCOLS for attack in ATTACKS}
TRAINED = {"trained", "classifier"}


@pytest.mark.parametrize(
    "edit", ["the store", "the boards", "downloads", "a comment in the judge", "a neighbouring model"]
)
def test_what_computes_nothing_recomputes_nothing(stale, edit):
    assert stale[edit] == set()


def test_a_helper_recomputes_the_attacks_that_use_it_and_no_training(stale):
    assert stale["a helper of square"] == {f"{protocol} square" for protocol in ("bounded", "reach", "transfer")}


def test_the_judge_recomputes_cells_and_no_training(stale):
    assert stale["the judge"] == CELLS


def test_the_trainer_recomputes_what_is_trained_and_no_inputs(stale):
    assert stale["the trainer"] == TRAINED | CELLS


def test_decoding_recomputes_everything(stale):
    assert stale["decoding"] == {"clips", "inputs"} | TRAINED | CELLS


def test_decoded_audio_does_not_depend_on_threads(stale):
    assert stale["threads"] == {"inputs"} | TRAINED | CELLS
