"""The zoo as an installed package, through the real command: every other row is byte-identical to the run without it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
PLUGIN = """
from hostile import attacks, classifiers
from soundproof import Component, hookimpl
from toys import TOYS

@hookimpl
def soundproof_components():
    found = [each for module in (attacks, classifiers) for each in vars(module).values()]
    return [*TOYS, *(each for each in found if isinstance(each, type) and "id" in vars(each) and each.__module__.startswith("hostile"))]
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
  "hostile-in-place", "hostile-assigning", "hostile-training", "hostile-hooking", "hostile-moding", "hostile-doubling",
  "hostile-subclass", "hostile-buffer", "hostile-spoiling", "hostile-billing", "hostile-vmapping", "hostile-copying",
  { id = "hostile-global", setting = ["dtype", "gradients", "threads", "precision", "autocast", "folder"] },
  { id = "hostile-leaving", way = ["exit", "interrupt", "recursion", "silent", "surrogate", "long"] },
  "hostile-reseeding", "hostile-early",
"""
MODELS = ', { id = "hostile-model", where = ["forward", "build", "nothing", "wide", "narrow", "reason_to_skip"] }'
DEFENSES = ', { id = "hostile-defense", where = ["wrap", "fit", "global"] }'


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Runs the command with the zoo installed beside it, and gives its exit code, what it said and its rows."""
    site = tmp_path_factory.mktemp("site")
    (site / "zoo_plugin.py").write_text(PLUGIN)
    metadata = site / "zoo-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[soundproof.plugins]\nzoo = zoo_plugin\n")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site), str(TESTS), os.environ.get("PYTHONPATH", "")]),
    }

    def run(name, cache, **parts):
        suite = site / f"{name}.toml"
        suite.write_text(SUITE.format(**{"attacks": "", "models": "", "defenses": "", **parts}))
        command = [sys.executable, "-c", "from soundproof.cli import main; raise SystemExit(main())", "run"]
        command += [
            "--suite",
            str(suite),
            "--out",
            str(site / name),
            "--cache",
            str(site / cache),
            "--device",
            "cpu",
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        rows = (
            (site / name / "results.jsonl").read_text().splitlines()
            if (site / name / "results.jsonl").exists()
            else []
        )
        return done, {json.loads(row)["key"]: row for row in rows}

    return run


@pytest.mark.slow
def test_the_zoo_changes_no_row_but_its_own(bench):
    alone, honest = bench("honest", "first")
    assert alone.returncode == 0, alone.stderr
    assert len(honest) == 5
    beside, rows = bench("beside", "second", attacks=ATTACKS, models=MODELS, defenses=DEFENSES)
    assert beside.returncode == 1, beside.stderr
    assert "Traceback" not in beside.stderr
    assert len(rows) > 200
    assert {key: row for key, row in rows.items() if key in honest} == honest
    later, again = bench("later", "second")
    assert later.returncode == 0, later.stderr
    assert again == honest, "what stays in the cache is theirs, too"
