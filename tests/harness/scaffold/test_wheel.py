"""A sample distribution beside the wheel of soundproof, both as others get them: built, run, ranked, removed."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow

# The sample's board in a second.
SUITE = """
name = "sample"
datasets = [{ id = "synth", recordings = 16, takes = 1 }]
representations = [{ id = "stft", n_fft = 512, size = [16, 16] }]
models = ["logistic-regression"]
attacks = ["fgsm", "tremolo"]
protocols = ["clean", "bounded"]
"""


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Runs a program of an environment that holds what soundproof depends on, and no soundproof."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # Nothing is fetched: dependencies are seen where they are. Their own .pth files, which lead to the sources of
    # an editable soundproof, are not read from there.
    there = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (site / "dependencies.pth").write_text("\n".join(there) + "\n")
    left_out = {"PYTHONPATH", "PYTHONHOME"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    environment |= {"SOUNDPROOF_CACHE": str(folder / "cache"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def run(*command, fails=False):
        first = folder / "venv" / "bin" / command[0]
        done = subprocess.run(
            [str(first), *map(str, command[1:])],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) is fails, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    run.folder, run.site = folder, site
    return run


def pip(*command):
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, command)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def install(clean, source):
    """Build a wheel and install that."""
    offline = ("--no-deps", "--no-index")
    into = clean.folder / "wheels" / source.name
    pip("wheel", "--no-build-isolation", *offline, "--wheel-dir", into, source)
    (wheel,) = into.glob("*.whl")
    pip("--python", clean.folder / "venv" / "bin" / "python", "install", *offline, wheel)
    return wheel


def test_a_distribution_beside_the_wheel_is_found_run_ranked_and_gone(clean):
    assert "No module named 'soundproof'" in clean("python", "-c", "import soundproof", fails=True)
    wheel = install(clean, ROOT)
    assert wheel.stat().st_size < 5_000_000
    where = clean(
        "python", "-c", "import soundproof, soundproof_attacks as a; print(soundproof.__file__, a.__file__)"
    )
    assert all(Path(path).is_relative_to(clean.site) for path in where.split()), where
    refused = [entry for entry in json.loads(clean("bench", "ls", "--json")) if entry["error"]]
    assert not refused
    assert "8 networks" in clean("bench", "weights", "list")

    clean("bench", "new", "attack", "tremolo", "--into", clean.folder)
    assert "unknown" in clean("bench", "check", "tremolo", fails=True)
    install(clean, clean.folder / "soundproof-tremolo")
    listed = {entry["id"]: entry for entry in json.loads(clean("bench", "ls", "attack", "--json"))}
    assert listed["tremolo"]["distribution"] == "soundproof-tremolo"
    assert "1 checked, 0 to mend" in clean("bench", "check", "tremolo")

    (clean.folder / "sample.toml").write_text(SUITE)
    clean("bench", "run", "--suite", "sample.toml", "--out", "board")
    rows = [json.loads(line) for line in (clean.folder / "board" / "results.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows] == ["ok"] * 3, [row["reason"] for row in rows]
    assert "tremolo" in (clean.folder / "board" / "robustness.md").read_text()

    pip("--python", clean.folder / "venv" / "bin" / "python", "uninstall", "--yes", "soundproof-tremolo")
    assert "unknown attack 'tremolo'" in clean("bench", "run", "--suite", "sample.toml", "--out", "b", fails=True)
    assert "tremolo" not in {entry["id"] for entry in json.loads(clean("bench", "ls", "--json"))}
