"""The zoo as an installed package, through the real command: every other row is as in the run without it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
PLUGIN = """
from hostile import attacks, classifiers
from soundproof import hookimpl
from toys import TOYS

@hookimpl
def soundproof_components():
    found = [each for module in (attacks, classifiers) for each in vars(module).values()]
    own = [each for each in found if isinstance(each, type) and each.__module__.startswith("hostile")]
    return [*TOYS, *(each for each in own if "id" in vars(each))]
"""
SUITE = """
name = "zoo"
datasets = ["toy-data"]
representations = ["toy-picture"]
models = ["toy-linear"{models}]
defenses = ["none"{defenses}]
attacks = ["fgsm", {attacks} "bim-b"]
protocols = ["clean", "bounded", "reach"]
[budget]
epsilon = 0.5
"""
ATTACKS = """
  "hostile-in-place", "hostile-assigning", "hostile-training", "hostile-ruining", "hostile-hooking",
  "hostile-moding", "hostile-doubling", "hostile-subclass", "hostile-buffer", "hostile-spoiling",
  "hostile-billing",
  "hostile-vmapping", "hostile-copying", "hostile-reseeding", "hostile-early",
  { id = "hostile-global", setting = ["dtype", "gradients", "threads", "precision", "autocast", "folder"] },
  { id = "hostile-leaving", way = ["exit", "interrupt", "recursion", "silent", "surrogate", "long"] },
"""
MODELS = ', { id = "hostile-model", where = ["forward", "build", "nothing", "wide", "narrow", "reason_to_skip"] }'
DEFENSES = ', { id = "hostile-defense", where = ["wrap", "fit", "global"] }'
COMMAND = [sys.executable, "-c", "from soundproof.cli import main; raise SystemExit(main())", "run"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Runs the command with the zoo installed beside it, and gives how it ended and its rows by key."""
    site = tmp_path_factory.mktemp("site")
    (site / "zoo_plugin.py").write_text(PLUGIN)
    metadata = site / "zoo-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[soundproof.plugins]\nzoo = zoo_plugin\n")
    path = os.pathsep.join([str(site), str(TESTS), os.environ.get("PYTHONPATH", "")])

    def run(name, cache, **parts):
        suite, out = site / f"{name}.toml", site / name
        suite.write_text(SUITE.format(**{"attacks": "", "models": "", "defenses": "", **parts}))
        places = ["--suite", str(suite), "--out", str(out), "--cache", str(site / cache), "--device", "cpu"]
        done = subprocess.run(
            [*COMMAND, *places],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        file = out / "results.jsonl"
        rows = file.read_text().splitlines() if file.exists() else []
        return done, {json.loads(row)["key"]: row for row in rows}

    return run


@pytest.fixture(scope="module")
def honest(bench):
    done, rows = bench("honest", "alone")
    assert done.returncode == 0, done.stderr
    assert len(rows) == 5
    return rows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zoo", "count"),
    [({"attacks": ATTACKS}, 50), ({"models": MODELS}, 35), ({"defenses": DEFENSES}, 20)],
    ids=["attacks", "models", "defenses"],
)
def test_the_zoo_changes_no_row_but_its_own(bench, honest, zoo, count):
    (name,) = zoo
    beside, rows = bench(f"beside-{name}", name, **zoo)
    assert beside.returncode == 1, beside.stderr
    assert "Traceback" not in beside.stderr
    assert len(rows) >= count
    assert {key: row for key, row in rows.items() if key in honest} == honest
    later, again = bench(f"after-{name}", name)
    assert later.returncode == 0, later.stderr
    assert again == honest, "what stays in the cache is theirs, too"
