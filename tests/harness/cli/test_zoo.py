"""The zoo as an installed package, through the real command: every other row is as in the run without it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
TOYS = """
from soundproof import hookimpl
from toys import TOYS

@hookimpl
def soundproof_components():
    return TOYS
"""
ZOO = """
from hostile import attacks, classifiers
from soundproof import hookimpl

@hookimpl
def soundproof_components():
    found = [each for module in (attacks, classifiers) for each in vars(module).values()]
    own = [each for each in found if isinstance(each, type) and each.__module__.startswith("hostile")]
    return [each for each in own if "id" in vars(each)]
"""
SUITE = """
name = "zoo"
datasets = ["toy-data"]
representations = ["toy-picture"]
models = ["toy-linear"{models}]
defenses = ["none"{defenses}]
attacks = ["fgsm", {attacks} "bim-b"]
protocols = [{protocols}]
[budget]
epsilon = 0.5
{limits}
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
    for name, plugin in {"toys": TOYS, "zoo": ZOO}.items():
        (site / f"{name}_plugin.py").write_text(plugin)
        metadata = site / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[soundproof.plugins]\n{name} = {name}_plugin\n")
    path = os.pathsep.join([str(site), str(TESTS), os.environ.get("PYTHONPATH", "")])

    def run(name, cache, isolate="none", **parts):
        suite, out = site / f"{name}.toml", site / name
        suite.write_text(
            SUITE.format(
                **{
                    "attacks": "",
                    "models": "",
                    "defenses": "",
                    "limits": "",
                    "protocols": '"clean", "bounded", "reach"',
                    **parts,
                }
            )
        )
        places = ["--suite", str(suite), "--out", str(out), "--cache", str(site / cache), "--device", "cpu"]
        places += ["--isolate", isolate]
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
@pytest.mark.parametrize("isolate", ["none", "plugins"])
def test_the_zoo_changes_no_row_but_its_own(bench, honest, zoo, count, isolate):
    (name,) = zoo
    beside, rows = bench(f"beside-{name}", f"{name}-{isolate}", isolate, **zoo)
    assert beside.returncode == 1, beside.stderr
    assert "Traceback" not in beside.stderr
    assert len(rows) >= count
    assert {key: row for key, row in rows.items() if key in honest} == honest
    later, again = bench(f"after-{name}", f"{name}-{isolate}")
    assert later.returncode == 0, later.stderr
    assert again == honest, "what stays in the cache is theirs, too"


KILLING = ["exit", "abort", "kill", "hang", "thread", "leak", "flood", "channel"]
REASONS = {
    "exit": "ended itself with exit code 0",
    "abort": "SIGABRT",
    "kill": "SIGKILL",
    "hang": "took longer than 30 s",
    "leak": "held more than 4 GiB",
    "channel": "sent no message",
}


@pytest.mark.slow
def test_what_ends_its_process_ends_no_run(bench, honest):
    ways = ", ".join(f'"{way}"' for way in KILLING)
    parts = {
        "attacks": f'{{ id = "hostile-killing", way = [{ways}] }},',
        "limits": "[limits]\nseconds = 30\nmemory = 4",
        "protocols": '"clean", "bounded"',
    }
    done, rows = bench("killing", "killing", "plugins", **parts)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    theirs = {key: row for key, row in honest.items() if '"protocol": "reach"' not in row}
    assert {key: row for key, row in rows.items() if key in honest} == theirs
    found = [json.loads(row) for key, row in rows.items() if key not in honest]
    ended = {row["attack"].get("way", "exit"): row for row in found}
    assert sorted(ended) == sorted(KILLING)
    for way, row in ended.items():
        if way in REASONS:
            assert row["status"] == "failed"
            assert REASONS[way] in row["reason"]
            assert "plugins from toys, zoo" in row["reason"]
        else:
            assert row["status"] == "ok", row["reason"]
